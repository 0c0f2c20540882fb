//! Files on their way to subscribers: `SYSTEM/IN/NAME` and, behind it, `NAME.metadata`, which says that the file is
//! whole.
//!
//! A reader takes a file when its metadata is there, and deletes both. So a file that is not there is either not given
//! yet or taken already, and a host that was killed in between must know which: what it has still to do stands in
//! `.state/SYSTEM`. There `NAME.given` says that the file stands in its folder, and `NAME.staged` is the metadata that
//! is still to be renamed into it. The rename is the moment in which the file is given; each is given once. That it was
//! fetched is seen by its absence, and `NAME.given` becomes `NAME.fetched`: the receipt.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cpr_replika::cpr_subscription::SubscriberName;
use cpr_replika::deliver::{OutgoingFile, Sink};
use cpr_wire::FileMetadata;
use private_file::PartFile;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// Bytes that are written at once.
const BUFFER: usize = 1024 * 1024;
/// The folder of what is still to be done, which no reader sees.
const STATE: &str = ".state";
/// Endings in it.
const STAGED: &str = ".staged";
const GIVEN: &str = ".given";
const FETCHED: &str = ".fetched";

/// Called after each step; an error ends the work there, as a kill would.
pub type Steps = Arc<dyn Fn(&'static str) -> io::Result<()> + Send + Sync>;

/// Whose folder there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipient {
    /// UserSystemUUID.
    pub system: Uuid,
    /// The agreement that has SF6002.
    pub agreement: Option<Uuid>,
}

/// The folders of the subscribers.
pub struct Outbox {
    folder: PathBuf,
    recipients: BTreeMap<SubscriberName, Recipient>,
    stopping: Arc<AtomicBool>,
    steps: Steps,
}

impl Outbox {
    /// The folders of these systems; when `stopping` is true no further file is begun.
    pub fn new(
        folder: PathBuf,
        recipients: BTreeMap<SubscriberName, Recipient>,
        stopping: Arc<AtomicBool>,
        steps: Steps,
    ) -> Outbox {
        Outbox { folder, recipients, stopping, steps }
    }

    /// What is called after each step.
    pub(crate) fn steps(&self) -> Steps {
        self.steps.clone()
    }

    /// How many files wait for each system to fetch them.
    pub fn waiting(&self) -> BTreeMap<String, u64> {
        let count = |system: &SubscriberName| {
            let files = fs::read_dir(self.fetch_folder(system)).into_iter().flatten().flatten();
            let names = files.map(|file| file.file_name());
            names.filter(|name| name.to_string_lossy().ends_with(".metadata")).count() as u64
        };
        self.recipients.keys().map(|system| (system.as_str().to_owned(), count(system))).collect()
    }

    /// System and name of each file that is gone since the last call: its reader has fetched it. Each is told once; a
    /// system whose folders cannot be read is passed over until they can.
    pub fn take_receipts(&self) -> Vec<(String, String)> {
        let mut fetched = Vec::new();
        for system in self.recipients.keys() {
            let (fetch, state) = (self.fetch_folder(system), self.state_folder(system));
            for entry in fs::read_dir(&state).into_iter().flatten().flatten() {
                let Ok(given) = entry.file_name().into_string() else { continue };
                let Some(name) = given.strip_suffix(GIVEN) else { continue };
                let is_gone = |path: PathBuf| matches!(path.try_exists(), Ok(false));
                let receipt = state.join(format!("{name}{FETCHED}"));
                if is_gone(state.join(format!("{name}{STAGED}")))
                    && is_gone(fetch.join(name))
                    && fs::rename(entry.path(), &receipt).is_ok()
                {
                    private_file::sync_folder_of(&receipt).ok();
                    fetched.push((system.as_str().to_owned(), name.to_owned()));
                }
            }
        }
        fetched
    }

    /// The folders of what is still to be done, to be tidied.
    pub fn state_folders(&self) -> impl Iterator<Item = PathBuf> {
        self.recipients.keys().map(|system| self.state_folder(system))
    }

    fn fetch_folder(&self, system: &SubscriberName) -> PathBuf {
        self.folder.join(system.as_str()).join("IN")
    }

    fn state_folder(&self, system: &SubscriberName) -> PathBuf {
        self.folder.join(STATE).join(system.as_str())
    }
}

impl Sink for Outbox {
    fn take(&mut self, file: &OutgoingFile, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let Recipient { system, agreement } = self.recipients.get(&file.subscriber).copied().unwrap_or_default();
        let name = match agreement {
            Some(agreement) => format!("{}.{}", file.name, agreement.hyphenated()),
            None => file.name.clone(),
        };
        let (fetch, state) = (self.fetch_folder(&file.subscriber), self.state_folder(&file.subscriber));
        private_file::make_own_folder(&fetch)?;
        private_file::make_own_folder(&state)?;
        let [given, staged, fetched] = [GIVEN, STAGED, FETCHED].map(|ending| state.join(format!("{name}{ending}")));
        if given.try_exists()? || fetched.try_exists()? {
            // Who gave it may have been killed before the name was durable.
            private_file::sync_folder_of(&given)?;
            // The engine counts what it has written.
            write(&mut io::sink())?;
        } else {
            let path = fetch.join(&name);
            let bytes = write_whole(&path, write)?;
            (self.steps)("file")?;
            write_whole(&staged, &mut |out| {
                out.write_all(metadata(&name, bytes, &file.subscriber, system).as_bytes())
            })?;
            (self.steps)("staged")?;
            write_whole(&given, &mut |_| Ok(()))?;
            (self.steps)("given")?;
        }
        let metadata = fetch.join(format!("{name}.metadata"));
        let is_staged = staged.try_exists()?;
        if is_staged {
            fs::rename(&staged, &metadata)?;
        }
        // Also where another process renamed it: a power cut would take it back, and the engine notes it as given.
        private_file::sync_folder_of(&metadata)?;
        private_file::sync_folder_of(&staged)?;
        if is_staged {
            (self.steps)("metadata")?;
        }
        Ok(())
    }
}

/// What is said of a file; the same at every try. Readers look for the name of their account among the recipients, and
/// the account has the name of the system.
fn metadata(name: &str, bytes: u64, system: &SubscriberName, uuid: Uuid) -> String {
    let digest = Sha256::new().chain_update(uuid.as_bytes()).chain_update(name).finalize();
    let transfer = digest.first_chunk().map(|bytes| Builder::from_random_bytes(*bytes).into_uuid());
    let metadata = FileMetadata {
        transfer,
        file_name: name.to_owned(),
        bytes,
        sender: "cpr-host".to_owned(),
        senders_file_id: name.to_owned(),
        recipients: vec![system.as_str().to_owned()],
    };
    metadata.to_xml()
}

/// Writes a file, whole and durable or not there, in the place of what stood there; how long it is.
pub(crate) fn write_whole(path: &Path, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<u64> {
    let part = PartFile::create(path)?;
    let mut out = BufWriter::with_capacity(BUFFER, part.file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    let bytes = part.file().metadata()?.len();
    part.publish()?;
    Ok(bytes)
}

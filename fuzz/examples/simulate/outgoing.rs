//! The files of a night on their way to subscribers: into folders, or into the outbox of the example host, whose source
//! this reads as it stands. And the reader of an outbox, who takes what is whole by its word and deletes it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cpr_replika::{FolderSink, OutgoingFile, Sink};
use cpr_wire::{FileMetadata, Limits};
use uuid::Uuid;

use crate::model::SUBSCRIBERS;
use crate::outbox::{Outbox, Recipient};
use crate::part::number;
use crate::random::Random;

/// Below the folder of what was sent.
const FOLDERS: &str = "folders";
const OUTBOX: &str = "outbox";
const METADATA: &str = ".metadata";
/// Of each subscriber.
const SYSTEM: Uuid = Uuid::from_u128(7);
const AGREEMENT: Uuid = Uuid::from_u128(8);

/// Where the files of a night go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    Folders,
    Outbox,
}

/// The way that a night goes.
pub fn choose(random: &mut Random) -> Way {
    if random.one_in(2) { Way::Outbox } else { Way::Folders }
}

/// Takes the files of a night, below the folder of what was sent.
pub enum Outgoing {
    Folders(FolderSink),
    Outbox(Outbox),
}

impl Outgoing {
    pub fn new(sent: &Path, way: Way) -> Outgoing {
        match way {
            Way::Folders => Outgoing::Folders(FolderSink::new(sent.join(FOLDERS))),
            Way::Outbox => Outgoing::Outbox(outbox(sent)),
        }
    }
}

impl Sink for Outgoing {
    fn take(&mut self, file: &OutgoingFile, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        match self {
            Outgoing::Folders(sink) => sink.take(file, write),
            Outgoing::Outbox(sink) => sink.take(file, write),
        }
    }
}

/// The outbox below the folder of what was sent.
pub fn outbox(sent: &Path) -> Outbox {
    let recipient =
        |name: &&str| (name.parse().expect("a name"), Recipient { system: SYSTEM, agreement: Some(AGREEMENT) });
    let recipients = SUBSCRIBERS.iter().map(recipient).collect();
    Outbox::new(sent.join(OUTBOX), recipients, Arc::default(), Arc::new(|_| Ok(())))
}

/// The name of a file that was sent, and what is seen of it.
pub fn expected(way: Way, subscriber: &str, name: &str, bytes: &[u8]) -> (String, u64) {
    match way {
        Way::Folders => (format!("{FOLDERS}/{subscriber}/{name}"), number(bytes)),
        Way::Outbox => {
            let name = format!("{name}.{AGREEMENT}");
            let said = said(&name, bytes.len() as u64, subscriber);
            (format!("{OUTBOX}/{subscriber}/{name}"), number((bytes, said)))
        }
    }
}

/// What metadata say of a file.
fn said(name: &str, bytes: u64, recipient: &str) -> (String, u64, Vec<String>) {
    (name.to_owned(), bytes, vec![recipient.to_owned()])
}

/// The files that can be fetched, without those on their way.
pub fn sent_files(sent: &Path) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for subscriber in SUBSCRIBERS {
        for name in names(&sent.join(FOLDERS).join(subscriber)) {
            let bytes = fs::read(sent.join(FOLDERS).join(subscriber).join(&name)).expect("a file of ours");
            all.insert(format!("{FOLDERS}/{subscriber}/{name}"), number(bytes.as_slice()));
        }
        let folder = fetch_folder(sent, subscriber);
        for name in names(&folder).iter().filter_map(|name| name.strip_suffix(METADATA)) {
            all.insert(format!("{OUTBOX}/{subscriber}/{name}"), seen(&folder, name));
        }
    }
    all
}

/// What a reader sees of a file whose metadata are there; nothing that is right, where it is not.
fn seen(folder: &Path, name: &str) -> u64 {
    let read = || {
        let document = fs::read(folder.join(format!("{name}{METADATA}"))).ok()?;
        let metadata = FileMetadata::parse(&document, &Limits::REQUEST).ok()?;
        let bytes = fs::read(folder.join(name)).ok()?;
        Some(number((bytes.as_slice(), (metadata.file_name, metadata.bytes, metadata.recipients))))
    };
    read().unwrap_or_default()
}

/// A reader of the outbox takes and deletes what can be fetched: which files, and what it saw of each.
pub fn fetch(sent: &Path) -> BTreeMap<String, u64> {
    let fetched: BTreeMap<String, u64> = sent_files(sent).into_iter().filter(|(name, _)| is_of_outbox(name)).collect();
    for file in fetched.keys() {
        let (subscriber, name) = file[OUTBOX.len() + 1..].split_once('/').expect("a name of ours");
        let folder = fetch_folder(sent, subscriber);
        for name in [name.to_owned(), format!("{name}{METADATA}")] {
            fs::remove_file(folder.join(name)).ok();
        }
    }
    fetched
}

fn is_of_outbox(name: &str) -> bool {
    name.starts_with(OUTBOX)
}

/// Whether a name below the folder of a trial is where readers of the outbox look.
pub fn is_fetched_from(name: &Path) -> bool {
    name.starts_with("sent/outbox") && name.iter().any(|part| part == "IN")
}

fn fetch_folder(sent: &Path, subscriber: &str) -> PathBuf {
    sent.join(OUTBOX).join(subscriber).join("IN")
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

//! What every command is given: the store it is about and how it prints, and the opening of that store.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use cpr_replika::{Error, KeyFile, KeySource, Options, Packed, Replika, Snapshot};

use crate::access::LogOfAccess;
use crate::failure::Failure;
use crate::screen;
use crate::values::parse_count;

/// The options that stand before or after every subcommand.
#[derive(Args, Clone, Debug)]
pub(crate) struct Globals {
    /// The store: one file.
    #[arg(long, global = true, value_name = "PATH", env = "REPLIKA_STORE", hide_env_values = true)]
    store: Option<PathBuf>,

    /// A folder of packs: commands that read do so from it, in place of the store; `load` and `apply` have it hold the
    /// state after each delivery.
    #[arg(long, global = true, value_name = "DIR")]
    pack: Option<PathBuf>,

    /// The file with the key of an encrypted store (`replika key new`), and of packs that were written of one; `load`
    /// and `apply` make a new store encrypted with it.
    #[arg(long, global = true, value_name = "PATH", env = "REPLIKA_KEY_FILE", hide_env_values = true)]
    key_file: Option<PathBuf>,

    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) log: LogOfAccess,

    /// Wait until a store that is open elsewhere is free, this many seconds at most: 60 when none are named. `load` and
    /// `apply` wait 60 seconds when left out, the other commands do not.
    #[arg(long, global = true, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60",
        value_parser = parse_count::<u32>)]
    wait: Option<u32>,
}

/// How long `load` and `apply` wait for the store when nothing is said.
pub(crate) const INTAKE_WAIT_SECONDS: u32 = 60;

impl Globals {
    pub(crate) fn store_path(&self) -> Result<&Path, Failure> {
        self.store.as_deref().ok_or(Failure::Usage("which store? give --store PATH, or set REPLIKA_STORE"))
    }

    /// The same about another store.
    pub(crate) fn about(&self, store: &Path) -> Globals {
        Globals { store: Some(store.to_owned()), ..self.clone() }
    }

    /// The store, where one was named.
    pub(crate) fn named_store(&self) -> Option<&Path> {
        self.store.as_deref()
    }

    /// How the store is opened.
    pub(crate) fn options(&self) -> Options {
        let key = self.key_file.as_ref().map(|path| Arc::new(KeyFile::new(path)) as Arc<dyn KeySource>);
        Options { key, ..Options::default() }
    }

    /// The folder of packs, where one was named.
    pub(crate) fn packs(&self) -> Option<&Path> {
        self.pack.as_deref()
    }

    /// What is read: the packs that were named, or the store.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Failure> {
        self.snapshot_with(&self.options())
    }

    /// The same for one walk through everybody, who is then read once: what was read need not be kept.
    pub(crate) fn snapshot_to_walk(&self) -> Result<Snapshot, Failure> {
        self.snapshot_with(&Options { cache_bytes: 64 * 1024 * 1024, ..self.options() })
    }

    fn snapshot_with(&self, options: &Options) -> Result<Snapshot, Failure> {
        match &self.pack {
            Some(folder) => Ok(Packed::open_encrypted(folder, options)?.snapshot()),
            None => {
                let path = self.store_path()?;
                Ok(self.wait_for(0, || Replika::open_read_only_with(path, options))?.snapshot())
            }
        }
    }

    /// Refuses packs, and says why the store itself is needed.
    pub(crate) fn refuse_packs(&self, why: &'static str) -> Result<(), Failure> {
        if self.pack.is_some() { Err(Failure::Usage(why)) } else { Ok(()) }
    }

    pub(crate) fn open_to_read(&self) -> Result<Replika, Failure> {
        self.refuse_packs("this needs the store itself; leave --pack out")?;
        let (path, options) = (self.store_path()?, self.options());
        self.wait_for(0, || Replika::open_read_only_with(path, &options))
    }

    pub(crate) fn open_to_write(&self) -> Result<Replika, Failure> {
        self.refuse_packs("this changes the store, and packs are never changed; leave --pack out")?;
        let (path, options) = (self.store_path()?, self.options());
        self.wait_for(0, || Replika::open_with(path, &options))
    }

    /// Opens a store, again and again while it is open elsewhere; `default` seconds when the caller was not asked.
    pub(crate) fn wait_for<T>(&self, default: u32, open: impl Fn() -> Result<T, Error>) -> Result<T, Failure> {
        let waited = u64::from(self.wait.unwrap_or(default));
        let end = Instant::now() + Duration::from_secs(waited);
        let mut is_told = false;
        loop {
            match open() {
                Err(Error::Locked) if Instant::now() < end => {}
                Err(Error::Locked) => return Err(Failure::Locked { waited }),
                opened => return Ok(opened?),
            }
            if !is_told {
                screen::warn(&format!("replika: the store is open elsewhere; waiting, {waited} s at most"));
                is_told = true;
            }
            thread::sleep(Duration::from_millis(100).min(end.saturating_duration_since(Instant::now())));
        }
    }

    /// A command of this program on the same store, as it can be run in a shell.
    pub(crate) fn command_line(&self, words: &[OsString]) -> String {
        let mut line = vec![OsString::from("replika")];
        if let Some(store) = &self.store {
            line.extend(["--store".into(), store.clone().into_os_string()]);
        }
        line.extend_from_slice(words);
        let quoted = line.iter().map(|word| {
            let word = word.to_string_lossy();
            shlex::try_quote(&word).map_or_else(|_| word.to_string(), |quoted| quoted.into_owned())
        });
        quoted.collect::<Vec<_>>().join(" ")
    }
}

//! What lookups read: the store, or the packs that are kept of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cpr_replika::{Error, Packed, Replika, Snapshot};

/// Where snapshots for lookups come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The store: a delivery counts from its commit on.
    Store(Arc<Replika>),
    /// Packs: it counts once they hold it, a moment later.
    Packs(Arc<Packed>),
}

impl Source {
    /// The state that is answered from now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        match self {
            Source::Store(replika) => replika.snapshot(),
            Source::Packs(packed) => packed.snapshot(),
        }
    }
}

/// A folder of packs that is to have each state of the store.
#[derive(Clone, Debug)]
pub struct KeptPacks {
    folder: PathBuf,
    /// They as they are read here, where lookups are answered from them.
    packed: Option<Arc<Packed>>,
}

impl KeptPacks {
    /// Brings the folder to the state of the store; `answer` opens it for lookups.
    ///
    /// # Errors
    /// Those of [`Snapshot::write_pack`] and [`Packed::open`].
    pub fn open(folder: PathBuf, answer: bool, replika: &Replika) -> Result<KeptPacks, Error> {
        replika.snapshot().write_pack(&folder)?;
        let packed = if answer { Some(Arc::new(Packed::open(&folder)?)) } else { None };
        Ok(KeptPacks { folder, packed })
    }

    /// Brings the folder to the state of the store, and lookups with it.
    pub(crate) fn bring(&self, replika: &Replika) -> Result<(), Error> {
        replika.snapshot().write_pack(&self.folder)?;
        if let Some(packed) = &self.packed {
            packed.poll()?;
        }
        Ok(())
    }

    /// The folder of packs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What lookups read, where that is the packs.
    pub(crate) fn source(&self) -> Option<Source> {
        self.packed.clone().map(Source::Packs)
    }
}

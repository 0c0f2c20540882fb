//! The file of a store: opened to write or to read, and what is none told apart from damage.

use std::path::Path;

use redb::{Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::error::Error;

/// How a store is opened: what is the process's to choose, and changes nothing that is stored.
///
/// ```
/// use cpr_replika::{Config, Options, Replika};
/// let folder = tempfile::tempdir()?;
/// let options = Options { cache_bytes: 64 * 1024 * 1024, ..Options::default() };
/// let replika = Replika::open_or_create(folder.path().join("replika.db"), &Config::default(), &options)?;
/// assert_eq!(replika.snapshot().known().0, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of pages kept in memory, beside what the system caches of the file. A read that finds its page here takes a
    /// third of the time of one that does not.
    pub cache_bytes: usize,
}

impl Default for Options {
    /// A cache of 1 GiB, which is filled only as far as there are pages.
    fn default() -> Self {
        Options { cache_bytes: 1024 * 1024 * 1024 }
    }
}

/// The open database. Snapshots share it, since closing it ends their transactions.
pub(crate) enum Opened {
    ReadWrite(Database),
    ReadOnly(ReadOnlyDatabase),
}

impl Opened {
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, Error> {
        Ok(match self {
            Opened::ReadWrite(database) => database.begin_read()?,
            Opened::ReadOnly(database) => database.begin_read()?,
        })
    }

    /// # Errors
    /// [`Error::ReadOnly`].
    pub(crate) fn check_writable(&self) -> Result<(), Error> {
        match self {
            Opened::ReadWrite(_) => Ok(()),
            Opened::ReadOnly(_) => Err(Error::ReadOnly),
        }
    }

    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, Error> {
        match self {
            Opened::ReadWrite(database) => begin_write(database),
            Opened::ReadOnly(_) => Err(Error::ReadOnly),
        }
    }
}

pub(crate) fn builder(options: &Options) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

/// Every commit is durable and in two phases; with quick repair, opening after a kill does not walk the store.
pub(crate) fn begin_write(database: &Database) -> Result<WriteTransaction, Error> {
    let mut write = database.begin_write()?;
    write.set_two_phase_commit(true);
    write.set_quick_repair(true);
    Ok(write)
}

/// What redb would take for an empty database or for damage is told apart first: no file, an empty one, another kind.
pub(crate) fn refuse_strangers(path: &Path) -> Result<(), Error> {
    use std::io::Read;
    let mut magic = [0; 4];
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound,
        _ => Error::from(redb::StorageError::Io(error)),
    })?;
    match file.take(4).read(&mut magic) {
        Ok(4) if &magic == b"redb" => Ok(()),
        _ => Err(Error::NotAStore),
    }
}

/// True where a store can be created: an empty file is what a creation that never got anywhere leaves behind.
pub(crate) fn is_vacant(path: &Path) -> bool {
    path.metadata().map_or(true, |found| found.len() == 0)
}

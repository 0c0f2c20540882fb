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

/// Makes the file that a new store is created in, for its owner alone whatever the umask: the register is in it.
pub(crate) fn create_private(path: &Path) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
    let made = options.open(path).map_err(redb::StorageError::Io)?;
    Ok(set_private(&made).map_err(redb::StorageError::Io)?)
}

/// Takes every right to a store from others than its owner. Who may only read it and cannot change that, reads it.
pub(crate) fn make_private(path: &Path, to_write: bool) -> Result<(), Error> {
    let file = std::fs::File::open(path);
    match file.and_then(|file| if is_private(&file)? { Ok(()) } else { set_private(&file) }) {
        Err(error) if to_write => Err(redb::StorageError::Io(error).into()),
        _ => Ok(()),
    }
}

#[cfg(unix)]
const PRIVATE: u32 = 0o600;

#[cfg(unix)]
fn set_private(file: &std::fs::File) -> std::io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(PRIVATE))
}

#[cfg(unix)]
fn is_private(file: &std::fs::File) -> std::io::Result<bool> {
    Ok(std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 == 0)
}

/// Elsewhere the folder decides who may read.
#[cfg(not(unix))]
fn set_private(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn is_private(_: &std::fs::File) -> std::io::Result<bool> {
    Ok(true)
}

/// True where a store can be created: an empty file is what a creation that never got anywhere leaves behind.
pub(crate) fn is_vacant(path: &Path) -> bool {
    path.metadata().map_or(true, |found| found.len() == 0)
}

//! The file of a store: opened to write or to read, and what went wrong with it first.

use std::fs::{File, OpenOptions};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{
    BackendError, Builder, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    StorageBackend, WriteTransaction,
};

use super::block_file::overlay::Overlay;
use super::block_file::scan::Scan;
use super::block_file::{BlockFile, Opening};
use super::key::KeySource;
use crate::damage::{BlockError, Latch};
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
    /// Where the key of an encrypted store comes from; a store that is created with one is encrypted. Needs the cargo
    /// feature `encryption`.
    pub key: Option<Arc<dyn KeySource>>,
}

impl Default for Options {
    /// A cache of 1 GiB, which is filled only as far as there are pages.
    fn default() -> Self {
        Options { cache_bytes: 1024 * 1024 * 1024, key: None }
    }
}

/// Bytes of pages kept in memory while pages are checked, each once.
const CHECK_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The open database. Snapshots share it, since closing it ends their transactions.
pub(crate) struct Opened {
    database: Mode,
    latch: Latch,
    /// The file that was opened, when it is one.
    file: Option<OpenedFile>,
    /// A key that opened it encrypts it: one for a store that is not encrypted is refused.
    is_encrypted: bool,
}

enum Mode {
    ReadWrite(Database),
    ReadOnly(ReadOnlyDatabase),
}

impl Opened {
    /// Makes a store's file where none is, for its owner alone.
    pub(crate) fn create(path: &Path, options: &Options) -> Result<Opened, Error> {
        let mut how = OpenOptions::new();
        how.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, PRIVATE);
        Opened::file(path, &how, Opening::Create, options)
    }

    /// Opens a store's file to read and to write.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Opened, Error> {
        Opened::file(path, OpenOptions::new().read(true).write(true), Opening::Existing, options)
    }

    fn file(path: &Path, how: &OpenOptions, opening: Opening, options: &Options) -> Result<Opened, Error> {
        let (storage, file) = open_file(path, how)?;
        let opened = Opened::over(storage, opening, options)?;
        make_private(path, true)?;
        Ok(Opened { file: Some(file), ..opened })
    }

    /// Opens a store's file to read, beside any number of others who do.
    pub(crate) fn open_read_only(path: &Path, options: &Options) -> Result<Opened, Error> {
        match Opened::read_only(path, options) {
            Err(OpeningError::NotClosed) => {
                drop(Opened::open(path, options)?);
                Opened::read_only(path, options).map_err(Error::from)
            }
            opened => opened.map_err(Error::from),
        }
    }

    fn read_only(path: &Path, options: &Options) -> Result<Opened, OpeningError> {
        let (storage, file) = open_file(path, OpenOptions::new().read(true))?;
        let latch = Latch::default();
        let blocks = BlockFile::new(storage, Opening::Existing, options.key.clone(), latch.clone());
        let database = latch.sound(|| match builder(options).open_read_only_with_backend(blocks) {
            Err(DatabaseError::RepairAborted) => Err(OpeningError::NotClosed),
            opened => Ok(opened.map_err(Error::from)?),
        })?;
        make_private(path, false)?;
        Ok(Opened { database: Mode::ReadOnly(database), latch, file: Some(file), is_encrypted: options.key.is_some() })
    }

    /// Opens or makes a store over any storage.
    pub(crate) fn over(storage: impl StorageBackend, opening: Opening, options: &Options) -> Result<Opened, Error> {
        let latch = Latch::default();
        let blocks = BlockFile::new(storage, opening, options.key.clone(), latch.clone());
        let database = latch.sound(|| builder(options).create_with_backend(blocks).map_err(Error::from))?;
        Ok(Opened { database: Mode::ReadWrite(database), latch, file: None, is_encrypted: options.key.is_some() })
    }

    /// Opens a store's file as if to write, and leaves it as it is.
    pub(crate) fn open_unchanged(path: &Path, options: &Options) -> Result<Opened, Error> {
        let (latch, file) = unchanged(path, options)?;
        let database = latch.sound(|| builder(options).create_with_backend(file).map_err(Error::from))?;
        Ok(Opened { database: Mode::ReadWrite(database), latch, file: None, is_encrypted: options.key.is_some() })
    }

    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, Error> {
        self.latch.sound(|| {
            Ok(match &self.database {
                Mode::ReadWrite(database) => database.begin_read()?,
                Mode::ReadOnly(database) => database.begin_read()?,
            })
        })
    }

    /// # Errors
    /// [`Error::ReadOnly`].
    pub(crate) fn check_writable(&self) -> Result<(), Error> {
        match &self.database {
            Mode::ReadWrite(_) => Ok(()),
            Mode::ReadOnly(_) => Err(Error::ReadOnly),
        }
    }

    /// Begins a transaction. Every commit is durable and in two phases; with quick repair, opening after a kill does not
    /// walk the store.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Replaced`] when the file was deleted, or another took its place.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, Error> {
        let Mode::ReadWrite(database) = &self.database else { return Err(Error::ReadOnly) };
        self.file.as_ref().map_or(Ok(()), OpenedFile::check_in_place)?;
        self.latch.sound(|| {
            let mut write = database.begin_write()?;
            write.set_two_phase_commit(true);
            write.set_quick_repair(true);
            Ok(write)
        })
    }

    /// Whether its blocks are encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// What went wrong with the file first.
    pub(crate) fn latch(&self) -> &Latch {
        &self.latch
    }
}

/// A store's file over which whatever is written stays in memory.
fn unchanged(path: &Path, options: &Options) -> Result<(Latch, Overlay<BlockFile<FileBackend>>), Error> {
    let (storage, _) = open_file(path, OpenOptions::new().read(true))?;
    let latch = Latch::default();
    let blocks = BlockFile::new(storage, Opening::Existing, options.key.clone(), latch.clone());
    Ok((latch, Overlay::new(blocks)))
}

/// Tries every block of a store's file.
pub(crate) fn scan(path: &Path, options: &Options) -> Result<Scan, Error> {
    let (storage, _) = open_file(path, OpenOptions::new().read(true))?;
    let blocks = BlockFile::new(storage, Opening::Existing, options.key.clone(), Latch::default());
    let io = |error| Error::from(redb::StorageError::Io(error));
    // Whoever writes holds some of these bytes alone; whoever reads shares them.
    match blocks.try_lock_shared_range(Bound::Unbounded, Bound::Unbounded) {
        Ok(false) => return Err(Error::Locked),
        Ok(true) | Err(BackendError::Unsupported) => {}
        Err(BackendError::Io(error)) => return Err(io(error)),
        Err(error) => return Err(io(std::io::Error::other(error.to_string()))),
    }
    let scan = blocks.scan().map_err(io);
    blocks.close().map_err(io)?;
    scan
}

/// Has redb check every page of a store's file: false when it would have had to repair its account of free pages.
pub(crate) fn check_pages(path: &Path, options: &Options) -> Result<bool, Error> {
    let (latch, file) = unchanged(path, options)?;
    latch.sound(|| {
        let mut database = Builder::new().set_cache_size(CHECK_CACHE_BYTES).create_with_backend(file)?;
        Ok(database.check_integrity()?)
    })
}

/// Wraps the data key of a store by the key of another source. The blocks stay as they are.
#[cfg(feature = "encryption")]
pub(crate) fn rekey(path: &Path, from: &dyn KeySource, to: &dyn KeySource) -> Result<(), Error> {
    let (storage, _) = open_file(path, OpenOptions::new().read(true).write(true))?;
    let io = |error| Error::from(redb::StorageError::Io(error));
    match storage.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
        Ok(false) => return Err(Error::Locked),
        Ok(true) | Err(BackendError::Unsupported) => {}
        Err(error) => return Err(io(std::io::Error::other(error.to_string()))),
    }
    let done = super::block_file::rewrap(&storage, from, to).map_err(io);
    storage.close().map_err(io)?;
    done
}

/// Why a store's file cannot be opened to read.
enum OpeningError {
    /// Its writer was killed, and it is to be put in order first.
    NotClosed,
    Other(Error),
}

impl From<Error> for OpeningError {
    fn from(error: Error) -> OpeningError {
        OpeningError::Other(error)
    }
}

impl From<redb::StorageError> for OpeningError {
    fn from(error: redb::StorageError) -> OpeningError {
        OpeningError::Other(error.into())
    }
}

impl super::read_table::Told for OpeningError {
    fn is_earlier_failure(&self) -> bool {
        matches!(self, OpeningError::Other(error) if error.is_earlier_failure())
    }
}

impl From<OpeningError> for Error {
    fn from(error: OpeningError) -> Error {
        match error {
            OpeningError::NotClosed => Error::Locked,
            OpeningError::Other(error) => error,
        }
    }
}

/// A file that was opened, beside the handle that is read and written.
struct OpenedFile(File);

impl OpenedFile {
    /// A file that has no name any more is gone once it is closed: it was deleted, or another took its place.
    fn check_in_place(&self) -> Result<(), Error> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let found = self.0.metadata().map_err(|error| Error::from(redb::StorageError::Io(error)))?;
            if found.nlink() == 0 {
                return Err(BlockError::Replaced.into());
            }
        }
        Ok(())
    }
}

fn open_file(path: &Path, how: &OpenOptions) -> Result<(FileBackend, OpenedFile), Error> {
    // Opening a pipe waits for whoever writes to it, and a device has no end.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Error::NotAStore);
    }
    let storage = |error| Error::from(redb::StorageError::Io(error));
    let file: File = how.open(path).map_err(storage)?;
    let beside = file.try_clone().map_err(storage)?;
    Ok((FileBackend::new(file)?, OpenedFile(beside)))
}

fn builder(options: &Options) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

/// Takes every right to a store from others than its owner. Who may only read it and cannot change that, reads it.
fn make_private(path: &Path, to_write: bool) -> Result<(), Error> {
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

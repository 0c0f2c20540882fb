//! The file of a store: opened to write or to read, and what went wrong with it first.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{
    BackendError, Builder, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    StorageBackend, WriteTransaction,
};

use super::block_file::overlay::{LostPages, Overlay};
use super::block_file::scan::Scan;
use super::block_file::scrub::Scrubbed;
use super::block_file::{BlockFile, BlockState, Commit, Opening};
use super::key::KeySource;
use super::leftover::remove_leftover;
use super::page_tree::{Found, Pages};
use super::shared::SharedStorage;
use super::write_behind::WriteBehind;
use crate::damage::{BlockError, Damage, Latch, Place};
use crate::error::Error;
use crate::planted::{self, Fault};

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
    /// Bytes of pages kept in memory, beside what the system caches of the file. A read that finds its page here takes
    /// a third of the time of one that does not.
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
    storage: Arc<SharedStorage>,
    blocks: BlockState,
    /// The file that was opened, when it is one.
    file: Option<OpenedFile>,
    options: Options,
}

enum Mode {
    ReadWrite(Database),
    ReadOnly(ReadOnlyDatabase),
}

/// How often a file is opened that turns out to have been replaced in that moment.
const MOST_OPENINGS: usize = 10;

impl Opened {
    /// Makes a store's file where none is, for its owner alone.
    pub(crate) fn create(path: &Path, options: &Options) -> Result<Opened, Error> {
        let mut how = OpenOptions::new();
        how.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, PRIVATE);
        let opened = Opened::file(path, &how, Opening::Create, options)?;
        // A power cut would take the name away, and with it what was told as stored since.
        private_file::sync_folder_of(path).map_err(storage_failed)?;
        Ok(opened)
    }

    /// Opens a store's file to read and to write. What a rewriting that was cut off has left is removed.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Opened, Error> {
        let opened = Opened::file(path, OpenOptions::new().read(true).write(true), Opening::Existing, options)?;
        if let Some(file) = &opened.file {
            remove_leftover(&file.path).map_err(storage_failed)?;
            // Whoever renamed the file into its place may have had no time for this.
            private_file::sync_folder_of(&file.path).map_err(storage_failed)?;
        }
        Ok(opened)
    }

    fn file(path: &Path, how: &OpenOptions, opening: Opening, options: &Options) -> Result<Opened, Error> {
        for _ in 0..MOST_OPENINGS {
            let (storage, file) = open_file(path, how)?;
            let opened = Opened::writable(SharedStorage::new(storage), opening, options)?;
            if file.is_at(path) {
                make_private(path, true)?;
                return Ok(Opened { file: Some(file), ..opened });
            }
        }
        Err(Error::Locked)
    }

    /// Opens a store's file to read, beside any number of others who do.
    pub(crate) fn open_read_only(path: &Path, options: &Options) -> Result<Opened, Error> {
        for _ in 0..MOST_OPENINGS {
            let (storage, file) = open_file(path, OpenOptions::new().read(true))?;
            let opened = match Opened::read_only(SharedStorage::new(storage), options) {
                Err(OpeningError::NotClosed) => {
                    Opened::open(path, options)?.close()?;
                    continue;
                }
                opened => opened?,
            };
            if file.is_at(path) {
                make_private(path, false)?;
                return Ok(Opened { file: Some(file), ..opened });
            }
        }
        Err(Error::Locked)
    }

    fn read_only(storage: Arc<SharedStorage>, options: &Options) -> Result<Opened, OpeningError> {
        let (latch, file) = blocks_of(storage.open(), options);
        let blocks = file.shared_state();
        let database = Mode::ReadOnly(open_to_read(&latch, file, options)?);
        Ok(Opened { database, latch, storage, blocks, file: None, options: options.clone() })
    }

    /// Opens or makes a store over any storage.
    pub(crate) fn over(storage: impl StorageBackend, opening: Opening, options: &Options) -> Result<Opened, Error> {
        Opened::writable(SharedStorage::new(storage), opening, options)
    }

    fn writable(storage: Arc<SharedStorage>, opening: Opening, options: &Options) -> Result<Opened, Error> {
        let latch = Latch::default();
        let file = BlockFile::new(storage.open(), opening, options.key.clone(), latch.clone());
        let blocks = file.shared_state();
        let database = latch.sound(|| builder(options).create_with_backend(file).map_err(Error::from))?;
        let database = Mode::ReadWrite(database);
        Ok(Opened { database, latch, storage, blocks, file: None, options: options.clone() })
    }

    /// Opens the same storage anew, for a database that has failed. It stays locked throughout, and this one can read
    /// and write no more.
    pub(crate) fn reopen(&self) -> Result<Opened, Error> {
        if let Some(file) = &self.file {
            file.check_in_place()?;
            private_file::sync_folder_of(&file.path).map_err(storage_failed)?;
        }
        let storage = Arc::clone(&self.storage);
        let opened = match &self.database {
            Mode::ReadWrite(_) => Opened::writable(storage, Opening::Existing, &self.options)?,
            Mode::ReadOnly(_) => Opened::read_only(storage, &self.options)?,
        };
        let file = self.file.as_ref().map(OpenedFile::again).transpose().map_err(storage_failed)?;
        Ok(Opened { file, ..opened })
    }

    /// Opens or makes a file without blocks and checks.
    #[cfg(feature = "raw")]
    pub(crate) fn without_checks(path: &Path, options: &Options) -> Result<Opened, Error> {
        let (file, _) = open_file(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))?;
        make_private(path, true)?;
        let (storage, latch) = (SharedStorage::new(file), Latch::default());
        let database = latch.sound(|| builder(options).create_with_backend(storage.open()).map_err(Error::from))?;
        let (database, blocks) = (Mode::ReadWrite(database), BlockState::default());
        Ok(Opened { database, latch, storage, blocks, file: None, options: options.clone() })
    }

    /// Opens a store's file to verify its rows, leaves it as it is, and passes over pages that do not check.
    pub(crate) fn open_damaged(path: &Path, options: &Options) -> Result<(Opened, LostPages), Error> {
        let (storage, _) = open_file(path, OpenOptions::new().read(true))?;
        let storage = SharedStorage::new(storage);
        let read = Opened::without_lost_pages(&storage, storage.open(), options);
        match read {
            Err(OpeningError::NotClosed) => {
                // What redb does to put it in order stays in memory; it reads every page for that, and none may be
                // lost.
                let (latch, file) = blocks_of(storage.open(), options);
                let (blocks, file) = (file.shared_state(), Overlay::new(file));
                let database = latch.sound(|| builder(options).create_with_backend(file).map_err(Error::from))?;
                let database = Mode::ReadWrite(database);
                let opened = Opened { database, latch, storage, blocks, file: None, options: options.clone() };
                Ok((opened, LostPages::default()))
            }
            read => Ok(read?),
        }
    }

    /// Opens the last state of the same storage, as [`Opened::open_damaged`] does, beside this one. Both are the same
    /// state for as long as [`Opened::state_of_engine`] says the same.
    pub(crate) fn beside(&self) -> Result<(Opened, LostPages), Error> {
        Ok(Opened::without_lost_pages(&self.storage, self.storage.beside(), &self.options)?)
    }

    fn without_lost_pages(
        storage: &Arc<SharedStorage>,
        handle: impl StorageBackend,
        options: &Options,
    ) -> Result<(Opened, LostPages), OpeningError> {
        let (latch, file) = blocks_of(handle, options);
        let (blocks, lost) = (file.shared_state(), LostPages::default());
        let database = open_to_read(&latch, Overlay::without_lost_pages(file, lost.clone()), options)?;
        let (database, storage) = (Mode::ReadOnly(database), Arc::clone(storage));
        Ok((Opened { database, latch, storage, blocks, file: None, options: options.clone() }, lost))
    }

    /// What the storage engine says of its last commits, read anew: another after each.
    pub(crate) fn state_of_engine(&self) -> Result<Vec<u8>, Error> {
        let (_, blocks) = blocks_of(self.storage.beside(), &self.options);
        let mut header = [0; 320];
        let read = blocks.len().and_then(|_| blocks.read(0, &mut header));
        // In front of the two commits stand flags, which opening and closing change.
        read.map(|()| header[64..].to_vec()).map_err(storage_failed)
    }

    /// The last commit as the storage engine writes it: other bytes after each, and after a failed one those of before
    /// or of after. None where nobody knows.
    pub(crate) fn last_commit(&self) -> Option<Commit> {
        self.blocks.last_commit()
    }

    /// Tries blocks from one on, beside whoever reads and writes; see [`BlockState::scrub`].
    pub(crate) fn scrub(&self, first: u64, most: u64, buffer: &mut Vec<u8>) -> Result<Option<Scrubbed>, Error> {
        let is_sound = || self.latch.first().is_none();
        self.blocks.scrub(&self.storage.beside(), first, most, buffer, &is_sound).map_err(storage_failed)
    }

    /// Tries what stands in front of the blocks; see [`BlockState::scrub_roots`].
    pub(crate) fn scrub_roots(&self) -> Result<Option<(Vec<Damage>, bool)>, Error> {
        self.blocks.scrub_roots(&self.storage.beside()).map_err(storage_failed)
    }

    /// Whether both read the same storage.
    pub(crate) fn is_over_the_storage_of(&self, other: &Opened) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage)
    }

    /// Blocks that the trees of the last state lead to and that do not check, and whether that was the last state until
    /// the end.
    pub(crate) fn lost_in_use(&self) -> Result<(BTreeSet<u64>, bool), Error> {
        let before = self.last_commit();
        let (_, blocks) = blocks_of(self.storage.beside(), &self.options);
        let mut lost = BTreeSet::new();
        let mut note = |damage: Damage| {
            if let Place::Block(block) = damage.place {
                lost.insert(block);
            }
        };
        let walked = Pages::open(&blocks).and_then(|pages| {
            for (tables, of_list) in [pages.tables()?, pages.accounts()?] {
                of_list.into_iter().for_each(&mut note);
                for tree in tables.into_values() {
                    pages.walk(tree, &mut |found| {
                        if let Found::Lost { damage, .. } = found {
                            note(damage);
                        }
                        Ok::<(), std::io::Error>(())
                    })?;
                }
            }
            Ok(())
        });
        walked.map_err(storage_failed)?;
        Ok((lost, self.last_commit() == before))
    }

    /// # Errors
    /// [`Error::Replaced`] when this is not the file at its path any more.
    pub(super) fn check_is_at(&self, path: &Path) -> Result<(), Error> {
        let is_there = self.file.as_ref().is_none_or(|file| file.is_at(path));
        if is_there { Ok(()) } else { Err(BlockError::Replaced.into()) }
    }

    /// The file bears another name from now on.
    pub(super) fn has_moved_to(&mut self, path: &Path) {
        if let Some(file) = &mut self.file {
            file.path = path.to_owned();
        }
    }

    /// How the store was opened.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// The store's file, when it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| &*file.path)
    }

    /// Bytes of the file.
    pub(crate) fn bytes(&self) -> Result<u64, Error> {
        self.storage.len().map_err(storage_failed)
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

    /// Begins a transaction. Every commit is durable and in two phases; with quick repair, opening after a kill does
    /// not walk the store.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; [`Error::Replaced`] when the file was deleted, or another took its place.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, Error> {
        let Mode::ReadWrite(database) = &self.database else { return Err(Error::ReadOnly) };
        self.file.as_ref().map_or(Ok(()), OpenedFile::check_in_place)?;
        self.check_sound()?;
        self.latch.sound(|| {
            let mut write = database.begin_write()?;
            write.set_two_phase_commit(true);
            write.set_quick_repair(true);
            if planted::is(Fault::CommitNotDurable) {
                write.set_durability(redb::Durability::None).expect("nothing was changed in it yet");
            }
            Ok(write)
        })
    }

    /// Gives free the pages that only states of before the last one have and that nobody reads any more. The storage
    /// engine does so whenever it commits, but whoever commits still has the state of before open: without this, a
    /// write would not find the pages free that the one before it had copied, and the file would grow by as many. Closing
    /// the file does it, too.
    pub(crate) fn free_pages_of_before(&self) -> Result<(), Error> {
        let write = self.begin_write()?;
        self.latch.sound(|| write.commit().map_err(Error::from))
    }

    /// # Errors
    /// The first failure, when there was one.
    pub(crate) fn check_sound(&self) -> Result<(), Error> {
        self.latch.first().map_or(Ok(()), |first| Err(storage_failed(first.into())))
    }

    /// Closes the file, which writes to it, and tells what went wrong with that or before.
    pub(crate) fn close(self) -> Result<(), Error> {
        let latch = self.latch.clone();
        drop(self);
        latch.first().map_or(Ok(()), |first| Err(storage_failed(first.into())))
    }

    /// What went wrong with the file first.
    pub(crate) fn latch(&self) -> &Latch {
        &self.latch
    }
}

/// The blocks of a store that is there, and what will go wrong with them first.
fn blocks_of<S: StorageBackend>(storage: S, options: &Options) -> (Latch, BlockFile<S>) {
    let latch = Latch::default();
    let blocks = BlockFile::new(storage, Opening::Existing, options.key.clone(), latch.clone());
    (latch, blocks)
}

fn open_to_read(latch: &Latch, file: impl StorageBackend, options: &Options) -> Result<ReadOnlyDatabase, OpeningError> {
    latch.sound(|| match builder(options).open_read_only_with_backend(file) {
        Err(DatabaseError::RepairAborted) => Err(OpeningError::NotClosed),
        opened => Ok(opened.map_err(Error::from)?),
    })
}

/// Tries every block of a store's file.
pub(crate) fn scan(path: &Path, options: &Options) -> Result<Scan, Error> {
    scan_each(path, options, &mut |_| {})
}

/// As [`scan`]; every block that checks is shown, decrypted.
pub(crate) fn scan_each(path: &Path, options: &Options, each: &mut dyn FnMut(&[u8])) -> Result<Scan, Error> {
    with_blocks(path, options, |blocks| blocks.scan_each(each).map_err(storage_failed))
}

/// Reads a store's file without the storage engine, with its writers kept away.
pub(crate) fn with_blocks<T>(
    path: &Path,
    options: &Options,
    read: impl FnOnce(&BlockFile<WriteBehind>) -> Result<T, Error>,
) -> Result<T, Error> {
    let (storage, _) = open_file(path, OpenOptions::new().read(true))?;
    let blocks = BlockFile::new(storage, Opening::Existing, options.key.clone(), Latch::default());
    // Whoever writes holds some of these bytes alone; whoever reads shares them.
    match blocks.try_lock_shared_range(Bound::Unbounded, Bound::Unbounded) {
        Ok(false) => return Err(Error::Locked),
        Ok(true) | Err(BackendError::Unsupported) => {}
        Err(BackendError::Io(error)) => return Err(storage_failed(error)),
        Err(error) => return Err(storage_failed(std::io::Error::other(error.to_string()))),
    }
    let read = read(&blocks);
    blocks.close().map_err(storage_failed)?;
    read
}

/// Has redb check every page of a store's file: false when it would have had to repair its account of free pages.
pub(crate) fn check_pages(path: &Path, options: &Options) -> Result<bool, Error> {
    let (storage, _) = open_file(path, OpenOptions::new().read(true))?;
    let (latch, blocks) = blocks_of(storage, options);
    latch.sound(|| {
        let mut database =
            Builder::new().set_cache_size(CHECK_CACHE_BYTES).create_with_backend(Overlay::new(blocks))?;
        Ok(database.check_integrity()?)
    })
}

/// Wraps the data key of a store by the key of another source. The blocks stay as they are.
#[cfg(feature = "encryption")]
pub(crate) fn rekey(path: &Path, from: &dyn KeySource, to: &dyn KeySource) -> Result<(), Error> {
    let (storage, file) = open_file(path, OpenOptions::new().read(true).write(true))?;
    match storage.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
        Ok(false) => return Err(Error::Locked),
        Ok(true) | Err(BackendError::Unsupported) => {}
        Err(error) => return Err(storage_failed(std::io::Error::other(error.to_string()))),
    }
    if !file.is_at(path) {
        return Err(Error::Locked);
    }
    let done = super::block_file::rewrap(&storage, from, to).map_err(storage_failed);
    storage.close().map_err(storage_failed)?;
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
struct OpenedFile {
    file: File,
    /// Where it stands, without links.
    path: PathBuf,
}

impl OpenedFile {
    /// A file that has no name any more is gone once it is closed: it was deleted, or another took its place.
    fn check_in_place(&self) -> Result<(), Error> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let found = self.file.metadata().map_err(storage_failed)?;
            if found.nlink() == 0 {
                return Err(BlockError::Replaced.into());
            }
        }
        Ok(())
    }

    /// Whether this is the file at a path. One that was opened and then waited for may have been replaced meanwhile.
    fn is_at(&self, path: &Path) -> bool {
        is_same_file(&self.file, path)
    }

    fn again(&self) -> std::io::Result<OpenedFile> {
        Ok(OpenedFile { file: self.file.try_clone()?, path: self.path.clone() })
    }
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |found: &std::fs::Metadata| (found.dev(), found.ino());
    matches!((file.metadata(), path.metadata()), (Ok(opened), Ok(found)) if place(&opened) == place(&found))
}

/// Elsewhere a file that is open cannot be replaced.
#[cfg(not(unix))]
fn is_same_file(_: &File, _: &Path) -> bool {
    true
}

pub(crate) fn storage_failed(error: std::io::Error) -> Error {
    Error::from(redb::StorageError::Io(error))
}

fn open_file(path: &Path, how: &OpenOptions) -> Result<(WriteBehind, OpenedFile), Error> {
    // Opening a pipe waits for whoever writes to it, and a device has no end.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Error::NotAStore);
    }
    let file: File = how.open(path).map_err(storage_failed)?;
    let beside = file.try_clone().map_err(storage_failed)?;
    let path = path.canonicalize().map_err(storage_failed)?;
    Ok((WriteBehind::over(file)?, OpenedFile { file: beside, path }))
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

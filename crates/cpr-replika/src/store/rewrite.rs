//! The one way a store is written anew: every row of a consistent state, in key order, into a fresh file that takes the
//! place of the old one.
//!
//! What compacts, re-keys or erases differs only in the [`Plan`]. The new file is made beside the old one under a name
//! of its own, for its owner alone; it is checked (every block, and that the rows in it are the rows that were
//! written), made durable and renamed. So whatever ends the process, and whenever, the store is as before or as after.
//! What is left of a rewriting that was cut off, whoever opens the store to write removes. The caller keeps other
//! writers away meanwhile.

use std::fs::{self, File, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;

use super::block_file::Opening;
use super::copier::{Copier, Digester, Fate, RowDigest};
use super::file::{Opened, Options, scan_each, storage_failed};
use super::leftover::{remove_leftover, temporary_path};
use super::staged_write::StagedWrite;
use super::tables::{TableRow, Tables, name};
use crate::damage::BlockError;
use crate::error::Error;
use crate::planted::{self, Fault};

/// How far the writing anew of a store is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RewriteProgress {
    /// Rows are copied into the new file.
    Copying {
        /// Rows copied.
        rows: u64,
        /// All rows.
        of: u64,
    },
    /// The new file is read and compared with what was copied.
    Checking {
        /// Rows read.
        rows: u64,
        /// Rows of the new file.
        of: u64,
    },
    /// All that is left is to put the new file into the place of the old one.
    Replacing,
}

/// What writing a store anew did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RewriteReport {
    /// Rows in the new file, of all tables.
    pub rows: u64,
    /// Bytes of the file before.
    pub bytes_before: u64,
    /// Bytes of the file that took its place.
    pub bytes_after: u64,
}

/// Bytes of pages of the new file kept in memory while rows are copied: each is written once.
const COPYING_CACHE_BYTES: usize = 256 * 1024 * 1024;

/// How a store is written anew.
pub(crate) struct Plan<'a> {
    /// How the new file is opened: under which key, above all.
    pub(crate) options: Options,
    /// Asked of every row, table by table and in key order.
    pub(crate) fate: &'a mut dyn FnMut(TableRow<'_>) -> Result<Fate, Error>,
    /// `Break` ends the work before the old file is touched.
    pub(crate) progress: &'a mut dyn FnMut(RewriteProgress) -> ControlFlow<()>,
    /// Looks at the new file before it takes the place of the old one.
    pub(crate) inspector: &'a mut dyn Inspector,
}

/// Who looks at a new file before it takes the place of the old one, and can still keep it from that.
pub(crate) trait Inspector {
    /// A block of the new file, decrypted, in its order. A store in memory has none.
    fn block(&mut self, _block: &[u8]) {}

    /// The new store, which holds what was copied and is in nobody's hands yet. An error leaves all as it was.
    fn finish(&mut self, _new: &Opened) -> Result<(), Error> {
        Ok(())
    }
}

/// Trusts the comparison of rows.
pub(crate) struct NoInspector;

impl Inspector for NoInspector {}

/// Writes what is committed into a new file, which takes the place of the old one.
///
/// # Errors
/// [`Error::NoRoom`], [`Error::Stopped`], [`Error::ReadOnly`], [`Error::Replaced`], damage in the old file, and
/// failures of the storage: the store is then as before. That the new file has its name, and that cannot be made
/// durable, is the first failure of the database returned.
pub(crate) fn rewrite(old: &Opened, plan: &mut Plan<'_>) -> Result<(Opened, RewriteReport), Error> {
    old.check_writable()?;
    let read = old.begin_read()?;
    let rows = Tables::open(&read, old.latch())?;
    let bytes_before = old.bytes()?;
    let new = match old.path() {
        None => Destination::Memory,
        Some(path) => {
            old.check_is_at(path)?;
            check_room(path)?;
            Destination::File(NewFile::beside(path)?)
        }
    };
    let written = new.create(&plan.options)?;
    let (written, digest) = copy(&rows, written, plan)?;
    let mut opened = new.finish(written, &plan.options, plan.inspector)?;
    compare(&opened, &digest, plan)?;
    plan.inspector.finish(&opened)?;
    let bytes_after = opened.bytes()?;
    report(plan, RewriteProgress::Replacing)?;
    if let (Destination::File(file), Some(path)) = (new, old.path()) {
        old.check_is_at(path)?;
        file.take_the_place_of(path, &mut opened)?;
    }
    Ok((opened, RewriteReport { rows: digest.rows(), bytes_before, bytes_after }))
}

/// Writes every row of a state into a new store, by its fate, and compares what was written.
pub(crate) fn write_new(
    rows: &Tables,
    new: Opened,
    fate: &mut dyn FnMut(TableRow<'_>) -> Result<Fate, Error>,
) -> Result<Opened, Error> {
    let progress = &mut |_| ControlFlow::Continue(());
    let plan = &mut Plan { options: Options::default(), fate, progress, inspector: &mut NoInspector };
    let (new, digest) = copy(rows, new, plan)?;
    compare(&new, &digest, plan)?;
    Ok(new)
}

fn report(plan: &mut Plan<'_>, progress: RewriteProgress) -> Result<(), Error> {
    match (plan.progress)(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped),
    }
}

/// Copies all rows in one transaction, and digests what was written.
fn copy(rows: &Tables, new: Opened, plan: &mut Plan<'_>) -> Result<(Opened, RowDigest), Error> {
    let of = rows.rows()?;
    let mut write = StagedWrite::into_new_file(&new)?;
    Tables::create(write.transaction())?;
    let Plan { fate, progress, .. } = plan;
    let digest = new.latch().sound_outside(|outside| {
        let mut fate = |row: TableRow<'_>| outside.run(|| fate(row));
        let mut tell = |rows| match outside.run(|| progress(RewriteProgress::Copying { rows, of })) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Stopped),
        };
        tell(0)?;
        let mut copier = Copier::new(&mut tell);
        rows.copy(&mut write, &mut copier, &mut fate)?;
        let digest = copier.finish();
        write.commit()?;
        Ok(digest)
    })?;
    Ok((new, digest))
}

/// Reads the new file's rows, which must be those that were written.
fn compare(new: &Opened, written: &RowDigest, plan: &mut Plan<'_>) -> Result<(), Error> {
    let read = new.begin_read()?;
    let of = written.rows();
    let mut tell = |rows| report(plan, RewriteProgress::Checking { rows, of });
    tell(0)?;
    let mut digester = Digester::new(&mut tell);
    Tables::open(&read, new.latch())?.digest(&mut digester)?;
    match digester.finish() == *written {
        true => Ok(()),
        false => Err(Error::Corrupt { table: name::META, what: "the new file does not hold what was copied" }),
    }
}

/// Where the new rows go.
enum Destination {
    File(NewFile),
    Memory,
}

impl Destination {
    fn create(&self, options: &Options) -> Result<Opened, Error> {
        match self {
            Destination::File(file) => {
                let cache_bytes = options.cache_bytes.min(COPYING_CACHE_BYTES);
                Opened::create(&file.path, &Options { cache_bytes, ..options.clone() })
            }
            Destination::Memory => Opened::over(InMemoryBackend::new(), Opening::Create, options),
        }
    }

    /// Closes a new file, which trims it, tries every block of it, and opens it for good.
    fn finish(&self, written: Opened, options: &Options, inspector: &mut dyn Inspector) -> Result<Opened, Error> {
        let Destination::File(file) = self else { return Ok(written) };
        written.close()?;
        let found = scan_each(&file.path, options, &mut |block| inspector.block(block))?;
        match found.in_use.iter().chain(&found.blocks).next() {
            None => Opened::open(&file.path, options),
            Some(&damage) => Err(BlockError::Damaged(damage).into()),
        }
    }
}

/// A new file beside the old one, gone again unless it takes its place.
struct NewFile {
    path: PathBuf,
    is_in_place: bool,
}

impl NewFile {
    fn beside(path: &Path) -> Result<NewFile, Error> {
        remove_leftover(path).map_err(storage_failed)?;
        let new = temporary_path(path).ok_or(Error::NotAStore)?;
        Ok(NewFile { path: new, is_in_place: false })
    }

    fn take_the_place_of(mut self, path: &Path, opened: &mut Opened) -> Result<(), Error> {
        let file = File::open(&self.path).map_err(storage_failed)?;
        keep_owner(&file, &fs::metadata(path).map_err(storage_failed)?).map_err(storage_failed)?;
        file.sync_all().map_err(storage_failed)?;
        fs::rename(&self.path, path).map_err(storage_failed)?;
        self.is_in_place = true;
        opened.has_moved_to(path);
        // From here on the new file is the store. As long as a power cut could bring the old one back, it is not
        // written to.
        let named = private_file::sync_folder_of(path);
        if !planted::is(Fault::NameNotAwaited) {
            opened.latch().note(named).ok();
        }
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_in_place {
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Gives the new file to the owner of the old one, where another writes it anew.
fn keep_owner(new: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = new.metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid()))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (new, old);
    Ok(())
}

/// Refuses to begin where a second file has no room beside the old one. What is not known here, the copying will find.
fn check_room(path: &Path) -> Result<(), Error> {
    used_bytes(path).map_or(Ok(()), |needed| check_room_for(needed, path))
}

fn check_room_for(needed: u64, path: &Path) -> Result<(), Error> {
    match free_bytes(path) {
        Some(free) if free < needed => Err(Error::NoRoom { needed, free }),
        _ => Ok(()),
    }
}

/// What a file takes of the disk: blocks that were never written take nothing.
fn used_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::blocks(&fs::metadata(path).ok()?) * 512);
    #[cfg(not(unix))]
    return Some(fs::metadata(path).ok()?.len());
}

/// What is free for this process on the disk of a file.
fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(path).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use redb::StorageBackend;

    use super::*;
    use crate::store::tables::{CONSUMERS, FOLLOWERS};
    use crate::{Config, EventCursor, Replika};

    #[test]
    fn a_plan_may_drop_rows_and_replace_values() {
        let replika = Replika::in_memory(&Config::default()).unwrap();
        for consumer in ["kept", "dropped", "replaced"] {
            replika.add_consumer(consumer, EventCursor::BEGINNING).unwrap();
        }
        replika
            .change(|write, _| {
                let mut followers = write.open_multimap_table(FOLLOWERS)?;
                for subscriber in 1..=3 {
                    followers.insert(7, subscriber)?;
                }
                Ok(())
            })
            .unwrap();
        let mut fate = |row: TableRow<'_>| {
            Ok(match row {
                TableRow::CONSUMERS("dropped", _) | TableRow::FOLLOWERS(7, 2) => Fate::Drop,
                TableRow::CONSUMERS("replaced", _) => Fate::Replace(b"another value".to_vec()),
                _ => Fate::Keep,
            })
        };
        let go_on = &mut |_| ControlFlow::Continue(());
        replika.write_anew(|options| options, &mut fate, &mut NoInspector, go_on).unwrap();
        let read = replika.database().begin_read().unwrap();
        let table = read.open_table(CONSUMERS).unwrap();
        let found = ["kept", "dropped", "replaced"].map(|name| table.get(name).unwrap().map(|it| it.value().to_vec()));
        assert!(found[0].is_some() && found[1].is_none());
        assert_eq!(found[2].as_deref(), Some(&b"another value"[..]));
        let followers = read.open_multimap_table(FOLLOWERS).unwrap();
        let left: Vec<u32> = followers.get(7).unwrap().map(|it| it.unwrap().value()).collect();
        assert_eq!(left, [1, 3]);
    }

    #[test]
    fn a_store_larger_than_what_is_free_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let replika = Replika::create(&path, &Config::default()).unwrap();
        let refused = check_room_for(u64::MAX, &path);
        assert!(matches!(refused, Err(Error::NoRoom { needed: u64::MAX, free }) if free > 0), "{refused:?}");
        assert!(check_room(&path).is_ok());
        drop(replika);
    }

    /// A storage that fills up.
    #[derive(Clone, Debug)]
    struct Filling(Arc<(InMemoryBackend, AtomicBool)>);

    impl StorageBackend for Filling {
        fn len(&self) -> io::Result<u64> {
            self.0.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.0.set_len(len)
        }
        fn sync_data(&self) -> io::Result<()> {
            self.0.0.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            match self.0.1.load(Ordering::Relaxed) {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => self.0.0.write(offset, data),
            }
        }
    }

    /// What is committed is durable, and closing still writes: a new file that is not closed whole would look damaged.
    #[test]
    fn a_disk_that_is_full_when_a_new_file_is_closed_is_told_as_that() {
        let closed_with = |is_full| {
            let disk = Filling(Arc::new((InMemoryBackend::new(), AtomicBool::new(false))));
            let new = Opened::over(disk.clone(), Opening::Create, &Options::default()).unwrap();
            let write = new.begin_write().unwrap();
            write.open_table(CONSUMERS).unwrap().insert("one", &b"value"[..]).unwrap();
            write.commit().unwrap();
            disk.0.1.store(is_full, Ordering::Relaxed);
            new.close()
        };
        assert!(closed_with(false).is_ok());
        let error = closed_with(true).unwrap_err();
        assert!(matches!(error, Error::Storage(_)), "{error:?}");
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let kinds: Vec<_> = causes.filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).collect();
        assert_eq!(kinds, [io::ErrorKind::StorageFull]);
    }
}

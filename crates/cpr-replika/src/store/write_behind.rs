//! The file of a store, which is put on the disk while it is still being written: so that the sync in which a large
//! write ends, and those of a file that grows, have little left to wait for.
//!
//! Nothing is durable by it that was not asked to be, since a crash may leave any part of what was not synced. What the
//! disk refuses meanwhile the system tells but once, so it is what the next [`StorageBackend::sync_data`] fails with.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// So many bytes are written before they are put on the disk; a small delivery writes less, and has no thread.
const PART_BYTES: u64 = if cfg!(test) { 64 * 1024 } else { 128 * 1024 * 1024 };

/// A file that is written behind.
#[derive(Debug)]
pub(crate) struct WriteBehind {
    below: FileBackend,
    /// Another handle of the file.
    file: File,
    written: AtomicU64,
    /// None while there is nothing to put on the disk.
    syncing: Mutex<Option<Syncing>>,
}

/// A thread that syncs a file as often as it is asked to.
#[derive(Debug)]
struct Syncing {
    asked: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Syncing {
    fn start(file: File) -> io::Result<Syncing> {
        let (asked, asks) = sync_channel(1);
        let thread = Builder::new().name("write behind".into());
        let thread = thread.spawn(move || asks.into_iter().try_for_each(|()| file.sync_data()))?;
        Ok(Syncing { asked, thread })
    }

    /// Does not wait. An ask that is not taken yet stands for this one, too; a thread that has ended tells why.
    fn ask(&self) {
        self.asked.try_send(()).ok();
    }

    fn end(self) -> io::Result<()> {
        drop(self.asked);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes behind panicked")))
    }
}

impl WriteBehind {
    /// # Errors
    /// Those of opening the file as a storage.
    pub(crate) fn over(file: File) -> Result<WriteBehind, redb::DatabaseError> {
        let beside = file.try_clone().map_err(redb::StorageError::Io)?;
        let below = FileBackend::new(file)?;
        Ok(WriteBehind { below, file: beside, written: AtomicU64::new(0), syncing: Mutex::new(None) })
    }

    fn syncing(&self) -> MutexGuard<'_, Option<Syncing>> {
        self.syncing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has what was written so far put on the disk; where no thread can be had for that, it waits for the next sync.
    fn put_on_disk(&self) {
        let mut syncing = self.syncing();
        if syncing.is_none() {
            *syncing = self.file.try_clone().and_then(Syncing::start).ok();
        }
        syncing.iter().for_each(Syncing::ask);
    }

    /// Waits for the thread.
    fn end(&self) -> io::Result<()> {
        let syncing = self.syncing().take();
        syncing.map_or(Ok(()), Syncing::end)
    }
}

impl StorageBackend for WriteBehind {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.below.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.written.store(0, Ordering::Relaxed);
        self.end()?;
        self.below.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.below.write(offset, data)?;
        let bytes = data.len() as u64;
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / PART_BYTES != (before + bytes) / PART_BYTES {
            self.put_on_disk();
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.end().and(self.below.close())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.query_lock_range(start, end)
    }
}

/// The thread has the file open, and with it its locks.
impl Drop for WriteBehind {
    fn drop(&mut self) {
        self.end().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_write_is_put_on_the_disk_meanwhile_and_a_small_one_is_not() {
        let file = WriteBehind::over(tempfile::tempfile().unwrap()).unwrap();
        let part = vec![7; PART_BYTES as usize - 1];
        file.set_len(3 * PART_BYTES).unwrap();
        file.write(0, &part).unwrap();
        assert!(file.syncing().is_none());
        file.write(part.len() as u64, &part).unwrap();
        assert!(file.syncing().is_some());
        file.sync_data().unwrap();
        assert!(file.syncing().is_none());
        let mut read = [0; 2];
        file.read(part.len() as u64 - 1, &mut read).unwrap();
        assert_eq!(read, [7, 7]);
    }

    #[test]
    #[cfg(unix)]
    fn what_the_disk_refused_meanwhile_is_what_the_next_sync_fails_with() {
        // A pipe cannot be synced.
        let (_reader, writer) = io::pipe().unwrap();
        let mut file = WriteBehind::over(tempfile::tempfile().unwrap()).unwrap();
        file.file = File::from(std::os::fd::OwnedFd::from(writer));
        file.put_on_disk();
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        file.put_on_disk();
        assert!(file.close().is_err());
    }
}

//! One storage under the databases that are opened over it one after the other, with one set of locks for all of them.
//!
//! A storage engine that has failed once is told nothing but that from then on, so the storage is opened again over the
//! same file while snapshots still hold the engine of before. The file stays locked throughout: nobody else gets in
//! between. The engine of before can neither read nor write any more; only the one that was opened last can.

use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// A storage, and what is locked of it.
#[derive(Debug)]
pub(crate) struct SharedStorage {
    below: Box<dyn StorageBackend>,
    /// The handle that was opened last.
    last: AtomicU64,
    users: Mutex<Users>,
}

#[derive(Debug, Default)]
struct Users {
    open: usize,
    locked: Vec<(Locked, usize)>,
}

/// A range, and whether it is shared with others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Locked {
    start: Bound<u64>,
    end: Bound<u64>,
    is_shared: bool,
}

impl SharedStorage {
    pub(crate) fn new(below: impl StorageBackend) -> Arc<SharedStorage> {
        Arc::new(SharedStorage { below: Box::new(below), last: AtomicU64::new(0), users: Mutex::default() })
    }

    /// A handle for one more database. Those before it are cut off.
    pub(crate) fn open(self: &Arc<Self>) -> StorageHandle {
        self.users().open += 1;
        let number = self.last.fetch_add(1, Ordering::AcqRel) + 1;
        StorageHandle { shared: Arc::clone(self), number, held: Mutex::new(Held::Open(Vec::new())) }
    }

    /// A handle that reads beside the one that was opened last, and takes no locks: whoever has it keeps the other
    /// open.
    pub(crate) fn beside(self: &Arc<Self>) -> HandleBeside {
        HandleBeside(Arc::clone(self))
    }

    /// Bytes from the first to the last.
    pub(crate) fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A storage as one database has it.
#[derive(Debug)]
pub(crate) struct StorageHandle {
    shared: Arc<SharedStorage>,
    number: u64,
    held: Mutex<Held>,
}

/// The locks of one handle, until it is closed.
#[derive(Debug)]
enum Held {
    Open(Vec<Locked>),
    Closed,
}

impl StorageHandle {
    /// The storage, unless another was opened over it since.
    fn below(&self) -> io::Result<&dyn StorageBackend> {
        match self.shared.last.load(Ordering::Acquire) == self.number {
            true => Ok(&*self.shared.below),
            false => Err(io::Error::other("the store was opened anew")),
        }
    }

    fn try_lock(&self, locked: Locked) -> Result<bool, BackendError> {
        let mut users = self.shared.users();
        match users.locked.iter_mut().find(|(held, _)| *held == locked) {
            Some((_, count)) => *count += 1,
            None => {
                let below = &self.shared.below;
                let got = match locked.is_shared {
                    true => below.try_lock_shared_range(locked.start, locked.end)?,
                    false => below.try_lock_range(locked.start, locked.end)?,
                };
                if !got {
                    return Ok(false);
                }
                users.locked.push((locked, 1));
            }
        }
        if let Held::Open(held) = &mut *self.held() {
            held.push(locked);
        }
        Ok(true)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, users: &mut Users, locked: Locked) -> Result<(), BackendError> {
        let Some(at) = users.locked.iter().position(|(held, _)| *held == locked) else { return Ok(()) };
        users.locked[at].1 -= 1;
        if users.locked[at].1 == 0 {
            users.locked.swap_remove(at);
            self.shared.below.unlock_range(locked.start, locked.end)?;
        }
        Ok(())
    }
}

impl StorageBackend for StorageHandle {
    fn len(&self) -> io::Result<u64> {
        self.below()?.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below()?.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.below()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.below()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.below()?.write(offset, data)
    }

    /// Gives back the locks that no other handle has; the last one closes the storage.
    fn close(&self) -> io::Result<()> {
        let mut users = self.shared.users();
        let failed = |error: BackendError| io::Error::other(error.to_string());
        let held = std::mem::replace(&mut *self.held(), Held::Closed);
        let Held::Open(held) = held else { return Ok(()) };
        let mut released = Ok(());
        for locked in held {
            released = released.and(self.release(&mut users, locked).map_err(failed));
        }
        users.open -= 1;
        if users.open == 0 { self.shared.below.close().and(released) } else { released }
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.try_lock(Locked { start, end, is_shared: false })
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.try_lock(Locked { start, end, is_shared: true })
    }

    /// redb waits for locks only where several processes write.
    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Err(BackendError::Unsupported)
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Err(BackendError::Unsupported)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        let mut users = self.shared.users();
        let mut held = self.held();
        let Held::Open(held) = &mut *held else { return Ok(()) };
        let Some(at) = held.iter().position(|locked| (locked.start, locked.end) == (start, end)) else { return Ok(()) };
        self.release(&mut users, held[at])?;
        held.swap_remove(at);
        Ok(())
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.shared.below.query_lock_range(start, end)
    }
}

/// A handle that redb never closed gives back what it held.
impl Drop for StorageHandle {
    fn drop(&mut self) {
        self.close().ok();
    }
}

/// A storage that is read beside the database that has it open.
#[derive(Debug)]
pub(crate) struct HandleBeside(Arc<SharedStorage>);

impl HandleBeside {
    fn refuse<T>() -> io::Result<T> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

impl StorageBackend for HandleBeside {
    fn len(&self) -> io::Result<u64> {
        self.0.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.below.read(offset, out)
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        HandleBeside::refuse()
    }

    fn sync_data(&self) -> io::Result<()> {
        HandleBeside::refuse()
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        HandleBeside::refuse()
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.below.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::FileBackend;

    const WHOLE: (Bound<u64>, Bound<u64>) = (Bound::Unbounded, Bound::Unbounded);

    #[test]
    fn a_storage_that_is_opened_anew_stays_locked_and_the_handle_of_before_is_cut_off() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let backend = |file: &tempfile::NamedTempFile| FileBackend::new(file.reopen().unwrap()).unwrap();
        let shared = SharedStorage::new(backend(&file));
        let others = backend(&file);
        let is_free = || {
            let is_free = others.try_lock_range(WHOLE.0, WHOLE.1).unwrap();
            others.close().unwrap();
            is_free
        };
        let first = shared.open();
        assert!(first.try_lock_range(WHOLE.0, WHOLE.1).unwrap());
        first.set_len(8).unwrap();
        let second = shared.open();
        assert!(second.try_lock_range(WHOLE.0, WHOLE.1).unwrap(), "its own lock is in nobody's way");
        first.write(0, b"of before").unwrap_err();
        first.read(0, &mut [0; 8]).unwrap_err();
        second.write(0, b"of after").unwrap();
        first.close().unwrap();
        assert!(!is_free(), "the second has it");
        drop(second);
        assert!(is_free());
    }
}

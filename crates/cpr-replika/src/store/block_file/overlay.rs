//! A file that is read and never changed: what is written to it stays in memory.
//!
//! redb's own page check repairs what it can and needs the only writing handle; over this it may do both. Every lock is
//! taken shared, since nobody is disturbed: others may read meanwhile, and a writer is refused as by any reader.
//!
//! A verification must go on behind a page that is lost, and redb would not be read again after one error. So for it,
//! and for nothing else, a page that does not check can be read as a leaf without rows, which every walk of redb's
//! passes over; it is noted, and whatever was read over such a file answers no question but which rows are left. A
//! store that somebody has open is read as one that was closed: its last commit, in two phases, is whole.

use std::collections::HashMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

use super::geometry::{BLOCK, BLOCK_BYTES};
use super::root::{ENGINE_HEADER, NOT_CLOSED};
use crate::damage::{BlockError, Damage};

/// The first byte of a page that is a leaf of redb's trees; zeros behind it say that it has no rows.
const LEAF: u8 = 1;

/// Pages that did not check and were read as leaves without rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct LostPages(Arc<Mutex<Vec<Damage>>>);

impl LostPages {
    /// The first block of each that does not check.
    pub(crate) fn places(&self) -> Vec<Damage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, damage: Damage) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !noted.contains(&damage) {
            noted.push(damage);
        }
    }
}

/// A storage over another, which it does not change.
#[derive(Debug)]
pub(crate) struct Overlay<S> {
    below: S,
    written: Mutex<Written>,
    /// None: a page that does not check is an error.
    lost: Option<LostPages>,
}

#[derive(Default)]
struct Written {
    blocks: HashMap<u64, Box<[u8]>>,
    header: Option<[u8; ENGINE_HEADER]>,
    len: Option<u64>,
}

/// Says nothing of the content.
impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} blocks", self.blocks.len())
    }
}

impl<S> Overlay<S> {
    pub(crate) fn new(below: S) -> Overlay<S> {
        Overlay { below, written: Mutex::default(), lost: None }
    }

    /// As [`Overlay::new`], with pages that do not check read as leaves without rows.
    pub(crate) fn without_lost_pages(below: S, lost: LostPages) -> Overlay<S> {
        Overlay { lost: Some(lost), ..Overlay::new(below) }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: StorageBackend> Overlay<S> {
    fn read_below(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let read = self.below.read(offset, out);
        if let (0, true, Some(flags)) = (offset, self.lost.is_some(), out.get_mut(NOT_CLOSED.0)) {
            *flags &= !NOT_CLOSED.1;
        }
        let (Err(error), Some(lost)) = (&read, self.lost.as_ref().filter(|_| offset >= BLOCK_BYTES)) else {
            return read;
        };
        match BlockError::inside(error) {
            Some(BlockError::Damaged(damage)) => {
                lost.note(damage);
                out.fill(0);
                out[0] = LEAF;
                Ok(())
            }
            _ => read,
        }
    }
}

impl<S: StorageBackend> StorageBackend for Overlay<S> {
    fn len(&self) -> io::Result<u64> {
        self.written().len.map_or_else(|| self.below.len(), Ok)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset == 0
            && let Some(header) = written.header.as_ref().and_then(|header| header.get(..out.len()))
        {
            out.copy_from_slice(header);
            return Ok(());
        }
        let numbers = offset / BLOCK_BYTES..(offset + out.len() as u64).div_ceil(BLOCK_BYTES);
        if !numbers.clone().any(|number| written.blocks.contains_key(&number)) {
            drop(written);
            return self.read_below(offset, out);
        }
        for (number, block) in numbers.zip(out.chunks_mut(BLOCK)) {
            match written.blocks.get(&number) {
                Some(found) if found.len() == block.len() => block.copy_from_slice(found),
                Some(_) => return Err(io::ErrorKind::InvalidInput.into()),
                None => self.below.read(number * BLOCK_BYTES, block)?,
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written();
        written.len = Some(len);
        written.blocks.retain(|&number, _| number * BLOCK_BYTES < len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        if offset == 0 {
            written.header = Some(data.try_into().map_err(|_| io::ErrorKind::InvalidInput)?);
            return Ok(());
        }
        for (number, block) in (offset / BLOCK_BYTES..).zip(data.chunks(BLOCK)) {
            written.blocks.insert(number, block.into());
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.below.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.lock_shared_range(start, end)
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

//! The blocks of an encrypted pack, opened when they are asked for; those that single rows were read from are kept
//! open, as far as a bound.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::block::BLOCK_BYTES;
use crate::cipher::{BlockCipher, TAG_BYTES, Tag};
use crate::error::Error;
use crate::memory::Memory;

/// A run of more blocks than this is a scan: its blocks are not kept.
pub(crate) const KEPT_RUN: u64 = 4;

/// The cipher of a pack and the tags of its blocks. Block 0, the header, has none.
pub(crate) struct Sealed {
    cipher: Arc<dyn BlockCipher>,
    trailer: Arc<Memory>,
    /// Where in the trailer the tags stand.
    tags: Range<usize>,
    /// Each block has one slot in which it may stand: a cache without an order of use.
    slots: Box<[Mutex<Option<OpenBlock>>]>,
}

struct OpenBlock {
    block: u64,
    bytes: Arc<[u8]>,
}

impl OpenBlock {
    fn bytes_of(&self, block: u64) -> Option<Arc<[u8]>> {
        (self.block == block).then(|| Arc::clone(&self.bytes))
    }
}

impl Sealed {
    /// Keeps as many blocks open as have room in `cache_bytes`.
    pub(crate) fn new(
        cipher: Arc<dyn BlockCipher>,
        trailer: Arc<Memory>,
        tags: Range<usize>,
        cache_bytes: usize,
    ) -> Sealed {
        let slots = (cache_bytes / BLOCK_BYTES).min(tags.len() / TAG_BYTES);
        Sealed { cipher, trailer, tags, slots: (0..slots).map(|_| Mutex::default()).collect() }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.tags.len() / TAG_BYTES
    }

    fn tag(&self, block: u64) -> Option<&Tag> {
        let (tags, _) = self.trailer.bytes()[self.tags.clone()].as_chunks::<TAG_BYTES>();
        tags.get((block as usize).checked_sub(1)?)
    }

    /// Opens blocks that stand side by side, where they stand.
    pub(crate) fn open(&self, first: u64, blocks: &mut [u8]) -> Result<(), Error> {
        for (block, bytes) in (first..).zip(blocks.chunks_exact_mut(BLOCK_BYTES)) {
            if !self.tag(block).is_some_and(|tag| self.cipher.open(block, &[], bytes, tag)) {
                return Err(Error::damaged("a block is not what was encrypted", block * BLOCK_BYTES as u64));
            }
        }
        Ok(())
    }

    /// One block, opened: as it is kept, or as `read` fetches it.
    pub(crate) fn block(
        &self,
        block: u64,
        read: impl FnOnce(&mut [u8]) -> Result<(), Error>,
    ) -> Result<Arc<[u8]>, Error> {
        let slot = self.slot(block).map(|slot| || slot.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(kept) = slot.as_ref().and_then(|lock| lock().as_ref()?.bytes_of(block)) {
            return Ok(kept);
        }
        let mut bytes = vec![0; BLOCK_BYTES];
        read(&mut bytes)?;
        self.open(block, &mut bytes)?;
        let bytes: Arc<[u8]> = bytes.into();
        if let Some(lock) = slot {
            *lock() = Some(OpenBlock { block, bytes: Arc::clone(&bytes) });
        }
        Ok(bytes)
    }

    fn slot(&self, block: u64) -> Option<&Mutex<Option<OpenBlock>>> {
        // Neighbours have slots of their own.
        let slots = self.slots.len() as u64;
        (slots > 0).then(|| &self.slots[(block % slots) as usize])
    }
}

//! The first keys of a table's rows, by which its rows are found in order: of numbers one for every block of 4 KiB, looked
//! up where they stand in the trailer; of bytes, which are longer, one for every 64 KiB, taken out of it when a pack is
//! opened. Drawn in docs/format.md.

use std::ops::Range;

use crate::block::BLOCK_BYTES;
use crate::header::{part, u32_at};
use crate::keys::{Keys, RawKey};
use crate::row::UNIT_BYTES;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// Rows under bytes have their first key in the trailer once in so many bytes.
pub(crate) const STRIDE_BYTES: u64 = 64 * 1024;

/// Bytes of a number, highest first: as its row begins, so that keys are compared as bytes.
pub(crate) const NUMBER_BYTES: usize = 4;

/// The first keys of a table.
#[derive(Debug)]
pub(crate) enum FirstKeys {
    /// Where in the trailer that of each block of rows stands; of a block in which no row starts, that of the one before.
    OfBlocks(Range<usize>),
    /// That of every 64 KiB in which a row starts.
    OfStrides(StrideKeys),
}

impl FirstKeys {
    /// Those of a table's rows, of so many bytes, from their part of the trailer: of each block, where `are_of_blocks`
    /// says so. None when they are no first keys of such rows.
    pub(crate) fn decode(
        trailer: &[u8],
        part: Range<usize>,
        rows_bytes: u64,
        are_of_blocks: bool,
    ) -> Option<FirstKeys> {
        let bytes = trailer.get(part.clone())?;
        if !are_of_blocks {
            return StrideKeys::decode(bytes, rows_bytes).map(FirstKeys::OfStrides);
        }
        let expected = rows_bytes.div_ceil(BLOCK) * NUMBER_BYTES as u64;
        (bytes.len() as u64 == expected).then_some(FirstKeys::OfBlocks(part))
    }
}

/// One of the first keys of blocks, of which `keys` are all.
pub(crate) fn of_block(keys: &[u8], block: usize) -> Option<&[u8]> {
    keys.get(block.checked_mul(NUMBER_BYTES)?..)?.get(..NUMBER_BYTES)
}

/// The last block whose first key is this one or a smaller one; the first one when there is none.
pub(crate) fn last_block_from(keys: &[u8], key: &[u8]) -> usize {
    let (numbers, _) = keys.as_chunks::<NUMBER_BYTES>();
    numbers.partition_point(|first| first.as_slice() <= key).saturating_sub(1)
}

/// The first keys of a table that is being written.
pub(crate) struct NewFirstKeys {
    keys: Keys,
    bytes: Vec<u8>,
    /// How far the rows reach that have their first key.
    reached: u64,
}

impl NewFirstKeys {
    pub(crate) fn new(keys: Keys) -> NewFirstKeys {
        NewFirstKeys { keys, bytes: Vec::new(), reached: 0 }
    }

    /// Takes note of the next row, which starts so many bytes behind the first one.
    pub(crate) fn push(&mut self, offset: u64, key: RawKey<'_>) {
        if offset < self.reached {
            return;
        }
        match self.keys {
            Keys::Numbers => {
                self.fill(offset / BLOCK * BLOCK);
                self.bytes.extend_from_slice(key.bytes());
                self.reached += BLOCK;
            }
            Keys::Bytes => {
                StrideKeys::encode((offset / UNIT_BYTES) as u32, key.bytes(), &mut self.bytes);
                self.reached = (offset / STRIDE_BYTES + 1) * STRIDE_BYTES;
            }
        }
    }

    /// Gives blocks in which no row starts the first key of the one before.
    fn fill(&mut self, end: u64) {
        let last: [u8; NUMBER_BYTES] = self.bytes.last_chunk().copied().unwrap_or_default();
        while self.reached < end {
            self.bytes.extend_from_slice(&last);
            self.reached += BLOCK;
        }
    }

    /// As they stand in the trailer, of rows of so many bytes.
    pub(crate) fn finish(mut self, rows_bytes: u64) -> Vec<u8> {
        if self.keys == Keys::Numbers {
            self.fill(rows_bytes);
        }
        self.bytes
    }
}

/// The first key of every 64 KiB in which a row starts, with the place of its row.
#[derive(Debug, Default)]
pub(crate) struct StrideKeys {
    /// Place in the table's rows in units of eight bytes, and where the key ends in `keys`.
    entries: Vec<(u32, usize)>,
    keys: Vec<u8>,
}

impl StrideKeys {
    /// How one entry is written.
    pub(crate) fn encode(place: u32, key: &[u8], to: &mut Vec<u8>) {
        to.extend_from_slice(&place.to_le_bytes());
        to.extend_from_slice(&(key.len() as u16).to_le_bytes());
        to.extend_from_slice(key);
    }

    /// None when the bytes are no entries, places or keys do not ascend, or a place is outside of the rows.
    fn decode(mut bytes: &[u8], rows_bytes: u64) -> Option<StrideKeys> {
        let mut stride_keys = StrideKeys::default();
        while let Some((head, rest)) = bytes.split_first_chunk::<6>() {
            let place = u32_at(head, 0);
            let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(part(head, 4))))?;
            let is_behind = stride_keys.entries.last().is_none_or(|last| last.0 < place);
            let is_greater = stride_keys.last_key().is_none_or(|last| last < key);
            if !is_behind || !is_greater || u64::from(place) * UNIT_BYTES >= rows_bytes {
                return None;
            }
            stride_keys.keys.extend_from_slice(key);
            stride_keys.entries.push((place, stride_keys.keys.len()));
            bytes = rest;
        }
        bytes.is_empty().then_some(stride_keys)
    }

    fn key(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.entries[before].1);
        &self.keys[start..self.entries[at].1]
    }

    fn last_key(&self) -> Option<&[u8]> {
        self.entries.len().checked_sub(1).map(|last| self.key(last))
    }

    /// One of them, counted from 0: place and key.
    pub(crate) fn get(&self, at: usize) -> Option<(u32, &[u8])> {
        self.entries.get(at).map(|entry| (entry.0, self.key(at)))
    }

    /// The part of the rows in which the first row with this key or a greater one is, unless it is the row behind that
    /// part; in bytes from the start of the rows.
    pub(crate) fn stretch(&self, key: &[u8], rows_bytes: u64) -> Range<u64> {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle) <= key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let bytes = |at: usize| self.entries.get(at).map(|entry| u64::from(entry.0) * UNIT_BYTES);
        low.checked_sub(1).and_then(bytes).unwrap_or(0)..bytes(low).unwrap_or(rows_bytes)
    }
}

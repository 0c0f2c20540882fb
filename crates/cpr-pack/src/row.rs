//! How a row stands in its table: a head of eight bytes, the key, the value, zeros; and under numbers, which are asked
//! for one by one, a check of the row. Each row is a multiple of eight bytes. Drawn in docs/format.md.

use std::ops::Range;

use crate::header::{part, u32_at};
use crate::keys::{Keys, RawKey};

/// What every row starts with, and what its place is a multiple of.
pub(crate) const UNIT_BYTES: u64 = 8;

/// Bytes of the check at the end of a row under a number.
const CHECK_BYTES: u64 = 4;

/// The length that says that a row of the base is gone.
const GONE: u32 = u32::MAX;

/// What the head of a row says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    key_start: u32,
    key_end: u32,
    value_start: u32,
    value_bytes: u32,
    has_check: bool,
    pub(crate) is_gone: bool,
}

impl Head {
    /// A row of this key and so many bytes, or a gone one; none when the format has no room for it.
    pub(crate) fn of(key: RawKey<'_>, value_bytes: Option<usize>) -> Option<Head> {
        let length =
            value_bytes.map_or(Some(GONE), |bytes| u32::try_from(bytes).ok().filter(|&bytes| bytes != GONE))?;
        match key {
            RawKey::Number(_) => Some(Head::of_number(length)),
            RawKey::Bytes(bytes) => Some(Head::of_bytes(u16::try_from(bytes.len()).ok()?, length)),
        }
    }

    /// Reads a head; none when it is not one.
    #[inline]
    pub(crate) fn parse(bytes: [u8; 8], keys: Keys) -> Option<Head> {
        let length = u32_at(&bytes, 4);
        match keys {
            Keys::Numbers => Some(Head::of_number(length)),
            Keys::Bytes if bytes[2..4] == [0; 2] => Some(Head::of_bytes(u16::from_le_bytes(part(&bytes, 0)), length)),
            Keys::Bytes => None,
        }
    }

    #[inline]
    fn of_number(length: u32) -> Head {
        Head::new((0, 4), 8, length, true)
    }

    fn of_bytes(key_bytes: u16, length: u32) -> Head {
        let key_end = 8 + u32::from(key_bytes);
        Head::new((8, key_end), key_end.next_multiple_of(4), length, false)
    }

    #[inline]
    fn new((key_start, key_end): (u32, u32), value_start: u32, length: u32, has_check: bool) -> Head {
        let is_gone = length == GONE;
        Head { key_start, key_end, value_start, value_bytes: if is_gone { 0 } else { length }, has_check, is_gone }
    }

    /// The eight bytes that begin the row.
    pub(crate) fn encode(&self, key: RawKey<'_>) -> [u8; 8] {
        let mut bytes = [0; 8];
        match key {
            RawKey::Number(number) => bytes[..4].copy_from_slice(&number),
            RawKey::Bytes(key) => bytes[..2].copy_from_slice(&(key.len() as u16).to_le_bytes()),
        }
        bytes[4..].copy_from_slice(&if self.is_gone { GONE } else { self.value_bytes }.to_le_bytes());
        bytes
    }

    /// Bytes of the whole row, a multiple of eight.
    #[inline]
    pub(crate) fn row_bytes(&self) -> u64 {
        (self.value_end() + self.check_bytes()).next_multiple_of(UNIT_BYTES)
    }

    #[inline]
    fn value_end(&self) -> u64 {
        u64::from(self.value_start) + u64::from(self.value_bytes)
    }

    #[inline]
    fn check_bytes(&self) -> u64 {
        if self.has_check { CHECK_BYTES } else { 0 }
    }

    /// Whether the row ends with a check of all that stands before it.
    #[inline]
    pub(crate) fn has_check(&self) -> bool {
        self.has_check
    }

    /// Whether the bytes of a whole row have the check that they end with, or none.
    #[inline]
    pub(crate) fn is_right(&self, row: &[u8]) -> bool {
        let Some((covered, check)) = row.split_last_chunk() else { return false };
        !self.has_check() || crc32fast::hash(covered) == u32::from_le_bytes(*check)
    }

    /// Zeros between key and value.
    pub(crate) fn zeros_before_value(&self) -> usize {
        (self.value_start - self.key_end.max(8)) as usize
    }

    /// Zeros behind the value, before the check.
    pub(crate) fn zeros_after_value(&self) -> usize {
        (self.row_bytes() - self.value_end() - self.check_bytes()) as usize
    }

    /// Where the key stands in the row.
    pub(crate) fn key(&self) -> Range<usize> {
        self.key_start as usize..self.key_end as usize
    }

    /// Where the value stands in the row.
    #[inline]
    pub(crate) fn value(&self) -> Range<usize> {
        let start = self.value_start as usize;
        start..start + self.value_bytes as usize
    }
}

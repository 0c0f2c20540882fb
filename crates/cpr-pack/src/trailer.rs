//! What stands behind the blocks of a pack, under one check: its tables, the check of every block, the place of the
//! first row in every block, and the first keys of the rows. All of it is compared with its check when a pack is
//! opened, and then mostly looked up where it stands. Drawn in docs/format.md.

use std::ops::Range;

use crate::block::BLOCK_BYTES;
use crate::error::Error;
use crate::first_keys::FirstKeys;
use crate::hash::{LINE_BYTES, can_be_placed};
use crate::header::{Header, part, u32_at, u64_at};
use crate::keys::Keys;
use crate::row::UNIT_BYTES;

/// Of a block in which no row starts.
pub(crate) const NO_START: u16 = u16::MAX;

/// The most bytes that the name of a table may have.
pub(crate) const MAX_NAME_BYTES: usize = 63;

const TABLE_BYTES: usize = 128;

/// What a table consists of. Places and lengths are in bytes from the start of the file.
#[derive(Clone, Debug)]
pub(crate) struct TableEntry {
    pub(crate) name: String,
    pub(crate) keys: Keys,
    /// Rows that stand here, with those that are gone.
    pub(crate) rows: u64,
    pub(crate) gone: u64,
    pub(crate) rows_at: u64,
    pub(crate) rows_bytes: u64,
    pub(crate) lines_at: u64,
    pub(crate) lines: u32,
    pub(crate) seed: u32,
    pub(crate) first_keys_bytes: u64,
}

impl TableEntry {
    pub(crate) fn encode(&self) -> [u8; TABLE_BYTES] {
        let mut bytes = [0; TABLE_BYTES];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(0, &[self.name.len() as u8]);
        put(1, self.name.as_bytes());
        put(64, &[self.keys.code()]);
        let numbers = [self.rows, self.gone, self.rows_at, self.rows_bytes, self.lines_at];
        numbers.iter().enumerate().for_each(|(at, number)| put(72 + 8 * at, &number.to_le_bytes()));
        put(112, &self.lines.to_le_bytes());
        put(116, &self.seed.to_le_bytes());
        put(120, &self.first_keys_bytes.to_le_bytes());
        bytes
    }

    /// None when the bytes are no table.
    fn decode(bytes: &[u8; TABLE_BYTES]) -> Option<TableEntry> {
        let eight = |at: usize| u64_at(bytes, at);
        let name = str::from_utf8(bytes[1..=MAX_NAME_BYTES].get(..usize::from(bytes[0]))?).ok()?;
        Some(TableEntry {
            name: name.to_owned(),
            keys: Keys::of_code(bytes[64])?,
            rows: eight(72),
            gone: eight(80),
            rows_at: eight(88),
            rows_bytes: eight(96),
            lines_at: eight(104),
            lines: u32_at(bytes, 112),
            seed: u32_at(bytes, 116),
            first_keys_bytes: eight(120),
        })
    }

    /// Where the hash section stands.
    pub(crate) fn lines_range(&self) -> Range<u64> {
        self.lines_at..self.lines_at + u64::from(self.lines) * LINE_BYTES as u64
    }

    /// Whether rows and lines stand in blocks of their own, before the trailer and behind one another, and can be
    /// reached.
    fn fits(&self, after: u64, trailer_at: u64) -> bool {
        let block = BLOCK_BYTES as u64;
        let rows_end = self.rows_at.checked_add(self.rows_bytes);
        let lines_end = self.lines_at.checked_add(u64::from(self.lines) * LINE_BYTES as u64);
        let (Some(rows_end), Some(lines_end)) = (rows_end, lines_end) else { return false };
        let in_order = after <= self.rows_at && rows_end <= self.lines_at && lines_end <= trailer_at;
        let in_blocks = self.rows_at.is_multiple_of(block) && self.lines_at.is_multiple_of(block);
        let has_lines = (self.lines > 0) == (self.keys == Keys::Numbers && self.rows > 0);
        let reachable = self.rows_bytes.is_multiple_of(UNIT_BYTES) && can_be_placed(self.rows_bytes);
        let counted = self.rows <= self.rows_bytes / UNIT_BYTES && self.gone <= self.rows;
        in_order && in_blocks && has_lines && reachable && counted
    }
}

/// All that the trailer says.
pub(crate) struct Trailer {
    pub(crate) tables: Vec<(TableEntry, FirstKeys)>,
    /// Where in the trailer the check of each block stands: a checksum, or a tag where the pack is encrypted.
    pub(crate) checks: Range<usize>,
    /// Where in the trailer it stands for each block where its first row starts, in units of eight bytes.
    pub(crate) starts: Range<usize>,
}

impl Trailer {
    /// Reads a trailer that was compared with its check, behind the bytes that an encrypted one begins with.
    pub(crate) fn decode(trailer: &[u8], skipped: usize, header: &Header) -> Result<Trailer, Error> {
        let at = header.trailer_at;
        let damaged = || Error::damaged("the trailer contradicts itself", at);
        let bytes = trailer.get(skipped..).ok_or_else(damaged)?;
        let blocks = (at / BLOCK_BYTES as u64 - 1) as usize;
        let (tables, rest) = (header.tables as usize)
            .checked_mul(TABLE_BYTES)
            .and_then(|length| bytes.split_at_checked(length))
            .ok_or_else(damaged)?;
        let check_bytes = header.check_bytes();
        let (checks, rest) = rest.split_at_checked(blocks.saturating_mul(check_bytes)).ok_or_else(damaged)?;
        let (starts, mut rest) = rest.split_at_checked(blocks * 2).ok_or_else(damaged)?;
        let mut decoded: Vec<(TableEntry, FirstKeys)> = Vec::new();
        let mut after = BLOCK_BYTES as u64;
        for bytes in tables.chunks_exact(TABLE_BYTES) {
            let table = TableEntry::decode(&part(bytes, 0)).ok_or_else(damaged)?;
            if !table.fits(after, at) || decoded.last().is_some_and(|(last, _)| last.name >= table.name) {
                return Err(damaged());
            }
            after = table.lines_range().end;
            let length = usize::try_from(table.first_keys_bytes).ok();
            let (own, others) = length.and_then(|length| rest.split_at_checked(length)).ok_or_else(damaged)?;
            let (start, are_of_blocks) = (trailer.len() - rest.len(), header.has_first_keys_of_blocks(table.keys));
            let first_keys = FirstKeys::decode(trailer, start..start + own.len(), table.rows_bytes, are_of_blocks);
            let first_keys = first_keys.ok_or_else(damaged)?;
            decoded.push((table, first_keys));
            rest = others;
        }
        if !rest.is_empty() {
            return Err(damaged());
        }
        let checks_at = skipped + tables.len();
        let starts_at = checks_at + checks.len();
        Ok(Trailer { tables: decoded, checks: checks_at..starts_at, starts: starts_at..starts_at + starts.len() })
    }
}

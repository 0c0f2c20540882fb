//! How often a part of a hash section was asked for that is not in memory yet.
//!
//! The system reads an index in large pieces, since all of it will be asked for in the end. Who asks for a few rows of
//! a file that was not read for long should not wait for that: as long as a piece was asked for less often than as many
//! pages take to read, rows are found by the first keys of their blocks, which are in memory, and cost their own block
//! alone. So nobody waits much more than twice as long as who had known how much will be asked, on a disk whose pages
//! take as long as is said below.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::first_keys::FirstKeys;
use crate::hash::LINE_BYTES;
use crate::lines_in_file;
use crate::space::Bytes;
use crate::trailer::TableEntry;

/// What the system reads at once of the index of a map ([`Bytes::will_ask`]), and how many single pages take as long:
/// at 1 GB/s and 70 us a page.
const MAPPED: (u64, u8) = (2 << 20, 32);

/// What is read at once of the index of a file: little more to wait for than a page.
const FROM_FILE: (u64, u8) = (lines_in_file::PIECE_BYTES, 1);

/// Counts for the pieces of one hash section.
pub(crate) struct Asked {
    pieces: Box<[AtomicU8]>,
    piece_bytes: u64,
    often: u8,
}

impl Asked {
    /// For a table whose rows can be found by first keys of blocks, and none for any other, and where all is in memory.
    pub(crate) fn of(bytes: &Bytes, table: &TableEntry, first_keys: &FirstKeys) -> Asked {
        let (lines, (piece_bytes, often)) = match (bytes, first_keys) {
            (Bytes::Mapped(_), FirstKeys::OfBlocks(_)) => (table.lines_range(), MAPPED),
            (Bytes::File(_), FirstKeys::OfBlocks(_)) => (table.lines_range(), FROM_FILE),
            (Bytes::Memory(_), _) | (_, FirstKeys::OfStrides(_)) => (0..0, (1, 0)),
        };
        let pieces = (lines.end - lines.start).div_ceil(piece_bytes);
        Asked { pieces: (0..pieces).map(|_| AtomicU8::new(0)).collect(), piece_bytes, often }
    }

    /// Whether the piece of a line was asked for seldom so far; this time counts.
    pub(crate) fn is_seldom(&self, line: u32) -> bool {
        let piece = u64::from(line) * LINE_BYTES as u64 / self.piece_bytes;
        // Relaxed: a count that another thread overwrites is one get that reads in the other way.
        self.pieces.get(piece as usize).is_some_and(|asked| {
            let before = asked.load(Ordering::Relaxed);
            asked.store(before.saturating_add(1).min(self.often), Ordering::Relaxed);
            before < self.often
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_counted_by_itself_and_what_is_no_piece_is_asked_for_at_once() {
        let pieces = [0, 0].map(AtomicU8::new).into();
        let asked = Asked { pieces, piece_bytes: 2 * LINE_BYTES as u64, often: 2 };
        for (line, is_seldom) in
            [(0, true), (1, true), (0, false), (3, true), (2, true), (3, false), (1, false), (4, false)]
        {
            assert_eq!(asked.is_seldom(line), is_seldom, "line {line}");
        }
    }
}

//! The hash section of a pack whose bytes are a file: read, checked and kept a piece at a time, when a line of the piece
//! is first asked for. So opening a pack takes as long for ten million rows as for a thousand, and a process that asks
//! for a few rows holds a few pieces.

use std::ops::Range;
use std::sync::OnceLock;

use crate::error::Error;
use crate::space::Space;

/// Bytes of a piece: little more to read than a page, and few pieces even of a large section.
pub(crate) const PIECE_BYTES: u64 = 64 * 1024;

/// The pieces of one hash section, those that were asked for in memory.
pub(crate) struct LinesInFile {
    /// Where the section stands in the file.
    range: Range<u64>,
    pieces: Box<[OnceLock<Box<[u8]>>]>,
}

impl LinesInFile {
    pub(crate) fn new(range: Range<u64>) -> LinesInFile {
        let pieces = (range.end - range.start).div_ceil(PIECE_BYTES);
        LinesInFile { range, pieces: (0..pieces).map(|_| OnceLock::new()).collect() }
    }

    /// Bytes of one line, where its piece was read before.
    #[inline]
    pub(crate) fn known(&self, line: Range<u64>) -> Option<&[u8]> {
        let piece = self.pieces.get((line.start / PIECE_BYTES) as usize)?.get()?;
        let start = (line.start % PIECE_BYTES) as usize;
        piece.get(start..start + (line.end - line.start) as usize)
    }

    /// Bytes of one line, counted from the start of the section; none where it does not reach so far.
    pub(crate) fn bytes(&self, space: &Space, line: Range<u64>) -> Result<&[u8], Error> {
        let at = line.start / PIECE_BYTES;
        if let Some(slot) = self.pieces.get(at as usize)
            && slot.get().is_none()
        {
            self.read(space, at, slot)?;
        }
        Ok(self.known(line).unwrap_or_default())
    }

    /// Reads a piece. Threads that come at the same time each read it, and the first one's is kept.
    fn read(&self, space: &Space, at: u64, slot: &OnceLock<Box<[u8]>>) -> Result<(), Error> {
        let start = self.range.start + at * PIECE_BYTES;
        let piece = space.read_index(start..self.range.end.min(start + PIECE_BYTES))?;
        slot.get_or_init(|| piece);
        Ok(())
    }
}

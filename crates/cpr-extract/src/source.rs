//! The bytes of an extract: one buffer, filled a chunk at a time, and a checksum of each chunk.
//!
//! The first reading of a file takes the checksums, the second compares: a file that has changed in between is an
//! error, and what was checked need not be checked again. The checksum (XXH3, 64 bits) is against accidents, such as a
//! file that is still being copied, and not against a forger, who could as well have sent another file.

use std::io::{self, Read};

use twox_hash::XxHash3_64;

/// Bytes that are in the buffer beyond the start of a line, unless the file ends: no sound line is longer.
pub(crate) const LOOKAHEAD: usize = 8 * 1024;

/// Bytes of the file that are read together and have one checksum.
pub(crate) const CHUNK: usize = 256 * 1024;

/// More than this is not read: twenty times the whole country.
const MOST_BYTES: u64 = 256 * 1024 * 1024 * 1024;

/// What the bytes of a chunk are held against.
#[derive(Debug)]
pub(crate) enum Checksums<'c> {
    /// Nothing.
    Ignored,
    /// The checksums of a reading before.
    Compared(&'c [u64]),
    /// Nothing, here: whoever takes the buffers over ([`Source::take_full`]) sees to it.
    Left(Buffers),
}

/// Buffers that a source hands over once they have been read through, and others that it fills next.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    full: Vec<Buffer>,
    spare: Vec<Vec<u8>>,
}

/// A part of the file that was read through.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    /// From here on the bytes are those of a chunk; before stand some of the chunk before.
    pub(crate) fresh: usize,
    /// The byte of the file that is the first.
    pub(crate) offset: u64,
}

impl Buffer {
    /// The bytes that no buffer before had.
    pub(crate) fn chunk(&self) -> &[u8] {
        &self.bytes[self.fresh..]
    }
}

/// The checksum of a chunk; none of no bytes.
pub(crate) fn chunk_checksum(chunk: &[u8]) -> Option<u64> {
    (!chunk.is_empty()).then(|| XxHash3_64::oneshot(chunk))
}

/// A source with the part of it that is being read.
pub(crate) struct Source<'c, R> {
    inner: R,
    bytes: Vec<u8>,
    at: usize,
    filled: usize,
    /// Where the chunk that was read last begins.
    fresh: usize,
    at_end: bool,
    /// The byte of the file at `at`.
    offset: u64,
    chunks: usize,
    checksums: Checksums<'c>,
}

impl<'c, R: Read> Source<'c, R> {
    /// Reads `inner` from where it stands.
    pub(crate) fn new(inner: R, checksums: Checksums<'c>) -> Self {
        let (bytes, at, filled, fresh, at_end) = (Vec::new(), 0, 0, 0, false);
        Source { inner, bytes, at, filled, fresh, at_end, offset: 0, chunks: 0, checksums }
    }

    /// What has been read and not been consumed: [`LOOKAHEAD`] bytes or more, or the rest of the file.
    #[inline]
    pub(crate) fn rest(&mut self) -> io::Result<&[u8]> {
        if self.filled - self.at < LOOKAHEAD && !self.at_end {
            self.fill()?;
        }
        Ok(&self.bytes[self.at..self.filled])
    }

    /// As [`Source::rest`], without reading on.
    #[inline]
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.bytes[self.at..self.filled]
    }

    /// The whole buffer, and where [`Source::buffered`] begins in it.
    #[inline]
    pub(crate) fn buffer(&self) -> (&[u8], usize) {
        (&self.bytes[..self.filled], self.at)
    }

    /// Passes over bytes of [`Source::buffered`], and gives them.
    #[inline]
    pub(crate) fn consume(&mut self, bytes: usize) -> &[u8] {
        let bytes = bytes.min(self.filled - self.at);
        let start = self.at;
        self.at += bytes;
        self.offset += bytes as u64;
        &self.bytes[start..self.at]
    }

    /// The byte of the file that stands next, from 0.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// True when the file has no more bytes than those of [`Source::buffered`].
    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// Reads to the end of the file, for the sake of the checksums.
    pub(crate) fn pass_over_rest(&mut self) -> io::Result<()> {
        loop {
            let rest = self.rest()?.len();
            if rest == 0 {
                return Ok(());
            }
            self.consume(rest);
        }
    }

    /// Where the inner source stands, unless somebody has moved it: after everything buffered.
    pub(crate) fn inner_offset(&self) -> u64 {
        self.offset + (self.filled - self.at) as u64
    }

    pub(crate) fn inner_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The byte of the file that is the first in the buffer.
    #[inline]
    pub(crate) fn start(&self) -> u64 {
        self.offset - self.at as u64
    }

    /// The next buffer that was read through, where they are left to the caller.
    #[inline]
    pub(crate) fn take_full(&mut self) -> Option<Buffer> {
        match &mut self.checksums {
            Checksums::Left(buffers) if !buffers.full.is_empty() => Some(buffers.full.remove(0)),
            _ => None,
        }
    }

    /// The buffer that is being read.
    pub(crate) fn into_last(mut self) -> Buffer {
        self.bytes.truncate(self.filled);
        Buffer { offset: self.start(), fresh: self.fresh, bytes: self.bytes }
    }

    /// Gives a buffer back, to be used again.
    pub(crate) fn reuse(&mut self, buffer: Vec<u8>) {
        if let Checksums::Left(buffers) = &mut self.checksums {
            buffers.spare.push(buffer);
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.filled - self.at < LOOKAHEAD && !self.at_end {
            self.make_room();
            self.fill_chunk()?;
        }
        Ok(())
    }

    /// Puts what has not been consumed at the front of a buffer, this one or another.
    fn make_room(&mut self) {
        let (start, kept) = (self.start(), self.at..self.filled);
        match &mut self.checksums {
            Checksums::Left(buffers) if !self.bytes.is_empty() => {
                let mut next = buffers.spare.pop().unwrap_or_default();
                next.resize(LOOKAHEAD + CHUNK, 0);
                next[..kept.len()].copy_from_slice(&self.bytes[kept.clone()]);
                let mut bytes = std::mem::replace(&mut self.bytes, next);
                bytes.truncate(self.filled);
                buffers.full.push(Buffer { bytes, fresh: self.fresh, offset: start });
            }
            _ => {
                self.bytes.resize(LOOKAHEAD + CHUNK, 0);
                self.bytes.copy_within(kept.clone(), 0);
            }
        }
        (self.at, self.filled, self.fresh) = (0, kept.len(), kept.len());
    }

    /// Reads one chunk of the file, or what is left of it. There is room for it: less than [`LOOKAHEAD`] bytes are
    /// kept.
    fn fill_chunk(&mut self) -> io::Result<()> {
        if self.inner_offset() >= MOST_BYTES {
            let what = "the extract has more than 256 GiB, which is as much as is read";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        let start = self.filled;
        while self.filled < start + CHUNK {
            match self.inner.read(&mut self.bytes[self.filled..start + CHUNK]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let chunk = &self.bytes[start..self.filled];
        match &self.checksums {
            Checksums::Compared(before) if before.get(self.chunks).copied() != chunk_checksum(chunk) => {
                return Err(changed());
            }
            Checksums::Compared(_) | Checksums::Ignored | Checksums::Left(_) => {}
        }
        self.chunks += 1;
        Ok(())
    }
}

/// The checksum of a line that is read again out of order.
#[inline]
pub(crate) fn line_checksum(line: &[u8]) -> u32 {
    XxHash3_64::oneshot(line) as u32
}

/// The extract is not what it was when it was checked. It stands within an [`io::Error`] of kind `InvalidData`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the extract changed while it was read")]
pub struct Changed;

/// The error of a second reading that does not find what the first has found.
pub(crate) fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Changed)
}

//! The bytes of a pack, wherever they are, in blocks of 4 KiB that are checked before anything in them is believed.

use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::Mmap;

use crate::block::BLOCK_BYTES;
use crate::error::Error;
use crate::memory::{Memory, read_exactly};
use crate::sealed::{KEPT_RUN, Sealed};
use crate::value::Value;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// When the blocks of rows are compared with their checks. Header and index are always checked when a pack is opened,
/// and the hash section of a mapped pack block by block at first touch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checks {
    /// Once, when a block is first read through this [`Pack`](crate::Pack): one bit per block says that it was.
    AtFirstTouch,
    /// Whenever a block is read: a map or memory that changes is told, at the price of reading all of each block.
    AtEveryRead,
    /// Never: for a file whose disk or file system checks what it reads.
    Never,
}

/// Where the bytes are.
pub(crate) enum Bytes {
    Memory(Memory),
    Mapped(Mmap),
    File(File),
}

impl Bytes {
    /// All bytes, where they can be had without reading.
    #[inline]
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        match self {
            Bytes::Mapped(map) => Some(map),
            Bytes::Memory(memory) => Some(memory.bytes()),
            Bytes::File(_) => None,
        }
    }

    pub(crate) fn length(&self) -> Result<u64, Error> {
        match (self, self.whole()) {
            (Bytes::File(file), _) => Ok(file.metadata().map_err(Error::io("reading a pack's length"))?.len()),
            (_, whole) => Ok(whole.map_or(0, <[u8]>::len) as u64),
        }
    }

    /// Asks the system to have a part of a map in memory, as an index: reading it page by page would be the slowest
    /// way.
    pub(crate) fn populate(&self, range: Range<u64>) {
        #[cfg(target_os = "linux")]
        if let Bytes::Mapped(map) = self {
            // Systems before Linux 5.14 do not know this advice, and do without.
            let (start, bytes) = (range.start as usize, (range.end - range.start) as usize);
            let _ = map.advise_range(memmap2::Advice::PopulateRead, start, bytes);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = range;
    }

    /// A copy of some bytes, which must be within the file.
    pub(crate) fn copy(&self, range: Range<u64>) -> Result<Memory, Error> {
        match self {
            Bytes::File(file) => Memory::read(file, range.start, range.end - range.start),
            Bytes::Memory(_) | Bytes::Mapped(_) => {
                let whole = self.whole().unwrap_or_default();
                let part = whole.get(range.start as usize..range.end as usize);
                part.map(|part| Memory::of(part.to_vec())).ok_or_else(|| Error::damaged("it ends early", range.start))
            }
        }
    }
}

/// Bytes with the checks of their blocks. Block 0, the header, is none of them.
pub(crate) struct Space {
    bytes: Bytes,
    checks: BlockChecks,
    /// One bit for each block that need not be checked any more.
    seen: Vec<AtomicU64>,
    keeps_seen: bool,
}

/// What the blocks are checked by.
enum BlockChecks {
    Sums(Vec<u32>),
    /// Of a file whose blocks are encrypted, and opened each time they are read.
    Tags(Sealed),
}

impl Space {
    /// The blocks of an encrypted pack: of one in memory all are opened at once.
    pub(crate) fn sealed(bytes: Bytes, sealed: Sealed) -> Result<Space, Error> {
        let memory = match bytes {
            Bytes::File(_) => {
                let checks = BlockChecks::Tags(sealed);
                return Ok(Space { bytes, checks, seen: Vec::new(), keeps_seen: false });
            }
            Bytes::Memory(memory) => memory,
            // Whoever maps a pack says when its blocks are to be checked.
            Bytes::Mapped(_) => return Err(Error::Encrypted),
        };
        let mut memory = memory.into_vec();
        let blocks = &mut memory[BLOCK_BYTES..(sealed.blocks() + 1) * BLOCK_BYTES];
        sealed.open(1, blocks)?;
        let sums: Vec<u32> = blocks.chunks_exact(BLOCK_BYTES).map(crc32fast::hash).collect();
        let mut space = Space::new(Bytes::Memory(Memory::of(memory)), sums, Checks::AtFirstTouch);
        space.seen.iter_mut().for_each(|seen| *seen.get_mut() = u64::MAX);
        Ok(space)
    }

    pub(crate) fn new(bytes: Bytes, checks: Vec<u32>, when: Checks) -> Space {
        let none = if when == Checks::Never { u64::MAX } else { 0 };
        let seen = (0..checks.len().div_ceil(64)).map(|_| AtomicU64::new(none)).collect();
        Space { bytes, checks: BlockChecks::Sums(checks), seen, keeps_seen: when == Checks::AtFirstTouch }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        match &self.checks {
            BlockChecks::Sums(sums) => sums.len(),
            BlockChecks::Tags(sealed) => sealed.blocks(),
        }
    }

    /// Whether rows can be borrowed.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self.bytes, Bytes::File(_))
    }

    /// Checked bytes of rows.
    #[inline]
    pub(crate) fn view(&self, range: Range<u64>) -> Result<Value<'_>, Error> {
        match self.bytes.whole() {
            Some(whole) => Ok(Value::borrowed(self.checked(whole, range, self.keeps_seen)?)),
            None => self.read(range),
        }
    }

    /// Checked bytes of a hash section, where they can be had without reading: at first touch, unless never.
    #[inline]
    pub(crate) fn index(&self, range: Range<u64>) -> Option<Result<&[u8], Error>> {
        self.bytes.whole().map(|whole| self.checked(whole, range, true))
    }

    #[inline]
    fn checked<'s>(&'s self, whole: &'s [u8], range: Range<u64>, keep: bool) -> Result<&'s [u8], Error> {
        let Some(bytes) = whole.get(range.start as usize..range.end as usize) else {
            return Err(Error::damaged("bytes outside of the file", range.start));
        };
        let last = range.end.saturating_sub(1) / BLOCK;
        let mut block = range.start / BLOCK;
        while block <= last {
            if !self.is_seen(block) {
                let start = (block * BLOCK) as usize;
                let bytes = whole.get(start..start + BLOCK_BYTES).unwrap_or_default();
                self.check(block, bytes, keep)?;
            }
            block += 1;
        }
        Ok(bytes)
    }

    #[inline]
    fn is_seen(&self, block: u64) -> bool {
        let at = (block as usize).wrapping_sub(1);
        // Relaxed: the bit says something of bytes that never change.
        self.seen.get(at / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (at % 64) & 1 == 1)
    }

    /// Compares a block with its check, and keeps in mind that it fits.
    #[cold]
    pub(crate) fn check(&self, block: u64, bytes: &[u8], keep: bool) -> Result<(), Error> {
        let at = (block as usize).wrapping_sub(1);
        let BlockChecks::Sums(sums) = &self.checks else { unreachable!("blocks that are encrypted are opened") };
        if sums.get(at) != Some(&crc32fast::hash(bytes)) {
            return Err(Error::damaged("a block does not have its check", block * BLOCK));
        }
        if keep {
            self.seen[at / 64].fetch_or(1 << (at % 64), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Reads a hash section and compares its blocks with their checks.
    pub(crate) fn read_index(&self, range: Range<u64>) -> Result<Memory, Error> {
        let range = range.start..range.end.next_multiple_of(BLOCK);
        let memory = self.bytes.copy(range.clone())?;
        match &self.checks {
            BlockChecks::Sums(_) => {
                self.check_each(range.start / BLOCK, memory.bytes(), true)?;
                Ok(memory)
            }
            BlockChecks::Tags(sealed) => {
                let mut bytes = memory.into_vec();
                sealed.open(range.start / BLOCK, &mut bytes)?;
                Ok(Memory::of(bytes))
            }
        }
    }

    /// Compares blocks that stand side by side with their checks, where they are still to be.
    fn check_each(&self, first: u64, blocks: &[u8], keep: bool) -> Result<(), Error> {
        for (block, bytes) in (first..).zip(blocks.chunks_exact(BLOCK_BYTES)) {
            if !self.is_seen(block) {
                self.check(block, bytes, keep)?;
            }
        }
        Ok(())
    }

    /// Reads one block and compares it with its check, whatever was seen of it.
    pub(crate) fn verify(&self, block: u64, buffer: &mut [u8; BLOCK_BYTES]) -> Result<(), Error> {
        let range = block * BLOCK..(block + 1) * BLOCK;
        match (&self.bytes, &self.checks) {
            (Bytes::File(file), BlockChecks::Sums(_)) => {
                read_exactly(file, range.start, buffer)?;
                self.check(block, buffer, false)
            }
            (Bytes::File(file), BlockChecks::Tags(sealed)) => {
                read_exactly(file, range.start, buffer)?;
                sealed.open(block, buffer)
            }
            (bytes, _) => {
                self.will_scan_from(block);
                let whole = bytes.whole().unwrap_or_default();
                self.check(block, whole.get(range.start as usize..range.end as usize).unwrap_or_default(), false)
            }
        }
    }

    /// Reads bytes of a file, whole blocks at a time.
    fn read(&self, range: Range<u64>) -> Result<Value<'static>, Error> {
        let (first, end) = (range.start / BLOCK, range.end.div_ceil(BLOCK));
        let Bytes::File(file) = &self.bytes else { unreachable!("whole bytes are borrowed") };
        let outside = || Error::damaged("bytes outside of the blocks", range.start);
        if first == 0 || end > self.blocks() as u64 + 1 {
            return Err(outside());
        }
        let read = |buffer: &mut [u8], block: u64| read_exactly(file, block * BLOCK, buffer);
        let chunk = match &self.checks {
            BlockChecks::Tags(sealed) if end - first == 1 => {
                Value::shared(sealed.block(first, |buffer| read(buffer, first))?)
            }
            BlockChecks::Tags(sealed) if end - first <= KEPT_RUN => {
                let blocks = (first..end).map(|block| sealed.block(block, |buffer| read(buffer, block)));
                Value::shared(blocks.collect::<Result<Vec<_>, _>>()?.concat())
            }
            checks => {
                let mut chunk = vec![0; ((end - first) * BLOCK) as usize];
                read(&mut chunk, first)?;
                match checks {
                    BlockChecks::Sums(_) => self.check_each(first, &chunk, self.keeps_seen)?,
                    BlockChecks::Tags(sealed) => sealed.open(first, &mut chunk)?,
                }
                Value::shared(chunk)
            }
        };
        let start = (range.start - first * BLOCK) as usize;
        let part = start..start + (range.end - range.start) as usize;
        chunk.narrowed(part).ok_or_else(outside)
    }

    /// Likewise, once in a thousand blocks.
    fn will_scan_from(&self, block: u64) {
        if block % 1024 == 1 {
            self.will_scan(block * BLOCK..(block + 2048) * BLOCK);
        }
    }

    /// Tells the system which bytes of a map a scan comes to next.
    pub(crate) fn will_scan(&self, range: Range<u64>) {
        #[cfg(unix)]
        if let Bytes::Mapped(map) = &self.bytes {
            let end = range.end.min(map.len() as u64);
            if range.start < end {
                let (start, bytes) = (range.start as usize, (end - range.start) as usize);
                let _ = map.advise_range(memmap2::Advice::WillNeed, start, bytes);
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

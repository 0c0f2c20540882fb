//! The bytes of a pack, wherever they are, in blocks of 4 KiB that are checked before anything in them is believed.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::Mmap;

use crate::block::BLOCK_BYTES;
use crate::error::Error;
use crate::memory::{Memory, read_exactly};
use crate::sealed::{KEPT_RUN, Sealed};
use crate::value::Value;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// When rows are compared with their checks. Header and trailer are always checked when a pack is opened, and the blocks
/// of hash sections at first touch, unless never.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checks {
    /// Once, when a block of rows is first read through this [`Pack`](crate::Pack): one bit per block says that it was.
    AtFirstTouch,
    /// Whenever a row is read: a map or memory that changes is told. A row under a number has a check of its own; of
    /// any other row, each block that it stands in is read whole.
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

    /// Tells the system that a part of a map is an index, of which everything will be asked for: it is then read 2 MiB
    /// at a time, though rows around it are read page by page, and kept in pages of 2 MiB where the system can.
    pub(crate) fn will_ask(&self, range: Range<u64>) {
        #[cfg(target_os = "linux")]
        if let Bytes::Mapped(map) = self {
            let (start, bytes) = (range.start as usize, (range.end - range.start) as usize);
            // A system built without such pages refuses, and is asked to read the part before it is needed.
            let advised = bytes == 0 || map.advise_range(memmap2::Advice::HugePage, start, bytes).is_ok();
            if !advised {
                let _ = map.advise_range(memmap2::Advice::WillNeed, start, bytes);
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = range;
    }

    /// Asks the system to have a part of a map in memory, as an index: reading it page by page would be the slowest
    /// way.
    pub(crate) fn populate(&self, range: Range<u64>) {
        self.will_ask(range.clone());
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

/// Where the trailer's bytes are.
pub(crate) enum TrailerBytes {
    /// Among those of the pack, from here on.
    InPlace(usize),
    /// Read from a file, or decrypted.
    Own(Arc<Memory>),
}

impl TrailerBytes {
    /// The trailer of a pack, which must be within the file: where it stands, or read.
    pub(crate) fn of(bytes: &Bytes, range: Range<u64>) -> Result<TrailerBytes, Error> {
        if bytes.whole().is_none() {
            return Ok(TrailerBytes::Own(Arc::new(bytes.copy(range)?)));
        }
        bytes.populate(range.clone());
        Ok(TrailerBytes::InPlace(range.start as usize))
    }

    pub(crate) fn bytes<'b>(&'b self, pack: &'b Bytes) -> &'b [u8] {
        match self {
            TrailerBytes::InPlace(start) => pack.whole().and_then(|whole| whole.get(*start..)).unwrap_or_default(),
            TrailerBytes::Own(memory) => memory.bytes(),
        }
    }
}

/// Bytes with the checks of their blocks. Block 0, the header, is none of them.
pub(crate) struct Space {
    bytes: Bytes,
    trailer: TrailerBytes,
    checks: BlockChecks,
    /// One bit for each block that need not be checked any more.
    seen: Vec<AtomicU64>,
    when: Checks,
}

/// Whether blocks that are read are compared with their checks.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Care {
    /// Not at all: what stands in them has checks of its own.
    None,
    /// Those that were not yet, and it is kept in mind that they were.
    Once,
    /// Those of which nothing is kept in mind.
    Always,
}

/// What the blocks are checked by.
enum BlockChecks {
    /// Checksums that stand in the trailer, from and to here.
    InTrailer(Range<usize>),
    /// Of blocks that were decrypted.
    Sums(Vec<u32>),
    /// Of a file whose blocks are encrypted, and opened each time they are read.
    Tags(Sealed),
}

impl Space {
    /// The blocks of an encrypted pack: of one in memory all are opened at once.
    pub(crate) fn sealed(bytes: Bytes, trailer: TrailerBytes, sealed: Sealed) -> Result<Space, Error> {
        let memory = match bytes {
            Bytes::File(_) => {
                let checks = BlockChecks::Tags(sealed);
                return Ok(Space { bytes, trailer, checks, seen: Vec::new(), when: Checks::AtFirstTouch });
            }
            Bytes::Memory(memory) => memory,
            // Whoever maps a pack says when its blocks are to be checked.
            Bytes::Mapped(_) => return Err(Error::Encrypted),
        };
        let mut memory = memory.into_vec();
        let blocks = &mut memory[BLOCK_BYTES..(sealed.blocks() + 1) * BLOCK_BYTES];
        sealed.open(1, blocks)?;
        let sums: Vec<u32> = blocks.chunks_exact(BLOCK_BYTES).map(crc32fast::hash).collect();
        let (seen, checks) = (seen_bits(sums.len(), u64::MAX), BlockChecks::Sums(sums));
        Ok(Space { bytes: Bytes::Memory(Memory::of(memory)), trailer, checks, seen, when: Checks::AtFirstTouch })
    }

    /// The blocks of a pack that is not encrypted, whose checks stand in a part of the trailer.
    pub(crate) fn new(bytes: Bytes, trailer: TrailerBytes, checks: Range<usize>, when: Checks) -> Space {
        let seen = seen_bits(checks.len() / 4, if when == Checks::Never { u64::MAX } else { 0 });
        let checks = BlockChecks::InTrailer(checks);
        Space { bytes, trailer, checks, seen, when }
    }

    /// When rows are compared with their checks.
    pub(crate) fn when(&self) -> Checks {
        self.when
    }

    /// Whether rows are compared with the checks that they have of their own, in the place of those of their blocks.
    #[inline]
    pub(crate) fn checks_rows(&self) -> bool {
        self.when == Checks::AtEveryRead
    }

    /// The trailer, which was compared with its check.
    pub(crate) fn trailer(&self) -> &[u8] {
        self.trailer.bytes(&self.bytes)
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        match &self.checks {
            BlockChecks::InTrailer(sums) => sums.len() / 4,
            BlockChecks::Sums(sums) => sums.len(),
            BlockChecks::Tags(sealed) => sealed.blocks(),
        }
    }

    /// All bytes, where rows can be borrowed of them; what is read of them is asked for by [`Space::trust`] first.
    #[inline]
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        self.bytes.whole()
    }

    /// Checks what of a block of [`Space::whole`] is to be checked before its rows are believed.
    #[inline]
    pub(crate) fn trust(&self, whole: &[u8], block: u64, have_checks: bool) -> Result<(), Error> {
        match self.care(have_checks) {
            Care::None => Ok(()),
            Care::Once if self.is_seen(block) => Ok(()),
            care => self.check_in(whole, block, care),
        }
    }

    /// Whether rows can be borrowed.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self.bytes, Bytes::File(_))
    }

    #[inline]
    fn care(&self, have_checks: bool) -> Care {
        match self.when {
            Checks::AtEveryRead if have_checks => Care::None,
            Checks::AtEveryRead => Care::Always,
            Checks::AtFirstTouch | Checks::Never => Care::Once,
        }
    }

    /// Bytes of a hash section, all of one block, where they can be had without reading: checked at first touch, unless
    /// never.
    pub(crate) fn index<const N: usize>(&self, start: u64) -> Result<&[u8; N], Error> {
        if !self.is_seen(start / BLOCK) {
            self.check_in(self.whole().unwrap_or_default(), start / BLOCK, Care::Once)?;
        }
        self.known_index(start).ok_or_else(|| Error::damaged("bytes outside of the file", start))
    }

    /// Likewise, where their block was checked before, or need not be.
    #[inline]
    pub(crate) fn known_index<const N: usize>(&self, start: u64) -> Option<&[u8; N]> {
        let bytes = self.is_seen(start / BLOCK).then(|| self.whole()).flatten()?;
        bytes.get(start as usize..)?.first_chunk()
    }

    /// Whether a block was compared with its check, or need not be.
    #[inline]
    fn is_seen(&self, block: u64) -> bool {
        let at = (block as usize).wrapping_sub(1);
        // Relaxed: the bit says something of bytes that never change.
        self.seen.get(at / 64).is_some_and(|word| word.load(Ordering::Relaxed) >> (at % 64) & 1 == 1)
    }

    #[cold]
    fn check_in(&self, whole: &[u8], block: u64, care: Care) -> Result<(), Error> {
        let start = (block * BLOCK) as usize;
        self.check(block, whole.get(start..start + BLOCK_BYTES).unwrap_or_default(), care)
    }

    /// Compares a block with its check, and may keep in mind that it fits.
    #[cold]
    fn check(&self, block: u64, bytes: &[u8], care: Care) -> Result<(), Error> {
        let at = (block as usize).wrapping_sub(1);
        if self.sum(at) != Some(crc32fast::hash(bytes)) {
            return Err(Error::damaged("a block does not have its check", block * BLOCK));
        }
        if care == Care::Once {
            self.seen[at / 64].fetch_or(1 << (at % 64), Ordering::Relaxed);
        }
        Ok(())
    }

    /// The checksum of a block, counted from 0.
    fn sum(&self, at: usize) -> Option<u32> {
        match &self.checks {
            BlockChecks::InTrailer(sums) => {
                let (sums, _) = self.trailer().get(sums.clone())?.as_chunks();
                sums.get(at).copied().map(u32::from_le_bytes)
            }
            BlockChecks::Sums(sums) => sums.get(at).copied(),
            BlockChecks::Tags(_) => unreachable!("blocks that are encrypted are opened"),
        }
    }

    /// Reads blocks of a hash section, from the start of one, and compares them with their checks.
    pub(crate) fn read_index(&self, range: Range<u64>) -> Result<Box<[u8]>, Error> {
        let range = range.start..range.end.next_multiple_of(BLOCK);
        let first = range.start / BLOCK;
        let mut bytes = self.bytes.copy(range)?.into_vec();
        match &self.checks {
            BlockChecks::Tags(sealed) => sealed.open(first, &mut bytes)?,
            BlockChecks::InTrailer(_) | BlockChecks::Sums(_) => self.check_each(first, &bytes, Care::Once)?,
        }
        Ok(bytes.into())
    }

    /// Compares blocks that stand side by side with their checks, where they are still to be.
    fn check_each(&self, first: u64, blocks: &[u8], care: Care) -> Result<(), Error> {
        if care == Care::None {
            return Ok(());
        }
        for (block, bytes) in (first..).zip(blocks.chunks_exact(BLOCK_BYTES)) {
            if !self.is_seen(block) {
                self.check(block, bytes, care)?;
            }
        }
        Ok(())
    }

    /// Reads one block and compares it with its check, whatever was seen of it.
    pub(crate) fn verify(&self, block: u64, buffer: &mut [u8; BLOCK_BYTES]) -> Result<(), Error> {
        let range = block * BLOCK..(block + 1) * BLOCK;
        match (&self.bytes, &self.checks) {
            (Bytes::File(file), BlockChecks::Tags(sealed)) => {
                read_exactly(file, range.start, buffer)?;
                sealed.open(block, buffer)
            }
            (Bytes::File(file), BlockChecks::InTrailer(_) | BlockChecks::Sums(_)) => {
                read_exactly(file, range.start, buffer)?;
                self.check(block, buffer, Care::Always)
            }
            (bytes, _) => {
                self.will_scan_from(block);
                let whole = bytes.whole().unwrap_or_default();
                self.check(block, whole.get(range.start as usize..range.end as usize).unwrap_or_default(), Care::Always)
            }
        }
    }

    /// Reads bytes of rows from a file, whole blocks at a time, and checks these; but where rows have checks of their own,
    /// and are compared with them at every read.
    pub(crate) fn read(&self, range: Range<u64>, have_checks: bool) -> Result<Value<'static>, Error> {
        let care = self.care(have_checks);
        let (first, end) = (range.start / BLOCK, range.end.div_ceil(BLOCK));
        let Bytes::File(file) = &self.bytes else { unreachable!("whole bytes are borrowed") };
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
                    BlockChecks::Tags(sealed) => sealed.open(first, &mut chunk)?,
                    BlockChecks::InTrailer(_) | BlockChecks::Sums(_) => {
                        self.check_each(first, &chunk, care)?;
                    }
                }
                Value::shared(chunk)
            }
        };
        let start = (range.start - first * BLOCK) as usize;
        let part = start..start + (range.end - range.start) as usize;
        chunk.narrowed(part).ok_or_else(|| Error::damaged("bytes outside of the blocks", range.start))
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

/// A bit for each block.
fn seen_bits(blocks: usize, word: u64) -> Vec<AtomicU64> {
    (0..blocks.div_ceil(64)).map(|_| AtomicU64::new(word)).collect()
}

//! One table of one pack: its rows by place and by order ([`crate::numbers`] has them by number). Gone rows are rows
//! here.

use std::ops::Range;

use crate::block::BLOCK_BYTES;
use crate::contents::{Contents, Part};
use crate::error::Error;
use crate::first_keys::{FirstKeys, STRIDE_BYTES, last_block_from};
use crate::header::part;
use crate::keys::{Key, Keys};
use crate::row::{Head, UNIT_BYTES};
use crate::trailer::TableEntry;
use crate::value::Value;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// How far ahead of a scan the system is told to read a map.
const SCAN_BYTES: u64 = 4 << 20;

/// A row as it stands in one pack.
#[derive(Clone)]
pub(crate) struct RawRow<'p> {
    bytes: Value<'p>,
    head: Head,
    keys: Keys,
}

impl<'p> RawRow<'p> {
    pub(crate) fn key_bytes(&self) -> &[u8] {
        &self.bytes[self.head.key()]
    }

    pub(crate) fn key(&self) -> Key<'_> {
        match self.keys {
            Keys::Numbers => Key::Number(u32::from_be_bytes(part(&self.bytes, 0))),
            Keys::Bytes => Key::Bytes(self.key_bytes()),
        }
    }

    pub(crate) fn value_bytes(&self) -> &[u8] {
        &self.bytes[self.head.value()]
    }

    pub(crate) fn into_value(self) -> Value<'p> {
        let value = self.head.value();
        self.bytes.narrowed(value).expect("a row holds its value")
    }

    /// Key as it stands in the row, and value.
    pub(crate) fn into_parts(self) -> (Value<'p>, Value<'p>) {
        let key = self.bytes.clone().narrowed(self.head.key()).expect("a row holds its key");
        (key, self.into_value())
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.head.is_gone
    }

    pub(crate) fn row_bytes(&self) -> u64 {
        self.head.row_bytes()
    }
}

/// A table within an open pack.
#[derive(Clone, Copy)]
pub(crate) struct Section<'p> {
    pub(crate) contents: &'p Contents,
    pub(crate) part: &'p Part,
}

impl<'p> Section<'p> {
    pub(crate) fn rows_bytes(&self) -> u64 {
        self.part.entry.rows_bytes
    }

    /// An error about a place in the rows.
    #[cold]
    pub(crate) fn damaged(&self, what: &'static str, at: u64) -> Error {
        Error::damaged(what, self.part.entry.rows_at.saturating_add(at))
    }

    /// The row at a place in the rows, in bytes.
    #[inline]
    pub(crate) fn row_at(&self, at: u64) -> Result<RawRow<'p>, Error> {
        if at >= self.part.entry.rows_bytes {
            return Err(self.damaged("a row outside of its table", at));
        }
        let row = match self.contents.space.whole() {
            Some(whole) => self.row_in(whole, at),
            None => self.row_in_file(at),
        };
        self.right(row?, at)
    }

    /// The row at a place, where all bytes are in memory.
    #[inline]
    fn row_in(&self, whole: &'p [u8], at: u64) -> Result<RawRow<'p>, Error> {
        let keys = self.part.entry.keys;
        let (bytes, head) = self.borrowed(whole, at, keys)?;
        Ok(RawRow { bytes: Value::borrowed(bytes), head, keys })
    }

    /// The bytes of a row where all are in memory: each block that it stands in is looked at before what stands there
    /// is believed.
    #[inline]
    pub(crate) fn borrowed(&self, whole: &'p [u8], at: u64, keys: Keys) -> Result<(&'p [u8], Head), Error> {
        let (start, have_checks) = (self.part.entry.rows_at + at, keys == Keys::Numbers);
        let space = &self.contents.space;
        space.trust(whole, start / BLOCK, have_checks)?;
        let row = whole.get(start as usize..).unwrap_or_default();
        let Some(first) = row.first_chunk() else { return Err(self.damaged("bytes outside of the file", at)) };
        let head = self.head(first, at, keys)?;
        let row_bytes = head.row_bytes();
        if start % BLOCK + row_bytes > BLOCK {
            for block in start / BLOCK + 1..=(start + row_bytes - 1) / BLOCK {
                space.trust(whole, block, have_checks)?;
            }
        }
        match row.get(..row_bytes as usize) {
            Some(row) => Ok((row, head)),
            None => Err(self.damaged("bytes outside of the file", at)),
        }
    }

    /// A row of a file: its first block is read whole, since mostly the row ends in it.
    fn row_in_file(&self, at: u64) -> Result<RawRow<'p>, Error> {
        let TableEntry { rows_at, keys, .. } = self.part.entry;
        let start = rows_at + at;
        let reach = (start / BLOCK + 1) * BLOCK;
        let have_checks = keys == Keys::Numbers;
        let bytes = self.contents.space.read(start..reach, have_checks)?;
        let head = self.head(&part(&bytes, 0), at, keys)?;
        let row_end = start + head.row_bytes();
        let bytes = if row_end <= reach {
            bytes.narrowed(0..head.row_bytes() as usize).expect("it ends before `reach`")
        } else {
            self.contents.space.read(start..row_end, have_checks)?
        };
        Ok(RawRow { bytes, head, keys })
    }

    /// The head of a row, which must end in its table.
    #[inline]
    fn head(&self, bytes: &[u8; 8], at: u64, keys: Keys) -> Result<Head, Error> {
        let rows_bytes = self.part.entry.rows_bytes;
        let head = Head::parse(*bytes, keys).ok_or_else(|| self.damaged("no row stands here", at))?;
        match head.row_bytes() <= rows_bytes - at {
            true => Ok(head),
            false => Err(self.damaged("a row that does not end in its table", at)),
        }
    }

    /// A row that has its own check, where it is to be compared with that.
    #[inline]
    fn right(&self, row: RawRow<'p>, at: u64) -> Result<RawRow<'p>, Error> {
        if self.contents.space.checks_rows() { self.compared(row, at) } else { Ok(row) }
    }

    /// A row that has its own check.
    pub(crate) fn compared(&self, row: RawRow<'p>, at: u64) -> Result<RawRow<'p>, Error> {
        if row.head.is_right(&row.bytes) {
            return Ok(row);
        }
        Err(self.damaged("a row does not have its check", at))
    }

    /// Where the first row of a block starts, in bytes from the start of the rows; blocks are counted from the start of
    /// the file.
    pub(crate) fn start_of(&self, block: u64) -> Result<Option<u64>, Error> {
        match self.contents.first_row_of(block) {
            None => Ok(None),
            Some(start) => {
                let at = (block * BLOCK + u64::from(start) * UNIT_BYTES).checked_sub(self.part.entry.rows_at);
                let at = at.filter(|at| *at < self.rows_bytes() && u64::from(start) * UNIT_BYTES < BLOCK);
                at.map(Some).ok_or_else(|| self.damaged("the trailer names a row outside of its table", 0))
            }
        }
    }

    /// The first keys of its blocks, where the trailer has them.
    pub(crate) fn block_keys(&self) -> &'p [u8] {
        let FirstKeys::OfBlocks(keys) = &self.part.first_keys else { return &[] };
        self.contents.space.trailer().get(keys.clone()).unwrap_or_default()
    }

    /// The last first row of a block whose key, of those that stand in the trailer, is not greater than this one; the
    /// first row when there is none.
    fn start_before(&self, key: &[u8]) -> Result<u64, Error> {
        let (first, last) = (self.block_of(0), last_block_from(self.block_keys(), key) as u64);
        for block in (first..=first + last).rev() {
            if let Some(start) = self.start_of(block)? {
                return Ok(start);
            }
        }
        Err(self.damaged("the trailer names no first row", 0))
    }

    /// The block in which a place in the rows is, counted from the start of the file.
    pub(crate) fn block_of(&self, at: u64) -> u64 {
        (self.part.entry.rows_at + at) / BLOCK
    }
}

/// Reads the rows of a section one after another: of a file a chunk at a time, and of a map with the system told to be
/// ahead.
#[derive(Clone)]
pub(crate) struct Reader<'p> {
    pub(crate) section: Section<'p>,
    chunk_bytes: u64,
    chunk: Option<(u64, Value<'p>)>,
    began: Option<u64>,
    told: u64,
}

impl<'p> Reader<'p> {
    /// For many rows: of a file it reads 64 KiB at a time.
    pub(crate) fn new(section: Section<'p>) -> Reader<'p> {
        Reader { section, chunk_bytes: STRIDE_BYTES, chunk: None, began: None, told: 0 }
    }

    /// For one row: of a file it reads a block at a time.
    pub(crate) fn of_blocks(section: Section<'p>) -> Reader<'p> {
        Reader { chunk_bytes: BLOCK, ..Reader::new(section) }
    }

    /// The row at a place in the rows, in bytes.
    pub(crate) fn row_at(&mut self, at: u64) -> Result<RawRow<'p>, Error> {
        if self.section.contents.space.is_whole() {
            self.tell(at);
            return self.section.row_at(at);
        }
        if let Some(row) = self.in_chunk(at) {
            return self.section.right(row, at);
        }
        let TableEntry { rows_at, rows_bytes, keys, .. } = self.section.part.entry;
        if at >= rows_bytes {
            return Err(self.section.damaged("a row outside of its table", at));
        }
        let start = at - at % self.chunk_bytes;
        let end = rows_bytes.min(start + self.chunk_bytes);
        let chunk = self.section.contents.space.read(rows_at + start..rows_at + end, keys == Keys::Numbers)?;
        self.chunk = Some((start, chunk));
        match self.in_chunk(at) {
            Some(row) => self.section.right(row, at),
            // A row that goes beyond the chunk is read by itself.
            None => self.section.row_at(at),
        }
    }

    fn in_chunk(&self, at: u64) -> Option<RawRow<'p>> {
        let (start, chunk) = self.chunk.as_ref()?;
        let from = usize::try_from(at.checked_sub(*start)?).ok()?;
        let keys = self.section.part.entry.keys;
        let head = Head::parse(*chunk.get(from..)?.first_chunk()?, keys)?;
        let end = from.checked_add(usize::try_from(head.row_bytes()).ok()?)?;
        chunk.clone().narrowed(from..end).map(|bytes| RawRow { bytes, head, keys })
    }

    /// Once a scan has come 64 KiB far, the system is asked to read on.
    fn tell(&mut self, at: u64) {
        let began = *self.began.get_or_insert(at);
        if at >= self.told && at > began + STRIDE_BYTES {
            let start = self.section.part.entry.rows_at + at;
            let end = self.section.part.entry.rows_at + self.section.rows_bytes();
            self.section.contents.space.will_scan(start..end.min(start + SCAN_BYTES));
            self.told = at + SCAN_BYTES / 2;
        }
    }

    /// The place of the first row with this key or a greater one; the end of the rows when there is none.
    pub(crate) fn lower_bound(&mut self, key: &[u8]) -> Result<u64, Error> {
        Ok(self.first_from(key)?.map_or(self.section.rows_bytes(), |(at, _)| at))
    }

    /// The row of this key, and its place.
    pub(crate) fn find(&mut self, key: &[u8]) -> Result<Option<(u64, RawRow<'p>)>, Error> {
        Ok(self.first_from(key)?.filter(|(_, row)| row.key_bytes() == key))
    }

    /// The first row with this key or a greater one, and its place.
    fn first_from(&mut self, key: &[u8]) -> Result<Option<(u64, RawRow<'p>)>, Error> {
        let rows_bytes = self.section.rows_bytes();
        if rows_bytes == 0 {
            return Ok(None);
        }
        let mut at = match &self.section.part.first_keys {
            FirstKeys::OfBlocks(_) => self.section.start_before(key)?,
            FirstKeys::OfStrides(keys) => self.start_within(keys.stretch(key, rows_bytes), key)?,
        };
        while at < rows_bytes {
            let row = self.row_at(at)?;
            if row.key_bytes() >= key {
                return Ok(Some((at, row)));
            }
            at += row.row_bytes();
        }
        Ok(None)
    }

    /// The last first row of a block, of those within a part of the rows, whose key is not greater than this one; the start
    /// of the part when there is none.
    fn start_within(&mut self, part: Range<u64>, key: &[u8]) -> Result<u64, Error> {
        let mut at = part.start;
        let mut low = self.section.block_of(part.start) + 1;
        let mut high = self.section.block_of(part.end.saturating_sub(1)) + 1;
        while low < high {
            let middle = low + (high - low) / 2;
            let mut started = None;
            for block in (low..=middle).rev() {
                if let Some(start) = self.section.start_of(block)? {
                    started = Some((block, start));
                    break;
                }
            }
            match started {
                None => low = middle + 1,
                Some((block, start)) if self.row_at(start)?.key_bytes() > key => high = block,
                Some((_, start)) => (at, low) = (start, middle + 1),
            }
        }
        Ok(at)
    }
}

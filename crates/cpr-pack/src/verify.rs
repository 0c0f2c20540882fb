//! Reads all of a pack and compares it: blocks with their checks, rows with the index.

use std::ops::Range;

use crate::block::BLOCK_BYTES;
use crate::contents::Contents;
use crate::error::Error;
use crate::first_keys::{FirstKeys, NUMBER_BYTES, STRIDE_BYTES, of_block};
use crate::header::Kind;
use crate::keys::Key;
use crate::row::UNIT_BYTES;
use crate::section::{RawRow, Reader, Section};

/// What was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Verified {
    /// Blocks of 4 KiB that have their check.
    pub blocks: u64,
    /// Rows that stand where the index says, with those that are gone.
    pub rows: u64,
}

/// Something in a pack that is not what was written, or contradicts the rest; as [`Error::Damaged`] says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// What is wrong.
    pub what: &'static str,
    /// Where, counted from the start of the file.
    pub at: u64,
}

/// Faults so far, each once, and how many are told at most.
struct Faults {
    found: Vec<Fault>,
    most: usize,
}

impl Faults {
    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    /// Takes damage in; true when there was none. Any other error ends the verification.
    fn sound<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Err(Error::Damaged { what, at }) => {
                let fault = Fault { what, at };
                if !self.is_full() && !self.found.contains(&fault) {
                    self.found.push(fault);
                }
                Ok(None)
            }
            read => read.map(Some),
        }
    }
}

/// Reads everything, and goes on behind a fault until there are as many as are wanted.
pub(crate) fn verify(contents: &Contents, most: usize) -> Result<(Verified, Vec<Fault>), Error> {
    let mut faults = Faults { found: Vec::new(), most };
    let mut verified = Verified::default();
    let mut buffer = Box::new([0; BLOCK_BYTES]);
    for block in 1..=contents.space.blocks() as u64 {
        let is_sound = faults.sound(contents.space.verify(block, &mut buffer))?.is_some();
        verified.blocks += u64::from(is_sound);
        if faults.is_full() {
            return Ok((verified, faults.found));
        }
    }
    for part in &contents.parts {
        verified.rows += verify_rows(Section { contents, part }, &mut faults)?;
        if faults.is_full() {
            break;
        }
    }
    Ok((verified, faults.found))
}

/// Compares the rows of a table with its index; how many stand where they should. Behind a fault it goes on with the
/// first row of a later block.
fn verify_rows(section: Section<'_>, faults: &mut Faults) -> Result<u64, Error> {
    let rows_bytes = section.rows_bytes();
    let mut walk = Walk::new(section);
    let (mut at, mut is_whole) = (0, true);
    while at < rows_bytes && !faults.is_full() {
        let row = walk.step(at);
        at = match faults.sound(row)? {
            Some(row_bytes) => at + row_bytes,
            None => {
                is_whole = false;
                match faults.sound(walk.resume_behind(at))?.flatten() {
                    Some(next) => next,
                    None => break,
                }
            }
        };
    }
    if is_whole {
        faults.sound(walk.end())?;
    }
    Ok(walk.rows)
}

/// A walk over the rows of a table beside the three indexes that say where they stand.
struct Walk<'p> {
    section: Section<'p>,
    reader: Reader<'p>,
    /// The first key that is to come next, counted from 0: of blocks, that of the block behind those that were seen.
    first_key: usize,
    /// The blocks whose first row is still to come.
    blocks: Range<u64>,
    stride_end: u64,
    last_key: Option<Vec<u8>>,
    rows: u64,
    gone: u64,
}

impl<'p> Walk<'p> {
    fn new(section: Section<'p>) -> Walk<'p> {
        let rows_end = section.rows_bytes().next_multiple_of(BLOCK_BYTES as u64);
        let blocks = section.block_of(0)..section.block_of(rows_end);
        let reader = Reader::new(section);
        Walk { section, reader, first_key: 0, blocks, stride_end: 0, last_key: None, rows: 0, gone: 0 }
    }

    /// Compares the row at a place; its bytes.
    fn step(&mut self, at: u64) -> Result<u64, Error> {
        let section = self.section;
        let row = section.compared(self.reader.row_at(at)?, at)?;
        let wrong = |what| section.damaged(what, at);
        if self.last_key.as_deref().is_some_and(|last| last >= row.key_bytes()) {
            return Err(wrong("rows are out of order"));
        }
        if row.is_gone() && section.contents.description.kind == Kind::Base {
            return Err(wrong("a row of a base is gone"));
        }
        if !self.has_its_first_key(at, row.key_bytes()) {
            return Err(wrong("the first keys are those of other rows"));
        }
        if self.blocks.start <= section.block_of(at) && self.next_start()? != Some(at) {
            return Err(wrong("the trailer names another row as the first of its block"));
        }
        if let Key::Number(number) = row.key()
            && section.find_in_lines(number)?.map(u64::from) != Some(at / UNIT_BYTES)
        {
            return Err(wrong("the hash section does not lead to a row"));
        }
        self.count(&row);
        Ok(row.row_bytes())
    }

    /// Whether the first keys say of a row what they should: where it is the first of its block, or of its 64 KiB.
    fn has_its_first_key(&mut self, at: u64, key: &[u8]) -> bool {
        match &self.section.part.first_keys {
            FirstKeys::OfStrides(_) if at < self.stride_end => true,
            FirstKeys::OfStrides(keys) => {
                self.stride_end = (at / STRIDE_BYTES + 1) * STRIDE_BYTES;
                self.first_key += 1;
                keys.get(self.first_key - 1) == Some(((at / UNIT_BYTES) as u32, key))
            }
            FirstKeys::OfBlocks(_) => {
                let block = self.block_in_table(at);
                if block < self.first_key {
                    return true;
                }
                let is_right =
                    self.has_no_first_row_up_to(block) && of_block(self.section.block_keys(), block) == Some(key);
                self.first_key = block + 1;
                is_right
            }
        }
    }

    /// Whether the blocks from the next first key on have that of the block before, as those have in which no row starts.
    fn has_no_first_row_up_to(&self, block: usize) -> bool {
        let keys = self.section.block_keys();
        (self.first_key.max(1)..block).all(|block| of_block(keys, block) == of_block(keys, block - 1))
    }

    fn block_in_table(&self, at: u64) -> usize {
        (self.section.block_of(at) - self.section.block_of(0)) as usize
    }

    fn count(&mut self, row: &RawRow<'_>) {
        self.rows += 1;
        self.gone += u64::from(row.is_gone());
        let last = self.last_key.get_or_insert_default();
        last.clear();
        last.extend_from_slice(row.key_bytes());
    }

    /// Where the first row of the next block in which one starts is.
    fn next_start(&mut self) -> Result<Option<u64>, Error> {
        let section = self.section;
        self.blocks.by_ref().find_map(|block| section.start_of(block).transpose()).transpose()
    }

    /// The first row of a later block than that of a place, where the walk goes on.
    fn resume_behind(&mut self, at: u64) -> Result<Option<u64>, Error> {
        self.blocks.start = self.section.block_of(at) + 1;
        let Some(next) = self.next_start()? else { return Ok(None) };
        self.blocks.start = self.section.block_of(next);
        match &self.section.part.first_keys {
            FirstKeys::OfBlocks(_) => self.first_key = self.block_in_table(next),
            FirstKeys::OfStrides(keys) => {
                let place = |at: usize| keys.get(at).map(|(place, _)| u64::from(place) * UNIT_BYTES);
                while place(self.first_key).is_some_and(|place| place < next) {
                    self.first_key += 1;
                }
                let is_first = place(self.first_key) == Some(next);
                self.stride_end = if is_first { next } else { (next / STRIDE_BYTES + 1) * STRIDE_BYTES };
            }
        }
        self.last_key = None;
        Ok(Some(next))
    }

    /// That no index says more.
    fn end(&mut self) -> Result<(), Error> {
        let entry = &self.section.part.entry;
        let are_more = match &self.section.part.first_keys {
            FirstKeys::OfBlocks(keys) => !self.has_no_first_row_up_to(keys.len() / NUMBER_BYTES),
            FirstKeys::OfStrides(keys) => keys.get(self.first_key).is_some(),
        };
        let more = are_more || self.next_start()?.is_some();
        if self.rows != entry.rows || self.gone != entry.gone || more {
            return Err(self.section.damaged("the trailer counts other rows", 0));
        }
        Ok(())
    }
}

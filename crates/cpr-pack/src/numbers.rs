//! The rows of a section by number: the line of the hash section, the row that it leads to, and what is checked on the
//! way. A hot get is this: where the bytes of a pack are in memory it borrows them, and nothing on the way is larger
//! than a slice.

use std::hint::black_box;

use crate::block::BLOCK_BYTES;
use crate::error::Error;
use crate::hash::{self, Found, LINE_BYTES};
use crate::header::u32_at;
use crate::keys::Keys;
use crate::row::UNIT_BYTES;
use crate::section::Section;
use crate::trailer::TableEntry;
use crate::value::Value;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// How much is fetched ahead of its use where a row begins of which nothing is known.
const NEAR_BYTES: usize = 640;

/// How much of a row is fetched ahead of its use.
const TOUCHED_BYTES: usize = 1024;

/// What a section has under a number.
pub(crate) enum Under<'p> {
    /// No row.
    Nothing,
    /// A row which says that the one of the base is gone.
    Gone,
    Value(Value<'p>),
}

impl<'p> Under<'p> {
    /// The value, if there is one.
    #[inline]
    pub(crate) fn value(self) -> Option<Value<'p>> {
        match self {
            Under::Value(value) => Some(value),
            Under::Nothing | Under::Gone => None,
        }
    }
}

impl<'p> Section<'p> {
    /// A line of the hash section.
    #[inline]
    pub(crate) fn line(&self, line: u32) -> Result<&'p [u8; LINE_BYTES], Error> {
        let start = u64::from(line) * LINE_BYTES as u64;
        match &self.part.lines {
            None => self.contents.space.index(self.part.entry.lines_at + start),
            Some(lines) => {
                let bytes = lines.bytes(&self.contents.space, start..start + LINE_BYTES as u64)?;
                bytes.try_into().map_err(|_| self.damaged("a line outside of the hash section", 0))
            }
        }
    }

    /// The two lines of a number; none in an empty table.
    #[inline]
    pub(crate) fn choices(&self, number: u32) -> Option<[u32; 2]> {
        let TableEntry { lines, seed, .. } = self.part.entry;
        (lines > 0).then(|| hash::choices(number, seed, lines))
    }

    /// Where the row of a number is, in units of eight bytes.
    #[inline]
    pub(crate) fn find(&self, number: u32) -> Result<Option<u32>, Error> {
        let Some([first, second]) = self.choices(number) else { return Ok(None) };
        match hash::search(self.line(first)?, number) {
            Found::At(place) => Ok(Some(place)),
            Found::Nowhere => Ok(None),
            Found::Full => self.find_in(second, number),
        }
    }

    /// Where the row of a number is, if it stands in its second line.
    pub(crate) fn find_in(&self, second: u32, number: u32) -> Result<Option<u32>, Error> {
        match hash::search(self.line(second)?, number) {
            Found::At(place) => Ok(Some(place)),
            Found::Nowhere | Found::Full => Ok(None),
        }
    }

    /// What stands under a number.
    #[inline]
    pub(crate) fn under(&self, number: u32) -> Result<Under<'p>, Error> {
        let Some(place) = self.find(number)? else { return Ok(Under::Nothing) };
        black_box(self.touch_near(place));
        self.under_at(number, place)
    }

    /// What stands under a number at the place that the hash section names.
    #[inline]
    pub(crate) fn under_at(&self, number: u32, place: u32) -> Result<Under<'p>, Error> {
        match self.contents.space.whole() {
            Some(whole) => self.under_in(whole, number, place),
            None => self.read(number, place),
        }
    }

    /// Of bytes in memory.
    #[inline]
    fn under_in(&self, whole: &'p [u8], number: u32, place: u32) -> Result<Under<'p>, Error> {
        let at = u64::from(place) * UNIT_BYTES;
        if at >= self.rows_bytes() {
            return Err(self.damaged("a row outside of its table", at));
        }
        let (row, head) = self.borrowed(whole, at, Keys::Numbers)?;
        if self.contents.space.checks_rows() && !head.is_right(row) {
            return Err(self.damaged("a row does not have its check", at));
        }
        if row[..4] != number.to_be_bytes() {
            return Err(self.another(at));
        }
        Ok(if head.is_gone { Under::Gone } else { Under::Value(Value::borrowed(&row[head.value()])) })
    }

    /// Of a file.
    fn read(&self, number: u32, place: u32) -> Result<Under<'p>, Error> {
        let at = u64::from(place) * UNIT_BYTES;
        let row = self.row_at(at)?;
        if row.key_bytes() != number.to_be_bytes() {
            return Err(self.another(at));
        }
        Ok(if row.is_gone() { Under::Gone } else { Under::Value(row.into_value()) })
    }

    #[cold]
    fn another(&self, at: u64) -> Error {
        self.damaged("another row than the hash section says", at)
    }

    /// Fetches the head of a row, without any decision or check.
    #[inline]
    pub(crate) fn touch(&self, place: u32) -> u8 {
        self.bytes_at(place).first().copied().unwrap_or(0)
    }

    /// Fetches what follows the head of a row, as far as mostly a row reaches: each line of the processor's memory by
    /// itself, so that none waits for another.
    #[inline]
    pub(crate) fn touch_rest(&self, place: u32) -> u8 {
        let row = self.bytes_at(place);
        let length = row.first_chunk().map_or(0, |head: &[u8; 8]| u32_at(head, 4) as usize);
        fetch(row.get(LINE_BYTES..length.min(TOUCHED_BYTES)).unwrap_or_default())
    }

    /// Fetches what stands where a row begins, as far as mostly a row reaches: so that whoever reads the row waits
    /// once, and not for its head, then its end, then its middle. What stands in a block that was not read before may
    /// not be in memory, and is nobody's wish.
    #[inline]
    fn touch_near(&self, place: u32) -> u8 {
        let row = self.bytes_at(place);
        let start = self.part.entry.rows_at + u64::from(place) * UNIT_BYTES;
        let in_block = start % BLOCK;
        match row.first_chunk::<NEAR_BYTES>() {
            Some(near) if in_block <= BLOCK - NEAR_BYTES as u64 || self.contents.space.is_seen(start / BLOCK + 1) => {
                fetch(near)
            }
            _ => fetch(row.get(..(BLOCK - in_block) as usize).unwrap_or_default()),
        }
    }

    /// The bytes from a place on, where they are in memory; nothing of them is checked.
    #[inline]
    fn bytes_at(&self, place: u32) -> &'p [u8] {
        let start = self.part.entry.rows_at + u64::from(place) * UNIT_BYTES;
        self.contents.space.whole().and_then(|whole| whole.get(start as usize..)).unwrap_or_default()
    }
}

/// Has the processor fetch bytes, a line at a time.
#[inline(always)]
fn fetch(bytes: &[u8]) -> u8 {
    bytes.iter().step_by(LINE_BYTES).fold(0, |touched, byte| touched ^ byte)
}

//! The rows of a section by number: the line of the hash section, the row that it leads to, and what is checked on the
//! way. A hot get is this: where the bytes of a pack are in memory it borrows them, and nothing on the way is larger
//! than a slice.
//!
//! What will be read is fetched ahead, by an instruction of the processor that waits for nothing and reads nothing from
//! a disk: bytes that are not in memory stay where they are.

use prefetch_index::prefetch_index;

use crate::error::Error;
use crate::hash::{self, Found, LINE_BYTES};
use crate::keys::Keys;
use crate::row::UNIT_BYTES;
use crate::section::{Reader, Section};
use crate::trailer::TableEntry;
use crate::value::Value;

/// How much is fetched ahead of its use where a row begins of which nothing is known.
const NEAR_BYTES: usize = 640;

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
    fn line(&self, line: u32) -> Result<&'p [u8; LINE_BYTES], Error> {
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

    /// A line of the hash section that was read and compared with its check before.
    #[inline]
    fn known_line(&self, line: u32) -> Option<&'p [u8; LINE_BYTES]> {
        let start = u64::from(line) * LINE_BYTES as u64;
        match &self.part.lines {
            None => self.contents.space.known_index(self.part.entry.lines_at + start),
            Some(lines) => lines.known(start..start + LINE_BYTES as u64)?.try_into().ok(),
        }
    }

    /// Has a line of the hash section fetched.
    #[inline]
    pub(crate) fn fetch_line(&self, line: u32) {
        let start = self.part.entry.lines_at as usize + line as usize * LINE_BYTES;
        if let Some(whole) = self.contents.space.whole() {
            prefetch_index(whole, start);
        }
    }

    /// Where the row of a number is, in units of eight bytes.
    #[inline]
    fn find(&self, number: u32) -> Result<Option<u32>, Error> {
        let Some(lines) = self.choices(number) else { return Ok(None) };
        self.find_by(lines, number)
    }

    /// Where the row of a number is, by the two lines in which it may stand.
    #[inline]
    pub(crate) fn find_by(&self, lines: [u32; 2], number: u32) -> Result<Option<u32>, Error> {
        match self.known_line(lines[0]) {
            Some(line) => self.find_in(line, lines[1], number),
            None => self.find_cold(lines, number),
        }
    }

    /// Where the row of a number is, by its first line, and its second one if need be.
    #[inline]
    fn find_in(&self, first: &[u8; LINE_BYTES], second: u32, number: u32) -> Result<Option<u32>, Error> {
        match hash::search(first, number) {
            Found::At(place) => Ok(Some(place)),
            Found::Nowhere => Ok(None),
            Found::Full => self.find_in_second(second, number),
        }
    }

    fn find_in_second(&self, second: u32, number: u32) -> Result<Option<u32>, Error> {
        match hash::search(self.line(second)?, number) {
            Found::At(place) => Ok(Some(place)),
            Found::Nowhere | Found::Full => Ok(None),
        }
    }

    /// Where the row of a number is, whose first line was not read before: in the order of the rows as long as that is
    /// the shorter way.
    #[cold]
    fn find_cold(&self, lines: [u32; 2], number: u32) -> Result<Option<u32>, Error> {
        if self.part.asked.is_seldom(lines[0]) {
            return self.find_in_order(number);
        }
        self.find_in(self.line(lines[0])?, lines[1], number)
    }

    /// Where the row of a number is, by the first keys of blocks alone: one block is read, mostly.
    fn find_in_order(&self, number: u32) -> Result<Option<u32>, Error> {
        let row = Reader::of_blocks(*self).find(&number.to_be_bytes())?;
        Ok(row.map(|(at, _)| (at / UNIT_BYTES) as u32))
    }

    /// Where the hash section says that the row of a number is.
    pub(crate) fn find_in_lines(&self, number: u32) -> Result<Option<u32>, Error> {
        let Some([first, second]) = self.choices(number) else { return Ok(None) };
        self.find_in(self.line(first)?, second, number)
    }

    /// What stands under a number.
    #[inline]
    pub(crate) fn under(&self, number: u32) -> Result<Under<'p>, Error> {
        let Some(place) = self.find(number)? else { return Ok(Under::Nothing) };
        self.fetch_row(place);
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

    /// Has fetched what stands where a row begins, as far as mostly a row reaches: so that whoever reads the row waits
    /// once, and not for its head, then its end, then its middle.
    #[inline]
    pub(crate) fn fetch_row(&self, place: u32) {
        self.fetch_from(place, NEAR_BYTES);
    }

    /// Has fetched where a row begins.
    #[inline]
    pub(crate) fn fetch_start(&self, place: u32) {
        self.fetch_from(place, LINE_BYTES);
    }

    #[inline(always)]
    fn fetch_from(&self, place: u32, bytes: usize) {
        let start = (self.part.entry.rows_at + u64::from(place) * UNIT_BYTES) as usize;
        if let Some(whole) = self.contents.space.whole() {
            (0..bytes).step_by(LINE_BYTES).for_each(|at| prefetch_index(whole, start + at));
        }
    }
}

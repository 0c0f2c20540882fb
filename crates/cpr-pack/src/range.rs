//! Rows in the order of their keys, from both ends, of a base and its overlay as one.

use std::cmp::Ordering;
use std::fmt;

use crate::block::BLOCK_BYTES;
use crate::error::Error;
use crate::keys::Key;
use crate::section::{RawRow, Reader, Section};
use crate::value::Value;

/// A row of a table.
pub struct Row<'p>(RawRow<'p>);

impl<'p> Row<'p> {
    /// The key, of the table's kind.
    pub fn key(&self) -> Key<'_> {
        self.0.key()
    }

    /// The value.
    pub fn value(&self) -> &[u8] {
        self.0.value_bytes()
    }

    /// Key and value, to be kept. The key is as it stands in the row: of a number the four bytes, highest first.
    pub fn into_parts(self) -> (Value<'p>, Value<'p>) {
        self.0.into_parts()
    }

    /// The value, to be kept.
    pub fn into_value(self) -> Value<'p> {
        self.0.into_value()
    }
}

/// Says how long the value is, and nothing else.
impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} bytes)", self.value().len())
    }
}

/// Which end a scan goes on at.
#[derive(Clone, Copy)]
enum End {
    Front,
    Back,
}

/// The rows between two keys; see [`Table::range`](crate::Table::range). After an error it ends.
pub struct Range<'p> {
    base: Option<Cursor<'p>>,
    overlay: Option<Cursor<'p>>,
}

impl<'p> Range<'p> {
    pub(crate) fn of(base: Option<Cursor<'p>>, overlay: Option<Cursor<'p>>) -> Range<'p> {
        Range { base, overlay }
    }

    /// The next row from one end. Whatever key is taken is taken from both packs, so both ends agree on what is left.
    fn step(&mut self, end: End) -> Result<Option<Row<'p>>, Error> {
        loop {
            let (mut base, mut overlay) = (self.base.as_mut(), self.overlay.as_mut());
            let first = match &mut base {
                Some(cursor) => cursor.peek(end)?,
                None => None,
            };
            let second = match &mut overlay {
                Some(cursor) => cursor.peek(end)?,
                None => None,
            };
            let order = match (first, second) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(first), Some(second)) => match end {
                    End::Front => first.key_bytes().cmp(second.key_bytes()),
                    End::Back => second.key_bytes().cmp(first.key_bytes()),
                },
            };
            let old = if order.is_le() { base.and_then(|base| base.take(end)) } else { None };
            let new = if order.is_ge() { overlay.and_then(|overlay| overlay.take(end)) } else { None };
            match new.or(old) {
                Some(row) if !row.is_gone() => return Ok(Some(Row(row))),
                _ => {}
            }
        }
    }

    fn next_from(&mut self, end: End) -> Option<Result<Row<'p>, Error>> {
        let row = self.step(end);
        if row.is_err() {
            (self.base, self.overlay) = (None, None);
        }
        row.transpose()
    }
}

impl<'p> Iterator for Range<'p> {
    type Item = Result<Row<'p>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_from(End::Front)
    }
}

impl DoubleEndedIterator for Range<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.next_from(End::Back)
    }
}

impl std::iter::FusedIterator for Range<'_> {}

/// Says nothing of the rows.
impl fmt::Debug for Range<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Range")
    }
}

/// The rows of one section between two places, gone ones too.
pub(crate) struct Cursor<'p> {
    reader: Reader<'p>,
    front: u64,
    back: u64,
    front_row: Option<RawRow<'p>>,
    back_row: Option<RawRow<'p>>,
    /// Places of rows before `back`, the last of them last, when a block was walked through to find them.
    before_back: Vec<u64>,
}

impl<'p> Cursor<'p> {
    /// From the first row with a key that is `from` or greater, up to the one before the first that is `to` or greater.
    pub(crate) fn new(section: Section<'p>, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<Cursor<'p>, Error> {
        let mut reader = Reader::new(section);
        let front = from.map_or(Ok(0), |from| reader.lower_bound(from))?;
        let back = to.map_or(Ok(section.rows_bytes()), |to| reader.lower_bound(to))?;
        let reader = Reader::new(section);
        Ok(Cursor { reader, front, back, front_row: None, back_row: None, before_back: Vec::new() })
    }

    fn peek(&mut self, end: End) -> Result<Option<&RawRow<'p>>, Error> {
        if self.front >= self.back {
            return Ok(None);
        }
        match end {
            End::Front => {
                if self.front_row.is_none() {
                    self.front_row = Some(self.reader.row_at(self.front)?);
                }
                Ok(self.front_row.as_ref())
            }
            End::Back => {
                if self.back_row.is_none() {
                    let at = self.last_place()?;
                    self.back_row = Some(self.reader.row_at(at)?);
                }
                Ok(self.back_row.as_ref())
            }
        }
    }

    /// The next row, gone ones too.
    pub(crate) fn next_row(&mut self) -> Result<Option<RawRow<'p>>, Error> {
        self.peek(End::Front)?;
        Ok(self.take(End::Front))
    }

    /// Takes the row that was looked at.
    fn take(&mut self, end: End) -> Option<RawRow<'p>> {
        match end {
            End::Front => {
                let row = self.front_row.take()?;
                self.front += row.row_bytes();
                Some(row)
            }
            End::Back => {
                let row = self.back_row.take()?;
                self.back = self.before_back.pop()?;
                Some(row)
            }
        }
    }

    /// Where the last row before `back` starts.
    fn last_place(&mut self) -> Result<u64, Error> {
        let section = self.reader.section;
        let mut end = self.back;
        while self.before_back.is_empty() {
            if end <= self.front {
                return Err(section.damaged("no row ends where one should", self.back));
            }
            let block = section.block_of(end - 1);
            let mut at = section.start_of(block)?.unwrap_or(self.back);
            while at < end {
                if at >= self.front {
                    self.before_back.push(at);
                }
                at += self.reader.row_at(at)?.row_bytes();
            }
            if !self.before_back.is_empty() && at != self.back {
                return Err(section.damaged("no row ends where one should", self.back));
            }
            end = (block * BLOCK_BYTES as u64).saturating_sub(section.part.entry.rows_at).min(end - 1);
        }
        Ok(self.before_back.last().copied().unwrap_or(self.back))
    }
}

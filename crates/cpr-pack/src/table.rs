//! A table as it is read: of one pack, or of a base and its overlay as one.

use std::ops::{Bound, RangeBounds};

use crate::error::Error;
use crate::keys::{Key, Keys, RawKey};
use crate::numbers::Under;
use crate::range::{Cursor, Range};
use crate::section::{Reader, Section};
use crate::value::Value;

/// How many numbers [`Table::get_many`] looks up side by side.
const GROUP: usize = 64;

/// How many rows are being fetched while one is read: two and eight were as fast, none and sixteen slower.
const AHEAD: usize = 4;

/// On which side of a key a range begins or ends.
enum Side {
    Before,
    Behind,
}

/// A table: of one pack, or of a base and its overlay as one. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Table<'p> {
    below: Section<'p>,
    above: Option<Section<'p>>,
}

impl<'p> Table<'p> {
    pub(crate) fn of(below: Section<'p>, above: Option<Section<'p>>) -> Table<'p> {
        Table { below, above }
    }

    /// What its keys are.
    pub fn keys(&self) -> Keys {
        self.below.part.entry.keys
    }

    /// The value of a key; none when there is no such row.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKeys`] for a key of the other kind; [`Error::Damaged`]; [`Error::Io`] from a file.
    #[inline]
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Result<Option<Value<'p>>, Error> {
        match key.into() {
            Key::Number(number) if self.keys() == Keys::Numbers => self.get_number(number),
            Key::Bytes(bytes) if self.keys() == Keys::Bytes => self.get_bytes(bytes),
            key => Err(self.other_keys(key)),
        }
    }

    #[inline]
    fn get_number(&self, number: u32) -> Result<Option<Value<'p>>, Error> {
        if let Some(above) = &self.above {
            match above.under(number)? {
                Under::Nothing => {}
                found => return Ok(found.value()),
            }
        }
        Ok(self.below.under(number)?.value())
    }

    fn get_bytes(&self, key: &[u8]) -> Result<Option<Value<'p>>, Error> {
        for section in self.above.into_iter().chain([self.below]) {
            if let Some((_, row)) = Reader::new(section).find(key)? {
                return Ok((!row.is_gone()).then(|| row.into_value()));
            }
        }
        Ok(None)
    }

    /// Goes through the values of many numbers, in the order of the numbers; none where there is no such row. Where rows
    /// are in memory it costs a fraction of as many gets: the processor fetches the rows side by side.
    ///
    /// ```
    /// # use cpr_pack::{Checks, Description, Keys, Kind, Pack, Writer};
    /// # fn main() -> Result<(), cpr_pack::Error> {
    /// # let description = Description { store: [7; 16], kind: Kind::Base, delivery: 1, rows_version: 1, digest: [0; 32] };
    /// # let mut writer = Writer::new(std::io::Cursor::new(Vec::new()), &description)?;
    /// # writer.table("persons", Keys::Numbers)?;
    /// # writer.row(4, b"four")?;
    /// # writer.row(7, b"seven")?;
    /// # let pack = Pack::from_bytes(writer.finish()?.0.into_inner(), Checks::AtFirstTouch)?;
    /// let persons = pack.table("persons", Keys::Numbers)?;
    /// let mut found = Vec::new();
    /// persons.get_many(&[7, 5, 4], |number, value| -> Result<(), cpr_pack::Error> {
    ///     found.push((number, value.map(|value| value.len())));
    ///     Ok(())
    /// })?;
    /// assert_eq!(found, [(7, Some(5)), (5, None), (4, Some(4))]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Table::get), and those of `act`, at the first one.
    pub fn get_many<E: From<Error>>(
        &self,
        numbers: &[u32],
        mut act: impl FnMut(u32, Option<Value<'p>>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.keys() != Keys::Numbers {
            return Err(self.other_keys(Key::Number(0)).into());
        }
        for group in numbers.chunks(GROUP) {
            let rows = Rows::find(self, group)?;
            rows.fetch_starts();
            (0..AHEAD).for_each(|at| rows.fetch(at));
            for (at, &number) in group.iter().enumerate() {
                rows.fetch(at + AHEAD);
                let value = match rows.row(at) {
                    Some((section, place)) => section.under_at(number, place)?.value(),
                    None => None,
                };
                act(number, value)?;
            }
        }
        Ok(())
    }

    /// The rows whose keys are within bounds, in order, from both ends: `table.range(7..)`,
    /// `table.range(&b"a"[..]..&b"c"[..])`.
    ///
    /// # Errors
    ///
    /// As [`get`](Table::get).
    pub fn range<'k, K: Into<Key<'k>> + Copy>(&self, bounds: impl RangeBounds<K>) -> Result<Range<'p>, Error> {
        let from = match bounds.start_bound() {
            Bound::Included(&key) => Some(self.place(key.into(), Side::Before)?),
            Bound::Excluded(&key) => Some(self.place(key.into(), Side::Behind)?),
            Bound::Unbounded => None,
        };
        let to = match bounds.end_bound() {
            Bound::Included(&key) => Some(self.place(key.into(), Side::Behind)?),
            Bound::Excluded(&key) => Some(self.place(key.into(), Side::Before)?),
            Bound::Unbounded => None,
        };
        let cursor = |section| Cursor::new(section, from.as_deref(), to.as_deref());
        Ok(Range::of(Some(cursor(self.below)?), self.above.map(cursor).transpose()?))
    }

    /// All rows, in order, from both ends.
    ///
    /// # Errors
    ///
    /// None today; as [`range`](Table::range).
    pub fn iter(&self) -> Result<Range<'p>, Error> {
        let cursor = |section| Cursor::new(section, None, None);
        Ok(Range::of(Some(cursor(self.below)?), self.above.map(cursor).transpose()?))
    }

    /// How many rows there are. Of a base and an overlay, each row of the overlay is looked up in the base.
    ///
    /// # Errors
    ///
    /// As [`get`](Table::get).
    pub fn len(&self) -> Result<u64, Error> {
        let standing = |section: Section<'p>| section.part.entry.rows.saturating_sub(section.part.entry.gone);
        let Some(above) = self.above else { return Ok(standing(self.below)) };
        let below = Table::of(self.below, None);
        let mut replaced = 0;
        let mut rows = Cursor::new(above, None, None)?;
        while let Some(row) = rows.next_row()? {
            replaced += u64::from(below.get(row.key())?.is_some());
        }
        Ok((standing(self.below) + standing(above)).saturating_sub(replaced))
    }

    /// True when there are no rows.
    ///
    /// # Errors
    ///
    /// As [`len`](Table::len).
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.iter()?.next().transpose()?.is_none())
    }

    /// What the table takes, of a base and its overlay in all.
    pub fn size(&self) -> TableSize {
        let mut size = TableSize::default();
        for section in self.above.into_iter().chain([self.below]) {
            let entry = &section.part.entry;
            size.row_bytes += entry.rows_bytes;
            size.index_bytes += entry.lines_range().end - entry.lines_range().start + entry.first_keys_bytes;
        }
        size
    }

    /// The least bytes on one side of a key: behind it, no key stands before them.
    fn place(&self, key: Key<'_>, side: Side) -> Result<Vec<u8>, Error> {
        if key.keys() != self.keys() {
            return Err(self.other_keys(key));
        }
        let mut bytes = RawKey::of(key).bytes().to_vec();
        match side {
            Side::Before => {}
            Side::Behind => bytes.push(0),
        }
        Ok(bytes)
    }

    #[cold]
    fn other_keys(&self, key: Key<'_>) -> Error {
        Error::OtherKeys { asked: key.keys(), found: self.keys() }
    }
}

/// What a table takes in the file; see [`Table::size`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TableSize {
    /// Bytes of rows: heads, keys, values, and zeros between them.
    pub row_bytes: u64,
    /// Bytes by which rows are found.
    pub index_bytes: u64,
}

/// Where the rows of up to [`GROUP`] numbers are.
///
/// Memory is fetched in waves: the lines of the hash section, the starts of the rows, and the rest of a row while the
/// ones before it are read.
struct Rows<'t, 'p> {
    table: &'t Table<'p>,
    below: [Option<u32>; GROUP],
    above: [Option<u32>; GROUP],
}

impl<'t, 'p> Rows<'t, 'p> {
    fn find(table: &'t Table<'p>, numbers: &[u32]) -> Result<Rows<'t, 'p>, Error> {
        let above = match table.above {
            Some(above) => places(above, numbers, |_| true)?,
            None => [None; GROUP],
        };
        let below = places(table.below, numbers, |at| above[at].is_none())?;
        Ok(Rows { table, below, above })
    }

    /// A row: the overlay's, if it has one.
    #[inline]
    fn row(&self, at: usize) -> Option<(Section<'p>, u32)> {
        let above = self.table.above.zip(*self.above.get(at)?);
        above.or_else(|| self.below[at].map(|place| (self.table.below, place)))
    }

    /// Has the first line of each row fetched. What makes that slow in a large file is to find out where in memory its
    /// page is, and that is done for many rows side by side.
    fn fetch_starts(&self) {
        for (section, place) in (0..GROUP).filter_map(|at| self.row(at)) {
            section.fetch_start(place);
        }
    }

    /// Has a row fetched.
    #[inline]
    fn fetch(&self, at: usize) {
        if let Some((section, place)) = self.row(at) {
            section.fetch_row(place);
        }
    }
}

/// Where in one section the rows of those numbers are that are wanted.
#[inline]
fn places(
    section: Section<'_>,
    numbers: &[u32],
    is_wanted: impl Fn(usize) -> bool,
) -> Result<[Option<u32>; GROUP], Error> {
    let mut places = [None; GROUP];
    let mut lines = [[0; 2]; GROUP];
    for at in (0..numbers.len()).filter(|at| is_wanted(*at)) {
        let Some(choices) = section.choices(numbers[at]) else { return Ok(places) };
        lines[at] = choices;
        section.fetch_line(choices[0]);
    }
    for at in (0..numbers.len()).filter(|at| is_wanted(*at)) {
        places[at] = section.find_by(lines[at], numbers[at])?;
    }
    Ok(places)
}

/// Says what kind of keys it has, and nothing of the rows.
impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("keys", &self.keys()).finish_non_exhaustive()
    }
}

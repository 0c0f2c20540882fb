//! A table as it is read: of one pack, or of a base and its overlay as one.

use std::hint::black_box;
use std::ops::{Bound, RangeBounds};

use crate::error::Error;
use crate::hash::{self, Found};
use crate::keys::{Key, Keys, RawKey};
use crate::numbers::Under;
use crate::range::{Cursor, Range};
use crate::section::{Reader, Section};
use crate::value::Value;

/// How many numbers [`Table::get_many`] looks up side by side: as many loads as a processor has under way, and some
/// more.
const GROUP: usize = 64;

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
            let mut reader = Reader::new(section);
            let at = reader.lower_bound(key)?;
            if at < section.rows_bytes() {
                let row = reader.row_at(at)?;
                if row.key_bytes() == key {
                    return Ok((!row.is_gone()).then(|| row.into_value()));
                }
            }
        }
        Ok(None)
    }

    /// The values of many numbers, in the order of the numbers, in place of what `found` held. Where rows are in memory
    /// it costs a fraction of as many gets: the processor fetches the rows side by side.
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
    /// persons.get_many(&[7, 5, 4], &mut found)?;
    /// let found: Vec<_> = found.iter().map(|value| value.as_deref()).collect();
    /// assert_eq!(found, [Some(&b"seven"[..]), None, Some(b"four")]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Table::get), at the first one; `found` is then cut short.
    pub fn get_many(&self, numbers: &[u32], found: &mut Vec<Option<Value<'p>>>) -> Result<(), Error> {
        found.clear();
        if self.keys() != Keys::Numbers {
            return Err(self.other_keys(Key::Number(0)));
        }
        for group in numbers.chunks(GROUP) {
            let first = found.len();
            found.resize(first + group.len(), None);
            let found = &mut found[first..];
            let mut missing = [(0, 0); GROUP];
            let missing = &mut missing[..group.len()];
            missing
                .iter_mut()
                .zip(group)
                .enumerate()
                .for_each(|(at, (missing, &number))| *missing = (number, at as u8));
            match self.above {
                None => drop(get_group(self.below, missing, found)?),
                Some(above) => {
                    let left = get_group(above, missing, found)?;
                    get_group(self.below, &mut missing[..left], found)?;
                }
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

/// Looks up to [`GROUP`] numbers up in one section; each stands with the position of its answer. Those that are not
/// there are left at the front of `wanted`, and their number is returned.
///
/// Memory is touched in waves, lines first, then heads of rows and then their rest, without a decision between two loads of a wave: so they
/// overlap.
fn get_group<'p>(
    section: Section<'p>,
    wanted: &mut [(u32, u8)],
    found: &mut [Option<Value<'p>>],
) -> Result<usize, Error> {
    let mut lines = [[0; 2]; GROUP];
    let mut touched = 0;
    for (lines, &(number, _)) in lines.iter_mut().zip(&*wanted) {
        let Some(choices) = section.choices(number) else { return Ok(wanted.len()) };
        *lines = choices;
        touched ^= section.line(choices[0])?[0];
    }
    let mut places = [None; GROUP];
    for ((place, lines), &(number, _)) in places.iter_mut().zip(lines).zip(&*wanted) {
        *place = match hash::search(section.line(lines[0])?, number) {
            Found::At(place) => Some(place),
            Found::Nowhere => None,
            Found::Full => section.find_in(lines[1], number)?,
        };
    }
    for &place in places[..wanted.len()].iter().flatten() {
        touched ^= section.touch(place);
    }
    for &place in places[..wanted.len()].iter().flatten() {
        touched ^= section.touch_rest(place);
    }
    black_box(touched);
    let mut left = 0;
    for at in 0..wanted.len() {
        let (number, position) = wanted[at];
        match places[at] {
            Some(place) => found[usize::from(position)] = section.under_at(number, place)?.value(),
            None => {
                wanted[left] = wanted[at];
                left += 1;
            }
        }
    }
    Ok(left)
}

/// Says what kind of keys it has, and nothing of the rows.
impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("keys", &self.keys()).finish_non_exhaustive()
    }
}

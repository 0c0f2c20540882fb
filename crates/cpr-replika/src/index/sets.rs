//! Secondary indexes: who lives where, has which status, protection or citizenship, as known now.
//!
//! What a person is found by is a list of [`Term`]s, read from the current rows of the document. A delivery that
//! changes a person changes the rows of the terms that came and went, in its own transaction. A row is a set of
//! persons, cut by the year of their numbers, so that a delivery rewrites a few kilobytes a row however large a
//! municipality is; the row of a street lists house numbers with it. docs/format.md draws the bytes.

use std::collections::HashMap;
use std::panic::resume_unwind;

use cpr_model::{CurrentRows, PersonKey};
use cpr_subscription::HouseNumber;

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};
use roaring::RoaringBitmap;
use rustc_hash::FxBuildHasher;

use crate::error::Error;
use crate::index::keys::{SetKind, house, street, year_of};
use crate::index::stored_set::{self, StoredSet};
use crate::index::street_names::StreetNames;
use crate::index::words::Words;
use crate::planted::{self, Fault};
use crate::store::sealed;
use crate::store::tables::{RowKey, SETS, name};

/// So many persons who come under words or go from them are written on a thread of their own; the few of a test, too.
const MANY_WORDS: usize = if cfg!(test) { 1 } else { 1_000_000 };

/// One thing that a person is found by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Term {
    kind: SetKind,
    value: u32,
    /// Of a street: the house number's bytes.
    house: u32,
}

impl Term {
    pub(crate) fn row(self, key: u32) -> RowKey {
        (self.kind as u8, self.value, if self.kind == SetKind::Street { 0 } else { year_of(key) })
    }
}

/// Reads the terms of a person from its rows, sorted; nobody has none.
fn read_terms(key: PersonKey, rows: &CurrentRows<'_>, terms: &mut Vec<Term>) {
    terms.clear();
    if rows.is_empty() {
        return;
    }
    let mut add = |kind, value: u32, house| terms.push(Term { kind, value, house });
    add(SetKind::Held, 0, 0);
    if let Some(status) = rows.status() {
        add(SetKind::Status, status.0.into(), 0);
    }
    let recorded = rows.birth_date();
    if recorded != Some(key.date()) {
        add(SetKind::DifferingBirthDate, recorded.map_or(0, |date| date.digits()), 0);
        add(SetKind::OtherThanNumber, 0, 0);
    }
    for kind in rows.protections().filter_map(|row| row.kind()) {
        add(SetKind::Protection, kind.0.into(), 0);
    }
    if let Some(country) = rows.citizenship().and_then(|row| row.country_code()) {
        add(SetKind::Citizenship, country.0.into(), 0);
    }
    if let Some(address) = rows.address()
        && let Some(municipality) = address.municipality_code()
    {
        add(SetKind::Municipality, municipality.0.into(), 0);
        if let Some(code) = address.street_code() {
            let house = house(HouseNumber::parse(address.house_number().latin1()));
            add(SetKind::Street, street(municipality.0, code.0), house);
        }
    }
    terms.sort_unstable();
    terms.dedup();
}

/// Calls `each` with the rows that a stored person stands in, and its entries there.
pub(crate) fn each_entry(
    key: PersonKey,
    person: &CurrentRows<'_>,
    terms: &mut Vec<Term>,
    mut each: impl FnMut(RowKey, Entry),
) {
    read_terms(key, person, terms);
    let key = key.as_u32();
    terms.iter().for_each(|term| each(term.row(key), (term.house, key)));
}

/// What came to a row and what went from it.
#[derive(Default)]
struct Changes {
    added: Vec<Entry>,
    removed: Vec<Entry>,
}

impl Changes {
    /// True when they make a set of a row that nobody is in, one behind the other.
    fn is_ascending_set(&self, key: RowKey) -> bool {
        let is_set = key.0 != SetKind::Street as u8 && self.removed.is_empty() && !self.added.is_empty();
        is_set && self.added.is_sorted_by(|(_, one), (_, other)| one < other)
    }
}

/// House number (0 but for streets) and person.
pub(crate) type Entry = (u32, u32);

/// The changes that a delivery makes to the index, collected person by person and written once.
#[derive(Default)]
pub(crate) struct Index {
    rows: HashMap<RowKey, Changes, FxBuildHasher>,
    pub(crate) words: Words,
    pub(crate) streets: StreetNames,
    before: Vec<Term>,
    after: Vec<Term>,
}

impl Index {
    /// Collects what a person is found by after a delivery, and is no longer.
    pub(crate) fn change(&mut self, key: PersonKey, before: &CurrentRows<'_>, after: &CurrentRows<'_>) {
        read_terms(key, before, &mut self.before);
        let rows = if planted::is(Fault::IndexOfOldRows) { before } else { after };
        read_terms(key, rows, &mut self.after);
        self.words.change(key.as_u32(), before, after);
        self.streets.change(before, after);
        self.collect_changes(key);
    }

    /// Collects what a stored person is found by: the index as it should be.
    pub(crate) fn collect_stored(&mut self, key: PersonKey, person: &CurrentRows<'_>) {
        self.before.clear();
        read_terms(key, person, &mut self.after);
        let nobody = CurrentRows::read([], None);
        self.words.change(key.as_u32(), &nobody, person);
        self.streets.change(&nobody, person);
        self.collect_changes(key);
    }

    fn collect_changes(&mut self, key: PersonKey) {
        let key = key.as_u32();
        for term in self.after.iter().filter(|term| self.before.binary_search(term).is_err()) {
            self.rows.entry(term.row(key)).or_default().added.push((term.house, key));
        }
        for term in self.before.iter().filter(|term| self.after.binary_search(term).is_err()) {
            self.rows.entry(term.row(key)).or_default().removed.push((term.house, key));
        }
    }

    /// Writes every row that changes, in the order of their keys. Many words, which a load has, are written beside the
    /// others.
    pub(crate) fn write(mut self, write: &WriteTransaction) -> Result<(), Error> {
        let (words, streets) = (std::mem::take(&mut self.words), std::mem::take(&mut self.streets));
        if words.count() < MANY_WORDS {
            words.write(write)?;
            streets.write(write)?;
            return self.write_sets(write);
        }
        std::thread::scope(|scope| {
            let words = scope.spawn(|| words.write(write));
            let others = streets.write(write).and_then(|()| self.write_sets(write));
            words.join().unwrap_or_else(|panic| resume_unwind(panic)).and(others)
        })
    }

    fn write_sets(self, write: &WriteTransaction) -> Result<(), Error> {
        let mut table = write.open_table(SETS)?;
        let fresh = table.is_empty()?;
        let (mut payload, mut sealed) = (Vec::new(), Vec::new());
        for (key, changes) in self.sorted() {
            if fresh && changes.is_ascending_set(key) {
                payload.clear();
                stored_set::write_ascending(changes.added.iter().map(|(_, key)| *key), &mut payload);
            } else {
                let mut row = match table.get(key)?.filter(|_| !fresh) {
                    Some(stored) => Row::open(key, stored.value())?,
                    None => Row::empty(key),
                };
                row.change(changes);
                if row.is_empty() {
                    table.remove(key)?;
                    continue;
                }
                row.write(&mut payload);
            }
            sealed::seal(sealing(key), &payload, &mut sealed);
            table.insert(key, sealed.as_slice())?;
        }
        Ok(())
    }

    fn sorted(self) -> Vec<(RowKey, Changes)> {
        let mut rows: Vec<_> = self.rows.into_iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows
    }
}

fn corrupt(what: &'static str) -> Error {
    Error::Corrupt { table: name::SETS, what }
}

/// A row that is a set, as it stands.
#[inline]
pub(crate) fn open_set(key: RowKey, sealed: &[u8]) -> Result<StoredSet<'_>, Error> {
    StoredSet::open(sealed::open(name::SETS, sealing(key), sealed)?).map_err(corrupt)
}

/// Puts the persons of a row that is a set into another one.
pub(crate) fn add_set(key: RowKey, sealed: &[u8], all: &mut RoaringBitmap) -> Result<(), Error> {
    open_set(key, sealed)?.add_to(all).map_err(corrupt)
}

/// One row of the index, unpacked.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Row {
    /// Persons.
    Set(RoaringBitmap),
    /// House numbers and persons, ascending.
    Street(Vec<Entry>),
}

impl Row {
    fn empty(key: RowKey) -> Row {
        if key.0 == SetKind::Street as u8 { Row::Street(Vec::new()) } else { Row::Set(RoaringBitmap::new()) }
    }

    pub(crate) fn open(key: RowKey, sealed: &[u8]) -> Result<Row, Error> {
        if key.0 != SetKind::Street as u8 {
            return open_set(key, sealed)?.to_bitmap().map(Row::Set).map_err(corrupt);
        }
        let payload = sealed::open(name::SETS, sealing(key), sealed)?;
        let (entries, rest) = payload.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(corrupt("half an entry"));
        }
        let number = |bytes: &[u8; 8], at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
        Ok(Row::Street(entries.iter().map(|entry| (number(entry, 0), number(entry, 4))).collect()))
    }

    fn change(&mut self, mut changes: Changes) {
        match self {
            Row::Set(set) => {
                changes.removed.iter().for_each(|&(_, key)| _ = set.remove(key));
                changes.added.iter().for_each(|&(_, key)| _ = set.insert(key));
            }
            Row::Street(entries) => {
                changes.removed.sort_unstable();
                entries.retain(|entry| changes.removed.binary_search(entry).is_err());
                entries.extend(changes.added);
                entries.sort_unstable();
            }
        }
    }

    /// What stands in the row, in the order in which it stands there.
    pub(crate) fn entries(&self) -> Box<dyn Iterator<Item = Entry> + '_> {
        match self {
            Row::Set(set) => Box::new(set.iter().map(|key| (0, key))),
            Row::Street(entries) => Box::new(entries.iter().copied()),
        }
    }

    /// Whether one of these persons is in the row.
    pub(crate) fn has_any(&self, persons: &RoaringBitmap) -> bool {
        match self {
            Row::Set(set) => !set.is_disjoint(persons),
            Row::Street(entries) => entries.iter().any(|&(_, key)| persons.contains(key)),
        }
    }

    /// Takes these persons out of the row.
    pub(crate) fn remove(&mut self, persons: &RoaringBitmap) {
        match self {
            Row::Set(set) => *set -= persons,
            Row::Street(entries) => entries.retain(|&(_, key)| !persons.contains(key)),
        }
    }

    /// The row in its seal; none when nobody is in it.
    pub(crate) fn sealed(&self, key: RowKey) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let (mut payload, mut sealed) = (Vec::new(), Vec::new());
        self.write(&mut payload);
        sealed::seal(sealing(key), &payload, &mut sealed);
        Some(sealed)
    }

    fn is_empty(&self) -> bool {
        match self {
            Row::Set(set) => set.is_empty(),
            Row::Street(entries) => entries.is_empty(),
        }
    }

    fn write(&self, payload: &mut Vec<u8>) {
        payload.clear();
        match self {
            Row::Set(set) => stored_set::write(set, payload),
            Row::Street(entries) => {
                payload
                    .extend(entries.iter().flat_map(|(house, key)| [house.to_le_bytes(), key.to_le_bytes()]).flatten());
            }
        }
    }
}

/// What the checksum of a row starts from.
fn sealing((kind, value, year): RowKey) -> sealed::Row {
    (u32::from(kind) << 16 | u32::from(year), value)
}

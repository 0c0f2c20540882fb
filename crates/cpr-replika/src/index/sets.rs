//! Secondary indexes: who lives where, has which status, protection or citizenship, as known now.
//!
//! What a person is found by is a list of [`Term`]s, read from the current rows of the document. A delivery that
//! changes a person changes the rows of the terms that came and went, in its own transaction. A row is a set of
//! persons, cut by the year of their numbers, so that a delivery rewrites a few kilobytes a row however large a
//! municipality is; the row of a street lists house numbers with it. docs/format.md draws the bytes.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::mpsc;

use cpr_model::{CurrentRows, PersonKey};
use cpr_subscription::HouseNumber;

use redb::WriteTransaction;
use roaring::RoaringBitmap;
use rustc_hash::FxBuildHasher;

use crate::error::Error;
use crate::index::collected::Collected;
use crate::index::keys::{KINDS, SetKind, house, street, year_of};
use crate::index::stored_set::{self, StoredSet};
use crate::index::street_names::StreetNames;
use crate::index::words::Words;
use crate::planted::{self, Fault};
use crate::store::guard::Guard;
use crate::store::read_table::One;
use crate::store::sealed;
use crate::store::tables::{RowKey, SETS, Tables, name};

/// So many persons who come under words or go from them are written on a thread of their own; the few of a test, too.
const MANY_WORDS: usize = if cfg!(test) { 1 } else { 1_000_000 };
/// So many rows of sets are made on a thread of their own.
const MANY_ROWS: usize = if cfg!(test) { 1 } else { 1_000 };
/// Rows that are made at a time, and times that are made ahead.
const PART: usize = if cfg!(test) { 3 } else { 256 };
const PARTS: usize = 4;

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
        // A street has few persons, and so has a day on which protections end.
        let is_cut = !matches!(self.kind, SetKind::Street | SetKind::ProtectionEnd);
        (self.kind as u8, self.value, if is_cut { year_of(key) } else { 0 })
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
    for (kind, ends) in rows.protections().filter_map(|row| Some((row.kind()?, row.deleted_on()))) {
        add(SetKind::Protection, kind.0.into(), 0);
        if let Some(ends) = ends {
            add(SetKind::ProtectionEnd, ends.digits(), 0);
        }
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
struct Changes {
    key: RowKey,
    added: Collected,
    /// Of a street: the house number of each who came.
    houses: Vec<u32>,
    removed: Vec<Entry>,
}

impl Changes {
    fn of(key: RowKey) -> Changes {
        Changes { key, added: Collected::default(), houses: Vec::new(), removed: Vec::new() }
    }

    fn is_of_street(&self) -> bool {
        self.key.0 == SetKind::Street as u8
    }

    fn add(&mut self, (house, key): Entry) {
        self.added.push(key.into());
        if self.is_of_street() {
            self.houses.push(house);
        }
    }

    /// The persons who came, in the order in which they did.
    fn persons(&self) -> impl ExactSizeIterator<Item = u32> + Clone {
        self.added.iter().map(|key| key as u32)
    }

    fn sorted_removed(&self) -> Vec<Entry> {
        let mut removed = self.removed.clone();
        removed.sort_unstable();
        removed
    }

    /// True when they make a set of a row that nobody is in, one behind the other.
    fn is_ascending_set(&self) -> bool {
        let is_set = !self.is_of_street() && self.removed.is_empty();
        is_set && !self.added.is_empty() && self.added.is_ascending()
    }
}

/// House number (0 but for streets) and person.
pub(crate) type Entry = (u32, u32);

/// The changes that a delivery makes to the index, collected person by person and written once.
#[derive(Default)]
pub(crate) struct Index {
    /// Where the changes of a row stand.
    rows: HashMap<RowKey, usize, FxBuildHasher>,
    changes: Vec<Changes>,
    /// Of each kind, where the changes of the row stand that was asked for last: most persons are like the one before.
    last: [usize; KINDS],
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

    /// Collects the ends of a stored person's protections, and nothing else.
    pub(crate) fn collect_protection_ends(&mut self, key: PersonKey, person: &CurrentRows<'_>) {
        self.before.clear();
        read_terms(key, person, &mut self.after);
        self.after.retain(|term| term.kind == SetKind::ProtectionEnd);
        self.collect_changes(key);
    }

    fn collect_changes(&mut self, key: PersonKey) {
        let key = key.as_u32();
        let (before, after) = (std::mem::take(&mut self.before), std::mem::take(&mut self.after));
        for term in after.iter().filter(|term| before.binary_search(term).is_err()) {
            self.changes_of(term.row(key)).add((term.house, key));
        }
        for term in before.iter().filter(|term| after.binary_search(term).is_err()) {
            self.changes_of(term.row(key)).removed.push((term.house, key));
        }
        (self.before, self.after) = (before, after);
    }

    fn changes_of(&mut self, row: RowKey) -> &mut Changes {
        let Index { rows, changes, last, .. } = self;
        let last = &mut last[usize::from(row.0)];
        if changes.get(*last).is_none_or(|changes| changes.key != row) {
            *last = *rows.entry(row).or_insert_with(|| {
                changes.push(Changes::of(row));
                changes.len() - 1
            });
        }
        &mut changes[*last]
    }

    /// Writes every row that changes, in the order of their keys, over those of the state before; none when the tables
    /// are empty. Many words are written beside the others.
    pub(crate) fn write(mut self, write: &WriteTransaction, before: Option<&Tables>) -> Result<(), Error> {
        let (words, streets) = (std::mem::take(&mut self.words), std::mem::take(&mut self.streets));
        let mut rows = self.changes;
        rows.sort_unstable_by_key(|changes| changes.key);
        if words.count() < MANY_WORDS {
            words.write(write, before)?;
            streets.write(write)?;
            return write_rows(&rows, write, before);
        }
        std::thread::scope(|scope| {
            let words = scope.spawn(|| words.write(write, before));
            let others = streets.write(write).and_then(|()| write_rows(&rows, write, before));
            words.join().unwrap_or_else(|panic| resume_unwind(panic)).and(others)
        })
    }
}

/// Writes rows of sets. Many are made on a thread of their own, each part while the one before is written.
fn write_rows(rows: &[Changes], write: &WriteTransaction, before: Option<&Tables>) -> Result<(), Error> {
    let mut table = write.open_table(SETS)?;
    let mut put = |made: &MadeRows| -> Result<(), Error> {
        for (key, value) in made.iter() {
            match value {
                Some(value) => _ = table.insert(key, value)?,
                None => _ = table.remove(key)?,
            }
        }
        Ok(())
    };
    let held = before.map(|tables| &tables.sets);
    let held = match held.map(One::len).transpose()? {
        None | Some(0) => None,
        Some(_) => held,
    };
    let mut made = MadeRows::default();
    if rows.len() < MANY_ROWS {
        made.make(rows, held)?;
        return put(&made);
    }
    std::thread::scope(|scope| {
        let (hand_over, parts) = mpsc::sync_channel(PARTS);
        let making = scope.spawn(move || {
            for rows in rows.chunks(PART) {
                let mut made = MadeRows::default();
                let part = made.make(rows, held).map(|()| made);
                if hand_over.send(part).is_err() {
                    break;
                }
            }
        });
        for part in parts {
            put(&part?)?;
        }
        making.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok(())
    })
}

/// Rows as they are to be, sealed, in the order of their keys.
#[derive(Default)]
struct MadeRows {
    /// Keys, and where the value ends; a row with nobody in it has none.
    rows: Vec<(RowKey, usize)>,
    values: Vec<u8>,
    persons: Vec<u32>,
    payload: Vec<u8>,
    sealed: Vec<u8>,
}

impl MadeRows {
    /// Adds rows, each made of what is held of it and what changes.
    fn make(&mut self, rows: &[Changes], held: Option<&One<RowKey, &'static [u8]>>) -> Result<(), Error> {
        for changes in rows {
            let stored = held.map(|held| held.get(changes.key)).transpose()?.flatten();
            if self.write_row(changes, stored.as_ref().map(Guard::value))? {
                sealed::seal(sealing(changes.key), &self.payload, &mut self.sealed);
                self.values.extend_from_slice(&self.sealed);
            }
            self.rows.push((changes.key, self.values.len()));
        }
        Ok(())
    }

    /// Puts a row as it is to be into the payload; false when nobody is in it.
    fn write_row(&mut self, changes: &Changes, stored: Option<&[u8]>) -> Result<bool, Error> {
        let MadeRows { persons, payload, .. } = self;
        payload.clear();
        persons.clear();
        let key = changes.key;
        if stored.is_none() && changes.is_ascending_set() {
            stored_set::write_ascending(changes.persons(), payload);
            return Ok(true);
        }
        let is_list = match stored {
            _ if changes.is_of_street() => false,
            Some(stored) => open_set(key, stored)?.read_few(persons).map_err(corrupt)?,
            None => true,
        };
        if !is_list {
            let mut row = stored.map_or_else(|| Ok(Row::empty(key)), |stored| Row::open(key, stored))?;
            row.change(changes);
            row.write(payload);
            return Ok(!row.is_empty());
        }
        let removed = changes.sorted_removed();
        persons.retain(|key| removed.binary_search(&(0, *key)).is_err());
        persons.extend(changes.persons());
        // Of two runs that ascend, this makes one in one pass.
        persons.sort();
        persons.dedup();
        stored_set::write_ascending(persons.iter().copied(), payload);
        Ok(!persons.is_empty())
    }

    fn iter(&self) -> impl Iterator<Item = (RowKey, Option<&[u8]>)> {
        let mut start = 0;
        self.rows.iter().map(move |&(key, end)| {
            let value = &self.values[start..end];
            start = end;
            (key, Some(value).filter(|value| !value.is_empty()))
        })
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

    fn change(&mut self, changes: &Changes) {
        match self {
            Row::Set(set) => {
                changes.removed.iter().for_each(|&(_, key)| _ = set.remove(key));
                changes.persons().for_each(|key| _ = set.insert(key));
            }
            Row::Street(entries) => {
                let removed = changes.sorted_removed();
                entries.retain(|entry| removed.binary_search(entry).is_err());
                entries.extend(changes.houses.iter().copied().zip(changes.persons()));
                entries.sort();
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

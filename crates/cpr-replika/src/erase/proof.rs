//! That nothing is left: every row of every table is decoded, and whatever speaks of the persons is counted.
//!
//! A search for clear digits or names would prove nothing, since digits are never stored in the clear and names are
//! shared.

use cpr_model::{PersonKey, RelatedPnr, Value, Values};
use roaring::RoaringBitmap;

use super::receipt::Going;
use super::scope::filter_names;
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::events::consumers::open_cursor;
use crate::index::left_out;
use crate::index::sets::Row;
use crate::index::street_names::{name_row, postal_row};
use crate::index::words;
use crate::ledger::delivery::Delivery;
use crate::person::image::Person;
use crate::person::value::PastSegment;
use crate::store::bitmap::open_set;
use crate::store::file::Opened;
use crate::store::tables::{Tables, name};

/// What was found of some persons in a store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Found {
    /// Rows decoded.
    pub(crate) rows: u64,
    /// Keys, members, postings, matches and filters, by table.
    pub(crate) traces: std::collections::BTreeMap<&'static str, u64>,
    /// Values in the records of other persons that name one of the numbers.
    pub(crate) mentions: u64,
}

impl Found {
    pub(crate) fn trace_count(&self) -> u64 {
        self.traces.values().sum()
    }

    fn row(&mut self, table: &'static str, is_trace: bool) {
        self.rows += 1;
        if is_trace {
            *self.traces.entry(table).or_default() += 1;
        }
    }

    fn values(&mut self, values: Values<'_>, gone: &RoaringBitmap) {
        let names = |value| match value {
            Value::Pnr(RelatedPnr::Known(pnr)) => pnr.key().is_some_and(|key| gone.contains(key.as_u32())),
            _ => false,
        };
        self.mentions += values.iter().filter(|&(_, value)| names(value)).count() as u64;
    }
}

/// Decodes every row of a store, and tells what it says of these persons.
pub(crate) fn look_for(gone: &RoaringBitmap, store: &Opened) -> Result<Found, Error> {
    let read = store.begin_read()?;
    look_for_in(gone, &Tables::open(&read, store.latch())?, Going::Erase)
}

/// As [`look_for`], of the tables of a store or of packs. Who goes by tidying is remembered as left out: those sets are no
/// trace then.
pub(crate) fn look_for_in(gone: &RoaringBitmap, tables: &Tables, going: Going) -> Result<Found, Error> {
    let mut found = Found::default();
    look_at_persons(gone, tables, &mut found)?;
    look_at_deliveries(gone, tables, &mut found)?;
    look_at_indexes(gone, tables, going, &mut found)?;
    look_at_subscriptions(gone, tables, &mut found)?;
    match found.rows == tables.rows()? {
        true => Ok(found),
        false => Err(Error::Corrupt { table: name::META, what: "a table that nobody looked at" }),
    }
}

fn look_at_persons(gone: &RoaringBitmap, tables: &Tables, found: &mut Found) -> Result<(), Error> {
    for row in tables.persons.iter()? {
        let (key, sealed) = row?;
        let key = key.value();
        found.row(name::PERSONS, gone.contains(key));
        let person = Person::open(key, sealed)?;
        person.archived().rows().for_each(|(_, values)| found.values(values, gone));
        if let Some(past) = person.past()? {
            past.rows().for_each(|(_, values, _)| found.values(values, gone));
            past.events().for_each(|(_, values)| found.values(values, gone));
        }
    }
    for row in tables.superseded.iter()? {
        let (key, sealed) = row?;
        found.row(name::SUPERSEDED, gone.contains(key.value().0));
        let segment = PastSegment::open(key.value(), sealed)?;
        segment.archived().rows().for_each(|(_, values, _)| found.values(values, gone));
        segment.archived().events().for_each(|(_, values)| found.values(values, gone));
    }
    for pair in tables.numbers.iter()? {
        let (_, holder) = pair?;
        found.row(name::NUMBERS, gone.contains(holder));
    }
    Ok(())
}

fn look_at_deliveries(gone: &RoaringBitmap, tables: &Tables, found: &mut Found) -> Result<(), Error> {
    let has = |table, row, sealed: &[u8]| Ok::<_, Error>(!open_set(table, row, sealed)?.is_disjoint(gone));
    for row in tables.changed.iter()? {
        let (key, sealed) = row?;
        found.row(name::CHANGED, has(name::CHANGED, (key.value(), 0), sealed.value())?);
    }
    for row in tables.redelivered.iter()? {
        let (key, sealed) = row?;
        found.row(name::REDELIVERED, has(name::REDELIVERED, (key.value(), 0), sealed.value())?);
    }
    for row in tables.changed_by.iter()? {
        let (key, sealed) = row?;
        found.row(name::CHANGED_BY, has(name::CHANGED_BY, (key.value().0, 0), sealed.value())?);
    }
    for row in tables.matches.iter()? {
        let (key, sealed) = row?;
        found.row(name::MATCHES, has(name::MATCHES, key.value(), sealed.value())?);
    }
    for row in tables.deliveries.iter()? {
        let (key, sealed) = row?;
        Delivery::open(DeliveryNumber(key.value()), sealed.value())?;
        found.row(name::DELIVERIES, false);
    }
    found.rows += tables.digests.len()? + tables.meta.len()?;
    Ok(())
}

fn look_at_indexes(gone: &RoaringBitmap, tables: &Tables, going: Going, found: &mut Found) -> Result<(), Error> {
    for row in tables.sets.iter()? {
        let (key, sealed) = row?;
        let is_remembered = going == Going::Tidy && key.value().0 == left_out::KIND;
        found.row(name::SETS, Row::open(key.value(), sealed.value())?.has_any(gone) && !is_remembered);
    }
    for row in tables.words.iter()? {
        let (key, sealed) = row?;
        let mut is_trace = false;
        words::read_row(key.value(), sealed.value(), |entry| is_trace |= gone.contains(words::key_of(entry)))?;
        found.row(name::WORDS, is_trace);
    }
    for row in tables.street_names.iter()? {
        let (key, sealed) = row?;
        name_row(key.value(), sealed.value())?;
        found.row(name::STREET_NAMES, false);
    }
    for row in tables.postal_streets.iter()? {
        let (key, sealed) = row?;
        postal_row(key.value(), sealed.value())?;
        found.row(name::POSTAL_STREETS, false);
    }
    Ok(())
}

fn look_at_subscriptions(gone: &RoaringBitmap, tables: &Tables, found: &mut Found) -> Result<(), Error> {
    for row in tables.filters.iter()? {
        let (key, _) = row?;
        found.row(name::FILTERS, filter_names(key.value().1, gone)?);
    }
    for pair in tables.followers.iter()? {
        let (person, _) = pair?;
        found.row(name::FOLLOWERS, gone.contains(person));
        PersonKey::from_u32(person).ok_or(Error::Corrupt { table: name::FOLLOWERS, what: "a key of no number" })?;
    }
    for row in tables.consumers.iter()? {
        let (key, sealed) = row?;
        open_cursor(key.value(), sealed.value(), 0)?;
        found.row(name::CONSUMERS, false);
    }
    found.rows += tables.subscribers.len()? + tables.streams.len()?;
    Ok(())
}

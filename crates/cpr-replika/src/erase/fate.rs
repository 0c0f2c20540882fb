//! What becomes of each row of a store when persons go: theirs are dropped, and they are taken out of every set.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::needles::Needles;
use super::old_events::OldEvents;
use super::scope::filter_names;
use crate::error::Error;
use crate::events::consumers::{open_cursor, seal_cursor};
use crate::index::sets::Row;
use crate::index::words;
use crate::ledger::erases::ErasedOf;
use crate::store::bitmap::{open_set, seal_set};
use crate::store::copier::Fate;
use crate::store::sealed;
use crate::store::tables::{TableRow, name};

/// Judges rows, and counts what goes.
pub(crate) struct Judge<'a> {
    pub(crate) gone: &'a RoaringBitmap,
    /// Event records that go, of those who stay.
    pub(crate) old_events: Option<OldEvents<'a>>,
    /// How often persons were erased before.
    pub(crate) erases: u32,
    /// Rows dropped.
    pub(crate) dropped: u64,
    /// Rows in which something was left out.
    pub(crate) replaced: u64,
    /// Documents and pasts that went.
    pub(crate) needles: Needles,
    /// What deliveries lose.
    pub(crate) erased_of: BTreeMap<u32, ErasedOf>,
}

impl Judge<'_> {
    pub(crate) fn judge(&mut self, row: TableRow<'_>) -> Result<Fate, Error> {
        let fate = self.fate(row)?;
        match fate {
            Fate::Keep => {}
            Fate::Drop => self.dropped += 1,
            Fate::Replace(_) => self.replaced += 1,
        }
        Ok(fate)
    }

    fn fate(&mut self, row: TableRow<'_>) -> Result<Fate, Error> {
        let keep_unless = |goes| if goes { Fate::Drop } else { Fate::Keep };
        if let Some(old) = &mut self.old_events {
            match row {
                TableRow::PERSONS(key, value) if !self.gone.contains(key) => {
                    return Ok(old.without(key, value)?.map_or(Fate::Keep, Fate::Replace));
                }
                TableRow::SUPERSEDED((key, _), _) if old.has_rewritten(key) => return Ok(Fate::Drop),
                TableRow::CHANGED_BY((delivery, _), _) if delivery <= old.until => return Ok(Fate::Drop),
                _ => {}
            }
        }
        Ok(match row {
            TableRow::PERSONS(key, value) | TableRow::SUPERSEDED((key, _), value) => {
                let goes = self.gone.contains(key);
                if goes {
                    self.needles.add(value);
                }
                keep_unless(goes)
            }
            TableRow::CHANGED(delivery, value) => {
                let (fate, lost) = self.set(name::CHANGED, (delivery, 0), value, false)?;
                self.erased_of.entry(delivery).or_default().changed += lost;
                fate
            }
            TableRow::REDELIVERED(delivery, value) => {
                let (fate, lost) = self.set(name::REDELIVERED, (delivery, 0), value, false)?;
                self.erased_of.entry(delivery).or_default().redelivered += lost;
                fate
            }
            TableRow::CHANGED_BY((delivery, _), value) => self.set(name::CHANGED_BY, (delivery, 0), value, true)?.0,
            TableRow::MATCHES(key, value) => self.set(name::MATCHES, key, value, true)?.0,
            TableRow::SETS(key, value) => {
                let mut row = Row::open(key, value)?;
                if !row.has_any(self.gone) {
                    return Ok(Fate::Keep);
                }
                row.remove(self.gone);
                row.sealed(key).map_or(Fate::Drop, Fate::Replace)
            }
            TableRow::WORDS(key, value) => {
                let (mut left, mut goes) = (Vec::new(), false);
                words::read_row(key, value, |entry| match self.gone.contains(words::key_of(entry)) {
                    true => goes = true,
                    false => left.push(entry),
                })?;
                if goes { words::seal_row(key, &left).map_or(Fate::Drop, Fate::Replace) } else { Fate::Keep }
            }
            TableRow::FILTERS((_, bytes), _) => keep_unless(filter_names(bytes, self.gone)?),
            TableRow::FOLLOWERS(person, _) => keep_unless(self.gone.contains(person)),
            TableRow::NUMBERS(_, holder) => keep_unless(self.gone.contains(holder)),
            TableRow::CONSUMERS(name, value) => {
                let cursor = open_cursor(name, value, self.erases)?;
                let settled = cursor.settled(self.erases + 1);
                if settled == cursor {
                    return Ok(Fate::Keep);
                }
                Fate::Replace(seal_cursor(name, settled))
            }
            // These say nothing of a person.
            TableRow::STREET_NAMES(..)
            | TableRow::POSTAL_STREETS(..)
            | TableRow::SUBSCRIBERS(..)
            | TableRow::STREAMS(..)
            | TableRow::DELIVERIES(..)
            | TableRow::DIGESTS(..)
            | TableRow::META(..) => Fate::Keep,
        })
    }

    /// A stored set without those who go, and how many of them it had. `or_none`: the set of nobody is no row.
    fn set(&self, table: &'static str, row: sealed::Row, value: &[u8], or_none: bool) -> Result<(Fate, u64), Error> {
        let set = open_set(table, row, value)?;
        let left = &set - self.gone;
        let lost = set.len() - left.len();
        if lost == 0 {
            return Ok((Fate::Keep, 0));
        }
        if or_none && left.is_empty() {
            return Ok((Fate::Drop, lost));
        }
        let mut sealed = Vec::new();
        seal_set(row, &left, &mut sealed)?;
        Ok((Fate::Replace(sealed), lost))
    }
}

//! Event records that are kept no longer: out of every past, and out of what persons are found by in a delivery.
//!
//! Facts and lines of the past stay as they are. A past that was put away stands under the delivery of its last entry,
//! so it is put away anew where that was an event; one of events alone is gone.

use std::collections::BTreeMap;

use cpr_model::PersonKey;
use redb::WriteTransaction;
use rkyv::util::AlignedVec;
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::events::consumers::read_consumers;
use crate::events::cursor::EventCursor;
use crate::ledger::erases::{EVENTS_UNTIL, events_until};
use crate::ledger::state_digest::{PersonSum, StateSum};
use crate::person::stored::v2::{ArchivedPast, Past};
use crate::person::value::{document_archive, past_again, seal_document, seal_past, seal_segment};
use crate::snapshot::Snapshot;
use crate::store::sealed;
use crate::store::tables::{META, SUPERSEDED, name};

/// Takes old events from the values of persons.
pub(crate) struct OldEvents<'s> {
    snapshot: &'s Snapshot,
    /// Events of deliveries up to this one go.
    pub(crate) until: u32,
    /// Whose pasts were put away anew.
    persons: RoaringBitmap,
    segments: BTreeMap<(u32, u32), Vec<u8>>,
    /// What the digest of the state loses.
    pub(crate) state: StateSum,
    hashed: Vec<u8>,
}

impl<'s> OldEvents<'s> {
    /// Those of the deliveries that were produced more than so many days before the last one; none when there are no
    /// more of them than are gone already.
    pub(crate) fn older_than(snapshot: &'s Snapshot, days: u16) -> Result<Option<OldEvents<'s>>, Error> {
        let Some(last) = snapshot.last_delivery() else { return Ok(None) };
        let day = |date| cpr_model::Day::at_or_after(date).map(cpr_model::Day::number);
        let is_old = |date| day(date).zip(day(last.production_date)).is_some_and(|(at, now)| now - at > days.into());
        let deliveries = snapshot.deliveries()?;
        let until = deliveries.iter().rev().find(|delivery| is_old(delivery.production_date));
        let until = until.map_or(0, |delivery| delivery.number.0);
        if until <= events_until(&snapshot.tables().meta)? {
            return Ok(None);
        }
        let behind = EventCursor::after(DeliveryNumber(until));
        let unread = read_consumers(snapshot)?.iter().filter(|consumer| consumer.cursor < behind).count() as u64;
        match unread {
            0 => Ok(Some(OldEvents {
                snapshot,
                until,
                persons: RoaringBitmap::new(),
                segments: BTreeMap::new(),
                state: StateSum::default(),
                hashed: Vec::new(),
            })),
            readers => Err(Error::Unread { readers }),
        }
    }

    /// The value of a person without old events; none when there are none in it, or in what was put away.
    pub(crate) fn without(&mut self, key: u32, value: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let corrupt = Error::Corrupt { table: name::PERSONS, what: "a key of no number" };
        let image = self.snapshot.whole(PersonKey::from_u32(key).ok_or(corrupt)?)?;
        let pasts: Vec<&ArchivedPast> = image.pasts().collect();
        let is_old = |past: &&ArchivedPast| past.events().next().is_some_and(|(event, _)| event.delivery <= self.until);
        if !pasts.iter().any(is_old) {
            return Ok(None);
        }
        let (mut archive, mut row) = (AlignedVec::new(), Vec::new());
        let (mut open, mut since) = (Past::default(), 0);
        let put_away = pasts.len() - usize::from(past_again(value).is_some());
        let mut sum = PersonSum::new(key, &mut self.hashed);
        for (at, past) in pasts.into_iter().enumerate() {
            for (event, values) in past.events().take_while(|(event, _)| event.delivery <= self.until) {
                sum.add_event(event.record as u16, values, event.delivery);
            }
            let mut left = Past::default();
            left.copy_from(past);
            left.drop_events_until(self.until);
            left.since = since;
            if at >= put_away {
                open = left;
            } else if !left.is_empty() {
                since = left.last();
                sealed::archive(&left, &mut archive);
                seal_segment(key, since, &archive, &mut row);
                self.segments.insert((key, since), row.clone());
            }
        }
        self.state.add(sum.sum);
        // What is put away is found by the past that follows on it, be it an empty one.
        open.since = since;
        self.persons.insert(key);
        let mut sealed = Vec::new();
        seal_document(key, document_archive(key, value)?, &mut sealed);
        if !open.is_empty() || since > 0 {
            sealed::archive(&open, &mut archive);
            seal_past(key, &archive, &mut sealed);
        }
        Ok(Some(sealed))
    }

    /// Whether the pasts of a person are put away anew.
    pub(crate) fn has_rewritten(&self, key: u32) -> bool {
        self.persons.contains(key)
    }

    /// Puts the pasts away in the new store, which says up to when events are gone.
    pub(crate) fn write(&self, write: &WriteTransaction) -> Result<(), Error> {
        let mut table = write.open_table(SUPERSEDED)?;
        for (row, sealed) in &self.segments {
            table.insert(row, sealed.as_slice())?;
        }
        write.open_table(META)?.insert(EVENTS_UNTIL, self.until.to_string().as_str())?;
        Ok(())
    }
}

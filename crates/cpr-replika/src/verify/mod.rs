//! Rechecks every stored byte that can be rechecked: checksums, archives, and what tables owe each other.

mod file;
mod index;
mod packs;
mod report;
pub(crate) mod scrub;
mod streets;
mod subscriptions;

use std::sync::Arc;

use cpr_model::{CurrentRows, Fact, PersonKey};
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::events::consumers::read_consumers;
use crate::index::street_names::StreetNames;
use crate::ledger::delivery::{Delivery, DeliveryKind};
use crate::ledger::erases::{ErasedOf, erased_of};
use crate::ledger::state_digest::StateSum;
use crate::person::image::Person;
use crate::person::mentions::mentioned;
use crate::person::stored::v2::{ArchivedDocument, ArchivedPast};
use crate::person::value::PastSegment;
use crate::read::state_digest::{sum_of_facts, sum_of_past};
use crate::snapshot::Snapshot;
use crate::store::bitmap::open_set;
use crate::store::block_file::overlay::LostPages;
use crate::store::file::Opened;
use crate::store::read_table::One;
use crate::store::secret::read_secret;
use crate::store::tables::name;
use crate::trace::span;
use crate::verify::index::IndexOfDocuments;

pub use report::{VerifyFault, VerifyReport};

/// What tables are held against: who is there, and the last delivery.
struct Known {
    /// None when rows of persons are lost: then nothing can be said of what is derived from them.
    held: Option<RoaringBitmap>,
    /// When rows of the ledger are lost, the last there can be.
    last: u32,
}

impl Known {
    fn holds(&self, key: u32) -> bool {
        self.held.as_ref().is_none_or(|held| held.contains(key))
    }

    fn holds_all(&self, keys: &RoaringBitmap) -> bool {
        self.held.as_ref().is_none_or(|held| keys.is_subset(held))
    }
}

/// What the documents say of tables that are derived from them.
struct Derived {
    index: IndexOfDocuments,
    streets: StreetNames,
}

impl Snapshot {
    /// Reads the whole store and checks every checksum, every archive, and every relation between tables.
    ///
    /// It goes on behind blocks that do not check, and tells what [`crate::Replika::verify_file`] tells of blocks and
    /// rows in use. The handle that came across the first of them is opened anew by the next question to it, as after
    /// any failed read. Where somebody writes meanwhile, the first fault of the file is all that is told of it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let report = demo()?.snapshot().verify()?;
    /// assert!(report.is_clean());
    /// assert_eq!((report.persons, report.deliveries), (3, 2));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Failures of the storage; what does not hold stands in the report.
    pub fn verify(&self) -> Result<VerifyReport, Error> {
        let span = span!("verify", deliveries, persons, facts, faults);
        let mut report = self.verify_tables()?;
        if let Some(database) = self.source().database().filter(|_| report.tells_a_place()) {
            report = self.verify_beside(database)?.unwrap_or(report);
        }
        span.record("deliveries", report.deliveries);
        span.record("persons", report.persons);
        span.record("facts", report.facts);
        span.record("faults", report.fault_count);
        Ok(report)
    }

    /// Verifies the last state of an open store behind whatever does not check; none when that is not this state.
    fn verify_beside(&self, database: &Opened) -> Result<Option<VerifyReport>, Error> {
        let Ok(before) = database.state_of_engine() else { return Ok(None) };
        let Ok((beside, lost)) = database.beside() else { return Ok(None) };
        let Ok(snapshot) = Snapshot::take(&Arc::new(beside)) else { return Ok(None) };
        // An earlier one is what is left of the ledger.
        if snapshot.known() > self.known() {
            return Ok(None);
        }
        let rows = snapshot.verify_what_is_left(&lost)?;
        let mut report = VerifyReport::default();
        for damage in lost.places() {
            report.fault_at(damage.place, damage.what);
        }
        report.take_over(rows);
        Ok((database.state_of_engine()? == before).then_some(report))
    }

    /// Verifies the rows of a file whose lost pages are passed over, and tells which tables they were pages of.
    fn verify_what_is_left(&self, lost: &LostPages) -> Result<VerifyReport, Error> {
        let mut report = self.verify_tables()?;
        if !lost.places().is_empty() {
            let tables = self.tables().with_lost_rows();
            for table in report.sound(tables)?.unwrap_or_default() {
                report.fault(table, "rows are lost with the blocks that they stood on");
            }
        }
        Ok(report)
    }

    fn verify_tables(&self) -> Result<VerifyReport, Error> {
        let mut report = VerifyReport::default();
        let deliveries = self.verify_deliveries(&mut report);
        let has_all = report.sound(deliveries)?.unwrap_or(false);
        let mut known = Known { held: None, last: if has_all { self.known().0 } else { u32::MAX } };
        let mut derived = Derived { index: IndexOfDocuments::new(self)?, streets: StreetNames::default() };
        let mut state = StateSum::default();
        let held = self.verify_persons(&mut report, &known, &mut derived, &mut state);
        known.held = report.sound(held)?.flatten();
        match known.held {
            Some(_) => {
                self.verify_index(&mut report, derived.index)?;
                let streets = self.verify_street_names(&mut report, derived.streets);
                report.sound(streets)?;
            }
            None => self.open_index(&mut report)?,
        }
        for verify in [Self::verify_left_out, Self::open_street_names] {
            let verified = verify(self, &mut report, &known);
            report.sound(verified)?;
        }
        let superseded = self.verify_superseded(&mut report, &known, &mut state);
        report.sound(superseded)?;
        if let Some(told) = self.ledger_digest().filter(|_| has_all && report.is_clean()) {
            let found = report.sound(self.digest_of(state))?;
            report.expect(found == Some(told), name::DELIVERIES, "the digest of another state");
        }
        for verify in [Self::verify_changed, Self::verify_redelivered, Self::verify_changed_by, Self::verify_numbers] {
            let verified = verify(self, &mut report, &known);
            report.sound(verified)?;
        }
        let consumers = self.verify_consumers(&mut report, has_all);
        report.sound(consumers)?;
        self.verify_subscriptions(&mut report, known.last)?;
        Ok(report)
    }

    /// Verifies the ledger; false when rows of it are lost.
    fn verify_deliveries(&self, report: &mut VerifyReport) -> Result<bool, Error> {
        let rows = self.tables().deliveries.len()?;
        let (mut before, mut with_digest) = (0, rows);
        for row in self.tables().deliveries.iter()? {
            let (number, sealed) = row?;
            let number = number.value();
            report.deliveries += 1;
            report.expect(number == before + 1, name::DELIVERIES, "deliveries are not numbered 1, 2, 3 …");
            before = number;
            let Some(delivery) = report.sound(Delivery::open(DeliveryNumber(number), sealed.value()))? else {
                continue;
            };
            if delivery.kind == DeliveryKind::Admission {
                with_digest -= 1;
                continue;
            }
            let named = self.tables().digests.get(&delivery.digest);
            let named = report.sound(named)?.map(|found| found.map(|number| number.value()));
            let leads_back = named.is_none_or(|named| named == Some(number));
            report.expect(leads_back, name::DIGESTS, "the digest of a delivery leads elsewhere");
        }
        let digests = report.sound(self.tables().digests.len())?;
        report.expect(digests.is_none_or(|digests| digests == with_digest), name::DIGESTS, "a digest of no delivery");
        Ok(report.deliveries == rows)
    }

    /// Verifies the persons and tells who is there; none when rows are lost.
    fn verify_persons(
        &self,
        report: &mut VerifyReport,
        known: &Known,
        derived: &mut Derived,
        state: &mut StateSum,
    ) -> Result<Option<RoaringBitmap>, Error> {
        let mut hashed = Vec::new();
        let mut held = RoaringBitmap::new();
        for row in self.tables().persons.range::<u32>(..)? {
            let (key, sealed) = row?;
            let row = key.value();
            report.persons += 1;
            held.insert(row);
            let Some(key) = PersonKey::from_u32(row) else {
                report.fault(name::PERSONS, "a key of no number");
                continue;
            };
            let Some(person) = report.sound(Person::open_sealed(row, sealed))? else { continue };
            if let Some(Some(past)) = report.sound(person.past())? {
                self.verify_past(report, known, key, past, name::PERSONS)?;
                state.add(sum_of_past(row, past, &mut hashed));
                let before = self.tables().superseded.range((row, 0)..=(row, u32::MAX))?.next_back().transpose()?;
                let follows = before.map_or(0, |(at, _)| at.value().1) == past.since.to_native();
                report.expect(follows, name::PERSONS, "a past that does not follow on the one put away");
            }
            let rows = CurrentRows::read(person.archived().facts(), None);
            derived.index.add(key, &rows);
            derived.streets.add(&rows);
            state.add(sum_of_facts(row, person.archived().facts(), &mut hashed));
            self.verify_document(report, known, key, person.archived())?;
        }
        Ok((report.persons == self.tables().persons.len()?).then_some(held))
    }

    fn verify_document(
        &self,
        report: &mut VerifyReport,
        known: &Known,
        key: PersonKey,
        stored: &ArchivedDocument,
    ) -> Result<(), Error> {
        let (mut end, mut ids) = (0, Vec::new());
        for (fact, values) in stored.rows() {
            report.facts += 1;
            report.expect(fact.end >= end, name::PERSONS, "the values of a fact end before they begin");
            end = fact.end;
            report.expect(values.is_whole(), name::PERSONS, "packed values that do not unpack");
            report.expect((1..=known.last).contains(&fact.known_from), name::PERSONS, "a fact of no delivery");
            let layout = self.settings().family.and_then(|family| family.record(u16::from(fact.record)));
            report.expect(layout.is_some(), name::PERSONS, "a fact of no record of the family");
            ids.push(fact.id);
            self.verify_mention(report, key, &fact.fact(None, values))?;
        }
        report.expect(end as usize == stored.values.len(), name::PERSONS, "values that belong to no fact");
        let has_facts = stored.in_group.to_native() as usize <= stored.facts.len();
        report.expect(has_facts, name::PERSONS, "more lines than facts");
        let delivered = stored.delivered.to_native();
        report.expect((1..=known.last).contains(&delivered), name::PERSONS, "lines of no delivery");
        ids.sort_unstable();
        report.expect(ids.windows(2).all(|pair| pair[0] != pair[1]), name::PERSONS, "two facts with one id");
        Ok(())
    }

    /// A number that a record mentions must lead back to the record.
    fn verify_mention(&self, report: &mut VerifyReport, holder: PersonKey, fact: &Fact<'_>) -> Result<(), Error> {
        if let Some(mentioned) = mentioned(fact) {
            let leads_back = self.mentioned_by(mentioned)?.contains(&holder);
            report.expect(leads_back, name::NUMBERS, "a number in a record that does not lead back to it");
        }
        Ok(())
    }

    fn verify_superseded(&self, report: &mut VerifyReport, known: &Known, state: &mut StateSum) -> Result<(), Error> {
        let (mut before, mut hashed) = ((0, 0), Vec::new());
        for row in self.tables().superseded.range::<(u32, u32)>(..)? {
            let (row, sealed) = row?;
            let (key, last) = row.value();
            report.expect(known.holds(key), name::SUPERSEDED, "a row of no person");
            let Some(past) = report.sound(PastSegment::open((key, last), sealed))? else { continue };
            let Some(holder) = PersonKey::from_u32(key) else { continue };
            self.verify_past(report, known, holder, past.archived(), name::SUPERSEDED)?;
            state.add(sum_of_past(key, past.archived(), &mut hashed));
            report.expect(past.archived().last() == last, name::SUPERSEDED, "a row that ended elsewhere");
            let since = if before.0 == key { before.1 } else { 0 };
            report.expect(
                past.archived().since.to_native() == since,
                name::SUPERSEDED,
                "a row that does not follow on the one before",
            );
            before = (key, last);
        }
        Ok(())
    }

    /// What happened to a person: facts and lines in the order of their end, events in the order in which they came.
    fn verify_past(
        &self,
        report: &mut VerifyReport,
        known: &Known,
        holder: PersonKey,
        past: &ArchivedPast,
        table: &'static str,
    ) -> Result<(), Error> {
        let (last, since) = (known.last, past.since.to_native());
        let (mut end, mut ended) = (0, since);
        for (fact, values, known_to) in past.rows() {
            report.superseded += 1;
            report.expect(fact.end >= end && known_to >= ended, table, "facts out of order");
            (end, ended) = (fact.end, known_to);
            let known = 1 <= fact.known_from && fact.known_from < known_to && known_to <= last;
            report.expect(known, table, "a fact that was not learnt before it ended");
            report.expect(values.is_whole(), table, "a fact that does not unpack");
            self.verify_mention(report, holder, &fact.fact(Some(known_to), values))?;
        }
        report.expect(end as usize == past.values.len(), table, "values that belong to no fact");
        let (mut ids, mut widths, mut ended) = (0, 0, since);
        for group in past.groups.iter() {
            let known_to = group.known_to.to_native();
            let known = group.delivered.to_native() < known_to && ended < known_to && known_to <= last;
            report.expect(known, table, "lines that were not received before they were replaced");
            let grows = group.order_end >= ids && group.widths_end >= widths;
            report.expect(grows, table, "lines that end before they begin");
            (ids, widths, ended) = (group.order_end.to_native(), group.widths_end.to_native(), known_to);
        }
        let all = ids as usize == past.order.len() && widths as usize == past.widths.len();
        report.expect(all, table, "line numbers that belong to no lines");
        let (mut end, mut came) = (0, since);
        for (event, values) in past.events() {
            report.events += 1;
            report.expect(event.delivery >= came && event.delivery <= last, table, "events out of order");
            report.expect(event.end >= end && values.is_whole(), table, "an event that does not unpack");
            (came, end) = (event.delivery, event.end);
        }
        report.expect(end as usize == past.event_values.len(), table, "values that belong to no event");
        Ok(())
    }

    /// The readers of the feed stand at places that there are, ids have their secret, and bars and receipts can be
    /// read.
    fn verify_consumers(&self, report: &mut VerifyReport, has_all_deliveries: bool) -> Result<(), Error> {
        let _ = report.sound(read_secret(&self.tables().meta))?;
        let _ = (report.sound(self.barred())?, report.sound(self.erase_receipts())?);
        let _ = (report.sound(self.keep())?, report.sound(self.has_sound_marks())?);
        let Some(consumers) = report.sound(read_consumers(self))? else { return Ok(()) };
        for consumer in consumers.into_iter().filter(|_| has_all_deliveries) {
            let is_place = match self.check_cursor(consumer.cursor) {
                Err(Error::UnknownDelivery { .. } | Error::NotACursor) => false,
                checked => report.sound(checked)?.is_some(),
            };
            report.expect(is_place, name::CONSUMERS, "a reader at a place that there is not");
        }
        Ok(())
    }

    fn verify_changed(&self, report: &mut VerifyReport, known: &Known) -> Result<(), Error> {
        self.verify_sets_of_deliveries(report, known, &self.tables().changed, name::CHANGED, |delivery, erased| {
            (delivery.counts.persons_new + delivery.counts.persons_changed).saturating_sub(erased.changed)
        })
    }

    fn verify_redelivered(&self, report: &mut VerifyReport, known: &Known) -> Result<(), Error> {
        self.verify_sets_of_deliveries(
            report,
            known,
            &self.tables().redelivered,
            name::REDELIVERED,
            |delivery, erased| delivery.counts.persons_unchanged.saturating_sub(erased.redelivered),
        )
    }

    /// Every delivery has a set of persons, all of them held and as many as the ledger says, but for those who were
    /// erased.
    fn verify_sets_of_deliveries(
        &self,
        report: &mut VerifyReport,
        known: &Known,
        sets: &One<u32, &'static [u8]>,
        table: &'static str,
        counted: impl Fn(&Delivery, ErasedOf) -> u64,
    ) -> Result<(), Error> {
        let deliveries = report.sound(self.tables().deliveries.len())?;
        let one_each = deliveries.map_or(Ok(true), |deliveries| sets.len().map(|sets| sets == deliveries))?;
        report.expect(one_each, table, "a delivery without its set of persons");
        for row in sets.range::<u32>(..)? {
            let (delivery, sealed) = row?;
            let Some(set) = report.sound(open_set(table, (delivery.value(), 0), sealed.value()))? else { continue };
            report.expect(known.holds_all(&set), table, "a person that is not held");
            let ledger = self.delivery(DeliveryNumber(delivery.value()));
            let Some(ledger) = report.sound_of(ledger, table)? else { continue };
            let erased = erased_of(&self.tables().meta, delivery.value());
            let Some(erased) = report.sound(erased)? else { continue };
            report.expect(set.len() == counted(&ledger, erased), table, "not as many persons as the ledger says");
        }
        Ok(())
    }

    fn verify_changed_by(&self, report: &mut VerifyReport, known: &Known) -> Result<(), Error> {
        for row in self.tables().changed_by.range::<(u32, &[u8])>(..)? {
            let (key, sealed) = row?;
            let read = open_set(name::CHANGED_BY, (key.value().0, 0), sealed.value());
            let Some(set) = report.sound(read)? else { continue };
            report.expect(known.holds_all(&set), name::CHANGED_BY, "an event of a person that is not held");
        }
        Ok(())
    }

    fn verify_numbers(&self, report: &mut VerifyReport, known: &Known) -> Result<(), Error> {
        for pair in self.tables().numbers.iter()? {
            let (mentioned, holder) = pair?;
            report.expect(PersonKey::from_u32(mentioned).is_some(), name::NUMBERS, "a key of no number");
            report.expect(known.holds(holder), name::NUMBERS, "a number mentioned by no person");
        }
        Ok(())
    }
}

//! Rechecks every stored byte that can be rechecked: checksums, archives, and what tables owe each other.

mod file;
mod packs;
mod subscriptions;
mod words;

use cpr_model::{CurrentRows, Fact, PersonKey};
use roaring::RoaringBitmap;

use crate::damage::Place;
use crate::error::Error;
use crate::events::consumers::read_consumers;
use crate::index::sets::{Index, Row};
use crate::person::image::Person;
use crate::person::mentions::mentioned;
use crate::person::stored::v2::ArchivedPast;
use crate::person::value::PastSegment;
use crate::snapshot::Snapshot;
use crate::store::bitmap::open_set;
use crate::store::secret::read_secret;
use crate::store::tables::name;
use crate::trace::span;

/// What stands for a table where the file below them is meant.
const FILE: &str = "file";

/// How many faults are told; all are counted.
const TOLD: usize = 100;

/// One thing that does not hold. It does not say of whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifyFault {
    /// The table, or `file` when it is about the file below them.
    pub table: &'static str,
    /// What does not hold.
    pub what: &'static str,
    /// Where in the file, when that is known.
    pub place: Option<Place>,
}

/// What a verification found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Persons read.
    pub persons: u64,
    /// Facts known now.
    pub facts: u64,
    /// Superseded facts read.
    pub superseded: u64,
    /// Events read.
    pub events: u64,
    /// Deliveries read.
    pub deliveries: u64,
    /// Blocks of the file that were tried against their checks; 0 when only a snapshot was verified.
    pub blocks: u64,
    /// Blocks that are not in use, and a second copy of the root, that do not check in a file that was once left without
    /// being closed: what was being written when it was cut off. No fault.
    pub unsettled: u64,
    /// The first faults.
    pub faults: Vec<VerifyFault>,
    /// How many there are.
    pub fault_count: u64,
}

impl VerifyReport {
    /// True when everything holds.
    pub fn is_clean(&self) -> bool {
        self.fault_count == 0
    }

    pub(crate) fn fault(&mut self, table: &'static str, what: &'static str) {
        self.add(VerifyFault { table, what, place: None });
    }

    /// A fault of the file, which may have been told already by another who came across it.
    fn fault_at(&mut self, place: Place, what: &'static str) {
        let fault = VerifyFault { table: FILE, what, place: Some(place) };
        if !self.faults.contains(&fault) {
            self.add(fault);
        }
    }

    fn add(&mut self, fault: VerifyFault) {
        self.fault_count += 1;
        if self.faults.len() < TOLD {
            self.faults.push(fault);
        }
    }

    pub(crate) fn expect(&mut self, holds: bool, table: &'static str, what: &'static str) {
        if !holds {
            self.fault(table, what);
        }
    }

    /// The value of a read, or a fault in its place; failures of the storage itself are passed on.
    pub(crate) fn sound<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(Error::Corrupt { table, what }) => {
                self.fault(table, what);
                Ok(None)
            }
            Err(Error::Damaged { place, what }) => {
                self.fault_at(place, what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Snapshot {
    /// Reads the whole store and checks every checksum, every archive, and every relation between tables.
    ///
    /// A block of the file that does not check ends the reading of a snapshot; [`crate::Replika::verify_file`] tells all of them.
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
        let report = self.verify_tables()?;
        span.record("deliveries", report.deliveries);
        span.record("persons", report.persons);
        span.record("facts", report.facts);
        span.record("faults", report.fault_count);
        Ok(report)
    }

    fn verify_tables(&self) -> Result<VerifyReport, Error> {
        let mut report = VerifyReport::default();
        let deliveries = self.verify_deliveries(&mut report);
        report.sound(deliveries)?;
        let mut index = Index::default();
        let held = self.verify_persons(&mut report, &mut index);
        // Without all persons nothing can be said of what is derived from them.
        let Some(held) = report.sound(held)? else { return Ok(report) };
        let words = self.verify_words(&mut report, std::mem::take(&mut index.words));
        report.sound(words)?;
        let streets = self.verify_street_names(&mut report, std::mem::take(&mut index.streets));
        report.sound(streets)?;
        let sets = self.verify_index(&mut report, index);
        report.sound(sets)?;
        let superseded = self.verify_superseded(&mut report, &held);
        report.sound(superseded)?;
        let changed = self.verify_changed(&mut report, &held);
        report.sound(changed)?;
        let consumers = self.verify_consumers(&mut report);
        report.sound(consumers)?;
        let subscriptions = self.verify_subscriptions(&mut report);
        report.sound(subscriptions)?;
        Ok(report)
    }

    fn verify_deliveries(&self, report: &mut VerifyReport) -> Result<(), Error> {
        let Some(deliveries) = report.sound(self.deliveries())? else { return Ok(()) };
        for (at, delivery) in deliveries.iter().enumerate() {
            report.deliveries += 1;
            report.expect(
                delivery.number.0 as usize == at + 1,
                name::DELIVERIES,
                "deliveries are not numbered 1, 2, 3 …",
            );
            let named = self.tables().digests.get(&delivery.digest)?.map(|number| number.value());
            report.expect(named == Some(delivery.number.0), name::DIGESTS, "the digest of a delivery leads elsewhere");
        }
        report.expect(self.tables().digests.len()? == report.deliveries, name::DIGESTS, "a digest of no delivery");
        Ok(())
    }

    fn verify_persons(&self, report: &mut VerifyReport, index: &mut Index) -> Result<RoaringBitmap, Error> {
        let (mut held, last) = (RoaringBitmap::new(), self.known().0);
        for row in self.tables().persons.range::<u32>(..)? {
            let (key, sealed) = row?;
            let row = key.value();
            report.persons += 1;
            held.insert(row);
            let Some(key) = PersonKey::from_u32(row) else {
                report.fault(name::PERSONS, "a key of no number");
                continue;
            };
            let Some(person) = report.sound(Person::open(row, sealed))? else { continue };
            if let Some(Some(past)) = report.sound(person.past())? {
                self.verify_past(report, key, past, name::PERSONS)?;
                let before = self.tables().superseded.range((row, 0)..=(row, u32::MAX))?.next_back().transpose()?;
                let follows = before.map_or(0, |(at, _)| at.value().1) == past.since.to_native();
                report.expect(follows, name::PERSONS, "a past that does not follow on the one put away");
            }
            let stored = person.archived();
            index.collect_stored(key, &CurrentRows::read(stored.facts(), None));
            let (mut end, mut ids) = (0, Vec::new());
            for (fact, values) in stored.rows() {
                report.facts += 1;
                report.expect(fact.end >= end, name::PERSONS, "the values of a fact end before they begin");
                end = fact.end;
                report.expect(values.is_whole(), name::PERSONS, "packed values that do not unpack");
                report.expect((1..=last).contains(&fact.known_from), name::PERSONS, "a fact of no delivery");
                let layout = self.settings().family.and_then(|family| family.record(u16::from(fact.record)));
                report.expect(layout.is_some(), name::PERSONS, "a fact of no record of the family");
                ids.push(fact.id);
                self.verify_mention(report, key, &fact.fact(None, values))?;
            }
            report.expect(end as usize == stored.values.len(), name::PERSONS, "values that belong to no fact");
            report.expect(
                stored.in_group.to_native() as usize <= stored.facts.len(),
                name::PERSONS,
                "more lines than facts",
            );
            report.expect((1..=last).contains(&stored.delivered.to_native()), name::PERSONS, "lines of no delivery");
            ids.sort_unstable();
            report.expect(ids.windows(2).all(|pair| pair[0] != pair[1]), name::PERSONS, "two facts with one id");
        }
        Ok(held)
    }

    /// A number that a record mentions must lead back to the record.
    fn verify_mention(&self, report: &mut VerifyReport, holder: PersonKey, fact: &Fact<'_>) -> Result<(), Error> {
        if let Some(mentioned) = mentioned(fact) {
            let leads_back = self.mentioned_by(mentioned)?.contains(&holder);
            report.expect(leads_back, name::NUMBERS, "a number in a record that does not lead back to it");
        }
        Ok(())
    }

    fn verify_superseded(&self, report: &mut VerifyReport, held: &RoaringBitmap) -> Result<(), Error> {
        let mut before = (0, 0);
        for row in self.tables().superseded.range::<(u32, u32)>(..)? {
            let (row, sealed) = row?;
            let (key, last) = row.value();
            report.expect(held.contains(key), name::SUPERSEDED, "a row of no person");
            let Some(past) = report.sound(PastSegment::open((key, last), sealed))? else { continue };
            let Some(holder) = PersonKey::from_u32(key) else { continue };
            self.verify_past(report, holder, past.archived(), name::SUPERSEDED)?;
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
        holder: PersonKey,
        past: &ArchivedPast,
        table: &'static str,
    ) -> Result<(), Error> {
        let (last, since) = (self.known().0, past.since.to_native());
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

    /// The readers of the feed stand at places that there are, and ids have their secret.
    fn verify_consumers(&self, report: &mut VerifyReport) -> Result<(), Error> {
        let _ = report.sound(read_secret(&self.tables().meta))?;
        let Some(consumers) = report.sound(read_consumers(self))? else { return Ok(()) };
        for consumer in consumers {
            let is_place = match self.check_cursor(consumer.cursor) {
                Err(Error::UnknownDelivery { .. } | Error::NotACursor) => false,
                checked => report.sound(checked)?.is_some(),
            };
            report.expect(is_place, name::CONSUMERS, "a reader at a place that there is not");
        }
        Ok(())
    }

    /// Every row of the index is what the documents say, and there is no other.
    fn verify_index(&self, report: &mut VerifyReport, index: Index) -> Result<(), Error> {
        let mut rows = 0;
        for (key, expected) in index.expected() {
            rows += 1;
            let Some(sealed) = self.tables().sets.get(key)? else {
                report.fault(name::SETS, "a row is missing");
                continue;
            };
            if let Some(found) = report.sound(Row::open(key, sealed.value()))? {
                report.expect(found == expected, name::SETS, "a row that is not what the documents say");
            }
        }
        report.expect(self.tables().sets.len()? == rows, name::SETS, "a row that no document calls for");
        Ok(())
    }

    fn verify_changed(&self, report: &mut VerifyReport, held: &RoaringBitmap) -> Result<(), Error> {
        report.expect(
            self.tables().changed.len()? == report.deliveries,
            name::CHANGED,
            "a delivery without its set of changed persons",
        );
        for row in self.tables().changed.range::<u32>(..)? {
            let (delivery, sealed) = row?;
            let Some(changed) = report.sound(open_set(name::CHANGED, (delivery.value(), 0), sealed.value()))? else {
                continue;
            };
            report.expect(changed.is_subset(held), name::CHANGED, "a changed person that is not held");
            let Some(ledger) = report.sound(self.delivery(crate::DeliveryNumber(delivery.value())))? else { continue };
            let told = ledger.counts.persons_new + ledger.counts.persons_changed;
            report.expect(changed.len() == told, name::CHANGED, "not as many changed persons as the ledger says");
        }
        report.expect(
            self.tables().redelivered.len()? == report.deliveries,
            name::REDELIVERED,
            "a delivery without its set of unchanged persons",
        );
        for row in self.tables().redelivered.range::<u32>(..)? {
            let (delivery, sealed) = row?;
            let read = open_set(name::REDELIVERED, (delivery.value(), 0), sealed.value());
            let Some(redelivered) = report.sound(read)? else { continue };
            report.expect(redelivered.is_subset(held), name::REDELIVERED, "a person that is not held");
            let Some(ledger) = report.sound(self.delivery(crate::DeliveryNumber(delivery.value())))? else { continue };
            let told = ledger.counts.persons_unchanged;
            report.expect(redelivered.len() == told, name::REDELIVERED, "not as many persons as the ledger says");
        }
        for row in self.tables().changed_by.range::<(u32, &[u8])>(..)? {
            let (key, sealed) = row?;
            let Some(set) = report.sound(open_set(name::CHANGED_BY, (key.value().0, 0), sealed.value()))? else {
                continue;
            };
            report.expect(set.is_subset(held), name::CHANGED_BY, "an event of a person that is not held");
        }
        for pair in self.tables().numbers.iter()? {
            let (mentioned, holder) = pair?;
            report.expect(PersonKey::from_u32(mentioned).is_some(), name::NUMBERS, "a key of no number");
            report.expect(held.contains(holder), name::NUMBERS, "a number mentioned by no person");
        }
        Ok(())
    }
}

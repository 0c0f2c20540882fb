//! How what a snapshot or a report hands out stands in JSON: each shape of docs/json.md, once. Cargo feature `serde`.
//!
//! The shapes are stable: members are added, never renamed or removed. Whoever serializes reveals: numbers, names and
//! addresses stand there in clear.

use cpr_events::Cause;
use std::collections::BTreeMap;

use cpr_extract::{Family, RecordNumber};
use cpr_model::{ChangeClass, Fact, OwnedFact, ProtectionKind, json_shapes, json_strings};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::about::{About, AboutFilter, AboutNumber};
use crate::apply::{Delivery, DeliveryKind, Outcome, Report};
use crate::damage::Place;
use crate::deliver::{DeliverReport, DeliveredFile, UndeliveredFile};
use crate::delivery_number::DeliveryNumber;
use crate::erase::{ClearedPacks, EraseScope, Receipt};
use crate::events::{BusinessEvent, CalendarEvent, Consumer, Due, EventCursor, EventId, Events, StoredEvent};
use crate::person::image::{Image, Person};
use crate::read::described::Described;
use crate::read::history::Change;
use crate::read::lines::GroupLines;
use crate::read::numbers::{ChainNumber, NumberChain};
use crate::read::stats::Stats;
use crate::salvage::{SalvageGap, SalvageReport, SalvagedTable};
use crate::search::{Hit, Hits, PersonSet};
use crate::store::config::Config;
use crate::store::rewrite::RewriteReport;
use crate::store::source::TableStats;
use crate::subscriptions::{Explanation, Follower, InitialLoad, Match, Matches, Recipient, Subscriber};
use crate::verify::{VerifyFault, VerifyReport};

json_strings! {
    DeliveryKind: kind => kind.name();
    EventCursor;
    EventId;
    Outcome: outcome => outcome.name();
    Place;
}

impl Serialize for DeliveryNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

// The ledger, and the report of one extract.
json_shapes! {
    report: Report => {
        "delivery": report.delivery.number,
        "outcome": report.outcome,
        .. add_effect(&report.delivery)
    }
    delivery: Delivery => {
        "delivery": delivery.number,
        "kind": delivery.kind,
        "file": delivery.file_name,
        "sha256": hex::encode(delivery.digest),
        "task": delivery.task,
        "applied_at": delivery.applied_at,
        "state": delivery.state.map(|state| state.to_string()),
        .. add_effect(delivery)
    }
    rewriting: RewriteReport => {
        "rows": rewriting.rows,
        "bytes_before": rewriting.bytes_before,
        "bytes_after": rewriting.bytes_after,
    }
    receipt: Receipt => {
        "number": receipt.number,
        "kind": receipt.kind.name(),
        "at": receipt.at,
        "reason": receipt.reason,
        "known": receipt.known,
        "persons": receipt.persons,
        "numbers": receipt.numbers,
        "held": receipt.held,
        "rows_dropped": receipt.rows_dropped,
        "rows_changed": receipt.rows_changed,
        "filters_dropped": receipt.filters,
        "mentions_left": receipt.mentions,
        "proof": Proof(receipt),
        "may_hold_them_still": COPIES_ELSEWHERE,
        "digest": hex::encode(receipt.digest()),
        "mac": hex::encode(receipt.mac),
    }
    proof: Proof<'_> => {
        "rows_read": proof.0.rows_read,
        "documents_sought": proof.0.documents_sought,
        "blocks_read": proof.0.blocks_read,
        "traces": 0,
    }
    cleared: ClearedPacks => {
        "folder": cleared.folder.display().to_string(),
        "pack": cleared.pack.file,
        "rows_read": cleared.rows_read,
        "blocks_read": cleared.blocks_read,
    }
    scope: EraseScope => {
        "persons": scope.persons,
        "numbers": scope.numbers,
        "held": scope.held,
        "filter_count": scope.filters,
    }
    persons: PersonCounts<'_> => {
        "new": persons.0.counts.persons_new,
        "changed": persons.0.counts.persons_changed,
        "unchanged": persons.0.counts.persons_unchanged,
    }
    facts: FactCounts<'_> => {
        "kept": facts.0.counts.facts_kept,
        "new": facts.0.counts.facts_new,
        "superseded": facts.0.counts.facts_superseded,
    }
}

struct PersonCounts<'a>(&'a Delivery);
struct Proof<'a>(&'a Receipt);
struct FactCounts<'a>(&'a Delivery);

/// Where persons who were erased from a store may be held still.
const COPIES_ELSEWHERE: [&str; 5] = ["packs", "files of subscribers", "lakes", "backups", "extracts"];

/// Changes by class, whether there are any or not.
struct ClassCounts<'a>(&'a [u64; ChangeClass::ALL.len()]);

impl Serialize for ClassCounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(ChangeClass::ALL.iter().map(|class| (class, self.0[*class as usize])))
    }
}

/// What a delivery did: shared by the ledger and the report.
fn add_effect<M: SerializeMap>(members: &mut M, delivery: &Delivery) -> Result<(), M::Error> {
    let counts = &delivery.counts;
    members.serialize_entry("production_date", &delivery.production_date)?;
    members.serialize_entry("previous_production_date", &delivery.previous_production_date)?;
    members.serialize_entry("persons", &PersonCounts(delivery))?;
    members.serialize_entry("facts", &FactCounts(delivery))?;
    members.serialize_entry("classes", &ClassCounts(&counts.classes))?;
    members.serialize_entry("events", &counts.events)?;
    members.serialize_entry("receipts", &counts.receipts)?;
    members.serialize_entry("input_errors", &counts.input_errors)?;
    members.serialize_entry("input_errors_beyond", &counts.input_errors_beyond)?;
    members.serialize_entry("repeated_persons", &counts.repeated_persons)?;
    members.serialize_entry("persons_barred", &counts.persons_barred)?;
    members.serialize_entry("persons_left_out", &counts.persons_left_out)?;
    members.serialize_entry("doubled_rows", &counts.doubled_rows)?;
    members.serialize_entry("odd_characters", &counts.odd_characters)?;
    members.serialize_entry("inverted_periods", &counts.inverted_periods)?;
    members.serialize_entry("waived", &counts.waived)?;
    members.serialize_entry("bytes", &counts.bytes)?;
    members.serialize_entry("duration_seconds", &counts.duration.as_secs_f64())
}

// One person: facts, changes, lines, numbers, events as received.
json_shapes! {
    fact: Described<'_, Fact<'_>> => {
        "aspect": fact.of.aspect(),
        "record": RecordNumber(fact.of.record()),
        "valid_from": fact.of.stated_bounds().0,
        "valid_to": fact.of.stated_bounds().1,
        "known_from": fact.of.known().from,
        "known_to": fact.of.known().to,
        "historic": fact.of.is_historic(),
        "mark": fact.of.mark(),
        "fields": Fields(fact.fields()),
    }
    change: Described<'_, Change> => {
        "class": change.of.class,
        "aspect": change.of.aspect,
        "before": change.of.before.as_ref().map(|fact| change.part(fact)),
        "after": change.of.after.as_ref().map(|fact| change.part(fact)),
    }
    person: Described<'_, Person<'_>> => {
        "pnr": person.pnr,
        "delivered": person.of.delivered(),
        "facts": person.part(owned(person.of.facts()).as_slice()),
    }
    image: Described<'_, Image<'_>> => {
        "pnr": image.pnr,
        "known": image.of.known(),
        "facts": image.part(owned(image.of.facts()).as_slice()),
    }
    chain: NumberChain => {
        "current_pnr": chain.current,
        "numbers": chain.numbers.iter().map(|number| number.pnr).collect::<Vec<_>>(),
    }
    number: ChainNumber => { "pnr": number.pnr, "held": number.held, "from": number.from, "to": number.to }
    group: GroupLines => {
        "delivered": group.delivered,
        "lines": group.reveal().map(latin1).collect::<Vec<_>>(),
    }
    received: Events => { "events": received.events, "complete_since": received.complete_since }
    received: StoredEvent => {
        "delivery": received.delivery,
        "record": RecordNumber(received.record),
        "code": received.cause().code,
        "derived_mark": received.cause().derived_mark,
        "registered_at": received.cause().registered_at,
    }
}

// Everything that is held of a human being.
json_shapes! {
    about: Described<'_, About> => {
        "current_pnr": about.of.current,
        "numbers": about.of.numbers.iter().map(|number| Held(number, about.family)).collect::<Vec<_>>(),
        "mentions": about.of.mentions.iter().map(|(aspect, count)| (aspect.name(), count)).collect::<BTreeMap<_, _>>(),
    }
    held: Held<'_> => {
        "pnr": held.0.pnr,
        "facts": held.described(&held.0.facts[..]),
        "events": held.0.events.events,
        "complete_since": held.0.events.complete_since,
        "changed_in": held.0.changed_in,
        "unchanged_in": held.0.unchanged_in,
        "events_in": held.0.events_in.iter().map(|(delivery, code)| EventIn(*delivery, code)).collect::<Vec<_>>(),
        "sent_to": held.0.sent_to.iter().map(|(delivery, name)| SentTo(*delivery, name)).collect::<Vec<_>>(),
        "found_by": held.0.found_by,
        "words": held.0.words,
        "filters": held.0.filters,
        "links": held.0.links,
        "left_out": held.0.is_left_out,
        "barred": held.0.is_barred,
        "rows": held.0.rows,
    }
    event: EventIn<'_> => { "delivery": event.0, "code": event.1 }
    sent: SentTo<'_> => { "delivery": sent.0, "subscriber": sent.1 }
    filter: AboutFilter => {
        "subscriber": filter.subscriber,
        "filter": filter.filter.reveal(),
        "counted": filter.counted,
    }
}

struct Held<'a>(&'a AboutNumber, Option<&'static Family>);
struct EventIn<'a>(DeliveryNumber, &'a str);
struct SentTo<'a>(DeliveryNumber, &'a str);

impl Held<'_> {
    fn described<'b, T: ?Sized>(&self, of: &'b T) -> Described<'b, T> {
        Described { of, pnr: self.0.pnr, family: self.1 }
    }
}

fn owned<'a>(facts: impl Iterator<Item = Fact<'a>>) -> Vec<OwnedFact> {
    let mut facts: Vec<Fact<'a>> = facts.collect();
    Fact::sort_told(&mut facts);
    facts.iter().map(Fact::to_owned).collect()
}

fn latin1(line: &[u8]) -> String {
    line.iter().map(|&byte| char::from(byte)).collect()
}

impl Serialize for Described<'_, OwnedFact> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.part(&self.of.as_fact()).serialize(serializer)
    }
}

/// A list of parts of one person.
impl<T> Serialize for Described<'_, [T]>
where
    for<'a> Described<'a, T>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.of.iter().map(|part| self.part(part)))
    }
}

/// Fields by CPR's name, in the order of the record.
struct Fields(Vec<(&'static str, String)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

// What happened, and what is due.
json_shapes! {
    event: BusinessEvent => {
        "id": event.id,
        "cursor": event.cursor,
        "delivery": event.delivery,
        "production_date": event.production_date,
        "kind": event.kind,
        "code": event.cause.map(|cause| cause.code),
        "derived_mark": event.cause.and_then(|cause| cause.derived_mark),
        "registered_at": event.cause.and_then(|cause| cause.registered_at),
        "pnr": event.pnr,
        "related": &event.related[..],
        "aspects": event.aspects,
        "municipality_before": event.municipality_before,
        "municipality_after": event.municipality_after,
        "valid_from": event.valid_from,
    }
    due: CalendarEvent => {
        "day": due.day,
        "due": due.due.name(),
        "age": due.due.age(),
        "protection": due.due.protection(),
        "pnr": due.pnr,
        "municipality": due.municipality,
    }
    consumer: Consumer => { "consumer": consumer.name, "cursor": consumer.cursor }
}

impl Due {
    fn age(self) -> Option<u16> {
        match self {
            Due::ReachesAge(age) => Some(age),
            Due::ProtectionEnds(_) => None,
        }
    }

    fn protection(self) -> Option<ProtectionKind> {
        match self {
            Due::ReachesAge(_) => None,
            Due::ProtectionEnds(kind) => Some(kind),
        }
    }
}

impl StoredEvent {
    fn cause(&self) -> Cause {
        Cause::read(self.event().values())
    }
}

// Who is found.
impl Serialize for PersonSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// `count` where it was asked for, `next` where there is another page.
impl Serialize for Hits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        if let Some(count) = self.count {
            members.serialize_entry("count", &count)?;
        }
        members.serialize_entry("rows", &self.rows)?;
        if let Some(next) = self.next {
            members.serialize_entry("next", &next)?;
        }
        members.end()
    }
}

json_shapes! {
    hit: Hit => {
        "pnr": hit.pnr,
        "addressing_name": hit.addressing_name,
        "protections": hit.protections.iter().map(|kind| Protection(*kind)).collect::<Vec<_>>(),
    }
    protection: Protection => { "kind": protection.0.0 }
}

/// As much as a search knows of a protection; from when to when is for who answers with it.
struct Protection(ProtectionKind);

// Who follows whom.
json_shapes! {
    subscriber: Subscriber => { "name": subscriber.name, "profile": subscriber.profile }
    follower: Follower => { "name": follower.name, "filters": follower.filters }
    recipient: Recipient => { "name": recipient.subscriber.name, "persons": recipient.persons.len() }
    matches: Matches => {
        "delivery": matches.delivery,
        "subscriber": matches.subscriber,
        "persons": matches.persons.iter().map(|found| Explained(matches, found)).collect::<Vec<_>>(),
    }
    found: Explained<'_> => {
        "pnr": found.1.pnr,
        "delivered": found.1.delivered,
        "reasons": found.1.reasons.iter().map(|reason| found.0.explain(found.1.pnr, reason)).collect::<Vec<_>>(),
    }
    why: Explanation => {
        "kind": why.kind,
        "filter": why.filter,
        "change": why.change,
        "derived_mark": why.derived_mark,
        "derived": why.derived,
    }
    load: InitialLoad => {
        "known": load.known,
        "production_date": load.production_date,
        "persons": load.persons,
    }
    report: DeliverReport => { "delivered": report.delivered, "undelivered": report.undelivered }
    file: DeliveredFile => {
        "subscriber": file.file.subscriber,
        "file": file.file.name,
        "persons": file.persons,
        "records": file.records,
        "bytes": file.bytes,
    }
    file: UndeliveredFile => {
        "subscriber": file.file.subscriber,
        "file": file.file.name,
        "reason": file.error.to_string(),
    }
}

/// A match with the filters by which its reasons are told.
struct Explained<'a>(&'a Matches, &'a Match);

// The store itself.
json_shapes! {
    config: Config => {
        "family": config.family,
        "window_years": config.window_years,
        "records": config.chosen.as_deref().map(numbers),
        "ignored": numbers(&config.ignored),
    }
    stats: Stats => { "tables": stats.tables }
    table: TableStats => {
        "name": table.name,
        "rows": table.rows,
        "stored_bytes": table.stored_bytes,
        "metadata_bytes": table.metadata_bytes,
        "fragmented_bytes": table.fragmented_bytes,
    }
    report: VerifyReport => {
        "clean": report.is_clean(),
        "persons": report.persons,
        "facts": report.facts,
        "superseded": report.superseded,
        "events": report.events,
        "deliveries": report.deliveries,
        "blocks": report.blocks,
        "unsettled": report.unsettled,
        "fault_count": report.fault_count,
        "faults": report.faults,
    }
    report: SalvageReport => {
        "persons": report.persons,
        "persons_loose": report.persons_loose,
        "persons_outdated": report.persons_outdated,
        "persons_undecided": report.persons_undecided,
        "persons_missing": report.persons_missing,
        "persons_unreadable": report.persons_unreadable,
        "ledger": report.ledger,
        "last_change": report.last_change,
        "gap_count": report.gap_count,
        "tables": report.tables,
        "places": report.places,
    }
    table: SalvagedTable => { "name": table.name, "rows": table.rows, "found": table.found }
    gap: SalvageGap => { "after": gap.after, "up_to": gap.up_to }
    fault: VerifyFault => { "table": fault.table, "place": fault.place, "what": fault.what }
}

fn numbers(records: &[u16]) -> Vec<RecordNumber> {
    records.iter().copied().map(RecordNumber).collect()
}

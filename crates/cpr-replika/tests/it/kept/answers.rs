//! The answers of a state as text: what a store or a pack must go on saying, whatever version reads it.

use std::fmt::Write as _;

use cpr_replika::cpr_model::{Aspect, MunicipalityCode, Pnr, ProtectionKind};
use cpr_replika::cpr_subscription::Filter;
use cpr_replika::{Delivery, EventCursor, EventFilter, NamePart, PersonSet, Query, Replika, Scope, Search, Snapshot};
use sha2::{Digest, Sha256};

use crate::kit::day;

/// One line for each answer.
pub(super) fn answers(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    let deliveries = snapshot.deliveries().unwrap();
    for delivery in &deliveries {
        ledger(snapshot, delivery, &mut out);
    }
    line(&mut out, "digest", snapshot.state_digest().unwrap());
    let verified = snapshot.verify().unwrap();
    let counted = [verified.persons, verified.facts, verified.superseded, verified.events, verified.deliveries];
    line(&mut out, "verify: persons, facts, superseded, events, deliveries, faults", list(counted));
    assert_eq!(verified.faults, []);
    people(snapshot, &mut out);
    searches(snapshot, &mut out);
    subscribers(snapshot, &deliveries, &mut out);
    events(snapshot, &mut out);
    out
}

/// The answers of a store that can be written, with how far the readers of its events have come.
pub(super) fn answers_of_store(replika: &Replika) -> String {
    let mut out = answers(&replika.snapshot());
    for consumer in replika.consumers().unwrap() {
        line(&mut out, &format!("consumer {}", consumer.name), consumer.cursor);
    }
    out
}

fn line(out: &mut String, what: &str, says: impl std::fmt::Display) {
    writeln!(out, "{what}: {says}").expect("memory takes text");
}

fn list<T: ToString>(parts: impl IntoIterator<Item = T>) -> String {
    parts.into_iter().map(|part| part.to_string()).collect::<Vec<_>>().join(" ")
}

fn numbers(set: &PersonSet) -> String {
    list(set.iter().map(|key| key.pnr().reveal().to_owned()))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The ledger row, whom the delivery changed, and the whole state as of it.
fn ledger(snapshot: &Snapshot, delivery: &Delivery, out: &mut String) {
    let counts = &delivery.counts;
    let persons = [counts.persons_new, counts.persons_changed, counts.persons_unchanged];
    let left = [counts.persons_barred, counts.persons_left_out, counts.events];
    let facts = [counts.facts_kept, counts.facts_new, counts.facts_superseded];
    let name = format!("delivery {}", delivery.number);
    line(out, &name, format!("{} {} {}", delivery.kind.name(), delivery.task, delivery.production_date));
    line(out, &name, format!("persons {}, barred, left out, events {}", list(persons), list(left)));
    line(out, &name, format!("facts {}, classes {}", list(facts), list(counts.classes)));
    line(out, &name, format!("of file {}", hex::encode(delivery.digest)));
    line(out, &name, format!("state {}", delivery.state.map_or("-".to_owned(), |state| state.to_string())));
    line(out, &name, format!("changed {}", list(snapshot.changes(delivery.number).unwrap().map(revealed))));
    let mut export = Vec::new();
    let persons = snapshot.export(Some(delivery.number), &mut export).unwrap();
    let lines = export.iter().filter(|&&byte| byte == b'\n').count();
    line(out, &name, format!("export {persons} persons, {lines} lines, {}", sha256(&export)));
}

fn revealed(pnr: Pnr) -> String {
    pnr.reveal().to_owned()
}

/// Each person: the chain of numbers, how much is known, and every version of every aspect.
fn people(snapshot: &Snapshot, out: &mut String) {
    for pnr in snapshot.pnrs().unwrap().map(Result::unwrap) {
        let chain = snapshot.numbers(pnr, None).unwrap().expect("of a person who is held");
        let mut versions = Sha256::new();
        let mut count = 0;
        for aspect in Aspect::all() {
            for fact in snapshot.history(pnr, aspect).unwrap() {
                let (known, valid) = (fact.as_fact().known(), fact.as_fact().valid());
                let ends = [valid.from, valid.to].map(|at| at.map_or(0, |at| at.digits()));
                let to = known.to.unwrap_or(0);
                versions.update(format!("{} {} {to} {}", aspect.name(), known.from, list(ends)));
                count += 1;
            }
        }
        let events = snapshot.events(pnr).unwrap().events.len();
        let chained = list(chain.numbers.iter().map(|number| number.pnr.reveal().to_owned()));
        let versions = hex::encode(&versions.finalize()[..8]);
        line(
            out,
            &format!("person {}", pnr.reveal()),
            format!("{count} versions {versions}, {events} events, {chained}"),
        );
    }
}

/// Sets, counts and pages by every index.
fn searches(snapshot: &Snapshot, out: &mut String) {
    let find = |query: Query| numbers(&snapshot.find(&query).unwrap());
    let municipalities: Vec<u16> =
        (101..=860).filter(|code| snapshot.count(&Query::municipality(MunicipalityCode(*code))).unwrap() > 0).collect();
    for code in municipalities {
        line(out, &format!("municipality {code:04}"), find(Query::municipality(MunicipalityCode(code))));
    }
    line(out, "name protection", find(Query::Protection(ProtectionKind(1))));
    line(out, "born in the fifties", find(born("1950-01-01", "1959-12-31")));
    line(out, "left out", numbers(&snapshot.left_out().unwrap()));
    for (part, name) in [(NamePart::Surname, "m*"), (NamePart::Given, "a*"), (NamePart::Surname, "mejse")] {
        for scope in [Scope::Now, Scope::Ever] {
            let hits = snapshot.search(&Search { scope, ..Search::now(Query::name(part, name)) }).unwrap();
            let found = list(hits.rows.iter().map(|hit| hit.pnr.reveal()));
            line(out, &format!("{part:?} {name} {scope:?}"), format!("{:?} {found}", hits.count));
        }
    }
    for due in snapshot.calendar(day("2026-01-01"), day("2026-12-31"), &[18, 40, 65]).unwrap() {
        line(out, "calendar", format!("{} {} {}", due.day, due.due.name(), due.pnr.reveal()));
    }
}

fn born(first: &str, last: &str) -> Query {
    Query::Born(crate::kit::date(first)..=crate::kit::date(last))
}

fn subscribers(snapshot: &Snapshot, deliveries: &[Delivery], out: &mut String) {
    for subscriber in snapshot.subscribers().unwrap() {
        let name = format!("subscriber {}", subscriber.name);
        line(out, &name, format!("profile {}", subscriber.profile.to_byte()));
        for delivery in deliveries {
            let filters = snapshot.filters(&subscriber.name, Some(delivery.number)).unwrap();
            let matched = numbers(&snapshot.matched(delivery.number, &subscriber.name).unwrap());
            line(
                out,
                &format!("{name}, delivery {}", delivery.number),
                format!("{} -> {matched}", revealed_filters(&filters)),
            );
        }
    }
    for delivery in deliveries {
        for recipient in snapshot.recipients(delivery.number).unwrap() {
            let of = format!("file of {} for {}", delivery.number, recipient.subscriber.name);
            line(out, &of, recipient.previous_production_date);
        }
    }
    if let Some(keep) = snapshot.keep().unwrap() {
        let whom = revealed_filters(&keep.filters);
        line(out, "keep", format!("{whom}, families {}, grace {}", keep.families, keep.grace_days));
    }
}

fn revealed_filters(filters: &[Filter]) -> String {
    list(filters.iter().map(Filter::reveal))
}

/// The feed with ids and places, and what was erased.
fn events(snapshot: &Snapshot, out: &mut String) {
    let feed = snapshot.events_since(EventCursor::BEGINNING, EventFilter::default()).unwrap();
    for event in feed {
        let event = event.unwrap();
        let valid = event.valid_from.map_or(0, |at| at.digits());
        let says = format!("{} {} {valid} {}", event.kind, event.pnr.reveal(), event.id);
        line(out, &format!("event {}", event.cursor), says);
    }
    for receipt in snapshot.erase_receipts().unwrap() {
        assert!(snapshot.is_receipt(&receipt).unwrap());
        line(
            out,
            &format!("receipt {}", receipt.number),
            format!("{} {}", receipt.kind.name(), hex::encode(receipt.digest())),
        );
    }
}

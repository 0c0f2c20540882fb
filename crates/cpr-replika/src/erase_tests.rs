//! Each check of the proof finds a trace that was left on purpose.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::ControlFlow;

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::{Date, Pnr};
use cpr_subscription::Profile;

use crate::apply::ApplyOptions;
use crate::erase::fate::Judge;
use crate::erase::needles::Needles;
use crate::erase::proof::look_for;
use crate::erase::scope::Gone;
use crate::erase::{EraseOptions, check_reason};
use crate::error::Error;
use crate::replika::Replika;
use crate::store::config::Config;
use crate::store::copier::Fate;
use crate::store::file::Options;
use crate::store::rewrite::{Inspector, NoInspector, RewriteProgress};
use crate::store::tables::{TableRow, name};
use crate::subscriptions::{FilterChange, UnknownNumbers};

/// Who goes, whose other number goes with it, and who stays.
const ANNA: &str = "6101801231";
const ANNA_BEFORE: &str = "6101801232";
const BO: &str = "6201801235";

fn pnr(digits: &str) -> Pnr {
    Pnr::parse(digits.as_bytes()).unwrap()
}

/// A night in which everybody moves, and Anna has other children than the night before.
fn night(day: u32) -> Vec<u8> {
    let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
    let [today, before] = [2026_01_00 + day, 2026_01_00 + day - 1].map(|digits| Date::from_digits(digits).unwrap());
    let family = Family::named("std").unwrap();
    let mut writer = ExtractWriter::new(Vec::new(), family, style, "123401", today, before).unwrap();
    for (number, name) in [(ANNA, "Anna"), (ANNA_BEFORE, "Anna"), (BO, "Bo")] {
        let mut write = |record, fields: &[(&str, &str)]| writer.record(record, pnr(number), fields).unwrap();
        match number {
            ANNA_BEFORE => write(1, &[("STATUS", "60"), ("PNRGAELD", ANNA)]),
            _ => write(1, &[("STATUS", "01")]),
        };
        let house = format!("{day:03}");
        write(2, &[("KOMKOD", "0751"), ("VEJKOD", "0042"), ("HUSNR", &house), ("TILFLYDTO", "202601011200")]);
        write(8, &[("FORNVN", name), ("EFTERNVN", "Mejse"), ("NVNHAENSTART", "198001010000")]);
        if number == ANNA {
            for serial in 0..200 {
                write(14, &[("PNRBARN", &format!("61{:02}01{:04}", day, 1000 + serial))]);
            }
        }
        write(99, &[("HAENDELSE", "A01")]);
    }
    writer.finish().unwrap()
}

/// A store that speaks of Anna in every table that can.
fn fill(replika: Replika) -> Replika {
    let subscriber = "desk".parse().unwrap();
    replika.add_subscriber(&subscriber, Profile::SF6002).unwrap();
    let filters = [ANNA, "0751"].map(|text| FilterChange::Add(text.parse().unwrap()));
    replika.change_filters(&subscriber, &filters, UnknownNumbers::Keep).unwrap();
    for day in 2..=7 {
        replika.apply(Cursor::new(night(day)), &ApplyOptions::named("made up")).unwrap();
    }
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
    replika
}

fn config() -> Config {
    Config { family: Family::named("std"), ..Config::default() }
}

fn table_of(row: &TableRow<'_>) -> &'static str {
    match row {
        TableRow::PERSONS(..) => name::PERSONS,
        TableRow::SUPERSEDED(..) => name::SUPERSEDED,
        TableRow::CHANGED(..) => name::CHANGED,
        TableRow::CHANGED_BY(..) => name::CHANGED_BY,
        TableRow::REDELIVERED(..) => name::REDELIVERED,
        TableRow::SETS(..) => name::SETS,
        TableRow::WORDS(..) => name::WORDS,
        TableRow::FILTERS(..) => name::FILTERS,
        TableRow::FOLLOWERS(..) => name::FOLLOWERS,
        TableRow::MATCHES(..) => name::MATCHES,
        TableRow::NUMBERS(..) => name::NUMBERS,
        _ => "another",
    }
}

fn judge(gone: &Gone) -> Judge<'_> {
    let (needles, erased_of) = (Needles::default(), BTreeMap::new());
    Judge { gone: &gone.all, old_events: None, erases: 0, dropped: 0, replaced: 0, needles, erased_of }
}

fn go_on(_: RewriteProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn what_is_left_in_any_one_table_is_found_there() {
    let tables = [
        name::PERSONS,
        name::SUPERSEDED,
        name::CHANGED,
        name::CHANGED_BY,
        name::REDELIVERED,
        name::SETS,
        name::WORDS,
        name::FILTERS,
        name::FOLLOWERS,
        name::MATCHES,
        name::NUMBERS,
    ];
    for spared in tables {
        let replika = fill(Replika::in_memory(&config()).unwrap());
        // The same rows again, changed in nothing.
        replika.apply(Cursor::new(again()), &ApplyOptions::named("made up")).unwrap();
        let gone = Gone::read(&replika.snapshot(), &[pnr(ANNA)]).unwrap();
        assert_eq!((gone.scope.persons, gone.scope.numbers.len(), gone.scope.filters), (1, 2, 1));
        let mut judge = judge(&gone);
        let mut fate = |row: TableRow<'_>| match table_of(&row) == spared {
            true => Ok(Fate::Keep),
            false => judge.judge(row),
        };
        replika.write_anew(|options| options, &mut fate, &mut NoInspector, &mut go_on).unwrap();
        let found = look_for(&gone.all, &replika.database()).unwrap();
        let found: Vec<&str> = found.traces.into_keys().collect();
        assert_eq!(found, [spared]);
    }
}

#[test]
fn what_is_told_about_a_person_is_of_every_table_that_speaks_of_them() {
    let replika = fill(Replika::in_memory(&config()).unwrap());
    replika.apply(Cursor::new(again()), &ApplyOptions::named("made up")).unwrap();
    let snapshot = replika.snapshot();
    let gone = Gone::read(&snapshot, &[pnr(ANNA)]).unwrap();
    let traces = look_for(&gone.all, &replika.database()).unwrap().traces;
    for asked in [ANNA, ANNA_BEFORE] {
        let about = snapshot.about(pnr(asked)).unwrap();
        let numbers: Vec<_> = about.numbers.iter().map(|number| number.pnr.reveal()).collect();
        assert_eq!((about.current, numbers), (Some(pnr(ANNA)), vec![ANNA, ANNA_BEFORE]));
        let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
        for (table, count) in about.numbers.iter().flat_map(|number| &number.rows) {
            *rows.entry(table).or_default() += count;
        }
        assert!(rows.keys().eq(traces.keys()), "{rows:?} {traces:?}");
        assert!(rows.iter().all(|(table, count)| *count >= traces[table]), "a row of two numbers counts for each");
        let held = &about.numbers[0];
        assert!(held.found_by.contains(&"municipality 0751".to_owned()) && held.words == ["anna", "mejse"]);
        assert_eq!((held.filters.len(), held.changed_in.len(), held.unchanged_in.len()), (1, 6, 1));
        assert_eq!((held.links.as_slice(), held.sent_to.len()), (&[pnr(ANNA_BEFORE)][..], 7));
        assert!(held.facts.iter().any(|fact| fact.as_fact().known().to.is_some()), "the past too");
    }
    let options = EraseOptions { unfollow: true, ..EraseOptions::default() };
    replika.erase(&[pnr(ANNA)], "a test", &options).unwrap();
    let about = replika.snapshot().about(pnr(ANNA)).unwrap();
    assert!(about.numbers[0].is_barred && about.numbers[0].rows.is_empty() && about.numbers[0].facts.is_empty());
}

#[test]
fn old_events_go_from_every_past_and_what_was_believed_stays() {
    let folder = tempfile::tempdir().unwrap();
    let replika = fill(Replika::create(folder.path().join("store"), &config()).unwrap());
    let believed = |replika: &Replika| -> Vec<Vec<u8>> {
        let export = |known| {
            let mut bytes = Vec::new();
            replika.snapshot().export(Some(crate::DeliveryNumber(known)), &mut bytes).unwrap();
            bytes
        };
        (1..=replika.snapshot().known().0).map(export).collect()
    };
    let (before, put_away) = (believed(&replika), replika.snapshot().tables().superseded.len().unwrap());
    assert!(put_away > 0);
    replika.add_consumer("late", crate::EventCursor::after(crate::DeliveryNumber(2))).unwrap();
    // Deliveries 1 to 6 are of the days 2 to 7: those up to the fourth are older than a day.
    let options = crate::TidyOptions { keep_events_days: Some(1), ..crate::TidyOptions::default() };
    assert!(matches!(replika.tidy(&options), Err(Error::Unread { readers: 1 })));
    replika.acknowledge("late", crate::EventCursor::after(crate::DeliveryNumber(4))).unwrap();
    let receipt = replika.tidy(&options).unwrap().unwrap().receipt;
    assert_eq!((receipt.persons, receipt.known.0), (0, 6));
    assert!(replika.tidy(&options).unwrap().is_none(), "once");
    let check = |replika: &Replika, first: u32, last: u32| {
        let snapshot = replika.snapshot();
        for number in [ANNA, ANNA_BEFORE, BO] {
            let events = snapshot.events(pnr(number)).unwrap();
            let deliveries: Vec<u32> = events.events.iter().map(|event| event.delivery.0).collect();
            assert_eq!(deliveries, (first..=last).collect::<Vec<_>>());
            assert_eq!(events.complete_since.unwrap().digits(), 2026_01_05);
        }
        let feed = snapshot.events_since(crate::EventCursor::BEGINNING, crate::EventFilter::default()).unwrap();
        assert!(feed.map(Result::unwrap).all(|event| event.delivery.0 >= first));
        assert_eq!(snapshot.verify().unwrap().faults, []);
    };
    check(&replika, 5, 6);
    assert!(believed(&replika) == before);
    // And the store goes on as one that never had them.
    replika.apply(Cursor::new(night(8)), &ApplyOptions::named("made up")).unwrap();
    check(&replika, 5, 7);
    assert!(believed(&replika).starts_with(&before));
}

/// The rows of day 7 once more, on day 8.
fn again() -> Vec<u8> {
    let text = String::from_utf8(night(7)).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let first = first.replace("20260107", "20260108").replace("20260106", "20260107");
    format!("{first}\n{rest}").into_bytes()
}

/// Looks for documents that the new file keeps.
struct Looking<'a>(&'a RefCell<Needles>);

impl Inspector for Looking<'_> {
    fn block(&mut self, block: &[u8]) {
        self.0.borrow_mut().look(block);
    }
}

fn every_document_that_is_left_is_found_in_the_blocks(options: &Options) {
    let folder = tempfile::tempdir().unwrap();
    let replika = fill(Replika::create_with(folder.path().join("store"), &config(), options).unwrap());
    let gone = Gone::read(&replika.snapshot(), &[pnr(ANNA)]).unwrap();
    for is_dropped in [false, true] {
        let needles = RefCell::new(Needles::default());
        let mut fate = |row: TableRow<'_>| {
            let goes = match row {
                TableRow::PERSONS(key, value) | TableRow::SUPERSEDED((key, _), value) if gone.all.contains(key) => {
                    needles.borrow_mut().add(value);
                    is_dropped
                }
                _ => false,
            };
            Ok(if goes { Fate::Drop } else { Fate::Keep })
        };
        replika.write_anew(|options| options, &mut fate, &mut Looking(&needles), &mut go_on).unwrap();
        let needles = needles.into_inner();
        assert!(needles.sought >= 6 && needles.blocks > 4, "{} in {}", needles.sought, needles.blocks);
        assert_eq!(needles.found, if is_dropped { 0 } else { needles.sought });
    }
}

#[test]
fn every_document_that_is_left_is_found_in_plain_blocks() {
    every_document_that_is_left_is_found_in_the_blocks(&Options::default());
}

#[cfg(feature = "encryption")]
#[test]
fn every_document_that_is_left_is_found_in_encrypted_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let key = crate::store::key::KeyFile::create(folder.path().join("key")).unwrap();
    let key: std::sync::Arc<dyn crate::store::key::KeySource> = std::sync::Arc::new(key);
    every_document_that_is_left_is_found_in_the_blocks(&Options { key: Some(key), ..Options::default() });
}

#[test]
fn an_erase_leaves_nothing_that_these_checks_find() {
    let folder = tempfile::tempdir().unwrap();
    let replika = fill(Replika::create(folder.path().join("store"), &config()).unwrap());
    let gone = Gone::read(&replika.snapshot(), &[pnr(ANNA_BEFORE)]).unwrap();
    let options = EraseOptions { unfollow: true, ..EraseOptions::default() };
    let receipt = replika.erase(&[pnr(ANNA_BEFORE)], "a test", &options).unwrap().receipt;
    let found = look_for(&gone.all, &replika.database()).unwrap();
    assert!(found.traces.is_empty());
    assert!(receipt.documents_sought >= 6 && receipt.blocks_read > 4 && receipt.rows_read > 20, "{receipt:?}");
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
}

#[test]
fn a_reason_is_a_line_that_holds_no_number() {
    assert!(check_reason("no ground since 2026-01-05").is_ok());
    for refused in ["", " ", "two\nlines", "610180-1234 moved", "6101801234", "61 01 80 12 34"] {
        assert!(matches!(check_reason(refused), Err(Error::Erase(_))), "{refused:?}");
    }
    assert!(matches!(check_reason(&"x".repeat(1001)), Err(Error::Erase(_))));
}

//! Two extracts into a store: refused whole, or held as the lines say, now and as of then; never a panic.
#![no_main]

use std::io::{Cursor, sink};

use cpr_extract::{CheckOptions, Waive, check};
use cpr_model::{Aspect, Pnr, Timestamp};
use cpr_replika::{ALL_HISTORY, Allow, ApplyOptions, Config, DeliveryNumber, Error, Outcome, Replika, Snapshot};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::lines::Told;
use replika_fuzz::mutate;
use replika_fuzz::pair::Pair;

const ALL: Allow = Allow {
    wrong_count: true,
    rows_without_person: true,
    code_page: true,
    wider_family: true,
    gap: true,
    older: true,
    other_customer: true,
    reload: true,
};

fuzz_target!(|input: &[u8]| {
    let Some(pair) = Pair::split(input) else { return };
    for allow in [ALL, Allow::default()] {
        apply_both(pair, allow);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let Some(pair) = Pair::split(&data[..size]).filter(|_| !seed.is_multiple_of(4)) else {
        return fuzzer_mutate(data, size, max_size);
    };
    let mut extracts = pair.extracts.map(<[u8]>::to_vec);
    let which = (seed >> 8) as usize % 2;
    extracts[which] = mutate::extract(&extracts[which], seed);
    let changed = Pair { extracts: [&extracts[0], &extracts[1]], ..pair }.join();
    match changed {
        Some(changed) => mutate::put(&changed, data, max_size),
        None => size,
    }
});

fn apply_both(pair: Pair<'_>, allow: Allow) {
    let window_years = if pair.window <= 5 { pair.window } else { ALL_HISTORY };
    let replika = Replika::in_memory(&Config { window_years, ..Config::default() }).expect("a window there is");
    let mut told: Vec<Told> = Vec::new();
    for extract in pair.extracts {
        let before = replika.snapshot().known();
        let options = ApplyOptions { allow, ..ApplyOptions::named("made-up") };
        // A rehearsal costs as much as the delivery, and what is allowed makes no difference to it.
        let rehearsed = match allow == ALL {
            true => replika.apply(Cursor::new(extract), &ApplyOptions { dry_run: true, ..options }).map(Some),
            false => Ok(None),
        };
        assert_eq!(replika.snapshot().known(), before, "a rehearsal was stored");
        match (replika.apply(Cursor::new(extract), &options), rehearsed) {
            (Ok(report), Ok(rehearsed)) if report.outcome == Outcome::Applied => {
                if let Some(rehearsed) = rehearsed {
                    assert_eq!(rehearsed.outcome, Outcome::DryRun);
                    assert_eq!(rehearsed.delivery.counts.facts_new, report.delivery.counts.facts_new);
                }
                let family = replika.settings().family.expect("the first extract has told it");
                told.push(Told::by(extract, family));
                assert_eq!(report.delivery.number.0 as usize, told.len());
            }
            (Ok(report), Ok(_)) => assert_eq!(report.outcome, Outcome::AlreadyApplied),
            (Err(error), rehearsed) => {
                assert!(!matches!(rehearsed, Ok(Some(_))), "the rehearsal said otherwise");
                refused(&error);
            }
            (Ok(_), Err(error)) => panic!("the rehearsal said otherwise: {}", error.kind()),
        }
        hold(&replika.snapshot(), &told);
    }
}

/// Only the extract can be at fault here.
fn refused(error: &Error) {
    assert!(error.is_refusal(), "{}", error.kind());
    assert!(error.to_string().len() < 400);
    let _ = format!("{error:?}");
}

/// Everything that was delivered is held as the lines say, as of each delivery.
fn hold(snapshot: &Snapshot, told: &[Told]) {
    assert_eq!(snapshot.known().0 as usize, told.len());
    let verified = snapshot.verify().expect("memory does not fail");
    assert!(verified.is_clean(), "{:?}", verified.faults);
    for known in 1..=told.len() {
        let (known, told) = (DeliveryNumber(known as u32), &told[..known]);
        let mut held = 0;
        for pnr in snapshot.pnrs().expect("memory does not fail") {
            let pnr = pnr.expect("a key of a number");
            let group = snapshot.group(pnr, Some(known)).expect("a group that renders");
            let lines = told.iter().rev().find_map(|told| told.persons.get(&pnr));
            let given: Option<Vec<&[u8]>> = group.as_ref().map(|group| group.reveal().collect());
            let same = match (&given, lines) {
                (Some(given), Some(lines)) => given.iter().eq(lines.iter()),
                (None, None) => true,
                _ => false,
            };
            assert!(same, "a person's lines are not those received, as of delivery {known}");
            held += u64::from(group.is_some());
            ask(snapshot, pnr, known);
        }
        let mut exported = Vec::new();
        assert_eq!(snapshot.export(Some(known), &mut exported).expect("an export"), held);
        check_export(snapshot, &exported, told);
    }
    match snapshot.export(None, &mut sink()) {
        Ok(_) => assert!(!told.is_empty()),
        Err(error) => assert!(told.is_empty(), "{}", error.kind()),
    }
    snapshot.stats().expect("memory does not fail");
}

/// Every question there is: an answer, and no panic.
fn ask(snapshot: &Snapshot, pnr: Pnr, known: DeliveryNumber) {
    const SOUND: &str = "a store that verifies can be read";
    let delivery = snapshot.delivery(known).expect(SOUND);
    let at = Timestamp::end_of(delivery.production_date);
    assert!(snapshot.person(pnr).expect(SOUND).is_some_and(|person| person.facts().next().is_some()));
    if let Some(image) = snapshot.as_of(pnr, Some(at), Some(known)).expect(SOUND) {
        assert!(image.all_facts().all(|fact| fact.known().contains(known.0)));
        let _ = format!("{image:?} {} {:?}", image.facts().count(), image.residence(at));
    }
    // Reads of all aspects differ in what they leave out; a few of them go through the same lines of code.
    for aspect in [Aspect::Person, Aspect::Address, Aspect::Name, Aspect::FormerNumber] {
        snapshot.history(pnr, aspect).expect(SOUND);
        snapshot.timeline(pnr, aspect, Some(known)).expect(SOUND);
        snapshot.holding(pnr, aspect, Some(known)).expect(SOUND);
    }
    snapshot.diff(pnr, DeliveryNumber(0), known).expect(SOUND);
    snapshot.diff(pnr, DeliveryNumber(known.0 - 1), known).expect(SOUND);
    snapshot.events(pnr).expect(SOUND);
    snapshot.numbers(pnr, Some(known)).expect(SOUND);
    assert!(snapshot.changes(known).expect(SOUND).count() > 0 || delivery.counts.persons_changed == 0);
}

/// An export can be read again and says of each person what was received. An extract whose lines end in different ways,
/// or a store fed with extracts that end them differently, has no one spelling to export in.
fn check_export(snapshot: &Snapshot, exported: &[u8], told: &[Told]) {
    let end = told[0].end;
    if end.is_none() || told.iter().any(|told| told.end != end) {
        return;
    }
    let family = snapshot.settings().family.expect("there is a delivery");
    // What was waived on the way in stands as it came, and is a fault on the way out too.
    let waive = Waive { code_page: true, ..Waive::default() };
    let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 1, waive };
    let checked = check(Cursor::new(exported), options).expect("memory can be read");
    assert!(checked.is_sound(), "{:?}", checked.faults);
    let again = Told::by(exported, family);
    for (pnr, lines) in &again.persons {
        let received = told.iter().rev().find_map(|told| told.persons.get(pnr)).expect("exported, so held");
        // Lines of 003 stand behind in an export wherever they came, and all lines are as wide as its delivery has
        // them.
        let [lines, received] = [lines, received].map(|lines| {
            let mut lines: Vec<&[u8]> = lines.iter().map(|line| line.trim_ascii_end()).collect();
            lines.sort();
            lines
        });
        assert!(lines == received, "an export does not say what was received");
    }
}

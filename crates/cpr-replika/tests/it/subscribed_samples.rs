//! CPR's own test extract, matched and thinned; skipped where `CPR_SAMPLES` does not point to it.

use std::collections::BTreeSet;
use std::io::Cursor;

use cpr_replika::cpr_extract::{CheckOptions, Waive, check};
use cpr_replika::cpr_subscription::{Profile, Reason};
use cpr_replika::{DeliveryNumber, Replika};

use crate::kit::{self, PLAIN, extract_as, std_family};
use crate::samples::{DELTA, sample};
use crate::subscriptions::{name, subscribe, thinned};

/// The number given up and the one that stands for it, of the test person with a P03.
const GIVEN_UP: &str = "0708614246";
const IN_FORCE: &str = "0307610078";

/// Subscribers told of the extract as a delta on a made-up one of the same customer; none when there are no samples.
fn told() -> Option<(Replika, Vec<u8>)> {
    let delta = sample(DELTA)?;
    let replika = Replika::in_memory(&kit::config()).unwrap();
    let task = str::from_utf8(&delta[13..19]).unwrap();
    let before = extract_as(std_family(), PLAIN, task, ["2001-11-16", "2001-11-16"], &[]);
    kit::apply(&replika, &before).unwrap();
    let farewell = Profile { leaves: true, ..Profile::SF6002 };
    let chain = Profile { number_chain: true, ..Profile::SF6002 };
    let own = Profile { derived_events: false, ..Profile::SF6002 };
    for (subscriber, profile, filters) in [
        ("a21", Profile::SF6002, &["A21"][..]),
        ("a21-own", own, &["A21"]),
        ("0851", farewell, &["0851"]),
        ("0573", farewell, &["0573"]),
        ("children", Profile::SF6002, &["0-17"]),
        ("old", Profile::SF6002, &["65-200"]),
        ("others", Profile::SF6002, &["18-64"]),
        ("given-up", Profile::SF6002, &[GIVEN_UP]),
        ("in-force", Profile::SF6002, &[IN_FORCE]),
        ("chain", chain, &[GIVEN_UP]),
        ("renumbered", Profile::SF6002, &["P03"]),
        ("all", Profile::SF6002, &["everything"]),
    ] {
        subscribe(&replika, subscriber, profile, filters);
    }
    kit::apply(&replika, &delta).expect("it follows on the made-up one");
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
    Some((replika, delta))
}

fn matched(replika: &Replika, subscriber: &str) -> BTreeSet<String> {
    let set = replika.snapshot().matched(DeliveryNumber(2), &name(subscriber)).unwrap();
    set.iter().map(|key| key.pnr().reveal().to_owned()).collect()
}

/// The numbers of the lines of a record for which this holds.
fn in_file(delta: &[u8], record: &str, holds: impl Fn(&[u8]) -> bool) -> BTreeSet<String> {
    let lines = delta.split(|&byte| byte == b'\n').filter(|line| line.starts_with(record.as_bytes()) && holds(line));
    lines.map(|line| str::from_utf8(&line[3..13]).unwrap().to_owned()).collect()
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn test_persons_are_matched_as_their_lines_say() {
    let Some((replika, delta)) = told() else { return };
    let event = |code: &'static [u8]| move |line: &[u8]| line[25..28] == *code;
    let lives = |code: &'static [u8]| move |line: &[u8]| line[13..17] == *code;
    assert_eq!(matched(&replika, "a21"), in_file(&delta, "099", event(b"A21")));
    assert_eq!(
        matched(&replika, "a21-own"),
        in_file(&delta, "099", |line| line[25..28] == *b"A21" && line.len() <= 29)
    );
    assert_eq!(matched(&replika, "renumbered"), in_file(&delta, "099", event(b"P03")));
    assert_eq!(matched(&replika, "0851"), in_file(&delta, "002", lives(b"0851")));
    assert_eq!(matched(&replika, "0573"), in_file(&delta, "002", lives(b"0573")));
    assert_eq!((matched(&replika, "a21").len(), matched(&replika, "a21-own").len()), (5, 4));
    assert_eq!((matched(&replika, "0851").len(), matched(&replika, "0573").len()), (67, 2));
    assert_eq!(matched(&replika, "all"), in_file(&delta, "001", |_| true));
    assert_eq!(matched(&replika, "all").len(), 80);
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn a_number_and_the_one_that_stands_for_it_are_followed_apart_or_as_a_chain() {
    let Some((replika, _)) = told() else { return };
    let set = |numbers: &[&str]| numbers.iter().map(|number| (*number).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(matched(&replika, "given-up"), set(&[GIVEN_UP]));
    assert_eq!(matched(&replika, "in-force"), set(&[IN_FORCE]));
    assert_eq!(matched(&replika, "chain"), set(&[GIVEN_UP, IN_FORCE]));
    let renumbered = matched(&replika, "renumbered");
    assert!(renumbered.contains(GIVEN_UP) && renumbered.contains(IN_FORCE), "the event stands on both");
    assert_eq!(renumbered.len(), 7, "two persons with two numbers each, and three relatives");
    let matches = replika.snapshot().matches(DeliveryNumber(2), &name("chain")).unwrap();
    let by_chain = matches.persons.iter().find(|found| found.pnr.reveal() == IN_FORCE).unwrap();
    assert!(matches!(by_chain.reasons[..], [Reason::NumberChain(other)] if other.pnr().reveal() == GIVEN_UP));
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn ages_of_test_persons_part_the_file() {
    let Some((replika, _)) = told() else { return };
    let ages = ["children", "others", "old"].map(|subscriber| matched(&replika, subscriber));
    let counts: Vec<usize> = ages.iter().map(BTreeSet::len).collect();
    assert_eq!(
        counts.iter().sum::<usize>(),
        ages.iter().flatten().collect::<BTreeSet<_>>().len(),
        "nobody has two ages"
    );
    assert_eq!(counts.iter().sum::<usize>(), 80, "each has a birth date on record");
    assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn thinned_files_are_sound_and_those_of_a_partition_are_the_file() {
    let Some((replika, delta)) = told() else { return };
    let snapshot = replika.snapshot();
    let mut nowhere = matched(&replika, "all");
    for lives in ["0851", "0573"] {
        nowhere.retain(|number| !matched(&replika, lives).contains(number));
    }
    // Who lives nowhere can only be followed by number: told as a later subscriber is, of the delivery again.
    let second = Replika::in_memory(&kit::config()).unwrap();
    let numbers: Vec<&str> = nowhere.iter().map(String::as_str).collect();
    subscribe(&second, "nowhere", Profile::SF6002, &numbers);
    kit::apply(&second, &delta).unwrap();

    let parts = [thinned(&snapshot, &delta, "0851"), thinned(&snapshot, &delta, "0573")];
    let rest = thinned(&second.snapshot(), &delta, "nowhere");
    let mut union: Vec<&[u8]> = Vec::new();
    for part in parts.iter().chain([&rest]) {
        let options =
            CheckOptions { family: std_family(), chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
        assert!(check(&mut Cursor::new(part), options).unwrap().is_sound());
        union.extend(body(part));
    }
    assert_eq!(thinned(&snapshot, &delta, "all"), delta, "everybody's file is the file");
    let mut whole = body(&delta);
    whole.sort_unstable();
    union.sort_unstable();
    assert!(whole == union, "every line goes to one of them");
}

/// The lines between start and end record, which begins with a nine; behind it stands a mark of the end of the file.
fn body(file: &[u8]) -> Vec<&[u8]> {
    let end = file.windows(4).rposition(|bytes| bytes == b"\n999").unwrap() + 1;
    file[..end].split_inclusive(|&byte| byte == b'\n').skip(1).collect()
}

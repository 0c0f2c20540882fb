//! A read that fails does not end a service: its handle opens the file anew, under the same lock, and goes on.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use cpr_replika::{DeliveryNumber, Error, EventCursor, Options, Replika};

use crate::kit::{apply, config, exported, extract_of_day, pnr};

const FIRST: &str = "6101801000";
const LAST: &str = "6101801399";

/// Many persons, each of a name of its own, so that they fill some pages.
fn night(day: usize) -> Vec<u8> {
    let persons: Vec<(String, String)> = (1000..1400)
        .map(|serial| {
            let name = format!("FORNVN=Maja{serial}, EFTERNVN=Mejse{day}, NVNHAENSTART=198001010000");
            let rows = format!("001 STATUS=01, KOEN=K\n008 {name}");
            (format!("610180{serial}"), rows)
        })
        .collect();
    let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (&number[..], &rows[..])).collect();
    extract_of_day(day, &persons)
}

/// A handle without a cache, so that every question is read from the file.
fn store_at(path: &Path) -> Replika {
    let options = Options { cache_bytes: 0, ..Options::default() };
    let replika = Replika::create_with(path, &config(), &options).unwrap();
    apply(&replika, &night(1)).unwrap();
    replika
}

/// The last place in the file where this text stands.
fn place_of(path: &Path, text: &str) -> u64 {
    let bytes = std::fs::read(path).unwrap();
    bytes.windows(text.len()).rposition(|window| window == text.as_bytes()).unwrap() as u64
}

/// Flips a bit; a second time, and the byte is what it was.
fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

/// Whether redb was built to look at every page when it opens, so that a file with damage anywhere does not open at
/// all.
const OPENING_READS_ALL: bool = cfg!(debug_assertions);

/// Waits until a handle that could not open its file anew tries again.
fn wait_for_next_try() {
    if OPENING_READS_ALL {
        std::thread::sleep(Duration::from_millis(1100));
    }
}

#[test]
fn after_a_failed_read_the_next_question_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path);
    let place = place_of(&path, "Maja1000");
    flip(&path, place);
    let held = replika.snapshot();
    for _ in 0..2 {
        let snapshot = replika.snapshot();
        assert!(matches!(snapshot.person(pnr(FIRST)), Err(Error::Damaged { .. })), "told each time, by its place");
        assert!(
            matches!(snapshot.person(pnr(LAST)), Err(Error::Damaged { .. })),
            "a snapshot goes by its first failure"
        );
        let asked_again = replika.snapshot();
        assert!(OPENING_READS_ALL || asked_again.person(pnr(LAST)).unwrap().is_some(), "the handle does not");
        assert!(matches!(Replika::open(&path), Err(Error::Locked)), "nobody got in between");
    }
    assert!(held.person(pnr(LAST)).is_err(), "whoever read when it failed asks the handle again");
    flip(&path, place);
    wait_for_next_try();
    assert!(replika.snapshot().person(pnr(FIRST)).unwrap().is_some());
    replika.add_consumer("reader", EventCursor::BEGINNING).unwrap();
    apply(&replika, &night(2)).unwrap();
    let before = exported(&replika);
    drop((held, replika));
    assert_eq!(exported(&Replika::open(&path).unwrap()), before);
    assert!(Replika::verify_file(&path, &Options::default()).unwrap().is_clean());
}

#[test]
fn after_a_failed_delivery_the_next_one_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path);
    let place = place_of(&path, "Maja1200");
    flip(&path, place);
    assert!(matches!(apply(&replika, &night(2)), Err(Error::Damaged { .. })));
    assert_eq!(replika.snapshot().known(), DeliveryNumber(1));
    flip(&path, place);
    wait_for_next_try();
    assert_eq!(apply(&replika, &night(2)).unwrap().delivery.number, DeliveryNumber(2));
    assert!(replika.snapshot().verify().unwrap().is_clean());
}

#[test]
fn who_only_reads_goes_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(store_at(&path));
    let options = Options { cache_bytes: 0, ..Options::default() };
    let replika = Replika::open_read_only_with(&path, &options).unwrap();
    let beside = Replika::open_read_only_with(&path, &options).unwrap();
    let place = place_of(&path, "Maja1000");
    flip(&path, place);
    assert!(replika.snapshot().person(pnr(FIRST)).is_err());
    assert!(replika.snapshot().person(pnr(LAST)).unwrap().is_some());
    flip(&path, place);
    assert!(replika.snapshot().person(pnr(FIRST)).unwrap().is_some());
    assert!(beside.snapshot().person(pnr(FIRST)).unwrap().is_some());
}

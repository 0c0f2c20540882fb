//! Any bytes as a file to thin, and as the text and the stored bytes of a filter: no panic; a part of a sound file is sound; a
//! filter is its text and its bytes.
#![no_main]

use std::io::Cursor;

use cpr_extract::{CheckOptions, Family, Waive, check};
use cpr_model::{Date, PersonKey};
use cpr_subscription::{FileIndex, Filter, FilterKind, Output, Owner, Selection, Stream, SubscriberName};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use replika_fuzz::mutate;

fuzz_target!(|bytes: &[u8]| {
    filters(bytes);
    for name in ["std", "full"] {
        thin(bytes, Family::named(name).expect("a family of the crate"));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(2) {
        return fuzzer_mutate(data, size, max_size);
    }
    mutate::put(&mutate::extract(&data[..size], seed), data, max_size)
});

/// A filter reads back from its own bytes and from its own text, and nothing that refuses one repeats it.
fn filters(bytes: &[u8]) {
    if let Ok(filter) = Filter::from_bytes(bytes) {
        assert!(filter.to_bytes() == bytes, "two spellings of one filter");
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = text.parse::<SubscriberName>();
    let kinds = FilterKind::ALL.map(|kind| Filter::parse(kind, text));
    for filter in kinds.into_iter().chain([text.parse()]) {
        match filter {
            Ok(filter) => {
                assert!(Filter::from_bytes(&filter.to_bytes()).as_ref() == Ok(&filter));
                assert!(Filter::parse(filter.kind(), &filter.reveal()).as_ref() == Ok(&filter));
            }
            Err(error) => {
                let told = error.to_string();
                let digits = told.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
                assert!(digits < Some(10), "an error that may repeat a number");
            }
        }
    }
}

/// A part of a sound file is sound, and what two subscribers share nothing of adds up to the file.
fn thin(bytes: &[u8], family: &'static Family) {
    let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
    let checked = check(Cursor::new(bytes), options).expect("memory can be read");
    let Ok(index) = FileIndex::read(bytes, family, &[]) else {
        assert!(!checked.is_sound(), "a sound file that cannot be indexed");
        return;
    };
    let stream = Stream { previous_production_date: Date::from_digits(2026_01_05).expect("eight digits"), task: None };
    let mut outputs = [Output { stream, out: Vec::new() }, Output { stream, out: Vec::new() }];
    let side = |key: PersonKey| usize::from(key.as_u32() % 3 == 0);
    let mut owners = Vec::new();
    let thinned = index.split(Cursor::new(bytes), &mut outputs, |owner, targets| {
        let (Owner::Person(key) | Owner::Receipt(key)) = owner;
        owners.push(owner);
        targets.push(side(key));
    });
    let Ok(thinned) = thinned else {
        assert!(!checked.is_sound(), "a sound file that cannot be thinned");
        return;
    };
    let mut selection = Selection::default();
    for (at, Output { out, .. }) in outputs.iter().enumerate() {
        owners.sort_unstable();
        owners.dedup();
        let own = owners.iter().copied().filter(|(Owner::Person(key) | Owner::Receipt(key))| side(*key) == at);
        index.select(own, &mut selection);
        let mut alone = Vec::new();
        let told = index.thin(Cursor::new(bytes), &stream, &selection, &mut alone).expect("it was thinned before");
        assert!(told == thinned[at] && alone == *out, "one by one or all at once makes a difference");
        if checked.is_sound() {
            let part = check(Cursor::new(&out), options).expect("memory can be read");
            assert!(part.is_sound(), "a part of a sound file is not: {:?}", part.faults);
            assert_eq!(part.persons, thinned[at].persons);
        }
    }
    if checked.is_sound() {
        assert_eq!(thinned[0].persons + thinned[1].persons, checked.persons);
    }
}

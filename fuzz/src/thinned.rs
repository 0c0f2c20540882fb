//! A file thinned for two subscribers: its parts are sound, and together they are the file.

use std::io::Cursor;

use cpr_extract::{CheckOptions, Family, Waive, check};
use cpr_model::{Date, PersonKey};
use cpr_subscription::{FileIndex, Output, Owner, Selection, Stream};

/// A part of a sound file is sound, and what two subscribers share nothing of adds up to the file.
pub fn thin(bytes: &[u8], family: &'static Family) {
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

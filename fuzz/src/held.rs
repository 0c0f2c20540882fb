//! What a store holds is what was delivered: line for line, as of each delivery, in every answer and in an export.

use std::io::{Cursor, sink};

use cpr_extract::{CheckOptions, Waive, check};
use cpr_model::{Aspect, Pnr, Timestamp};
use cpr_replika::{DeliveryNumber, Snapshot};

use crate::lines::Told;

/// Everything that was delivered is held as the lines say, as of each delivery.
pub fn hold(snapshot: &Snapshot, told: &[Told]) {
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

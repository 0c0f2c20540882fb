//! CPR's own test extracts, read from where `CPR_SAMPLES` points (a directory with `cpr/sample/`); skipped without it.
//!
//! The files stay outside the repository, and nothing of what they say of a person stands here but test numbers and
//! moments. The traps are those of `traps`, as far as one file shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::PathBuf;

use cpr_replika::cpr_extract::{Family, Item, Line, LineEnd, Padding, records};
use cpr_replika::cpr_model::{Aspect, CorrectionMark, ProtectionKind, RelatedPnr, Status};
use cpr_replika::cpr_subscription::{ChangeCodes, EventCode};
use cpr_replika::{
    Allow, ApplyOptions, Config, DeliveryNumber, Error, EventFilter, Fact, Image, Replika, Report, Residence, Snapshot,
};

use crate::kit::{date, group, moment, pnr};

pub(crate) const DELTA: &str = "U12170-P_110901_ADRNVN_FE";

/// The directory of the extracts, or none, which is said.
fn directory() -> Option<PathBuf> {
    let directory = std::env::var_os("CPR_SAMPLES").map(|root| PathBuf::from(root).join("cpr/sample"));
    if directory.is_none() {
        println!("skipped: CPR_SAMPLES is not set");
    }
    directory
}

pub(crate) fn sample(name: &str) -> Option<Vec<u8>> {
    directory().map(|directory| std::fs::read(directory.join(name)).expect("a sample extract"))
}

fn replika(family: &str) -> Replika {
    let config = Config { family: Some(Family::named(family).expect("a family")), ..Config::default() };
    Replika::in_memory(&config).expect("a store")
}

fn apply(replika: &Replika, extract: &[u8], allow: Allow) -> Result<Report, Error> {
    replika.apply(Cursor::new(extract), &ApplyOptions { allow, ..ApplyOptions::named("sample") })
}

/// The store after the change extract, or none when there are no samples.
fn delta() -> Option<Snapshot> {
    let replika = replika("std");
    apply(&replika, &sample(DELTA)?, Allow::default()).expect("CPR's own extract");
    Some(replika.snapshot())
}

fn person<'s>(snapshot: &'s Snapshot, number: &str) -> Image<'s> {
    snapshot.as_of(pnr(number), None, None).expect("a read").expect("a person of the extract")
}

fn rows<'i>(image: &'i Image<'_>, aspect: Aspect) -> Vec<Fact<'i>> {
    image.all_facts().filter(|fact| fact.aspect() == aspect).collect()
}

fn current<'i>(image: &'i Image<'_>, aspect: Aspect) -> Fact<'i> {
    let rows: Vec<_> = rows(image, aspect).into_iter().filter(|fact| !fact.is_historic()).collect();
    assert_eq!(rows.len(), 1, "one current row");
    rows[0]
}

/// The only row with this mark.
fn marked<'i>(image: &'i Image<'_>, aspect: Aspect, mark: CorrectionMark) -> Fact<'i> {
    let rows: Vec<_> = rows(image, aspect).into_iter().filter(|fact| fact.mark() == Some(mark)).collect();
    assert_eq!(rows.len(), 1, "one row marked {}", mark.letter());
    rows[0]
}

fn from(fact: Fact<'_>) -> u64 {
    fact.valid().from.map_or(0, |at| at.digits())
}

fn to(fact: Fact<'_>) -> u64 {
    fact.valid().to.map_or(0, |at| at.digits())
}

fn status(image: &Image<'_>) -> Option<Status> {
    current(image, Aspect::Person).person().and_then(|person| person.status())
}

fn event_codes(snapshot: &Snapshot, number: &str) -> Vec<String> {
    let events = snapshot.events(pnr(number)).expect("a read");
    events.events.iter().map(|event| event.event().code().reveal().into_owned()).collect()
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn trap_01_an_annulled_address_of_a_test_person() {
    let Some(snapshot) = delta() else { return };
    let image = person(&snapshot, "0709614304");
    let wrong = marked(&image, Aspect::Address, CorrectionMark::Annulled);
    assert_eq!((from(wrong), to(wrong)), (199709091540, 199709091540));
    let address = current(&image, Aspect::Address);
    assert_eq!(from(address), 197902052000);
    assert!(address.address().unwrap().moved_to_municipality().is_none());
    let Some(Residence::Address(then)) = image.residence(moment("199709091540")) else { panic!("an address") };
    assert_eq!(from(then), 197902052000, "the annulled row does not count");
    assert_eq!(snapshot.timeline(pnr("0709614304"), Aspect::Address, None).unwrap().len(), 1);
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn trap_02_a_corrected_address_of_a_test_person() {
    let Some(snapshot) = delta() else { return };
    let image = person(&snapshot, "0706614818");
    let (wrong, right) = (marked(&image, Aspect::Address, CorrectionMark::Corrected), current(&image, Aspect::Address));
    assert_eq!((from(right), from(wrong), to(wrong)), (199709091437, 199709091437, 199709091437));
    let (wrong, right) = (wrong.address().unwrap(), right.address().unwrap());
    assert_ne!(wrong.side_or_door(), right.side_or_door());
    assert!(!wrong.care_of().is_empty() && right.care_of().is_empty());
    let silent = person(&snapshot, "0709614495");
    assert!(!current(&silent, Aspect::Address).address().unwrap().care_of().is_empty());
    assert!(rows(&silent, Aspect::Address).iter().all(|row| row.mark() != Some(CorrectionMark::Corrected)));
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn trap_03_a_corrected_marriage_date_of_a_test_person() {
    let Some(snapshot) = delta() else { return };
    let image = person(&snapshot, "0707614218");
    assert_eq!(from(current(&image, Aspect::CivilStatus)), 199709091315);
    assert_eq!(from(marked(&image, Aspect::CivilStatus, CorrectionMark::Corrected)), 199709081608);
    let timeline = snapshot.timeline(pnr("0707614218"), Aspect::CivilStatus, None).unwrap();
    assert!(timeline.windows(2).all(|pair| pair[0].0.meets(&pair[1].0)), "the row before ends at the corrected start");
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn trap_04_an_annulled_marriage_of_two_test_persons() {
    let Some(snapshot) = delta() else { return };
    for (number, other, now) in [("0711614354", "0707614285", "U"), ("0707614285", "0711614354", "F")] {
        let image = person(&snapshot, number);
        assert_eq!(current(&image, Aspect::CivilStatus).civil_status().unwrap().civil_status().reveal(), now);
        let never = marked(&image, Aspect::CivilStatus, CorrectionMark::Annulled);
        assert_eq!(never.civil_status().unwrap().spouse_pnr(), Some(RelatedPnr::Known(pnr(other))));
        assert!(!never.holds_at(never.valid().from.unwrap()));
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn traps_05_and_06_deaths_annulled_and_corrected() {
    let Some(snapshot) = delta() else { return };
    let alive = person(&snapshot, "2906980013");
    assert_eq!(status(&alive), Some(Status(1)));
    let never = marked(&alive, Aspect::CivilStatus, CorrectionMark::Annulled);
    assert_eq!(never.civil_status().unwrap().civil_status().reveal(), "D");
    let codes = event_codes(&snapshot, "2906980013");
    assert!(codes.contains(&"A21".to_owned()) && codes.contains(&"A25".to_owned()));

    let dead = person(&snapshot, "0101980014");
    assert_eq!(from(current(&dead, Aspect::CivilStatus)), 200006300000);
    assert_eq!(from(marked(&dead, Aspect::CivilStatus, CorrectionMark::Corrected)), 200006290859);
    assert!(dead.residence(moment("2001-11-19")).is_none());
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn trap_07_a_test_person_whose_name_covers_no_year_before_2000() {
    let Some(snapshot) = delta() else { return };
    let image = person(&snapshot, "1303814074");
    assert_eq!(from(current(&image, Aspect::Name)), 200003300000);
    assert_eq!(from(marked(&image, Aspect::Name, CorrectionMark::Corrected)), 198105052000);
    let then = snapshot.as_of(pnr("1303814074"), Some(moment("1990-01-01")), None).unwrap().unwrap();
    assert_eq!(then.aspect(Aspect::Name).count(), 0);
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn trap_08_a_silently_rewritten_line_of_residence_meets_at_every_joint() {
    let Some(snapshot) = delta() else { return };
    let image = person(&snapshot, "0709614428");
    let mut periods: Vec<_> = image
        .all_facts()
        .filter(|fact| fact.aspect().is_residence() && fact.mark().is_none() && !fact.valid().is_empty())
        .map(|fact| fact.valid())
        .collect();
    periods.sort_by_key(|period| period.from);
    assert_eq!(periods.len(), 6);
    assert!(periods.windows(2).all(|pair| pair[0].meets(&pair[1])));
    assert!(matches!(image.residence(moment("1998-09-01")), Some(Residence::Disappeared(_))));
    assert!(matches!(image.residence(moment("1999-08-01")), Some(Residence::Abroad(_))));
    assert!(matches!(image.residence(moment("2001-01-01")), Some(Residence::Address(_))));
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn traps_09_and_10_changed_numbers_lead_to_the_one_in_force() {
    let Some(snapshot) = delta() else { return };
    for (old, now) in [("0708614246", "0307610078")] {
        for asked in [old, now] {
            let chain = snapshot.numbers(pnr(asked), None).unwrap().unwrap();
            assert_eq!(chain.current, Some(pnr(now)));
            let numbers: BTreeSet<_> = chain.numbers.iter().map(|number| number.pnr).collect();
            assert_eq!(numbers, BTreeSet::from([pnr(old), pnr(now)]));
        }
        assert!(person(&snapshot, old).residence(moment("2001-11-19")).is_none(), "nobody lives under a former number");
    }
    let moved = person(&snapshot, "0307610078");
    assert!(matches!(moved.residence(moment("1990-01-01")), Some(Residence::Address(_))), "long before its number");
    let children: Vec<_> = rows(&moved, Aspect::Child).iter().map(|row| row.child().unwrap().child_pnr()).collect();
    assert_eq!(children, ["1306814172", "1306814180"].map(|child| Some(RelatedPnr::Known(pnr(child)))));

    let chains = ["0709610015", "0108610069"].map(|asked| snapshot.numbers(pnr(asked), None).unwrap().unwrap());
    assert_eq!(chains[0], chains[1], "the same chain from both ends");
    let current = chains[0].current.expect("one number in force");
    let spouse = person(&snapshot, "0108610018");
    let married = current_status_pnr(&spouse);
    assert_eq!(married, Some(RelatedPnr::Known(current)), "the spouse names the number in force");
    let link = self::current(&spouse, Aspect::CivilStatus).civil_status().unwrap().separation_link();
    assert!(link.is_some());
    assert_eq!(self::current(&spouse, Aspect::Separation).separation().unwrap().civil_status_link(), link);
}

fn current_status_pnr(image: &Image<'_>) -> Option<RelatedPnr> {
    current(image, Aspect::CivilStatus).civil_status().unwrap().spouse_pnr()
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn traps_11_to_16_as_they_stand_after_the_delivery() {
    let Some(snapshot) = delta() else { return };
    let unprotected = person(&snapshot, "0707614234");
    assert_eq!(rows(&unprotected, Aspect::Protection).len(), 0);
    assert!(event_codes(&snapshot, "0707614234").contains(&"A33".to_owned()));

    let renamed = person(&snapshot, "0901414025");
    assert!(event_codes(&snapshot, "0901414025").contains(&"P10".to_owned()));
    assert_eq!(rows(&renamed, Aspect::FormattedAddress).len(), 1);

    let newborn = person(&snapshot, "0101005038");
    let name = current(&newborn, Aspect::Name);
    assert!(name.name().unwrap().given_names().is_empty() && name.valid().from.is_none());
    assert_eq!(current(&newborn, Aspect::Church).church().unwrap().membership().reveal(), "A");
    let parents = current(&newborn, Aspect::Parents).parents().unwrap();
    for parent in [parents.mother_pnr(), parents.father_pnr()] {
        let Some(RelatedPnr::Known(parent)) = parent else { panic!("a parent with a number") };
        let parent = snapshot.as_of(parent, None, None).unwrap().unwrap();
        let child = Some(RelatedPnr::Known(pnr("0101005038")));
        assert!(rows(&parent, Aspect::Child).iter().any(|row| row.child().unwrap().child_pnr() == child));
    }

    let adopted = person(&snapshot, "0909970016");
    assert!(event_codes(&snapshot, "0909970016").contains(&"A35".to_owned()));
    assert_eq!(rows(&adopted, Aspect::Parents).len(), 1, "no history of parents in one file");

    let resident = person(&snapshot, "0708610089");
    let administrative = marked(&resident, Aspect::Address, CorrectionMark::Annulled).address().unwrap();
    assert_eq!(administrative.municipality_code().unwrap().0, 11);
    let address = current(&resident, Aspect::Address).address().unwrap();
    assert_eq!(address.previous_municipality_code().unwrap().0, 11);

    let abroad = person(&snapshot, "0709614738");
    assert_eq!(status(&abroad), Some(Status(80)));
    assert!(matches!(abroad.residence(moment("2001-11-19")), Some(Residence::Abroad(_))));
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn traps_17_and_18_odd_periods_of_test_persons() {
    let Some(snapshot) = delta() else { return };
    let image = person(&snapshot, "0709614096");
    let inverted: Vec<_> = image.all_facts().filter(|fact| fact.valid().is_inverted()).collect();
    assert_eq!(inverted.len(), 1);
    assert_eq!((inverted[0].record(), from(inverted[0]), to(inverted[0])), (26, 196111071200, 196110072000));
    let timeline = snapshot.timeline(pnr("0709614096"), Aspect::Name, None).unwrap();
    assert!(timeline.iter().all(|(period, _)| !period.is_empty()));

    let old = person(&snapshot, "3012995007");
    assert_eq!(from(current(&old, Aspect::Citizenship)), 190005301637);
    assert_eq!(from(current(&old, Aspect::Name)), 190105301637);
    assert!(current(&old, Aspect::Name).name().unwrap().from().unwrap().uncertain);
    assert_eq!(current(&old, Aspect::Church).valid().from, Some(moment("190006300000")));
    assert!(old.residence(moment("1950-01-01")).is_none());
    assert!(old.residence(moment("2001-11-19")).is_some());
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn traps_19_to_21_over_all_test_persons() {
    let Some(snapshot) = delta() else { return };
    let (mut gone, mut without_number) = (0, 0);
    for number in snapshot.pnrs().unwrap() {
        let image = snapshot.as_of(number.unwrap(), None, None).unwrap().unwrap();
        let Some(Status(status)) = status(&image) else { panic!("a status") };
        let now = image.residence(moment("2008-12-31"));
        match status {
            1 => assert!(matches!(now, Some(Residence::Address(_))), "active"),
            70 => assert!(matches!(now, Some(Residence::Disappeared(_)))),
            80 => assert!(matches!(now, Some(Residence::Abroad(_)))),
            _ => assert!(now.is_none(), "status {status}"),
        }
        if status >= 70 {
            gone += usize::from(!rows(&image, Aspect::Address).is_empty());
            assert!(rows(&image, Aspect::Address).iter().all(|row| row.is_historic()));
        }
        without_number += usize::from(current_status_pnr(&image) == Some(RelatedPnr::Unknown));
    }
    assert!(gone > 0, "the last address of who left stands in history");
    assert!(without_number > 0);
    let removed = person(&snapshot, "0708614246");
    assert_eq!(current_status_pnr(&removed), Some(RelatedPnr::Unknown), "the number that CPR removed");
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn protection_of_the_extract_is_found_by_kind() {
    let Some(snapshot) = delta() else { return };
    let all: Vec<_> = snapshot.pnrs().unwrap().map(|number| snapshot.as_of(number.unwrap(), None, None)).collect();
    let images: Vec<_> = all.into_iter().map(|image| image.unwrap().unwrap()).collect();
    let facts = images.iter().flat_map(|image| rows(image, Aspect::Protection)).collect::<Vec<_>>();
    assert_eq!(facts.len(), 39);
    let kinds: BTreeSet<_> = facts.iter().map(|fact| fact.protection().unwrap().kind().unwrap()).collect();
    assert!(kinds.contains(&ProtectionKind(1)));
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn every_sample_extract_is_read_and_written_back_byte_for_byte() {
    let Some(directory) = directory() else { return };
    let manifest = std::fs::read_to_string(directory.join("manifest.csv")).unwrap();
    assert_eq!(manifest.lines().count(), 11);
    for line in manifest.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (file, family) = (cells[0], Family::named(cells[1]).unwrap());
        let bytes = std::fs::read(directory.join(file)).unwrap();
        let (mut written, mut count, mut packed, mut content) = (Vec::new(), 0, Vec::new(), Vec::new());
        let mut items = records(Cursor::new(&bytes), family, &[]);
        while let Some(item) = items.next_item().unwrap() {
            let Item::Record(record) = item else { panic!("{file}: a line that does not fit") };
            count += 1;
            match record.pnr() {
                None => content = record.bytes().to_vec(),
                Some(number) => {
                    packed.clear();
                    record.pack(&mut packed);
                    let values = cpr_replika::cpr_model::Values::new(&packed);
                    record.layout.render(Some(number), values, &mut content);
                }
            }
            let line = Line { content: &content, width: record.bytes().len(), end: record.end };
            line.write(&mut written).unwrap();
        }
        written.extend_from_slice(items.trailer());
        assert!(written == bytes, "{file}: written back as other bytes");
        assert_eq!(count.to_string(), cells[3], "{file}: records");
    }
}

/// The lines of an extract by person, in the order of the file; events and frame left out.
fn by_person(extract: &[u8]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut persons: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for line in extract.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > 13 && ![b"000", b"999", b"099", b"900"].contains(&line.first_chunk().unwrap()) {
            let number = String::from_utf8(line[3..13].to_vec()).unwrap();
            persons.entry(number).or_default().push(line.to_vec());
        }
    }
    persons
}

/// After applying a file, each person's group is the person's lines, and an export is the file without its events.
fn check_lines_and_export(family: &str, name: &str, persons: usize) {
    let Some(extract) = sample(name) else { return };
    let replika = replika(family);
    apply(&replika, &extract, Allow::default()).unwrap();
    let snapshot = replika.snapshot();
    let expected = by_person(&extract);
    assert_eq!(expected.len(), persons);
    for (number, lines) in &expected {
        assert!(group(&snapshot, number, 1).as_ref() == Some(lines), "{name}: the lines of a person");
    }
    assert!(snapshot.verify().unwrap().is_clean());

    let mut exported = Vec::new();
    assert_eq!(snapshot.export(None, &mut exported).unwrap(), persons as u64);
    let end = if extract.windows(2).any(|pair| pair == b"\r\n") { LineEnd::CrLf } else { LineEnd::Lf };
    assert!(by_person(&exported) == expected, "{name}: the lines of the export");
    let lines = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let events: [&[u8]; 2] = [b"099", b"900"];
        let lines = bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec);
        lines.filter(|line| !events.contains(&&line[..3.min(line.len())])).collect()
    };
    let mut expected_lines = lines(&extract);
    let counted = expected.values().map(Vec::len).sum::<usize>();
    let last = expected_lines.iter().position(|line| line.starts_with(b"999999999999")).unwrap();
    expected_lines[last] = [format!("9999999999999{counted:08}").as_bytes(), end.bytes()].concat();
    // The production date stands in both places, as in an establishment.
    let production = expected_lines[0][19..27].to_vec();
    expected_lines[0][27..35].copy_from_slice(&production);
    assert!(lines(&exported) == expected_lines, "{name}: the export is the file without its events, in CPR's order");
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_change_extract_comes_back_as_it_was() {
    check_lines_and_export("std", DELTA, 80);
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_full_table_extract_comes_back_as_it_was() {
    check_lines_and_export("full", "GLBASETEST", 39);
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn a_second_delivery_leaves_the_first_readable() {
    let Some(first) = sample(DELTA) else { return };
    let replika = replika("std");
    apply(&replika, &first, Allow::default()).unwrap();
    let before = by_person(&first);
    // Every tenth person dies of a sudden: 001 says status 90, and the address and the text are gone.
    let mut after: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (number, lines) in before.iter().step_by(10) {
        let mut lines = lines.clone();
        lines.retain(|line| !line.starts_with(b"002") && !line.starts_with(b"003"));
        lines[0][23..25].copy_from_slice(b"90");
        after.insert(number.clone(), lines);
    }
    let mut second = b"00000000000001109012001112020011119\r\n".to_vec();
    let count: usize = after.values().map(Vec::len).sum();
    for line in after.values().flatten() {
        second.extend_from_slice(line);
        second.extend_from_slice(b"\r\n");
    }
    second.extend_from_slice(format!("9999999999999{count:08}\r\n").as_bytes());
    let report = apply(&replika, &second, Allow::default()).unwrap();
    assert_eq!((report.delivery.counts.persons_changed, report.delivery.counts.persons_new), (8, 0));

    let snapshot = replika.snapshot();
    assert_eq!(snapshot.changes(DeliveryNumber(2)).unwrap().count(), 8);
    for (number, lines) in &before {
        assert!(group(&snapshot, number, 1).as_ref() == Some(lines), "delivery 1 still says what it said");
        let now = after.get(number).unwrap_or(lines);
        assert!(group(&snapshot, number, 2).as_ref() == Some(now), "delivery 2 says what it says");
        let was_dead = snapshot.as_of(pnr(number), None, Some(DeliveryNumber(1))).unwrap();
        assert!(was_dead.is_some_and(|image| current(&image, Aspect::Person).known().from == 1));
    }
    let mut export = Vec::new();
    snapshot.export(Some(DeliveryNumber(1)), &mut export).unwrap();
    assert!(by_person(&export) == before, "the whole register as of delivery 1");
    assert!(snapshot.verify().unwrap().is_clean());
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn every_event_record_of_the_full_table_extract_is_told_by_applying_and_none_by_loading() {
    let Some(extract) = sample("GLBASETEST") else { return };
    let (applied, loaded) = (replika("full"), replika("full"));
    apply(&applied, &extract, Allow::default()).unwrap();
    loaded.load(Cursor::new(&extract), &ApplyOptions::named("sample")).unwrap();
    let count = |replika: &Replika| {
        let feed = replika.snapshot().events_of(DeliveryNumber(1), EventFilter::default()).unwrap();
        feed.filter(|event| event.as_ref().unwrap().cause.is_some()).count()
    };
    assert_eq!((count(&applied), count(&loaded)), (42, 0));
}

/// Kinds by code and mark, with how often.
#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn every_event_record_of_the_change_extract_is_one_business_event() {
    let Some(snapshot) = delta() else { return };
    let feed = snapshot.events_of(DeliveryNumber(1), EventFilter::default()).unwrap();
    let events: Vec<_> = feed.map(Result::unwrap).collect();
    assert_eq!(events.len(), 116);
    let persons: BTreeSet<_> = events.iter().map(|event| event.pnr).collect();
    assert_eq!(persons.len(), 80, "each is there for a reason");
    let mut kinds: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for event in &events {
        let cause = event.cause.expect("before the first delivery nobody was held: only records speak");
        let mark = cause.derived_mark.map_or(String::new(), |mark| mark.to_string());
        let label = format!("{}{mark}", cause.code);
        *kinds.entry(event.kind.name().to_owned()).or_default().entry(label).or_default() += 1;
    }
    let line = |(kind, codes): (&String, &BTreeMap<String, u32>)| {
        let codes: Vec<String> = codes.iter().map(|(code, count)| format!("{code}*{count}")).collect();
        format!("{kind}: {}\n", codes.join(" "))
    };
    expect_test::expect![[r#"
        address_corrected: A09*3 A10*1
        child_recorded: A35NF*1 A35NM*1 A36MO*1 A37NF*2 A38NF*1 A51FA*1 A51MO*1
        child_removed: A35TF*1 A35TM*1
        civil_status_changed: A21*2 A24*1 A24ÆG*1 A25*3 A25ÆG*1
        died: A21*2
        disappeared: A02*1
        divorced: A20*1 A20ÆG*1
        emigrated: A06*1
        found: A03*2
        immigrated: A04*1 P31*1
        married: A19*2 A19ÆG*2
        moved_in: A01*3
        moved_within: A01*3
        name_changed: A13*2 A15*1 P58*2
        name_corrected: A16*3
        number_changed: P02*1 P02PN*1 P03*2 P03BØ*2 P03PN*2 P03ÆG*1 P42*1 P42PT*1 P42ÆG*1 P43*1 P43PT*1
        other: A05*1 A07*1 A08*1 A24*1 A27*1 A29*1 A31*2 A32*1 A34*1 A45*1 A47*1 A73*4 A74*2 K74*1 P10*6 P32*1 P35*2 P35ÆG*2 P36*1 P36ÆG*1 P40*2 P51*1 P55*1
        parent_recorded: A35*1 A36*1 A37*2 A38*1 A51*1
        partnership_entered: A23*1 A23PA*1
        protected: A33*6
        unprotected: A33*1
        widowed: A21ÆG*1
    "#]].assert_eq(&kinds.iter().map(line).collect::<String>());
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn hand_cut_files_are_refused_unless_each_fault_is_accepted_by_name() {
    if directory().is_none() {
        return;
    }
    let wrong_count = Allow { wrong_count: true, ..Allow::default() };
    let stray_rows = Allow { rows_without_person: true, ..wrong_count };
    for (name, allow) in [
        ("udtraek-with-lines-iso.txt", wrong_count),
        ("testForaeldremyndighed_D100314.L431101", stray_rows),
        ("kommunaleForhold_D100314.L431101", wrong_count),
        ("NameAndAddressProtection_D100314.L431101", wrong_count),
        ("testSequence1_D100314.L431101", wrong_count),
        ("testOutOfSequence_D100314.L431101", wrong_count),
    ] {
        let (extract, replika) = (sample(name).unwrap(), replika("std"));
        let refused = apply(&replika, &extract, Allow::default()).unwrap_err();
        assert_eq!(refused.kind(), "wrong_count", "{name}");
        assert_eq!(replika.snapshot().known().0, 0, "{name}");
        if allow != wrong_count {
            let refused = apply(&replika, &extract, wrong_count).unwrap_err();
            assert_eq!(refused.kind(), "no_person_record", "{name}");
        }
        let report = apply(&replika, &extract, allow).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.delivery.number, DeliveryNumber(1), "{name}");
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn files_without_a_sound_frame_are_refused_whatever_is_accepted() {
    if directory().is_none() {
        return;
    }
    let everything = Allow {
        wrong_count: true,
        rows_without_person: true,
        code_page: true,
        wider_family: true,
        gap: true,
        older: true,
        other_customer: true,
        reload: true,
    };
    for (name, family, kind) in
        [("endRecords_D100314.L431101", "std", "data_after_end"), ("personUndoRedoName.txt", "full", "no_start_record")]
    {
        let (extract, replika) = (sample(name).unwrap(), replika(family));
        for allow in [Allow::default(), everything] {
            let Error::Extract { faults, .. } = apply(&replika, &extract, allow).unwrap_err() else {
                panic!("{name}: a damaged extract");
            };
            assert!(faults.iter().any(|fault| fault.reason.name() == kind), "{name}: {faults:?}");
        }
        assert_eq!(replika.snapshot().known().0, 0);
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_chain_of_production_dates_of_the_small_files_is_kept() {
    let Some(first) = sample(DELTA) else { return };
    let allow = Allow { wrong_count: true, ..Allow::default() };
    let replika = replika("std");
    apply(&replika, &first, Allow::default()).unwrap();
    let last = replika.snapshot().last_delivery().unwrap().production_date;
    assert_eq!(last, date("2001-11-19"));
    for name in ["testSequence1_D100314.L431101", "NameAndAddressProtection_D100314.L431101"] {
        assert_eq!(apply(&replika, &sample(name).unwrap(), allow).unwrap_err().kind(), "older", "{name}");
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn the_padding_of_the_extracts_is_recognised() {
    for (name, family, padding) in [(DELTA, "std", Padding::Cut), ("GLBASETEST", "full", Padding::Full)] {
        let Some(extract) = sample(name) else { return };
        let report = apply(&replika(family), &extract, Allow::default()).unwrap();
        assert_eq!(report.delivery.style.padding, padding, "{name}");
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn every_change_code_of_cprs_own_extracts_may_be_followed() {
    let Some(extract) = sample(DELTA) else { return };
    let codes: BTreeSet<&[u8]> = extract
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"099"))
        .map(|line| &line[25..28])
        .collect();
    assert!(codes.len() > 40, "{}", codes.len());
    let in_use = ChangeCodes::in_use();
    let missing = |code: &&&[u8]| !EventCode::parse(code).is_ok_and(|code| in_use.contains(&code));
    assert_eq!(codes.iter().filter(missing).map(|code| String::from_utf8_lossy(code)).collect::<Vec<_>>(), [""; 0]);
}

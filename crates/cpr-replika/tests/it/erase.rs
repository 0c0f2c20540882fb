//! Persons who go: nothing is left of them, everybody else is as if they had never come, and they do not come back.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{
    ApplyOptions, Config, DeliveryNumber, EraseOptions, Error, EventCursor, EventFilter, Options, Outcome, Packed,
    Query, Replika, RewriteProgress, Snapshot,
};
use proptest::prelude::*;

use crate::kit::{Person, apply, config, exported, extract_of_day, pnr};
use crate::subscriptions::{name, subscribe};

const ANNA: &str = "6101801231";
const BO: &str = "6201801235";
const CARL: &str = "6301801239";
const DORA: &str = "6401801232";

const ALONE: &str = "001 STATUS=01";

fn erase(replika: &Replika, numbers: &[&str]) -> cpr_replika::Receipt {
    let numbers: Vec<_> = numbers.iter().map(|number| pnr(number)).collect();
    let options = EraseOptions { unfollow: true, at: Some(1_767_600_000), ..EraseOptions::default() };
    replika.erase(&numbers, "no ground", &options).unwrap().receipt
}

fn holds(replika: &Replika, number: &str) -> bool {
    replika.snapshot().person(pnr(number)).unwrap().is_some()
}

/// A store of these nights.
fn nights(config: &Config, nights: &[&[Person<'_>]]) -> Replika {
    let replika = Replika::in_memory(config).unwrap();
    for (at, persons) in nights.iter().enumerate() {
        apply(&replika, &extract_of_day(at + 1, persons)).unwrap();
    }
    replika
}

/// What a store says of its persons, as text; not what deliveries counted, nor ids, which are keyed.
pub(crate) fn answers(snapshot: &Snapshot) -> Vec<String> {
    let mut all = Vec::new();
    for known in (1..=snapshot.known().0).map(DeliveryNumber) {
        let mut bytes = Vec::new();
        snapshot.export(Some(known), &mut bytes).unwrap();
        all.push(bytes.into_iter().map(char::from).collect());
        let events = snapshot.events_of(known, EventFilter::default()).unwrap().map(Result::unwrap);
        all.push(events.map(|event| format!("{:?} {} ", event.kind, event.pnr.reveal())).collect());
        all.push(snapshot.changes(known).unwrap().map(|pnr| pnr.reveal().to_owned() + " ").collect());
        let matched = snapshot.matched(known, &name("desk")).unwrap();
        all.push(matched.iter().map(|key| key.pnr().reveal().to_owned() + " ").collect());
    }
    let found = snapshot.find(&Query::municipality(cpr_replika::cpr_model::MunicipalityCode(751))).unwrap();
    all.push(found.iter().map(|key| key.pnr().reveal().to_owned() + " ").collect());
    assert_eq!(snapshot.verify().unwrap().faults, []);
    all
}

const NUMBERS: [&str; 6] = [ANNA, BO, CARL, DORA, "6501801234", "6601801236"];

/// The rows of a person on a night.
fn rows() -> impl Strategy<Value = String> {
    let home = (0..3u8, 1..4u8).prop_map(|(place, house)| {
        format!("002 KOMKOD=075{place}, VEJKOD=0042, HUSNR=00{house}, TILFLYDTO=202601011200")
    });
    let called = prop::sample::select(vec!["Maja", "Bo", "Carl Emil"])
        .prop_map(|name| format!("008 FORNVN={name}, EFTERNVN=Mejse, NVNHAENSTART=198001010000"));
    let married = prop::sample::select(NUMBERS.to_vec())
        .prop_map(|number| format!("012 CIVST=G, AEGTEPNR={number}, HAENSTART-CIVILSTAND=200005051200"));
    let event = prop::sample::select(vec!["A01", "A05", "C01"]).prop_map(|code| format!("099 HAENDELSE={code}"));
    let some = |rows| prop::option::of(rows);
    (home, some(called.boxed()), some(married.boxed()), some(event.boxed())).prop_map(
        |(home, called, married, event)| {
            let rows = [Some("001 STATUS=01".to_owned()), Some(home), called, married, event];
            rows.into_iter().flatten().collect::<Vec<_>>().join("\n")
        },
    )
}

type Night = std::collections::BTreeMap<&'static str, String>;

fn store_of(replika: Replika, nights: &[Night], without: &BTreeSet<&str>) -> Replika {
    subscribe(&replika, "desk", Profile::SF6002, &["0751", "A01"]);
    for (at, night) in nights.iter().enumerate() {
        let persons: Vec<Person<'_>> = night
            .iter()
            .filter(|(number, _)| !without.contains(*number))
            .map(|(number, rows)| (*number, rows.as_str()))
            .collect();
        apply(&replika, &extract_of_day(at + 1, &persons)).unwrap();
    }
    replika
}

#[cfg(feature = "encryption")]
pub(crate) fn encrypted(folder: &Path) -> Options {
    let key = cpr_replika::KeyFile::create(folder.join("key")).unwrap();
    Options { key: Some(std::sync::Arc::new(key)), ..Options::default() }
}

/// This build does not encrypt: a plain store again.
#[cfg(not(feature = "encryption"))]
pub(crate) fn encrypted(_: &Path) -> Options {
    Options::default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn everybody_else_is_as_if_they_had_never_come(
        all in prop::collection::vec(prop::collection::btree_map(prop::sample::select(NUMBERS.to_vec()), rows(), 0..=6), 1..4),
        gone in prop::collection::btree_set(prop::sample::select(NUMBERS.to_vec()), 1..4),
        later in prop::collection::btree_map(prop::sample::select(NUMBERS.to_vec()), rows(), 0..=6),
        is_encrypted in any::<bool>(),
        in_two in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let options = if is_encrypted { encrypted(folder.path()) } else { Options::default() };
        let replika = store_of(Replika::create_with(&path, &config(), &options).unwrap(), &all, &BTreeSet::new());
        let without = store_of(Replika::in_memory(&config()).unwrap(), &all, &gone);
        let numbers: Vec<&str> = gone.iter().copied().collect();
        let (first, second) = numbers.split_at(if in_two { 1 } else { numbers.len() });
        erase(&replika, first);
        if !second.is_empty() {
            erase(&replika, second);
        }
        prop_assert_eq!(answers(&replika.snapshot()), answers(&without.snapshot()));

        // And they do not come back, also not after the store was opened anew.
        drop(replika);
        let replika = Replika::open_with(&path, &options).unwrap();
        let persons: Vec<Person<'_>> = later.iter().map(|(number, rows)| (*number, rows.as_str())).collect();
        let others: Vec<Person<'_>> = persons.iter().filter(|(number, _)| !gone.contains(number)).copied().collect();
        let day = all.len() + 1;
        let report = apply(&replika, &extract_of_day(day, &persons)).unwrap();
        prop_assert_eq!(report.delivery.counts.persons_barred, (persons.len() - others.len()) as u64);
        apply(&without, &extract_of_day(day, &others)).unwrap();
        prop_assert_eq!(answers(&replika.snapshot()), answers(&without.snapshot()));
        prop_assert!(Replika::verify_file(&path, &options).is_err(), "it is open");
        for receipt in replika.snapshot().erase_receipts().unwrap() {
            prop_assert!(replika.snapshot().is_receipt(&receipt).unwrap());
        }
        drop(replika);
        prop_assert!(Replika::verify_file(&path, &options).unwrap().is_clean());
    }
}

fn store_at(path: &Path) -> Replika {
    let replika = Replika::create(path, &config()).unwrap();
    let rows = |house: u8| {
        format!("{ALONE}\n002 KOMKOD=0751, VEJKOD=0042, HUSNR=00{house}, TILFLYDTO=202601011200\n099 HAENDELSE=A05")
    };
    subscribe(&replika, "desk", Profile::SF6002, &["0751", BO]);
    for day in 1..=3 {
        let rows = rows(day as u8);
        let persons: Vec<Person<'_>> = [ANNA, BO, CARL, DORA].map(|number| (number, &rows[..])).to_vec();
        apply(&replika, &extract_of_day(day, &persons)).unwrap();
    }
    replika
}

#[test]
fn a_receipt_says_what_was_done_and_a_changed_one_is_no_receipt() {
    let spouse = format!("{ALONE}\n012 CIVST=G, AEGTEPNR={ANNA}, HAENSTART-CIVILSTAND=200005051200");
    let replika = nights(&config(), &[&[(ANNA, ALONE), (BO, &spouse), (CARL, ALONE)]]);
    let receipt = erase(&replika, &[ANNA, DORA]);
    assert_eq!((receipt.number, receipt.persons, receipt.numbers, receipt.held), (1, 2, 2, 1));
    assert_eq!((receipt.mentions, receipt.known, receipt.filters), (1, DeliveryNumber(1), 0));
    assert_eq!((receipt.reason.as_str(), receipt.at), ("no ground", Some(1_767_600_000)));
    let snapshot = replika.snapshot();
    assert_eq!(snapshot.erase_receipts().unwrap(), std::slice::from_ref(&receipt));
    assert!(snapshot.is_receipt(&receipt).unwrap());
    let mut changed = receipt.clone();
    changed.persons = 3;
    assert!(!snapshot.is_receipt(&changed).unwrap());
    let other = nights(&config(), &[]);
    assert!(!other.snapshot().is_receipt(&receipt).unwrap(), "another store's");
    assert_eq!(erase(&replika, &[CARL]).number, 2);
    assert_eq!(replika.snapshot().erase_receipts().unwrap().len(), 2);
}

#[test]
fn who_is_followed_goes_with_the_filters_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let replika = store_at(&folder.path().join("store"));
    let before = answers(&replika.snapshot());
    let refused = replika.erase(&[pnr(BO)], "no ground", &EraseOptions::default());
    assert!(matches!(refused, Err(Error::Followed { filters: 1 })), "{refused:?}");
    assert_eq!(answers(&replika.snapshot()), before);
    assert_eq!(replika.snapshot().erase_scope(&[pnr(BO)]).unwrap().filters, 1);
    assert_eq!(erase(&replika, &[BO]).filters, 1);
    let snapshot = replika.snapshot();
    for delivery in [None, Some(DeliveryNumber(1)), Some(DeliveryNumber(3))] {
        let filters = snapshot.filters(&name("desk"), delivery).unwrap();
        assert_eq!(filters.len(), 1, "neither now nor then");
    }
    assert_eq!(snapshot.verify().unwrap().faults, []);
}

#[test]
fn a_kill_at_any_stage_is_taken_up_by_the_same_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path);
    let before = answers(&replika.snapshot());
    let left = std::cell::RefCell::new(Vec::new());
    // What a kill would leave is what stands in the folder at that moment.
    let keep = |_: RewriteProgress| {
        let copy = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        left.borrow_mut().push(copy);
        ControlFlow::Continue(())
    };
    let options = EraseOptions { progress: Some(&keep), ..EraseOptions::default() };
    replika.erase(&[pnr(ANNA)], "no ground", &options).unwrap();
    let after = answers(&replika.snapshot());
    assert_ne!(before, after);
    assert!(left.borrow().len() >= 3);
    for copy in left.into_inner() {
        let replika = Replika::open(copy.path().join("store")).unwrap();
        assert_eq!(answers(&replika.snapshot()), before);
        assert_eq!((replika.snapshot().barred().unwrap(), replika.snapshot().erase_receipts().unwrap().len()), (0, 0));
        replika.erase(&[pnr(ANNA)], "no ground", &EraseOptions::default()).unwrap();
        assert_eq!(answers(&replika.snapshot()), after);
        assert_eq!(replika.snapshot().barred().unwrap(), 1);
    }
    let stop = |_: RewriteProgress| ControlFlow::Break(());
    let options = EraseOptions { progress: Some(&stop), ..EraseOptions::default() };
    assert!(matches!(replika.erase(&[pnr(CARL)], "no ground", &options), Err(Error::Stopped)));
    assert_eq!(answers(&replika.snapshot()), after);
}

#[test]
fn a_receipt_is_final_when_nobody_reads_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let replika = store_at(&folder.path().join("store"));
    let held = replika.snapshot();
    let erasure = replika.erase(&[pnr(ANNA)], "no ground", &EraseOptions::default()).unwrap();
    assert!(!erasure.is_final());
    assert!(held.person(pnr(ANNA)).unwrap().is_some(), "a snapshot of before is of before");
    drop(held);
    assert!(erasure.is_final());
}

#[test]
fn the_same_file_again_is_the_report_of_then() {
    let replika = Replika::in_memory(&config()).unwrap();
    let file = extract_of_day(1, &[(ANNA, ALONE), (BO, ALONE)]);
    let mut report = apply(&replika, &file).unwrap();
    erase(&replika, &[ANNA]);
    // But for the digest, which is of who is left.
    report.delivery.state = replika.snapshot().ledger_digest();
    let again = replika.apply(Cursor::new(&file), &ApplyOptions::named("made up")).unwrap();
    assert_eq!((again.outcome, again.delivery), (Outcome::AlreadyApplied, report.delivery));
    assert!(!holds(&replika, ANNA));
}

#[test]
fn a_reader_that_stood_within_a_delivery_gets_it_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let replika = store_at(&folder.path().join("store"));
    let since = |cursor| {
        let events = replika.snapshot().events_since(cursor, EventFilter::default()).unwrap();
        events.map(Result::unwrap).map(|event| (event.id, event.cursor)).collect::<Vec<_>>()
    };
    let all = since(EventCursor::BEGINNING);
    let of_second: Vec<_> = all.iter().filter(|(_, cursor)| cursor.delivery() == DeliveryNumber(2)).collect();
    assert_eq!(of_second.len(), 4, "one of each person");
    let (_, told) = *of_second[2];
    for reader in ["within", "behind"] {
        replika.add_consumer(reader, EventCursor::BEGINNING).unwrap();
    }
    replika.acknowledge("within", told).unwrap();
    replika.acknowledge("behind", EventCursor::after(DeliveryNumber(2))).unwrap();
    erase(&replika, &[ANNA]);

    let ids = |events: &[(cpr_replika::EventId, EventCursor)]| events.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    let left = since(EventCursor::after(DeliveryNumber(1)));
    let before: Vec<_> =
        all.iter().filter(|(_, cursor)| cursor.delivery() > DeliveryNumber(1)).map(|(id, _)| *id).collect();
    let expected: Vec<_> = before.iter().copied().filter(|id| ids(&left).contains(id)).collect();
    assert_eq!((before.len(), left.len()), (8, 6), "the same ids, without hers");
    assert_eq!(ids(&left), expected);
    assert_eq!(ids(&since(told)), ids(&left), "from the beginning of its delivery");
    let feed = |reader: &str| {
        let events = replika.feed(reader, EventFilter::default()).unwrap();
        events.map(|event| event.unwrap().id).collect::<Vec<_>>()
    };
    assert_eq!(feed("within"), ids(&left));
    assert_eq!(feed("behind"), ids(&since(EventCursor::after(DeliveryNumber(2)))));
    // A place that is told now is exact, as text too; one of before that is acknowledged late is taken as what it means
    // now.
    let now: EventCursor = left[1].1.to_string().parse().unwrap();
    assert_eq!(ids(&since(now)), ids(&left[2..]));
    replika.acknowledge("within", now).unwrap();
    assert_eq!(feed("within"), ids(&left[2..]));
    replika.acknowledge("within", told).unwrap();
    assert_eq!(feed("within"), ids(&left));
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
}

#[test]
fn every_number_of_the_human_being_goes() {
    let before = format!("001 PNRGAELD={BO}, STATUS=60, SLUT_DT-PERSON=2026-01-01");
    let now = format!("001 STATUS=01\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01");
    for asked in [ANNA, BO] {
        let replika = nights(&config(), &[&[(ANNA, &before), (BO, &now), (CARL, ALONE)]]);
        let receipt = erase(&replika, &[asked]);
        assert_eq!((receipt.persons, receipt.numbers, receipt.held), (1, 2, 2));
        assert!(!holds(&replika, ANNA) && !holds(&replika, BO) && holds(&replika, CARL));
        assert_eq!(replika.snapshot().numbers(pnr(ANNA), None).unwrap(), None);
    }
}

/// What comes of a chain that begins or ends after Anna was erased, for a store with all history and with a window.
fn told_later(story: &[&[Person<'_>]], held: &[&[&str]]) {
    for window_years in [99, 5] {
        let replika = nights(&Config { window_years, ..config() }, &[&[(ANNA, ALONE), (DORA, ALONE)]]);
        erase(&replika, &[ANNA]);
        for (at, (persons, held)) in story.iter().zip(held).enumerate() {
            let report = apply(&replika, &extract_of_day(at + 2, persons)).unwrap();
            let now: Vec<&str> = [ANNA, BO, CARL].into_iter().filter(|number| holds(&replika, number)).collect();
            assert_eq!(now, *held, "after night {at}, window {window_years}");
            let brought = persons.iter().filter(|(number, _)| !held.contains(number)).count();
            assert_eq!(report.delivery.counts.persons_barred, brought as u64);
            assert_eq!(replika.snapshot().verify().unwrap().faults, []);
        }
    }
}

#[test]
fn a_new_number_of_who_was_erased_is_left_out() {
    // P03: Anna's number is replaced, and then that number too; the last one alone comes.
    let old = format!("001 PNRGAELD={BO}, STATUS=60\n099 HAENDELSE=P03");
    let new = format!("001 STATUS=01\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01\n099 HAENDELSE=P03");
    let last = format!("001 STATUS=01\n022 PNR={BO}, SLUT_DT-PERSON=2026-01-05\n099 HAENDELSE=P03");
    told_later(&[&[(ANNA, &old), (BO, &new)], &[(CARL, &last)], &[(CARL, &last)]], &[&[], &[], &[]]);
    // Told in the order of numbers, which is not that of the chain; or by the old number's record alone.
    let (bo, carl) = (format!("001 STATUS=60, PNRGAELD={ANNA}"), format!("001 STATUS=60, PNRGAELD={BO}"));
    told_later(&[&[(CARL, &carl), (BO, &bo)]], &[&[]]);
    told_later(&[&[(ANNA, &old)], &[(BO, ALONE)]], &[&[], &[]]);
}

#[test]
fn the_number_that_a_doubled_one_led_to_is_left_out_until_the_link_is_undone() {
    // P02 joins Anna's number with Bo's; P43 parts them again, and Bo is another.
    let doubled = format!("001 PNRGAELD={BO}, STATUS=50\n099 HAENDELSE=P02");
    let kept = format!("001 STATUS=01\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01\n099 HAENDELSE=P02");
    let revived = "001 STATUS=01\n099 HAENDELSE=P43";
    let parted = "001 STATUS=01\n099 HAENDELSE=P43";
    told_later(
        &[&[(ANNA, &doubled), (BO, &kept)], &[(ANNA, revived), (BO, parted)], &[(BO, ALONE)]],
        &[&[], &[BO], &[BO]],
    );
}

#[test]
fn numbers_that_swap_their_roles_stay_barred_and_one_that_leaves_does_not() {
    // P03 gives Anna the number of Bo; P42 takes the old one back, which is still hers.
    let old = format!("001 PNRGAELD={BO}, STATUS=60\n099 HAENDELSE=P03");
    let new = format!("001 STATUS=01\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01\n099 HAENDELSE=P03");
    let taken_back = format!("001 STATUS=01\n022 PNR={BO}, SLUT_DT-PERSON=2026-01-01\n099 HAENDELSE=P42");
    let given_up = format!("001 PNRGAELD={ANNA}, STATUS=60\n099 HAENDELSE=P42");
    let p03: &[Person<'_>] = &[(ANNA, &old), (BO, &new)];
    told_later(&[p03, &[(ANNA, &taken_back), (BO, &given_up)]], &[&[], &[]]);
    // A P42 after which neither names the other ends the link.
    let alone = "001 STATUS=01\n099 HAENDELSE=P42";
    told_later(&[p03, &[(ANNA, alone), (BO, alone)]], &[&[], &[BO]]);
}

#[test]
fn a_link_that_left_the_window_is_none_that_was_undone() {
    let new = format!("001 STATUS=01\n022 PNR={ANNA}, SLUT_DT-PERSON=2020-01-01");
    let persons: &[Person<'_>] = &[(BO, &new)];
    let replika = nights(&Config { window_years: 5, ..config() }, &[&[(ANNA, ALONE)]]);
    erase(&replika, &[ANNA]);
    apply(&replika, &extract_of_day(2, persons)).unwrap();
    apply(&replika, &extract_of_day(3, &[(BO, ALONE)])).unwrap();
    assert!(!holds(&replika, BO));
}

#[test]
fn who_is_readmitted_comes_back_whole_with_all_numbers() {
    let old = format!("001 PNRGAELD={BO}, STATUS=60");
    let new = format!("001 STATUS=01\n022 PNR={ANNA}, SLUT_DT-PERSON=2026-01-01");
    let persons: &[Person<'_>] = &[(ANNA, &old), (BO, &new), (CARL, ALONE)];
    let replika = nights(&config(), &[persons]);
    erase(&replika, &[ANNA]);
    erase(&replika, &[CARL]);
    assert_eq!(replika.snapshot().barred().unwrap(), 3);
    assert_eq!(replika.readmit(&[pnr(BO)]).unwrap(), 2);
    assert_eq!(replika.readmit(&[pnr(BO)]).unwrap(), 0);
    apply(&replika, &extract_of_day(2, persons)).unwrap();
    assert!(holds(&replika, ANNA) && holds(&replika, BO) && !holds(&replika, CARL));
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
}

#[test]
fn packs_that_are_named_are_written_anew_and_proved() {
    let folder = tempfile::tempdir().unwrap();
    for (at, is_encrypted) in [false, true].into_iter().enumerate() {
        let home = folder.path().join(at.to_string());
        std::fs::create_dir(&home).unwrap();
        let options = if is_encrypted { encrypted(&home) } else { Options::default() };
        let replika = Replika::create_with(home.join("store"), &config(), &options).unwrap();
        for day in 1..=2 {
            apply(&replika, &extract_of_day(day, &[(ANNA, ALONE), (BO, ALONE)])).unwrap();
        }
        let [first, second] = ["first", "second"].map(|name| home.join(name));
        replika.snapshot().write_pack(&first).unwrap();
        let told = [first.as_path(), &second];
        let erasing = EraseOptions { packs: &told, ..EraseOptions::default() };
        let erasure = replika.erase(&[pnr(ANNA)], "no ground", &erasing).unwrap();
        assert_eq!(erasure.packs.iter().map(|cleared| cleared.folder.as_path()).collect::<Vec<_>>(), told);
        for cleared in &erasure.packs {
            assert!(cleared.rows_read > 5 && (is_encrypted || cleared.blocks_read > 3), "{cleared:?}");
            let packs = std::fs::read_dir(&cleared.folder).unwrap().map(|entry| entry.unwrap().file_name());
            let packs: Vec<_> = packs.filter(|name| name.to_string_lossy().ends_with(".pack")).collect();
            assert_eq!(packs, [cleared.pack.file.as_str()], "nothing stands beside it");
            let packed = Packed::open_encrypted(&cleared.folder, &options).unwrap();
            assert!(packed.snapshot().person(pnr(ANNA)).unwrap().is_none());
            assert!(packed.snapshot().person(pnr(BO)).unwrap().is_some());
            assert_eq!(packed.snapshot().erase_receipts().unwrap(), std::slice::from_ref(&erasure.receipt));
        }
        // Packs of another store are refused before anything is done.
        let other = nights(&config(), &[&[(ANNA, ALONE)]]);
        let refused = other.erase(&[pnr(ANNA)], "no ground", &erasing);
        assert!(matches!(refused, Err(Error::OtherPacks)), "{refused:?}");
        assert!(holds(&other, ANNA));
    }
}

#[test]
fn a_store_that_is_restored_as_of_before_an_erase_does_not_bring_the_person_back() {
    let folder = tempfile::tempdir().unwrap();
    let packs = folder.path().join("packs");
    let file = |day| extract_of_day(day, &[(ANNA, ALONE), (BO, ALONE)]);
    let replika = Replika::in_memory(&config()).unwrap();
    apply(&replika, &file(1)).unwrap();
    apply(&replika, &file(2)).unwrap();
    let receipt = erase(&replika, &[ANNA]);
    let digest = replika.snapshot().state_digest().unwrap();
    replika.snapshot().write_pack(&packs).unwrap();
    let known = DeliveryNumber(1);
    let restored = Replika::restore_known_at(&packs, folder.path().join("store"), known, &Options::default());
    let restored = restored.unwrap().0;
    assert!(!holds(&restored, ANNA) && holds(&restored, BO));
    assert_eq!(restored.snapshot().verify().unwrap().faults, []);
    assert_eq!(
        (restored.snapshot().barred().unwrap(), restored.snapshot().erase_receipts().unwrap()),
        (1, vec![receipt])
    );
    // The deliveries that are applied again leave her out.
    let report = apply(&restored, &file(2)).unwrap();
    assert_eq!((report.delivery.counts.persons_barred, holds(&restored, ANNA)), (1, false));
    assert_eq!(restored.snapshot().state_digest().unwrap(), digest);
}

#[test]
fn a_pack_that_is_written_after_an_erase_is_written_whole_and_keeps_the_bar() {
    let folder = tempfile::tempdir().unwrap();
    let packs = folder.path().join("packs");
    let replika = store_at(&folder.path().join("store"));
    replika.snapshot().write_pack(&packs).unwrap();
    erase(&replika, &[ANNA]);
    assert!(replika.snapshot().write_pack(&packs).unwrap().is_base);
    let packed = Packed::open(&packs).unwrap().snapshot();
    assert!(packed.person(pnr(ANNA)).unwrap().is_none() && packed.barred().unwrap() == 1);
    assert_eq!(answers(&packed), answers(&replika.snapshot()));
    assert_eq!(exported(&replika).windows(10).filter(|window| *window == ANNA.as_bytes()).count(), 0);
}

#[test]
fn a_store_that_is_made_anew_has_bars_where_they_are_set_before_its_first_extract() {
    let replika = Replika::in_memory(&config()).unwrap();
    let receipt = erase(&replika, &[ANNA]);
    assert_eq!((receipt.persons, receipt.held), (1, 0));
    let report = apply(&replika, &extract_of_day(1, &[(ANNA, ALONE), (BO, ALONE)])).unwrap();
    assert_eq!((report.delivery.counts.persons_barred, report.delivery.counts.persons_new), (1, 1));
    assert!(!holds(&replika, ANNA) && holds(&replika, BO));
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
}

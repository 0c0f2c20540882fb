//! Subscribers, their filters, and what they are sent: told as made-up deliveries, one scenario a test.

use std::io::{self, Cursor, Write};

use cpr_replika::cpr_subscription::{
    ChangeCodes, EventCode, FileIndex, Filter, FilterAnswer, FilterKind, Owner, Profile, Selection, Stream,
    SubscriberName,
};
use cpr_replika::{
    Allow, ApplyOptions, DeliveryNumber, Error, FilterChange, FilterPolicy, Outcome, PersonSet, Replika, Snapshot,
    UnknownNumbers,
};

use crate::kit::{self, Person, config, date, extract, extract_of_day, pnr};

pub(crate) fn name(text: &str) -> SubscriberName {
    text.parse().unwrap()
}

pub(crate) fn filter(text: &str) -> Filter {
    text.parse().unwrap()
}

/// Adds a subscriber that follows these filters.
pub(crate) fn subscribe(replika: &Replika, subscriber: &str, profile: Profile, filters: &[&str]) {
    replika.add_subscriber(&name(subscriber), profile).unwrap();
    add(replika, subscriber, filters);
}

pub(crate) fn add(replika: &Replika, subscriber: &str, filters: &[&str]) -> Vec<FilterAnswer> {
    let changes: Vec<FilterChange> = filters.iter().map(|text| FilterChange::Add(filter(text))).collect();
    replika.change_filters(&name(subscriber), &changes, UnknownNumbers::Keep).unwrap()
}

fn remove(replika: &Replika, subscriber: &str, filters: &[&str]) -> Vec<FilterAnswer> {
    let changes: Vec<FilterChange> = filters.iter().map(|text| FilterChange::Remove(filter(text))).collect();
    replika.change_filters(&name(subscriber), &changes, UnknownNumbers::Keep).unwrap()
}

fn numbers(set: &PersonSet) -> Vec<String> {
    set.iter().map(|key| key.pnr().reveal().to_owned()).collect()
}

/// Whom a delivery had for a subscriber, the same both ways.
fn sent(replika: &Replika, delivery: u32, subscriber: &str) -> Vec<String> {
    let (snapshot, subscriber) = (replika.snapshot(), name(subscriber));
    let matched = numbers(&snapshot.matched(DeliveryNumber(delivery), &subscriber).unwrap());
    let profile = snapshot.subscriber(&subscriber).unwrap().profile;
    let matches = snapshot.matches(DeliveryNumber(delivery), &subscriber).unwrap();
    let later = matches.persons.iter().filter(|found| found.reasons.iter().any(|reason| profile.delivers(reason)));
    assert_eq!(later.map(|found| found.pnr.reveal().to_owned()).collect::<Vec<_>>(), matched, "{subscriber}");
    matched
}

/// The thinned file of a subscriber, as the caller makes it.
pub(crate) fn thinned(snapshot: &Snapshot, bytes: &[u8], subscriber: &str) -> Vec<u8> {
    let delivery = snapshot.delivery_of_file(bytes).unwrap().unwrap();
    let recipients = snapshot.recipients(delivery.number).unwrap();
    let recipient = recipients.iter().find(|recipient| recipient.subscriber.name == name(subscriber)).unwrap();
    let index = FileIndex::read(bytes, snapshot.settings().family.unwrap(), &[]).unwrap();
    let mut selection = Selection::default();
    let followed = |key: &_| snapshot.followed_number(&recipient.subscriber, *key, delivery.number).unwrap();
    let receipts = index.receipts().filter(followed).map(Owner::Receipt);
    index.select(recipient.persons.iter().map(Owner::Person).chain(receipts), &mut selection);
    let stream = Stream { previous_production_date: recipient.previous_production_date, task: None };
    let mut out = Vec::new();
    index.thin(Cursor::new(bytes), &stream, &selection, &mut out).unwrap();
    out
}

/// A writer that takes everything and then cannot make it durable.
struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn an_initial_load_that_is_not_durable_begins_no_stream() {
    let replika = Replika::in_memory(&config()).unwrap();
    let rows = [("6101801231", "001 STATUS=01")];
    kit::apply(&replika, &extract_of_day(1, &rows)).unwrap();
    subscribe(&replika, "all", Profile::SF6002, &["everything"]);
    let failed = replika.initial_load(&name("all"), &mut FullDisk).unwrap_err();
    assert!(matches!(failed, Error::Output(_)));
    kit::apply(&replika, &extract_of_day(2, &rows)).unwrap();
    kit::apply(&replika, &extract_of_day(3, &rows)).unwrap();
    let previous =
        |replika: &Replika| replika.snapshot().recipients(DeliveryNumber(3)).unwrap()[0].previous_production_date;
    assert_eq!(previous(&replika), date(kit::DAYS[2]), "as the file says");
}

const LIVES_IN_A: &str = "001 STATUS=01, FOED_DT=1980-01-01\n002 KOMKOD=0101, VEJKOD=1188, HUSNR=012";
const LIVES_IN_B: &str = "001 STATUS=01, FOED_DT=1980-01-01\n002 KOMKOD=0851, VEJKOD=8512, HUSNR=091";
const ANNA: &str = "6101801231";
const BO: &str = "6101801232";

/// A store that has been told of these persons on day 1, before anybody subscribed.
fn begun(persons: &[Person<'_>]) -> Replika {
    let replika = Replika::in_memory(&config()).unwrap();
    kit::apply(&replika, &extract_of_day(1, persons)).unwrap();
    replika
}

/// Applies the extract of a day; what holds of any store holds after it.
fn night(replika: &Replika, day: usize, persons: &[Person<'_>]) {
    kit::apply(replika, &extract_of_day(day, persons)).unwrap();
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
}

fn with(rows: &str, more: &str) -> String {
    format!("{rows}\n{more}")
}

fn event(code: &str) -> String {
    format!("099 TIMESTAMPU=202601051200, HAENDELSE={code}")
}

fn derived(code: &str, mark: &str) -> String {
    format!("099 TIMESTAMPU=202601051200, HAENDELSE={code}, AFLEDTMRK={mark}")
}

#[test]
fn scenario_1_adding_and_removing_twice_tells_which_of_the_two_happened() {
    let replika = begun(&[(ANNA, LIVES_IN_A)]);
    assert_eq!(replika.add_subscriber(&name("x"), Profile::SF6002).unwrap(), FilterAnswer::Added);
    assert_eq!(replika.add_subscriber(&name("x"), Profile::SF6002).unwrap(), FilterAnswer::AlreadyExisted);
    for text in [ANNA, "0-17", "0851", "A21", "0851:8512:091", "everything", "0-17+0751"] {
        assert_eq!(remove(&replika, "x", &[text]), [FilterAnswer::NotFound], "{text}");
        assert_eq!(add(&replika, "x", &[text, text]), [FilterAnswer::Added, FilterAnswer::AlreadyExisted], "{text}");
        assert_eq!(add(&replika, "x", &[text]), [FilterAnswer::AlreadyExisted], "{text}");
        assert_eq!(remove(&replika, "x", &[text, text]), [FilterAnswer::Removed, FilterAnswer::NotFound], "{text}");
    }
    let unknown = [FilterChange::Add(filter(BO)), FilterChange::Add(filter(ANNA))];
    let answers = replika.change_filters(&name("x"), &unknown, UnknownNumbers::Refuse).unwrap();
    assert_eq!(answers, [FilterAnswer::UnknownNumber, FilterAnswer::Added]);
    add(&replika, "x", &[BO]);
    assert_eq!(replika.snapshot().filters_on_nobody(&name("x")).unwrap(), [pnr(BO)], "kept, and told when asked");
    assert_eq!(replika.remove_subscriber(&name("x")).unwrap(), FilterAnswer::Removed);
    assert_eq!(replika.remove_subscriber(&name("x")).unwrap(), FilterAnswer::NotFound);
    let gone = replika.change_filters(&name("x"), &unknown, UnknownNumbers::Keep).unwrap_err();
    assert!(matches!(gone, Error::UnknownSubscriber));
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
}

#[test]
fn scenario_2_a_municipality_is_the_same_with_and_without_its_zero() {
    let replika = begun(&[]);
    subscribe(&replika, "x", Profile::SF6002, &[]);
    let without = FilterChange::Add(Filter::parse(FilterKind::Municipality, "101").unwrap());
    replika.change_filters(&name("x"), &[without], UnknownNumbers::Keep).unwrap();
    let filters = replika.snapshot().filters(&name("x"), None).unwrap();
    assert_eq!(filters.iter().map(Filter::reveal).collect::<Vec<_>>(), ["0101"]);
    assert_eq!(add(&replika, "x", &["0101"]), [FilterAnswer::AlreadyExisted]);
}

#[test]
fn scenario_3_who_moves_is_told_to_where_he_moves_and_to_who_follows_him() {
    let replika = begun(&[(ANNA, LIVES_IN_A), (BO, LIVES_IN_A)]);
    let farewell = Profile { leaves: true, ..Profile::SF6002 };
    subscribe(&replika, "a", Profile::SF6002, &["0101"]);
    subscribe(&replika, "a-farewell", farewell, &["0101"]);
    subscribe(&replika, "b", Profile::SF6002, &["0851"]);
    subscribe(&replika, "a-and-movers", Profile::SF6002, &["0101", "A01"]);
    subscribe(&replika, "anna", Profile::SF6002, &[ANNA]);
    subscribe(&replika, "all", Profile::SF6002, &["everything"]);
    night(&replika, 2, &[(ANNA, &with(LIVES_IN_B, &event("A01")))]);
    for (subscriber, persons) in [
        ("a", vec![]),
        ("a-farewell", vec![ANNA]),
        ("b", vec![ANNA]),
        ("a-and-movers", vec![ANNA]),
        ("anna", vec![ANNA]),
    ] {
        assert_eq!(sent(&replika, 2, subscriber), persons, "{subscriber}");
    }
    assert_eq!(sent(&replika, 2, "all"), [ANNA]);
}

#[test]
fn scenario_4_a_death_is_told_to_who_follows_the_code_or_the_number_not_to_the_municipality() {
    let replika = begun(&[(ANNA, LIVES_IN_A)]);
    subscribe(&replika, "a", Profile::SF6002, &["0101"]);
    subscribe(&replika, "deaths", Profile::SF6002, &["A21"]);
    subscribe(&replika, "anna", Profile::SF6002, &[ANNA]);
    night(&replika, 2, &[(ANNA, &with("001 STATUS=90, FOED_DT=1980-01-01", &event("A21")))]);
    assert_eq!(sent(&replika, 2, "deaths"), [ANNA]);
    assert_eq!(sent(&replika, 2, "anna"), [ANNA]);
    assert!(sent(&replika, 2, "a").is_empty());
}

#[test]
fn scenario_5_who_turns_18_is_a_child_until_the_day_and_only_a_delta_tells() {
    let child = |day: &str| format!("001 STATUS=01, FOED_DT={day}");
    // Day 2 is 2026-01-05.
    let (today, tomorrow, long_ago) = (child("2008-01-05"), child("2008-01-06"), child("2007-06-01"));
    let persons = [("6501080001", today.as_str()), ("6601080002", &tomorrow), ("6106070003", &long_ago)];
    let replika = begun(&persons);
    subscribe(&replika, "children", Profile::SF6002, &["0-17"]);
    subscribe(&replika, "adults", Profile::SF6002, &["18-999"]);
    night(&replika, 2, &persons[..2]);
    assert_eq!(sent(&replika, 2, "children"), ["6601080002"]);
    assert_eq!(sent(&replika, 2, "adults"), ["6501080001"], "and nobody who is not in the delta");
    night(&replika, 3, &[]);
    assert!(sent(&replika, 3, "adults").is_empty(), "a birthday alone sends nothing");
    let matches = replika.snapshot().matches(DeliveryNumber(2), &name("adults")).unwrap();
    assert_eq!(format!("{:?}", matches.persons[0].reasons), "[Age(AgeRange { from: 18, to: 999 }, Within)]");
}

#[test]
fn scenario_6_odd_birth_dates() {
    let born = |text: &str| format!("001 STATUS=01, FOED_DT={text}");
    let rows = [born("1896-00-00"), born("2008-02-29"), born("1950-05-05"), "001 STATUS=01".to_owned()];
    // The numbers say 1896, 29 February 2008, 1980, and 1980.
    let numbers = ["6112964444", "8902080009", ANNA, BO];
    let persons: Vec<Person<'_>> = numbers.into_iter().zip(rows.iter().map(String::as_str)).collect();
    let replika = begun(&persons);
    for ages in ["130-130", "129-129", "17-17", "75-75", "45-46", "0-999"] {
        subscribe(&replika, ages, Profile::SF6002, &[ages]);
    }
    night(&replika, 2, &persons);
    assert_eq!(sent(&replika, 2, "130-130"), [numbers[0]], "an unknown month is before any other");
    assert!(sent(&replika, 2, "129-129").is_empty());
    assert_eq!(sent(&replika, 2, "17-17"), [numbers[1]]);
    assert_eq!(sent(&replika, 2, "75-75"), [ANNA], "the date on record counts");
    assert!(sent(&replika, 2, "45-46").is_empty(), "not the one in the number");
    assert_eq!(sent(&replika, 2, "0-999").len(), 3, "without a date there is no age");
}

#[test]
fn scenario_7_a_new_number_is_told_on_both_and_to_the_family() {
    const NEW: &str = "6101801239";
    const CHILD: &str = "6202050007";
    let chain = Profile { number_chain: true, ..Profile::SF6002 };
    let replika = begun(&[(ANNA, LIVES_IN_A), (BO, LIVES_IN_A), (CHILD, LIVES_IN_A)]);
    for (subscriber, profile, number) in [
        ("old", Profile::SF6002, ANNA),
        ("new", Profile::SF6002, NEW),
        ("old-chain", chain, ANNA),
        ("new-chain", chain, NEW),
        ("child", Profile::SF6002, CHILD),
        ("spouse", Profile::SF6002, BO),
    ] {
        subscribe(&replika, subscriber, profile, &[number]);
    }
    let given_up = format!("001 STATUS=60, PNRGAELD={NEW}\n{}", event("P03"));
    let former = format!("022 PNR={ANNA}, START_DT-PERSON=1980-01-01, SLUT_DT-PERSON=2026-01-01");
    let taken_up = format!("{LIVES_IN_A}\n{former}\n{}", derived("P03", "PN"));
    let spouse = with(LIVES_IN_A, &derived("P03", "ÆG"));
    let child = with(LIVES_IN_A, &derived("P03", "BØ"));
    night(&replika, 2, &[(ANNA, &given_up), (NEW, &taken_up), (BO, &spouse), (CHILD, &child)]);
    assert_eq!(sent(&replika, 2, "old"), [ANNA]);
    assert_eq!(sent(&replika, 2, "new"), [NEW]);
    assert_eq!(sent(&replika, 2, "old-chain"), [ANNA, NEW]);
    assert_eq!(sent(&replika, 2, "new-chain"), [ANNA, NEW]);
    assert_eq!(sent(&replika, 2, "child"), [CHILD]);
    assert_eq!(sent(&replika, 2, "spouse"), [BO]);
}

#[test]
fn scenario_8_the_widow_is_told_to_who_follows_deaths_unless_derived_events_are_left_out() {
    let replika = begun(&[(ANNA, LIVES_IN_A), (BO, LIVES_IN_A)]);
    subscribe(&replika, "sf6002", Profile::SF6002, &["A21"]);
    let own = Profile { derived_events: false, ..Profile::SF6002 };
    subscribe(&replika, "own", own, &["A21"]);
    let (dead, widow) = (with("001 STATUS=90", &event("A21")), with(LIVES_IN_A, &derived("A21", "ÆG")));
    night(&replika, 2, &[(ANNA, &dead), (BO, &widow)]);
    assert_eq!(sent(&replika, 2, "sf6002"), [ANNA, BO]);
    assert_eq!(sent(&replika, 2, "own"), [ANNA]);
    let matches = replika.snapshot().matches(DeliveryNumber(2), &name("own")).unwrap();
    let delivered: Vec<bool> = matches.persons.iter().map(|found| found.delivered).collect();
    assert_eq!(delivered, [true, false], "the reason is told, and that it does not deliver");
}

#[test]
fn scenario_9_who_comes_without_a_change_is_told_like_any_other() {
    let replika = begun(&[(ANNA, LIVES_IN_A), (BO, LIVES_IN_A)]);
    subscribe(&replika, "anna", Profile::SF6002, &[ANNA]);
    subscribe(&replika, "new-subscriptions", Profile::SF6002, &["A45"]);
    subscribe(&replika, "a", Profile::SF6002, &["0101"]);
    night(&replika, 2, &[(ANNA, &with(LIVES_IN_A, &event("A45"))), (BO, LIVES_IN_A)]);
    assert_eq!(replika.snapshot().changes(DeliveryNumber(2)).unwrap().count(), 0);
    assert_eq!(sent(&replika, 2, "anna"), [ANNA]);
    assert_eq!(sent(&replika, 2, "new-subscriptions"), [ANNA]);
    assert_eq!(sent(&replika, 2, "a"), [ANNA, BO]);
}

#[test]
fn scenario_10_a_protected_person_is_sent_in_full() {
    let rows = with(LIVES_IN_A, "004 BESKYTTYPE=0001, START_DT-BESKYTTELSE=2020-01-01\n008 FORNVN=Sofie");
    let replika = begun(&[(ANNA, LIVES_IN_A)]);
    subscribe(&replika, "a", Profile::SF6002, &["0101"]);
    let file = extract_of_day(2, &[(ANNA, &rows)]);
    kit::apply(&replika, &file).unwrap();
    assert_eq!(thinned(&replika.snapshot(), &file, "a"), file, "nobody else is in the file");
}

#[test]
fn scenario_11_a_delta_tells_once_and_one_out_of_order_tells_nobody() {
    let replika = begun(&[(ANNA, LIVES_IN_A)]);
    subscribe(&replika, "all", Profile::SF6002, &["everything"]);
    let file = extract_of_day(2, &[(ANNA, LIVES_IN_B)]);
    kit::apply(&replika, &file).unwrap();
    let given = thinned(&replika.snapshot(), &file, "all");
    add(&replika, "all", &["0851"]);
    assert_eq!(kit::apply(&replika, &file).unwrap().outcome, Outcome::AlreadyApplied);
    assert_eq!(thinned(&replika.snapshot(), &file, "all"), given, "the same bytes again");
    let skipped = extract_of_day(4, &[(ANNA, LIVES_IN_A)]);
    assert!(matches!(kit::apply(&replika, &skipped).unwrap_err(), Error::SequenceGap { .. }));
    let wrong_previous = extract(kit::DAYS[3], kit::DAYS[1], &[(ANNA, LIVES_IN_A)]);
    assert!(matches!(kit::apply(&replika, &wrong_previous).unwrap_err(), Error::SequenceGap { .. }));
    let snapshot = replika.snapshot();
    assert!(snapshot.delivery_of_file(&skipped[..]).unwrap().is_none(), "a refused file was no delivery");
    assert_eq!(snapshot.known(), DeliveryNumber(2));
    let allow = Allow { gap: true, ..Allow::default() };
    let options = ApplyOptions { allow, ..ApplyOptions::named("accepted") };
    replika.apply(Cursor::new(&skipped), &options).unwrap();
    assert_eq!(sent(&replika, 3, "all"), [ANNA]);
}

#[test]
fn scenario_12_an_initial_load_and_the_deltas_after_it_make_the_state() {
    let child = "001 STATUS=01, FOED_DT=2015-05-05\n002 KOMKOD=0851, VEJKOD=8512, HUSNR=091";
    let replika = begun(&[(ANNA, LIVES_IN_A), (BO, LIVES_IN_B), ("6505150001", child)]);
    subscribe(&replika, "b", Profile::SF6002, &["0851", ANNA, "0-17+0101"]);
    let mut load = Vec::new();
    let loaded = {
        let before = replika.snapshot();
        let file = extract_of_day(2, &[(BO, &with(LIVES_IN_B, "011 FKIRK=F"))]);
        // The delivery is applied while the load is read.
        kit::apply(&replika, &file).unwrap();
        assert_eq!(before.export_persons(&before.followed(&name("b")).unwrap(), &mut Vec::new()).unwrap(), 3);
        replika.initial_load(&name("b"), &mut load).unwrap()
    };
    assert_eq!((loaded.persons, loaded.known, loaded.production_date), (3, DeliveryNumber(2), date(kit::DAYS[2])));
    let moved = with(LIVES_IN_B, "011 FKIRK=U");
    let file = extract_of_day(3, &[(ANNA, &moved), ("6101801235", LIVES_IN_B)]);
    kit::apply(&replika, &file).unwrap();
    let delta = thinned(&replika.snapshot(), &file, "b");

    // What the subscriber holds after its two files is what the replica knows of whom it follows.
    let own = Replika::in_memory(&config()).unwrap();
    own.load(Cursor::new(&load), &ApplyOptions::named("load")).unwrap();
    kit::apply(&own, &delta).expect("the delta follows on the load: no gap, no overlap");
    let followed = replika.snapshot().followed(&name("b")).unwrap();
    let held: Vec<String> = own.snapshot().pnrs().unwrap().map(|pnr| pnr.unwrap().reveal().to_owned()).collect();
    assert_eq!(held, numbers(&followed));
    for number in held {
        assert_eq!(kit::group(&own.snapshot(), &number, 2), kit::group(&replika.snapshot(), &number, 3));
    }
}

#[test]
fn scenario_13_removing_all_of_one_kind_leaves_the_others() {
    let replika = begun(&[]);
    subscribe(&replika, "x", Profile::SF6002, &["A21", "0851", "A01", ANNA, "0-17"]);
    assert_eq!(replika.clear_filters(&name("x"), Some(FilterKind::EventChangeCode)).unwrap(), 2);
    let left = || -> Vec<String> {
        replika.snapshot().filters(&name("x"), None).unwrap().iter().map(Filter::reveal).collect()
    };
    assert_eq!(left(), [ANNA, "0-17", "0851"]);
    assert_eq!(replika.clear_filters(&name("x"), None).unwrap(), 3);
    assert!(left().is_empty());
    night(&replika, 2, &[(ANNA, LIVES_IN_A)]);
    assert!(sent(&replika, 2, "x").is_empty(), "no filter is nobody");
}

#[test]
fn no_filter_is_set_and_unset_as_a_filter_and_never_by_removing_others() {
    let replika = begun(&[]);
    subscribe(&replika, "x", Profile::SF6002, &["0851"]);
    assert_eq!(add(&replika, "x", &["everything", "everything"]), [FilterAnswer::Added, FilterAnswer::AlreadyExisted]);
    night(&replika, 2, &[(ANNA, LIVES_IN_A), (BO, LIVES_IN_B)]);
    assert_eq!(sent(&replika, 2, "x"), [ANNA, BO]);
    assert_eq!(replika.clear_filters(&name("x"), FilterKind::from_name("NoFilter")).unwrap(), 1);
    night(&replika, 3, &[(ANNA, LIVES_IN_A), (BO, LIVES_IN_B)]);
    assert_eq!(sent(&replika, 3, "x"), [BO], "the others stay");
    assert_eq!(remove(&replika, "x", &["everything", "0851"]), [FilterAnswer::NotFound, FilterAnswer::Removed]);
    night(&replika, 4, &[(ANNA, LIVES_IN_A), (BO, LIVES_IN_B)]);
    assert!(sent(&replika, 4, "x").is_empty(), "what is left is nobody");
}

#[test]
fn nobody_is_followed_by_the_number_of_nobody() {
    let replika = begun(&[]);
    subscribe(&replika, "x", Profile::SF6002, &[]);
    let nobody = FilterChange::Add(Filter::Pnr(pnr("0000000000").key().unwrap()));
    let answers = replika.change_filters(&name("x"), &[nobody], UnknownNumbers::Keep).unwrap();
    assert_eq!(answers, [FilterAnswer::UnknownNumber]);
    assert!(replika.snapshot().filters(&name("x"), None).unwrap().is_empty());
}

#[test]
fn scenario_14_a_subscriber_without_filters_is_sent_nothing() {
    let replika = begun(&[(ANNA, LIVES_IN_A)]);
    subscribe(&replika, "x", Profile::SF6002, &[]);
    let file = extract_of_day(2, &[(ANNA, &with(LIVES_IN_B, &event("A01")))]);
    kit::apply(&replika, &file).unwrap();
    assert!(sent(&replika, 2, "x").is_empty());
    assert!(replika.snapshot().followed(&name("x")).unwrap().is_empty());
    assert_eq!(thinned(&replika.snapshot(), &file, "x"), extract_of_day(2, &[]), "start and end record");
}

#[test]
fn scenario_15_a_thinned_file_has_the_date_of_its_own_stream_and_the_lines_as_received() {
    let replika = begun(&[(ANNA, LIVES_IN_A), (BO, LIVES_IN_A)]);
    subscribe(&replika, "bo", Profile::SF6002, &[BO]);
    let anna = with(LIVES_IN_A, "003 STANDARDADR=Skovvej 12");
    let bo = |more: &str| format!("{LIVES_IN_A}\n011 FKIRK={more}\n003 STANDARDADR=Skovvej 12");
    let bo = ["F", "U", "F"].map(bo);
    let deliveries: [Vec<Person<'_>>; 3] =
        [vec![(ANNA, &anna), (BO, &bo[0])], vec![(ANNA, LIVES_IN_A)], vec![(ANNA, &anna), (BO, &bo[2])]];
    let mut files = Vec::new();
    for (at, persons) in deliveries.iter().enumerate() {
        let file = extract_of_day(at + 2, persons);
        kit::apply(&replika, &file).unwrap();
        let snapshot = replika.snapshot();
        let mut recipients = snapshot.recipients(snapshot.known()).unwrap();
        // Nobody is given an empty file.
        recipients.retain(|recipient| !recipient.persons.is_empty());
        let given = thinned(&snapshot, &file, "bo");
        replika.note_given(snapshot.known(), &recipients).unwrap();
        assert_eq!(thinned(&replika.snapshot(), &file, "bo"), given, "the same bytes again");
        files.push((file, given));
    }
    let expected = |day: usize, previous: usize, rows| extract(kit::DAYS[day], kit::DAYS[previous], &[(BO, rows)]);
    assert_eq!(files[0].1, expected(2, 1, &bo[0]));
    assert_eq!(files[2].1, expected(4, 2, &bo[2]), "it follows on the last file that was given");
    let snapshot = replika.snapshot();
    for (file, given) in &files[..1] {
        assert_eq!(thinned(&snapshot, file, "bo"), *given, "whatever was given since");
    }
    assert_eq!(snapshot.verify().unwrap().faults, []);
}

#[test]
fn a_receipt_goes_to_who_followed_the_number_when_it_came() {
    let replika = begun(&[(ANNA, LIVES_IN_A)]);
    subscribe(&replika, "bo", Profile::SF6002, &[BO]);
    subscribe(&replika, "anna", Profile::SF6002, &[ANNA]);
    let file = extract_of_day(2, &[(BO, &format!("997 PNR={BO}, TIMESTAMPU=202601050911, HAENDELSE=A45"))]);
    kit::apply(&replika, &file).unwrap();
    remove(&replika, "bo", &[BO]);
    let snapshot = replika.snapshot();
    assert_eq!(thinned(&snapshot, &file, "bo"), file);
    assert_eq!(thinned(&snapshot, &file, "anna"), extract_of_day(2, &[]));
}

#[test]
fn a_filter_counts_from_the_next_delivery_to_the_last_before_its_removal() {
    let replika = begun(&[(ANNA, LIVES_IN_A)]);
    subscribe(&replika, "x", Profile::SF6002, &[]);
    let rows = [LIVES_IN_A, LIVES_IN_B];
    night(&replika, 2, &[(ANNA, rows[0])]);
    add(&replika, "x", &["0101", "0851", ANNA]);
    assert!(sent(&replika, 2, "x").is_empty(), "not retroactively");
    night(&replika, 3, &[(ANNA, rows[1])]);
    remove(&replika, "x", &["0851", ANNA]);
    night(&replika, 4, &[(ANNA, rows[1])]);
    assert_eq!(sent(&replika, 3, "x"), [ANNA], "as it was, whatever is removed since");
    assert!(sent(&replika, 4, "x").is_empty());
    let snapshot = replika.snapshot();
    let then = |number| snapshot.filters(&name("x"), Some(DeliveryNumber(number))).unwrap().len();
    assert_eq!([then(2), then(3), then(4)], [0, 3, 1]);
}

#[test]
fn a_change_code_that_cpr_does_not_use_is_refused_with_the_whole_call_unless_the_host_lists_it() {
    let replika = Replika::in_memory(&config()).unwrap();
    subscribe(&replika, "x", Profile::SF6002, &["A01"]);
    let held = || replika.snapshot().filters(&name("x"), None).unwrap();
    for unknown in ["X99", "0851+X99"] {
        let changes = [FilterChange::Add(filter("0851")), FilterChange::Add(filter(unknown))];
        let refused = replika.change_filters(&name("x"), &changes, UnknownNumbers::Keep).unwrap_err();
        assert!(matches!(refused, Error::CodeNotInUse) && refused.is_refusal(), "{unknown}");
        assert!(!refused.to_string().contains("X99"));
        assert_eq!(held(), [filter("A01")], "nothing of the call is there");
    }
    let mut change_codes = ChangeCodes::in_use();
    change_codes.extend([EventCode::parse(b"X99").unwrap()]);
    let policy = FilterPolicy { unknown_numbers: UnknownNumbers::Keep, change_codes };
    let add = [FilterChange::Add(filter("X99"))];
    assert_eq!(replika.change_filters_under(&name("x"), &add, &policy).unwrap(), [FilterAnswer::Added]);
    let gone = [FilterChange::Remove(filter("X99")), FilterChange::Remove(filter("Y99"))];
    let answers = replika.change_filters(&name("x"), &gone, UnknownNumbers::Keep).unwrap();
    assert_eq!(answers, [FilterAnswer::Removed, FilterAnswer::NotFound], "removing is not held to the list");
}

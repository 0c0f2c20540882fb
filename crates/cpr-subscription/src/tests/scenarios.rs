//! What a subscription service promises, one person and a few subscribers at a time.

use std::collections::BTreeMap;

use super::{date, event, filter, key};
use crate::*;

const P: &str = "6101801234";

/// The person of the delivery: where it lives before and after, when it was born, and what happened.
#[derive(Clone, Copy)]
struct Case<'a> {
    number: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    born: &'a str,
    events: &'a [&'a str],
    chain: &'a [&'a str],
    day: &'a str,
}

const CASE: Case<'_> =
    Case { number: P, before: Some(""), after: Some(""), born: "", events: &[], chain: &[], day: "2026-03-10" };

/// An image from the text of an address filter or a municipality; empty is nowhere.
fn subject(place: &str, born: &str) -> Subject {
    let mut subject = Subject { birth_date: (!born.is_empty()).then(|| date(born)), ..Subject::default() };
    match (place, place.parse::<Filter>()) {
        ("", _) => {}
        (_, Ok(Filter::Municipality(code))) => subject.municipality = Some(code),
        (_, Ok(Filter::Address(at))) => {
            subject.municipality = Some(at.municipality);
            subject.address =
                Some(AddressSubject { street: at.street, house: at.house, floor: at.floor, door: at.door });
        }
        _ => panic!("neither a municipality nor an address: {place}"),
    }
    subject
}

/// Why each subscriber matches the person, and whether SF6002 delivers it: `Municipality(0101, Within)`; subscribers
/// are named by their filters. Held to both ways of matching.
fn match_case(case: Case<'_>, subscribers: &[&str], profile: Profile) -> BTreeMap<String, (Vec<Reason>, bool)> {
    let subscriptions = (0u32..).zip(subscribers).map(|(number, filters)| Subscription {
        subscriber: SubscriberNumber(number),
        profile,
        filters: filters.split_whitespace().map(filter).collect(),
    });
    let (matcher, followers) = Matcher::new(subscriptions);
    let (before, after) = (case.before.map(|at| subject(at, case.born)), case.after.map(|at| subject(at, case.born)));
    let events: Vec<EventLabel> = case.events.iter().map(|text| event(text)).collect();
    let chain = case.chain.iter().map(|number| key(number));
    let chain: Vec<_> = chain.flat_map(|number| followers.of(number).iter().map(move |of| (number, *of))).collect();
    let change = PersonChange {
        number: key(case.number),
        before: before.as_ref(),
        after: after.as_ref(),
        events: &events,
        followers: followers.of(key(case.number)),
        chain_followers: &chain,
    };
    let day = date(case.day);
    let mut matching = matcher.deliver(day);
    matching.add(&change);
    let matched = matching.finish();
    let mut reasons = vec![Vec::new(); subscribers.len()];
    matcher.reasons(&change, day, |subscriber, reason| reasons[subscriber.0 as usize].push(reason));
    let named = (0u32..).zip(subscribers).zip(reasons).map(|((number, name), reasons)| {
        let mut set = DeliveryPersons::default();
        matched.collect(SubscriberNumber(number), &mut set);
        let is_delivered = reasons.iter().any(|reason| profile.delivers(reason));
        assert_eq!(set.len() == 1, is_delivered, "both ways of matching agree about {name}");
        ((*name).to_owned(), (reasons, is_delivered))
    });
    named.collect()
}

/// The subscribers among `all` that are sent the person.
fn sent<'a>(case: Case<'_>, all: &[&'a str], profile: Profile) -> Vec<&'a str> {
    let matched = match_case(case, all, profile);
    all.iter().copied().filter(|name| matched[*name].1).collect()
}

fn image(matched: &BTreeMap<String, (Vec<Reason>, bool)>, name: &str) -> Option<ImageChange> {
    match matched[name].0.as_slice() {
        [] => None,
        [Reason::Municipality(_, change) | Reason::Age(_, change) | Reason::Address(_, change)] => Some(*change),
        [Reason::AllOf { change, .. }] => *change,
        other => panic!("{other:?}"),
    }
}

const FAREWELL: Profile = Profile { leaves: true, ..Profile::SF6002 };

#[test]
fn scenario_2_municipality_101_is_listed_as_0101() {
    let one = Filter::parse(FilterKind::Municipality, "101").unwrap();
    assert_eq!(one.reveal(), "0101");
    assert_eq!(sent(Case { after: Some("0101"), ..CASE }, &["0101", "0751"], Profile::SF6002), ["0101"]);
}

#[test]
fn scenario_3_a_mover_from_a_to_b() {
    let mover = Case { before: Some("0101"), after: Some("0751"), events: &["A01"], ..CASE };
    let all = ["0101", "0751", "0101 A01", P, "everything", "0851"];
    assert_eq!(sent(mover, &all, Profile::SF6002), ["0751", "0101 A01", P, "everything"]);
    assert_eq!(sent(mover, &all, FAREWELL), ["0101", "0751", "0101 A01", P, "everything"]);
    let matched = match_case(mover, &all, Profile::SF6002);
    assert_eq!(
        (image(&matched, "0101"), image(&matched, "0751")),
        (Some(ImageChange::Leaves), Some(ImageChange::Enters))
    );
    assert_eq!(matched["everything"].0, [Reason::Everything]);
    assert_eq!(matched[P].0, [Reason::Number]);
    assert_eq!(matched["0101 A01"].0.len(), 2, "the farewell and the event");
}

#[test]
fn scenario_4_a_death_in_a() {
    let death = Case { before: Some("0101"), after: Some(""), events: &["A21"], ..CASE };
    let all = ["0101", "A21", P];
    assert_eq!(sent(death, &all, Profile::SF6002), ["A21", P]);
    assert_eq!(image(&match_case(death, &all, FAREWELL), "0101"), Some(ImageChange::Leaves));
}

#[test]
fn scenario_5_a_person_turns_18() {
    let born = Case { born: "2008-03-10", ..CASE };
    let ages = ["0-17", "18-999"];
    assert_eq!(sent(Case { day: "2026-03-09", ..born }, &ages, Profile::SF6002), ["0-17"]);
    assert_eq!(sent(Case { day: "2026-03-10", ..born }, &ages, Profile::SF6002), ["18-999"]);
    // Both images are as old as the day says, so a birthday is no change; and no delivery, no reason: who passed an age
    // in between is asked of the birth dates.
    assert_eq!(image(&match_case(born, &ages, Profile::SF6002), "18-999"), Some(ImageChange::Within));
    let passed = birth_dates_reaching(18, date("2026-03-06"), date("2026-03-10")).unwrap();
    assert!(passed.contains(&date(born.born)) && !passed.contains(&date("2008-03-11")));
}

#[test]
fn scenario_6_birth_dates_that_bite() {
    let century = ["100-100", "99-99"];
    let partial = Case { born: "1896-00-00", ..CASE };
    assert_eq!(sent(Case { day: "1996-01-01", ..partial }, &century, Profile::SF6002), ["100-100"]);
    assert_eq!(sent(Case { day: "1995-12-31", ..partial }, &century, Profile::SF6002), ["99-99"]);
    let leap = Case { born: "2008-02-29", ..CASE };
    assert_eq!(sent(Case { day: "2026-02-28", ..leap }, &["17-17", "18-18"], Profile::SF6002), ["17-17"]);
    assert_eq!(sent(Case { day: "2026-03-01", ..leap }, &["17-17", "18-18"], Profile::SF6002), ["18-18"]);
    // The number says 1980, the record 1990: the record counts.
    assert_eq!(sent(Case { born: "1990-01-01", ..CASE }, &["46-46", "36-36"], Profile::SF6002), ["36-36"]);
    // No birth date at all has no age.
    assert!(sent(CASE, &["0-999"], Profile::SF6002).is_empty());
}

#[test]
fn scenario_7_a_number_changes() {
    let (old, new, child, spouse) = (P, "6101809876", "7212554441", "6203805555");
    let all = [old, new, child, spouse];
    let chain = Profile { number_chain: true, ..Profile::SF6002 };
    // CPR's own stream has the old number, the new one, the child and the spouse in one delivery.
    let on_old = Case { events: &["P03"], chain: &[new], ..CASE };
    let on_new = Case { number: new, events: &["P03/PN"], chain: &[old], ..CASE };
    assert_eq!(sent(on_old, &all, Profile::SF6002), [old]);
    assert_eq!(sent(on_new, &all, Profile::SF6002), [new]);
    assert_eq!(sent(on_old, &all, chain), [old, new]);
    assert_eq!(sent(on_new, &all, chain), [old, new]);
    assert_eq!(sent(Case { number: child, events: &["P03/BØ"], ..CASE }, &all, chain), [child]);
    assert_eq!(sent(Case { number: spouse, events: &["P03/ÆG"], ..CASE }, &all, chain), [spouse]);
    assert_eq!(match_case(on_new, &all, Profile::SF6002)[old].0, [Reason::NumberChain(key(old))]);
}

#[test]
fn scenario_8_a_derived_event_reaches_the_widow_by_the_profile() {
    let widow = Case { events: &["A21/ÆG"], ..CASE };
    let own_only = Profile { derived_events: false, ..Profile::SF6002 };
    assert_eq!(sent(widow, &["A21"], Profile::SF6002), ["A21"]);
    assert!(sent(widow, &["A21"], own_only).is_empty());
    let both = Case { events: &["A21/ÆG", "A21", "A21"], ..CASE };
    assert_eq!(sent(both, &["A21"], own_only), ["A21"]);
    let marks: Vec<Option<DerivedMark>> = match_case(both, &["A21"], own_only)["A21"]
        .0
        .iter()
        .map(|reason| match reason {
            Reason::Event(_, mark) => *mark,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(marks, [DerivedMark::parse("\u{c6}G".chars().map(|c| c as u8).collect::<Vec<_>>().as_slice()), None]);
    assert_eq!(marks[0].unwrap().to_string(), "ÆG");
}

#[test]
fn scenario_9_a_person_sent_without_a_change() {
    let repeated = Case { before: Some("0101"), after: Some("0101"), events: &["A45"], ..CASE };
    let all = ["0101", "A01", "A45", "everything", P];
    assert_eq!(sent(repeated, &all, Profile::SF6002), ["0101", "A45", "everything", P]);
    assert_eq!(image(&match_case(repeated, &all, Profile::SF6002), "0101"), Some(ImageChange::Within));
}

#[test]
fn scenario_14_no_filter_is_nothing() {
    let mover = Case { before: None, after: Some("0751"), born: "2008-03-10", events: &["A01"], ..CASE };
    assert_eq!(sent(mover, &["", "everything"], FAREWELL), ["everything"]);
    assert!(match_case(mover, &["", "everything"], FAREWELL)[""].0.is_empty());
}

#[test]
fn an_address_filter_names_a_street_a_house_or_a_dwelling() {
    let at = "0851:8512:091:01:tv";
    let all = [at, "0851:8512", "0851:8512:091", "0851:8512:091:01", "0851:8512:091:02", "0851:8512:091A", "0101:8512"];
    let moves_in = Case { before: Some("0851:8512:093:01:tv"), after: Some(at), ..CASE };
    assert_eq!(sent(moves_in, &all, Profile::SF6002), &all[..4]);
    let matched = match_case(moves_in, &all, Profile::SF6002);
    assert_eq!(image(&matched, "0851:8512"), Some(ImageChange::Within), "the street is the same");
    assert_eq!(image(&matched, "0851:8512:091"), Some(ImageChange::Enters));
    // As the register pads: the door to the right, the house to the left.
    assert_eq!((Door::parse(b"  tv"), HouseNumber::parse(b"091 ")), (Door::parse(b"TV"), HouseNumber::parse(b"91")));
}

#[test]
fn all_of_holds_in_one_image() {
    let child_of_0751 = ["0-17+0751"];
    let child = Case { born: "2016-01-01", ..CASE };
    let said = |case| image(&match_case(case, &child_of_0751, FAREWELL), child_of_0751[0]);
    assert_eq!(said(Case { before: Some("0751"), after: Some("0751"), ..child }), Some(ImageChange::Within));
    assert_eq!(said(Case { before: Some("0101"), after: Some("0751"), ..child }), Some(ImageChange::Enters));
    assert_eq!(said(Case { before: None, after: Some("0751"), ..child }), Some(ImageChange::Enters));
    assert_eq!(said(Case { before: Some("0751"), after: Some("0101"), ..child }), Some(ImageChange::Leaves));
    assert_eq!(said(Case { before: Some("0751"), after: None, ..child }), Some(ImageChange::Leaves));
    assert_eq!(said(Case { before: Some("0101"), after: Some("0101"), ..child }), None);
    assert_eq!(said(Case { before: Some("0751"), after: Some("0751"), born: "1980-01-01", ..CASE }), None);
}

#[test]
fn events_in_an_all_of_are_those_of_the_day_whatever_the_image() {
    let own_only = Profile { derived_events: false, ..FAREWELL };
    let moves_out = Case { before: Some("0101"), after: Some("0751"), events: &["A01"], ..CASE };
    let derived = Case { events: &["A01/BØ"], ..moves_out };
    let all = ["0101+A01", "0751+A01", "0751+A21", "A01+A21", "A01+6101801234", "A01+6101809876"];
    assert_eq!(sent(moves_out, &all, Profile::SF6002), ["0751+A01", "A01+6101801234"]);
    assert_eq!(sent(moves_out, &all, own_only), ["0101+A01", "0751+A01", "A01+6101801234"]);
    assert_eq!(sent(derived, &all, Profile::SF6002), ["0751+A01", "A01+6101801234"]);
    assert!(sent(derived, &all, own_only).is_empty(), "the event is a relative's");
    let matched = match_case(moves_out, &all, own_only);
    assert_eq!(image(&matched, "A01+6101801234"), None, "no member looks at an image");
    assert_eq!(matched["A01+6101801234"].0.len(), 1);
}

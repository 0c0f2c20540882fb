//! Both ways of matching against the definition, on anything that can be asked.

use std::collections::BTreeSet;

use cpr_model::{Date, MunicipalityCode, PersonKey, StreetCode};
use proptest::prelude::*;

use super::{event, filter, key};
use crate::*;

/// Few values each, so that most of what is asked meets.
const PLACES: [&str; 7] =
    ["0101", "0751", "0101:0004", "0101:0004:001", "0101:0004:001:st:tv", "0751:0004", "0751:0005:002A"];
const NUMBERS: [&str; 4] = ["6101801234", "6101801235", "7212554441", "6203805555"];
const FILTERS: [&str; 24] = [
    "6101801234",
    "6101801235",
    "7212554441",
    "0-17",
    "18-18",
    "0-999",
    "17-64",
    "0101",
    "0751",
    "0851",
    "A01",
    "A21",
    "P03",
    "0101:0004",
    "0101:0004:001",
    "0101:0004:001:st:tv",
    "0751:0004",
    "everything",
    "0-17+0101",
    "18-18+0-999",
    "0101+A01",
    "A01+A21",
    "6101801234+0101+0-999",
    "0101:0004+0-17+A01",
];
const EVENTS: [&str; 6] = ["A01", "A01/ÆG", "A21", "A21/BØ", "A45", "P03/PN"];
const BIRTHS: [&str; 6] = ["", "1896-00-00", "2008-03-10", "2008-03-11", "2008-02-29", "1980-01-01"];
const DAY: &str = "2026-03-10";

#[derive(Clone, Debug)]
struct Changed {
    number: PersonKey,
    before: Option<Subject>,
    after: Option<Subject>,
    events: Vec<EventLabel>,
    chain: Vec<PersonKey>,
}

fn image() -> impl Strategy<Value = Option<Subject>> {
    let place = prop::sample::select(&PLACES[..]).prop_map(filter);
    let subject = (prop::option::of(place), prop::sample::select(&BIRTHS[..])).prop_map(|(place, born)| {
        let mut subject = Subject { birth_date: Date::parse(born), ..Subject::default() };
        match place {
            Some(Filter::Municipality(code)) => subject.municipality = Some(code),
            Some(Filter::Address(at)) => {
                let AddressFilter { municipality, street, house, floor, door } = at;
                subject.municipality = Some(municipality);
                subject.address = Some(AddressSubject { street, house, floor, door });
            }
            _ => {}
        }
        subject
    });
    prop::option::of(subject)
}

fn changed() -> impl Strategy<Value = Changed> {
    let number = prop::sample::select(&NUMBERS[..]).prop_map(key);
    let events = prop::collection::vec(prop::sample::select(&EVENTS[..]).prop_map(event), 0..4);
    let chain = prop::collection::btree_set(prop::sample::select(&NUMBERS[..]).prop_map(key), 0..2);
    (number, image(), image(), any::<bool>(), events, chain).prop_map(|(number, before, after, same, events, chain)| {
        let after = if same { before } else { after };
        let chain = chain.into_iter().filter(|other| *other != number).collect();
        Changed { number, before, after, events, chain }
    })
}

fn subscriptions() -> impl Strategy<Value = Vec<Subscription>> {
    let filters = prop::collection::vec(prop::sample::select(&FILTERS[..]).prop_map(filter), 0..5);
    let one = (0u32..32, filters, prop::bool::weighted(0.2));
    prop::collection::vec(one, 0..12).prop_map(|all| {
        let numbered = (0u32..).zip(all).map(|(at, (flags, filters, is_far))| Subscription {
            subscriber: SubscriberNumber(if is_far { u32::MAX - at } else { at }),
            profile: Profile::from_byte(flags as u8).unwrap(),
            filters,
        });
        numbered.collect()
    })
}

/// The definition, filter by filter.
fn naive(filters: &[Filter], matcher: &Matcher, person: &Changed, day: Date) -> BTreeSet<Reason> {
    let filters: BTreeSet<&Filter> = filters.iter().collect();
    let age = |image: &Option<Subject>| image.and_then(|image| image.birth_date).and_then(|birth| age_on(birth, day));
    let lives = |filter: &Filter, image: &Option<Subject>| match filter {
        Filter::AgeRange(range) => age(image).is_some_and(|age| range.contains(age)),
        Filter::Municipality(code) => image.and_then(|image| image.municipality) == Some(*code),
        Filter::Address(place) => image.is_some_and(|image| {
            image.municipality.is_some_and(|code| image.address.is_some_and(|address| place.holds(code, &address)))
        }),
        _ => true,
    };
    let change = |of: &dyn Fn(&Option<Subject>) -> bool| match (of(&person.before), of(&person.after)) {
        (true, true) => Some(ImageChange::Within),
        (false, true) => Some(ImageChange::Enters),
        (true, false) => Some(ImageChange::Leaves),
        (false, false) => None,
    };
    let mut reasons = BTreeSet::new();
    for filter in filters {
        let one = change(&|image| lives(filter, image));
        match filter {
            Filter::Everything => {
                reasons.insert(Reason::Everything);
            }
            Filter::Pnr(number) if *number == person.number => {
                reasons.insert(Reason::Number);
            }
            Filter::Pnr(number) => {
                reasons.extend(person.chain.contains(number).then_some(Reason::NumberChain(*number)));
            }
            Filter::Municipality(code) => reasons.extend(one.map(|change| Reason::Municipality(*code, change))),
            Filter::AgeRange(range) => reasons.extend(one.map(|change| Reason::Age(*range, change))),
            Filter::Address(place) => reasons.extend(one.map(|change| Reason::Address(*place, change))),
            Filter::EventChangeCode(code) => {
                let events = person.events.iter().filter(|event| event.code == *code);
                reasons.extend(events.map(|event| Reason::Event(*code, event.derived_mark)));
            }
            Filter::AllOf(all) => {
                let members = all.members();
                let is_image = |member: &&Filter| {
                    matches!(member, Filter::AgeRange(_) | Filter::Municipality(_) | Filter::Address(_))
                };
                let marks = |code: EventCode| person.events.iter().filter(move |event| event.code == code);
                let on_the_day = members.iter().all(|member| match member {
                    Filter::Pnr(number) => *number == person.number,
                    Filter::EventChangeCode(code) => marks(*code).next().is_some(),
                    _ => true,
                });
                let in_image = change(&|image| members.iter().all(|member| lives(member, image)));
                let derived = members.iter().any(|member| match member {
                    Filter::EventChangeCode(code) => marks(*code).all(|event| event.derived_mark.is_some()),
                    _ => false,
                });
                let looks = members.iter().any(|member| is_image(&member));
                let at = (0..matcher.terms.len()).find(|at| matcher.terms[*at] == *filter).unwrap();
                let number = AllOfNumber(at as u32);
                if on_the_day && (!looks || in_image.is_some()) {
                    let change = in_image.filter(|_| looks);
                    reasons.insert(Reason::AllOf { filter: number, change, derived });
                    assert_eq!(matcher.all_of(number), Some(filter));
                }
            }
        }
    }
    reasons
}

fn check(subscriptions: &[Subscription], persons: &[Changed]) {
    let day = super::date(DAY);
    let (matcher, followers) = Matcher::new(subscriptions.iter().cloned());
    let mut matching = matcher.deliver(day);
    let mut expected: Vec<Vec<bool>> = vec![Vec::new(); subscriptions.len()];
    for person in persons {
        let chain = person.chain.iter();
        let chain: Vec<_> = chain.flat_map(|of| followers.of(*of).iter().map(move |who| (*of, *who))).collect();
        let change = PersonChange {
            number: person.number,
            before: person.before.as_ref(),
            after: person.after.as_ref(),
            events: &person.events,
            followers: followers.of(person.number),
            chain_followers: &chain,
        };
        matching.add(&change);
        let mut given = Vec::new();
        matcher.reasons(&change, day, |subscriber, reason| given.push((subscriber, reason)));
        let all: BTreeSet<(SubscriberNumber, Reason)> = given.iter().copied().collect();
        assert_eq!(all.len(), given.len(), "each reason once");
        let mut wanted = BTreeSet::new();
        for (at, subscription) in subscriptions.iter().enumerate() {
            let reasons = naive(&subscription.filters, &matcher, person, day);
            let mut of_one = Vec::new();
            matcher.reasons_of(subscription.subscriber, &change, day, |reason| of_one.push(reason));
            assert_eq!(of_one.len(), reasons.len());
            assert_eq!(of_one.into_iter().collect::<BTreeSet<_>>(), reasons);
            for filter in &subscription.filters {
                let alone = naive(std::slice::from_ref(filter), &matcher, person, day);
                let holds = alone.iter().any(|reason| !matches!(reason, Reason::NumberChain(_)));
                assert_eq!(filter.holds_of(&change, day), holds, "{filter:?}");
            }
            expected[at].push(reasons.iter().any(|reason| subscription.profile.delivers(reason)));
            wanted.extend(reasons.into_iter().map(|reason| (subscription.subscriber, reason)));
        }
        assert_eq!(all, wanted);
    }
    let matched = matching.finish();
    let mut set = DeliveryPersons::default();
    let mut sent = Vec::new();
    for (subscription, expected) in subscriptions.iter().zip(&expected) {
        matched.collect(subscription.subscriber, &mut set);
        let found: Vec<bool> = (0..persons.len()).map(|at| set.contains(at)).collect();
        assert_eq!(&found, expected, "{subscription:?}");
        let keys: Vec<PersonKey> = (0..persons.len()).filter(|at| expected[*at]).map(|at| persons[at].number).collect();
        assert_eq!(matched.keys(&set).collect::<Vec<_>>(), keys);
        assert_eq!((set.len(), set.is_empty()), (keys.len(), keys.is_empty()));
        if !keys.is_empty() {
            sent.push((subscription.subscriber, set.clone()));
        }
    }
    sent.sort_by_key(|(subscriber, _)| *subscriber);
    let mut all = Vec::new();
    matched.for_each(|subscriber, set| all.push((subscriber, set.clone())));
    assert_eq!(all, sent);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_of_matching_are_the_definition(
        subscriptions in subscriptions(),
        persons in prop::collection::vec(changed(), 0..6),
    ) {
        check(&subscriptions, &persons);
    }

    #[test]
    fn followers_are_found_in_any_order(
        pairs in prop::collection::vec((0u32..400, 0u32..5), 0..300),
        asked in prop::collection::vec(0u32..400, 0..60),
        ascending: bool,
    ) {
        // Serial numbers of one day.
        let number = |serial: u32| key(&format!("610180{serial:04}"));
        let pairs: Vec<_> = pairs.into_iter().map(|(serial, who)| (number(serial), SubscriberNumber(who))).collect();
        let followers = Followers::new(pairs.clone());
        let mut asked: Vec<PersonKey> = asked.into_iter().map(number).collect();
        if ascending {
            asked.sort();
        }
        let mut walk = followers.walk();
        for number in asked {
            let expected: BTreeSet<_> = pairs.iter().filter(|(of, _)| *of == number).map(|(_, who)| *who).collect();
            let expected: Vec<_> = expected.into_iter().collect();
            prop_assert_eq!(followers.of(number), &expected);
            prop_assert_eq!(walk.of(number), &expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Enough persons that sets are shared as bits.
    #[test]
    fn shared_sets_are_the_definition_too(
        subscriptions in subscriptions(),
        persons in prop::collection::vec(changed(), 500..900),
    ) {
        check(&subscriptions, &persons);
    }
}

#[test]
fn codes_beyond_four_digits_meet_nothing_and_break_nothing() {
    for code in [10_000, 60_000] {
        let subject = Subject {
            municipality: Some(MunicipalityCode(code)),
            birth_date: Date::from_digits(1_01_01),
            address: Some(AddressSubject { street: StreetCode(code), house: None, floor: None, door: None }),
        };
        let number = key(NUMBERS[0]);
        let person = Changed { number, before: None, after: Some(subject), events: Vec::new(), chain: Vec::new() };
        let filters: Vec<Filter> = FILTERS.iter().map(|text| filter(text)).collect();
        check(&[Subscription { subscriber: SubscriberNumber(7), profile: Profile::SF6002, filters }], &[person]);
    }
}

#[test]
fn what_subscribers_share_is_what_each_of_them_would_get_alone() {
    let profiles = [Profile::SF6002, Profile { enters: false, leaves: true, ..Profile::SF6002 }];
    let subscriptions: Vec<Subscription> = (0..18)
        .map(|at| Subscription {
            subscriber: SubscriberNumber(at),
            profile: profiles[at as usize % 2],
            filters: FILTERS.iter().skip(at as usize % 3).step_by(3).map(|text| filter(text)).collect(),
        })
        .collect();
    let lives = |place: usize| Subject {
        municipality: Some(MunicipalityCode(if place.is_multiple_of(2) { 101 } else { 751 })),
        birth_date: Date::parse(BIRTHS[1 + place % 5]),
        ..Subject::default()
    };
    let persons: Vec<Changed> = (0..400)
        .map(|at: usize| Changed {
            number: key(&format!("610180{at:04}")),
            before: (!at.is_multiple_of(3)).then(|| lives(at)),
            after: (!at.is_multiple_of(7)).then(|| lives(at / 5)),
            events: vec![event(EVENTS[at % EVENTS.len()])],
            chain: Vec::new(),
        })
        .collect();
    check(&subscriptions, &persons);
}

/// A person that is there after the delivery and was not before, followed by these.
fn newcomer(followers: &[SubscriberNumber]) -> PersonChange<'_> {
    PersonChange { number: key(NUMBERS[0]), before: None, after: None, events: &[], followers, chain_followers: &[] }
}

#[test]
fn the_number_of_a_filter_of_another_matcher_names_none() {
    let matcher = |filters: &[&str]| {
        let filters = filters.iter().map(|text| filter(text)).collect();
        Matcher::new([Subscription { subscriber: SubscriberNumber(1), profile: Profile::SF6002, filters }]).0
    };
    let (own, other) = (matcher(&["0101", "0-17"]), matcher(&[]));
    for number in [0, 1, 2, u32::MAX].map(AllOfNumber) {
        assert_eq!((own.all_of(number), other.all_of(number)), (None, None));
    }
}

#[test]
fn who_was_not_given_to_the_matcher_is_passed_over() {
    let (known, stranger) = (SubscriberNumber(3), SubscriberNumber(4));
    let filters = vec![filter(NUMBERS[0])];
    let (matcher, _) = Matcher::new([Subscription { subscriber: known, profile: Profile::SF6002, filters }]);
    let day = super::date(DAY);
    let followers = [known, stranger];
    let chain = [(key(NUMBERS[1]), stranger)];
    let change = PersonChange { chain_followers: &chain, ..newcomer(&followers) };
    let mut given = Vec::new();
    matcher.reasons(&change, day, |who, reason| given.push((who, reason)));
    assert_eq!(given, [(known, Reason::Number)]);
    matcher.reasons_of(stranger, &change, day, |_| panic!("a reason for a stranger"));
    let mut matching = matcher.deliver(day);
    matching.add(&change);
    let matched = matching.finish();
    let mut set = DeliveryPersons::default();
    matched.collect(known, &mut set);
    assert_eq!(set.len(), 1);
    matched.collect(stranger, &mut set);
    assert!(set.is_empty(), "also when the set held somebody before");
}

#[test]
fn a_subscriber_given_twice_has_the_filters_of_both_and_the_profile_of_the_last() {
    let subscriber = SubscriberNumber(1);
    let derived = Profile { derived_events: false, ..Profile::SF6002 };
    let twice = [(Profile::SF6002, "A01"), (derived, "A21"), (derived, "A21")];
    let (matcher, _) =
        Matcher::new(twice.map(|(profile, text)| Subscription { subscriber, profile, filters: vec![filter(text)] }));
    let (own, of_a_relative) = ([event("A01"), event("A21")], [event("A01/ÆG")]);
    let mut matching = matcher.deliver(super::date(DAY));
    for events in [&own[..], &of_a_relative] {
        matching.add(&PersonChange { events, ..newcomer(&[]) });
    }
    let mut reasons = 0;
    matcher.reasons(&PersonChange { events: &own, ..newcomer(&[]) }, super::date(DAY), |_, _| reasons += 1);
    assert_eq!(reasons, 2, "one for each code, however often it is asked for");
    let mut set = DeliveryPersons::default();
    matching.finish().collect(subscriber, &mut set);
    assert_eq!(set.positions().collect::<Vec<_>>(), [0], "derived events count no longer");
}

#[test]
fn everybody_is_everybody_however_many_there_are() {
    let filters = vec![Filter::Everything];
    let subscription = Subscription { subscriber: SubscriberNumber(1), profile: Profile::SF6002, filters };
    let (matcher, _) = Matcher::new([subscription]);
    for count in [1, 63, 64, 65, 128] {
        let mut matching = matcher.deliver(super::date(DAY));
        (0..count).for_each(|_| matching.add(&newcomer(&[])));
        let mut set = DeliveryPersons::default();
        matching.finish().collect(SubscriberNumber(1), &mut set);
        assert_eq!((set.len(), set.contains(count - 1), set.contains(count)), (count, true, false), "{count} persons");
    }
}

#[test]
fn of_many_records_of_one_code_each_mark_is_one_reason() {
    // Around the number from which on they are sorted, each twice and in no order.
    for marks in [1, 15, 16, 17, 60] {
        let mark = |at: usize| event(&format!("A01/{}", char::from(b'0' + (at * 37 % marks) as u8)));
        let mut events: Vec<EventLabel> = (0..marks).chain(0..marks).map(mark).collect();
        events.push(event("A21"));
        let changed =
            Changed { number: key(NUMBERS[0]), before: None, after: None, events, chain: vec![key(NUMBERS[1])] };
        let subscription = |at: u32, texts: &[&str]| Subscription {
            subscriber: SubscriberNumber(at),
            profile: Profile::SF6002,
            filters: texts.iter().map(|text| filter(text)).collect(),
        };
        check(&[subscription(3, &["A01", "A21"]), subscription(4, &["A01+A21", NUMBERS[1]])], &[changed]);
    }
}

#[test]
fn a_delivery_tells_how_many_persons_and_subscribers_it_has_and_names_nobody() {
    let subscription = |at: u32, profile, text: &str| Subscription {
        subscriber: SubscriberNumber(at),
        profile,
        filters: vec![filter(text)],
    };
    let own = Profile { derived_events: false, ..Profile::SF6002 };
    let (matcher, _) = Matcher::new([subscription(9, own, NUMBERS[0]), subscription(2, Profile::SF6002, "0101")]);
    let subscribers: Vec<_> = matcher.subscribers().collect();
    assert_eq!(subscribers, [(SubscriberNumber(2), Profile::SF6002), (SubscriberNumber(9), own)]);
    let mut matching = matcher.deliver(super::date(DAY));
    let followers = [SubscriberNumber(9)];
    matching.add(&newcomer(&followers));
    matching.add(&newcomer(&[]));
    assert_eq!(format!("{matching:?}"), "Matching of 2 persons");
    let matched = matching.finish();
    assert_eq!(format!("{matched:?}"), "Deliveries of 2 persons to 2 subscribers");
    assert_eq!(matched.persons(), [key(NUMBERS[0]); 2]);
    let mut set = DeliveryPersons::default();
    matched.collect(SubscriberNumber(9), &mut set);
    assert_eq!(format!("{set:?}"), "PersonSet of 1");
    let words = [ImageChange::Within, ImageChange::Enters, ImageChange::Leaves].map(ImageChange::name);
    assert_eq!(words, ["within", "enters", "leaves"]);
}

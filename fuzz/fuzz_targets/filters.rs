//! Any bytes as filters: a filter is its text and its stored bytes, what is none is refused without being repeated, and
//! both ways of matching a delivery say the same.
//!
//! As text the input is lines: each is a filter, and an empty one ends the filters of a subscriber.
#![no_main]

use std::collections::BTreeSet;

use cpr_model::{Date, MunicipalityCode, PersonKey, Pnr, StreetCode};
use cpr_subscription::{
    AddressSubject, DeliveryPersons, Door, EventCode, EventLabel, Filter, FilterKind, Floor, HouseNumber, Matcher,
    PersonChange, Profile, Reason, Subject, SubscriberName, SubscriberNumber, Subscription,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(filter) = Filter::from_bytes(bytes) {
        assert!(filter.to_bytes() == bytes, "two spellings of one filter");
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = text.parse::<SubscriberName>();
    let mut subscriptions: Vec<Vec<Filter>> = vec![Vec::new()];
    for line in text.split('\n') {
        if line.is_empty() {
            subscriptions.push(Vec::new());
        }
        read_back(line);
        let own = subscriptions.last_mut().expect("one at least");
        own.extend(line.parse::<Filter>());
    }
    match_both_ways(&subscriptions);
});

/// A filter reads back from its own bytes and from its own text, and nothing that refuses one repeats it.
fn read_back(text: &str) {
    let kinds = FilterKind::ALL.map(|kind| Filter::parse(kind, text));
    for filter in kinds.into_iter().chain([text.parse()]) {
        match filter {
            Ok(filter) => {
                assert!(Filter::from_bytes(&filter.to_bytes()).as_ref() == Ok(&filter));
                assert!(Filter::parse(filter.kind(), &filter.reveal()).as_ref() == Ok(&filter));
                assert!(!filter.names_nobody());
            }
            Err(error) => {
                let message = error.to_string();
                let digits = message.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
                assert!(digits < Some(10), "an error that may repeat a number");
            }
        }
    }
}

fn key(digits: &[u8; 10]) -> PersonKey {
    Pnr::parse(digits).and_then(|pnr| pnr.key()).expect("a number")
}

/// Made-up persons, of few places and ages, so that filters of a few bytes meet them.
fn images() -> [Option<Subject>; 4] {
    let at = |municipality, street, birth_date| Subject {
        municipality: Some(MunicipalityCode(municipality)),
        birth_date: Date::from_digits(birth_date),
        address: Some(AddressSubject {
            street: StreetCode(street),
            house: HouseNumber::parse(b"1"),
            floor: Floor::parse(b"st"),
            door: Door::parse(b"tv"),
        }),
    };
    let abroad = Subject { birth_date: Date::from_digits(2008_00_00), ..Subject::default() };
    [None, Some(abroad), Some(at(1, 1, 2025_12_31)), Some(at(101, 4, 1980_02_29))]
}

/// A reason for one person, a reason for all, and the set of a delivery are three ways to one answer.
fn match_both_ways(filters: &[Vec<Filter>]) {
    let own_only = Profile { leaves: true, number_chain: true, derived_events: false, ..Profile::SF6002 };
    let subscriptions = (0u32..).zip(filters).map(|(number, filters)| Subscription {
        subscriber: SubscriberNumber(number),
        profile: if number.is_multiple_of(2) { Profile::SF6002 } else { own_only },
        filters: filters.clone(),
    });
    let subscriptions: Vec<Subscription> = subscriptions.collect();
    let (matcher, followers) = Matcher::new(subscriptions.iter().cloned());
    let day = Date::from_digits(2026_01_05).expect("eight digits");
    let event = |code: &[u8], mark: &[u8]| EventLabel {
        code: EventCode::parse(code).expect("a code"),
        derived_mark: cpr_subscription::DerivedMark::parse(mark),
    };
    let events = [event(b"A01", b""), event(b"A", b"BO"), event(b"A01", b"BO")];
    let (number, other) = (key(b"6101801234"), key(b"6101801235"));
    let chain: Vec<_> = followers.of(other).iter().map(|who| (other, *who)).collect();
    let images = images();
    let mut matching = matcher.deliver(day);
    let mut expected: Vec<Vec<usize>> = vec![Vec::new(); subscriptions.len()];
    let mut place = 0;
    for before in &images {
        for after in &images {
            for events in [&events[..0], &events[..], &events[1..2]] {
                let change = PersonChange {
                    number,
                    before: before.as_ref(),
                    after: after.as_ref(),
                    events,
                    followers: followers.of(number),
                    chain_followers: &chain,
                };
                matching.add(&change);
                let mut of_all: BTreeSet<(SubscriberNumber, Reason)> = BTreeSet::new();
                matcher.reasons(&change, day, |who, reason| assert!(of_all.insert((who, reason)), "a reason twice"));
                let mut of_each = BTreeSet::new();
                for (subscription, places) in subscriptions.iter().zip(&mut expected) {
                    let Subscription { subscriber, profile, .. } = *subscription;
                    let mut is_sent = false;
                    matcher.reasons_of(subscriber, &change, day, |reason| {
                        is_sent |= profile.delivers(&reason);
                        of_each.insert((subscriber, reason));
                    });
                    places.extend(is_sent.then_some(place));
                }
                assert!(of_all == of_each, "asked of all, or of each one");
                place += 1;
            }
        }
    }
    let matched = matching.finish();
    let mut set = DeliveryPersons::default();
    for (subscription, places) in subscriptions.iter().zip(&expected) {
        matched.collect(subscription.subscriber, &mut set);
        assert!(set.positions().collect::<Vec<_>>() == *places, "one by one, or as a delivery");
    }
}

//! The feed of business events: from any place on, the same at every time, and what a filter leaves of it.

use cpr_replika::cpr_model::MunicipalityCode;
use cpr_replika::cpr_subscription::EventCode;
use cpr_replika::{BusinessEvent, DeliveryNumber, Error, EventCursor, EventFilter, EventKind, PersonSet, Replika};
use expect_test::expect;

use crate::happenings::{ALIVE, ANNA, BO, CARL, HOME, events, of, rows, show};
use crate::kit::{Person, apply, config, extract, extract_of_day, pnr};

/// Two nights of several persons behind a first extract.
fn nights() -> Replika {
    let replika = Replika::in_memory(&config()).unwrap();
    deliver_nights(&replika);
    replika
}

pub(crate) fn deliver_nights(replika: &Replika) {
    let home = rows(&[ALIVE, HOME]);
    let moved = |municipality: &str, day: &str, code: &str| {
        rows(&[
            ALIVE,
            &format!("002 KOMKOD={municipality}, VEJKOD=0007, TILFLYDTO={day}0900"),
            &format!("099 TIMESTAMPU={day}0901, HAENDELSE={code}"),
        ])
    };
    for (at, persons) in nights_of(&home, &moved).iter().enumerate() {
        let persons: Vec<Person<'_>> = persons.iter().map(|(number, rows)| (*number, rows.as_str())).collect();
        apply(replika, &extract_of_day(at + 1, &persons)).unwrap();
    }
}

type Nights<'a> = Vec<Vec<(&'a str, String)>>;

fn nights_of<'a>(home: &str, moved: &dyn Fn(&str, &str, &str) -> String) -> Nights<'a> {
    let all = [ANNA, BO, CARL];
    vec![
        all.iter().map(|number| (*number, home.to_owned())).collect(),
        all.iter()
            .zip(["A01", "A01", "A05"])
            .map(|(number, code)| (*number, moved("0751", "20260103", code)))
            .collect(),
        vec![(ANNA, moved("0101", "20260104", "A01")), (BO, moved("0751", "20260104", "A01"))],
    ]
}

#[test]
fn the_feed_goes_on_behind_any_event_and_gives_the_same_ids() {
    let snapshot = nights().snapshot();
    let all = events(&snapshot, EventCursor::after(DeliveryNumber(0)), EventFilter::default());
    let ids: std::collections::BTreeSet<_> = all.iter().map(|event| event.id).collect();
    assert_eq!((all.len(), ids.len()), (10, 10), "each event has an id of its own");
    for (at, event) in all.iter().enumerate() {
        let text = event.cursor.to_string();
        let rest = events(&snapshot, EventCursor::parse(&text).unwrap(), EventFilter::default());
        assert_eq!(rest, all[at + 1..], "behind {text}");
    }
    let of_three: Vec<_> = all.iter().filter(|event| event.delivery.0 == 3).cloned().collect();
    assert_eq!(events(&snapshot, EventCursor::after(DeliveryNumber(2)), EventFilter::default()), of_three);
    assert_eq!(of(&snapshot, 3), of_three);
    assert_eq!(events(&snapshot, EventCursor::after(DeliveryNumber(3)), EventFilter::default()), []);
}

#[test]
fn what_was_told_at_once_is_told_again_years_later() {
    let replika = Replika::in_memory(&config()).unwrap();
    let mut told_at_once = Vec::new();
    // Long enough that what happened to a person is put away from its value, again and again.
    let day = |night: usize| format!("{}-{:02}-{:02}", 2026 + night / 300, night / 25 % 12 + 1, night % 25 + 1);
    for night in 1..=150 {
        let person = |number: usize| {
            let (house, time) = (night * (number + 3) % 97 + 1, day(night).replace('-', ""));
            let address =
                format!("002 KOMKOD=0{}1, VEJKOD=0007, HUSNR={house:03}, TILFLYDTO={time}0900", night % 7 + 1);
            let event = format!("099 TIMESTAMPU={time}0901, HAENDELSE=A0{}", night % 3);
            rows(&[ALIVE, &address, if night % (number + 2) == 0 { "" } else { &event }])
        };
        let texts = [ANNA, BO, CARL].map(|number| (number, person(number.len() + usize::from(number == BO))));
        let persons: Vec<Person<'_>> = texts.iter().map(|(number, text)| (*number, text.as_str())).collect();
        let delivered = &persons[..persons.len() - night % 2];
        apply(&replika, &extract(&day(night), &day(night - 1), delivered)).unwrap();
        told_at_once.extend(of(&replika.snapshot(), night as u32));
    }
    let snapshot = replika.snapshot();
    let put_away = snapshot.stats().unwrap().tables.iter().any(|table| table.name == "superseded/v2" && table.rows > 3);
    assert!(put_away && told_at_once.len() > 400);
    assert_eq!(events(&snapshot, EventCursor::BEGINNING, EventFilter::default()), told_at_once);
}

#[test]
fn an_event_of_an_earlier_delivery_has_the_payload_of_then() {
    let snapshot = nights().snapshot();
    for event in events(&snapshot, EventCursor::after(DeliveryNumber(0)), EventFilter::default()) {
        let [before, after] = snapshot.payload(&event).unwrap();
        let municipality = |image: &Option<cpr_replika::Image<'_>>| {
            let facts = image.as_ref().unwrap();
            let address = facts.all_facts().find(|fact| !fact.is_historic() && fact.address().is_some());
            address.and_then(|fact| fact.address()?.municipality_code())
        };
        assert_eq!(municipality(&before), event.municipality_before);
        assert_eq!(municipality(&after), event.municipality_after);
        assert_eq!(after.unwrap().known(), event.delivery);
    }
}

#[test]
fn a_filter_leaves_out_what_is_not_wanted_and_moves_no_cursor() {
    let snapshot = nights().snapshot();
    let start = EventCursor::after(DeliveryNumber(0));
    let all = events(&snapshot, start, EventFilter::default());
    let copenhagen = Some(MunicipalityCode(101));
    let code = |text: &str| EventCode::parse(text.as_bytes()).unwrap();
    let none = EventFilter::default;
    let persons: PersonSet = [pnr(BO).key().unwrap()].into_iter().collect();
    type Wanted = fn(&BusinessEvent) -> bool;
    let cases: Vec<(EventFilter, Wanted)> = vec![
        (EventFilter { kinds: vec![EventKind::MovedOut], ..none() }, |event| event.kind == EventKind::MovedOut),
        (EventFilter { codes: vec![code("a01")], ..none() }, |event| {
            event.cause.is_some_and(|cause| cause.code.to_string() == "A01")
        }),
        (EventFilter { codes: vec![code("A02")], ..none() }, |_| false),
        (EventFilter { persons: Some(persons), ..none() }, |event| event.pnr == pnr(BO)),
        (EventFilter { municipality_before: copenhagen, ..none() }, |event| event.delivery.0 == 2),
        (EventFilter { municipality_after: copenhagen, ..none() }, |event| {
            event.delivery.0 == 3 && event.pnr == pnr(ANNA)
        }),
        (EventFilter { municipality: copenhagen, ..none() }, |event| event.delivery.0 == 2 || event.pnr == pnr(ANNA)),
    ];
    for (filter, wanted) in cases {
        let expected: Vec<_> = all.iter().filter(|event| wanted(event)).cloned().collect();
        assert_eq!(events(&snapshot, start, filter.clone()), expected, "{filter:?}");
        assert!(expected.is_empty() || expected.len() < all.len(), "a filter that filters: {filter:?}");
    }
}

#[test]
fn a_load_is_silent_and_a_first_extract_tells_only_what_its_records_say() {
    let persons: &[Person<'_>] =
        &[(ANNA, &rows(&[ALIVE, HOME, "099 TIMESTAMPU=202512310900, HAENDELSE=A01"])), (BO, &rows(&[ALIVE, HOME]))];
    let (loaded, applied) = (Replika::in_memory(&config()).unwrap(), Replika::in_memory(&config()).unwrap());
    let extract = extract_of_day(1, persons);
    loaded.load(std::io::Cursor::new(&extract), &cpr_replika::ApplyOptions::named("all")).unwrap();
    assert_eq!(of(&loaded.snapshot(), 1), []);
    apply(&applied, &extract).unwrap();
    let shown: String = of(&applied.snapshot(), 1).iter().map(show).collect();
    expect![[r#"
        6101801231 moved_in A01 [] (address formatted_address) ->0101 2000-01-01 12:00
    "#]]
    .assert_eq(&shown);
    // The same persons again, as a full extract would bring them, are no news.
    apply(&loaded, &extract_of_day(2, &[persons[1]])).unwrap();
    assert_eq!(of(&loaded.snapshot(), 2), []);
}

#[test]
fn places_that_are_not_are_refused_with_the_reason() {
    let snapshot = nights().snapshot();
    let refused = |since: EventCursor| snapshot.events_since(since, EventFilter::default()).unwrap_err();
    assert!(matches!(refused(EventCursor::after(DeliveryNumber(4))), Error::UnknownDelivery { .. }));
    assert!(matches!(refused(EventCursor::parse("4.0.0").unwrap()), Error::UnknownDelivery { .. }));
    assert!(matches!(refused(EventCursor::parse("2.3.0").unwrap()), Error::NotACursor));
    assert!(matches!(refused(EventCursor::parse("0.0.0").unwrap()), Error::NotACursor));
    let of_later = EventCursor::parse("2.0.0.1").unwrap();
    assert!(matches!(refused(of_later), Error::NotACursor), "the store has erased nobody");
    for number in [0, 4] {
        let refused = snapshot.events_of(DeliveryNumber(number), EventFilter::default()).unwrap_err();
        assert_eq!((refused.kind(), refused.is_refusal()), ("unknown_delivery", true));
    }
    for text in ["", "1.", "1.2", "1.2.3.4.5", "-1", "+1", "1 ", "4294967296", "1.x.0"] {
        assert!(matches!(EventCursor::parse(text), Err(Error::NotACursor)), "{text:?}");
    }
    for (text, kind) in [("", "NotACode"), ("A-1", "NotACode"), ("A011", "CodeTooLong")] {
        assert!(format!("{:?}", EventCode::parse(text.as_bytes())).contains(kind), "{text:?}");
    }
}

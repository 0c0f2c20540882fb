//! Which rows count, now and at a moment, against small persons; and facts as such.

use bitemporal::Known;

use super::CurrentRows;
use crate::test_rows::{Row, facts, packed};
use crate::{Aspect, Fact, Field, Pnr, ProtectionKind, RowKind, Timestamp, Values};

const ANNA: &str = "6101801231";
const BO: &str = "6202791235";

fn moment(digits: u64) -> Timestamp {
    Timestamp::from_digits(digits).expect("a moment")
}

/// What a person of these rows is asked, in the order in which they stand and in the other one: both answer alike.
fn ask<T: PartialEq + std::fmt::Debug>(rows: &[&str], at: Option<u64>, question: impl Fn(&CurrentRows<'_>) -> T) -> T {
    let rows = packed(rows);
    let mut facts = facts(&rows);
    let at = at.map(moment);
    let answer = question(&CurrentRows::read(facts.iter().copied(), at));
    facts.reverse();
    assert_eq!(question(&CurrentRows::read(facts.iter().copied(), at)), answer, "in the other order");
    answer
}

/// VEJKOD of the address that counts.
fn street(rows: &CurrentRows<'_>) -> Option<u16> {
    rows.row(Aspect::Address)?.values().number(Field::StreetCode)
}

#[test]
fn of_rows_that_count_the_one_that_began_last_is_the_answer_in_whatever_order_they_stand() {
    let rows: [(&[&str], Option<u16>); 7] = [
        (&[], None),
        (&["was address TILFLYDTO=200001011200 FRAFLYDTO=201001011200 VEJKOD=1"], None),
        (&["address TILFLYDTO=200001011200 ANNKOR=K VEJKOD=1"], None),
        (&["address TILFLYDTO=200001011200 VEJKOD=2", "address TILFLYDTO=201001011200 VEJKOD=1"], Some(1)),
        (&["address TILFLYDTO=200001011200 VEJKOD=1", "address VEJKOD=2"], Some(1)),
        // Of two that began together it is always the same one.
        (&["address TILFLYDTO=200001011200 VEJKOD=1", "address TILFLYDTO=200001011200 VEJKOD=2"], Some(2)),
        // What does not count is not asked when it began.
        (
            &[
                "address TILFLYDTO=200001011200 VEJKOD=1",
                "was address TILFLYDTO=202001011200 FRAFLYDTO=202101011200 VEJKOD=2",
                "address TILFLYDTO=202001011200 ANNKOR=A VEJKOD=3",
            ],
            Some(1),
        ),
    ];
    for (rows, expected) in rows {
        assert_eq!(ask(rows, None, street), expected, "{rows:?}");
    }
}

#[test]
fn at_a_moment_those_rows_count_that_held_then_whatever_became_of_them() {
    let rows = [
        "was address TILFLYDTO=200001011200 FRAFLYDTO=201001011200 VEJKOD=1",
        "was address TILFLYDTO=200501011200 FRAFLYDTO=200601011200 ANNKOR=K VEJKOD=2",
        "address TILFLYDTO=201001011200 VEJKOD=3",
    ];
    let moments = [
        (199912312359, None),
        (200001011200, Some(1)),
        (200506011200, Some(1)),
        (201001011159, Some(1)),
        (201001011200, Some(3)),
        (209001011200, Some(3)),
    ];
    for (at, expected) in moments {
        assert_eq!(ask(&rows, Some(at), street), expected, "{at}");
        let counting = ask(&rows, Some(at), |rows| (rows.counting().count(), rows.rows(Aspect::Address).count()));
        assert_eq!(counting, (expected.iter().count(), expected.iter().count()), "{at}");
    }
    assert_eq!(ask(&rows, None, |rows| (rows.facts().len(), rows.is_empty())), (3, false));
    assert_eq!(ask(&[], None, |rows| (rows.facts().len(), rows.is_empty())), (0, true));
}

#[test]
fn nobody_lives_at_an_address_under_a_status_that_has_none_unless_it_began_later() {
    let home = "address TILFLYDTO=200001011200 KOMKOD=101";
    let lives = [
        ("person STATUS=1", None, true),
        ("person STATUS=20", None, true),
        ("person STATUS=30", None, false),
        ("person STATUS=90 STATUSHAENSTART=202001011200", None, false),
        ("person STATUS=90 STATUSHAENSTART=202001011200", Some(202001011159), true),
        ("person STATUS=90 STATUSHAENSTART=202001011200", Some(202001011200), false),
        ("person STATUS=90", Some(201001011200), false),
        ("person KOEN=K", None, true),
        ("name FORNVN=Maja", None, true),
    ];
    for (person, at, expected) in lives {
        let municipality = ask(&[person, home], at, |rows| rows.municipality().map(|code| code.0));
        assert_eq!(municipality, expected.then_some(101), "{person} at {at:?}");
        let last_known = ask(&[person, home], at, |rows| rows.last_known_address().is_some());
        assert!(last_known, "{person}: the last known address is one still");
    }
}

#[test]
fn the_text_of_an_address_is_that_of_the_address_that_counts_or_of_none() {
    let home = "address TILFLYDTO=200001011200 KOMKOD=101 VEJKOD=42 HUSNR=001 ETAGE=02 SIDEDOER=tv";
    let texts = [
        ("STANDARDADR=Vejen", true),
        ("KOMKOD=101 VEJKOD=42 HUSNR=001 ETAGE=02 SIDEDOER=tv", true),
        ("KOMKOD=751", false),
        ("VEJKOD=43", false),
        ("HUSNR=002", false),
        ("ETAGE=03", false),
        ("SIDEDOER=th", false),
        ("KOMKOD=101 VEJKOD=43 HUSNR=001", false),
    ];
    let shown = |rows: &[&str]| ask(rows, None, |rows| rows.formatted_residence().is_some());
    for (text, expected) in texts {
        let text = format!("formatted_address {text}");
        assert_eq!(shown(&["person STATUS=1", home, &text]), expected, "{text}");
        assert!(shown(&["person STATUS=1", &text]), "{text}: nothing contradicts it");
        assert!(!shown(&["person STATUS=80", home, &text]), "{text}: nobody lives there");
    }
    assert!(!shown(&["person STATUS=1", home]));
}

#[test]
fn numbers_and_kinds_are_told_once_ascending_and_without_those_that_nobody_knows() {
    let numbers = |numbers: Vec<Pnr>| numbers.iter().map(|pnr| pnr.reveal().to_owned()).collect::<Vec<_>>();
    let child = |number: &str| format!("child PNRBARN={number}");
    let children = [child(BO), child(ANNA), child("0"), child(BO), format!("was {}", child("6101260017"))];
    let children: Vec<&str> = children.iter().map(String::as_str).collect();
    assert_eq!(ask(&children, None, |rows| numbers(rows.children())), [ANNA, BO]);
    // Numbers given up are history by nature, and count whatever the moment.
    let former = |number: &str| format!("was former_number START_DT-PERSON=20000101 PNR-GAMMELT={number}");
    let given_up = [former(BO), former(ANNA), former(BO)];
    let given_up: Vec<&str> = given_up.iter().map(String::as_str).collect();
    for at in [None, Some(199001011200), Some(202601011200)] {
        assert_eq!(ask(&given_up, at, |rows| numbers(rows.former_numbers())), [ANNA, BO]);
    }
    let protections = [
        "protection START_DT-BESKYTTELSE=20200101 BESKYTTYPE=3",
        "protection START_DT-BESKYTTELSE=20210101 BESKYTTYPE=1",
        "protection START_DT-BESKYTTELSE=20220101 BESKYTTYPE=3",
        "was protection START_DT-BESKYTTELSE=20000101 SLUT_DT-BESKYTTELSE=20010101 BESKYTTYPE=2",
    ];
    let kinds =
        |rows: &CurrentRows<'_>| rows.protection_kinds().iter().map(|kind: &ProtectionKind| kind.0).collect::<Vec<_>>();
    assert_eq!(ask(&protections, None, kinds), [1, 3]);
    assert_eq!(ask(&protections, Some(200006011200), kinds), [2]);
    assert_eq!(ask(&protections[..1], Some(200006011200), kinds), []);
    let current =
        |person: &str| ask(&[person], None, |rows| rows.stated_current_pnr().map(|pnr| pnr.reveal().to_owned()));
    assert_eq!(current(&format!("person PNRGAELD={ANNA}")).as_deref(), Some(ANNA));
    assert_eq!([current("person PNRGAELD=0"), current("person STATUS=1")], [None, None]);
}

#[test]
fn parents_stand_in_their_own_record_else_in_the_persons_row() {
    let mother = |rows: &[&str]| {
        ask(rows, None, |rows| {
            let of = |aspect| rows.row(aspect).is_some_and(|row| row.parents().is_some());
            (rows.parents().is_some(), of(Aspect::Parents), of(Aspect::Person), of(Aspect::Child))
        })
    };
    let (person, parents) = (format!("person PNRMOR={ANNA}"), format!("parents PNRMOR={BO}"));
    assert_eq!(mother(&[&person, &parents]), (true, true, true, false));
    assert_eq!(mother(&[&person]), (true, false, true, false));
    assert_eq!(mother(&["name FORNVN=Maja", "child PNRBARN=0"]), (false, false, false, false));
    let whose = |rows: &[&str]| {
        ask(rows, None, |rows| {
            let number = |parents: crate::facts::Parents<'_>| match parents.mother_pnr() {
                Some(crate::RelatedPnr::Known(pnr)) => Some(pnr.reveal().to_owned()),
                _ => None,
            };
            rows.parents().and_then(number)
        })
    };
    assert_eq!(whose(&[&person, &parents]).as_deref(), Some(BO));
    assert_eq!(whose(&[&person]).as_deref(), Some(ANNA));
}

#[test]
fn the_answer_of_an_aspect_is_known_again_and_memory_that_is_used_again_remembers_nobody() {
    let rows = packed(&[
        "name NVNHAENSTART=202001011200 FORNVN=Maja",
        "name NVNHAENSTART=201001011200 FORNVN=Maja",
        "was name NVNHAENSTART=202001011200 FORNVN=Maja",
        "name NVNHAENSTART=202001011200 ANNKOR=K FORNVN=Maja",
        "name NVNHAENSTART=202001011200 FORNVN=Maja",
        "citizenship HAENSTART-STATSBORGERSKAB=202001011200 LANDEKOD=5100",
    ]);
    let facts = facts(&rows);
    let current = CurrentRows::read(facts.iter().copied(), None);
    let answers: Vec<bool> = facts.iter().map(|fact| current.is_answer(fact)).collect();
    assert_eq!(answers, [true, false, false, false, true, true]);
    let views = (current.name().is_some(), current.citizenship().is_some(), current.civil_status().is_some());
    assert_eq!(views, (true, true, false));
    let memory = current.recycle();
    assert!(memory.0.capacity() >= facts.len(), "the memory of one person is there for the next");
    let again = CurrentRows::read_into(memory, facts[5..].iter().copied(), None);
    assert_eq!((again.facts().len(), again.name().is_some(), again.citizenship().is_some()), (1, false, true));
}

#[test]
fn a_question_is_answered_by_the_row_of_its_aspect_among_all_others() {
    let rows = [
        "person STATUS=7 FOED_DT=19800101",
        "address TILFLYDTO=202001011200 KOMKOD=101",
        "name NVNHAENSTART=202001011200 FORNVN=Maja",
        "civil_status HAENSTART-CIVILSTAND=202001011200 CIVST=U",
        "child PNRBARN=6101101231",
    ];
    let answers = |rows: &CurrentRows<'_>| {
        let born = rows.birth_date().map(|date| date.digits());
        let civil_status = rows.civil_status().map(|row| row.civil_status().latin1().to_vec());
        (rows.status().map(|status| status.0), born, civil_status)
    };
    assert_eq!(ask(&rows, None, answers), (Some(7), Some(1980_01_01), Some(b"U".to_vec())));
    assert_eq!(ask(&rows[1..3], None, answers), (None, None, None));
    for (row, aspect) in rows.iter().zip([Aspect::Person, Aspect::Address, Aspect::Name, Aspect::CivilStatus]) {
        let found =
            ask(&rows, None, |rows| rows.rows(aspect).map(|fact| fact.values().bytes().to_vec()).collect::<Vec<_>>());
        assert_eq!(found, [packed(&[row])[0].1.clone()], "{row}");
    }
}

#[test]
fn facts_are_told_by_aspect_then_start_then_tense_then_end_and_record() {
    let rows = packed(&[
        "person STATUS=1",
        "address TILFLYDTO=200001011200 VEJKOD=1",
        "was address TILFLYDTO=200001011200 FRAFLYDTO=201001011200 VEJKOD=1",
        "was address TILFLYDTO=200001011200 FRAFLYDTO=202001011200 VEJKOD=1",
        "was address TILFLYDTO=200001011200 FRAFLYDTO=202001011200 VEJKOD=2",
        "address TILFLYDTO=201001011200 VEJKOD=1",
        "name FORNVN=Maja",
    ]);
    let in_order = facts(&rows);
    let lines =
        |facts: &[Fact<'_>]| facts.iter().map(|fact| (fact.kind(), fact.values().bytes().to_vec())).collect::<Vec<_>>();
    for turn in 0..in_order.len() {
        let mut facts = in_order.clone();
        facts.rotate_left(turn);
        facts.swap(0, 3);
        Fact::sort_told(&mut facts);
        assert_eq!(lines(&facts), lines(&in_order), "turned by {turn}");
        assert!(facts.is_sorted_by(|one, other| one.told_order(other).is_lt()));
    }
}

#[test]
fn a_fact_is_kept_as_it_is_and_says_where_it_stands_not_what() {
    let rows = packed(&["was address TILFLYDTO=200001011200 FRAFLYDTO=201001011200 KOMKOD=101"]);
    let (Row(kind, values), known) = (&rows[0], Known { from: 3, to: Some(7) });
    let fact = Fact::new(23, *kind, known, Values::new(values)).expect("an aspect");
    let kept = fact.to_owned();
    assert_eq!(format!("{fact:?}"), "address (023) known from 3 to 7");
    assert_eq!(format!("{kept:?}"), format!("{fact:?}"));
    for fact in [fact, kept.as_fact()] {
        assert_eq!((fact.aspect(), fact.is_historic(), fact.kind()), (Aspect::Address, true, *kind));
        assert_eq!((fact.record(), fact.known(), fact.values().bytes()), (23, known, &values[..]));
        assert_eq!(fact.line(), (23, *kind, Values::new(values)));
        assert_eq!(fact.stated_bounds(), (Some(moment(200001011200)), Some(moment(201001011200))));
        assert!(fact.holds_at(moment(200001011200)) && !fact.holds_at(moment(201001011200)));
        assert!(fact.address().is_some() && fact.name().is_none() && fact.parents().is_none());
    }
    let open = Fact::new(25, RowKind::new(Aspect::Address, false), Known { from: 3, to: None }, Values::new(values));
    assert_eq!(format!("{:?}", open.expect("an aspect")), "address (025) known from 3");
    assert!(Fact::new(0, RowKind(0), known, Values::new(&[])).is_none());
}

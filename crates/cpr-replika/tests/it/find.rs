//! Queries over the secondary indexes, beside a scan of every person.

use std::io::Cursor;
use std::ops::RangeInclusive;

use cpr_replika::cpr_model::{CountryCode, MunicipalityCode, PersonKey, ProtectionKind, Status, StreetCode};
use cpr_replika::cpr_subscription::{AgeRange, Door, Floor, HouseNumber, birth_dates};
use cpr_replika::{
    AddressPattern, ApplyOptions, Config, DeliveryNumber, NamePart, Person, PersonSet, Query, Replika, Search, Sex,
    Snapshot,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::kit::{self, config, date, extract, extract_of_day, pnr};

const NUMBERS: [&str; 6] = ["6101801231", "6101801232", "7212554441", "9005019999", "6812179017", "6202845678"];

fn numbers(set: &PersonSet) -> Vec<String> {
    set.iter().map(|key| key.pnr().reveal().to_owned()).collect()
}

fn found(snapshot: &Snapshot, query: Query) -> Vec<String> {
    numbers(&snapshot.find(&query).unwrap())
}

fn in_street(municipality: u16, street: u16, houses: Option<RangeInclusive<HouseNumber>>) -> Query {
    Query::Address(AddressPattern {
        municipality: Some(MunicipalityCode(municipality)),
        street: Some(StreetCode(street)),
        houses: houses.into_iter().collect(),
        ..AddressPattern::default()
    })
}

fn house(text: &str) -> HouseNumber {
    HouseNumber::parse(text.as_bytes()).unwrap()
}

#[test]
fn who_moves_is_found_where_he_lives_now() {
    let replika = Replika::in_memory(&config()).unwrap();
    let at = |municipality: &str, house: &str| {
        format!("001 STATUS=01, FOED_DT=1980-01-01\n002 KOMKOD={municipality}, VEJKOD=8512, HUSNR={house}")
    };
    let (here, there) = (at("0851", "091"), at("0751", "7B"));
    kit::apply(&replika, &extract_of_day(1, &[("6101801231", &here), ("6101801232", &here)])).unwrap();
    kit::apply(&replika, &extract_of_day(2, &[("6101801232", &there)])).unwrap();
    let snapshot = replika.snapshot();
    let lives = |code| found(&snapshot, Query::municipality(MunicipalityCode(code)));
    assert_eq!(lives(851), ["6101801231"]);
    assert_eq!(lives(751), ["6101801232"]);
    assert!(lives(101).is_empty());
    let street = |code, houses| in_street(code, 8512, houses);
    assert_eq!(found(&snapshot, street(851, None)), ["6101801231"]);
    for (municipality, code, expected) in [(851, 8512, 1), (851, 8513, 0), (101, 8512, 0)] {
        let query = Query::street(MunicipalityCode(municipality), StreetCode(code));
        assert_eq!(snapshot.count(&query).unwrap(), expected, "{municipality} {code}");
    }
    assert_eq!(found(&snapshot, street(751, Some(house("007")..=house("9")))), ["6101801232"]);
    assert!(found(&snapshot, street(751, Some(house("7")..=house("7A")))).is_empty());
    assert!(snapshot.verify().unwrap().is_clean());
}

#[test]
fn whoever_is_found_and_counted_has_each_part_of_the_address_that_is_asked_for() {
    let replika = Replika::in_memory(&config()).unwrap();
    let rows = "001 STATUS=01
        002 KOMKOD=0956, VEJKOD=0042, HUSNR=007B, ETAGE=02, SIDEDOER=tv, BNR=1203
        003 KOMKOD=0956, VEJKOD=0042, HUSNR=007B, POSTNR=3900, POSTDISTTXT=Nuuk, BYNVN=Gammelby, VEJADRNVN=Ny Allé";
    kit::apply(&replika, &extract_of_day(1, &[("6101801231", rows)])).unwrap();
    let snapshot = replika.snapshot();
    let words = AddressPattern::words;
    let none = AddressPattern::default;
    for (is, is_not) in [
        (
            AddressPattern { street: Some(StreetCode(42)), ..none() },
            AddressPattern { street: Some(StreetCode(43)), ..none() },
        ),
        (AddressPattern { street_name: words("ny"), ..none() }, AddressPattern { street_name: words("vej"), ..none() }),
        (
            AddressPattern { houses: vec![house("7")..=house("9")], ..none() },
            AddressPattern { houses: vec![house("8")..=house("9")], ..none() },
        ),
        (
            AddressPattern { floor: Floor::parse(b"02"), ..none() },
            AddressPattern { floor: Floor::parse(b"03"), ..none() },
        ),
        (AddressPattern { door: Door::parse(b"tv"), ..none() }, AddressPattern { door: Door::parse(b"th"), ..none() }),
        (
            AddressPattern { building: Some("1203".to_owned()), ..none() },
            AddressPattern { building: Some("1204".to_owned()), ..none() },
        ),
        (
            AddressPattern { postal_code: Some(3900..=3999), ..none() },
            AddressPattern { postal_code: Some(3901..=3999), ..none() },
        ),
        (
            AddressPattern { postal_district: words("nuuk"), ..none() },
            AddressPattern { postal_district: words("sisimiut"), ..none() },
        ),
        (AddressPattern { town: words("gammelby"), ..none() }, AddressPattern { town: words("nyby"), ..none() }),
    ] {
        for (asked, expected) in [(is, 1), (is_not, 0)] {
            let query = Query::Address(AddressPattern { municipality: Some(MunicipalityCode(956)), ..asked });
            assert_eq!(snapshot.find(&query).unwrap().len(), expected, "{query:?}");
            assert_eq!(snapshot.count(&query).unwrap(), expected, "{query:?}");
            assert_eq!(snapshot.search(&Search::now(query.clone())).unwrap().count, Some(expected), "{query:?}");
        }
    }
}

#[test]
fn what_the_store_does_not_hold_is_refused_and_is_not_nobody() {
    let address = Query::Address;
    let none = AddressPattern::default;
    let words = AddressPattern::words;
    let municipality = || Some(MunicipalityCode(851));
    let not = |query| Query::Not(Box::new(query));
    let surname = || Query::name(NamePart::Surname, "opdigtet");
    // A question, the record types without which it is refused, and those with which it is answered.
    for (query, without, with) in [
        (Query::All, None, vec![]),
        (Query::status(Status(1)), None, vec![]),
        (surname(), Some(vec![2, 3, 4, 10]), vec![8]),
        (Query::name(NamePart::Any, "opdigtet"), Some(vec![2, 4, 10]), vec![8]),
        (Query::name(NamePart::Any, "opdigtet"), Some(vec![2, 4, 10]), vec![3]),
        (Query::name(NamePart::Addressing, "opdigtet"), Some(vec![2, 4, 10]), vec![3]),
        (Query::Protection(ProtectionKind(1)), Some(vec![2, 3, 8, 10]), vec![4]),
        (Query::Citizenship(CountryCode(5100)), Some(vec![2, 3, 4, 8]), vec![10]),
        (address(AddressPattern { municipality: municipality(), ..none() }), Some(vec![3, 4, 8, 10]), vec![2]),
        (address(AddressPattern { street_name: words("ny"), ..none() }), Some(vec![2, 4, 8, 10]), vec![2, 3]),
        (address(AddressPattern { postal_code: Some(2200..=2200), ..none() }), Some(vec![2, 4, 8, 10]), vec![2, 3]),
        (address(AddressPattern { town: words("by"), ..none() }), Some(vec![2, 4, 8, 10]), vec![2, 3]),
        (address(AddressPattern { postal_district: words("by"), ..none() }), Some(vec![2, 4, 8, 10]), vec![2, 3]),
        (Query::And(vec![Query::All, surname()]), Some(vec![2]), vec![8]),
        (Query::Or(vec![Query::All, surname()]), Some(vec![2]), vec![8]),
        (not(surname()), Some(vec![2]), vec![8]),
    ] {
        let refusals = |chosen: Vec<u16>| {
            let replika = Replika::in_memory(&Config { chosen: Some(chosen), ..config() }).unwrap();
            kit::apply(&replika, &extract_of_day(1, &[("6101801231", "001 STATUS=01")])).unwrap();
            let snapshot = replika.snapshot();
            let searched = snapshot.search(&Search::now(query.clone())).map(|hits| hits.count.unwrap_or_default());
            let counted = [snapshot.find(&query).map(|found| found.len()), snapshot.count(&query), searched];
            counted.map(|counted| counted.err().map(|error| error.kind()))
        };
        assert_eq!(refusals(with.clone()), [None; 3], "{query:?} with {with:?}");
        if let Some(without) = without {
            assert_eq!(refusals(without.clone()), [Some("not_held"); 3], "{query:?} with {without:?} alone");
        }
    }
}

#[test]
fn age_goes_by_the_recorded_birth_date() {
    let replika = Replika::in_memory(&config()).unwrap();
    let born = |text: &str| format!("001 STATUS=01, FOED_DT={text}");
    let persons = [
        ("6101801231", born("1980-01-01")),
        ("6101801232", born("1979-12-31")),
        ("7212554441", born("1955-00-00")),
        ("6812179017", "001 STATUS=01".to_owned()),
        ("9002080009", born("2008-02-29")),
    ];
    let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (*number, rows.as_str())).collect();
    kit::apply(&replika, &extract_of_day(1, &persons)).unwrap();
    let snapshot = replika.snapshot();
    let aged = |range: (u16, u16), day: &str| {
        let range = AgeRange::new(range.0, range.1).unwrap();
        found(&snapshot, Query::Born(birth_dates(range, date(day)).unwrap()))
    };
    assert_eq!(aged((45, 45), "2025-12-31"), ["6101801231"]);
    assert_eq!(aged((46, 46), "2025-12-31"), ["6101801232"], "by the date on record, not by the number's");
    assert_eq!(aged((46, 46), "2026-01-01"), ["6101801231", "6101801232"]);
    assert_eq!(aged((71, 71), "2026-01-01"), ["7212554441"], "an unknown month counts as the first");
    assert_eq!(aged((17, 17), "2026-02-28"), ["9002080009"], "born on 29 February");
    assert_eq!(aged((18, 18), "2026-03-01"), ["9002080009"]);
    assert_eq!(aged((0, 999), "2026-03-01").len(), 4, "without a date on record there is no age");
}

#[test]
fn a_page_begins_behind_the_last_person_of_the_one_before() {
    let replika = Replika::in_memory(&config()).unwrap();
    let persons: Vec<(&str, &str)> = NUMBERS.iter().map(|number| (*number, "001 STATUS=01")).collect();
    kit::apply(&replika, &extract_of_day(1, &persons)).unwrap();
    let first = replika.snapshot().find(&Query::All).unwrap();
    let page: Vec<PersonKey> = first.iter().take(2).collect();
    kit::apply(&replika, &extract_of_day(2, &[("6101000001", "001 STATUS=01")])).unwrap();
    let second = replika.snapshot().find(&Query::All).unwrap();
    assert_eq!(second.len(), 7);
    let rest: Vec<PersonKey> = second.after(page[1]).collect();
    assert_eq!(
        rest,
        first.iter().skip(2).collect::<Vec<_>>(),
        "whoever comes in before the page is not on a later one"
    );
}

#[test]
fn a_delivery_that_there_is_not_cannot_be_asked_about() {
    let replika = Replika::in_memory(&config()).unwrap();
    kit::apply(&replika, &extract_of_day(1, &[("6101801231", "001 STATUS=01")])).unwrap();
    let snapshot = replika.snapshot();
    for query in [Query::Changed(DeliveryNumber(2)), Query::ChangedBy(DeliveryNumber(0), "A01".to_owned())] {
        assert_eq!(snapshot.find(&query).unwrap_err().kind(), "unknown_delivery");
    }
    assert!(snapshot.find(&Query::ChangedBy(DeliveryNumber(1), "A01".to_owned())).unwrap().is_empty());
}

/// Rows that a person may have, few enough to recur.
fn rows() -> impl Strategy<Value = String> {
    let status = select(vec!["01", "60", "80", "90"]);
    let birth = select(vec!["", "1980-01-01", "1955-12-12", "1980-00-00", "2062-01-01"]);
    let rest = vec![
        "002 KOMKOD=0101, VEJKOD=1188, HUSNR=012A",
        "004 BESKYTTYPE=0001",
        "004 BESKYTTYPE=0003",
        "010 LANDEKOD=5100",
        "023 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=200001010000, FRAFLYDTO=201001010000",
        "027 LANDEKOD=5120, HAENSTART-STATSBORGERSKAB=200001010000, HAENSLUT-STATSBORGERSKAB=201001010000",
        "099 HAENDELSE=A01, TIMESTAMPU=202601011200",
    ];
    (status, birth, subsequence(rest.clone(), 0..=rest.len())).prop_map(|(status, birth, rest)| {
        let mut rows = format!("001 STATUS={status}");
        if !birth.is_empty() {
            rows += &format!(", FOED_DT={birth}");
        }
        rest.iter().for_each(|row| rows += &format!("\n{row}"));
        rows
    })
}

fn query() -> impl Strategy<Value = Query> {
    let birth = |text| date(text);
    let street = |houses| in_street(101, 1188, houses);
    let leaf = select(vec![
        Query::All,
        Query::municipality(MunicipalityCode(101)),
        Query::municipality(MunicipalityCode(751)),
        street(None),
        street(Some(house("1")..=house("12A"))),
        street(Some(house("1")..=house("12"))),
        Query::status(Status(1)),
        Query::status(Status(90)),
        Query::Status(Status(1)..=Status(90)),
        Query::Sex(Sex::Woman),
        Query::Protection(ProtectionKind(1)),
        Query::Citizenship(CountryCode(5100)),
        Query::Citizenship(CountryCode(5120)),
        Query::Born(birth("1980-00-00")..=birth("1980-01-01")),
        Query::Born(birth("1900-01-01")..=birth("1979-12-31")),
        Query::Born(birth("1980-01-01")..=birth("9999-12-31")),
        Query::Changed(DeliveryNumber(1)),
        Query::ChangedBy(DeliveryNumber(1), "A01".to_owned()),
        Query::Persons(NUMBERS.iter().take(2).filter_map(|number| pnr(number).key()).collect()),
    ]);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Query::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Query::Or),
            inner.prop_map(|query| Query::Not(Box::new(query))),
        ]
    })
}

/// The definition, person by person.
fn holds(query: &Query, key: PersonKey, person: &Person<'_>, snapshot: &Snapshot) -> bool {
    let current = || person.facts().filter(|fact| !fact.is_historic());
    let status = current().find_map(|fact| fact.person()?.status());
    let lived_in = || current().filter_map(|fact| fact.address()).filter(|_| status.is_none_or(|status| status.0 < 30));
    match query {
        Query::All => true,
        Query::Address(asked) => lived_in().any(|address| {
            let number = HouseNumber::parse(address.house_number().latin1());
            asked.municipality.is_none_or(|code| address.municipality_code() == Some(code))
                && asked.street.is_none_or(|code| address.street_code() == Some(code))
                && asked.houses.iter().all(|houses| number.is_some_and(|number| houses.contains(&number)))
        }),
        Query::Status(range) => {
            current().filter_map(|fact| fact.person()).any(|row| row.status().is_some_and(|is| range.contains(&is)))
        }
        Query::Sex(sex) => current().filter_map(|fact| fact.person()).any(|row| row.sex().latin1() == [sex.letter()]),
        Query::Name(..) => unreachable!("not among the queries"),
        Query::Protection(kind) => current().filter_map(|fact| fact.protection()).any(|row| row.kind() == Some(*kind)),
        Query::Citizenship(code) => {
            current().filter_map(|fact| fact.citizenship()).any(|row| row.country_code() == Some(*code))
        }
        Query::Born(dates) => {
            let recorded = current().filter_map(|fact| fact.person()).find_map(|row| row.birth_date());
            recorded.is_some_and(|recorded| dates.contains(&recorded.value))
        }
        Query::Changed(delivery) => snapshot.changes(*delivery).unwrap().any(|changed| changed == key.pnr()),
        Query::ChangedBy(delivery, code) => {
            let events = snapshot.events(key.pnr()).unwrap().events;
            events.iter().any(|event| event.delivery == *delivery && event.event().code().reveal() == *code)
        }
        Query::Persons(persons) => persons.contains(key),
        Query::And(all) => all.iter().all(|query| holds(query, key, person, snapshot)),
        Query::Or(any) => any.iter().any(|query| holds(query, key, person, snapshot)),
        Query::Not(query) => !holds(query, key, person, snapshot),
    }
}

fn scanned(snapshot: &Snapshot, query: &Query) -> Vec<String> {
    let all = snapshot.pnrs().unwrap().map(Result::unwrap).filter(|pnr| {
        let person = snapshot.person(*pnr).unwrap().unwrap();
        holds(query, pnr.key().unwrap(), &person, snapshot)
    });
    all.map(|pnr| pnr.reveal().to_owned()).collect()
}

/// So many that long rows of the index are read, of which a few persons would be spared.
fn many() -> impl Strategy<Value = Vec<(String, String)>> {
    let number = |at: usize| format!("{:02}{:02}{:02}{:04}", 61 + at % 28, 1 + at % 12, 60 + at % 40, 1000 + at);
    prop::collection::vec(rows(), 150)
        .prop_map(move |rows| rows.into_iter().enumerate().map(|(at, rows)| (number(at), rows)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_query_finds_whom_a_scan_finds_among_many(persons in many(), queries in prop::collection::vec(query(), 40)) {
        let replika = Replika::in_memory(&config()).unwrap();
        let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (&**number, &**rows)).collect();
        kit::apply(&replika, &extract_of_day(1, &persons)).unwrap();
        let snapshot = replika.snapshot();
        for query in queries {
            let scanned = scanned(&snapshot, &query);
            prop_assert_eq!(snapshot.count(&query).unwrap(), scanned.len() as u64, "{:?}", query);
            prop_assert_eq!(found(&snapshot, query.clone()), scanned, "{:?}", query);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_query_finds_whom_a_scan_finds(
        first in prop::collection::btree_map(select(NUMBERS.to_vec()), rows(), 0..=NUMBERS.len()),
        second in prop::collection::btree_map(select(NUMBERS.to_vec()), rows(), 0..=NUMBERS.len()),
        queries in prop::collection::vec(query(), 8),
    ) {
        let replika = Replika::in_memory(&config()).unwrap();
        for (day, persons) in [(1, &first), (2, &second)] {
            let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (*number, rows.as_str())).collect();
            let bytes = extract(kit::DAYS[day], kit::DAYS[day - 1], &persons);
            replika.apply(Cursor::new(bytes), &ApplyOptions::named("made up")).unwrap();
        }
        let snapshot = replika.snapshot();
        prop_assert!(snapshot.verify().unwrap().is_clean());
        for query in queries {
            let scanned = scanned(&snapshot, &query);
            prop_assert_eq!(snapshot.count(&query).unwrap(), scanned.len() as u64, "{:?}", query);
            prop_assert_eq!(found(&snapshot, query.clone()), scanned, "{:?}", query);
        }
    }
}

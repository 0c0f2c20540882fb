//! Parts of a search that can be tested without a store.

use cpr_model::{MunicipalityCode, StreetCode};
use cpr_subscription::{Door, Floor, HouseNumber};

use crate::index::name_part::NamePart;
use crate::search::check::Spans;
use crate::search::patterns::{AddressPattern, WordPattern};
use crate::search::query::Query;

#[test]
fn a_pattern_is_a_word_a_prefix_or_a_shape() {
    for (pattern, word, expected) in [
        ("Hansen", "hansen", true),
        ("Hansen", "hansens", false),
        ("Hans*", "hansen", true),
        ("Hans*", "hans", true),
        ("Hans*", "han", false),
        ("Å*", "aagaard", true),
        ("*sen", "hansen", true),
        ("*sen", "hansens", false),
        ("M?ller", "m\u{f8}ller", true),
        ("m?ller", "mller", false),
        ("h*s?n", "hansen", true),
        ("h*s?n", "hanen", false),
        ("a*b*c", "aabbcc", true),
        ("a*b*c", "aabbccd", false),
        ("*", "x", true),
        ("Anne-Ma*", "annemarie", true),
    ] {
        let word: Vec<u8> = word.chars().map(|c| c as u8).collect();
        assert_eq!(WordPattern::parse(pattern).unwrap().matches(&word), expected, "{pattern}");
    }
    assert!(WordPattern::parse("--").is_none());
}

/// `Debug` is what lands in logs.
#[test]
fn debug_of_a_query_tells_which_parts_are_asked_for_and_nothing_of_what_is_asked() {
    let house = HouseNumber::parse(b"007B").unwrap();
    let whole = AddressPattern {
        municipality: Some(MunicipalityCode(956)),
        street: Some(StreetCode(42)),
        street_name: AddressPattern::words("Ny Allé"),
        houses: vec![house..=house],
        floor: Floor::parse(b"02"),
        door: Door::parse(b"tv"),
        building: Some("1203".to_owned()),
        postal_code: Some(3900..=3999),
        postal_district: AddressPattern::words("Nuuk"),
        town: AddressPattern::words("Gammelby"),
    };
    let parts = "municipality, street, street name, houses, floor, door, building, postal code, postal district, town";
    let parts: Vec<String> = parts.split(", ").map(|part| format!("{part:?}")).collect();
    for (query, expected) in [
        (Query::name(NamePart::Surname, "hansen"), "Name(Surname, word)".to_owned()),
        (Query::name(NamePart::Surname, "hans*"), "Name(Surname, prefix)".to_owned()),
        (Query::name(NamePart::Surname, "*sen"), "Name(Surname, wildcard)".to_owned()),
        (Query::Address(AddressPattern::default()), "Address{}".to_owned()),
        (Query::Address(whole), format!("Address{{{}}}", parts.join(", "))),
    ] {
        assert_eq!(format!("{query:?}"), expected);
    }
}

#[test]
fn spans_are_sets_of_moments() {
    let a = Spans::of(vec![(5, 10), (20, 30), (8, 12), (7, 7)]);
    let b = Spans::of(vec![(11, 25)]);
    assert_eq!(a, Spans::of(vec![(5, 12), (20, 30)]));
    assert_eq!(a.and(&b), Spans::of(vec![(11, 12), (20, 25)]));
    assert_eq!(a.not(), Spans::of(vec![(0, 5), (12, 20), (30, u64::MAX)]));
    assert_eq!(a.not().not(), a);
    assert_eq!(a.and(&a.not()), Spans::default());
}

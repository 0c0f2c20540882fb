//! Dates at their edges, what is left out of a document, and search strings of any kind.
#![allow(unreachable_pub)] // `answer!` defines public structs

use cpr_replika::cpr_model::{Date, Pnr, Timestamp};

use crate::contract_types::{self, Absent, Uncertain, XsdDate, XsdDateTime};

fn date(digits: u32) -> Date {
    Date::from_digits(digits).expect("eight digits")
}

answer! {
    /// A document of one of each.
    pub struct Sample {
        day: Option<XsdDate> = "dag",
        moment: Option<Uncertain<XsdDateTime>> = "tid",
        text: Option<String> = "tekst",
    }
}

fn check(day: u32, moment: u64, text: &str, expected: &str) {
    let moment = Timestamp::from_digits(moment).map(|at| Uncertain { date: XsdDateTime(at), mark: Some("*") });
    let sample = Sample { day: Some(XsdDate(date(day))), moment, text: Some(contract_types::printable(text)) };
    assert_eq!(
        contract_types::xml("rod", "urn:x", &sample).expect("XML"),
        format!("<rod xmlns=\"urn:x\">{expected}</rod>")
    );
}

#[test]
fn what_a_schema_cannot_say_is_left_out() {
    let time = |text: &str| format!("<tid><dato>{text}</dato><usikkerhedsmarkering>*</usikkerhedsmarkering></tid>");
    let whole =
        format!("<dag>2000-02-29+01:00</dag>{}<tekst>Ågård &amp; Søn</tekst>", time("1961-09-07T20:00:00.000+01:00"));
    check(2000_02_29, 1961_09_07_20_00, "Ågård & Søn", &whole);
    let no_time_of_day = format!("{}<tekst>A</tekst>", time("1961-09-07T00:00:00.000+01:00"));
    check(1900_02_29, 1961_09_07_12_99, "A", &no_time_of_day);
    check(1961_00_00, 1961_00_00_00_00, "A\u{1}B", "<tekst>AB</tekst>");
    check(0, 1961_13_01_00_00, "A", "<tekst>A</tekst>");
    assert!(!XsdDate(date(2000_12_31)).is_absent() && XsdDate(date(2001_04_31)).is_absent());
}

#[test]
fn a_number_states_a_birth_date() {
    for (number, born) in [
        ("6101701111", 1970_01_01),
        ("6101104111", 2010_01_01),
        ("9112374111", 1937_12_31),
        ("6101576111", 2057_01_01),
        ("6101586111", 1858_01_01),
        ("6101369111", 2036_01_01),
    ] {
        let pnr = Pnr::parse(number.as_bytes()).expect("ten digits");
        assert_eq!(contract_types::birth_date_in(pnr), Some(date(born)));
    }
}

proptest::proptest! {
    /// Any text is a search or an error that tells no number, and so is anything made of what the grammar knows.
    #[test]
    fn any_text_is_a_search_or_a_located_error(
        text in proptest::prelude::prop_oneof![
            ".*",
            "q=([()+!&|:^~*?\"\\\\ \\[\\]{}%-]|AND|OR|NOT|TO|navn|foedselsdato|husnummer|6101801234|19800101|a){0,40}",
        ],
    ) {
        match crate::search::solr::Request::parse(&text, crate::ProtectedPersons::Tell) {
            Ok(request) => { request.search(cpr_replika::Scope::Now); }
            Err(error) => {
                let told = format!("{error} {error:?}");
                let digits = told.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
                proptest::prop_assert!(digits < Some(10), "an error that may repeat a number");
            }
        }
    }
}

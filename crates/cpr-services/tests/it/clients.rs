//! What real clients of SF1520 ask of an answer beyond its schema: found by running them, and held here without them.
//!
//! One reads into `aktuelAdresse`, `adressebeskyttelse`, `tilmeldtDigitalpost` and `relationer` without asking whether
//! they are there, one parses dates as `Y-m-dP` and moments as RFC 3339 with milliseconds and nothing else.
//! `.ci/clients` runs them.

use std::io::Cursor;

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::Pnr;
use cpr_replika::{ApplyOptions, Config, Replika, Snapshot};
use cpr_services::Caller;
use cpr_services::{NoRegister, Request, sf1520};
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::kit::{date, pnr, samples, test_extract, told};

/// What one client reads: the path of each element, and its text.
fn elements(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut found): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => return found,
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                found.push((path[1..].join("/"), String::new()));
            }
            Event::Empty(start) => {
                path.push(start.local_name().as_ref().to_owned());
                found.push((path[1..].join("/"), String::new()));
                path.pop();
            }
            Event::Text(text) => found.last_mut().expect("an element").1.push_str(text.as_ref()),
            Event::End(_) => {
                path.pop();
            }
            _ => {}
        }
    }
}

/// `+01:00`, and the like of old days.
fn is_offset(text: &str) -> bool {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.strip_prefix('+').and_then(|text| text.split_once(':'));
    parts.is_some_and(|(hours, minutes)| digits(hours) && digits(minutes))
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && cpr_replika::cpr_model::Date::parse(text).is_some()
}

/// True for the elements of the contract that hold a date.
fn is_dated(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    name == "dato"
        || name.ends_with("startdato")
        || name.ends_with("slutdato")
        || name.ends_with("sletdato")
        || name.ends_with("slettedato")
}

/// Holds the answers about a person to what the clients ask.
fn hold(snapshot: &Snapshot, request: &Request) {
    for version in [sf1520::Version::V4, sf1520::Version::V5] {
        let answer = sf1520::answer(snapshot, version, request, &NoRegister).expect("a read").found().expect("held");
        let found = elements(&answer.answer.to_xml(version).expect("XML"));
        let has = |path: &str| found.iter().any(|(at, _)| at == path);
        for always in [
            "persondata/adressebeskyttelse/beskyttet",
            "persondata/tilmeldtDigitalpost",
            "adresse/aktuelAdresse",
            "relationer/mor",
            "relationer/far",
        ] {
            assert!(has(always), "{always} is not there");
        }
        assert!(!has("persondata/statsborgerskab") || has("persondata/statsborgerskab/statsborgerskabDato/dato"));
        let leaf = |path: &str| !found.iter().any(|(at, _)| at.starts_with(&format!("{path}/")));
        for (path, text) in found.iter().filter(|(path, _)| is_dated(path) && leaf(path)) {
            let day = text.get(..10).is_some_and(is_day);
            let rest = text.get(10..).unwrap_or_default();
            let of_moment = |rest: &str| {
                let (time, offset) = rest.split_at_checked(13).unwrap_or_default();
                time.starts_with('T') && time.ends_with(":00.000") && is_offset(offset)
            };
            assert!(day && (is_offset(rest) || of_moment(rest)), "{path} is not in the form that clients read");
        }
    }
}

fn hold_everybody(replika: &Replika, ask: impl Fn(Pnr) -> Request<'static>) -> usize {
    let snapshot = replika.snapshot();
    snapshot.pnrs().expect("a read").map(|pnr| hold(&snapshot, &ask(pnr.expect("a read")))).count()
}

#[test]
fn everybody_is_answered_in_the_form_that_clients_read() {
    for family in ["std", "2022"] {
        let product = Product { family: Family::named(family).expect("a family"), task: "123401".to_owned() };
        let population = Population::new(3, 300);
        let extract = population.full_extract(Vec::new(), &product).expect("in memory");
        let replika = Replika::in_memory(&Config::default()).expect("a store");
        replika.load(Cursor::new(extract), &ApplyOptions::named("made up")).expect("a sound extract");
        assert!(
            hold_everybody(&replika, |pnr| Request::on(pnr, population.production_date(), Caller::unlogged())) >= 300
        );
    }
}

#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn everybody_of_the_samples_is_answered_in_the_form_that_clients_read() {
    let Some(samples) = samples("everybody_of_the_samples_is_answered_in_the_form_that_clients_read") else { return };
    assert_eq!(
        hold_everybody(&test_extract(&samples), |pnr| Request::on(pnr, date("2001-11-19"), Caller::unlogged())),
        80
    );
}

#[test]
fn what_clients_look_into_is_there_for_one_who_has_none_of_it() {
    const NOBODY: &str = "6101701111";
    let replika = told(&[&[(
        NOBODY,
        "001 STATUS=20, KOEN=M, FOED_DT=1970-07-01
        010 LANDEKOD=5100
        012 CIVST=U
        003 ADRNVN=Gorm Holm",
    )]]);
    let snapshot = replika.snapshot();
    let request = Request::on(pnr(NOBODY), date("2026-01-08"), Caller::unlogged());
    hold(&snapshot, &request);
    let version = sf1520::Version::V5;
    let answer = sf1520::answer(&snapshot, version, &request, &NoRegister).expect("a read").found().expect("held");
    let xml = answer.answer.to_xml(version).expect("XML");
    for element in [
        "<foedselsdato><dato>1970-07-01+01:00</dato></foedselsdato>",
        "<adressebeskyttelse><beskyttet>false</beskyttet></adressebeskyttelse>",
        "<adresse><aktuelAdresse/></adresse>",
        "<relationer><mor/><far/></relationer>",
    ] {
        assert!(xml.contains(element), "{element}");
    }
    assert!(!xml.contains("statsborgerskab"), "not without its date");
    assert!(!xml.contains("udrejseoplysninger"), "its presence is read as emigrated");
}

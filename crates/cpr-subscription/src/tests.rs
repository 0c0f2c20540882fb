//! Filters, matching against the definition, the scenarios of a subscription service, and thinned files.

mod filters;
mod matching;
mod scenarios;
mod thinning;

use cpr_model::{Date, PersonKey, Pnr};

use crate::{EventLabel, Filter};

fn key(digits: &str) -> PersonKey {
    Pnr::parse(digits.as_bytes()).unwrap().key().unwrap()
}

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn filter(text: &str) -> Filter {
    text.parse().unwrap()
}

/// Events written `A21` or `A21/ÆG`.
fn event(text: &str) -> EventLabel {
    let (code, mark) = text.split_once('/').unwrap_or((text, ""));
    let mark: Vec<u8> = mark.chars().map(|character| character as u8).collect();
    EventLabel {
        code: crate::EventCode::parse(code.as_bytes()).unwrap(),
        derived_mark: crate::DerivedMark::parse(&mark),
    }
}

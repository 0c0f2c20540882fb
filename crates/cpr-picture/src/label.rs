//! What stands in a rectangle: a code that names nobody, or with `reveal` what the row says.

use cpr_model::{Fact, RelatedPnr, Text};

/// The label of a fact.
pub(crate) fn label(fact: &Fact<'_>, reveal: bool) -> String {
    if reveal && let Some(text) = revealed(fact) {
        return text;
    }
    if let Some(row) = fact.address() {
        return row.municipality_code().map_or(String::new(), |code| code.to_string());
    }
    if let Some(row) = fact.person() {
        return row.status().map_or(String::new(), |status| format!("status {status}"));
    }
    if let Some(row) = fact.civil_status() {
        return row.civil_status().reveal().into_owned();
    }
    if let Some(row) = fact.citizenship() {
        return row.country_code().map_or(String::new(), |code| code.to_string());
    }
    if let Some(row) = fact.protection() {
        return row.kind().map_or(String::new(), |kind| format!("type {}", kind.0));
    }
    if let Some(row) = fact.church() {
        return row.membership().reveal().into_owned();
    }
    String::new()
}

/// What a row says of names, numbers and addresses.
fn revealed(fact: &Fact<'_>) -> Option<String> {
    if let Some(row) = fact.address() {
        let municipality = row.municipality_code().map_or(String::new(), |code| code.to_string());
        let street = row.street_code().map_or(String::new(), |code| code.to_string());
        return Some(joined(&[&municipality, &street, &text(row.house_number()), &text(row.floor())]));
    }
    if let Some(row) = fact.name() {
        return Some(joined(&[&text(row.given_names()), &text(row.middle_names()), &text(row.surname())]));
    }
    if let Some(row) = fact.formatted_address() {
        return Some(joined(&[&text(row.addressing_name()), &text(row.standard_address())]));
    }
    if let Some(row) = fact.child() {
        return Some(number(row.child_pnr()));
    }
    if let Some(row) = fact.former_number() {
        return Some(number(row.former_pnr()));
    }
    if let Some(row) = fact.civil_status() {
        return Some(joined(&[&text(row.civil_status()), &number(row.spouse_pnr())]));
    }
    None
}

fn text(of: Text<'_>) -> String {
    of.reveal().into_owned()
}

fn number(related: Option<RelatedPnr>) -> String {
    match related {
        Some(RelatedPnr::Known(pnr)) => pnr.reveal().to_owned(),
        Some(RelatedPnr::Unknown) | None => String::new(),
    }
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

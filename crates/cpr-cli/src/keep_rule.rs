//! Who is kept, as it is said on a command line: for `keep`, and for the new stores of `load` and `apply`.

use std::fmt::Write;

use cpr_replika::Keep;
use cpr_replika::cpr_subscription::Filter;

use crate::failure::Failure;
use crate::values::Hidden;

/// Days of grace when none are named.
const GRACE_DAYS: u16 = 30;

/// Nobody beside those whom subscribers follow.
const FOLLOWED: &str = "followed";

/// The rule that these words say.
pub(crate) fn read(whom: &[Hidden], families: bool, grace: Option<u16>) -> Result<Keep, Failure> {
    let mut filters: Vec<Filter> = Vec::new();
    for text in whom.iter().map(Hidden::reveal).filter(|text| *text != FOLLOWED) {
        filters.push(text.parse().map_err(|error| Failure::Filter(error, None))?);
    }
    filters.sort_unstable();
    filters.dedup();
    Ok(Keep { filters, families, grace_days: grace.unwrap_or(GRACE_DAYS) })
}

/// The rule as a sentence, without numbers and addresses.
pub(crate) fn describe(keep: &Keep) -> String {
    let mut text = String::new();
    let identifies = |filter: &&Filter| matches!(filter, Filter::Pnr(_) | Filter::Address(_));
    let telling = keep.filters.iter().filter(|filter| !identifies(filter) && !names_a_person(filter));
    for filter in telling {
        write!(text, "{}, ", filter.reveal()).expect("text takes what is written");
    }
    let others = keep.filters.iter().filter(|filter| identifies(filter) || names_a_person(filter)).count();
    if others > 0 {
        write!(text, "{others} numbers or addresses, ").expect("text takes what is written");
    }
    text += "whom subscribers follow";
    if keep.families {
        text += ", their families";
    }
    write!(text, "; {} days of grace", keep.grace_days).expect("text takes what is written");
    text
}

fn names_a_person(filter: &Filter) -> bool {
    match filter {
        Filter::AllOf(all) => all.members().iter().any(|member| matches!(member, Filter::Pnr(_) | Filter::Address(_))),
        _ => false,
    }
}

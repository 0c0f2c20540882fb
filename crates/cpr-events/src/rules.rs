//! How records that say why (099) and rows that changed are joined: a table, most telling first. docs/events.md tells
//! it.
//!
//! A rule names a kind, the predicate that must be seen in the rows, the aspects that it explains, and the codes that
//! can be its cause. What it explains is no predicate for the rules after it that ask. The meaning of codes is what
//! CPR's own test extract shows and users have published; a wrong guess does no harm where its predicate is not seen.

use cpr_model::{Aspect, DerivedMark, Field, Status};

use crate::aspect_set::AspectSet;
use crate::cause::Cause;
use crate::kind::EventKind;
use crate::person_change::{PersonChange, State};

/// Whose records can be the cause.
#[derive(Clone, Copy)]
pub(crate) enum Marks {
    /// The person's own, and derived ones.
    Any,
    /// The person's own only.
    Own,
    /// Derived ones only.
    Derived,
    /// The person's own, and those between the numbers of one person (`PN`, `PT`).
    OwnNumbers,
    /// Derived from a relative's: others than `PN` and `PT`.
    Relatives,
}

/// One row of the table.
pub(crate) struct Rule {
    pub(crate) kind: EventKind,
    /// What must be seen. Of a person who was not held before, what does not speak against it.
    pub(crate) predicate: fn(&PersonChange<'_>) -> bool,
    /// What it explains, the aspect that dates it first.
    pub(crate) aspects: &'static [Aspect],
    pub(crate) codes: &'static [&'static str],
    pub(crate) marks: Marks,
    /// The predicate is enough: without a record of its codes it is an event without a cause.
    pub(crate) needs_no_code: bool,
    /// What it tells of is explained by it. Otherwise other rules still see it.
    pub(crate) consumes: bool,
}

impl Rule {
    pub(crate) fn aspects(&self) -> AspectSet {
        AspectSet::of(self.aspects)
    }

    /// True when the record can be a cause.
    pub(crate) fn knows(&self, cause: &Cause) -> bool {
        let between_numbers = || {
            let is = |mark: &[u8]| cause.derived_mark == DerivedMark::parse(mark);
            is(b"PN") || is(b"PT")
        };
        let fits = match self.marks {
            Marks::Any => true,
            Marks::Own => cause.derived_mark.is_none(),
            Marks::Derived => cause.derived_mark.is_some(),
            Marks::OwnNumbers => cause.derived_mark.is_none() || between_numbers(),
            Marks::Relatives => cause.derived_mark.is_some() && !between_numbers(),
        };
        fits && cause.is_one_of(self.codes)
    }
}

const fn rule(
    kind: EventKind,
    codes: &'static [&'static str],
    predicate: fn(&PersonChange<'_>) -> bool,
    aspects: &'static [Aspect],
) -> Rule {
    Rule { kind, predicate, aspects, codes, marks: Marks::Any, needs_no_code: true, consumes: true }
}

/// A code that names an aspect and no kind.
const fn other(
    codes: &'static [&'static str],
    predicate: fn(&PersonChange<'_>) -> bool,
    aspects: &'static [Aspect],
) -> Rule {
    Rule { kind: EventKind::Other, predicate, aspects, codes, marks: Marks::Any, needs_no_code: false, consumes: true }
}

use Aspect as A;
use EventKind as K;

/// Codes that say why the person was sent, not that anything happened: a subscription, a requisition.
pub(crate) const ONLY_DELIVER: &[&str] = &["A45", "A74", "K74"];
const NUMBER_CODES: &[&str] = &["P02", "P03", "P42", "P43", "A40"];
const ADDRESS_CODES: &[&str] = &["A09", "A10"];
const PARENT_CODES: &[&str] = &["A35", "A36", "A37", "A38", "A51"];
const CIVIL: &[Aspect] = &[A::CivilStatus];
const RELATIONS: &[Aspect] = &[A::CivilStatus, A::Child, A::Parents, A::Custody, A::Guardianship];
const RESIDENCE: &[Aspect] = &[A::Address, A::FormattedAddress];
const NAME: &[Aspect] = &[A::Name, A::FormattedAddress];

/// Every rule, in order.
pub(crate) const RULES: &[Rule] = &[
    Rule { consumes: false, ..rule(K::Created, ONLY_DELIVER, |change| !change.held_before && !change.is_first, &[]) },
    Rule {
        marks: Marks::OwnNumbers,
        ..rule(
            K::NumberChanged,
            NUMBER_CODES,
            |change| !change.held_before || change.before.numbers != change.after.numbers,
            &[A::Person, A::FormerNumber],
        )
    },
    Rule {
        marks: Marks::Relatives,
        needs_no_code: false,
        ..rule(
            K::NumberChanged,
            NUMBER_CODES,
            |change| RELATIONS.iter().any(|&aspect| change.is_open(aspect) && change.only_numbers_differ(aspect)),
            RELATIONS,
        )
    },
    Rule {
        marks: Marks::Own,
        ..rule(
            K::Died,
            &["A21"],
            |change| change.after.has_status(90) && !change.before.has_status(90),
            &[
                A::Person,
                A::CivilStatus,
                A::Separation,
                A::Address,
                A::FormattedAddress,
                A::Emigration,
                A::Disappearance,
            ],
        )
    },
    rule(
        K::DeathUndone,
        &["A25"],
        |change| change.before.has_status(90) && change.after.status.is_some_and(|status| status != Status(90)),
        &[A::Person, A::CivilStatus, A::Separation, A::Address, A::FormattedAddress, A::Emigration, A::Disappearance],
    ),
    rule(
        K::Emigrated,
        &["A06"],
        |change| change.after.has_status(80) && !change.before.has_status(80) && stands(change, A::Address, &["A06"]),
        &[A::Emigration, A::Address, A::FormattedAddress, A::Disappearance, A::Person],
    ),
    rule(
        K::Disappeared,
        &["A02"],
        |change| change.after.has_status(70) && !change.before.has_status(70) && stands(change, A::Address, &["A02"]),
        &[A::Disappearance, A::Address, A::FormattedAddress, A::Emigration, A::Person],
    ),
    rule(
        K::Found,
        &["A03"],
        |change| {
            let was_gone = change.before.has_status(70) || !change.held_before;
            change.after.is_active() && was_gone && stands(change, A::Disappearance, &["A03"])
        },
        &[A::Address, A::FormattedAddress, A::Disappearance, A::Person],
    ),
    rule(
        K::Immigrated,
        &["A04", "P31"],
        |change| {
            let was_elsewhere = change.before.has_status(80) || change.before.has_status(20) || !change.held_before;
            change.after.is_active() && was_elsewhere && stands(change, A::Emigration, &["A04", "P31"])
        },
        &[A::Address, A::FormattedAddress, A::Emigration, A::Person],
    ),
    // A move is seen from both municipalities, so the next rule must still see it.
    Rule { consumes: false, ..rule(K::MovedOut, &["A01"], |change| moved(change) == Some(Move::Between), RESIDENCE) },
    rule(K::MovedWithin, &["A01"], |change| moved(change) == Some(Move::Within), RESIDENCE),
    rule(K::MovedIn, &["A01"], |change| matches!(moved(change), Some(Move::Between | Move::In)), RESIDENCE),
    // A new address may be corrected on the day on which it is told.
    rule(
        K::AddressCorrected,
        ADDRESS_CODES,
        corrects_address,
        &[A::Address, A::FormattedAddress, A::Emigration, A::Disappearance, A::Person],
    ),
    rule(K::Married, &["A19"], |change| becomes(change, b"G"), CIVIL),
    rule(K::PartnershipEntered, &["A23"], |change| becomes(change, b"P"), CIVIL),
    rule(K::Divorced, &["A20"], |change| becomes(change, b"F"), &[A::CivilStatus, A::Separation]),
    rule(K::PartnershipDissolved, &["A20"], |change| becomes(change, b"O"), &[A::CivilStatus, A::Separation]),
    Rule { marks: Marks::Derived, ..rule(K::Widowed, &["A21"], |change| becomes(change, b"EL"), CIVIL) },
    rule(K::CivilStatusChanged, &["A19", "A20", "A21", "A23", "A24", "A25"], civil_status_differs, CIVIL),
    Rule {
        marks: Marks::Own,
        needs_no_code: false,
        ..rule(
            K::ChildBorn,
            PARENT_CODES,
            |change| !change.held_before && change.is_newborn(change.birth_date) && change.after.has_parent(),
            &[A::Parents, A::Person],
        )
    },
    Rule { marks: Marks::Derived, ..rule(K::ChildBorn, PARENT_CODES, |change| child_came(change, true), &[A::Child]) },
    Rule {
        marks: Marks::Derived,
        ..rule(K::ChildRecorded, PARENT_CODES, |change| child_came(change, false), &[A::Child])
    },
    Rule { marks: Marks::Derived, ..rule(K::ChildRemoved, PARENT_CODES, child_went, &[A::Child]) },
    Rule {
        marks: Marks::Own,
        ..rule(
            K::ParentRecorded,
            PARENT_CODES,
            |change| change.is_open(A::Parents) && other_parents(change),
            &[A::Parents],
        )
    },
    // In the full-table product parents stand in the person's own row.
    Rule {
        marks: Marks::Own,
        ..rule(
            K::ParentRecorded,
            PARENT_CODES,
            |change| !change.changed.has(A::Parents) && change.is_open(A::Person) && other_parents(change),
            &[A::Person],
        )
    },
    rule(K::CustodyChanged, &["P11"], |change| change.is_open(A::Custody), &[A::Custody]),
    rule(K::Protected, &["A33"], protection_came, &[A::Protection]),
    rule(K::Unprotected, &["A33", "P11"], protection_went, &[A::Protection]),
    rule(
        K::NameGiven,
        &["A14"],
        |change| change.changed.has(A::Name) && change.after.is_named() && !change.before.is_named(),
        NAME,
    ),
    rule(
        K::NameCorrected,
        &["A16", "A17"],
        |change| change.changed.has(A::Name) && (change.is_corrected(A::Name) || change.has_code(&["A16", "A17"])),
        NAME,
    ),
    rule(
        K::NameChanged,
        &["A13", "A15", "P58"],
        |change| {
            let given = change.held_before && !change.before.is_named();
            let told = change.is_fresh(A::Name) || change.has_code(&["A13", "A15", "P58"]);
            change.changed.has(A::Name) && change.after.is_named() && !given && told
        },
        NAME,
    ),
    other(&["A07", "A42"], |change| change.is_open(A::Address), RESIDENCE),
    other(&["P10"], |change| change.is_open(A::FormattedAddress) || change.is_open(A::Address), RESIDENCE),
    other(
        &["A08"],
        |change| change.is_open(A::Emigration) || change.is_open(A::Election),
        &[A::Emigration, A::Election],
    ),
    // Church and occupation.
    other(&["A34"], |change| change.is_open(A::Church) || change.is_open(A::Person), &[A::Church, A::Person]),
    other(&["P56"], |change| change.is_open(A::Church), &[A::Church]),
    other(
        &["P11"],
        |change| change.is_open(A::ContactAddress) || change.is_open(A::Note),
        &[A::ContactAddress, A::Note],
    ),
    other(&["A47"], |change| change.is_open(A::ContactAddress), &[A::ContactAddress]),
    other(&["A73"], |change| change.is_open(A::Guardianship), &[A::Guardianship]),
    other(&["P48", "P49"], |change| change.is_open(A::Separation), &[A::Separation]),
];

#[derive(Eq, PartialEq)]
enum Move {
    Within,
    Between,
    In,
}

/// True unless what the line of residence seems to say is that a row of this aspect was wrong: an annulled emigration
/// is no immigration. A record of the codes says otherwise.
fn stands(change: &PersonChange<'_>, aspect: Aspect, codes: &[&str]) -> bool {
    change.has_code(codes) || !change.is_corrected(aspect) && !change.has_code(&["A10"])
}

/// An address that a record says was corrected, or a row of the line of residence that CPR marked as wrong or never
/// true and that nothing else explains: who comes to the country has an administrative address annulled.
fn corrects_address(change: &PersonChange<'_>) -> bool {
    let mut lines = [A::Address, A::Emigration, A::Disappearance].into_iter();
    let is_told = change.has_code(ADDRESS_CODES);
    lines.any(|line| is_told && change.changed.has(line) || change.is_open(line) && change.is_corrected(line))
}

/// A new address that nothing else explains, a correction only where a record says that it is a move too. Of a person
/// who was not held before, the address says itself whether the municipality was new.
fn moved(change: &PersonChange<'_>) -> Option<Move> {
    if !change.is_open(A::Address) || !change.is_fresh(A::Address) {
        return None;
    }
    if corrects_address(change) && !change.has_code(&["A01"]) {
        return None;
    }
    let (address, municipality) = (change.after.address()?, change.after.municipality()?);
    if !change.held_before {
        let since = |time: Option<cpr_model::Uncertain<cpr_model::Timestamp>>| time.map(|time| time.value);
        let (in_municipality, here) = (since(address.moved_to_municipality()), since(address.moved_in()));
        let stayed = in_municipality.is_some_and(|since| here.is_some_and(|here| since < here));
        return Some(if stayed { Move::Within } else { Move::In });
    }
    Some(match (change.before.municipality(), municipality) {
        (None, _) => Move::In,
        (Some(before), after) if before == after => Move::Within,
        _ => Move::Between,
    })
}

/// A new civil status of these letters, neither corrected nor standing again.
fn becomes(change: &PersonChange<'_>, letters: &[u8]) -> bool {
    let is = |letter: Option<u8>| letter.is_some_and(|letter| letters.contains(&letter));
    change.is_open(A::CivilStatus) && change.is_fresh(A::CivilStatus) && is(change.after.civil_letter())
}

/// Another status, spouse or date; not only another name of the spouse.
fn civil_status_differs(change: &PersonChange<'_>) -> bool {
    let told = |state: &State<'_>| {
        let row = state.civil_status().map(|row| (row.values().pnr(Field::SpousePnr), row.valid().from));
        (state.civil_letter(), row)
    };
    change.is_open(A::CivilStatus)
        && (told(&change.before) != told(&change.after) || change.is_corrected(A::CivilStatus))
}

/// A child came, born within the year or not. Of a parent not held before, the youngest is the one.
fn child_came(change: &PersonChange<'_>, newborn: bool) -> bool {
    let (came, _) = change.children();
    let births: Vec<_> = came.iter().filter_map(|child| change.birth_of(*child)).collect();
    let is_new = |birth: &cpr_model::Date| change.is_newborn(*birth);
    let removed = change.causes.iter().any(was_parent);
    match (change.held_before, newborn) {
        _ if !change.is_open(A::Child) && newborn || came.is_empty() => false,
        (true, true) => births.iter().any(is_new),
        (true, false) => {
            change.changed.has(A::Child) && births.iter().any(|birth| !is_new(birth)) && !renumbered(change)
        }
        (false, true) => births.iter().max().is_some_and(is_new) && !removed,
        (false, false) => change.is_open(A::Child) && !removed,
    }
}

fn child_went(change: &PersonChange<'_>) -> bool {
    if !change.held_before {
        return change.causes.iter().any(was_parent);
    }
    let (_, went) = change.children();
    !went.is_empty() && !renumbered(change)
}

/// `TM`, `TF`: mother or father until now.
fn was_parent(cause: &Cause) -> bool {
    let is = |mark: &[u8]| cause.derived_mark == DerivedMark::parse(mark);
    is(b"TM") || is(b"TF")
}

/// True when another number of a relative explains the relations.
fn renumbered(change: &PersonChange<'_>) -> bool {
    change.consumed.has(A::Child) && change.causes.iter().any(|cause| cause.is_one_of(NUMBER_CODES))
}

/// Another mother or father, or since another day; not only another name of theirs.
fn other_parents(change: &PersonChange<'_>) -> bool {
    change.after.parents != change.before.parents
}

/// A row that was not there: of another kind, or of the same one with other dates.
fn protection_came(change: &PersonChange<'_>) -> bool {
    let mut came = change.changes.iter().filter_map(|side| side.after);
    change.changed.without(change.renumbering).has(A::Protection)
        && came.any(|fact| fact.aspect() == A::Protection && !fact.is_historic())
}

fn protection_went(change: &PersonChange<'_>) -> bool {
    let (before, after) = (&change.before.protections, &change.after.protections);
    if !change.held_before {
        return after.is_empty();
    }
    change.changed.without(change.renumbering).has(A::Protection) && before.iter().any(|kind| !after.contains(kind))
}

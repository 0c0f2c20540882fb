//! Whom a fact names: another number of the same human being, or one of its family.

use cpr_model::{Aspect, Fact, Field, PersonKey, RelatedPnr, Value};

/// The other number of the same person that a fact names: PNRGAELD of 001, or 022.
pub(crate) fn mentioned(fact: &Fact<'_>) -> Option<PersonKey> {
    let field = match fact.aspect() {
        Aspect::Person => Field::CurrentPnr,
        Aspect::FormerNumber => Field::FormerPnr,
        _ => return None,
    };
    match fact.values().pnr(field) {
        Some(RelatedPnr::Known(pnr)) => pnr.key(),
        _ => None,
    }
}

/// Whom of the family a fact names: parents, children, the spouse, and who has or shares custody.
pub(crate) fn relatives<'a>(fact: &Fact<'a>) -> impl Iterator<Item = PersonKey> + use<'a> {
    let is_of_family = match fact.aspect() {
        Aspect::Parents | Aspect::Child | Aspect::CivilStatus | Aspect::Custody => true,
        // Where the product tells of parents on the person's own record.
        Aspect::Person => true,
        Aspect::MotherAddress | Aspect::FatherAddress | Aspect::ChildAddress => true,
        _ => false,
    };
    fact.values().iter().filter_map(move |(field, value)| match value {
        Value::Pnr(RelatedPnr::Known(pnr)) if is_of_family && field != Field::CurrentPnr => pnr.key(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use bitemporal::Known;
    use cpr_model::{RowKind, Values, ValuesWriter};

    use super::*;

    const OTHER: u64 = 6_101_801_234;

    fn names(aspect: Aspect, field: Field, number: u64) -> [bool; 2] {
        let mut packed = Vec::new();
        ValuesWriter(&mut packed).digits(field, number);
        let known = Known { from: 1, to: None };
        let fact = Fact::new(1, RowKind::new(aspect, false), known, Values::new(&packed)).expect("an aspect");
        let other = cpr_model::Pnr::parse(OTHER.to_string().as_bytes()).and_then(|pnr| pnr.key()).expect("a key");
        [mentioned(&fact) == Some(other), relatives(&fact).eq([other])]
    }

    #[test]
    fn a_row_names_another_number_of_the_same_person_or_one_of_the_family_or_neither() {
        let (same, family, neither) = ([true, false], [false, true], [false, false]);
        for (aspect, field, expected) in [
            (Aspect::Person, Field::CurrentPnr, same),
            (Aspect::FormerNumber, Field::FormerPnr, same),
            (Aspect::Person, Field::MotherPnr, family),
            (Aspect::Parents, Field::FatherPnr, family),
            (Aspect::Child, Field::ChildPnr, family),
            (Aspect::ChildAddress, Field::ChildPnr, family),
            (Aspect::MotherAddress, Field::MotherPnr, family),
            (Aspect::FatherAddress, Field::FatherPnr, family),
            (Aspect::CivilStatus, Field::SpousePnr, family),
            (Aspect::Custody, Field::RelatedPnr, family),
            // A guardian need not be of the family.
            (Aspect::Guardianship, Field::RelatedPnr, neither),
        ] {
            assert_eq!(names(aspect, field, OTHER), expected, "{field:?} of {aspect:?}");
            assert_eq!(names(aspect, field, 0), neither, "nobody is named");
        }
    }
}

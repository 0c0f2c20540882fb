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

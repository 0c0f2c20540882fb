//! Which other number of the same human being a fact names.

use cpr_model::{Aspect, Fact, Field, PersonKey, RelatedPnr};

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

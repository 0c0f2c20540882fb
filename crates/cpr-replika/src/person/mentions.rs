//! Which other number of the same human being a fact names.

use cpr_model::stored::v2;
use cpr_model::{Aspect, Field, PersonKey, RelatedPnr, Values};

/// The other number of the same person that a fact names: PNRGAELD of 001, or 022.
pub(crate) fn mentioned(shape: u8, values: Values<'_>) -> Option<PersonKey> {
    let field = match v2::aspect(shape) {
        Some((Aspect::Person, _)) => Field::CurrentPnr,
        Some((Aspect::FormerNumber, _)) => Field::FormerPnr,
        _ => return None,
    };
    match values.pnr(field) {
        Some(RelatedPnr::Known(pnr)) => pnr.key(),
        _ => None,
    }
}

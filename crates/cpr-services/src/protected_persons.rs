//! What a host has answers say of persons whose name and address are protected (BESKYTTYPE 1).
//!
//! The national services tell, with a flag beside it, and so does this crate unless the host says otherwise. Protection
//! is that of the human being: under any number, as of any moment and delivery, as long as a record of it stands now or
//! stood then. A store that does not hold protections can say of nobody that they are unprotected.

use cpr_replika::cpr_model::Aspect;

/// What answers say of persons whose name and address are protected.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ProtectedPersons {
    /// Everything, with the protection beside it, as the national services do.
    #[default]
    Tell,
    /// Everything but where they live, lived or can be reached. A search by an address finds none of them and counts
    /// none.
    Withhold,
    /// Nothing: a question about one of them is [`Error::Protected`](crate::Error::Protected). As relatives and in
    /// searches they are as withheld.
    Refuse,
}

/// What tells where somebody is, or may: notes are free text.
pub(crate) const PLACES: [Aspect; 6] = [
    Aspect::Address,
    Aspect::FormattedAddress,
    Aspect::Emigration,
    Aspect::ContactAddress,
    Aspect::MunicipalCondition,
    Aspect::Note,
];

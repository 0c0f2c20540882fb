//! The words by which the service says what became of a filter.

use cpr_subscription::FilterKind;

/// What became of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was not there, and is.
    Added,
    /// It was there already.
    AlreadyExisted,
    /// It was there, and is not; or all of a kind are gone, however many there were.
    Removed,
    /// It was not there to be removed.
    NotThere,
    /// The replica does not know the number, and the host follows only those that it knows.
    UnknownNumber,
}

impl Outcome {
    /// The word. Four are the service's; those for a filter of another kind than a number that is not there are ours,
    /// made after `NON_EXISTING_PNR`.
    pub fn word(self, kind: FilterKind) -> &'static str {
        match self {
            Outcome::Added => "ADDED",
            Outcome::AlreadyExisted => "ALREADY_EXISTED",
            Outcome::Removed => "REMOVED",
            Outcome::UnknownNumber => "NON_EXISTING_PNR",
            Outcome::NotThere => match kind {
                FilterKind::Pnr => "NON_EXISTING_PNR",
                FilterKind::AgeRange => "NON_EXISTING_AGE_RANGE",
                FilterKind::Municipality => "NON_EXISTING_MUNICIPALITY_CODE",
                FilterKind::EventChangeCode => "NON_EXISTING_CHANGE_CODE",
                FilterKind::Everything | FilterKind::Address | FilterKind::AllOf => "NON_EXISTING_NO_FILTER",
            },
        }
    }
}

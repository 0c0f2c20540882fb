//! Why something is no filter: what was expected, never which number or address was given.

use super::kind::FilterKind;

/// Why a text or bytes are no filter. Says what was expected, never which number or address was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// The text has the form of no kind.
    #[error("not a filter: none of PNR, 0-17, 0851, A21, 0851:8512, everything, or several joined by +")]
    NoKind,
    /// Not ten digits, a day or month that no number has, or 0000000000, which is nobody's.
    #[error("not a personnummer")]
    NotAPnr,
    /// Not two ages with a hyphen between.
    #[error("not an age range: two ages of at most three digits with a hyphen between")]
    NotAnAgeRange,
    /// The ages are in the wrong order, or above 999.
    #[error("an impossible age range: from {from} to {to}")]
    ImpossibleAgeRange {
        /// The first age.
        from: u16,
        /// The second age.
        to: u16,
    },
    /// Not one to four digits, or all zeros.
    #[error("not a municipality code: four digits, not all zeros")]
    NotAMunicipality,
    /// No characters, or others than letters and digits.
    #[error("not a change code: one to three letters or digits")]
    NotACode,
    /// More than three characters.
    #[error("a change code has at most three characters, not {characters}")]
    CodeTooLong {
        /// How many were given.
        characters: usize,
    },
    /// CPR does not use the code, so that the filter would never match; see [`crate::ChangeCodes`].
    #[error("not a change code that CPR uses")]
    CodeNotInUse,
    /// A part of an address does not fit.
    #[error("not an address: the {part} does not fit")]
    NotAnAddress {
        /// Which part.
        part: &'static str,
    },
    /// The text of *everything* is that word, and nothing else means it.
    #[error("the filter of everybody is written `everything`")]
    NotEverything,
    /// Fewer than two, or more than eight.
    #[error("all-of joins 2 to 8 filters, not {found}")]
    MemberCount {
        /// How many were given.
        found: usize,
    },
    /// *Everything* or *all of* inside *all of*.
    #[error("a filter of kind {} cannot be part of all-of", kind.name())]
    MemberKind {
        /// The kind that cannot.
        kind: FilterKind,
    },
    /// The same filter twice in one *all of*.
    #[error("the same filter stands twice in one all-of")]
    RepeatedMember,
    /// Bytes that no filter has.
    #[error("bytes that are not a stored filter")]
    Stored,
}

//! Why a search is refused before it is run, and what would have to be asked.

use std::fmt;

/// A kind of query that a policy can require a part to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Needed {
    /// A word of a name.
    Name,
    /// A birth date, or a range of them.
    BirthDate,
    /// Persons by number.
    Persons,
    /// A word of a street's name.
    StreetName,
    /// A street code.
    StreetCode,
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Needed::Name => "name",
            Needed::BirthDate => "birth date",
            Needed::Persons => "personnummer",
            Needed::StreetName => "street name",
            Needed::StreetCode => "street code",
        })
    }
}

/// Why a search is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// None of the criteria that the policy requires is there, or not in each alternative.
    #[error("one of these must be asked for, in each alternative: {}", .any_of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    TooLittleAsked {
        /// What would do.
        any_of: Vec<Needed>,
    },
    /// More persons would have to be read to tell whether they are meant.
    #[error("more than {limit} persons would have to be read: ask for more that is indexed (docs/search.md)")]
    TooManyDocuments {
        /// The policy's limit.
        limit: u64,
    },
    /// More persons are wanted on one page than one may have.
    #[error("more than {limit} persons are asked for at once: ask page by page")]
    PageTooLarge {
        /// The policy's limit.
        limit: usize,
    },
    /// The record type that would answer is not among those that the customer has chosen, or the product does not have
    /// it: *not held* is not *nobody*.
    #[error("the store does not hold {}: its record type is not chosen, or not part of the product", .aspect.name())]
    NotHeld {
        /// What is asked for.
        aspect: cpr_model::Aspect,
    },
    /// More words would have to be looked at.
    #[error("more than {limit} rows of words would have to be read: begin the word with more letters")]
    TooManyRows {
        /// The policy's limit.
        limit: u64,
    },
}

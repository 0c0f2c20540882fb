//! What a search may cost, and what it must say: the caller's to choose.

use crate::refusal::Needed;

/// What a search may cost, and what it must say.
#[derive(Clone, Debug)]
pub struct Policy {
    /// At least one of these must be a part of what everybody found has; empty: nothing is required.
    pub require_any: Vec<Needed>,
    /// Documents that may be read.
    pub documents: u64,
    /// Rows of words and street names that may be read.
    pub rows: u64,
    /// Persons that a page may have ([`crate::Search::limit`]).
    pub page: usize,
}

impl Policy {
    /// Nothing required; 100 000 documents (some tenths of a second), a million rows, 100 000 persons on a page.
    pub fn open() -> Policy {
        Policy { require_any: Vec::new(), documents: 100_000, rows: 1_000_000, page: 100_000 }
    }

    /// What SF1520 requires: one of name, birth date, personnummer, street name, street code. Costs as in
    /// [`Policy::open`].
    pub fn sf1520() -> Policy {
        use Needed::{BirthDate, Name, Persons, StreetCode, StreetName};
        Policy { require_any: vec![Name, BirthDate, Persons, StreetName, StreetCode], ..Policy::open() }
    }
}

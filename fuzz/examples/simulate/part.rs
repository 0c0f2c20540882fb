//! What one part of a folder answers: numbers made of all that was said, so that two states can be held against each
//! other fast.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// An answer, or the word of the error that it was refused with.
pub type Answer = Result<u64, &'static str>;

/// One part of a folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    Nothing,
    Is(Vec<Answer>),
    /// Not opened.
    Refused(&'static str),
}

/// What was said, as a number.
pub fn number(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

//! Who subscribes, and what a change of a subscription answers.

use std::fmt;
use std::str::FromStr;

/// The name of a subscriber: 1 to 64 of `A-Z a-z 0-9 . _ -`, the first not a dot. It may name a folder as it stands.
///
/// What it means is the service's: at SF6002 it is the calling it-system (`UserSystemUUID`), never a municipality.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubscriberName(String);

/// Why a text is no name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// No characters, or more than 64.
    #[error("the name of a subscriber has 1 to 64 characters, not {bytes} bytes")]
    Length {
        /// Bytes found.
        bytes: usize,
    },
    /// A character that is not among `A-Z a-z 0-9 . _ -`.
    #[error("byte {at} of the name of a subscriber is none of A-Z a-z 0-9 . _ -")]
    Character {
        /// Where it stands, in bytes from 1.
        at: usize,
    },
    /// It would be a hidden folder, or one above.
    #[error("the name of a subscriber begins with a dot")]
    LeadingDot,
}

impl SubscriberName {
    /// Bytes that a name has at most.
    pub const MOST_BYTES: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubscriberName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<SubscriberName, NameError> {
        if !(1..=SubscriberName::MOST_BYTES).contains(&text.len()) {
            return Err(NameError::Length { bytes: text.len() });
        }
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if let Some(at) = text.bytes().position(|byte| !is_safe(byte)) {
            return Err(NameError::Character { at: at + 1 });
        }
        if text.starts_with('.') {
            return Err(NameError::LeadingDot);
        }
        Ok(SubscriberName(text.to_owned()))
    }
}

impl fmt::Display for SubscriberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A subscriber while matching: four bytes that stand for its name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubscriberNumber(pub u32);

/// What became of adding or removing one filter. Both can be repeated; the answer says which of the two happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FilterAnswer {
    /// The filter is new.
    Added,
    /// The subscriber had the filter.
    AlreadyExisted,
    /// The filter is gone.
    Removed,
    /// The subscriber had no such filter.
    NotFound,
    /// A number that the replica does not hold, and the caller asked to refuse those.
    UnknownNumber,
}

impl FilterAnswer {
    /// A stable word for programs: `added`, `already_existed`, `removed`, `not_found`, `unknown_number`.
    pub fn name(self) -> &'static str {
        match self {
            FilterAnswer::Added => "added",
            FilterAnswer::AlreadyExisted => "already_existed",
            FilterAnswer::Removed => "removed",
            FilterAnswer::NotFound => "not_found",
            FilterAnswer::UnknownNumber => "unknown_number",
        }
    }
}

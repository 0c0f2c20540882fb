//! The number of a record type, as files and JSON write it.

use std::fmt;

/// The number of a record type (RECORDTYPE). Prints three digits, as a file writes it.
///
/// ```
/// assert_eq!(cpr_extract::RecordNumber(12).to_string(), "012");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordNumber(pub u16);

impl fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

//! What a person's events of the day (record 099) say: a code, and for whom of the family it happened.

use std::fmt;

use cpr_model::DerivedMark;

use super::error::FilterError;

/// Hændelseskode (HAENDELSE): one to three letters or digits, `A01`. Which codes there are is CPR's to say, and grows.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventCode([u8; 3]);

impl EventCode {
    /// Reads a code, blanks around it and small letters allowed.
    ///
    /// # Errors
    /// [`FilterError::CodeTooLong`] for more than three characters, [`FilterError::NotACode`] for others than letters
    /// and digits, or none.
    pub fn parse(latin1: &[u8]) -> Result<EventCode, FilterError> {
        let code = latin1.trim_ascii();
        if code.is_empty() || !code.iter().all(u8::is_ascii_alphanumeric) {
            return Err(FilterError::NotACode);
        }
        if code.len() > 3 {
            return Err(FilterError::CodeTooLong { characters: code.len() });
        }
        let mut bytes = [0; 3];
        bytes[..code.len()].copy_from_slice(code);
        bytes.make_ascii_uppercase();
        Ok(EventCode(bytes))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        str::from_utf8(&self.0[..length]).expect("letters and digits, checked by `parse`")
    }

    pub(crate) fn bytes(self) -> [u8; 3] {
        self.0
    }

    /// The code in bytes that `bytes` gave.
    pub(crate) fn from_bytes(bytes: [u8; 3]) -> Option<EventCode> {
        let length = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        EventCode::parse(&bytes[..length]).ok().filter(|code| code.0 == bytes)
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventCode({self})")
    }
}

/// One event of a person on the day of the delivery.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EventLabel {
    /// What happened.
    pub code: EventCode,
    /// To whom, when not to the person.
    pub derived_mark: Option<DerivedMark>,
}

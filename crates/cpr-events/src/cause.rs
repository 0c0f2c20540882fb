//! Why something happened, as far as CPR says: one event record (099, 900) of the person.

use std::fmt;

use cpr_model::{DerivedMark, Field, Timestamp, Values};

/// A change code as received (HAENDELSE), up to three characters of ISO 8859-1. Any pass: CPR adds codes without
/// notice.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CauseCode([u8; 3]);

impl CauseCode {
    fn new(latin1: &[u8]) -> CauseCode {
        let mut code = [b' '; 3];
        let text = latin1.trim_ascii();
        let length = text.len().min(3);
        code[..length].copy_from_slice(&text[..length]);
        CauseCode(code)
    }

    /// True when it is this code.
    pub fn is(self, code: &str) -> bool {
        self == CauseCode::new(code.as_bytes())
    }

    /// The characters in ISO 8859-1, without blanks behind them.
    pub fn latin1(&self) -> &[u8] {
        self.0.trim_ascii_end()
    }
}

/// Prints the characters.
impl fmt::Display for CauseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.latin1().iter().map(|&byte| char::from(byte)).collect::<String>())
    }
}

impl fmt::Debug for CauseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CauseCode({self})")
    }
}

/// Why: one event record (099, 900) of the person in the delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Cause {
    /// HAENDELSE.
    pub code: CauseCode,
    /// AFLEDTMRK: whose event it is when it is derived from another person's.
    pub derived_mark: Option<DerivedMark>,
    /// TIMESTAMPU: when CPR entered it; none when zeros.
    pub registered_at: Option<Timestamp>,
}

impl Cause {
    /// Reads the packed values of an event record.
    pub fn read(values: Values<'_>) -> Cause {
        Cause {
            code: CauseCode::new(values.text(Field::EventCode).latin1()),
            derived_mark: DerivedMark::parse(values.text(Field::DerivedMark).latin1()),
            registered_at: values.timestamp(Field::UpdatedInCprAt),
        }
    }

    pub(crate) fn is_one_of(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| code.as_bytes() == self.code.latin1())
    }
}

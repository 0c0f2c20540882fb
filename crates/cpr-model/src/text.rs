//! Text as received: ISO 8859-1 bytes, trailing blanks cut.

use std::borrow::Cow;
use std::fmt;

/// A text field in ISO 8859-1, without its trailing blanks, which carry no meaning in any field.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The text in these ISO 8859-1 bytes, cut after its last character that is not a blank.
    pub fn new(latin1: &'a [u8]) -> Text<'a> {
        let end = latin1.iter().rposition(|&b| b != b' ').map_or(0, |last| last + 1);
        Text(&latin1[..end])
    }

    /// The bytes in ISO 8859-1.
    pub fn latin1(self) -> &'a [u8] {
        self.0
    }

    /// The text in clear, as UTF-8. True ISO 8859-1: bytes 80-9F are control characters, not those of Windows-1252.
    pub fn reveal(self) -> Cow<'a, str> {
        encoding_rs::mem::decode_latin1(self.0)
    }

    /// True when the field is blank.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// Prints `Text(..)`: names and addresses do not reach a log by accident.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

//! Text as received: ISO 8859-1 bytes, trailing blanks cut.

use std::borrow::Cow;
use std::fmt;

/// A text field in ISO 8859-1, without its trailing blanks, which carry no meaning in any field.
///
/// ```
/// use cpr_model::Text;
/// let name = Text::new(b"Pr\xF8ve   ");
/// assert_eq!((name.reveal().as_ref(), name.latin1().len()), ("Prøve", 5));
/// assert_eq!(format!("{name:?}"), "Text(..)");
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The text in these ISO 8859-1 bytes, cut after its last character that is not a blank.
    #[inline]
    pub fn new(latin1: &'a [u8]) -> Text<'a> {
        let mut text = latin1;
        // Many blanks at a time: most fields of a record are blank, and wide.
        while let Some((rest, b"                ")) = text.split_last_chunk::<16>() {
            text = rest;
        }
        if let Some((rest, b"        ")) = text.split_last_chunk::<8>() {
            text = rest;
        }
        while let [rest @ .., b' '] = text {
            text = rest;
        }
        Text(text)
    }

    /// The bytes in ISO 8859-1.
    #[inline]
    pub fn latin1(self) -> &'a [u8] {
        self.0
    }

    /// The text in clear, as UTF-8. True ISO 8859-1: bytes 80-9F are control characters, not those of Windows-1252.
    pub fn reveal(self) -> Cow<'a, str> {
        encoding_rs::mem::decode_latin1(self.0)
    }

    /// True when the field is blank.
    #[inline]
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

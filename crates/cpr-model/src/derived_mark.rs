//! For whom of the family an event happened.

use std::fmt;

/// Afledningsmarkering (AFLEDTMRK): whose event it is when it is not the person's own, `ÆG` for the spouse's. Two
/// characters of ISO 8859-1; the own event is blank, which is no mark.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DerivedMark([u8; 2]);

impl DerivedMark {
    /// The mark in these characters, or none when they are blank. Of more than two, the first two count.
    pub fn parse(latin1: &[u8]) -> Option<DerivedMark> {
        match *latin1.trim_ascii() {
            [] => None,
            [one] => Some(DerivedMark([one, b' '])),
            [one, two, ..] => Some(DerivedMark([one, two])),
        }
    }
}

impl fmt::Display for DerivedMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters = self.0.iter().filter(|&&byte| byte != b' ');
        f.write_str(&characters.map(|&byte| char::from(byte)).collect::<String>())
    }
}

impl fmt::Debug for DerivedMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedMark({self})")
    }
}

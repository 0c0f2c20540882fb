//! A line that was found in a buffer, without its bytes: where it stands, and what it is by its first ones.

use crate::family::RecordLayout;
use crate::fault::Reason;
use crate::style::LineEnd;

/// Record number and personnummer: as much of a line as shows which record it was meant to be.
pub(crate) const HEAD: usize = 13;

/// A line that was found, apart from its bytes.
pub(crate) enum Found {
    /// A record, where it stands in the file, its length and its end.
    Record(&'static RecordLayout, u64, usize, LineEnd),
    Other(Other),
}

/// A line that is no record, or none to be looked at.
#[derive(Clone, Copy)]
pub(crate) struct Other {
    pub(crate) offset: u64,
    /// The byte of the file behind it.
    pub(crate) behind: u64,
    pub(crate) what: OtherLine,
}

#[derive(Clone, Copy)]
pub(crate) enum OtherLine {
    /// Of a number that the caller ignores.
    Ignored(u16),
    /// Which record it was meant to be, what is wrong with it, and its first bytes.
    Misfit(Option<u16>, Reason, Head),
}

/// The first bytes of a line, and how many.
pub(crate) type Head = ([u8; HEAD], usize);

//! Bytes of a pack that are read: borrowed from a map or from memory, or shared with others that were read with them.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes of a pack. They start at a multiple of 4 in the file, so borrowed ones are aligned to 4.
#[derive(Clone)]
pub struct Value<'p>(Bytes<'p>);

#[derive(Clone)]
enum Bytes<'p> {
    Borrowed(&'p [u8]),
    Shared { chunk: Arc<[u8]>, start: usize, end: usize },
}

impl<'p> Value<'p> {
    pub(crate) fn borrowed(bytes: &'p [u8]) -> Value<'p> {
        Value(Bytes::Borrowed(bytes))
    }

    pub(crate) fn shared(chunk: impl Into<Arc<[u8]>>) -> Value<'p> {
        let chunk = chunk.into();
        let end = chunk.len();
        Value(Bytes::Shared { chunk, start: 0, end })
    }

    /// The bytes for as long as the pack lives, where it holds them: mapped and in memory.
    pub fn as_borrowed(&self) -> Option<&'p [u8]> {
        match self.0 {
            Bytes::Borrowed(bytes) => Some(bytes),
            Bytes::Shared { .. } => None,
        }
    }

    /// A part of these bytes; none where they do not reach so far.
    #[inline]
    pub(crate) fn narrowed(self, part: Range<usize>) -> Option<Value<'p>> {
        match self.0 {
            Bytes::Borrowed(bytes) => bytes.get(part).map(Value::borrowed),
            Bytes::Shared { chunk, start, end } => {
                let (from, to) = (start.checked_add(part.start)?, start.checked_add(part.end)?);
                (from <= to && to <= end).then_some(Value(Bytes::Shared { chunk, start: from, end: to }))
            }
        }
    }
}

impl Deref for Value<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Borrowed(bytes) => bytes,
            Bytes::Shared { chunk, start, end } => &chunk[*start..*end],
        }
    }
}

impl AsRef<[u8]> for Value<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Value<'_> {}

/// Says how many bytes there are, not which.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.len())
    }
}

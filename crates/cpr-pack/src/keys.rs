//! The two kinds of keys: numbers of 32 bits, which are found by hash, and bytes, which are found by order.

use std::fmt;

/// What the keys of a table are. Rows stand in the order of their keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keys {
    /// Numbers of 32 bits. A get finds them in the hash section: about two cache misses.
    Numbers,
    /// Up to 65 535 bytes each. A get searches.
    Bytes,
}

impl Keys {
    pub(crate) fn code(self) -> u8 {
        match self {
            Keys::Numbers => 1,
            Keys::Bytes => 2,
        }
    }

    pub(crate) fn of_code(code: u8) -> Option<Keys> {
        [Keys::Numbers, Keys::Bytes].into_iter().find(|keys| keys.code() == code)
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Keys::Numbers => "numbers",
            Keys::Bytes => "bytes",
        })
    }
}

/// A key as the caller has it. Methods take `impl Into<Key>`, so a plain `u32`, `&[u8]` or `b"..."` will do.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Key<'k> {
    /// Of a table with [`Keys::Numbers`].
    Number(u32),
    /// Of a table with [`Keys::Bytes`].
    Bytes(&'k [u8]),
}

impl Key<'_> {
    /// Which kind of table has such keys.
    pub fn keys(&self) -> Keys {
        match self {
            Key::Number(_) => Keys::Numbers,
            Key::Bytes(_) => Keys::Bytes,
        }
    }
}

/// Says the kind alone: a key may identify a person.
impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Key::Number(_) => "Number(..)",
            Key::Bytes(_) => "Bytes(..)",
        })
    }
}

impl From<u32> for Key<'_> {
    fn from(number: u32) -> Self {
        Key::Number(number)
    }
}

impl<'k> From<&'k [u8]> for Key<'k> {
    fn from(bytes: &'k [u8]) -> Self {
        Key::Bytes(bytes)
    }
}

impl<'k, const N: usize> From<&'k [u8; N]> for Key<'k> {
    fn from(bytes: &'k [u8; N]) -> Self {
        Key::Bytes(bytes)
    }
}

/// A key as it stands in a row: a number's highest byte comes first, so the order of bytes is the order of numbers.
#[derive(Clone, Copy)]
pub(crate) enum RawKey<'k> {
    Number([u8; 4]),
    Bytes(&'k [u8]),
}

impl<'k> RawKey<'k> {
    pub(crate) fn of(key: Key<'k>) -> RawKey<'k> {
        match key {
            Key::Number(number) => RawKey::Number(number.to_be_bytes()),
            Key::Bytes(bytes) => RawKey::Bytes(bytes),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            RawKey::Number(bytes) => bytes,
            RawKey::Bytes(bytes) => bytes,
        }
    }
}

//! A key or a value as it is read, for as long as what holds it is held: a page of the store, or bytes of a pack.

use redb::{AccessGuard, Value};

use super::column::Column;
use crate::error::Error;

/// A key or a value, for as long as what holds it is held.
pub(crate) enum Guard<'t, V: Value + 'static> {
    Store(AccessGuard<'t, V>),
    /// Bytes of a pack that were decoded before.
    Pack {
        bytes: cpr_pack::Value<'t>,
        is_checked: bool,
    },
}

impl<'t, V: Column> Guard<'t, V> {
    /// Bytes of a pack, when they are a value; `is_checked` says that the pack compared them with their check.
    #[inline]
    pub(crate) fn packed(
        bytes: cpr_pack::Value<'t>,
        is_checked: bool,
        table: &'static str,
    ) -> Result<Guard<'t, V>, Error> {
        let is_sound = V::decode(&bytes).is_some();
        match is_sound {
            true => Ok(Guard::Pack { bytes, is_checked }),
            false => Err(Error::Corrupt { table, what: "bytes that are no key or value of the table" }),
        }
    }

    /// The bytes where they are for as long as the snapshot, and stand for what was written under their key: a pack in
    /// memory has compared them with a check, and their key with the one that was asked for, and the seals of persons
    /// were opened when it was written.
    #[inline]
    pub(crate) fn checked_in_memory(&self) -> Option<&'t [u8]> {
        match self {
            Guard::Pack { bytes, is_checked: true } => bytes.as_borrowed(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn value(&self) -> V::SelfType<'_> {
        match self {
            Guard::Store(guard) => guard.value(),
            Guard::Pack { bytes, .. } => V::decode(bytes).expect("the same bytes were decoded before"),
        }
    }
}

/// A key and its value.
pub(crate) type Row<'t, K, V> = (Guard<'t, K>, Guard<'t, V>);

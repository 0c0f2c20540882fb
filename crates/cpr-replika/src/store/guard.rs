//! A key or a value as it is read, for as long as what holds it is held: a page of the store, or bytes of a pack.

use redb::{AccessGuard, Value};

use super::column::Column;
use crate::error::Error;

/// A key or a value, for as long as what holds it is held.
pub(crate) enum Guard<'t, V: Value + 'static> {
    Store(AccessGuard<'t, V>),
    /// Bytes of a pack that were decoded before.
    Pack(cpr_pack::Value<'t>),
}

impl<'t, V: Column> Guard<'t, V> {
    /// Bytes of a pack, when they are a value.
    #[inline]
    pub(crate) fn packed(bytes: cpr_pack::Value<'t>, table: &'static str) -> Result<Guard<'t, V>, Error> {
        let is_sound = V::decode(&bytes).is_some();
        match is_sound {
            true => Ok(Guard::Pack(bytes)),
            false => Err(Error::Corrupt { table, what: "bytes that are no key or value of the table" }),
        }
    }

    #[inline]
    pub(crate) fn value(&self) -> V::SelfType<'_> {
        match self {
            Guard::Store(guard) => guard.value(),
            Guard::Pack(bytes) => V::decode(bytes).expect("the same bytes were decoded before"),
        }
    }
}

/// A key and its value.
pub(crate) type Row<'t, K, V> = (Guard<'t, K>, Guard<'t, V>);

//! Sets of persons as stored values: a roaring bitmap of person keys in a seal.

use roaring::RoaringBitmap;

use crate::error::Error;
use crate::store::sealed::{self, Row};

/// A stored set, opened.
pub(crate) fn open_set(table: &'static str, row: Row, sealed: &[u8]) -> Result<RoaringBitmap, Error> {
    read_set(table, sealed::open(table, row, sealed)?)
}

/// A set in a payload that was opened before.
pub(crate) fn read_set(table: &'static str, payload: &[u8]) -> Result<RoaringBitmap, Error> {
    RoaringBitmap::deserialize_from(payload).map_err(|_| Error::Corrupt { table, what: "not a bitmap" })
}

/// Seals a set, ready to insert.
pub(crate) fn seal_set(row: Row, set: &RoaringBitmap, sealed: &mut Vec<u8>) -> Result<(), Error> {
    let mut bitmap = Vec::with_capacity(set.serialized_size());
    set.serialize_into(&mut bitmap).map_err(Error::Output)?;
    sealed::seal(row, &bitmap, sealed);
    Ok(())
}

//! Numbers that were left out since nobody needs them: sets like those of the index, but kept and not derived.
//!
//! Nothing else is known of them. They tell "not kept" from "not in CPR".

use redb::{ReadableTable, WriteTransaction};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::index::keys::{SetKind, numbers_of, year_of};
use crate::index::sets::Row;
use crate::store::tables::{RowKey, SETS};

/// Which rows of the table of sets these are.
pub(crate) const KIND: u8 = SetKind::LeftOut as u8;

/// The row in which a number stands when it was left out.
pub(crate) fn row_of(key: u32) -> RowKey {
    (KIND, 0, year_of(key))
}

/// Puts numbers to those left out, and takes numbers from them.
pub(crate) fn change(write: &WriteTransaction, added: &RoaringBitmap, removed: &RoaringBitmap) -> Result<(), Error> {
    let years = |set: &RoaringBitmap| {
        let mut years: Vec<u16> = Vec::new();
        for year in set.iter().map(year_of) {
            if years.last() != Some(&year) {
                years.push(year);
            }
        }
        years
    };
    let mut years = [years(added), years(removed)].concat();
    years.sort_unstable();
    years.dedup();
    let mut table = write.open_table(SETS)?;
    for year in years {
        let (key, numbers) = ((KIND, 0, year), numbers_of(year));
        let stored = table.get(key)?.map(|stored| Row::open(key, stored.value())).transpose()?;
        let before = match stored {
            Some(Row::Set(set)) => set,
            _ => RoaringBitmap::new(),
        };
        let mut set = before.clone();
        set -= removed;
        set.extend(added.range(numbers));
        if set == before {
            continue;
        }
        match Row::Set(set).sealed(key) {
            Some(sealed) => _ = table.insert(key, sealed.as_slice())?,
            None => _ = table.remove(key)?,
        }
    }
    Ok(())
}

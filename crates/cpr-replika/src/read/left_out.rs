//! Numbers that CPR has and this store does not keep: told apart from numbers that nobody has.

use cpr_model::Pnr;

use crate::error::Error;
use crate::index::left_out::{KIND, row_of};
use crate::index::person_set::PersonSet;
use crate::index::sets::Row;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// True of a number that a delivery brought and that was left out, or that went, since nobody needs it
    /// ([`Keep`](crate::Keep)): CPR has it, and this store does not. An answer that finds nobody says which it is.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::cpr_model::Pnr;
    /// assert!(!demo()?.snapshot().is_left_out(Pnr::parse(b"6101801234").ok_or("ten digits")?)?, "held");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn is_left_out(&self, pnr: Pnr) -> Result<bool, Error> {
        let Some(key) = pnr.key() else { return Ok(false) };
        let row = row_of(key.as_u32());
        let stored = self.tables().sets.get(row)?;
        match stored.map(|stored| Row::open(row, stored.value())).transpose()? {
            Some(Row::Set(set)) => Ok(set.contains(key.as_u32())),
            _ => Ok(false),
        }
    }

    /// Every number that was left out.
    ///
    /// # Errors
    /// As [`Snapshot::is_left_out`].
    pub fn left_out(&self) -> Result<PersonSet, Error> {
        let mut all = PersonSet::default();
        for row in self.tables().sets.range((KIND, 0, 0)..=(KIND, u32::MAX, u16::MAX))? {
            let (key, stored) = row?;
            if let Row::Set(set) = Row::open(key.value(), stored.value())? {
                all.0 |= set;
            }
        }
        Ok(all)
    }
}

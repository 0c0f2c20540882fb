//! Sizes, per table and in all.

use crate::error::Error;
use crate::snapshot::Snapshot;
use crate::store::source::TableStats;

/// The sizes of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Each table.
    pub tables: Vec<TableStats>,
}

impl Snapshot {
    /// The size of each table.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stats = demo()?.snapshot().stats()?;
    /// assert!(stats.tables.iter().any(|table| table.name == "persons/v2" && table.rows == 3));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A storage failure.
    pub fn stats(&self) -> Result<Stats, Error> {
        Ok(Stats { tables: self.source().stats()? })
    }
}

//! Sizes, per table and in all.

use redb::{MultimapTableHandle, ReadableTableMetadata, TableHandle};

use crate::error::Error;
use crate::snapshot::Snapshot;

/// One table's size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableStats {
    /// The name, with the version of its layout.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub stored_bytes: u64,
    /// Bytes of pages that hold no keys or values: branches and headers.
    pub metadata_bytes: u64,
    /// Bytes that are empty inside pages.
    pub fragmented_bytes: u64,
}

/// The sizes of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
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
        let mut tables = Vec::new();
        let mut add = |name: &str, rows: u64, stats: redb::TableStats| {
            tables.push(TableStats {
                name: name.to_owned(),
                rows,
                stored_bytes: stats.stored_bytes(),
                metadata_bytes: stats.metadata_bytes(),
                fragmented_bytes: stats.fragmented_bytes(),
            });
        };
        for handle in self.transaction().list_tables()? {
            let name = handle.name().to_owned();
            let table = self.transaction().open_untyped_table(handle)?;
            add(&name, table.len()?, table.stats()?);
        }
        for handle in self.transaction().list_multimap_tables()? {
            let name = handle.name().to_owned();
            let table = self.transaction().open_untyped_multimap_table(handle)?;
            add(&name, table.len()?, table.stats()?);
        }
        Ok(Stats { tables })
    }
}

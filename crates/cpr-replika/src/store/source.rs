//! What a snapshot reads: the tables of one state, and what keeps them readable.

use std::cmp::Ordering;
use std::sync::Arc;

use redb::{
    MultimapTableHandle, ReadTransaction, ReadableTableMetadata, TableError, TableHandle, TableStats as PageStats,
};

use crate::error::Error;
use crate::store::config::Config;
use crate::store::file::Opened;
use crate::store::tables::{FORMAT, META, Tables};

/// The tables of one state. They are dropped before the transaction, and the transaction before the database.
pub(crate) struct Source {
    tables: Tables,
    transaction: ReadTransaction,
    _database: Arc<Opened>,
}

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

impl Source {
    /// The last state of a store, which must be of the format that this version reads.
    pub(crate) fn of_store(database: &Arc<Opened>) -> Result<Source, Error> {
        let transaction = database.begin_read()?;
        check_format(&transaction)?;
        let tables = Tables::open(&transaction, database.latch())?;
        Ok(Source { tables, transaction, _database: Arc::clone(database) })
    }

    /// The tables.
    #[inline]
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The settings.
    pub(crate) fn config(&self) -> Result<Config, Error> {
        Config::from_entries(|key| Ok(self.tables.meta.get(key)?.map(|text| text.value().to_owned())))
    }

    /// The size of each table.
    pub(crate) fn stats(&self) -> Result<Vec<TableStats>, Error> {
        let mut tables = Vec::new();
        let mut add = |name: &str, rows: u64, stats: PageStats| {
            tables.push(TableStats {
                name: name.to_owned(),
                rows,
                stored_bytes: stats.stored_bytes(),
                metadata_bytes: stats.metadata_bytes(),
                fragmented_bytes: stats.fragmented_bytes(),
            });
        };
        for handle in self.transaction.list_tables()? {
            let name = handle.name().to_owned();
            let table = self.transaction.open_untyped_table(handle)?;
            add(&name, table.len()?, table.stats()?);
        }
        for handle in self.transaction.list_multimap_tables()? {
            let name = handle.name().to_owned();
            let table = self.transaction.open_untyped_multimap_table(handle)?;
            add(&name, table.len()?, table.stats()?);
        }
        Ok(tables)
    }
}

/// That it is a store, and of the format that this version reads.
fn check_format(transaction: &ReadTransaction) -> Result<(), Error> {
    let meta = match transaction.open_table(META) {
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => return Err(Error::NotAStore),
        opened => opened?,
    };
    let found: Option<u32> = meta.get("format")?.and_then(|text| text.value().parse().ok());
    let found = found.ok_or(Error::NotAStore)?;
    match found.cmp(&FORMAT) {
        Ordering::Less => Err(Error::OlderFormat { found, supported: FORMAT }),
        Ordering::Greater => Err(Error::NewerFormat { found, supported: FORMAT }),
        Ordering::Equal => Ok(()),
    }
}

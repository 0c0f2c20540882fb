//! What a snapshot reads: the tables of one state, and what keeps them readable.

use std::sync::Arc;

use cpr_pack::Packs;
use redb::{
    MultimapTableHandle, ReadTransaction, ReadableTableMetadata, TableError, TableHandle, TableStats as PageStats,
};

use crate::error::Error;
use crate::store::config::Config;
use crate::store::file::Opened;
use crate::store::pack_key::PackKey;
use crate::store::tables::{FORMAT, META, OLDEST_FORMAT, Tables, name};

/// The tables of one state. They are dropped before what keeps them readable.
pub(crate) struct Source {
    tables: Tables,
    format: u32,
    kept: Kept,
}

enum Kept {
    /// The transaction is dropped before the database.
    Store {
        transaction: ReadTransaction,
        database: Arc<Opened>,
    },
    Packs(Arc<Packs>, Option<PackKey>),
}

/// One table's size.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TableStats {
    /// The name, with the version of its layout.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and values; of packs, of whole rows.
    pub stored_bytes: u64,
    /// Bytes of pages that hold no keys or values: branches and headers; of packs, by which rows are found.
    pub metadata_bytes: u64,
    /// Bytes that are empty inside pages.
    pub fragmented_bytes: u64,
}

impl Source {
    /// The last state of a store, which must be of a format that this version reads.
    pub(crate) fn of_store(database: &Arc<Opened>) -> Result<Source, Error> {
        let transaction = database.begin_read()?;
        let format = read_format(&transaction)?;
        let tables = Tables::open(&transaction, database.latch())?;
        Ok(Source { tables, format, kept: Kept::Store { transaction, database: Arc::clone(database) } })
    }

    /// The state that packs hold, which must be of a format that this version reads; with the key by which encrypted
    /// ones were opened, when it is known.
    pub(crate) fn of_packs(packs: &Arc<Packs>, key: Option<&PackKey>) -> Result<Source, Error> {
        let format = check_format(packs.description().rows_version)?;
        Ok(Source { tables: Tables::open_packed(packs)?, format, kept: Kept::Packs(Arc::clone(packs), key.cloned()) })
    }

    /// The format of the rows.
    pub(crate) fn format(&self) -> u32 {
        self.format
    }

    /// The key by which packs of this state are encrypted; none where it is stored in the clear.
    ///
    /// # Errors
    /// [`Error::KeyNeeded`] for encrypted packs that the caller opened by himself.
    pub(crate) fn pack_key(&self) -> Result<Option<PackKey>, Error> {
        match &self.kept {
            Kept::Store { database, .. } => Ok(database.options().key.clone().map(PackKey::new)),
            Kept::Packs(packs, None) if packs.base().is_encrypted() => Err(Error::KeyNeeded),
            Kept::Packs(_, key) => Ok(key.clone()),
        }
    }

    /// The open store; none for packs.
    pub(crate) fn database(&self) -> Option<&Opened> {
        match &self.kept {
            Kept::Store { database, .. } => Some(database),
            Kept::Packs(..) => None,
        }
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
        match &self.kept {
            Kept::Store { transaction, .. } => stats_of_store(transaction),
            Kept::Packs(packs, _) => stats_of_packs(packs),
        }
    }
}

fn stats_of_packs(packs: &Packs) -> Result<Vec<TableStats>, Error> {
    let mut tables = Vec::new();
    for (name, keys) in packs.base().tables() {
        let table = packs.table(name, keys)?;
        let size = table.size();
        tables.push(TableStats {
            name: name.to_owned(),
            rows: table.len()?,
            stored_bytes: size.row_bytes,
            metadata_bytes: size.index_bytes,
            fragmented_bytes: 0,
        });
    }
    Ok(tables)
}

fn stats_of_store(transaction: &ReadTransaction) -> Result<Vec<TableStats>, Error> {
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
    for handle in transaction.list_tables()? {
        let name = handle.name().to_owned();
        let table = transaction.open_untyped_table(handle)?;
        add(&name, table.len()?, table.stats()?);
    }
    for handle in transaction.list_multimap_tables()? {
        let name = handle.name().to_owned();
        let table = transaction.open_untyped_multimap_table(handle)?;
        add(&name, table.len()?, table.stats()?);
    }
    Ok(tables)
}

/// The format of a store, which is one that this version reads.
fn read_format(transaction: &ReadTransaction) -> Result<u32, Error> {
    let meta = match transaction.open_table(META) {
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => {
            // The file is one of ours: it has the header of a store.
            return Err(match transaction.list_tables()?.next() {
                None => Error::Unfinished,
                Some(_) => Error::Corrupt { table: name::META, what: "it is not there" },
            });
        }
        opened => opened?,
    };
    let found: Option<u32> = meta.get("format")?.and_then(|text| text.value().parse().ok());
    check_format(found.ok_or(Error::Corrupt { table: name::META, what: "the format of the store" })?)
}

fn check_format(found: u32) -> Result<u32, Error> {
    match found {
        OLDEST_FORMAT..=FORMAT => Ok(found),
        ..OLDEST_FORMAT => Err(Error::OlderFormat { found, supported: OLDEST_FORMAT }),
        _ => Err(Error::NewerFormat { found, supported: FORMAT }),
    }
}

//! The file of a store: opened to write or to read, and what is none told apart from damage.

use std::path::Path;

use redb::{Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::error::Error;

/// Bytes of pages kept in memory by default.
const CACHE_BYTES: usize = 1024 * 1024 * 1024;

/// The open database. Snapshots share it, since closing it ends their transactions.
pub(crate) enum Opened {
    ReadWrite(Database),
    ReadOnly(ReadOnlyDatabase),
}

impl Opened {
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, Error> {
        Ok(match self {
            Opened::ReadWrite(database) => database.begin_read()?,
            Opened::ReadOnly(database) => database.begin_read()?,
        })
    }

    /// # Errors
    /// [`Error::ReadOnly`].
    pub(crate) fn check_writable(&self) -> Result<(), Error> {
        match self {
            Opened::ReadWrite(_) => Ok(()),
            Opened::ReadOnly(_) => Err(Error::ReadOnly),
        }
    }

    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, Error> {
        match self {
            Opened::ReadWrite(database) => begin_write(database),
            Opened::ReadOnly(_) => Err(Error::ReadOnly),
        }
    }
}

pub(crate) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Every commit is durable and in two phases; with quick repair, opening after a kill does not walk the store.
pub(crate) fn begin_write(database: &Database) -> Result<WriteTransaction, Error> {
    let mut write = database.begin_write()?;
    write.set_two_phase_commit(true);
    write.set_quick_repair(true);
    Ok(write)
}

/// What redb would take for an empty database or for damage is told apart first: no file, an empty one, another kind.
pub(crate) fn refuse_strangers(path: &Path) -> Result<(), Error> {
    use std::io::Read;
    let mut magic = [0; 4];
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound,
        _ => Error::from(redb::StorageError::Io(error)),
    })?;
    match file.take(4).read(&mut magic) {
        Ok(4) if &magic == b"redb" => Ok(()),
        _ => Err(Error::NotAStore),
    }
}

//! The store: creating, opening, and the snapshot that is published after each delivery.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Builder, Database, ReadOnlyDatabase, ReadableDatabase, StorageBackend, WriteTransaction};

use crate::error::Error;
use crate::events::event_id::create_secret;
use crate::snapshot::Snapshot;
use crate::store::config::Config;
use crate::store::tables::{
    CHANGED, CHANGED_BY, DELIVERIES, DIGESTS, FILTERS, FOLLOWERS, FORMAT, MATCHES, META, NUMBERS, PERSONS,
    POSTAL_STREETS, REDELIVERED, SETS, STREAMS, STREET_NAMES, SUBSCRIBERS, SUPERSEDED, WORDS,
};

/// Bytes of pages kept in memory by default.
const CACHE_BYTES: usize = 1024 * 1024 * 1024;

/// A replica of CPR in one file. `Send + Sync`; one delivery is applied at a time, any number of snapshots are read.
pub struct Replika {
    pub(crate) database: Arc<Opened>,
    published: RwLock<Snapshot>,
    /// Held from before a transaction begins until what it made is published: whoever writes sees the last state.
    turn: Mutex<()>,
}

/// The open database. Snapshots share it, since closing it ends their transactions.
pub(crate) enum Opened {
    ReadWrite(Database),
    ReadOnly(ReadOnlyDatabase),
}

/// Says which delivery it stands at.
impl std::fmt::Debug for Replika {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replika at delivery {}", self.snapshot().known())
    }
}

impl Replika {
    /// Creates a store where none is.
    ///
    /// # Errors
    /// [`Error::Exists`] when a file is there; [`Error::Config`] when the configuration cannot be.
    pub fn create(path: impl AsRef<Path>, config: &Config) -> Result<Replika, Error> {
        config.check()?;
        let path = path.as_ref();
        // An empty file is what a creation that never got anywhere leaves behind.
        if path.metadata().is_ok_and(|found| found.len() > 0) {
            return Err(Error::Exists);
        }
        Replika::initialize(builder().create(path)?, config)
    }

    /// Opens a store to read and to apply deliveries.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAStore`], [`Error::NewerFormat`], [`Error::OlderFormat`], [`Error::Locked`].
    pub fn open(path: impl AsRef<Path>) -> Result<Replika, Error> {
        let path = path.as_ref();
        refuse_strangers(path)?;
        Replika::over(Opened::ReadWrite(builder().open(path)?))
    }

    /// Opens a store to read only; any number of processes may do so at once.
    ///
    /// A store whose writer was killed is put in order first, as [`Replika::open`] does, for which the file must be writable.
    ///
    /// # Errors
    /// As [`Replika::open`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Replika, Error> {
        let path = path.as_ref();
        refuse_strangers(path)?;
        let database = match builder().open_read_only(path) {
            Err(redb::DatabaseError::RepairAborted) => {
                drop(builder().open(path)?);
                builder().open_read_only(path)?
            }
            opened => opened?,
        };
        Replika::over(Opened::ReadOnly(database))
    }

    /// Creates or opens a store over a storage of the caller's making: memory, or one that fails on purpose.
    pub(crate) fn with_backend(backend: impl StorageBackend, config: &Config) -> Result<Replika, Error> {
        config.check()?;
        let database = builder().create_with_backend(backend)?;
        let fresh = {
            let read = database.begin_read()?;
            read.open_table(META).is_err()
        };
        if fresh { Replika::initialize(database, config) } else { Replika::over(Opened::ReadWrite(database)) }
    }

    /// A store in memory, for tests and for trying things out.
    ///
    /// # Errors
    /// [`Error::Config`] when the configuration cannot be.
    pub fn in_memory(config: &Config) -> Result<Replika, Error> {
        Replika::with_backend(redb::backends::InMemoryBackend::new(), config)
    }

    /// The state after the last delivery that was applied completely.
    ///
    /// Cheap to take and to clone; consistent for as long as it is held; it neither waits for [`Replika::apply`] nor
    /// holds it up.
    pub fn snapshot(&self) -> Snapshot {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The configuration, with the family once the first extract has told it.
    pub fn config(&self) -> Config {
        self.snapshot().config().clone()
    }

    fn initialize(database: Database, config: &Config) -> Result<Replika, Error> {
        let write = begin_write(&database)?;
        {
            write.open_table(PERSONS)?;
            write.open_table(SUPERSEDED)?;
            write.open_multimap_table(NUMBERS)?;
            write.open_table(CHANGED)?;
            write.open_table(CHANGED_BY)?;
            write.open_table(REDELIVERED)?;
            write.open_table(SETS)?;
            write.open_table(WORDS)?;
            write.open_table(STREET_NAMES)?;
            write.open_table(POSTAL_STREETS)?;
            write.open_table(SUBSCRIBERS)?;
            write.open_table(FILTERS)?;
            write.open_multimap_table(FOLLOWERS)?;
            write.open_table(MATCHES)?;
            write.open_table(STREAMS)?;
            write.open_table(DELIVERIES)?;
            write.open_table(DIGESTS)?;
            write.open_table(META)?.insert("format", FORMAT.to_string().as_str())?;
        }
        write_config(&write, config)?;
        create_secret(&write)?;
        write.commit()?;
        Replika::over(Opened::ReadWrite(database))
    }

    fn over(database: Opened) -> Result<Replika, Error> {
        let database = Arc::new(database);
        let published = RwLock::new(Snapshot::take(&database)?);
        Ok(Replika { database, published, turn: Mutex::new(()) })
    }

    pub(crate) fn publish(&self) -> Result<(), Error> {
        let snapshot = Snapshot::take(&self.database)?;
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    /// Waits for the turn to write.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, Error> {
        match &*self.database {
            Opened::ReadWrite(database) => begin_write(database),
            Opened::ReadOnly(_) => Err(Error::ReadOnly),
        }
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Every commit is durable and in two phases; with quick repair, opening after a kill does not walk the store.
fn begin_write(database: &Database) -> Result<WriteTransaction, Error> {
    let mut write = database.begin_write()?;
    write.set_two_phase_commit(true);
    write.set_quick_repair(true);
    Ok(write)
}

pub(crate) fn write_config(write: &WriteTransaction, config: &Config) -> Result<(), Error> {
    let mut meta = write.open_table(META)?;
    for (key, text) in config.entries() {
        meta.insert(key, text.as_str())?;
    }
    Ok(())
}

/// What redb would take for an empty database or for damage is told apart first: no file, an empty one, another kind.
fn refuse_strangers(path: &Path) -> Result<(), Error> {
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

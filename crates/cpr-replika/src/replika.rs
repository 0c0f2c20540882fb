//! The store: creating, opening, and the snapshot that is published after each delivery.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadableDatabase, StorageBackend, WriteTransaction};

use crate::error::Error;
use crate::snapshot::Snapshot;
use crate::store::config::Config;
use crate::store::config::write_config;
use crate::store::file::{Opened, begin_write, builder, refuse_strangers};
use crate::store::secret::create_secret;
use crate::store::tables::{FORMAT, META, Tables};

/// A replica of CPR in one file. `Send + Sync`; one delivery is applied at a time, any number of snapshots are read.
pub struct Replika {
    pub(crate) database: Arc<Opened>,
    published: RwLock<Snapshot>,
    /// Held from before a transaction begins until what it made is published: whoever writes sees the last state.
    write_lock: Mutex<()>,
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
        Tables::create(&write)?;
        write.open_table(META)?.insert("format", FORMAT.to_string().as_str())?;
        write_config(&write, config)?;
        create_secret(&write)?;
        write.commit()?;
        Replika::over(Opened::ReadWrite(database))
    }

    fn over(database: Opened) -> Result<Replika, Error> {
        let database = Arc::new(database);
        let published = RwLock::new(Snapshot::take(&database)?);
        Ok(Replika { database, published, write_lock: Mutex::new(()) })
    }

    pub(crate) fn publish(&self) -> Result<(), Error> {
        let snapshot = Snapshot::take(&self.database)?;
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    /// Waits until nobody else writes.
    pub(crate) fn write_lock(&self) -> MutexGuard<'_, ()> {
        self.write_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one durable transaction, which is told the last delivery, and publishes what it made.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&WriteTransaction, u32) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _lock = self.write_lock();
        let write = self.begin_write()?;
        let answer = change(&write, self.snapshot().known().0)?;
        write.commit()?;
        self.publish()?;
        Ok(answer)
    }

    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, Error> {
        self.database.begin_write()
    }
}

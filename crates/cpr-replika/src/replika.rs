//! The store: creating, opening, and the snapshot that is published after each delivery.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use redb::{StorageBackend, WriteTransaction};

use crate::arrivals::DeliveryListener;
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::publication::{Publication, State};
use crate::snapshot::Snapshot;
use crate::store::block_file::Opening;
use crate::store::config::Config;
use crate::store::config::write_config;
#[cfg(feature = "encryption")]
use crate::store::file::rekey;
use crate::store::file::{Opened, Options, is_vacant};
#[cfg(feature = "encryption")]
use crate::store::key::KeySource;
use crate::store::secret::create_secret;
use crate::store::tables::{FORMAT, META, Tables};
use crate::trace::span;

/// How soon a store that could not be opened anew after a failure is tried again.
const NEXT_TRY: Duration = Duration::from_secs(1);

/// A replica of CPR in one file. `Send + Sync`; one delivery is applied at a time, any number of snapshots are read.
pub struct Replika {
    /// What is written to, and what is read of it.
    published: Publication<Published>,
    /// Held from before a transaction begins until what it made is published: whoever writes sees the last state.
    write_lock: Mutex<()>,
    /// When opening anew after a failure was last tried in vain.
    tried_in_vain: Mutex<Option<Instant>>,
    /// Whether the last large write has copied many pages that were not given free yet.
    pub(crate) has_copied_many: AtomicBool,
}

/// The open store, and its last state.
struct Published {
    /// Opened anew after a failure, and another file once the store was written anew.
    database: Arc<Opened>,
    snapshot: Snapshot,
}

impl State for Published {
    fn known(&self) -> DeliveryNumber {
        self.snapshot.known()
    }
}

impl Published {
    fn take(database: Arc<Opened>) -> Result<Published, Error> {
        let snapshot = Snapshot::take(&database)?;
        Ok(Published { database, snapshot })
    }
}

thread_local! {
    /// Whether this thread runs what does not wait for the writer.
    static DOES_NOT_WAIT: Cell<bool> = const { Cell::new(false) };
}

/// Says which delivery it stands at.
impl std::fmt::Debug for Replika {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replika at delivery {}", self.snapshot().known())
    }
}

impl Replika {
    /// Creates a store where none is, in a file for its owner alone (0600), whatever the umask.
    ///
    /// # Errors
    /// [`Error::Exists`] when a file is there; [`Error::Config`] when the configuration cannot be.
    pub fn create(path: impl AsRef<Path>, config: &Config) -> Result<Replika, Error> {
        Replika::create_with(path, config, &Options::default())
    }

    /// As [`Replika::create`], with options of the process's choice.
    ///
    /// # Errors
    /// As [`Replika::create`].
    pub fn create_with(path: impl AsRef<Path>, config: &Config, options: &Options) -> Result<Replika, Error> {
        let config = config.settled()?;
        let path = path.as_ref();
        if !is_vacant(path) {
            return Err(Error::Exists);
        }
        let _span = span!("open");
        Replika::initialize(Opened::create(path, options)?, &config)
    }

    /// Opens a store to read and to apply deliveries. A file that others than its owner may read or write is made
    /// private first. A store of an earlier version is brought to the format of this one; the earlier one refuses it
    /// from then on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAStore`], [`Error::NewerFormat`], [`Error::OlderFormat`], [`Error::Locked`].
    pub fn open(path: impl AsRef<Path>) -> Result<Replika, Error> {
        Replika::open_with(path, &Options::default())
    }

    /// As [`Replika::open`], with options of the process's choice.
    ///
    /// # Errors
    /// As [`Replika::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &Options) -> Result<Replika, Error> {
        let span = span!("open", delivery);
        let replika = Replika::over(Opened::open(path.as_ref(), options)?)?;
        span.record("delivery", replika.snapshot().known().0.into());
        Ok(replika)
    }

    /// Opens the store that is there, whatever its configuration, or creates one with this configuration.
    ///
    /// # Errors
    /// Those of [`Replika::open`] and [`Replika::create`].
    pub fn open_or_create(path: impl AsRef<Path>, config: &Config, options: &Options) -> Result<Replika, Error> {
        let path = path.as_ref();
        if is_vacant(path) { Replika::create_with(path, config, options) } else { Replika::open_with(path, options) }
    }

    /// Opens a store to read only; any number of processes may do so at once.
    ///
    /// A store whose writer was killed is put in order first, as [`Replika::open`] does, for which the file must be
    /// writable.
    ///
    /// # Errors
    /// As [`Replika::open`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Replika, Error> {
        Replika::open_read_only_with(path, &Options::default())
    }

    /// As [`Replika::open_read_only`], with options of the process's choice.
    ///
    /// # Errors
    /// As [`Replika::open`].
    pub fn open_read_only_with(path: impl AsRef<Path>, options: &Options) -> Result<Replika, Error> {
        let span = span!("open", delivery);
        let replika = Replika::over(Opened::open_read_only(path.as_ref(), options)?)?;
        span.record("delivery", replika.snapshot().known().0.into());
        Ok(replika)
    }

    /// Has the key of another source open an encrypted store from now on. The store's own key, and so its blocks, stay:
    /// who has a copy of the file from before, and the key of then, can read that copy.
    ///
    /// # Errors
    /// [`Error::WrongKey`], [`Error::NotEncrypted`], [`Error::Locked`], and those of opening.
    #[cfg(feature = "encryption")]
    pub fn rekey(path: impl AsRef<Path>, from: &dyn KeySource, to: &dyn KeySource) -> Result<(), Error> {
        rekey(path.as_ref(), from, to)
    }

    /// Creates or opens a store over a storage of the caller's making: memory, or one that fails on purpose.
    pub(crate) fn with_backend(
        backend: impl StorageBackend,
        config: &Config,
        options: &Options,
    ) -> Result<Replika, Error> {
        let config = &config.settled()?;
        let database = Opened::over(backend, Opening::Any, options)?;
        Replika::open_or_initialize(database, config)
    }

    /// What is in the database, or a new store when nothing is.
    pub(crate) fn open_or_initialize(database: Opened, config: &Config) -> Result<Replika, Error> {
        let fresh = database.begin_read()?.list_tables()?.next().is_none();
        if fresh { Replika::initialize(database, config) } else { Replika::over(database) }
    }

    /// A store in memory, for tests and for trying things out.
    ///
    /// # Errors
    /// [`Error::Config`] when the configuration cannot be.
    pub fn in_memory(config: &Config) -> Result<Replika, Error> {
        Replika::with_backend(redb::backends::InMemoryBackend::new(), config, &Options::default())
    }

    /// The state after the last delivery that was applied completely.
    ///
    /// Cheap to take and to clone; consistent for as long as it is held; it neither waits for [`Replika::apply`] nor
    /// holds it up.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::io::Cursor;
    /// use cpr_replika::{ApplyOptions, DeliveryNumber};
    /// let replika = demo()?;
    /// let held = replika.snapshot();
    /// let night = "00000000000009999012026010720260106\n999999999999900000000\n";
    /// replika.apply(Cursor::new(night), &ApplyOptions::named("D260107.L999901"))?;
    /// assert_eq!((held.known(), replika.snapshot().known()), (DeliveryNumber(2), DeliveryNumber(3)));
    /// # Ok(()) }
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        let look = |published: &Published| (published.snapshot.clone(), published.database.latch().first().is_some());
        match self.published.read(look) {
            (snapshot, false) => snapshot,
            (_, true) => {
                self.open_anew();
                self.published.read(look).0
            }
        }
    }

    /// What the store is for, as it was created; with the family once the first extract has told it.
    pub fn settings(&self) -> Config {
        self.snapshot().settings().clone()
    }

    fn initialize(database: Opened, config: &Config) -> Result<Replika, Error> {
        let write = database.begin_write()?;
        Tables::create(&write)?;
        write.open_table(META)?.insert("format", FORMAT.to_string().as_str())?;
        write_config(&write, config)?;
        create_secret(&write)?;
        write.commit()?;
        Replika::over(database)
    }

    pub(crate) fn over(database: Opened) -> Result<Replika, Error> {
        let published = Publication::new(Published::take(Arc::new(database))?);
        let (write_lock, tried_in_vain, has_copied_many) = Default::default();
        let replika = Replika { published, write_lock, tried_in_vain, has_copied_many };
        replika.upgrade()?;
        Ok(replika)
    }

    pub(crate) fn publish(&self) -> Result<(), Error> {
        self.published.replace(Published::take(self.current())?);
        Ok(())
    }

    fn current(&self) -> Arc<Opened> {
        self.published.read(|published| Arc::clone(&published.database))
    }

    /// The open database: opened anew first, where it has failed and nobody writes.
    pub(crate) fn database(&self) -> Arc<Opened> {
        if self.current().latch().first().is_some() {
            self.open_anew();
        }
        self.current()
    }

    /// Opens the storage anew after a failure: the storage engine goes by its first failure for as long as it is open.
    #[cold]
    fn open_anew(&self) {
        // Whoever writes finds the failure, and the next one here opens it anew.
        let Some(lock) = self.try_write_lock() else { return };
        self.open_anew_locked();
        drop(lock);
        self.announce();
    }

    /// Opens the storage anew, by whoever holds the lock of writers; false when it cannot be.
    pub(crate) fn opens_anew_locked(&self) -> bool {
        self.open_anew_locked();
        self.current().latch().first().is_none()
    }

    fn open_anew_locked(&self) {
        let failed = self.current();
        let mut tried = self.tried_in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        let is_too_soon = tried.is_some_and(|tried| tried.elapsed() < NEXT_TRY);
        if failed.latch().first().is_none() || is_too_soon {
            return;
        }
        *tried = match failed.reopen().and_then(|opened| self.go_over_to(opened)) {
            Ok(()) => None,
            Err(_) => Some(Instant::now()),
        };
    }

    /// Reads and writes go to another database from now on; snapshots that are held keep the one they have.
    pub(crate) fn go_over_to(&self, opened: Opened) -> Result<(), Error> {
        self.published.replace(Published::take(Arc::new(opened))?);
        Ok(())
    }

    /// Tells whoever waits for a delivery which is the last.
    pub(crate) fn announce(&self) {
        self.published.announce();
    }

    /// Waits until the store has this delivery; false when the time is up first. Whoever applies need not know who
    /// waits.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use cpr_replika::{Config, DeliveryNumber, Replika};
    /// let replika = Replika::in_memory(&Config::default())?;
    /// assert!(!replika.wait_for(DeliveryNumber(1), Duration::from_millis(1)));
    /// # Ok::<(), cpr_replika::Error>(())
    /// ```
    pub fn wait_for(&self, delivery: DeliveryNumber, timeout: Duration) -> bool {
        self.published.wait(delivery, timeout)
    }

    /// Has `listener` called with the number of each new delivery, once a snapshot shows it, until what is returned is
    /// dropped.
    ///
    /// It is called on the thread that applied the delivery, so it should do no more than wake somebody: send on a
    /// channel, or notify an async task.
    ///
    /// ```
    /// use cpr_replika::{Config, Replika};
    /// let replika = Replika::in_memory(&Config::default())?;
    /// let (wake, woken) = std::sync::mpsc::channel();
    /// let listening = replika.on_delivery(move |delivery| _ = wake.send(delivery));
    /// drop(listening);
    /// assert!(woken.recv().is_err());
    /// # Ok::<(), cpr_replika::Error>(())
    /// ```
    pub fn on_delivery(&self, listener: impl Fn(DeliveryNumber) + Send + Sync + 'static) -> DeliveryListener {
        self.published.listen(Box::new(listener))
    }

    /// Runs what writes without waiting for whoever writes already: where it would wait, it does nothing and the answer
    /// is [`Error::Busy`]. This is the form of every call that waits for the writer for who cannot.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Error, EventCursor};
    /// let replika = demo()?;
    /// match replika.without_waiting(|replika| replika.add_consumer("school", EventCursor::BEGINNING)) {
    ///     Err(Error::Busy) => println!("somebody writes; later"),
    ///     added => added?,
    /// }
    /// assert_eq!(replika.consumers()?.len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Busy`], and those of what is run.
    pub fn without_waiting<T>(&self, write: impl FnOnce(&Replika) -> Result<T, Error>) -> Result<T, Error> {
        /// Puts back what was, however the call ends.
        struct Restore(bool);
        impl Drop for Restore {
            fn drop(&mut self) {
                DOES_NOT_WAIT.set(self.0);
            }
        }
        let _restore = Restore(DOES_NOT_WAIT.replace(true));
        write(self)
    }

    /// Waits until nobody else writes. A database that has failed is opened anew first.
    ///
    /// # Errors
    /// [`Error::Busy`] instead of waiting, inside [`Replika::without_waiting`].
    pub(crate) fn write_lock(&self) -> Result<MutexGuard<'_, ()>, Error> {
        let lock = match DOES_NOT_WAIT.get() {
            true => self.try_write_lock().ok_or(Error::Busy)?,
            false => self.write_lock.lock().unwrap_or_else(PoisonError::into_inner),
        };
        self.open_anew_locked();
        Ok(lock)
    }

    fn try_write_lock(&self) -> Option<MutexGuard<'_, ()>> {
        match self.write_lock.try_lock() {
            Ok(lock) => Some(lock),
            Err(TryLockError::Poisoned(lock)) => Some(lock.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Runs one durable transaction, which is told the last delivery, and publishes what it made.
    ///
    /// # Errors
    /// [`Error::MaybeChanged`] where a failure leaves it open whether the change is stored; after any other it is not.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&WriteTransaction, u32) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _lock = self.write_lock()?;
        let database = self.current();
        let (before, is_being_stored) = (database.last_commit(), Cell::new(false));
        let changed = database.latch().sound(|| {
            let write = database.begin_write()?;
            let answer = change(&write, self.snapshot().known().0)?;
            let commit = span!("commit");
            is_being_stored.set(true);
            write.commit()?;
            drop(commit);
            self.publish()?;
            Ok(answer)
        });
        match changed {
            Err(error) if is_being_stored.get() => Err(self.settle_change(&database, error, || {
                let after = self.current().last_commit();
                before.is_some() && after == before
            })),
            changed => changed,
        }
    }

    /// What a change that was being stored came to, told by whoever holds the lock of writers: where the storage, opened
    /// anew, does not show it, it is not stored, and all there is to tell is what failed.
    fn settle_change(&self, database: &Opened, error: Error, is_undone: impl FnOnce() -> bool) -> Error {
        let error = database.check_sound().err().unwrap_or(error);
        if self.opens_anew_locked() && is_undone() {
            return error;
        }
        Error::MaybeChanged(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventCursor;

    #[test]
    fn a_store_of_another_format_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        drop(Replika::create(&path, &Config::default()).unwrap());
        let opened_as = |format: &str| {
            let opened = Opened::open(&path, &Options::default()).unwrap();
            let write = opened.begin_write().unwrap();
            write.open_table(META).unwrap().insert("format", format).unwrap();
            write.commit().unwrap();
            drop(opened);
            Replika::open(&path)
        };
        let newer = opened_as(&(FORMAT + 1).to_string());
        assert!(matches!(newer, Err(Error::NewerFormat { found, supported: FORMAT }) if found > FORMAT), "{newer:?}");
        let older = opened_as("1");
        assert!(matches!(older, Err(Error::OlderFormat { found: 1, supported: 4 })), "{older:?}");
        assert!(opened_as(&FORMAT.to_string()).is_ok());
    }

    #[test]
    fn a_creation_that_was_cut_off_is_told_as_that_and_missing_settings_as_damage() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        std::fs::write(&path, vec![0; 4 * 4096]).unwrap();
        assert!(matches!(Replika::open(&path), Err(Error::Unfinished)), "its length, and nothing else");
        for (left, kept) in [("beginning", 0..512), ("end", 7 * 512..8 * 512)] {
            std::fs::remove_file(&path).unwrap();
            drop(Opened::create(&path, &Options::default()).unwrap());
            let mut begun = vec![0; 4 * 4096];
            begun[kept.clone()].copy_from_slice(&std::fs::read(&path).unwrap()[kept]);
            std::fs::write(&path, begun).unwrap();
            assert!(matches!(Replika::open(&path), Err(Error::Unfinished)), "of its header the {left} alone");
        }
        std::fs::remove_file(&path).unwrap();
        drop(Opened::create(&path, &Options::default()).unwrap());
        assert!(matches!(Replika::open(&path), Err(Error::Unfinished)), "no tables");
        std::fs::remove_file(&path).unwrap();
        drop(Replika::create(&path, &Config::default()).unwrap());
        let opened = Opened::open(&path, &Options::default()).unwrap();
        let write = opened.begin_write().unwrap();
        write.open_table(META).unwrap().remove("format").unwrap();
        write.commit().unwrap();
        drop(opened);
        assert!(matches!(Replika::open(&path), Err(Error::Corrupt { .. })));
    }

    #[test]
    fn a_store_whose_file_is_gone_or_replaced_is_not_written_any_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let other = directory.path().join("other");
        let replika = Replika::create(&path, &Config::default()).unwrap();
        std::fs::rename(&path, &other).unwrap();
        replika.add_consumer("renamed", EventCursor::BEGINNING).unwrap();
        std::fs::write(&path, "another").unwrap();
        std::fs::rename(&path, &other).unwrap();
        assert!(matches!(replika.add_consumer("replaced", EventCursor::BEGINNING), Err(Error::Replaced)));
        let replika = Replika::create(&path, &Config::default()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(replika.add_consumer("gone", EventCursor::BEGINNING), Err(Error::Replaced)));
    }
}

//! Writes the state of a snapshot to a folder of packs.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use cpr_pack::{Description, Kind, Packs, Summary, Writer};
use roaring::RoaringBitmap;
use sha2::{Digest, Sha256};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::state_digest::StateDigest;
use crate::packs::current::Current;
use crate::packs::opening::PackOpening;
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::secret::read_secret;
use crate::store::source::Source;

/// An overlay that is a larger part of its base than one in so many makes place for a new base,
const LARGEST_PART: u64 = 4;

/// unless it is as small as this: of each table an overlay has a block or two, however little differs.
const SMALL_BYTES: u64 = 1024 * 1024;

/// Looks at a base before it becomes current: at what is read of it, and at its file, where its bytes are what they
/// stand for.
pub(crate) type Prove<'a> = dyn FnMut(&Snapshot, Option<&Path>) -> Result<(), Error> + 'a;

/// What was written to a folder of packs.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PackReport {
    /// As of which delivery.
    pub delivery: DeliveryNumber,
    /// True for a base, which holds every row; false for an overlay, which holds those that differ from the base.
    pub is_base: bool,
    /// The digest of the state, which stands in the file too.
    pub digest: StateDigest,
    /// The name of the file.
    pub file: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
}

impl Snapshot {
    /// Makes this state the one that a folder of packs holds: by an overlay of what differs from the base that stands
    /// there, in the place of the overlay before it, or by a new base where there is none, where the store is not the
    /// one that the base was written of, only further on, or where the overlay would be larger than a quarter of the
    /// base (and than 1 MiB).
    ///
    /// Of persons, those whom the deliveries since the base brought are compared; all other tables are read whole, here
    /// and in the base. What an index row holds stands in it whole: where a delivery touches most of them, as it does
    /// of sets and words, the overlay has most of those tables.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = tempfile::tempdir()?;
    /// let replika = demo()?;
    /// assert!(replika.snapshot().write_pack(folder.path())?.is_base, "the first");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Snapshot::write_base`].
    pub fn write_pack(&self, folder: impl AsRef<Path>) -> Result<PackReport, Error> {
        let target = Target::lock(self, folder.as_ref())?;
        if let Some(base) = target.usable_base(self)
            && let Some((current, report)) = target.write_overlay(self, &base)?
        {
            return target.make_current(current, report);
        }
        target.write_base(self)
    }

    /// Writes everything to a new base in a folder of packs, made for its owner alone when it is not there, and makes
    /// it the state that the folder holds; what it held before is removed, and whoever has it open keeps it. Packs of
    /// an encrypted store are encrypted, by the key of the same source.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Packed, cpr_model::Pnr};
    /// let folder = tempfile::tempdir()?;
    /// demo()?.snapshot().write_base(folder.path())?;
    /// // In any other process, on any machine that has the folder:
    /// let snapshot = Packed::open(folder.path())?.snapshot();
    /// let sofie = Pnr::parse(b"6101801234").ok_or("ten digits")?;
    /// assert_eq!(snapshot.person(sofie)?.ok_or("held")?.children().len(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::OtherPacks`] when the folder holds packs of another store; [`Error::Busy`] when somebody else writes
    /// there; [`Error::Key`] when the key source of an encrypted store gives none; [`Error::Pack`], [`Error::Folder`].
    pub fn write_base(&self, folder: impl AsRef<Path>) -> Result<PackReport, Error> {
        Target::lock(self, folder.as_ref())?.write_base(self)
    }

    /// As [`Snapshot::write_base`], with a base that becomes current only when `prove` finds nothing against it.
    pub(crate) fn write_proved_base(&self, folder: &Path, prove: &mut Prove<'_>) -> Result<PackReport, Error> {
        Target::lock(self, folder)?.write_proved_base(self, prove)
    }

    /// Whether packs of this store may be written to a folder.
    pub(crate) fn check_packs(&self, folder: &Path) -> Result<(), Error> {
        Target::lock(self, folder).map(drop)
    }

    /// Has packs of before an erase hold what the store holds: where persons went, and the packs could not be written.
    pub(crate) fn renew_packs(&self, folder: &Path) -> Result<(), Error> {
        let target = Target::lock(self, folder)?;
        if target.current.is_some() && target.usable_base(self).is_none() {
            target.write_base(self)?;
        }
        Ok(())
    }

    /// Whom the deliveries after one brought: only of them anything can differ from what was as of it.
    fn brought_since(&self, delivery: DeliveryNumber) -> Result<RoaringBitmap, Error> {
        let mut persons = RoaringBitmap::new();
        for number in (delivery.0 + 1..=self.known().0).map(DeliveryNumber) {
            persons |= self.changed_keys(number)? | self.redelivered_keys(number)?;
        }
        Ok(persons)
    }
}

impl Replika {
    /// Has a folder of packs hold what the store holds once a delivery is stored; the error says that it is.
    pub(crate) fn pack_delivery(&self, folder: &Path, delivery: DeliveryNumber) -> Result<PackReport, Error> {
        let written = self.snapshot().write_pack(folder);
        written.map_err(|error| Error::NotPacked { delivery, error: Box::new(error) })
    }
}

/// A folder that this process alone writes to.
struct Target {
    folder: PathBuf,
    store: [u8; 16],
    current: Option<Current>,
    /// Packs are encrypted where the store is.
    opening: PackOpening,
    _lock: File,
}

impl Target {
    /// Makes and locks the folder.
    fn lock(snapshot: &Snapshot, folder: &Path) -> Result<Target, Error> {
        let opening = PackOpening::to_write(snapshot.source().pack_key()?);
        let made = private_file::make_folder(folder);
        made.map_err(|source| Error::Folder { doing: "making the folder of packs", source })?;
        let lock = lock(folder)?;
        let (store, current) = (store_id(snapshot)?, Current::read(folder)?);
        if current.as_ref().is_some_and(|current| current.store != store) {
            return Err(Error::OtherPacks);
        }
        Ok(Target { folder: folder.to_owned(), store, current, opening, _lock: lock })
    }

    /// The base that stands there, when an overlay over it can be written: what it says of deliveries is what the store
    /// says. A base that cannot be read makes place for a new one.
    fn usable_base(&self, snapshot: &Snapshot) -> Option<Base> {
        let current = self.current.as_ref()?;
        let pack = Arc::new(self.opening.open(&self.folder.join(&current.base)).ok()?);
        if pack.description().rows_version != snapshot.source().format() {
            return None;
        }
        let packs = Arc::new(Packs::new(pack, None).ok()?);
        let state = Snapshot::over(Source::of_packs(&packs, self.opening.key()).ok()?).ok()?;
        let ledger = snapshot.deliveries().ok()?;
        let is_before = state.deliveries().is_ok_and(|below| ledger.starts_with(&below));
        let bytes = fs::metadata(self.folder.join(&current.base)).ok()?.len();
        // An erase takes away what no delivery has told of.
        let is_whole = state.erases().ok()? == snapshot.erases().ok()?;
        (is_before && is_whole).then(|| Base { name: current.base.clone(), packs, state, bytes })
    }

    /// None when it would be too large, or when something is gone that no delivery has told of.
    fn write_overlay(&self, snapshot: &Snapshot, base: &Base) -> Result<Option<(Current, PackReport)>, Error> {
        let kind = Kind::Overlay { base_delivery: base.state.known().0, base_seal: base.packs.base().seal() };
        let touched = snapshot.brought_since(base.state.known())?;
        let (file, mut writer) = self.begin(snapshot, "overlay", kind)?;
        snapshot.tables().write_changes(base.state.tables(), &touched, &mut writer)?;
        let digest = match snapshot.ledger_digest() {
            Some(digest) => digest,
            None => {
                let mut sum = StateDigest::from_bytes(base.packs.base().description().digest).sum();
                sum.take(base.state.sum_of_all(&touched)?);
                sum.add(snapshot.sum_of_all(&touched)?);
                snapshot.digest_of(sum)?
            }
        };
        writer.set_digest(digest.to_bytes());
        let summary = writer.publish()?;
        let pack = self.opening.open(&self.folder.join(&file))?;
        let packs = Arc::new(Packs::new(Arc::clone(base.packs.base()), Some(Arc::new(pack)))?);
        let state = Snapshot::over(Source::of_packs(&packs, self.opening.key())?)?;
        let is_whole = snapshot.tables().persons.len()? == state.tables().persons.len()?
            && snapshot.tables().superseded.len()? == state.tables().superseded.len()?;
        if !is_whole || summary.bytes > SMALL_BYTES.max(base.bytes / LARGEST_PART) {
            return Ok(None);
        }
        let current = self.current_of(snapshot, base.name.clone(), Some(file.clone()));
        Ok(Some((current, report(snapshot, file, digest, summary, false))))
    }

    fn write_base(&self, snapshot: &Snapshot) -> Result<PackReport, Error> {
        self.write_proved_base(snapshot, &mut |_, _| Ok(()))
    }

    fn write_proved_base(&self, snapshot: &Snapshot, prove: &mut Prove<'_>) -> Result<PackReport, Error> {
        let (file, mut writer) = self.begin(snapshot, "base", Kind::Base)?;
        let digest = thread::scope(|scope| {
            let digest = scope.spawn(|| snapshot.known_digest());
            snapshot.tables().write_all(&mut writer)?;
            digest.join().unwrap_or_else(|panic| resume_unwind(panic))
        })?;
        writer.set_digest(digest.to_bytes());
        let summary = writer.publish()?;
        let path = self.folder.join(&file);
        let packs = Arc::new(Packs::new(Arc::new(self.opening.open(&path)?), None)?);
        let is_plain = !packs.base().is_encrypted();
        let state = Snapshot::over(Source::of_packs(&packs, self.opening.key())?)?;
        prove(&state, is_plain.then_some(&path)).inspect_err(|_| _ = fs::remove_file(&path))?;
        let current = self.current_of(snapshot, file.clone(), None);
        self.make_current(current, report(snapshot, file, digest, summary, true))
    }

    fn begin(&self, snapshot: &Snapshot, word: &str, kind: Kind) -> Result<(String, Writer<cpr_pack::NewFile>), Error> {
        let delivery = snapshot.known();
        let (file, rows_version) = (new_name(word, delivery)?, snapshot.source().format());
        let description = Description { store: self.store, kind, delivery: delivery.0, rows_version, digest: [0; 32] };
        let path = self.folder.join(&file);
        let writer = match self.opening.key() {
            None => Writer::create(&path, &description)?,
            Some(key) => {
                let cipher = key.new_cipher(&self.store).map_err(cpr_pack::Error::Cipher)?;
                Writer::create_sealed(&path, &description, cipher)?
            }
        };
        Ok((file, writer))
    }

    fn current_of(&self, snapshot: &Snapshot, base: String, overlay: Option<String>) -> Current {
        Current { store: self.store, delivery: snapshot.known(), base, overlay }
    }

    fn make_current(&self, current: Current, report: PackReport) -> Result<PackReport, Error> {
        current.write(&self.folder)?;
        remove_others(&self.folder, &current);
        Ok(report)
    }
}

/// The base of a folder, open.
struct Base {
    name: String,
    packs: Arc<Packs>,
    state: Snapshot,
    bytes: u64,
}

fn report(snapshot: &Snapshot, file: String, digest: StateDigest, summary: Summary, is_base: bool) -> PackReport {
    PackReport { delivery: snapshot.known(), is_base, digest, file, bytes: summary.bytes, rows: summary.rows }
}
/// By what packs of one store know each other: made of its secret, so that a copy of the store has it too.
pub(crate) fn store_id(snapshot: &Snapshot) -> Result<[u8; 16], Error> {
    let secret = read_secret(&snapshot.tables().meta)?;
    let digest = Sha256::new().chain_update(b"replika packs of a store").chain_update(secret).finalize();
    Ok(*digest.first_chunk().expect("a digest has 32 bytes"))
}

/// One writer at a time. Readers need no lock. What a writer that was killed has renamed and removed is durable from
/// here on: who finds that done has nothing left to do.
pub(crate) fn lock(folder: &Path) -> Result<File, Error> {
    let io = |source| Error::Folder { doing: "locking the folder of packs", source };
    let path = folder.join("LOCK");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(io)?;
    match file.try_lock() {
        Ok(()) => private_file::sync_folder_of(&path).map(|()| file).map_err(io),
        Err(TryLockError::WouldBlock) => Err(Error::Busy),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// A name that no pack had: a reader that finds a name in `CURRENT` opens this pack or none.
fn new_name(kind: &str, delivery: DeliveryNumber) -> Result<String, Error> {
    let mut random = [0; 6];
    getrandom::fill(&mut random).map_err(|error| Error::Random(io::Error::from(error)))?;
    Ok(format!("{kind}-{delivery}-{}.pack", hex::encode(random)))
}

/// Removes packs that are not current any more, and what a writer that was killed has left, and makes that durable: who
/// was erased is in them. What cannot be removed stays.
pub(crate) fn remove_others(folder: &Path, current: &Current) {
    let is_ours = |name: &str| {
        let part = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
        let name = part.unwrap_or(name);
        (name.starts_with("base-") || name.starts_with("overlay-")) && name.ends_with(".pack")
    };
    let mut is_changed = false;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some(name) = entry.file_name().to_str()
            && is_ours(name)
            && !current.files().any(|file| file == name)
        {
            is_changed |= fs::remove_file(entry.path()).is_ok();
        }
    }
    if is_changed {
        private_file::sync_folder_of(&folder.join("LOCK")).ok();
    }
}

//! Writes the state of a snapshot to a folder of packs.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cpr_pack::{Description, Kind, Writer};
use sha2::{Digest, Sha256};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::packs::current::Current;
use crate::snapshot::Snapshot;
use crate::store::secret::read_secret;
use crate::store::tables::FORMAT;

/// What was written to a folder of packs.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PackReport {
    /// As of which delivery.
    pub delivery: DeliveryNumber,
    /// The name of the file.
    pub file: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
}

impl Snapshot {
    /// Writes everything to a new base in a folder of packs, made for its owner alone when it is not there, and makes it
    /// the state that the folder holds; what it held before is removed, and whoever has it open keeps it.
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
    /// [`Error::OtherPacks`] when the folder holds packs of another store; [`Error::EncryptedStore`], since packs are not
    /// encrypted; [`Error::Busy`] when somebody else writes there; [`Error::Pack`], [`Error::Folder`].
    pub fn write_base(&self, folder: impl AsRef<Path>) -> Result<PackReport, Error> {
        if self.source().is_encrypted() {
            return Err(Error::EncryptedStore);
        }
        let folder = folder.as_ref();
        let made = private_file::make_folder(folder);
        made.map_err(|source| Error::Folder { doing: "making the folder of packs", source })?;
        let _lock = lock(folder)?;
        let store = store_id(self)?;
        if Current::read(folder)?.is_some_and(|current| current.store != store) {
            return Err(Error::OtherPacks);
        }
        let delivery = self.known();
        let file = new_name("base", delivery)?;
        let description =
            Description { store, kind: Kind::Base, delivery: delivery.0, rows_version: FORMAT, digest: [0; 32] };
        let mut writer = Writer::create(&folder.join(&file), &description)?;
        self.tables().write_to(&mut writer)?;
        let summary = writer.publish()?;
        let current = Current { store, delivery, base: file.clone(), overlay: None };
        current.write(folder)?;
        remove_others(folder, &current);
        Ok(PackReport { delivery, file, bytes: summary.bytes, rows: summary.rows })
    }
}

/// By what packs of one store know each other: made of its secret, so that a copy of the store has it too.
pub(crate) fn store_id(snapshot: &Snapshot) -> Result<[u8; 16], Error> {
    let secret = read_secret(&snapshot.tables().meta)?;
    let digest = Sha256::new().chain_update(b"replika packs of a store").chain_update(secret).finalize();
    Ok(*digest.first_chunk().expect("a digest has 32 bytes"))
}

/// One writer at a time. Readers need no lock.
fn lock(folder: &Path) -> Result<File, Error> {
    let io = |source| Error::Folder { doing: "locking the folder of packs", source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join("LOCK"));
    let file = file.map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
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

/// Removes packs that are not current any more, and what a writer that was killed has left. What cannot be removed stays.
fn remove_others(folder: &Path, current: &Current) {
    let is_ours = |name: &str| {
        let is_pack = (name.starts_with("base-") || name.starts_with("overlay-")) && name.ends_with(".pack");
        is_pack || name.starts_with(cpr_pack::UNFINISHED)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some(name) = entry.file_name().to_str()
            && is_ours(name)
            && !current.files().any(|file| file == name)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

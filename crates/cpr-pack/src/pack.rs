//! One pack that is open: its description, its tables, and the ways to get there.

use std::fs::File;
use std::path::Path;

use crate::cipher::CipherSource;
use crate::contents::{Contents, Opening};
use crate::error::Error;
use crate::header::{Description, Seal};
use crate::keys::Keys;
use crate::memory::Memory;
use crate::section::Section;
use crate::space::{Bytes, Checks};
use crate::table::Table;
use crate::verify::{self, Fault, Verified};

/// A base or an overlay, open for reading by any number of threads.
pub struct Pack {
    contents: Contents,
}

impl Pack {
    /// Opens a pack that is in memory already.
    ///
    /// # Errors
    ///
    /// [`Error::NotAPack`], [`Error::Version`], [`Error::Unknown`] for what no program of this version wrote;
    /// [`Error::Length`] and [`Error::Damaged`] for what was written and is not the same any more.
    pub fn from_bytes(bytes: Vec<u8>, checks: Checks) -> Result<Pack, Error> {
        Pack::of(Bytes::Memory(Memory::of(bytes)), Opening::Plain(checks))
    }

    /// Opens an encrypted pack that is in memory already: all of it is decrypted there, at once.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Pack::from_bytes); [`Error::Cipher`] when the source gives no cipher, and
    /// [`Error::NotEncrypted`].
    pub fn from_sealed_bytes(bytes: Vec<u8>, ciphers: &dyn CipherSource) -> Result<Pack, Error> {
        Pack::of(Bytes::Memory(Memory::of(bytes)), Opening::Sealed { ciphers, cache_bytes: 0 })
    }

    /// Reads all of a pack into memory of this process.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Pack::from_bytes), and [`Error::Io`].
    pub fn read(path: &Path, checks: Checks) -> Result<Pack, Error> {
        Pack::of(Bytes::Memory(read_all(path)?), Opening::Plain(checks))
    }

    /// Reads all of an encrypted pack into memory of this process, and decrypts it there: from then on it is as fast as
    /// a plain one.
    ///
    /// # Errors
    ///
    /// As [`from_sealed_bytes`](Pack::from_sealed_bytes), and [`Error::Io`].
    pub fn read_sealed(path: &Path, ciphers: &dyn CipherSource) -> Result<Pack, Error> {
        Pack::of(Bytes::Memory(read_all(path)?), Opening::Sealed { ciphers, cache_bytes: 0 })
    }

    /// Opens a pack. Rows are read from the file when they are asked for, and so is the index, 64 KiB at a time, which
    /// is kept.
    ///
    /// ```
    /// # use cpr_pack::{Checks, Description, Keys, Kind, Pack, Writer};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("base.pack");
    /// # let description = Description { store: [7; 16], kind: Kind::Base, delivery: 3, rows_version: 1, digest: [0; 32] };
    /// let mut writer = Writer::create(&path, &description)?;
    /// writer.table("persons", Keys::Numbers)?;
    /// writer.row(7, b"seven")?;
    /// writer.publish()?;
    ///
    /// let pack = Pack::open(&path, Checks::AtFirstTouch)?;
    /// assert_eq!(pack.description().delivery, 3);
    /// assert_eq!(pack.table("persons", Keys::Numbers)?.get(7)?.as_deref(), Some(&b"seven"[..]));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Pack::from_bytes), and [`Error::Io`].
    pub fn open(path: &Path, checks: Checks) -> Result<Pack, Error> {
        Pack::of(Bytes::File(open(path)?), Opening::Plain(checks))
    }

    /// Opens an encrypted pack. A block of rows is decrypted when it is read, and kept for the next reader, as far as
    /// `cache_bytes` reach; the index is decrypted 64 KiB at a time, and kept.
    ///
    /// # Errors
    ///
    /// As [`from_sealed_bytes`](Pack::from_sealed_bytes), and [`Error::Io`].
    pub fn open_sealed(path: &Path, ciphers: &dyn CipherSource, cache_bytes: usize) -> Result<Pack, Error> {
        Pack::of(Bytes::File(open(path)?), Opening::Sealed { ciphers, cache_bytes })
    }

    pub(crate) fn of(bytes: Bytes, opening: Opening<'_>) -> Result<Pack, Error> {
        Contents::of(bytes, opening).map(|contents| Pack { contents })
    }

    /// What the pack says of itself.
    pub fn description(&self) -> &Description {
        &self.contents.description
    }

    /// Whether its file is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.contents.is_encrypted
    }

    /// When its rows are compared with their checks; those of an encrypted one always are.
    pub fn checks(&self) -> Checks {
        self.contents.space.when()
    }

    /// By which an overlay names its base.
    pub fn seal(&self) -> Seal {
        self.contents.seal
    }

    /// Names and keys of the tables, in the order of the names.
    pub fn tables(&self) -> impl Iterator<Item = (&str, Keys)> {
        self.contents.parts.iter().map(|part| (&*part.entry.name, part.entry.keys))
    }

    /// A table of this pack alone. In an overlay these are the rows that differ from its base; [`Packs`](crate::Packs)
    /// reads both as one.
    ///
    /// # Errors
    ///
    /// [`Error::NoTable`], [`Error::OtherKeys`].
    pub fn table(&self, name: &str, keys: Keys) -> Result<Table<'_>, Error> {
        let section = self.section(name, keys)?;
        section.map(|section| Table::of(section, None)).ok_or_else(|| Error::NoTable { name: name.to_owned() })
    }

    pub(crate) fn section(&self, name: &str, keys: Keys) -> Result<Option<Section<'_>>, Error> {
        Ok(self.place_of(name, keys)?.map(|place| self.section_at(place)))
    }

    /// Where among the tables one stands.
    pub(crate) fn place_of(&self, name: &str, keys: Keys) -> Result<Option<usize>, Error> {
        self.contents.place_of(name, keys)
    }

    #[inline]
    pub(crate) fn section_at(&self, place: usize) -> Section<'_> {
        Section { contents: &self.contents, part: &self.contents.parts[place] }
    }

    /// Reads everything and compares it: every block with its check, whatever [`Checks`] say; order and number of rows,
    /// the index and every hash section with the rows.
    ///
    /// # Errors
    ///
    /// The first [`Error::Damaged`]; [`Error::Io`].
    pub fn verify(&self) -> Result<Verified, Error> {
        let (verified, faults) = self.verify_all(1)?;
        faults.first().map_or(Ok(verified), |fault| Err(Error::damaged(fault.what, fault.at)))
    }

    /// As [`verify`](Pack::verify), and goes on behind a fault: what is sound, and the faults, so many at most.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn verify_all(&self, most_faults: usize) -> Result<(Verified, Vec<Fault>), Error> {
        verify::verify(&self.contents, most_faults)
    }
}

fn read_all(path: &Path) -> Result<Memory, Error> {
    let file = Bytes::File(open(path)?);
    let length = file.length()?;
    file.copy(0..length)
}

fn open(path: &Path) -> Result<File, Error> {
    // Opening a pipe waits for whoever writes to it, and a device has no end.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Error::NotAPack);
    }
    File::open(path).map_err(Error::io("opening a pack"))
}

/// Says what pack it is, not what it holds.
impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack").field("description", &self.contents.description).finish_non_exhaustive()
    }
}

//! One pack that is open: its description, its tables, and the ways to get there.

use std::fs::File;
use std::path::Path;

use crate::contents::Contents;
use crate::error::Error;
use crate::header::{Description, Seal};
use crate::keys::Keys;
use crate::memory::Memory;
use crate::section::Section;
use crate::space::{Bytes, Checks};
use crate::table::Table;
use crate::verify::{self, Verified};

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
        Pack::of(Bytes::Memory(Memory::of(bytes)), checks)
    }

    /// Reads all of a pack into memory of this process.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Pack::from_bytes), and [`Error::Io`].
    pub fn read(path: &Path, checks: Checks) -> Result<Pack, Error> {
        let bytes = Bytes::File(open(path)?);
        let length = bytes.length()?;
        Pack::of(Bytes::Memory(bytes.copy(0..length)?), checks)
    }

    /// Opens a pack and reads its index; rows are read from the file when they are asked for.
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
        Pack::of(Bytes::File(open(path)?), checks)
    }

    pub(crate) fn of(bytes: Bytes, when: Checks) -> Result<Pack, Error> {
        Contents::of(bytes, when).map(|contents| Pack { contents })
    }

    /// What the pack says of itself.
    pub fn description(&self) -> &Description {
        &self.contents.description
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
        verify::verify(&self.contents)
    }
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(Error::io("opening a pack"))
}

/// Says what pack it is, not what it holds.
impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack").field("description", &self.contents.description).finish_non_exhaustive()
    }
}

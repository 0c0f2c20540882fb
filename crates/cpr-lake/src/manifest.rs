//! What a lake was begun with, so that only the same is added to it: `lake.toml` in its folder.
//!
//! It names the profile, the family of layouts and a fingerprint of the key, which tells keys apart and gives none
//! away.

use std::fs;
use std::path::Path;

use private_file::PartFile;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::pseudonym::PseudonymKey;
use crate::schema::Table;

const FILE: &str = "lake.toml";

/// The layout of folders and columns that this crate writes.
const FORMAT: u32 = 1;

/// What a lake was begun with.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    profile: String,
    family: String,
    key: String,
    /// SHA-256 of all columns with their types and precisions.
    columns: String,
}

impl Manifest {
    pub(crate) fn new(profile: &str, family: &str, key: &PseudonymKey, tables: &[Table]) -> Manifest {
        let mut columns = Sha256::new();
        for table in tables {
            columns.update(format!("{} {:?}\n", table.name(), table.columns));
        }
        Manifest {
            format: FORMAT,
            profile: profile.to_owned(),
            family: family.to_owned(),
            key: key.fingerprint(),
            columns: hex::encode(columns.finalize()),
        }
    }

    /// What the folder was begun with; none where it is no lake.
    pub(crate) fn read(folder: &Path) -> Result<Option<Manifest>, Error> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| Error::File { path, error })?,
        };
        // What cannot be read was written by another version.
        toml::from_str(&text).map(Some).map_err(|_| Error::OtherLake { what: "version" })
    }

    /// That a lake which was begun with `self` is added to with `other`.
    pub(crate) fn check_same(&self, other: &Manifest) -> Result<(), Error> {
        let parts = [
            ("version", self.format == other.format),
            ("family of layouts", self.family == other.family),
            ("key", self.key == other.key),
            ("profile", self.profile == other.profile && self.columns == other.columns),
        ];
        match parts.into_iter().find(|(_, is_same)| !is_same) {
            Some((what, _)) => Err(Error::OtherLake { what }),
            None => Ok(()),
        }
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        let Manifest { format, profile, family, key, columns } = self;
        // Names of profiles and families need no escapes.
        let text = format!(
            "format = {format}\nprofile = \"{profile}\"\nfamily = \"{family}\"\nkey = \"{key}\"\ncolumns = \"{columns}\"\n"
        );
        write_text(&folder.join(FILE), &text)
    }
}

/// Writes a text file, for its owner alone, in the place of the one before.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), Error> {
    let write = || -> std::io::Result<()> {
        let part = PartFile::create(path)?;
        std::io::Write::write_all(&mut part.file(), text.as_bytes())?;
        part.publish()
    };
    write().map_err(|error| Error::File { path: path.to_owned(), error })
}

//! One error type: what was refused, or what is wrong with a pack and where; never what a key or a value says.

use std::io;

use crate::keys::Keys;

/// Why a pack could not be written, opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system did not do what was asked of it.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not begin as packs do.
    #[error("this is not a pack")]
    NotAPack,
    /// The pack is of another version of the format.
    #[error("the pack is of version {found} of the format, this program reads version {expected}")]
    Version {
        /// The version of the pack.
        found: u32,
        /// The version that this crate reads and writes.
        expected: u32,
    },
    /// The pack uses something that this version of the format does not have.
    #[error("the pack uses {what}, which this program does not know")]
    Unknown {
        /// What it uses.
        what: &'static str,
    },
    /// The pack is encrypted: it is opened with a source of its cipher, and cannot be mapped.
    #[error("the pack is encrypted")]
    Encrypted,
    /// The pack is not encrypted, and was opened as one that is.
    #[error("the pack is not encrypted")]
    NotEncrypted,
    /// The source of the cipher gives none, as for a wrong key; or the cipher fails.
    #[error("the cipher of a pack: {0}")]
    Cipher(#[source] io::Error),
    /// The file is shorter or longer than its header says; lengths in bytes.
    #[error("the pack has {found} bytes, its header says {stated}")]
    Length {
        /// The length that stands in the header.
        stated: u64,
        /// The length of the file.
        found: u64,
    },
    /// Bytes of the pack are not what was written, or contradict one another.
    #[error("the pack is damaged: {what}, at byte {at}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// Where, counted from the start of the file.
        at: u64,
    },
    /// Base and overlay do not belong together.
    #[error("base and overlay do not belong together: {why}")]
    Unrelated {
        /// What does not fit.
        why: &'static str,
    },
    /// The pack has no such table.
    #[error("the pack has no table {name:?}")]
    NoTable {
        /// The name that was asked for.
        name: String,
    },
    /// A table was asked as if it had the other kind of keys.
    #[error("the table's keys are {found}, not {asked}")]
    OtherKeys {
        /// The kind that was asked for.
        asked: Keys,
        /// The kind that the table has.
        found: Keys,
    },
    /// A row was written that does not stand behind the one before; rows are counted from 0.
    #[error("row {row} of table {table:?} does not stand behind the one before")]
    Order {
        /// The name of the table.
        table: String,
        /// Its place in the table.
        row: u64,
    },
    /// Something was to be written that the format has no room for, or no place.
    #[error("a pack cannot hold this: {why}")]
    Unwritable {
        /// What does not fit.
        why: &'static str,
    },
}

impl Error {
    /// For `map_err`: the error of the system, with what was being done.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { doing, source }
    }

    #[cold]
    pub(crate) fn damaged(what: &'static str, at: u64) -> Error {
        Error::Damaged { what, at }
    }
}

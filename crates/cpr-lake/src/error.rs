//! Why a lake could not be written: where and what, never whom.

use std::io;
use std::path::PathBuf;

use cpr_replika::DeliveryNumber;

/// Why a lake could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store or pack that is read.
    #[error(transparent)]
    Engine(#[from] cpr_replika::Error),
    /// There is no delivery yet, so that nothing is known.
    #[error("there is no delivery yet")]
    Empty,
    /// A file or folder of the lake.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The files that persons are sorted by on their way.
    #[error("a temporary file: {0}")]
    Temporary(io::Error),
    /// What the Parquet writer says.
    #[error("a Parquet file cannot be written")]
    Parquet(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A profile that does not say what it wants.
    #[error("the profile: {0}")]
    Profile(ProfileError),
    /// The folder holds a lake already, and no delivery was named to go on from.
    #[error("the folder holds a lake already, up to delivery {last}; go on from there")]
    Exists {
        /// The last delivery in it.
        last: DeliveryNumber,
    },
    /// The folder holds no lake that could be added to.
    #[error("the folder holds no lake to go on from")]
    NoLake,
    /// The folder holds something else.
    #[error("the folder is not empty, and holds no lake")]
    NotALake,
    /// The lake does not end where it is to go on from.
    #[error("the lake ends at delivery {last}, not at {since}")]
    OtherEnd {
        /// The last delivery in it.
        last: DeliveryNumber,
        /// The one that was named.
        since: DeliveryNumber,
    },
    /// The lake was begun with another profile, key, or family of layouts, or by another version of this crate.
    #[error("the lake was begun with another {what}; begin a new one")]
    OtherLake {
        /// What is another one.
        what: &'static str,
    },
    /// Two persons have one pseudonym under this key.
    #[error("two persons have one pseudonym under this key; take another")]
    Collision,
}

/// What is wrong with a profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// It is no TOML, or not of the form.
    #[error("line {line}: {what}")]
    Form {
        /// From 1.
        line: usize,
        /// What TOML's reader says, without the text it stands in.
        what: String,
    },
    /// A name that is none.
    #[error("its name is letters, digits, - and _")]
    Name,
    /// A table that no product has.
    #[error("there is no table of this name: {0}")]
    Table(String),
    /// A column that the table has in no product.
    #[error("table {table} has no column {column} in any product")]
    Column {
        /// The table.
        table: String,
        /// What was named.
        column: String,
    },
    /// Ages that do not rise from 0.
    #[error("age_groups begin at 0 and rise")]
    AgeGroups,
}

impl Error {
    pub(crate) fn parquet(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Parquet(error.into())
    }
}

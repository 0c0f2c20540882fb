//! What every command is given: the store it is about and how it prints, and the opening of that store.

use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::Replika;

use crate::failure::Failure;

/// The options that stand before or after every subcommand.
#[derive(Args, Debug)]
pub(crate) struct Globals {
    /// The store: one file.
    #[arg(long, global = true, value_name = "PATH")]
    store: Option<PathBuf>,

    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Globals {
    pub(crate) fn store_path(&self) -> Result<&Path, Failure> {
        self.store.as_deref().ok_or(Failure::Usage("which store? give --store PATH"))
    }

    pub(crate) fn open_to_read(&self) -> Result<Replika, Failure> {
        Ok(Replika::open_read_only(self.store_path()?)?)
    }

    pub(crate) fn open_to_write(&self) -> Result<Replika, Failure> {
        Ok(Replika::open(self.store_path()?)?)
    }
}

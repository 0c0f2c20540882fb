//! `load`: an extract as the starting point of a store.

use std::path::PathBuf;

use clap::Args;
use cpr_replika::{Allow, Replika};

use crate::context::Globals;
use crate::failure::Failure;
use crate::intake::{IntakeOptions, Target};

#[derive(Args, Debug)]
pub(crate) struct Load {
    /// The extract.
    file: PathBuf,
    #[command(flatten)]
    options: IntakeOptions,
    /// Load into a store that has deliveries already.
    #[arg(long)]
    allow_reload: bool,
}

pub(crate) fn load_extract(globals: &Globals, load: &Load) -> Result<(), Failure> {
    let target = Target::open(globals, &load.options)?;
    let allow = Allow { reload: load.allow_reload, ..load.options.allowed() };
    target.take(&load.file, &load.options, allow, globals.json, |replika: &Replika, file, options| {
        replika.load(file, options)
    })
}

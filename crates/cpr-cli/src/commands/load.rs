//! `load`: an extract as the starting point of a store.

use std::path::PathBuf;

use clap::Args;
use cpr_replika::{Allow, Replika};

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_file::InputFile;
use crate::intake::{IntakeOptions, Target};
use crate::screen::Screen;

#[derive(Args, Debug)]
pub(crate) struct Load {
    /// The extract; `-` for standard input.
    file: PathBuf,
    #[command(flatten)]
    options: IntakeOptions,
    /// Load into a store that has deliveries already. Persons whom the file does not hold stay as they were last known.
    #[arg(long)]
    allow_reload: bool,
}

pub(crate) fn load_extract(globals: &Globals, load: &Load, screen: &mut Screen) -> Result<(), Failure> {
    load.options.config()?;
    let extract = InputFile::open(&load.file)?;
    let mut target = Target::open(globals, &load.options)?;
    let allow = Allow { reload: load.allow_reload, ..load.options.allowed() };
    target.take(globals, &extract, &load.options, allow, screen, Replika::load)?;
    target.pack(globals, &load.options, screen)
}

//! `thin`: what an applied extract has for each subscriber, written once more.

use std::path::PathBuf;

use clap::Args;

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_file::InputFile;
use crate::outbox::{self, Outbox};
use crate::screen::Screen;

#[derive(Args, Debug)]
pub(crate) struct Thin {
    /// The extract, which was applied; `-` for standard input.
    file: PathBuf,
    /// The folder that holds a folder for each subscriber.
    folder: PathBuf,
    /// Write a file for a subscriber that nobody matches too: start and end record only.
    #[arg(long)]
    empty: bool,
}

pub(crate) fn thin_delivery(globals: &Globals, thin: &Thin, screen: &mut Screen) -> Result<(), Failure> {
    globals.refuse_packs("`thin` notes in the store which files a subscriber was given; leave --pack out")?;
    let extract = InputFile::open(&thin.file)?;
    let replika = globals.open_to_write()?;
    outbox::deliver(globals, &replika, &extract, &Outbox { folder: &thin.folder, empty: thin.empty }, screen)
}

//! `man`: the manual pages of this command, one for each of its commands.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The folder to write to: replika.1, replika-load.1, ... Pages that are there are replaced.
    folder: PathBuf,
}

/// The pages are about nobody: they are for everybody to read.
pub(crate) fn write_manual(options: &Man, command: clap::Command) -> Result<(), Failure> {
    let written = std::fs::create_dir_all(&options.folder)
        .and_then(|()| clap_mangen::generate_to(command.disable_help_subcommand(true), &options.folder));
    written.map(|_| ()).map_err(|error| Failure::Writing(visible::path(&options.folder), error))
}

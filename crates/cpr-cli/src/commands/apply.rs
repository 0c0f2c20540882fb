//! `apply`: change extracts, one transaction each, and with `--deliver` on to the subscribers.

use std::path::PathBuf;

use clap::Args;
use cpr_replika::Replika;

use crate::context::Globals;
use crate::failure::Failure;
use crate::intake::{IntakeOptions, Target};
use crate::outbox;

#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// The extracts, oldest first.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    options: IntakeOptions,
    /// Once a file is applied, write what it has for each subscriber: DIR/NAME/DYYMMDD.LTASK.
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    deliver: Option<PathBuf>,
    /// With --deliver: a file for a subscriber that nobody matches too, start and end record only.
    #[arg(long, requires = "deliver")]
    empty: bool,
}

pub(crate) fn apply_extracts(globals: &Globals, apply: &Apply) -> Result<(), Failure> {
    let target = Target::open(globals, &apply.options)?;
    let allow = apply.options.allowed();
    for file in &apply.files {
        target.take(file, &apply.options, allow, globals.json, |replika: &Replika, file, options| {
            replika.apply(file, options)
        })?;
        if let Some(folder) = &apply.deliver {
            outbox::deliver(target.replika(), file, folder, apply.empty, globals.json)?;
        }
    }
    Ok(())
}

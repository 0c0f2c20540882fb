//! `apply`: change extracts, one transaction each, and with `--deliver` on to the subscribers.

use std::path::PathBuf;

use clap::Args;
use cpr_replika::Replika;

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_file::InputFile;
use crate::intake::{IntakeOptions, Target};
use crate::outbox::{self, Outbox};
use crate::screen::Screen;

#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// The extracts, oldest first; `-` for standard input.
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

pub(crate) fn apply_extracts(globals: &Globals, apply: &Apply, screen: &mut Screen) -> Result<(), Failure> {
    apply.options.config()?;
    let allow = apply.options.allowed();
    let mut opened = None;
    for file in &apply.files {
        // What comes through a pipe comes at its own pace; nobody is kept from the store for it.
        let extract = InputFile::open(file)?;
        if opened.is_none() {
            opened = Some(Target::open_for_changes(globals, &apply.options)?);
        }
        let target = opened.as_mut().expect("opened for the first extract");
        target.take(globals, &extract, &apply.options, allow, screen, Replika::apply)?;
        let Some(folder) = &apply.deliver else {
            target.pack(globals, &apply.options, screen)?;
            continue;
        };
        // Whoever asks upon a file is told what is in it, so the packs have it before; and once more when it is given,
        // with what is noted of that.
        target.write_packs(globals, &apply.options)?;
        let outbox = Outbox { folder, empty: apply.empty };
        outbox::deliver(globals, target.replika(), &extract, &outbox, screen)?;
    }
    Ok(())
}

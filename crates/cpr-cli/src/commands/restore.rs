//! `restore`: a store made of what a folder of packs holds.

use std::path::PathBuf;

use clap::Args;
use cpr_replika::Replika;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The folder of packs.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The store to make; nothing may stand there. With --key-file it is encrypted.
    #[arg(short, long, value_name = "STORE")]
    output: PathBuf,
}

pub(crate) fn restore_store(globals: &Globals, restore: &Restore, screen: &mut Screen) -> Result<(), Failure> {
    let Restore { folder, output } = restore;
    let meter = Meter::open_ended("restoring");
    let restored = Replika::restore(folder, output, &globals.options());
    drop(meter);
    let restored = restored.map_err(|error| Failure::Engine(error, Some(visible::path(folder))))?;
    let known = restored.snapshot().known();
    let file = visible::path(output);
    if globals.json {
        return screen.print_json(&Restored { file, known: known.0 });
    }
    writeln!(screen, "{file}: restored as of delivery {known}")
}

#[derive(Serialize)]
struct Restored {
    file: String,
    known: u32,
}

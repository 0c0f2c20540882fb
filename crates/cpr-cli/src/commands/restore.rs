//! `restore`: a store made of what a folder of packs holds, or as of an earlier delivery.

use std::path::PathBuf;

use clap::Args;
use cpr_replika::{Error, Packed, Replika, RestoreReport};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::{KnownAt, parse_known};
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Restore {
    /// The folder of packs.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The store to make; nothing may stand there. With --key-file it is encrypted.
    #[arg(short, long, value_name = "STORE")]
    output: PathBuf,
    /// As it was after this delivery (its number, or the day YYYY-MM-DD); the later ones are to be applied again.
    #[arg(long, value_name = "N|DATE", value_parser = parse_known)]
    known_at: Option<KnownAt>,
}

pub(crate) fn restore_store(globals: &Globals, restore: &Restore, screen: &mut Screen) -> Result<(), Failure> {
    let Restore { folder, output, known_at } = restore;
    let of_folder = |error| Failure::Engine(error, Some(visible::path(folder)));
    let meter = Meter::open_ended("restoring");
    let packs = match Packed::open(folder) {
        Err(Error::KeyNeeded) => Packed::open_encrypted(folder, &globals.options()),
        opened => opened,
    };
    let packs = packs.map_err(of_folder)?;
    let known = match known_at {
        Some(_) => KnownAt::resolve(*known_at, &packs.snapshot())?,
        None => None,
    };
    let restored = match known {
        Some(known) => Replika::restore_known_at(folder, output, known, &globals.options()),
        None => Replika::restore(folder, output, &globals.options()).map(|whole| (whole, RestoreReport::default())),
    };
    drop(meter);
    let (restored, RestoreReport { consumers, files, .. }) = restored.map_err(|error| match error {
        Error::Exists | Error::Locked => Failure::Engine(error, Some(visible::path(output))),
        error => of_folder(error),
    })?;
    let known = restored.snapshot().known();
    let file = visible::path(output);
    if globals.json {
        return screen.print_json(&Restored { file, known: known.0, consumers, files });
    }
    writeln!(screen, "{file}: restored as of delivery {known}")?;
    for consumer in consumers {
        writeln!(
            screen,
            "reader of events {} had come further: it goes on behind delivery {known}",
            visible::one_line(&consumer)
        )?;
    }
    match files {
        0 => Ok(()),
        1 => writeln!(screen, "1 file that a subscriber was given is of a later delivery: it is to be given again"),
        _ => writeln!(
            screen,
            "{files} files that subscribers were given are of later deliveries: they are to be given again"
        ),
    }
}

#[derive(Serialize)]
struct Restored {
    file: String,
    known: u32,
    consumers: Vec<String>,
    files: u64,
}

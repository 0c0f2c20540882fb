//! `export`: the whole replica as a full extract, whole in its place or not there.

use clap::Args;
use cpr_replika::DeliveryNumber;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::output_file::OutputOptions;
use crate::plural::persons;
use crate::screen::Screen;
use crate::values::{KnownAt, parse_known};

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = parse_known)]
    known_at: Option<KnownAt>,
    #[command(flatten)]
    output: OutputOptions,
}

pub(crate) fn export_replica(globals: &Globals, export: &Export, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    let known = KnownAt::resolve(export.known_at, &snapshot)?;
    let count = export.output.write(globals, screen, |mut out| snapshot.export(known, &mut out))?;
    let (file, known) = (export.output.shown(), known.unwrap_or(snapshot.known()));
    if export.output.is_screen() {
        return Ok(());
    }
    if globals.json {
        return screen.print_json(&Exported { file, known, persons: count });
    }
    writeln!(screen, "{file}: {} as known after delivery {known}", persons(count))
}

#[derive(Serialize)]
struct Exported {
    file: String,
    known: DeliveryNumber,
    persons: u64,
}

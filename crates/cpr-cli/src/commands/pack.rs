//! `pack`: the state of the store, frozen in a folder of packs.

use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::PackReport;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Pack {
    /// The folder; made for its owner alone when it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write everything anew, not what differs from the base that stands there.
    #[arg(long)]
    base: bool,
}

pub(crate) fn write_packs(globals: &Globals, pack: &Pack, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot_to_walk()?;
    let meter = Meter::open_ended("packing");
    let written = if pack.base { snapshot.write_base(&pack.folder) } else { snapshot.write_pack(&pack.folder) };
    drop(meter);
    let report = written.map_err(|error| Failure::Engine(error, Some(visible::path(&pack.folder))))?;
    if globals.json {
        return screen.print_json(&Written::of(&pack.folder, &report));
    }
    write_report(screen, &pack.folder, &report)
}

/// What an intake had written to the folder of packs that was named, for people.
pub(crate) fn tell(globals: &Globals, written: Option<&PackReport>, screen: &mut Screen) -> Result<(), Failure> {
    let Some((folder, report)) = globals.packs().zip(written).filter(|_| !globals.json) else { return Ok(()) };
    write_report(screen, folder, report)?;
    screen.flush()
}

/// What was written, for people.
fn write_report(screen: &mut Screen, folder: &Path, report: &PackReport) -> Result<(), Failure> {
    let (shown, kind) = (visible::path(&folder.join(&report.file)), kind(report));
    let PackReport { delivery, bytes, rows, .. } = report;
    writeln!(screen, "{shown}: {kind} as of delivery {delivery}, {rows} rows, {bytes} bytes")
}

fn kind(report: &PackReport) -> &'static str {
    if report.is_base { "base" } else { "overlay" }
}

#[derive(Serialize)]
struct Written {
    file: String,
    pack: &'static str,
    known: u32,
    rows: u64,
    bytes: u64,
    digest: String,
}

impl Written {
    fn of(folder: &Path, report: &PackReport) -> Written {
        Written {
            file: visible::path(&folder.join(&report.file)),
            pack: kind(report),
            known: report.delivery.0,
            rows: report.rows,
            bytes: report.bytes,
            digest: report.digest.to_string(),
        }
    }
}

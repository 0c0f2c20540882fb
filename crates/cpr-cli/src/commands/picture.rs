//! `picture`: one person's facts drawn with both clocks, as SVG or as a page with a slider of deliveries.
//!
//! What is drawn, and how, is `cpr-picture`'s business.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_picture::{Moment, Picture as Drawing};
use cpr_replika::cpr_model::{Aspect, Pnr};
use cpr_replika::{Fact, Snapshot};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::output_file::write_new;
use crate::screen::Screen;
use crate::values::{Person, Wanted};
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Picture {
    #[command(flatten)]
    person: Person,
    /// The file to write, for its owner alone; standard output when left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only these aspects, by commas: address,civil_status.
    #[arg(long, value_name = "ASPECT", value_delimiter = ',', value_parser = parse_aspect)]
    aspect: Vec<Aspect>,
    /// A page with a slider of deliveries, not SVG alone. It fetches nothing.
    #[arg(long)]
    html: bool,
    /// Have names, numbers and addresses stand in it.
    #[arg(long)]
    reveal: bool,
    /// Replace a file that is there already.
    #[arg(long, requires = "output")]
    force: bool,
}

fn parse_aspect(text: &str) -> Result<Aspect, Wanted> {
    Aspect::from_name(text).ok_or_else(|| Wanted::new("the name of an aspect: address, civil_status, name, …"))
}

pub(crate) fn draw_person(globals: &Globals, picture: &Picture, screen: &mut Screen) -> Result<(), Failure> {
    let pnr = picture.person.pnr()?;
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, Some(pnr), None)?;
    let drawn = draw(&snapshot, pnr, picture)?;
    let Some(path) = &picture.output else { return write!(screen, "{drawn}") };
    // A file cannot be held back until the access log has it: the log comes first.
    if let Some(account) = screen.account() {
        account.shows(drawn.split(|c: char| !c.is_ascii_digit()).filter_map(|run| Pnr::parse(run.as_bytes())));
    }
    screen.finish(true)?;
    screen.account_for(None);
    write_new(globals, path, picture.force, |out| Ok(out.write_all(drawn.as_bytes())?))?;
    print_written(globals, screen, path)
}

fn draw(snapshot: &Snapshot, pnr: Pnr, picture: &Picture) -> Result<String, Failure> {
    let write = if picture.html { cpr_picture::html } else { cpr_picture::svg };
    draw_versions(snapshot, pnr, &picture.aspect, picture.reveal, write)
}

/// Has a person drawn; the number is the title where numbers are shown.
pub(crate) fn draw_versions(
    snapshot: &Snapshot,
    pnr: Pnr,
    aspects: &[Aspect],
    reveal: bool,
    write: impl FnOnce(&Drawing<'_>) -> Result<String, cpr_picture::Error>,
) -> Result<String, Failure> {
    let versions = snapshot.versions(pnr)?.ok_or(Failure::UnknownPerson)?;
    let facts: Vec<Fact<'_>> = versions.facts().collect();
    let deliveries = snapshot.deliveries()?;
    let moment = |row: &cpr_replika::Delivery| Moment { delivery: row.number.0, produced: row.production_date };
    let deliveries: Vec<Moment> = deliveries.iter().map(moment).collect();
    let title = Some(pnr.reveal());
    let drawing = Drawing { facts: &facts, deliveries: &deliveries, aspects, title, reveal };
    write(&drawing).map_err(|error| match error {
        cpr_picture::Error::Nothing => Failure::Usage("the person has no fact of these aspects (--aspect)"),
        _ => Failure::Query(error.to_string()),
    })
}

fn print_written(globals: &Globals, screen: &mut Screen, path: &Path) -> Result<(), Failure> {
    let file = visible::path(path);
    match globals.json {
        true => screen.print_json(&Written { file }),
        false => writeln!(screen, "{file}: written"),
    }
}

#[derive(Serialize)]
struct Written {
    file: String,
}

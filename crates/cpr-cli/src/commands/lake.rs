//! `lake`: the facts with both clocks as Parquet, for engines that span machines (cargo feature `lake`).
//!
//! Which profile and which key are meant is told here; what is written is `cpr-lake`'s business.

use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;
use cpr_lake::{LakeOptions, LakeReport, Profile, PseudonymKey, write_lake};
use cpr_replika::{DeliveryNumber, KeyFile, KeySource, Snapshot};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_text::read_text;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::parse_delivery;
use crate::visible;

#[derive(Args, Debug)]
pub(crate) struct Lake {
    /// The folder; made for its owner alone when it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What leaves the house: `default` (no number, no name, of an address the municipality), `whole`, or a file of
    /// your own, whose name ends in .toml.
    #[arg(long, value_name = "NAME", default_value = "default")]
    profile: String,
    /// Go on from this delivery, at which the lake ends; without it a lake is begun.
    #[arg(long, value_name = "N", value_parser = parse_delivery)]
    since: Option<u32>,
    /// Who gets the lake: each recipient knows persons by other pseudonyms. The name of the profile when left out.
    #[arg(long, value_name = "NAME", conflicts_with = "pseudonym_key")]
    recipient: Option<String>,
    /// A file with the recipient's key (`replika key new`), so that a store made anew gives the same pseudonyms;
    /// without it the key is derived from the store's secret.
    #[arg(long, value_name = "FILE")]
    pseudonym_key: Option<PathBuf>,
}

/// Threads that write at most; more would take memory and gain little.
const MOST_THREADS: usize = 4;

pub(crate) fn write_parquet(globals: &Globals, lake: &Lake, screen: &mut Screen) -> Result<(), Failure> {
    let profile = read_profile(&lake.profile)?;
    let snapshot = globals.snapshot_to_walk()?;
    let key = find_key(lake, &profile, &snapshot)?;
    let threads = thread::available_parallelism().map_or(1, |count| count.get().min(MOST_THREADS));
    let options = LakeOptions { profile: &profile, key: &key, since: lake.since.map(DeliveryNumber), threads };
    let meter = Meter::open_ended("writing");
    let written = write_lake(&snapshot, &lake.folder, &options, |_| ());
    drop(meter);
    let report = written.map_err(|error| failure(&lake.folder, error))?;
    let folder = visible::path(&lake.folder);
    if globals.json {
        return screen.print_json(&Written::of(folder, &profile, &report));
    }
    let LakeReport { last, deliveries, rows, bytes, .. } = report;
    writeln!(
        screen,
        "{folder}: profile {}, up to delivery {last}; {deliveries} written now, {rows} rows, {bytes} bytes",
        profile.name
    )
}

fn read_profile(name: &str) -> Result<Profile, Failure> {
    if let Some(profile) = Profile::shipped(name) {
        return Ok(profile);
    }
    if !name.ends_with(".toml") {
        return Err(Failure::Usage("a profile is `default`, `whole`, or a file whose name ends in .toml (--profile)"));
    }
    let shown = visible::path(Path::new(name));
    let text = read_text(Path::new(name))?;
    Profile::parse(&text).map_err(|error| Failure::Query(format!("{shown}: {error}")))
}

fn find_key(lake: &Lake, profile: &Profile, snapshot: &Snapshot) -> Result<PseudonymKey, Failure> {
    let key = match &lake.pseudonym_key {
        Some(file) => {
            let source = KeyFile::new(file);
            // Persons have their pseudonyms by it for as long as there are lakes of it.
            let key = source.key(&[0; 16]).and_then(|key| source.make_durable().map(|()| key));
            key.map_err(|error| Failure::Reading(visible::path(file), error))?
        }
        None => {
            let recipient = lake.recipient.as_deref().unwrap_or(&profile.name);
            snapshot.derive_key(&format!("lake, pseudonyms for {recipient}"))?
        }
    };
    Ok(PseudonymKey::new(&key))
}

/// Why the command ends when a lake cannot be written.
fn failure(folder: &Path, error: cpr_lake::Error) -> Failure {
    match error {
        cpr_lake::Error::Engine(error) => error.into(),
        cpr_lake::Error::File { path, error } => Failure::Writing(visible::path(&path), error),
        cpr_lake::Error::Temporary(error) => Failure::Writing("a temporary file".to_owned(), error),
        cpr_lake::Error::Exists { last } => {
            Failure::Lake(visible::path(folder), format!("{}: --since {last}", cpr_lake::Error::Exists { last }))
        }
        error => Failure::Lake(visible::path(folder), error.to_string()),
    }
}

#[derive(Serialize)]
struct Written<'a> {
    folder: String,
    profile: &'a str,
    known: u32,
    deliveries: u32,
    rows: u64,
    bytes: u64,
}

impl<'a> Written<'a> {
    fn of(folder: String, profile: &'a Profile, report: &LakeReport) -> Written<'a> {
        let LakeReport { last, deliveries, rows, bytes, .. } = *report;
        Written { folder, profile: &profile.name, known: last.0, deliveries, rows, bytes }
    }
}

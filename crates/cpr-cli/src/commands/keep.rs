//! `keep`: who is kept of what CPR sends; `admit`, which fetches who was left out; `tidy`, by which others go.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::cpr_subscription::Filter;
use cpr_replika::{Keep as Rule, Replika, Snapshot, TidyOptions};
use serde::Serialize;
use serde_json::json;

use super::erase;
use crate::clock::now;
use crate::context::Globals;
use crate::failure::Failure;
use crate::input_file::InputFile;
use crate::intake::{IntakeOptions, Target};
use crate::keep_rule;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::{Hidden, parse_count};

#[derive(Args, Debug)]
pub(crate) struct Keep {
    /// Who is kept from now on, in the place of what was said before: numbers, ages 0-17, municipalities 0851,
    /// addresses, several of these at once 0-17+0851, or `everything`. Whom subscribers follow is in any case;
    /// `followed` says that nobody else is. Without any the rule is printed.
    #[arg(value_name = "WHOM")]
    whom: Vec<Hidden>,
    /// Those too whose records name one who is kept as parent, child or spouse, or in a row on custody.
    #[arg(long, requires = "whom")]
    families: bool,
    /// So many days after it was last needed a person goes by `tidy`; 30 when left out.
    #[arg(long, value_name = "DAYS", requires = "whom", value_parser = parse_count::<u16>)]
    grace: Option<u16>,
}

#[derive(Args, Debug)]
pub(crate) struct Admit {
    /// The full extract, of the production date of the last delivery; `-` for standard input.
    file: PathBuf,
    #[command(flatten)]
    options: IntakeOptions,
}

#[derive(Args, Debug)]
pub(crate) struct Tidy {
    /// List and count who would go, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Event records of deliveries that were produced more than so many days before the last one go too.
    #[arg(long, value_name = "DAYS", value_parser = parse_count::<u16>, conflicts_with = "dry_run")]
    keep_events: Option<u16>,
    /// A folder of packs of the store that is to hold nothing of them either: a new base is written to it.
    #[arg(long, value_name = "DIR")]
    packs: Vec<PathBuf>,
}

pub(crate) fn keep_persons(globals: &Globals, keep: &Keep, screen: &mut Screen) -> Result<(), Failure> {
    if keep.whom.is_empty() {
        return print_rule(globals, &globals.snapshot()?, screen);
    }
    let rule = keep_rule::read(&keep.whom, keep.families, keep.grace)?;
    let replika = globals.open_to_write()?;
    replika.keep(&rule)?;
    print_rule(globals, &replika.snapshot(), screen)
}

#[derive(Serialize)]
struct Kept<'a> {
    filters: Option<&'a [Filter]>,
    families: bool,
    grace_days: u16,
    left_out: u64,
    waiting: u64,
}

fn print_rule(globals: &Globals, snapshot: &Snapshot, screen: &mut Screen) -> Result<(), Failure> {
    let rule = snapshot.keep()?;
    let left_out = snapshot.left_out()?.len();
    let mut waiting = snapshot.keep_waiting_for_admission()?.len() as u64;
    for subscriber in snapshot.subscribers()? {
        waiting += snapshot.waiting_for_admission(&subscriber.name)?.len() as u64;
    }
    if globals.json {
        let Rule { families, grace_days, .. } = rule.clone().unwrap_or_default();
        let filters = rule.as_ref().map(|rule| &rule.filters[..]);
        return screen.print_json(&Kept { filters, families, grace_days, left_out, waiting });
    }
    let Some(rule) = rule else { return writeln!(screen, "everybody is kept") };
    writeln!(screen, "kept are {}", keep_rule::describe(&rule))?;
    writeln!(screen, "{left_out} numbers are left out; {waiting} filters wait until persons are admitted")
}

pub(crate) fn admit_persons(globals: &Globals, admit: &Admit, screen: &mut Screen) -> Result<(), Failure> {
    admit.options.config()?;
    let extract = InputFile::open(&admit.file)?;
    let mut target = Target::open(globals, &admit.options)?;
    target.take(globals, &extract, &admit.options, admit.options.allowed(), screen, Replika::admit)?;
    target.pack(globals, &admit.options, screen)
}

pub(crate) fn tidy_store(globals: &Globals, tidy: &Tidy, screen: &mut Screen) -> Result<(), Failure> {
    if tidy.dry_run {
        let snapshot = globals.snapshot()?;
        screen.asks(&snapshot, None, None)?;
        return erase::print_scope(globals, &snapshot.tidy_scope()?, screen);
    }
    let replika = globals.open_to_write()?;
    let packs: Vec<&Path> = tidy.packs.iter().map(PathBuf::as_path).collect();
    let meter = Meter::open_ended("tidying");
    let progress = |so_far| {
        meter.show_rewriting(so_far);
        ControlFlow::Continue(())
    };
    let erasure = replika.tidy(&TidyOptions {
        at: Some(now()),
        keep_events_days: tidy.keep_events,
        packs: &packs,
        progress: Some(&progress),
    })?;
    drop(meter);
    match (erasure, globals.json) {
        (Some(erasure), _) => erase::print_erasure(globals, &replika, &erasure, screen),
        (None, true) => screen.print_json(&json!({ "persons": 0 })),
        (None, false) => writeln!(screen, "everybody who is held is needed, or was within the days of grace"),
    }
}

//! `inspect`: what an extract is, without a store.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;
use cpr_replika::Error;
use cpr_replika::cpr_extract::{self, CheckOptions, Checked, FIRST_LINES, Family, Waive, check};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_file::InputFile;
use crate::screen::Screen;
use crate::values::{find_family, parse_count};

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The extract; `-` for standard input.
    file: PathBuf,
    /// Read it as this layout family (std, uuid, 2022, u12180, full) instead of finding out.
    #[arg(long)]
    family: Option<String>,
    /// How many different faults are listed; equal ones are one.
    #[arg(long, value_name = "N", default_value = "20", value_parser = parse_count::<usize>)]
    faults: usize,
}

pub(crate) fn inspect_extract(globals: &Globals, inspect: &Inspect, screen: &mut Screen) -> Result<(), Failure> {
    let InputFile { mut file, shown, .. } = InputFile::open(&inspect.file)?;
    let failed = |error| Failure::Reading(shown.clone(), error);
    let checked = match &inspect.family {
        Some(name) => check_file(&mut file, find_family(name)?, inspect).map_err(failed)?,
        None => {
            let found = |file: &mut File, lines| {
                let found = cpr_extract::find_family(file, &[], lines).map_err(failed)?;
                found.map_err(|families| Failure::Engine(Error::AmbiguousFamily { families }, Some(shown.clone())))
            };
            let family = found(&mut file, FIRST_LINES)?;
            let first = check_file(&mut file, family, inspect).map_err(failed)?;
            // What does not fit may be a variant whose own records come late.
            match first.is_sound() {
                true => first,
                false => {
                    let family = found(&mut file, u64::MAX)?;
                    check_file(&mut file, family, inspect).map_err(failed)?
                }
            }
        }
    };
    match globals.json {
        true => screen.print_json(&InspectedFile { file: &shown, checked: &checked })?,
        false => print_text(screen, &shown, &checked)?,
    }
    if checked.is_sound() { Ok(()) } else { Err(Failure::Reported(1)) }
}

fn check_file(file: &mut File, family: &'static Family, inspect: &Inspect) -> std::io::Result<Checked> {
    let waive = Waive::default();
    check(file, CheckOptions { family, chosen: None, ignored: &[], fault_limit: inspect.faults, waive })
}

fn print_text(screen: &mut Screen, file: &str, checked: &Checked) -> Result<(), Failure> {
    writeln!(screen, "{file}: family {} ({})", checked.family.name, checked.family.products)?;
    if let Some(header) = &checked.header {
        let (date, before) = (header.production_date, header.previous_production_date);
        writeln!(screen, "  task {} (customer {}), produced {date}, after {before}", header.task, header.customer())?;
    }
    writeln!(
        screen,
        "  {} bytes, {} lines, line end {}, lines {}",
        checked.bytes,
        checked.lines,
        checked.style.line_end.name(),
        checked.style.padding
    )?;
    writeln!(screen, "  {} persons", checked.persons)?;
    let records: Vec<String> = checked.records.iter().map(|(number, count)| format!("{number:03} x {count}")).collect();
    writeln!(screen, "  records {}", records.join(", "))?;
    if checked.repeated_persons > 0 {
        writeln!(screen, "  {} persons stand in it again, with the same rows", checked.repeated_persons)?;
    }
    if checked.doubled_rows > 0 {
        writeln!(
            screen,
            "  {} current rows of a kind that a person has once stand beside another",
            checked.doubled_rows
        )?;
    }
    if checked.odd_characters > 0 {
        writeln!(screen, "  {} records hold characters that CPR's set does not have", checked.odd_characters)?;
    }
    for fault in &checked.faults {
        writeln!(screen, "  {fault}")?;
    }
    let listed: u64 = checked.faults.iter().map(|fault| 1 + fault.more).sum();
    if checked.fault_count > listed {
        writeln!(screen, "  and {} more faults, of other kinds (--faults)", checked.fault_count - listed)?;
    }
    writeln!(screen, "{}", if checked.is_sound() { "  whole and sound" } else { "  would be refused" })?;
    Ok(())
}

#[derive(Serialize)]
struct InspectedFile<'a> {
    file: &'a str,
    #[serde(flatten)]
    checked: &'a Checked,
}

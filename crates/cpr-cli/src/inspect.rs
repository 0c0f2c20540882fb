//! `inspect`: what an extract is, without a store.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use cpr_replika::Error;
use cpr_replika::cpr_extract::{CheckOptions, Checked, FIRST_LINES, Family, Padding, Waive, check, find_family};

use crate::args::Inspect;
use crate::failure::Failure;
use crate::{json, text};

pub(crate) fn run(inspect: &Inspect, as_json: bool) -> Result<(), Failure> {
    let shown = inspect.file.display().to_string();
    let failed = |error| Failure::File(shown.clone(), error);
    let mut file = File::open(&inspect.file).map_err(failed)?;
    let checked = match &inspect.family {
        Some(name) => checked(&mut file, text::family(name)?, inspect).map_err(failed)?,
        None => {
            let found = |file: &mut File, lines| {
                let found = find_family(file, &[], lines).map_err(failed)?;
                found.map_err(|families| Failure::Engine(Error::AmbiguousFamily { families }, Some(shown.clone())))
            };
            let family = found(&mut file, FIRST_LINES)?;
            let first = checked(&mut file, family, inspect).map_err(failed)?;
            // What does not fit may be a variant whose own records come late.
            match first.is_sound() {
                true => first,
                false => {
                    let family = found(&mut file, u64::MAX)?;
                    checked(&mut file, family, inspect).map_err(failed)?
                }
            }
        }
    };
    if as_json {
        json::print(&as_object(&shown, &checked))?;
    } else {
        print(&shown, &checked)?;
    }
    if checked.is_sound() { Ok(()) } else { Err(Failure::Told(1)) }
}

fn checked(file: &mut File, family: &'static Family, inspect: &Inspect) -> std::io::Result<Checked> {
    file.seek(SeekFrom::Start(0))?;
    let waive = Waive::default();
    check(file, CheckOptions { family, chosen: None, ignored: &[], fault_limit: inspect.faults, waive })
}

fn padding(padding: Padding) -> String {
    match padding {
        Padding::Cut => "trailing blanks cut".to_owned(),
        Padding::Full => "full length".to_owned(),
        Padding::Fixed(bytes) => format!("{bytes} bytes each"),
    }
}

fn print(file: &str, checked: &Checked) -> Result<(), Failure> {
    let out = &mut std::io::stdout().lock();
    writeln!(out, "{file}: family {} ({})", checked.family.name, checked.family.products)?;
    if let Some(header) = &checked.header {
        let (date, before) = (header.production_date, header.previous_production_date);
        writeln!(out, "  task {} (customer {}), produced {date}, after {before}", header.task, header.customer())?;
    }
    writeln!(
        out,
        "  {} bytes, {} lines, line end {}, lines {}",
        checked.bytes,
        checked.lines,
        checked.style.line_end.name(),
        padding(checked.style.padding)
    )?;
    writeln!(out, "  {} persons", checked.persons)?;
    let records: Vec<String> = checked.records.iter().map(|(number, count)| format!("{number:03} x {count}")).collect();
    writeln!(out, "  records {}", records.join(", "))?;
    if checked.odd_characters > 0 {
        writeln!(out, "  {} records hold characters that CPR's set does not have", checked.odd_characters)?;
    }
    for fault in &checked.faults {
        writeln!(out, "  {fault}")?;
    }
    let told = checked.faults.len() as u64;
    if checked.fault_count > told {
        writeln!(out, "  and {} more faults", checked.fault_count - told)?;
    }
    writeln!(out, "{}", if checked.is_sound() { "  whole and sound" } else { "  would be refused" })?;
    Ok(())
}

fn as_object(file: &str, checked: &Checked) -> json::Json {
    let header = checked.header.as_ref().map_or(json::Json::Null, |header| {
        json::object([
            ("task", header.task.as_str().into()),
            ("customer", header.customer().into()),
            ("production_date", header.production_date.to_string().into()),
            ("previous_production_date", header.previous_production_date.to_string().into()),
        ])
    });
    let records: Vec<(String, json::Json)> =
        checked.records.iter().map(|(number, count)| (format!("{number:03}"), (*count).into())).collect();
    json::object([
        ("file", file.into()),
        ("family", checked.family.name.into()),
        ("sound", checked.is_sound().into()),
        ("header", header),
        ("bytes", checked.bytes.into()),
        ("lines", checked.lines.into()),
        ("line_end", checked.style.line_end.name().into()),
        ("padding", padding(checked.style.padding).into()),
        ("persons", checked.persons.into()),
        ("records", json::object(records.iter().map(|(number, count)| (number.as_str(), count.clone())))),
        ("odd_characters", checked.odd_characters.into()),
        ("fault_count", checked.fault_count.into()),
        ("faults", json::Json::Array(checked.faults.iter().map(json::fault).collect())),
    ])
}

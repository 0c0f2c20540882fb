//! The tables in which the engine stands beside other stores.

use std::fmt::{self, Write as _};

use benches::peers::{DOCUMENTS, ENGINE, PACKS, ROWS};
use serde_json::Value;

use super::{figure, shown};

/// A measure in the results, and how its row is called.
type Row = (&'static str, &'static str);

/// What the stores of rows do as the engine does.
const SAME_JOB: &[Row] = &[
    ("person now, every value decoded, 1 thread, p50", "person now, every value decoded, p50"),
    ("person now, every value decoded, 2 threads, p50", "the same, 2 threads"),
    ("as of a delivery and a moment, unchanged since, 1 thread, p50", "as of (valid, known), unchanged since, p50"),
    (
        "as of a delivery and a moment, 20 superseded rows, 1 thread, p50",
        "as of (valid, known), 20 superseded rows, p50",
    ),
    (
        "as of a delivery and a moment, 20 superseded rows, 1 thread, p99",
        "as of (valid, known), 20 superseded rows, p99",
    ),
    ("history of the address, 1 thread, p50", "history of the address, p50"),
    ("count of a municipality, 1 thread, p50", "count of a municipality, p50"),
    ("count of the children of a municipality, 1 thread, p50", "count of its children, p50"),
    ("open and read one person", "open and read one person"),
    ("open and read one person, after a killed writer", "the same after a killed writer"),
    ("load", "load, persons a second"),
    ("a night, durable", "a night, durable"),
    ("size after the load, allocated", "on disk after the load"),
    ("size after the nights, allocated", "on disk after all nights"),
    ("peak memory of a load", "peak memory of the load"),
];

/// What a store of ready values can do too.
const FLOORS: &[Row] = &[
    ("person now, 1 thread, mean", "person now, back to back"),
    ("person now, 1 thread, p50", "person now, p50"),
    ("person now, 1 thread, p99", "person now, p99"),
    ("person now, 2 threads, p50", "person now, 2 threads, p50"),
    ("person now, CRC32 of the bytes, 1 thread, p50", "with a CRC32 of the bytes, p50"),
    ("open and read one person", "open and read one person"),
    ("load", "load, persons a second"),
    ("a night, durable", "a night, durable"),
    ("size after the load, allocated", "on disk after the load"),
    ("size after the nights, allocated", "on disk after all nights"),
    ("peak memory of a load", "peak memory of the load"),
];

/// What packs do beside the store that they are written of: it comes on top.
const OF_A_STORE: [&str; 3] = ["load", "a night, durable", "peak memory of a load"];

/// The engine beside the stores that read the same extracts, keep both clocks and answer the same questions.
pub(super) fn same_job(results: &Value) -> Result<String, fmt::Error> {
    let text = "**The same job:** the same extracts read, checked and merged, both clocks kept, the same answers, \
         checked before they are timed. SQLite runs inside the process, as the engine does; PostgreSQL is asked \
         through a socket, and its counts read a summary that each night keeps right. What packs add to a load and a \
         night comes on top of the store's.\n\n";
    table(results, SAME_JOB, &ROWS, "replika against the best of the others", against, text)
}

/// The engine beside stores of ready values.
pub(super) fn floors(results: &Value) -> Result<String, fmt::Error> {
    let text = "\n**Floors:** stores that are handed the engine's ready values by key, overwrite them, keep no past and \
         look at no byte of what they hand out but the first. None does the engine's job; the last column says what \
         the job costs beyond handing out and putting away bytes.\n\n";
    let times = |ours: f64, theirs: f64, more_is_better: bool| {
        let times = if more_is_better { theirs / ours } else { ours / theirs };
        format!("{times:.1} x")
    };
    table(results, FLOORS, &DOCUMENTS, "replika, times the lowest floor", times, text)
}

/// The engine's searches beside SQLite with FTS5 and indexes.
pub(super) fn searches(results: &Value) -> Result<String, fmt::Error> {
    const OURS_AND_THEIRS: [&str; 2] = [ENGINE, "SQLite"];
    let mut text = format!(
        "\n| searches among {} persons | replika | SQLite, FTS5 and indexes | replika against SQLite |\n|---|---|---|---|\n",
        results["persons"]
    );
    let figures = results["figures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let measures =
        figures.iter().filter(|figure| figure["store"] == ENGINE).filter_map(|figure| figure["measure"].as_str());
    for measure in measures {
        let [ours, theirs] = OURS_AND_THEIRS.map(|store| figure(results, measure, store));
        let Some(((ours, unit), (theirs, _))) = ours.zip(theirs) else { continue };
        let [our_text, their_text] = [ours, theirs].map(|value| shown(value, unit));
        writeln!(text, "| {measure} | {our_text} | {their_text} | {} |", against(ours, theirs, false))?;
    }
    Ok(text)
}

/// How a figure stands against another.
fn against(ours: f64, theirs: f64, more_is_better: bool) -> String {
    let times = (ours / theirs).max(theirs / ours);
    match (ours > theirs) == more_is_better {
        true => format!("{times:.1} x better"),
        false => format!("**loses**, {times:.1} x"),
    }
}

/// A column for the engine, its packs and each of some stores that were there, and a last one that compares the engine
/// with the best of them. The best of a row is bold.
fn table(
    results: &Value,
    rows: &[Row],
    others: &[&str],
    last: &str,
    compare: impl Fn(f64, f64, bool) -> String,
    head: &str,
) -> Result<String, fmt::Error> {
    let was_there = |store: &&str| results[*store].is_string();
    let stores: Vec<&str> = [ENGINE, PACKS].iter().chain(others).copied().filter(was_there).collect();
    let mut text = head.to_owned();
    let titles: Vec<&str> = stores.iter().map(|store| results[*store].as_str().unwrap_or(store)).collect();
    writeln!(text, "| | {} | {last} |\n|---|{}---|", titles.join(" | "), "---|".repeat(stores.len()))?;
    for (measure, name) in rows {
        let figures = stores.iter().map(|store| figure(results, measure, store));
        let figures: Vec<Option<(f64, &str)>> = figures.collect();
        let more_is_better = figures.iter().flatten().any(|(_, unit)| *unit == "1/s");
        let best_of = |competes: &dyn Fn(&str) -> bool| {
            let values =
                stores.iter().zip(&figures).filter(|(store, _)| competes(store)).filter_map(|(_, found)| *found);
            values.map(|(value, _)| value).reduce(|a, b| if (b > a) == more_is_better { b } else { a })
        };
        let is_pack_of_it = |store: &str| store == PACKS && OF_A_STORE.contains(measure);
        let best = best_of(&|store| !is_pack_of_it(store));
        write!(text, "| {name} |")?;
        for (store, found) in stores.iter().zip(&figures) {
            match found {
                Some((value, unit)) if is_pack_of_it(store) => write!(text, " + {} |", shown(*value, unit))?,
                Some((value, unit)) if Some(*value) == best => write!(text, " **{}** |", shown(*value, unit))?,
                Some((value, unit)) => write!(text, " {} |", shown(*value, unit))?,
                None => write!(text, " – |")?,
            }
        }
        let theirs = best_of(&|store| others.contains(&store));
        let compared = figures[0].zip(theirs).map(|((ours, _), theirs)| compare(ours, theirs, more_is_better));
        writeln!(text, " {} |", compared.as_deref().unwrap_or("–"))?;
    }
    Ok(text)
}

//! Renders the README's tables of figures from the results of the benchmarks: `cargo run -p benches --bin table`.
//!
//! Reads `target/bench-results/*.json` and, when they are there, criterion's estimates. Prints Markdown; with
//! `--write FILE` it replaces what stands between the two markers in the file. The best of a row is bold, whoever it
//! is, and the last column says how the engine stands against the best of the peers that did the same.

use std::fmt::Write as _;
use std::path::Path;

use benches::peers::{OURS, STORES};
use benches::results::target_folder;
use serde_json::Value;

const BEGIN: &str = "<!-- figures -->";
const END: &str = "<!-- /figures -->";

/// Where SQLite's rows stand among the stores.
const ROWS_AT: usize = 4;

/// Where the packs stand.
const PACKS_AT: usize = 1;

/// What packs do not do by themselves: they are written beside the store.
const OF_A_STORE: [&str; 3] = ["load", "a night, durable", "peak memory of a load"];

/// The rows of the table of peers: the measure in the results, and how the row is called.
const ROWS: &[(&str, &str)] = &[
    ("person now, 1 thread, mean", "person now, back to back (1)"),
    ("person now, 1 thread, p50", "person now, p50 (1)"),
    ("person now, 1 thread, p99", "person now, p99 (1)"),
    ("person now, 2 threads, p50", "person now, 2 threads, p50 (1)"),
    ("person now, 2 threads, p99", "person now, 2 threads, p99 (1)"),
    ("person now, CRC32 of the bytes, 1 thread, p50", "the same with a CRC32 of the bytes, p50"),
    ("person now, every value decoded, 1 thread, p50", "person now, every value decoded, p50"),
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
    ("open and read one person", "open and read one person"),
    ("open and read one person, after a killed writer", "the same after a killed writer"),
    ("load", "load, persons a second (2)"),
    ("a night, durable", "a night, durable (3)"),
    ("size after the load, allocated", "on disk after the load"),
    ("size after the nights, allocated", "on disk after all nights"),
    ("peak memory of a load", "peak memory of the load"),
];

const NOTES: &str = "\
(1) The engine checks a whole value (CRC32 and archive) before it believes a byte of it; the peers hand out bytes and look at none but
the first. SQLite's rows have no such reading: see *every value decoded*. (2) The engine and SQLite's rows read, check and take apart
the extract; the other peers are given ready documents in key order, an easier job. (3) The engine and SQLite's rows work out what
changed and keep what ceased to be believed; the others overwrite the same persons with the documents that the engine made. Packs are written of the
store and read by any number of processes; each of their blocks was checked when it was first touched, and a person's value is checked
as in the store. Their *load* is a base, *a night* an overlay, beside the store's own. A dash: the store has no such thing, or was not asked.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = render()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => println!("{text}"),
        ["--write", path] => write_between(Path::new(path), &text)?,
        _ => return Err("usage: table [--write FILE]".into()),
    }
    Ok(())
}

fn render() -> Result<String, Box<dyn std::error::Error>> {
    let sizes = results("peers")?;
    if sizes.is_empty() {
        return Err("no results yet: cargo bench -p benches --bench peers".into());
    }
    let mut text = String::new();
    for peers in &sizes {
        text += &about(peers)?;
        text += &peers_table(peers)?;
        text.push('\n');
    }
    text += NOTES;
    text.push('\n');
    for deliveries in results("deliveries")? {
        text += &columns(&deliveries, "after so many small deliveries")?;
    }
    for checks in results("checks")? {
        text += &columns(&checks, &format!("checks of blocks, {} persons", checks["persons"]))?;
    }
    for packed in results("packed")? {
        text += &packs_table(&packed)?;
    }
    text += &reading()?;
    Ok(text)
}

/// The results of a bench target, one for each size that has run, smallest first.
fn results(bench: &str) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let mut found: Vec<Value> = Vec::new();
    for entry in std::fs::read_dir(target_folder().join("bench-results")).into_iter().flatten() {
        let path = entry?.path();
        if path.file_stem().is_some_and(|name| name.to_string_lossy().split('-').next() == Some(bench)) {
            found.push(serde_json::from_str(&std::fs::read_to_string(path)?)?);
        }
    }
    found.sort_by_key(|results| results["persons"].as_u64());
    Ok(found)
}

/// One figure and its unit.
fn figure<'r>(results: &'r Value, measure: &str, store: &str) -> Option<(f64, &'r str)> {
    let figures = results["figures"].as_array()?;
    let found = figures.iter().find(|figure| figure["measure"] == measure && figure["store"] == store)?;
    Some((found["value"].as_f64()?, found["unit"].as_str()?))
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "ns" if value < 10_000.0 => format!("{:.2} µs", value / 1e3),
        "ns" => format!("{:.0} µs", value / 1e3),
        "s" if value < 0.01 => format!("{:.1} ms", value * 1e3),
        "s" if value < 10.0 => format!("{:.0} ms", value * 1e3),
        "s" => format!("{value:.1} s"),
        "bytes" => format!("{:.0} MB", value / 1e6),
        _ => format!("{:.0} 000", value / 1e3),
    }
}

/// Machine, size and command: figures mean nothing without them.
fn about(results: &Value) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let text_of = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let machine = &results["machine"];
    let millions = |name: &str| results[name].as_f64().unwrap_or(0.0) / 1e6;
    let load = text_of(&machine["load_average_at_start"]);
    let date = results["date"].as_str().map_or(String::new(), |date| format!(" on {date}"));
    writeln!(
        text,
        "{} made-up persons (extract {:.0} MB, documents {:.0} MB), {} of them in a night; {} cores of {}, {} of memory, Linux {}; load \
         average {} when it began. Medians of one run of `{}`{date}, rendered by `cargo run -p benches --bin table`.\n",
        results["persons"],
        millions("extract_bytes"),
        millions("document_bytes"),
        results["persons_of_a_night"],
        machine["cores"],
        text_of(&machine["cpu"]),
        gigabytes(&text_of(&machine["memory"])),
        text_of(&machine["kernel"]),
        load.split(' ').next().unwrap_or_default(),
        text_of(&results["command"]),
    )?;
    Ok(text)
}

/// `/proc/meminfo` writes `24684096 kB`.
fn gigabytes(memory: &str) -> String {
    let kilobytes = memory.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    kilobytes.map_or(memory.to_owned(), |kilobytes| format!("{:.0} GB", kilobytes / 1e6))
}

fn peers_table(results: &Value) -> Result<String, std::fmt::Error> {
    let mut text = String::from("| what |");
    for store in STORES {
        write!(text, " {} |", results[store].as_str().unwrap_or(store))?;
    }
    writeln!(text, " replika against the best peer |\n|---|{}---|", "---|".repeat(STORES.len()))?;
    for (measure, name) in ROWS {
        let figures = STORES.map(|store| figure(results, measure, store));
        if figures.iter().all(Option::is_none) {
            continue;
        }
        let more_is_better = figures.iter().flatten().any(|(_, unit)| *unit == "1/s");
        let is_better = |a: f64, b: f64| if more_is_better { a > b } else { a < b };
        let best = |figures: &[Option<(f64, &str)>]| {
            let values = figures.iter().flatten().map(|(value, _)| *value);
            values.reduce(|a, b| if is_better(b, a) { b } else { a })
        };
        let mut competing = figures;
        if OF_A_STORE.contains(measure) {
            competing[PACKS_AT] = None;
        }
        write!(text, "| {name} |")?;
        for (at, found) in figures.iter().enumerate() {
            match found {
                Some((value, unit)) if competing[at].is_some() && Some(*value) == best(&competing) => {
                    write!(text, " **{}** |", shown(*value, unit))?
                }
                Some((value, unit)) => write!(text, " {} |", shown(*value, unit))?,
                None => write!(text, " – |")?,
            }
        }
        let versus = |ours: Option<(f64, &str)>, theirs: f64| match ours {
            Some((ours, _)) if is_better(ours, theirs) => format!("{:.1} x better", (ours / theirs).max(theirs / ours)),
            Some((ours, _)) => format!("**loses**, {:.1} x", (ours / theirs).max(theirs / ours)),
            None => String::from("–"),
        };
        let best_peer = best(&figures[OURS..]);
        let mut against = best_peer.map_or("–".to_owned(), |theirs| versus(figures[0], theirs));
        // The only peer that does the engine's whole work.
        if let Some((rows, _)) = figures[ROWS_AT].filter(|(rows, _)| Some(*rows) != best_peer) {
            against += &format!("; {} against SQLite rows", versus(figures[0], rows));
        }
        if let (Some(packs), Some(theirs)) = (competing[PACKS_AT], best_peer) {
            against += &format!("; packs: {}", versus(Some(packs), theirs));
        }
        writeln!(text, " {against} |")?;
    }
    Ok(text)
}

/// A column for each store, or number of deliveries, in the order in which they were measured.
fn columns(results: &Value, head: &str) -> Result<String, std::fmt::Error> {
    let figures = results["figures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names = |key: &str| {
        let mut names: Vec<&str> = Vec::new();
        for name in figures.iter().filter_map(|figure| figure[key].as_str()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    let marks = names("store");
    let mut text = format!("\n| {head} | {} |\n|---|{}\n", marks.join(" | "), "---|".repeat(marks.len()));
    for measure in names("measure") {
        write!(text, "| {measure} |")?;
        for mark in &marks {
            let shown = figure(results, measure, mark).map_or("–".to_owned(), |(value, unit)| shown(value, unit));
            write!(text, " {shown} |")?;
        }
        text.push('\n');
    }
    Ok(text)
}

/// A row for each way to read persons from packs, and for the stores beside them; each figure with its ratio to LMDB's.
fn packs_table(results: &Value) -> Result<String, std::fmt::Error> {
    const MEASURES: [&str; 3] = ["person now, spread", "person now, hot", "person now, cold"];
    let figures = results["figures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_measures = figures.iter().filter(|figure| MEASURES.iter().any(|measure| figure["measure"] == *measure));
    let mut stores: Vec<&str> = Vec::new();
    for store in of_measures.filter_map(|figure| figure["store"].as_str()) {
        if !stores.contains(&store) {
            stores.push(store);
        }
    }
    let date = results["date"].as_str().map_or(String::new(), |date| format!(" on {date}"));
    let load =
        results["machine"]["load_average_at_start"].as_str().unwrap_or("?").split(' ').next().unwrap_or_default();
    let mut text = format!(
        "\nA person now from packs of {} persons, the value checked whole; LMDB and redb hand out the same values and look at none. \
         `--bench packed`{date}, load average {load} when it began.\n\n| | spread over all | hot | cold |\n|---|---|---|---|\n",
        results["persons"]
    );
    for store in stores {
        write!(text, "| {store} |")?;
        for measure in MEASURES {
            let ratio = results[format!("{measure}: {store}, of LMDB's plain get")].as_f64();
            match figure(results, measure, store).zip(ratio) {
                Some(((value, unit), _)) if store == "lmdb" => write!(text, " {} |", shown(value, unit))?,
                Some(((value, unit), ratio)) if ratio > 1.0 => {
                    write!(text, " {}, **loses**, {ratio:.2} x LMDB's |", shown(value, unit))?;
                }
                Some(((value, unit), ratio)) => write!(text, " {}, {ratio:.2} x LMDB's |", shown(value, unit))?,
                None => write!(text, " – |")?,
            }
        }
        text.push('\n');
    }
    Ok(text)
}

/// Throughput of reading extracts, from criterion's estimates of the bench target `read`.
fn reading() -> Result<String, Box<dyn std::error::Error>> {
    let mut rows = Vec::new();
    let folder = target_folder().join("criterion").join("read");
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let last = entry?.path().join("new");
        let read = |name: &str| std::fs::read_to_string(last.join(name)).ok();
        let (Some(about), Some(estimates)) = (read("benchmark.json"), read("estimates.json")) else { continue };
        let (about, estimates): (Value, Value) = (serde_json::from_str(&about)?, serde_json::from_str(&estimates)?);
        let bytes = about["throughput"]["Bytes"].as_f64();
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        if let (Some(bytes), Some(nanoseconds), Some(name)) = (bytes, nanoseconds, about["function_id"].as_str()) {
            rows.push(format!("| {name} | {:.0} MB/s |\n", bytes / nanoseconds * 1e3));
        }
    }
    rows.sort();
    Ok(if rows.is_empty() {
        String::new()
    } else {
        format!("\n| reading an extract | |\n|---|---|\n{}", rows.concat())
    })
}

/// Puts the text between the markers of a file.
fn write_between(path: &Path, text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let file = std::fs::read_to_string(path)?;
    let (before, rest) = file.split_once(BEGIN).ok_or("the file has no marker where figures begin")?;
    let (_, after) = rest.split_once(END).ok_or("the file has no marker where figures end")?;
    std::fs::write(path, format!("{before}{BEGIN}\n{}\n{END}{after}", text.trim_end()))?;
    Ok(())
}

//! Renders the README's tables of figures from the results of the benchmarks: `cargo run -p benches --bin table`.
//!
//! Reads `target/bench-results/*.json` and, when they are there, criterion's estimates. Prints Markdown; with
//! `--write FILE` it replaces what stands between the two markers in the file. The last column of a table compares like
//! with like; stores that are handed ready values have a table of their own, as the floor they are.

mod peers;

use std::fmt::Write as _;
use std::path::Path;

use benches::results::target_folder;
use serde_json::Value;

const BEGIN: &str = "<!-- figures -->";
const END: &str = "<!-- /figures -->";

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
        text += &peers::same_job(peers)?;
        text += &peers::floors(peers)?;
    }
    for search in results("search")? {
        text += &peers::searches(&search)?;
    }
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
        "\n{} made-up persons (extract {:.0} MB, documents {:.0} MB), {} of them in a night; {} cores of {}, {} of memory, Linux {}; load \
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

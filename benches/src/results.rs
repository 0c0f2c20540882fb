//! Results as a file: one JSON document per bench target under `target/bench-results`, from which tables are rendered.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// Where cargo builds: `CARGO_TARGET_DIR`, or `target` beside the workspace's manifest.
pub fn target_folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from)
}

/// The results of one bench target.
#[derive(Debug)]
pub struct Results {
    document: Map<String, Value>,
    rows: Vec<Value>,
}

impl Results {
    /// No results yet: machine, size and command. `REPLIKA_BENCH_DATE` is the day that stands beside them, when it is
    /// set.
    pub fn of(bench: &str, persons: u32) -> Results {
        let mut document = Map::new();
        document.insert("machine".into(), crate::machine::describe());
        document.insert("persons".into(), persons.into());
        let command = format!("REPLIKA_BENCH_PERSONS={persons} cargo bench -p benches --bench {bench}");
        document.insert("command".into(), command.into());
        if let Ok(date) = std::env::var("REPLIKA_BENCH_DATE") {
            document.insert("date".into(), date.into());
        }
        Results { document, rows: Vec::new() }
    }

    /// States something about the run.
    pub fn state(&mut self, name: &str, value: impl Into<Value>) {
        self.document.insert(name.to_owned(), value.into());
    }

    /// Adds one figure and prints it. `unit` is `ns`, `s`, `bytes` or `1/s`; of the last, more is better.
    pub fn add(&mut self, measure: &str, store: &str, unit: &str, value: f64) {
        let decimals = if unit == "s" { 4 } else { 0 };
        println!("{measure:<66} {store:<12} {value:>14.decimals$} {unit}");
        self.rows.push(json!({ "measure": measure, "store": store, "unit": unit, "value": value }));
    }

    /// Writes `target/bench-results/<bench>.json`, or `<bench>-<persons>.json` for a size that is not the default.
    pub fn write(mut self, bench: &str) {
        let persons = &self.document["persons"];
        let name = if *persons == crate::DEFAULT_PERSONS { bench.to_owned() } else { format!("{bench}-{persons}") };
        self.document.insert("figures".into(), self.rows.into());
        let folder = target_folder().join("bench-results");
        std::fs::create_dir_all(&folder).expect("a folder for results");
        let text = serde_json::to_string_pretty(&self.document).expect("plain JSON");
        std::fs::write(folder.join(format!("{name}.json")), text).expect("a file of results");
    }
}

/// The version of a crate in the workspace's lock file.
pub fn version_of(name: &str) -> &'static str {
    let lock = include_str!("../../Cargo.lock");
    let after = lock.split("[[package]]").find(|package| package.contains(&format!("\nname = \"{name}\"\n")));
    after
        .and_then(|package| package.split("version = \"").nth(1))
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("?")
}

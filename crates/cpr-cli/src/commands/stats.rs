//! `stats`: how large the tables are.

use std::path::Path;
use std::{fs, io};

use cpr_replika::Stats;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::visible;

pub(crate) fn print_stats(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let stats = globals.snapshot()?.stats()?;
    let file_bytes = match globals.packs() {
        Some(folder) => bytes_of_packs(folder),
        None => globals.store_path()?.metadata().map(|found| found.len()),
    };
    let read = globals.packs().map_or_else(|| globals.store_path(), Ok)?;
    let file_bytes = file_bytes.map_err(|error| Failure::Reading(visible::path(read), error))?;
    if globals.json {
        return screen.print_json(&StoreStats { file_bytes, stats: &stats });
    }
    writeln!(screen, "{:16} {:>12} {:>14} {:>14} {:>14}", "table", "rows", "stored bytes", "metadata", "empty")?;
    for table in &stats.tables {
        writeln!(
            screen,
            "{:16} {:>12} {:>14} {:>14} {:>14}",
            table.name, table.rows, table.stored_bytes, table.metadata_bytes, table.fragmented_bytes
        )?;
    }
    writeln!(screen, "file: {file_bytes} bytes")?;
    Ok(())
}

/// Bytes of all packs of a folder.
fn bytes_of_packs(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "pack") {
            bytes += path.metadata()?.len();
        }
    }
    Ok(bytes)
}

#[derive(Serialize)]
struct StoreStats<'a> {
    file_bytes: u64,
    #[serde(flatten)]
    stats: &'a Stats,
}

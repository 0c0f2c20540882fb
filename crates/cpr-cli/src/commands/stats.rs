//! `stats`: how large the tables are.

use cpr_replika::Stats;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::visible;

pub(crate) fn print_stats(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let path = globals.store_path()?;
    let stats = globals.open_to_read()?.snapshot().stats()?;
    let file_bytes = path.metadata().map_err(|error| Failure::Reading(visible::path(path), error))?.len();
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

#[derive(Serialize)]
struct StoreStats<'a> {
    file_bytes: u64,
    #[serde(flatten)]
    stats: &'a Stats,
}

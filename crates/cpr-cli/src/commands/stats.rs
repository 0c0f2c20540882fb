//! `stats`: how large the tables are.

use cpr_replika::TableStats;

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::screen::Screen;
use crate::visible;

pub(crate) fn print_stats(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let path = globals.store_path()?;
    let stats = globals.open_to_read()?.snapshot().stats()?;
    let file_bytes = path.metadata().map_err(|error| Failure::Reading(visible::path(path), error))?.len();
    if globals.json {
        let table = |table: &TableStats| {
            json::object([
                ("name", table.name.as_str().into()),
                ("rows", table.rows.into()),
                ("stored_bytes", table.stored_bytes.into()),
                ("metadata_bytes", table.metadata_bytes.into()),
                ("fragmented_bytes", table.fragmented_bytes.into()),
            ])
        };
        let tables = stats.tables.iter().map(table).collect();
        screen.print_json(&json::object([("file_bytes", file_bytes.into()), ("tables", Json::Array(tables))]))?;
        return Ok(());
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

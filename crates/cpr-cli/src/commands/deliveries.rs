//! `deliveries`: the ledger, a line for each delivery.

use crate::context::Globals;
use crate::delivery_report;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::screen::Screen;

pub(crate) fn list_deliveries(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let deliveries = globals.open_to_read()?.snapshot().deliveries()?;
    if globals.json {
        let all = deliveries.iter().map(delivery_report::delivery_as_json).collect();
        screen.print_json(&json::object([("deliveries", Json::Array(all))]))?;
        return Ok(());
    }
    writeln!(
        screen,
        "{:>4}  {:5}  {:10}  {:10}  {:6}  {:>9} {:>9} {:>9}  file",
        "no", "kind", "produced", "after", "task", "new", "changed", "same"
    )?;
    for delivery in &deliveries {
        let counts = &delivery.counts;
        writeln!(
            screen,
            "{:>4}  {:5}  {:10}  {:10}  {:6}  {:>9} {:>9} {:>9}  {}",
            delivery.number.0,
            delivery.kind.name(),
            delivery.production_date.to_string(),
            delivery.previous_production_date.to_string(),
            delivery.task,
            counts.persons_new,
            counts.persons_changed,
            counts.persons_unchanged,
            delivery.file_name
        )?;
    }
    Ok(())
}

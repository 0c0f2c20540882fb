//! `deliveries`: the ledger, a line for each delivery, with the first sixteen digits of the digest of the state after
//! it.

use cpr_replika::Delivery;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;

pub(crate) fn list_deliveries(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let deliveries = globals.snapshot()?.deliveries()?;
    if globals.json {
        return screen.print_json(&Ledger { deliveries: &deliveries });
    }
    writeln!(
        screen,
        "{:>4}  {:5}  {:10}  {:10}  {:6}  {:>9} {:>9} {:>9}  {:16}  file",
        "no", "kind", "produced", "after", "task", "new", "changed", "same", "state"
    )?;
    for delivery in &deliveries {
        let counts = &delivery.counts;
        writeln!(
            screen,
            "{:>4}  {:5}  {:10}  {:10}  {:6}  {:>9} {:>9} {:>9}  {:16.16}  {}",
            delivery.number.0,
            delivery.kind.name(),
            delivery.production_date.to_string(),
            delivery.previous_production_date.to_string(),
            delivery.task,
            counts.persons_new,
            counts.persons_changed,
            counts.persons_unchanged,
            delivery.state.map_or_else(|| "-".to_owned(), |state| state.to_string()),
            delivery.file_name
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Ledger<'a> {
    deliveries: &'a [Delivery],
}

//! `changes`: whom a delivery changed.

use clap::Args;
use cpr_replika::DeliveryNumber;
use cpr_replika::cpr_model::Pnr;
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::parse_delivery;

#[derive(Args, Debug)]
pub(crate) struct Changes {
    /// The delivery.
    #[arg(value_parser = parse_delivery)]
    delivery: u32,
}

pub(crate) fn list_changes(globals: &Globals, changes: &Changes, screen: &mut Screen) -> Result<(), Failure> {
    let delivery = DeliveryNumber(changes.delivery);
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, None, None)?;
    let changed = snapshot.changes(delivery)?;
    if globals.json {
        return screen.print_json(&Changed { delivery, persons: changed.collect() });
    }
    for pnr in changed {
        writeln!(screen, "{}", pnr.reveal())?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Changed {
    delivery: DeliveryNumber,
    persons: Vec<Pnr>,
}

//! `changes`: whom a delivery changed.

use clap::Args;
use cpr_replika::DeliveryNumber;

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::screen::Screen;
use crate::values::parse_delivery;

#[derive(Args, Debug)]
pub(crate) struct Changes {
    /// The delivery.
    #[arg(value_parser = parse_delivery)]
    delivery: u32,
}

pub(crate) fn list_changes(globals: &Globals, changes: &Changes, screen: &mut Screen) -> Result<(), Failure> {
    let delivery = changes.delivery;
    let snapshot = globals.open_to_read()?.snapshot();
    let changed = snapshot.changes(DeliveryNumber(delivery))?;
    if globals.json {
        let persons = changed.map(|pnr| pnr.reveal().into()).collect();
        screen.print_json(&json::object([("delivery", delivery.into()), ("persons", Json::Array(persons))]))?;
        return Ok(());
    }
    for pnr in changed {
        writeln!(screen, "{}", pnr.reveal())?;
    }
    Ok(())
}

//! `changes`: whom a delivery changed.

use std::io::{self, BufWriter, Write};

use clap::Args;
use cpr_replika::DeliveryNumber;

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};

#[derive(Args, Debug)]
pub(crate) struct Changes {
    /// The delivery.
    delivery: u32,
}

pub(crate) fn list_changes(globals: &Globals, changes: &Changes) -> Result<(), Failure> {
    let delivery = changes.delivery;
    let snapshot = globals.open_to_read()?.snapshot();
    let changed = snapshot.changes(DeliveryNumber(delivery))?;
    let mut out = BufWriter::new(io::stdout().lock());
    if globals.json {
        let persons = changed.map(|pnr| pnr.reveal().into()).collect();
        drop(out);
        json::print(&json::object([("delivery", delivery.into()), ("persons", Json::Array(persons))]))?;
        return Ok(());
    }
    for pnr in changed {
        writeln!(out, "{}", pnr.reveal())?;
    }
    Ok(out.flush()?)
}

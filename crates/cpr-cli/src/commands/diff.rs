//! `diff`: what changed for a person between two deliveries, with the class of each change.

use std::io::Write;

use clap::Args;
use cpr_replika::DeliveryNumber;
use cpr_replika::cpr_model::Aspect;

use crate::context::Globals;
use crate::fact;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::values::Person;

#[derive(Args, Debug)]
pub(crate) struct Diff {
    #[command(flatten)]
    person: Person,
    /// The earlier delivery; 0 is before any.
    from: u32,
    /// The later delivery.
    to: u32,
}

pub(crate) fn print_diff(globals: &Globals, diff: &Diff) -> Result<(), Failure> {
    let pnr = diff.person.pnr().map_err(Failure::Usage)?;
    let snapshot = globals.open_to_read()?.snapshot();
    let family = snapshot.config().family;
    let changes = snapshot.diff(pnr, DeliveryNumber(diff.from), DeliveryNumber(diff.to))?;
    if changes.is_empty() && snapshot.history(pnr, Aspect::Person)?.is_empty() {
        return Err(Failure::UnknownPerson);
    }
    if globals.json {
        let changes = changes.iter().map(|change| fact::change_as_json(change, pnr, family)).collect();
        json::print(&json::object([("changes", Json::Array(changes))]))?;
        return Ok(());
    }
    let out = &mut std::io::stdout().lock();
    if changes.is_empty() {
        writeln!(out, "nothing changed")?;
    }
    for change in &changes {
        fact::write_change(out, change, pnr, family)?;
    }
    Ok(())
}

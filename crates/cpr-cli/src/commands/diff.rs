//! `diff`: what changed for a person between two deliveries, with the class of each change.

use clap::Args;
use cpr_replika::cpr_model::Aspect;
use cpr_replika::{Change, DeliveryNumber, Described};
use serde::Serialize;

use crate::context::Globals;
use crate::fact;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::{Person, parse_delivery};

#[derive(Args, Debug)]
pub(crate) struct Diff {
    #[command(flatten)]
    person: Person,
    /// The earlier delivery; 0 is before any.
    #[arg(value_parser = parse_delivery)]
    from: u32,
    /// The later delivery.
    #[arg(value_parser = parse_delivery)]
    to: u32,
}

pub(crate) fn print_diff(globals: &Globals, diff: &Diff, screen: &mut Screen) -> Result<(), Failure> {
    let pnr = diff.person.pnr()?;
    if diff.from > diff.to {
        return Err(Failure::Usage("the earlier delivery comes first"));
    }
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, Some(pnr), None)?;
    let family = snapshot.settings().family;
    let changes = snapshot.diff(pnr, DeliveryNumber(diff.from), DeliveryNumber(diff.to))?;
    if changes.is_empty() && snapshot.history(pnr, Aspect::Person)?.is_empty() {
        return Err(Failure::not_held(&snapshot, pnr)?);
    }
    if globals.json {
        return screen.print_json(&Changes { changes: snapshot.describe(pnr, &changes[..]) });
    }
    if changes.is_empty() {
        writeln!(screen, "nothing changed")?;
    }
    for change in &changes {
        fact::write_change(screen, change, pnr, family)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Changes<'a> {
    changes: Described<'a, [Change]>,
}

//! `calendar`: what is due between two days without any delivery.

use clap::Args;
use cpr_replika::Due;
use cpr_replika::cpr_model::{Aspect, Day};

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::{self, Screen};
use crate::values::{parse_age, parse_day};

#[derive(Args, Debug)]
pub(crate) struct Calendar {
    /// The first day, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Day,
    /// The last day, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Day,
    /// Who reaches these ages: 18,65.
    #[arg(long, value_name = "YEARS", value_delimiter = ',', default_value = "18", value_parser = parse_age)]
    age: Vec<u16>,
}

pub(crate) fn list_calendar(globals: &Globals, calendar: &Calendar, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, None, None)?;
    let due = snapshot.calendar(calendar.from, calendar.to, &calendar.age)?;
    if !snapshot.settings().carries(Aspect::Protection) {
        screen::warn("replika: the store does not hold protection: whose protection runs out is not known");
    }
    for event in &due {
        if globals.json {
            screen.print_json(event)?;
        } else {
            let what = match event.due {
                Due::ReachesAge(age) => format!("reaches {age} years"),
                Due::ProtectionEnds(kind) => format!("protection {kind} ends"),
                other => other.name().replace('_', " "),
            };
            writeln!(screen, "{}  {}  {what}", event.day, event.pnr.reveal())?;
        }
    }
    Ok(())
}

//! `followers`: which subscribers follow a person, and by what.

use clap::Args;
use cpr_replika::Follower;
use cpr_replika::cpr_model::{Day, Pnr};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::{Person, parse_day};

#[derive(Args, Debug)]
pub(crate) struct Followers {
    #[command(flatten)]
    person: Person,
    /// The day on which ages count; the last production date when left out.
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    on: Option<Day>,
}

pub(crate) fn list_followers(globals: &Globals, options: &Followers, screen: &mut Screen) -> Result<(), Failure> {
    let pnr = options.person.pnr()?;
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, Some(pnr), None)?;
    let day = match options.on {
        Some(day) => day,
        None => Day::at_or_after(snapshot.delivery(snapshot.known())?.production_date)
            .expect("no extract is of the last day of the calendar"),
    };
    let followers = snapshot.followers(pnr, day)?;
    if globals.json {
        return screen.print_json(&FollowersOf { pnr, on: day, subscribers: followers });
    }
    for Follower { name, filters, .. } in &followers {
        let filters: Vec<String> =
            filters.iter().map(|filter| format!("{} {}", filter.kind().name(), filter.reveal())).collect();
        writeln!(screen, "{name}  {}", filters.join(", "))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct FollowersOf {
    pnr: Pnr,
    on: Day,
    subscribers: Vec<Follower>,
}

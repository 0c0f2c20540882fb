//! `followers`: which subscribers follow a person, and by what.

use clap::Args;
use cpr_replika::cpr_model::Date;
use cpr_replika::cpr_subscription::{Filter, SubscriberName};

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::screen::Screen;
use crate::values::{Person, parse_day};

#[derive(Args, Debug)]
pub(crate) struct Followers {
    #[command(flatten)]
    person: Person,
    /// The day on which ages count; the last production date when left out.
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    on: Option<Date>,
}

pub(crate) fn list_followers(globals: &Globals, options: &Followers, screen: &mut Screen) -> Result<(), Failure> {
    let pnr = options.person.pnr()?;
    let snapshot = globals.open_to_read()?.snapshot();
    let day = match options.on {
        Some(day) => day,
        None => snapshot.delivery(snapshot.known())?.production_date,
    };
    let followers = snapshot.followers(pnr, day)?;
    if globals.json {
        let follower = |(name, filters): &(_, Vec<Filter>)| {
            let name: &SubscriberName = name;
            let filters = filters.iter().map(json::filter).collect();
            json::object([("name", name.as_str().into()), ("filters", Json::Array(filters))])
        };
        screen.print_json(&json::object([
            ("pnr", pnr.reveal().into()),
            ("on", day.to_string().into()),
            ("subscribers", Json::Array(followers.iter().map(follower).collect())),
        ]))?;
        return Ok(());
    }
    for (name, filters) in &followers {
        let filters: Vec<String> =
            filters.iter().map(|filter| format!("{} {}", filter.kind().name(), filter.reveal())).collect();
        writeln!(screen, "{name}  {}", filters.join(", "))?;
    }
    Ok(())
}

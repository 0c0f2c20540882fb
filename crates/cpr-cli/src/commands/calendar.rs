//! `calendar`: what is due between two days without any delivery.

use std::io::{self, BufWriter, Write};

use clap::builder::RangedI64ValueParser;
use clap::{Args, value_parser};
use cpr_replika::cpr_model::Date;
use cpr_replika::{CalendarEvent, Due};

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::values::parse_day;

#[derive(Args, Debug)]
pub(crate) struct Calendar {
    /// The first day, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    from: Date,
    /// The last day, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    to: Date,
    /// Who reaches these ages: 18,65.
    #[arg(long, value_name = "YEARS", value_delimiter = ',', default_value = "18", value_parser = parse_age())]
    age: Vec<u16>,
}

fn parse_age() -> RangedI64ValueParser<u16> {
    value_parser!(u16).range(0..=999)
}

pub(crate) fn list_calendar(globals: &Globals, calendar: &Calendar) -> Result<(), Failure> {
    let due = globals.open_to_read()?.snapshot().calendar(calendar.from, calendar.to, &calendar.age)?;
    let out = &mut BufWriter::new(io::stdout().lock());
    for event in &due {
        if globals.json {
            serde_json::to_writer(&mut *out, &as_json(event)).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            let what = match event.due {
                Due::ReachesAge(age) => format!("reaches {age} years"),
                Due::ProtectionEnds(kind) => format!("protection {kind} ends"),
            };
            writeln!(out, "{}  {}  {what}", event.day, event.pnr.reveal())?;
        }
    }
    Ok(out.flush()?)
}

fn as_json(event: &CalendarEvent) -> Json {
    let (age, protection) = match event.due {
        Due::ReachesAge(age) => (age.into(), Json::Null),
        Due::ProtectionEnds(kind) => (Json::Null, kind.to_string().into()),
    };
    json::object([
        ("day", event.day.to_string().into()),
        ("due", event.due.name().into()),
        ("age", age),
        ("protection", protection),
        ("pnr", event.pnr.reveal().into()),
        ("municipality", json::municipality(event.municipality)),
    ])
}

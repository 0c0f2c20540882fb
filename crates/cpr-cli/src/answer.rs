//! `answer`: about one person, as one of the national services does.

use std::io::Write;

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::Date;
use cpr_services::{Lookup, Request, gctp};

use crate::args::{Answer, Arguments, Format, KnownAt, Service};
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::text;

pub(crate) fn run(arguments: &Arguments, answer: &Answer) -> Result<(), Failure> {
    let pnr = answer.person.pnr().map_err(Failure::Usage)?;
    let snapshot = text::open(arguments)?.snapshot();
    if snapshot.known().0 == 0 {
        return Err(Failure::UnknownPerson);
    }
    let known = KnownAt::resolve(answer.known_at, &snapshot)?;
    let day = answer.on.map_or_else(today, Ok)?;
    let request = Request { pnr, day, valid: answer.valid_at, known };
    let format = if arguments.json { Format::Json } else { answer.format };
    match told(&snapshot, answer, &request, format)? {
        Lookup::Found(Told::Xml(xml)) => writeln!(std::io::stdout().lock(), "{xml}")?,
        Lookup::Found(Told::Json(value)) => json::print(&value)?,
        Lookup::Former(_) | Lookup::Unknown => return Err(Failure::UnknownPerson),
    }
    Ok(())
}

/// An answer, written.
enum Told {
    Xml(String),
    Json(Json),
}

fn told(snapshot: &Snapshot, answer: &Answer, request: &Request, format: Format) -> Result<Lookup<Told>, Failure> {
    let gctp = |service| {
        let answer = gctp::answer(snapshot, service, request)?;
        written(answer, format, gctp::Answer::to_xml)
    };
    match answer.service {
        Service::StamPlus => gctp(gctp::Service::StamPlus),
        Service::Stam => gctp(gctp::Service::Stam),
        Service::FamiliePlus => gctp(gctp::Service::FamiliePlus),
        Service::Familie => gctp(gctp::Service::Familie),
        Service::Navne3 => gctp(gctp::Service::Navne3),
        Service::Adresse4 => gctp(gctp::Service::Adresse4),
    }
}

fn written<T: serde::Serialize>(
    lookup: Lookup<T>,
    format: Format,
    to_xml: impl Fn(&T) -> Result<String, cpr_services::Error>,
) -> Result<Lookup<Told>, Failure> {
    Ok(match lookup {
        Lookup::Found(answer) => Lookup::Found(match format {
            Format::Xml => Told::Xml(to_xml(&answer)?),
            Format::Json => Told::Json(serde_json::to_value(&answer).map_err(std::io::Error::from)?),
        }),
        Lookup::Former(former) => Lookup::Former(former),
        Lookup::Unknown => Lookup::Unknown,
    })
}

fn today() -> Result<Date, Failure> {
    let today = jiff::Zoned::now().date().to_string();
    Date::parse(&today).ok_or(Failure::Usage("which day? give --on DATE"))
}

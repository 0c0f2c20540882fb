//! `answer`: about one person, as one of the national services does.

use std::io::Write;

use cpr_replika::Snapshot;
use cpr_replika::cpr_model::Date;
use cpr_services::sf1525::{Depth, Markings};
use cpr_services::{Answered, Lookup, NoRegister, Request, gctp, sf1520, sf1525, sf6008};

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
        Lookup::Former(_) => return Err(Failure::FormerNumber),
        Lookup::Unknown => return Err(Failure::UnknownPerson),
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
        Service::Sf1525 => sf1525(snapshot, sf1525::Version::V2, answer, request, format),
        Service::Sf1525First => sf1525(snapshot, sf1525::Version::V1, answer, request, format),
        Service::Sf1520 => sf1520(snapshot, sf1520::Version::V5, request, format),
        Service::Sf1520Fourth => sf1520(snapshot, sf1520::Version::V4, request, format),
        Service::Sf6008 => {
            let operation = sf6008::Operation::Extended;
            let answer = sf6008::answer(snapshot, operation, request)?;
            written(answer, format, |of: &Answered<_>| sf6008::to_xml(operation, &[&of.answer]))
        }
    }
}

fn sf1520(
    snapshot: &Snapshot,
    version: sf1520::Version,
    request: &Request,
    format: Format,
) -> Result<Lookup<Told>, Failure> {
    let answer = sf1520::answer(snapshot, version, request, &NoRegister)?;
    written(answer, format, |of: &Answered<sf1520::Response>| of.answer.to_xml(version))
}

fn sf1525(
    snapshot: &Snapshot,
    version: sf1525::Version,
    options: &Answer,
    request: &Request,
    format: Format,
) -> Result<Lookup<Told>, Failure> {
    let depth = if options.history { Depth::WithHistory } else { Depth::Current };
    let markings = match (options.mark.is_empty(), version) {
        (false, _) => {
            let deeper = |of: Depth| if options.history { depth } else { of };
            options.mark.iter().fold(Markings::default(), |all, (marking, of)| all.with(*marking, deeper(*of)))
        }
        (true, sf1525::Version::V1) => Markings::all_of_1_0(depth),
        (true, sf1525::Version::V2) => Markings::all(depth),
    };
    let answer = sf1525::answer(snapshot, version, &markings, request, &NoRegister)?;
    written(answer, format, |of: &Answered<sf1525::Response>| of.answer.to_xml())
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

//! `answer`: about one person, as one of the national services does.

use clap::{Args, ValueEnum};
use cpr_replika::Snapshot;
use cpr_replika::cpr_model::{Date, Day, Timestamp};
use cpr_services::search::adrsog1;
use cpr_services::sf1525::{Depth, Marking, Markings};
use cpr_services::{Answered, Lookup, NoRegister, ProtectedPersons, Request, gctp, sf1520, sf1525, sf6008};
use serde_json::Value as Json;

use crate::clock;
use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::{Hidden, KnownAt, Wanted, parse_day, parse_known, parse_moment, read_pnr};

#[derive(Args, Debug)]
pub(crate) struct Answer {
    /// The service.
    #[arg(value_enum, ignore_case = true)]
    service: Service,
    /// The personnummer, ten digits; `-` reads it from standard input. Not with adrsog1, which is not about one person.
    #[arg(value_name = "PNR")]
    person: Option<Hidden>,
    /// adrsog1: a field of the request, VEJK=8512; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    field: Vec<Hidden>,
    /// The day on which the question is put, for ages and protections in force; today in Denmark when left out.
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    on: Option<Day>,
    /// As of this moment in the world: 2001-11-19T15:36, or 2001-11-19, which is the end of that day. What CPR holds to
    /// be current when left out.
    #[arg(long, value_name = "T", value_parser = parse_moment)]
    valid_at: Option<Timestamp>,
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = parse_known)]
    known_at: Option<KnownAt>,
    /// sf1525: every area with its history.
    #[arg(long)]
    history: bool,
    /// sf1525: an area and how deep, Aktuel or AktuelMedHistorik; may be given several times. All areas when left out.
    #[arg(long, value_name = "MARKING=DEPTH", value_parser = parse_mark)]
    mark: Vec<(Marking, Depth)>,
    /// The shape of the answer.
    #[arg(long, value_enum, default_value_t = Format::Xml)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    Xml,
    Json,
}

/// The services that `answer` knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Service {
    #[value(name = "stam+")]
    StamPlus,
    Stam,
    #[value(name = "familie+")]
    FamiliePlus,
    Familie,
    Navne3,
    Adresse4,
    /// PersonStamoplysningerSamlingHent 2.0.
    Sf1525,
    /// PersonStamoplysningerSamlingHent 1.0.
    #[value(name = "sf1525-1.0")]
    Sf1525First,
    /// PersonLookup version 5.
    Sf1520,
    /// PersonLookup version 4.
    #[value(name = "sf1520-4")]
    Sf1520Fourth,
    /// CPRBasicInformationService, extended.
    Sf6008,
    /// Search by address; what is asked stands in --field.
    Adrsog1,
}

fn parse_mark(text: &str) -> Result<(Marking, Depth), Wanted> {
    let (marking, depth) = text.split_once('=').unwrap_or((text, "Aktuel"));
    let marking = Marking::from_name(marking).ok_or(Wanted::new("a marking of SF1525, such as AdresseMarkering"))?;
    Ok((marking, Depth::from_name(depth).ok_or(Wanted::new("Aktuel or AktuelMedHistorik"))?))
}

pub(crate) fn print_answer(globals: &Globals, answer: &Answer, screen: &mut Screen) -> Result<(), Failure> {
    if answer.service == Service::Adrsog1 {
        return print_adrsog1(globals, answer, answer.on.map_or_else(clock::today, Day::date), screen);
    }
    let person = answer.person.as_ref().ok_or(Failure::Usage("about whom? give a personnummer"))?;
    let pnr = read_pnr(person.reveal())?;
    let snapshot = globals.snapshot()?;
    if snapshot.known().0 == 0 {
        return Err(Failure::UnknownPerson);
    }
    let known = KnownAt::resolve(answer.known_at, &snapshot)?;
    let day = answer.on.map_or_else(clock::today, Day::date);
    let format = if globals.json { Format::Json } else { answer.format };
    let lookup = globals.log.told_by(|caller| {
        let request = Request { valid: answer.valid_at, known, ..Request::on(pnr, day, caller) };
        ask_service(&snapshot, answer, &request, format)
    })?;
    match lookup {
        Lookup::Found(Written::Xml(xml)) => screen.print_xml(&xml)?,
        Lookup::Found(Written::Json(value)) => screen.print_json(&value)?,
        Lookup::Former(former) => return Err(Failure::FormerNumber { current: former.current }),
        Lookup::NotKept => return Err(Failure::NotKept),
        Lookup::Unknown => return Err(Failure::UnknownPerson),
    }
    Ok(())
}

/// An answer, written.
enum Written {
    Xml(String),
    Json(Json),
}

fn ask_service(
    snapshot: &Snapshot,
    answer: &Answer,
    request: &Request,
    format: Format,
) -> Result<Lookup<Written>, Failure> {
    let gctp = |service| {
        let answer = gctp::answer(snapshot, service, request)?;
        write_answer(answer, format, gctp::Answer::to_xml)
    };
    match answer.service {
        Service::StamPlus => gctp(gctp::Service::StamPlus),
        Service::Stam => gctp(gctp::Service::Stam),
        Service::FamiliePlus => gctp(gctp::Service::FamiliePlus),
        Service::Familie => gctp(gctp::Service::Familie),
        Service::Navne3 => gctp(gctp::Service::Navne3),
        Service::Adresse4 => gctp(gctp::Service::Adresse4),
        Service::Sf1525 => ask_sf1525(snapshot, sf1525::Version::V2, answer, request, format),
        Service::Sf1525First => ask_sf1525(snapshot, sf1525::Version::V1, answer, request, format),
        Service::Sf1520 => ask_sf1520(snapshot, sf1520::Version::V5, request, format),
        Service::Sf1520Fourth => ask_sf1520(snapshot, sf1520::Version::V4, request, format),
        Service::Sf6008 => {
            let operation = sf6008::Operation::Extended;
            let answer = sf6008::answer(snapshot, operation, request)?;
            write_answer(answer, format, |of: &Answered<_>| sf6008::to_xml(operation, &[&of.answer]))
        }
        Service::Adrsog1 => unreachable!("it is not about one person, and answered before"),
    }
}

fn ask_sf1520(
    snapshot: &Snapshot,
    version: sf1520::Version,
    request: &Request,
    format: Format,
) -> Result<Lookup<Written>, Failure> {
    let answer = sf1520::answer(snapshot, version, request, &NoRegister)?;
    write_answer(answer, format, |of: &Answered<sf1520::Response>| of.answer.to_xml(version))
}

fn ask_sf1525(
    snapshot: &Snapshot,
    version: sf1525::Version,
    options: &Answer,
    request: &Request,
    format: Format,
) -> Result<Lookup<Written>, Failure> {
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
    write_answer(answer, format, |of: &Answered<sf1525::Response>| of.answer.to_xml())
}

/// As the answer's own types say; docs/json.md has the shapes.
fn as_json(answer: &impl serde::Serialize) -> Result<Json, Failure> {
    let form = |error: serde_json::Error| Failure::Output(error.into());
    serde_json::to_value(answer).map_err(form)
}

fn write_answer<T: serde::Serialize>(
    lookup: Lookup<T>,
    format: Format,
    to_xml: impl Fn(&T) -> Result<String, cpr_services::Error>,
) -> Result<Lookup<Written>, Failure> {
    Ok(match lookup {
        Lookup::Found(answer) => Lookup::Found(match format {
            Format::Xml => Written::Xml(to_xml(&answer)?),
            Format::Json => Written::Json(as_json(&answer)?),
        }),
        Lookup::Former(former) => Lookup::Former(former),
        Lookup::NotKept => Lookup::NotKept,
        Lookup::Unknown => Lookup::Unknown,
    })
}

fn print_adrsog1(globals: &Globals, options: &Answer, day: Date, screen: &mut Screen) -> Result<(), Failure> {
    const WANTED: &str = "a field is NAME=VALUE";
    let fields = options.field.iter().map(|field| field.reveal().split_once('=').ok_or(Failure::Usage(WANTED)));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let request =
        adrsog1::Request::parse(fields, ProtectedPersons::Tell).map_err(|error| Failure::Query(error.to_string()))?;
    let snapshot = globals.snapshot()?;
    let answer = globals.log.told_by(|caller| Ok(adrsog1::answer(caller, &snapshot, &request, day)?))?;
    if globals.json || options.format == Format::Json {
        screen.print_json(&answer)?;
    } else {
        screen.print_xml(&answer.to_xml()?)?;
    }
    Ok(())
}

//! `events`, `calendar`: what happened to whom, and what is due.

use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use cpr_replika::cpr_model::{MunicipalityCode, Pnr};
use cpr_replika::{BusinessEvent, CalendarEvent, Due, EventCursor, EventFeed, EventFilter, PersonSet, Replika};

use crate::args::{Arguments, Calendar, Events};
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::text;

pub(crate) fn events(arguments: &Arguments, events: &Events) -> Result<(), Failure> {
    if let Some(name) = &events.consumer
        && (events.add || events.remove || events.acknowledge.is_some())
    {
        return keep_consumer(arguments, name, events);
    }
    let replika = text::open(arguments)?;
    let feed = opened(&replika, events, filter(events)?)?;
    let out = &mut BufWriter::new(io::stdout().lock());
    for event in feed {
        let event = event?;
        if arguments.json {
            serde_json::to_writer(&mut *out, &as_json(&event)).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            as_text(out, &event)?;
        }
    }
    Ok(out.flush()?)
}

/// Adds a reader, moves its place or forgets it.
fn keep_consumer(arguments: &Arguments, name: &str, events: &Events) -> Result<(), Failure> {
    let replika = Replika::open(text::store_path(arguments)?)?;
    if events.remove {
        return Ok(replika.remove_consumer(name)?);
    }
    let so_far = EventCursor::after(replika.snapshot().known());
    let cursor = events.acknowledge.or(events.since).unwrap_or(so_far);
    match events.acknowledge {
        Some(_) => replika.acknowledge(name, cursor)?,
        None => replika.add_consumer(name, cursor)?,
    }
    if arguments.json {
        let members = [("consumer", Json::from(name)), ("cursor", cursor.to_string().into())];
        json::print(&json::object(members))?;
    }
    Ok(())
}

/// From the place that is named, else from where the reader stands.
fn opened(replika: &Replika, events: &Events, filter: EventFilter) -> Result<EventFeed, Failure> {
    match (&events.consumer, events.since) {
        (_, Some(since)) => Ok(replika.snapshot().events_since(since, filter)?),
        (Some(name), None) => Ok(replika.feed(name, filter)?),
        (None, None) => Err(Failure::Usage("since when? give --since N or --consumer NAME")),
    }
}

fn filter(events: &Events) -> Result<EventFilter, Failure> {
    Ok(EventFilter {
        kinds: events.kind.clone(),
        codes: events.code.clone(),
        persons: events.persons.as_deref().map(persons).transpose()?,
        municipality_before: events.municipality_before,
        municipality_after: events.municipality_after,
        municipality: events.municipality,
    })
}

/// The persons in a file, one number a line; empty lines are passed over.
fn persons(path: &Path) -> Result<PersonSet, Failure> {
    let failed = |error| Failure::File(path.display().to_string(), error);
    let mut text = String::new();
    match path == Path::new("-") {
        true => _ = io::stdin().read_to_string(&mut text).map_err(failed)?,
        false => text = std::fs::read_to_string(path).map_err(failed)?,
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let key = |line: &str| Pnr::parse(line.replacen('-', "", 1).as_bytes()).and_then(|pnr| pnr.key());
    lines.map(key).collect::<Option<PersonSet>>().ok_or(Failure::Usage("a personnummer is ten digits, one a line"))
}

fn place(code: Option<MunicipalityCode>) -> Json {
    code.map_or(Json::Null, |code| code.to_string().into())
}

fn as_json(event: &BusinessEvent) -> Json {
    let cause = event.cause;
    json::object([
        ("id", event.id.to_string().into()),
        ("cursor", event.cursor.to_string().into()),
        ("delivery", event.delivery.0.into()),
        ("production_date", event.production_date.to_string().into()),
        ("kind", event.kind.name().into()),
        ("code", cause.map_or(Json::Null, |cause| cause.code.to_string().into())),
        ("derived_mark", cause.and_then(|cause| cause.derived_mark).map_or(Json::Null, |mark| mark.to_string().into())),
        ("registered_at", json::moment(cause.and_then(|cause| cause.registered_at))),
        ("pnr", event.pnr.reveal().into()),
        ("related", event.related.iter().map(|pnr| pnr.reveal()).collect()),
        ("aspects", event.aspects.iter().map(|aspect| aspect.name()).collect()),
        ("municipality_before", place(event.municipality_before)),
        ("municipality_after", place(event.municipality_after)),
        ("valid_from", json::moment(event.valid_from)),
    ])
}

fn as_text(out: &mut impl Write, event: &BusinessEvent) -> io::Result<()> {
    let cause = event.cause.map_or("-".to_owned(), |cause| {
        format!("{}{}", cause.code, cause.derived_mark.map_or(String::new(), |mark| format!(" {mark}")))
    });
    let place = |code: Option<MunicipalityCode>| code.map_or("-".to_owned(), |code| code.to_string());
    let moved = format!("{} > {}", place(event.municipality_before), place(event.municipality_after));
    let aspects: Vec<&str> = event.aspects.iter().map(|aspect| aspect.name()).collect();
    let since = event.valid_from.map_or(String::new(), |at| format!("  since {}", at.date()));
    let related = if event.related.is_empty() {
        String::new()
    } else {
        format!("  with {}", event.related.iter().map(|pnr| pnr.reveal()).collect::<Vec<_>>().join(", "))
    };
    writeln!(
        out,
        "{:<10} {:>4}  {}  {:<20} {cause:<6} {moved:<11}  {}{since}{related}",
        event.cursor.to_string(),
        event.delivery.0,
        event.pnr.reveal(),
        event.kind.name(),
        aspects.join(", ")
    )
}

pub(crate) fn calendar(arguments: &Arguments, calendar: &Calendar) -> Result<(), Failure> {
    let due = text::open(arguments)?.snapshot().calendar(calendar.from, calendar.to, &calendar.age)?;
    let out = &mut BufWriter::new(io::stdout().lock());
    for event in &due {
        if arguments.json {
            serde_json::to_writer(&mut *out, &due_as_json(event)).map_err(io::Error::from)?;
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

fn due_as_json(event: &CalendarEvent) -> Json {
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
        ("municipality", place(event.municipality)),
    ])
}

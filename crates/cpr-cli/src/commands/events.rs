//! `events`: what happened to whom, from any place in the feed on; and the readers whose place the store keeps.

use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::cpr_model::{MunicipalityCode, Pnr};
use cpr_replika::cpr_subscription::EventCode;
use cpr_replika::{BusinessEvent, Consumer, EventCursor, EventFeed, EventFilter, EventKind, PersonSet};

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_text::read_text;
use crate::screen::Screen;
use crate::values::{parse_cursor, parse_event_code, parse_event_kind, parse_municipality};

#[derive(Args, Debug)]
pub(crate) struct Events {
    /// Behind this place: a delivery number (0: everything), or the `cursor` of an event.
    #[arg(long, value_name = "N|CURSOR", value_parser = parse_cursor, required_unless_present = "consumer")]
    since: Option<EventCursor>,
    /// Behind the place that this reader has acknowledged.
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Add the reader, with everything up to --since read (everything so far when left out).
    #[arg(long, requires = "consumer", conflicts_with_all = ["acknowledge", "remove"])]
    add: bool,
    /// Note that the reader has everything up to this place. Lists nothing.
    #[arg(long, value_name = "CURSOR", value_parser = parse_cursor, requires = "consumer", conflicts_with = "since")]
    acknowledge: Option<EventCursor>,
    /// Forget the reader. Lists nothing.
    #[arg(long, requires = "consumer", conflicts_with_all = ["acknowledge", "since"])]
    remove: bool,
    /// Only these kinds: moved_in,died,... See docs/events.md.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = parse_event_kind)]
    kind: Vec<EventKind>,
    /// Only events with one of these of CPR's codes: A01,A21,...
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = parse_event_code)]
    code: Vec<EventCode>,
    /// Only of these persons: a file with one personnummer a line, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    persons: Option<PathBuf>,
    /// Only of who lived in this municipality before.
    #[arg(long, value_name = "CODE", value_parser = parse_municipality)]
    municipality_before: Option<MunicipalityCode>,
    /// Only of who lives in this municipality after.
    #[arg(long, value_name = "CODE", value_parser = parse_municipality)]
    municipality_after: Option<MunicipalityCode>,
    /// Only of who lived in this municipality before, or lives there after.
    #[arg(long, value_name = "CODE", value_parser = parse_municipality)]
    municipality: Option<MunicipalityCode>,
}

pub(crate) fn list_events(globals: &Globals, events: &Events, screen: &mut Screen) -> Result<(), Failure> {
    if let Some(name) = &events.consumer
        && (events.add || events.remove || events.acknowledge.is_some())
    {
        return keep_consumer(globals, name, events, screen);
    }
    let feed = open_feed(globals, events, read_filter(events)?)?;
    for event in feed {
        let event = event?;
        if globals.json {
            screen.print_json(&event)?;
        } else {
            write_text(screen, &event)?;
        }
    }
    Ok(())
}

/// Adds a reader, moves its place or forgets it.
fn keep_consumer(globals: &Globals, name: &str, events: &Events, screen: &mut Screen) -> Result<(), Failure> {
    let replika = globals.open_to_write()?;
    if events.remove {
        return Ok(replika.remove_consumer(name)?);
    }
    let so_far = EventCursor::after(replika.snapshot().known());
    let cursor = events.acknowledge.or(events.since).unwrap_or(so_far);
    match events.acknowledge {
        Some(_) => replika.acknowledge(name, cursor)?,
        None => replika.add_consumer(name, cursor)?,
    }
    if globals.json {
        screen.print_json(&Consumer::new(name, cursor))?;
    }
    Ok(())
}

/// From the place that is named, else from where the reader stands.
fn open_feed(globals: &Globals, events: &Events, filter: EventFilter) -> Result<EventFeed, Failure> {
    match (&events.consumer, events.since) {
        (_, Some(since)) => Ok(globals.snapshot()?.events_since(since, filter)?),
        (Some(name), None) => {
            globals.refuse_packs("where a reader stands is the store's to say: with --pack give --since N")?;
            Ok(globals.open_to_read()?.feed(name, filter)?)
        }
        (None, None) => Err(Failure::Usage("since when? give --since N or --consumer NAME")),
    }
}

fn read_filter(events: &Events) -> Result<EventFilter, Failure> {
    Ok(EventFilter {
        kinds: events.kind.clone(),
        codes: events.code.clone(),
        persons: events.persons.as_deref().map(read_persons).transpose()?,
        municipality_before: events.municipality_before,
        municipality_after: events.municipality_after,
        municipality: events.municipality,
    })
}

/// The persons in a file, one number a line; empty lines are passed over.
fn read_persons(path: &Path) -> Result<PersonSet, Failure> {
    let text = read_text(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let key = |line: &str| Pnr::parse(line.replacen('-', "", 1).as_bytes()).and_then(|pnr| pnr.key());
    lines.map(key).collect::<Option<PersonSet>>().ok_or(Failure::Usage("a personnummer is ten digits, one a line"))
}

fn write_text(screen: &mut Screen, event: &BusinessEvent) -> Result<(), Failure> {
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
        screen,
        "{:<10} {:>4}  {}  {:<20} {cause:<6} {moved:<11}  {}{since}{related}",
        event.cursor.to_string(),
        event.delivery.0,
        event.pnr.reveal(),
        event.kind.name(),
        aspects.join(", ")
    )
}

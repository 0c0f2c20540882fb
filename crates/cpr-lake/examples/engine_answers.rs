//! What the engine says of a store, for comparing a lake with it: one answer a line on standard output.
//!
//! `engine_answers STORE history` prints every version of every fact of every person, as JSON. `engine_answers STORE
//! counts` reads questions from standard input, seven words each (moment `YYYYMMDDHHMM`, delivery, municipality, status,
//! citizenship, lowest and highest age; `-` for any) and prints how many persons there are, found by reading everybody.

use std::error::Error;
use std::io::{BufWriter, Write, stdin, stdout};

use cpr_replika::cpr_model::{Aspect, Date, Pnr, Timestamp};
use cpr_replika::cpr_subscription::{Filter, FilterKind, birth_dates};
use cpr_replika::{DeliveryNumber, Replika, Snapshot};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, what] = &arguments[..] else { return Err("engine_answers STORE history|counts".into()) };
    let snapshot = Replika::open_read_only(store)?.snapshot();
    let persons = snapshot.pnrs()?.collect::<Result<Vec<Pnr>, _>>()?;
    let mut out = BufWriter::new(stdout().lock());
    match what.as_str() {
        "history" => persons.iter().try_for_each(|pnr| write_history(&snapshot, *pnr, &mut out))?,
        "counts" => {
            for line in stdin().lines() {
                writeln!(out, "{}", count(&snapshot, &persons, &line?)?)?;
            }
        }
        _ => return Err("history or counts".into()),
    }
    Ok(out.flush()?)
}

fn write_history(snapshot: &Snapshot, pnr: Pnr, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    for fact in Aspect::all().map(|aspect| snapshot.history(pnr, aspect)).collect::<Result<Vec<_>, _>>()?.concat() {
        let fact: Value = serde_json::to_value(snapshot.describe(pnr, &fact))?;
        writeln!(out, "{}", json!({ "pnr": pnr.reveal(), "fact": fact }))?;
    }
    for event in snapshot.events(pnr)?.events {
        let (code, mark) =
            (event.event().code().reveal().into_owned(), event.event().derived_mark().reveal().into_owned());
        let event = json!({ "delivery": event.delivery.0, "record": event.record, "code": code, "mark": mark });
        writeln!(out, "{}", json!({ "pnr": pnr.reveal(), "event": event }))?;
    }
    Ok(())
}

fn count(snapshot: &Snapshot, persons: &[Pnr], question: &str) -> Result<usize, Box<dyn Error>> {
    let words: Vec<&str> = question.split_whitespace().collect();
    let [valid, known, municipality, status, citizenship, lowest, highest] = words[..] else {
        return Err("seven words".into());
    };
    let valid: Timestamp = valid.parse()?;
    let known = DeliveryNumber(known.parse()?);
    let ages = match lowest {
        "-" => None,
        _ => match Filter::parse(FilterKind::AgeRange, &format!("{lowest}-{highest}"))? {
            Filter::AgeRange(range) => Some(birth_dates(range, valid.date())),
            _ => return Err("ages".into()),
        },
    };
    let is = |asked: &str, found: Option<u16>| asked == "-" || asked.parse().ok() == found;
    let mut count = 0;
    for pnr in persons {
        let Some(image) = snapshot.as_of(*pnr, Some(valid), Some(known))? else { continue };
        let rows = image.current();
        let born: Option<Date> = rows.birth_date();
        let is_of_age = ages.as_ref().is_none_or(|dates| {
            dates.as_ref().zip(born).is_some_and(|(dates, born)| born.digits() != 0 && dates.contains(&born))
        });
        let country = rows.citizenship().and_then(|row| row.country_code()).map(|code| code.0);
        let matches = is(municipality, rows.municipality().map(|code| code.0))
            && is(status, rows.status().map(|status| status.0.into()))
            && is(citizenship, country);
        count += usize::from(matches && is_of_age);
    }
    Ok(count)
}

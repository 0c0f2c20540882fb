//! Samples, stores of made-up persons, and rows of GCTP answers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Cursor;
use std::path::PathBuf;

use cpr_replika::cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_replika::cpr_model::{Date, Pnr, Timestamp};
use cpr_replika::{ApplyOptions, Config, Replika};
use quick_xml::Reader;
use quick_xml::events::Event;

/// The folder of the samples, or none with a word about it.
pub(crate) fn samples(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CPR_SAMPLES").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("{test}: skipped, CPR_SAMPLES is not set");
    }
    folder
}

/// A store that holds CPR's own test extract.
pub(crate) fn test_extract(samples: &std::path::Path) -> Replika {
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    let file = File::open(samples.join("cpr/sample/U12170-P_110901_ADRNVN_FE")).expect("the sample");
    replika.apply(file, &ApplyOptions::named("sample")).expect("a sound extract");
    replika
}

pub(crate) fn pnr(digits: &str) -> Pnr {
    Pnr::parse(digits.as_bytes()).expect("ten digits")
}

pub(crate) fn date(text: &str) -> Date {
    Date::parse(text).expect("YYYY-MM-DD")
}

/// The end of a day.
pub(crate) fn moment(text: &str) -> Timestamp {
    Timestamp::end_of(date(text))
}

/// A number and its rows: `002 KOMKOD=0751, VEJKOD=0042`, a line each.
pub(crate) type Person<'a> = (&'a str, &'a str);

const DAYS: [&str; 5] = ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07"];

/// A store to which these states of the register were delivered, the first as delivery 1.
pub(crate) fn told(deliveries: &[&[Person<'_>]]) -> Replika {
    told_to("std", None, deliveries)
}

/// The same, of a family and with these record types chosen.
pub(crate) fn told_to(family: &str, chosen: Option<Vec<u16>>, deliveries: &[&[Person<'_>]]) -> Replika {
    let family = Family::named(family).expect("a family");
    let config = Config { family: Some(family), chosen, ..Config::default() };
    let replika = Replika::in_memory(&config).expect("a store");
    for (at, persons) in deliveries.iter().enumerate() {
        let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
        let (produced, previous) = (date(DAYS[at + 1]), date(DAYS[at]));
        let mut writer =
            ExtractWriter::new(Vec::new(), family, style, "123401", produced, previous).expect("a start record");
        for (number, rows) in *persons {
            for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
                let (record, fields) = row.split_at(3);
                let fields = fields_of(fields.trim_start());
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|field| field.split_once('=').expect("NAME=value")).collect();
                writer.record(record.parse().expect("a number"), pnr(number), &fields).expect("fields that fit");
            }
        }
        let extract = writer.finish().expect("written to memory");
        replika.apply(Cursor::new(extract), &ApplyOptions::named("made up")).expect("a sound extract");
    }
    replika
}

/// The `NAME=value` of a row: what stands between a comma and the next `=` belongs to a value that holds a comma.
fn fields_of(row: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for part in row.split(", ").filter(|part| !part.is_empty()) {
        match fields.last_mut() {
            Some(field) if !part.contains('=') => *field += &format!(", {part}"),
            _ => fields.push(part.to_owned()),
        }
    }
    fields
}

/// A row of a GCTP answer: value and readable text by field.
pub(crate) type GctpRow = BTreeMap<String, (String, Option<String>)>;

/// The rows in the XML of a GCTP answer.
pub(crate) fn gctp_rows(xml: &str) -> Vec<GctpRow> {
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
    let mut rows: Vec<GctpRow> = Vec::new();
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => return rows,
            Event::Start(start) if start.local_name().as_ref() == "Row" => rows.push(GctpRow::new()),
            Event::Empty(start) | Event::Start(start) if start.local_name().as_ref() == "Field" => {
                let attribute = |name: &str| {
                    let found = start.try_get_attribute(name).expect("an attribute")?;
                    Some(found.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("text").into_owned())
                };
                let row = rows.last_mut().expect("a field stands in a row");
                let value = attribute("v").expect("a value");
                row.insert(attribute("r").expect("a name"), (value, attribute("t")));
            }
            _ => {}
        }
    }
}

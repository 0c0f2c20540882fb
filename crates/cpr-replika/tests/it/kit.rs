//! Made-up extracts from rows written as text, and the engine's answers as text.
//!
//! A row is a line such as `002 KOMKOD=0751, VEJKOD=0042, TILFLYDTO=200001011200`: record number, then CPR's names of
//! the fields that are not empty. A person is a number and its rows; a delivery is a list of persons. [`told`] applies
//! deliveries, one on each working day of [`DAYS`], and holds them to what must be true of any: see [`Told::check`].

use std::io::Cursor;

use cpr_replika::bitemporal::Period;
use cpr_replika::cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_replika::cpr_model::{Aspect, ChangeClass, Date, Day, Field, Kind, Pnr, RelatedPnr, Timestamp, Value};
use cpr_replika::{
    ApplyOptions, Change, Config, DeliveryNumber, Error, Fact, OwnedFact, Replika, Report, Residence, Snapshot,
};
use expect_test::Expect;

/// A person: number and rows.
pub(crate) type Person<'a> = (&'a str, &'a str);

/// Delivery `n` is of day `n` and follows the extract of day `n - 1`.
pub(crate) const DAYS: [&str; 6] = ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"];

pub(crate) const TASK: &str = "123401";

/// Lines cut after their last character that is not a blank, and ended by LF.
pub(crate) const PLAIN: Style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };

pub(crate) fn std_family() -> &'static Family {
    Family::named("std").expect("the family of U12170-P")
}

/// All record types and all history of the family of U12170-P.
pub(crate) fn config() -> Config {
    Config { family: Some(std_family()), ..Config::default() }
}

pub(crate) fn pnr(digits: &str) -> Pnr {
    Pnr::parse(digits.as_bytes()).expect("ten digits")
}

/// A day of the calendar.
pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day as YYYY-MM-DD")
}

pub(crate) fn date(text: &str) -> Date {
    Date::parse(text).expect("YYYY-MM-DD")
}

/// A moment: twelve digits, or a date at the end of which is asked.
pub(crate) fn moment(text: &str) -> Timestamp {
    match text.len() {
        12 => Timestamp::from_digits(text.parse().expect("digits")).expect("twelve digits"),
        _ => Timestamp::end_of(date(text)),
    }
}

/// Record number and fields of a row.
fn parse_row(row: &str) -> (u16, Vec<(&str, &str)>) {
    let (record, fields) = row.split_at(3);
    let fields = fields.trim_start().split(", ").filter(|field| !field.is_empty());
    let fields = fields.map(|field| field.split_once('=').expect("NAME=value"));
    (record.parse().expect("a record number"), fields.collect())
}

fn rows(rows: &str) -> impl Iterator<Item = (u16, Vec<(&str, &str)>)> {
    rows.lines().map(str::trim).filter(|row| !row.is_empty()).map(parse_row)
}

/// An extract of these persons.
pub(crate) fn extract(production: &str, previous: &str, persons: &[Person<'_>]) -> Vec<u8> {
    extract_as(std_family(), PLAIN, TASK, [production, previous], persons)
}

/// The extract of day `day` of [`DAYS`].
pub(crate) fn extract_of_day(day: usize, persons: &[Person<'_>]) -> Vec<u8> {
    extract(DAYS[day], DAYS[day - 1], persons)
}

pub(crate) fn extract_as(
    family: &'static Family,
    style: Style,
    task: &str,
    [production, previous]: [&str; 2],
    persons: &[Person<'_>],
) -> Vec<u8> {
    let mut writer =
        ExtractWriter::new(Vec::new(), family, style, task, date(production), date(previous)).expect("a start record");
    for (number, text) in persons {
        for (record, fields) in rows(text) {
            writer.record(record, pnr(number), &fields).unwrap_or_else(|error| panic!("row {record:03}: {error}"));
        }
    }
    writer.finish().expect("written to memory")
}

pub(crate) fn apply(replika: &Replika, extract: &[u8]) -> Result<Report, Error> {
    replika.apply(Cursor::new(extract), &ApplyOptions::named("made up"))
}

/// The whole store as one extract, as of now.
pub(crate) fn exported(replika: &Replika) -> Vec<u8> {
    let mut out = Vec::new();
    replika.snapshot().export(None, &mut out).expect("an export");
    out
}

/// The lines of a person as of a delivery; none when it holds no such person.
pub(crate) fn group(snapshot: &Snapshot, number: &str, known: u32) -> Option<Vec<Vec<u8>>> {
    let lines = snapshot.group(pnr(number), Some(DeliveryNumber(known))).expect("a read");
    lines.map(|lines| lines.reveal().map(<[u8]>::to_vec).collect())
}

/// The rows as the lines that an extract in plain style holds: 003 last, events left out.
pub(crate) fn lines_of((number, text): Person<'_>) -> Vec<Vec<u8>> {
    let mut lines: Vec<(bool, Vec<u8>)> = Vec::new();
    for (record, fields) in rows(text).filter(|(record, _)| *record != 99) {
        let mut line = Vec::new();
        let layout = std_family().record(record).expect("a record of the family");
        layout.compose(Some(pnr(number)), &fields, &mut line).expect("fields that fit");
        line.truncate(line.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1));
        lines.push((record == 3, line));
    }
    lines.sort_by_key(|(behind, _)| *behind);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// A replica and the reports of its deliveries.
pub(crate) struct Told {
    pub(crate) replika: Replika,
    pub(crate) reports: Vec<Report>,
}

/// Applies these states of the register, the first as delivery 1.
pub(crate) fn told(deliveries: &[&[Person<'_>]]) -> Told {
    told_to(&config(), deliveries)
}

pub(crate) fn told_to(config: &Config, deliveries: &[&[Person<'_>]]) -> Told {
    let replika = Replika::in_memory(config).expect("a store");
    let extracts = deliveries.iter().enumerate().map(|(at, persons)| extract_of_day(at + 1, persons));
    let reports = extracts.map(|extract| apply(&replika, &extract).expect("a sound extract")).collect();
    let told = Told { replika, reports };
    told.check(deliveries);
    told
}

impl Told {
    /// What holds whatever was told: every belief of then can be read now, line for line; the reports count what the
    /// differences say, one class for each; and nothing stored contradicts itself.
    fn check(&self, deliveries: &[&[Person<'_>]]) {
        let snapshot = self.snapshot();
        for (at, persons) in deliveries.iter().enumerate() {
            let known = at as u32 + 1;
            let mut classes = [0; ChangeClass::ALL.len()];
            for person in *persons {
                let held = group(&snapshot, person.0, known);
                assert_eq!(held, Some(lines_of(*person)), "the lines of delivery {known}");
                for change in self.diff(person.0, known - 1, known) {
                    classes[change.class as usize] += 1;
                }
            }
            assert_eq!(self.reports[at].delivery.counts.classes, classes, "classes in the report of delivery {known}");
        }
        assert_eq!(snapshot.verify().expect("a read").faults, []);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.replika.snapshot()
    }

    fn diff(&self, number: &str, from: u32, to: u32) -> Vec<Change> {
        self.snapshot().diff(pnr(number), DeliveryNumber(from), DeliveryNumber(to)).expect("a read")
    }

    /// What changed between two deliveries: class, aspect, the row before, the row after, the fields that differ.
    pub(crate) fn check_changes(&self, number: &str, [from, to]: [u32; 2], expected: Expect) {
        let text: String = self.diff(number, from, to).iter().map(|change| show_change(change) + "\n").collect();
        expected.assert_eq(&text);
    }

    /// Every version of an aspect that was ever believed, with the deliveries that believed it.
    pub(crate) fn check_history(&self, number: &str, aspect: Aspect, expected: Expect) {
        let show = |fact: &OwnedFact| {
            let known = fact.as_fact().known();
            let to = known.to.map_or(String::new(), |to| to.to_string());
            format!("known {}..{to} {}\n", known.from, show_fact(&fact.as_fact()))
        };
        let history = self.snapshot().history(pnr(number), aspect).expect("a read");
        expected.assert_eq(&history.iter().map(show).collect::<String>());
    }

    /// The unmarked rows of an aspect in the order in which they held, as of a delivery.
    pub(crate) fn timeline(&self, number: &str, aspect: Aspect, known: u32) -> Vec<String> {
        let rows = self.snapshot().timeline(pnr(number), aspect, Some(DeliveryNumber(known))).expect("a read");
        rows.iter().map(|(period, fact)| format!("{} {}", show_period(*period), show_values(&fact.as_fact()))).collect()
    }

    /// The rows of an aspect that held at a moment, as of a delivery; at no moment (""), all that were believed.
    pub(crate) fn held(&self, number: &str, aspect: Aspect, at: &str, known: u32) -> Vec<String> {
        let valid = (!at.is_empty()).then(|| moment(at));
        let snapshot = self.snapshot();
        let image = snapshot.as_of(pnr(number), valid, Some(DeliveryNumber(known))).expect("a read");
        let facts = image.iter().flat_map(|image| match at {
            "" => image.all_facts().collect::<Vec<_>>(),
            _ => image.facts().collect(),
        });
        facts.filter(|fact| fact.aspect() == aspect).map(|fact| show_fact(&fact)).collect()
    }

    /// Where the person was at a moment, as of a delivery.
    pub(crate) fn residence(&self, number: &str, at: &str, known: u32) -> String {
        let snapshot = self.snapshot();
        let image = snapshot.as_of(pnr(number), None, Some(DeliveryNumber(known))).expect("a read");
        match image.as_ref().and_then(|image| image.residence(moment(at))) {
            None => "nowhere".to_owned(),
            Some(Residence::Address(fact)) => show_values(&fact),
            Some(Residence::Abroad(fact)) => format!("abroad {}", show_values(&fact)),
            Some(Residence::Disappeared(_)) => "disappeared".to_owned(),
            Some(other) => format!("{other:?}"),
        }
    }

    /// The chain of numbers as of a delivery: each with `+` when held and its dates, the one in force in brackets.
    pub(crate) fn numbers(&self, number: &str, known: u32) -> Option<String> {
        let chain = self.snapshot().numbers(pnr(number), Some(DeliveryNumber(known))).expect("a read")?;
        let show = |date: Option<Date>| date.map_or(String::new(), |date| date.to_string());
        let numbers = chain.numbers.iter().map(|one| {
            let digits = match chain.current == Some(one.pnr) {
                true => format!("[{}]", one.pnr.reveal()),
                false => one.pnr.reveal().to_owned(),
            };
            let held = if one.held { "+" } else { "" };
            format!("{digits}{held} {}..{}", show(one.from), show(one.to))
        });
        Some(numbers.collect::<Vec<_>>().join(", "))
    }
}

fn show_change(change: &Change) -> String {
    let side = |fact: &Option<OwnedFact>| {
        fact.as_ref().map_or("-".to_owned(), |fact| {
            let view = fact.as_fact();
            assert_eq!(view.aspect(), change.aspect, "both sides of a change are of its aspect");
            show_row(&view)
        })
    };
    let mut text =
        format!("{} {}: {} -> {}", change.class, change.aspect.name(), side(&change.before), side(&change.after));
    if let (Some(before), Some(after)) = (&change.before, &change.after) {
        let (before, after) = (before.as_fact(), after.as_fact());
        let differ = |field: &Field| before.values().get(*field) != after.values().get(*field);
        let fields: Vec<&str> = if before.record() == after.record() {
            Field::all().filter(differ).map(Field::term).collect()
        } else {
            Vec::new()
        };
        text += &if fields.is_empty() { String::new() } else { format!(" [{}]", fields.join(" ")) };
    }
    text
}

/// Record, mark and period.
pub(crate) fn show_row(fact: &Fact<'_>) -> String {
    let mark = fact.mark().map_or(String::new(), |mark| mark.letter().to_string());
    let period = show_period(fact.valid());
    let separator = if period == ".." { "" } else { " " };
    format!("{:03}{mark}{separator}{}", fact.record(), if separator.is_empty() { "" } else { &period })
}

pub(crate) fn show_fact(fact: &Fact<'_>) -> String {
    format!("{} {}", show_row(fact), show_values(fact)).trim_end().to_owned()
}

fn show_period(period: Period<Timestamp>) -> String {
    let show = |at: Option<Timestamp>| at.map_or(String::new(), |at| format!("{:012}", at.digits()));
    format!("{}..{}", show(period.from), show(period.to))
}

/// Texts, codes and related numbers of a row, in the order of its line.
fn show_values(fact: &Fact<'_>) -> String {
    let values = fact.values().iter().filter_map(|(field, value)| match (value, field.kind()) {
        (Value::Text(text), _) => Some(text.reveal().trim_start().to_owned()),
        (Value::Number(Some(number)), Kind::Small) => Some(number.to_string()),
        (Value::Number(Some(number)), _) => Some(format!("{number:04}")),
        (Value::Pnr(RelatedPnr::Known(pnr)), _) => Some(pnr.reveal().to_owned()),
        (Value::Pnr(RelatedPnr::Unknown), _) => Some("0000000000".to_owned()),
        _ => None,
    });
    values.collect::<Vec<_>>().join(" ")
}

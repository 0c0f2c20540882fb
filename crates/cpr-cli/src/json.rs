//! The JSON that programs read. Its shapes are stable and stand in docs/json.md.

use std::io::{self, Write};

use cpr_replika::cpr_extract::{Family, Fault};
use cpr_replika::cpr_model::{ChangeClass, Pnr, Timestamp};
use cpr_replika::{Change, Delivery, FactView, Report};

pub(crate) type Json = serde_json::Value;

/// Prints one object on one line.
pub(crate) fn print(value: &Json) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)
}

pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `"012"`
pub(crate) fn record(number: u16) -> Json {
    format!("{number:03}").into()
}

/// `"1997-09-09T09:24"`, digits as received; null where there is no bound.
pub(crate) fn moment(at: Option<Timestamp>) -> Json {
    at.map_or(Json::Null, |at| at.to_string().replacen(' ', "T", 1).into())
}

/// A fact with both clocks, its fields by CPR's names with their text as received.
pub(crate) fn fact(fact: &FactView<'_>, pnr: Pnr, family: Option<&Family>) -> Json {
    let (valid, known) = (fact.valid(), fact.known());
    let mut fields = serde_json::Map::new();
    if let Some(layout) = family.and_then(|family| family.record(fact.record())) {
        let mut line = Vec::new();
        layout.render(Some(pnr), fact.values(), &mut line);
        for (name, text) in layout.texts(&line) {
            fields.insert(name.to_owned(), text.reveal().into());
        }
    }
    object([
        ("aspect", fact.aspect().name().into()),
        ("record", record(fact.record())),
        ("valid_from", moment(valid.from)),
        ("valid_to", moment(valid.to)),
        ("known_from", known.from.into()),
        ("known_to", known.to.map_or(Json::Null, Json::from)),
        ("mark", fact.mark().map_or(Json::Null, |mark| mark.letter().to_string().into())),
        ("fields", Json::Object(fields)),
    ])
}

pub(crate) fn change(change: &Change, pnr: Pnr, family: Option<&Family>) -> Json {
    let side =
        |side: &Option<cpr_replika::Fact>| side.as_ref().map_or(Json::Null, |held| fact(&held.view(), pnr, family));
    object([
        ("class", change.class.name().into()),
        ("aspect", change.aspect.name().into()),
        ("before", side(&change.before)),
        ("after", side(&change.after)),
    ])
}

pub(crate) fn report(file: &str, report: &Report) -> Json {
    let mut members = vec![("file", file.into())];
    members.push(("delivery", report.delivery.number.0.into()));
    members.push(("outcome", report.outcome.name().into()));
    members.extend(counts(&report.delivery));
    object(members)
}

pub(crate) fn delivery(delivery: &Delivery) -> Json {
    let mut members = vec![
        ("delivery", Json::from(delivery.number.0)),
        ("kind", delivery.kind.name().into()),
        ("file", delivery.file_name.as_str().into()),
        ("sha256", hex(&delivery.digest).into()),
        ("task", delivery.task.as_str().into()),
        ("applied_at", delivery.applied_at.map_or(Json::Null, Json::from)),
    ];
    members.extend(counts(delivery));
    object(members)
}

fn counts(delivery: &Delivery) -> Vec<(&'static str, Json)> {
    let counts = &delivery.counts;
    let classes = ChangeClass::ALL.iter().map(|class| (class.name(), counts.classes[*class as usize].into()));
    let input_errors = counts
        .input_errors
        .iter()
        .map(|error| object([("number", error.number.into()), ("text", error.text.as_str().into())]));
    vec![
        ("production_date", delivery.production_date.to_string().into()),
        ("previous_production_date", delivery.previous_production_date.to_string().into()),
        (
            "persons",
            object([
                ("new", counts.persons_new.into()),
                ("changed", counts.persons_changed.into()),
                ("unchanged", counts.persons_unchanged.into()),
            ]),
        ),
        (
            "facts",
            object([
                ("kept", counts.facts_kept.into()),
                ("new", counts.facts_new.into()),
                ("superseded", counts.facts_superseded.into()),
            ]),
        ),
        ("classes", object(classes)),
        ("events", counts.events.into()),
        ("receipts", counts.receipts.into()),
        ("input_errors", Json::Array(input_errors.collect())),
        ("odd_characters", counts.odd_characters.into()),
        ("inverted_periods", counts.inverted_periods.into()),
        ("waived", counts.waived.into()),
        ("bytes", counts.bytes.into()),
        ("duration_seconds", counts.duration.as_secs_f64().into()),
    ]
}

pub(crate) fn fault(fault: &Fault) -> Json {
    object([
        ("kind", fault.reason.name().into()),
        ("line", fault.line.into()),
        ("offset", fault.offset.into()),
        ("record", fault.record.map_or(Json::Null, record)),
        ("field", fault.field.map_or(Json::Null, Json::from)),
        ("reason", fault.reason.to_string().into()),
    ])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! What a delivery did, as text for people and as JSON for programs.

use cpr_replika::cpr_model::ChangeClass;
use cpr_replika::{Delivery, DeliveryKind, Outcome, Report};

use crate::failure::Failure;
use crate::json::{self, Json};
use crate::screen::Screen;
use crate::visible::one_line;

pub(crate) fn as_json(file: &str, report: &Report) -> Json {
    let mut members = vec![("file", file.into())];
    members.push(("delivery", report.delivery.number.0.into()));
    members.push(("outcome", report.outcome.name().into()));
    members.extend(counts(&report.delivery));
    json::object(members)
}

pub(crate) fn delivery_as_json(delivery: &Delivery) -> Json {
    let mut members = vec![
        ("delivery", Json::from(delivery.number.0)),
        ("kind", delivery.kind.name().into()),
        ("file", delivery.file_name.as_str().into()),
        ("sha256", json::hex(&delivery.digest).into()),
        ("task", delivery.task.as_str().into()),
        ("applied_at", delivery.applied_at.map_or(Json::Null, Json::from)),
    ];
    members.extend(counts(delivery));
    json::object(members)
}

fn counts(delivery: &Delivery) -> Vec<(&'static str, Json)> {
    let counts = &delivery.counts;
    let classes = ChangeClass::ALL.iter().map(|class| (class.name(), counts.classes[*class as usize].into()));
    let input_errors = counts
        .input_errors
        .iter()
        .map(|error| json::object([("number", error.number.into()), ("text", error.text.as_str().into())]));
    vec![
        ("production_date", delivery.production_date.to_string().into()),
        ("previous_production_date", delivery.previous_production_date.to_string().into()),
        (
            "persons",
            json::object([
                ("new", counts.persons_new.into()),
                ("changed", counts.persons_changed.into()),
                ("unchanged", counts.persons_unchanged.into()),
            ]),
        ),
        (
            "facts",
            json::object([
                ("kept", counts.facts_kept.into()),
                ("new", counts.facts_new.into()),
                ("superseded", counts.facts_superseded.into()),
            ]),
        ),
        ("classes", json::object(classes)),
        ("events", counts.events.into()),
        ("receipts", counts.receipts.into()),
        ("input_errors", Json::Array(input_errors.collect())),
        ("repeated_persons", counts.repeated_persons.into()),
        ("doubled_rows", counts.doubled_rows.into()),
        ("odd_characters", counts.odd_characters.into()),
        ("inverted_periods", counts.inverted_periods.into()),
        ("waived", counts.waived.into()),
        ("bytes", counts.bytes.into()),
        ("duration_seconds", counts.duration.as_secs_f64().into()),
    ]
}

pub(crate) fn write(screen: &mut Screen, file: &str, report: &Report) -> Result<(), Failure> {
    let delivery = &report.delivery;
    let counts = &delivery.counts;
    let said = match (report.outcome, delivery.kind) {
        (Outcome::Applied, DeliveryKind::Load) => "loaded as delivery",
        (Outcome::Applied, DeliveryKind::Delta) => "applied as delivery",
        (Outcome::AlreadyApplied, _) => "was applied already, as delivery",
        (Outcome::DryRun, _) => "dry run, nothing stored: would be delivery",
    };
    writeln!(
        screen,
        "{file}: {said} {} (produced {}, after {})",
        delivery.number, delivery.production_date, delivery.previous_production_date
    )?;
    writeln!(
        screen,
        "  persons  {} new, {} changed, {} unchanged",
        counts.persons_new, counts.persons_changed, counts.persons_unchanged
    )?;
    writeln!(
        screen,
        "  facts    {} kept, {} new, {} superseded",
        counts.facts_kept, counts.facts_new, counts.facts_superseded
    )?;
    let classes =
        ChangeClass::ALL.iter().map(|class| (class.name().replace('_', " "), counts.classes[*class as usize]));
    let classes: Vec<String> =
        classes.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
    writeln!(screen, "  changes  {}", if classes.is_empty() { "none".to_owned() } else { classes.join(", ") })?;
    writeln!(screen, "  events   {}", counts.events)?;
    if counts.receipts > 0 {
        writeln!(screen, "  receipts for deleted subscriptions (997): {}", counts.receipts)?;
    }
    for error in &counts.input_errors {
        writeln!(screen, "  CPR's answer to an input line (910): {} {}", error.number, one_line(&error.text))?;
    }
    if counts.repeated_persons > 0 {
        writeln!(
            screen,
            "  {} persons stand in the file again, with the same rows; taken once",
            counts.repeated_persons
        )?;
    }
    if counts.doubled_rows > 0 {
        writeln!(
            screen,
            "  {} current rows of a kind that a person has once stand beside another; kept, the one that began last counts",
            counts.doubled_rows
        )?;
    }
    if counts.odd_characters > 0 {
        writeln!(
            screen,
            "  {} records hold characters that CPR's set does not have; kept as they are",
            counts.odd_characters
        )?;
    }
    if counts.inverted_periods > 0 {
        writeln!(screen, "  {} rows end before they start; kept as they are, without length", counts.inverted_periods)?;
    }
    if counts.waived > 0 {
        writeln!(screen, "  {} faults accepted as asked", counts.waived)?;
    }
    writeln!(screen, "  in {:.3} s", counts.duration.as_secs_f64())
}

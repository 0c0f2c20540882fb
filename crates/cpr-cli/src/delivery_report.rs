//! What a delivery did, as text for people, and with its file as JSON.

use cpr_replika::cpr_model::ChangeClass;
use cpr_replika::{DeliveryKind, Outcome, Report};
use serde::Serialize;

use crate::failure::Failure;
use crate::screen::Screen;
use crate::visible::one_line;

/// The report with the file as it was named.
#[derive(Serialize)]
pub(crate) struct FileReport<'a> {
    pub(crate) file: &'a str,
    #[serde(flatten)]
    pub(crate) report: &'a Report,
}

pub(crate) fn write(screen: &mut Screen, file: &str, report: &Report) -> Result<(), Failure> {
    let delivery = &report.delivery;
    let counts = &delivery.counts;
    let said = match (report.outcome, delivery.kind) {
        (Outcome::Applied, DeliveryKind::Load) => "loaded as delivery",
        (Outcome::Applied, DeliveryKind::Admission) => "admitted as delivery",
        (Outcome::Applied, _) => "applied as delivery",
        (Outcome::AlreadyApplied, _) => "was applied already, as delivery",
        (Outcome::DryRun, _) => "dry run, nothing stored: would be delivery",
        (other, _) => other.name(),
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
    if counts.input_errors_beyond > 0 {
        writeln!(
            screen,
            "  and {} more answers to input lines (910), whose text is not kept",
            counts.input_errors_beyond
        )?;
    }
    if counts.repeated_persons > 0 {
        writeln!(
            screen,
            "  {} persons stand in the file again, with the same rows; taken once",
            counts.repeated_persons
        )?;
    }
    if counts.persons_barred > 0 {
        writeln!(screen, "  {} persons left out: they were erased, or are one with who was", counts.persons_barred)?;
    }
    if counts.persons_left_out > 0 {
        writeln!(screen, "  {} persons left out: nobody needs them (replika keep)", counts.persons_left_out)?;
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

//! Text for people, and the small things that every command shares.

use std::io::{self, Write};
use std::path::Path;

use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{ChangeClass, Pnr, Timestamp};
use cpr_replika::{Change, DeliveryKind, Error, FactView, Outcome, Replika, Report};

use crate::args::Arguments;
use crate::failure::Failure;

pub(crate) fn store_path(arguments: &Arguments) -> Result<&Path, Failure> {
    arguments.store.as_deref().ok_or(Failure::Usage("which store? give --store PATH"))
}

/// Opens the store for reading.
pub(crate) fn open(arguments: &Arguments) -> Result<Replika, Failure> {
    Ok(Replika::open_read_only(store_path(arguments)?)?)
}

pub(crate) fn family(name: &str) -> Result<&'static Family, Failure> {
    let known = || Family::all().iter().map(|family| family.name).collect();
    Family::named(name).ok_or_else(|| Error::UnknownFamily { known: known() }.into())
}

pub(crate) fn report(out: &mut impl Write, file: &str, report: &Report) -> io::Result<()> {
    let delivery = &report.delivery;
    let counts = &delivery.counts;
    let said = match (report.outcome, delivery.kind) {
        (Outcome::Applied, DeliveryKind::Load) => "loaded as delivery",
        (Outcome::Applied, DeliveryKind::Delta) => "applied as delivery",
        (Outcome::AlreadyApplied, _) => "was applied already, as delivery",
        (Outcome::DryRun, _) => "dry run, nothing stored: would be delivery",
    };
    writeln!(
        out,
        "{file}: {said} {} (produced {}, after {})",
        delivery.number, delivery.production_date, delivery.previous_production_date
    )?;
    writeln!(
        out,
        "  persons  {} new, {} changed, {} unchanged",
        counts.persons_new, counts.persons_changed, counts.persons_unchanged
    )?;
    writeln!(
        out,
        "  facts    {} kept, {} new, {} superseded",
        counts.facts_kept, counts.facts_new, counts.facts_superseded
    )?;
    let classes =
        ChangeClass::ALL.iter().map(|class| (class.name().replace('_', " "), counts.classes[*class as usize]));
    let classes: Vec<String> =
        classes.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
    writeln!(out, "  changes  {}", if classes.is_empty() { "none".to_owned() } else { classes.join(", ") })?;
    writeln!(out, "  events   {}", counts.events)?;
    if counts.receipts > 0 {
        writeln!(out, "  receipts for deleted subscriptions (997): {}", counts.receipts)?;
    }
    for error in &counts.input_errors {
        writeln!(out, "  CPR's answer to an input line (910): {} {}", error.number, error.text)?;
    }
    if counts.odd_characters > 0 {
        writeln!(
            out,
            "  {} records hold characters that CPR's set does not have; kept as they are",
            counts.odd_characters
        )?;
    }
    if counts.inverted_periods > 0 {
        writeln!(out, "  {} rows end before they start; kept as they are, without length", counts.inverted_periods)?;
    }
    if counts.waived > 0 {
        writeln!(out, "  {} faults accepted as asked", counts.waived)?;
    }
    writeln!(out, "  in {:.3} s", counts.duration.as_secs_f64())
}

/// `1 person`, `2 persons`.
pub(crate) fn persons(count: u64) -> String {
    format!("{count} person{}", if count == 1 { "" } else { "s" })
}

/// A bound of a period: the day, with the time where one is stated.
fn bound(at: Option<Timestamp>) -> String {
    let text = at.map_or(String::new(), |at| at.to_string());
    text.strip_suffix(" 00:00").unwrap_or(&text).to_owned()
}

/// One fact on two lines: clocks, then the fields that are not empty.
pub(crate) fn fact(out: &mut impl Write, fact: &FactView<'_>, pnr: Pnr, family: Option<&Family>) -> io::Result<()> {
    let (valid, known) = (fact.valid(), fact.known());
    let valid = match (valid.from, valid.to) {
        (None, None) => "undated".to_owned(),
        (from, to) => format!("valid {}..{}", bound(from), bound(to)),
    };
    let known = format!("known {}..{}", known.from, known.to.map_or(String::new(), |to| to.to_string()));
    let mark = fact.mark().map_or(String::new(), |mark| format!("  marked {}", mark.letter()));
    writeln!(out, "{:03} {:<20} {valid:<36} {known}{mark}", fact.record(), fact.aspect().name())?;
    let Some(layout) = family.and_then(|family| family.record(fact.record())) else { return Ok(()) };
    let mut line = Vec::new();
    layout.render(Some(pnr), fact.values(), &mut line);
    let fields = layout.texts(&line).skip(1);
    let filled = fields.filter(|(_, text)| text.latin1().iter().any(|byte| *byte != b'0'));
    let filled: Vec<String> = filled.map(|(name, text)| format!("{name}={}", text.reveal())).collect();
    if !filled.is_empty() {
        writeln!(out, "    {}", filled.join("  "))?;
    }
    Ok(())
}

pub(crate) fn change(out: &mut impl Write, change: &Change, pnr: Pnr, family: Option<&Family>) -> io::Result<()> {
    writeln!(out, "{} ({})", change.class.name().replace('_', " "), change.aspect.name())?;
    let same = change.before == change.after;
    for (sign, side) in [("-", &change.before), ("+", &change.after)] {
        if let Some(side) = side {
            let sign = if same { "=" } else { sign };
            let mut text = Vec::new();
            fact(&mut text, &side.view(), pnr, family)?;
            for line in String::from_utf8_lossy(&text).lines() {
                writeln!(out, "  {sign} {line}")?;
            }
        }
        if same {
            break;
        }
    }
    Ok(())
}

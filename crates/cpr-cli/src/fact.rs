//! A fact and a change as text for people, for the commands that show them.

use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Pnr, Timestamp};
use cpr_replika::{Change, Fact};

use crate::failure::Failure;
use crate::screen::Screen;
use crate::visible::one_line;

/// One fact on two lines: clocks, then the fields that are not empty.
pub(crate) fn write(screen: &mut Screen, fact: &Fact<'_>, pnr: Pnr, family: Option<&Family>) -> Result<(), Failure> {
    as_lines(fact, pnr, family).iter().try_for_each(|line| writeln!(screen, "{line}"))
}

fn as_lines(fact: &Fact<'_>, pnr: Pnr, family: Option<&Family>) -> Vec<String> {
    let (bounds, known) = (fact.stated_bounds(), fact.known());
    let valid = match bounds {
        (None, None) => "undated".to_owned(),
        // It is over, and nobody said when.
        (from, None) if fact.is_historic() => format!("valid {}..?", write_bound(from)),
        (from, to) => format!("valid {}..{}", write_bound(from), write_bound(to)),
    };
    let known = format!("known {}..{}", known.from, known.to.map_or(String::new(), |to| to.to_string()));
    let mark = fact.mark().map_or(String::new(), |mark| format!("  marked {}", mark.letter()));
    let mut lines = vec![format!("{:03} {:<20} {valid:<36} {known}{mark}", fact.record(), fact.aspect().name())];
    let Some(layout) = family.and_then(|family| family.record(fact.record())) else { return lines };
    let mut line = Vec::new();
    layout.render(Some(pnr), fact.values(), &mut line);
    let fields = layout.texts(&line).skip(1);
    let filled = fields.filter(|(_, text)| text.latin1().iter().any(|byte| *byte != b'0'));
    let filled: Vec<String> = filled.map(|(name, text)| format!("{name}={}", one_line(&text.reveal()))).collect();
    if !filled.is_empty() {
        lines.push(format!("    {}", filled.join("  ")));
    }
    lines
}

/// A bound of a period: the day, with the time where one is stated.
fn write_bound(at: Option<Timestamp>) -> String {
    let text = at.map_or(String::new(), |at| at.to_string());
    text.strip_suffix(" 00:00").unwrap_or(&text).to_owned()
}

pub(crate) fn write_change(
    screen: &mut Screen,
    change: &Change,
    pnr: Pnr,
    family: Option<&Family>,
) -> Result<(), Failure> {
    writeln!(screen, "{} ({})", change.class.name().replace('_', " "), change.aspect.name())?;
    let sides = match change.before == change.after {
        true => vec![("=", &change.before)],
        false => vec![("-", &change.before), ("+", &change.after)],
    };
    for (sign, side) in sides {
        for line in side.iter().flat_map(|side| as_lines(&side.as_fact(), pnr, family)) {
            writeln!(screen, "  {sign} {line}")?;
        }
    }
    Ok(())
}

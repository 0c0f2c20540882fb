//! `about`: everything that the store holds of one human being, for whoever asks what is held of them.

use clap::Args;
use cpr_replika::cpr_extract::Family;
use cpr_replika::{AboutNumber, DeliveryNumber};

use crate::context::Globals;
use crate::fact;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::Person;
use crate::visible::one_line;

#[derive(Args, Debug)]
pub(crate) struct About {
    #[command(flatten)]
    person: Person,
}

pub(crate) fn tell_about(globals: &Globals, about: &About, screen: &mut Screen) -> Result<(), Failure> {
    let pnr = about.person.pnr()?;
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, Some(pnr), None)?;
    let meter = Meter::open_ended("reading");
    let found = snapshot.about(pnr);
    drop(meter);
    let found = found?;
    if globals.json {
        return screen.print_json(&snapshot.describe(pnr, &found));
    }
    let family = snapshot.settings().family;
    for number in &found.numbers {
        write_number(screen, number, family)?;
    }
    if found.mentions.is_empty() {
        return writeln!(screen, "no record of another person names any of the numbers");
    }
    writeln!(screen, "records of other persons name the numbers; they are the others' records:")?;
    let mut mentions = found.mentions.iter();
    mentions.try_for_each(|(aspect, count)| writeln!(screen, "  {:<20} {count}", aspect.name()))
}

fn write_number(screen: &mut Screen, number: &AboutNumber, family: Option<&Family>) -> Result<(), Failure> {
    writeln!(screen, "{}", number.pnr.reveal())?;
    if number.rows.is_empty() && number.facts.is_empty() {
        writeln!(screen, "  nothing is held under this number")?;
    }
    for fact in &number.facts {
        fact::write(screen, &fact.as_fact(), number.pnr, family)?;
    }
    for event in &number.events.events {
        let code = event.event().code().reveal().into_owned();
        writeln!(screen, "{:03} event {} of delivery {}", event.record, one_line(&code), event.delivery)?;
    }
    let list =
        |deliveries: &[DeliveryNumber]| deliveries.iter().map(DeliveryNumber::to_string).collect::<Vec<_>>().join(", ");
    let sent: Vec<String> = number.sent_to.iter().map(|(delivery, name)| format!("{name} ({delivery})")).collect();
    let links: Vec<&str> = number.links.iter().map(|pnr| pnr.reveal()).collect();
    let lines = [
        ("changed by deliveries", list(&number.changed_in)),
        ("brought unchanged by deliveries", list(&number.unchanged_in)),
        ("sent to subscribers (of delivery)", sent.join(", ")),
        ("found by", number.found_by.join(", ")),
        ("words of names", number.words.join(" ")),
        ("named by, or naming, as another number of the same person", links.join(", ")),
    ];
    for (what, said) in lines.iter().filter(|(_, said)| !said.is_empty()) {
        writeln!(screen, "  {what}: {}", one_line(said))?;
    }
    for filter in &number.filters {
        let whose = filter.subscriber.as_deref().map_or("the rule of who is kept".to_owned(), one_line);
        let counted = filter.counted.iter().map(|(from, to)| match to {
            Some(to) => format!("after delivery {from}, up to {to}"),
            None => format!("since delivery {from}"),
        });
        let counted: Vec<String> = counted.collect();
        writeln!(screen, "  followed by {whose}: {} {}", filter.filter.reveal(), counted.join("; "))?;
    }
    if number.is_left_out {
        writeln!(screen, "  left out: CPR has the number, and nobody needs it here")?;
    }
    if number.is_barred {
        writeln!(screen, "  barred: it was erased, and does not come back until it is readmitted")?;
    }
    let rows: Vec<String> = number.rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
    writeln!(screen, "  rows that speak of it: {}", if rows.is_empty() { "none".to_owned() } else { rows.join(", ") })
}

//! `matches`: whom a delivery had for a subscriber, and by which of its filters.

use clap::Args;
use cpr_replika::{DeliveryNumber, Explanation, Matches, Recipient, Snapshot};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::plural::persons;
use crate::screen::Screen;
use crate::values::{Hidden, parse_delivery};

#[derive(Args, Debug)]
pub(crate) struct MatchesOf {
    /// The delivery.
    #[arg(value_parser = parse_delivery)]
    delivery: u32,
    /// The subscriber; without one, how many persons each is sent.
    name: Option<Hidden>,
}

pub(crate) fn list_matches(globals: &Globals, options: &MatchesOf, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, None, None)?;
    let delivery = DeliveryNumber(options.delivery);
    match &options.name {
        Some(name) => print_matches(globals, &snapshot.matches(delivery, &name.subscriber_name()?)?, screen),
        None => print_counts(globals, &snapshot, delivery, screen),
    }
}

/// How many persons each subscriber is sent.
fn print_counts(
    globals: &Globals,
    snapshot: &Snapshot,
    delivery: DeliveryNumber,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let recipients = snapshot.recipients(delivery)?;
    let counts = recipients.iter().map(|recipient| (recipient.subscriber.name.as_str(), recipient.persons.len()));
    if globals.json {
        return screen.print_json(&Recipients { delivery, subscribers: &recipients });
    }
    counts.into_iter().try_for_each(|(name, count)| writeln!(screen, "{name}  {}", persons(count)))?;
    Ok(())
}

fn print_matches(globals: &Globals, matches: &Matches, screen: &mut Screen) -> Result<(), Failure> {
    if globals.json {
        return screen.print_json(matches);
    }
    for found in &matches.persons {
        let sent = if found.delivered { "sent" } else { "not sent" };
        let explain = |reason| matches.explain(found.pnr, reason).expect("a reason of these matches");
        let reasons = found.reasons.iter().map(|reason| as_text(&explain(reason)));
        writeln!(screen, "{}  {sent}: {}", found.pnr.reveal(), reasons.collect::<Vec<_>>().join(", "))?;
    }
    Ok(())
}

fn as_text(why: &Explanation) -> String {
    let mut text = format!("{} {}", why.kind, why.filter);
    if let Some(change) = why.change {
        text += &format!(" {}", change.name());
    }
    match &why.derived_mark {
        Some(mark) => text += &format!(" derived {mark}"),
        None if why.derived => text += " derived",
        None => {}
    }
    text
}

#[derive(Serialize)]
struct Recipients<'a> {
    delivery: DeliveryNumber,
    subscribers: &'a [Recipient],
}

//! `matches`: whom a delivery had for a subscriber, and by which of its filters.

use clap::Args;
use cpr_replika::cpr_model::Pnr;
use cpr_replika::cpr_subscription::{Filter, FilterKind, ImageChange, Reason};
use cpr_replika::{DeliveryNumber, Match, Matches, Snapshot};

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
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
    let snapshot = globals.open_to_read()?.snapshot();
    let delivery = DeliveryNumber(options.delivery);
    match &options.name {
        Some(name) => {
            print_matches(globals, &snapshot.matches(delivery, &name.subscriber_name()?)?, delivery, name, screen)
        }
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
        let count = |(name, count): (&str, u64)| json::object([("name", name.into()), ("persons", count.into())]);
        let members = [("delivery", delivery.0.into()), ("subscribers", Json::Array(counts.map(count).collect()))];
        screen.print_json(&json::object(members))?;
        return Ok(());
    }
    counts.into_iter().try_for_each(|(name, count)| writeln!(screen, "{name}  {}", persons(count)))?;
    Ok(())
}

fn print_matches(
    globals: &Globals,
    matches: &Matches,
    delivery: DeliveryNumber,
    name: &Hidden,
    screen: &mut Screen,
) -> Result<(), Failure> {
    if globals.json {
        let person = |found: &Match| {
            let reasons = found.reasons.iter().map(|reason| Why::read(reason, found.pnr, matches).as_json()).collect();
            json::object([
                ("pnr", found.pnr.reveal().into()),
                ("delivered", found.delivered.into()),
                ("reasons", Json::Array(reasons)),
            ])
        };
        let persons = matches.persons.iter().map(person).collect();
        screen.print_json(&json::object([
            ("delivery", delivery.0.into()),
            ("subscriber", name.reveal().into()),
            ("persons", Json::Array(persons)),
        ]))?;
        return Ok(());
    }
    for found in &matches.persons {
        let sent = if found.delivered { "sent" } else { "not sent" };
        let reasons = found.reasons.iter().map(|reason| Why::read(reason, found.pnr, matches).as_text());
        writeln!(screen, "{}  {sent}: {}", found.pnr.reveal(), reasons.collect::<Vec<_>>().join(", "))?;
    }
    Ok(())
}

/// A reason, told by the filter that holds.
struct Why {
    kind: &'static str,
    filter: String,
    change: Option<ImageChange>,
    derived_mark: Option<String>,
    derived: bool,
}

impl Why {
    fn read(reason: &Reason, pnr: Pnr, matches: &Matches) -> Why {
        let of = |kind: FilterKind, filter, change| Why {
            kind: kind.name(),
            filter,
            change,
            derived_mark: None,
            derived: false,
        };
        match reason {
            Reason::Everything => of(FilterKind::Everything, Filter::Everything.reveal(), None),
            Reason::Number => of(FilterKind::Pnr, pnr.reveal().to_owned(), None),
            Reason::NumberChain(other) => {
                Why { kind: "NumberChain", ..of(FilterKind::Pnr, other.pnr().reveal().to_owned(), None) }
            }
            Reason::Municipality(code, change) => of(FilterKind::Municipality, code.to_string(), Some(*change)),
            Reason::Age(range, change) => of(FilterKind::AgeRange, range.to_string(), Some(*change)),
            Reason::Address(address, change) => of(FilterKind::Address, address.reveal(), Some(*change)),
            Reason::Event(code, mark) => Why {
                derived_mark: mark.map(|mark| mark.to_string()),
                derived: mark.is_some(),
                ..of(FilterKind::EventChangeCode, code.to_string(), None)
            },
            Reason::AllOf { filter, change, derived } => {
                Why { derived: *derived, ..of(FilterKind::AllOf, matches.all_of(*filter).reveal(), *change) }
            }
        }
    }

    fn as_json(&self) -> Json {
        json::object([
            ("kind", self.kind.into()),
            ("filter", self.filter.as_str().into()),
            ("change", self.change.map_or(Json::Null, |change| change.name().into())),
            ("derived_mark", self.derived_mark.as_deref().map_or(Json::Null, Json::from)),
            ("derived", self.derived.into()),
        ])
    }

    fn as_text(&self) -> String {
        let mut text = format!("{} {}", self.kind, self.filter);
        if let Some(change) = self.change {
            text += &format!(" {}", change.name());
        }
        match &self.derived_mark {
            Some(mark) => text += &format!(" derived {mark}"),
            None if self.derived => text += " derived",
            None => {}
        }
        text
    }
}

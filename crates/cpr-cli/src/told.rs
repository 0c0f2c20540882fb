//! `matches` and `followers`: who was told of whom and why, and who follows a person.

use std::io::{self, BufWriter, Write};

use clap::Args;
use cpr_replika::cpr_model::{Date, PersonKey, Pnr};
use cpr_replika::cpr_subscription::{Change, Filter, FilterKind, Reason};
use cpr_replika::{DeliveryNumber, Match, Matches};

use crate::args::{self, Arguments, Hidden, Person};
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::subscriber::named;
use crate::{filter, text};

#[derive(Args, Debug)]
pub(crate) struct MatchesOf {
    /// The delivery.
    delivery: u32,
    /// The subscriber; without one, how many persons each is sent.
    name: Option<Hidden>,
}

#[derive(Args, Debug)]
pub(crate) struct Followers {
    #[command(flatten)]
    person: Person,
    /// The day on which ages count; the last production date when left out.
    #[arg(long, value_name = "DATE", value_parser = args::day)]
    on: Option<Date>,
}

pub(crate) fn matches(arguments: &Arguments, options: &MatchesOf) -> Result<(), Failure> {
    let snapshot = text::open(arguments)?.snapshot();
    let delivery = DeliveryNumber(options.delivery);
    let Some(name) = &options.name else {
        let recipients = snapshot.recipients(delivery)?;
        let counts = recipients.iter().map(|recipient| (recipient.subscriber.name.as_str(), recipient.persons.len()));
        if arguments.json {
            let count = |(name, count): (&str, u64)| json::object([("name", name.into()), ("persons", count.into())]);
            let members = [("delivery", delivery.0.into()), ("subscribers", Json::Array(counts.map(count).collect()))];
            json::print(&json::object(members))?;
            return Ok(());
        }
        let out = &mut io::stdout().lock();
        counts.into_iter().try_for_each(|(name, count)| writeln!(out, "{name}  {}", text::persons(count)))?;
        return Ok(());
    };
    let name = named(name)?;
    let matches = snapshot.matches(delivery, &name)?;
    if arguments.json {
        let person = |found: &Match| {
            let reasons = found.reasons.iter().map(|reason| Why::of(reason, found.pnr, &matches).as_json()).collect();
            json::object([
                ("pnr", found.pnr.reveal().into()),
                ("delivered", found.delivered.into()),
                ("reasons", Json::Array(reasons)),
            ])
        };
        let persons = matches.persons.iter().map(person).collect();
        json::print(&json::object([
            ("delivery", delivery.0.into()),
            ("subscriber", name.as_str().into()),
            ("persons", Json::Array(persons)),
        ]))?;
        return Ok(());
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for found in &matches.persons {
        let sent = if found.delivered { "sent" } else { "not sent" };
        let reasons = found.reasons.iter().map(|reason| Why::of(reason, found.pnr, &matches).text());
        writeln!(out, "{}  {sent}: {}", found.pnr.reveal(), reasons.collect::<Vec<_>>().join(", "))?;
    }
    Ok(out.flush()?)
}

/// A reason, told by the filter that holds.
struct Why {
    kind: &'static str,
    filter: String,
    change: Option<Change>,
    derived_mark: Option<String>,
    derived: bool,
}

impl Why {
    fn of(reason: &Reason, pnr: Pnr, matches: &Matches) -> Why {
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
            Reason::NumberChain(other) => Why { kind: "NumberChain", ..of(FilterKind::Pnr, number(*other), None) },
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

    fn text(&self) -> String {
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

fn number(key: PersonKey) -> String {
    key.pnr().reveal().to_owned()
}

pub(crate) fn followers(arguments: &Arguments, options: &Followers) -> Result<(), Failure> {
    let pnr = options.person.pnr().map_err(Failure::Usage)?;
    let snapshot = text::open(arguments)?.snapshot();
    let day = match options.on {
        Some(day) => day,
        None => snapshot.delivery(snapshot.known())?.production_date,
    };
    let followers = snapshot.followers(pnr, day)?;
    if arguments.json {
        let follower = |(name, filters): &(_, Vec<Filter>)| {
            let name: &cpr_replika::cpr_subscription::SubscriberName = name;
            let filters = filters.iter().map(filter::as_json).collect();
            json::object([("name", name.as_str().into()), ("filters", Json::Array(filters))])
        };
        json::print(&json::object([
            ("pnr", pnr.reveal().into()),
            ("on", day.to_string().into()),
            ("subscribers", Json::Array(followers.iter().map(follower).collect())),
        ]))?;
        return Ok(());
    }
    let out = &mut io::stdout().lock();
    for (name, filters) in &followers {
        let filters: Vec<String> =
            filters.iter().map(|filter| format!("{} {}", filter.kind().name(), filter.reveal())).collect();
        writeln!(out, "{name}  {}", filters.join(", "))?;
    }
    Ok(())
}

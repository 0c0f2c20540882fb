//! `subscriber`: who is told, and for which reasons.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use cpr_replika::Subscriber;
use cpr_replika::cpr_subscription::{FilterKind, Profile, SubscriberName};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::values::Hidden;

#[derive(Debug, Subcommand)]
pub(crate) enum SubscriberCommand {
    /// Add a subscriber, which follows nobody yet. One that is there keeps its filters and gets this profile.
    #[command(after_help = "Example: replika subscriber add school --leaves")]
    Add(Add),
    /// Remove a subscriber with its filters, its matches and the state of its stream.
    #[command(after_help = "Example: replika subscriber remove school")]
    Remove {
        /// The subscriber.
        name: Hidden,
    },
    /// List the subscribers, or one with how much it follows.
    #[command(after_help = "Example: replika subscriber list school")]
    List {
        /// The subscriber.
        name: Option<Hidden>,
    },
}

/// The profile is that of SF6002 1.x but for what is asked for.
#[derive(Args, Debug)]
pub(crate) struct Add {
    /// 1 to 64 of A-Z a-z 0-9 . _ -, the first not a dot: also the name of its folder.
    name: Hidden,
    /// Tell it of whom its filters held before and hold no longer.
    #[arg(long)]
    leaves: bool,
    /// Tell it of the other numbers of a person whose number it follows.
    #[arg(long)]
    number_chain: bool,
    /// Leave out events derived from a relative's.
    #[arg(long)]
    no_derived: bool,
    /// Leave out whom its filters hold of both before and after.
    #[arg(long)]
    no_within: bool,
    /// Leave out whom its filters hold of after and not before.
    #[arg(long)]
    no_enters: bool,
}

impl Add {
    fn profile(&self) -> Profile {
        let usual = Profile::SF6002;
        Profile {
            within: usual.within && !self.no_within,
            enters: usual.enters && !self.no_enters,
            leaves: usual.leaves || self.leaves,
            number_chain: usual.number_chain || self.number_chain,
            derived_events: usual.derived_events && !self.no_derived,
        }
    }
}

impl SubscriberCommand {
    pub(crate) fn execute(&self, globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
        match self {
            SubscriberCommand::Add(add) => {
                let name = add.name.subscriber_name()?;
                let answer = globals.open_to_write()?.add_subscriber(&name, add.profile())?;
                print_answer(globals, &name, answer.name(), screen)
            }
            SubscriberCommand::Remove { name } => {
                let name = name.subscriber_name()?;
                let answer = globals.open_to_write()?.remove_subscriber(&name)?;
                print_answer(globals, &name, answer.name(), screen)
            }
            SubscriberCommand::List { name: None } => list_subscribers(globals, screen),
            SubscriberCommand::List { name: Some(name) } => print_subscriber(globals, &name.subscriber_name()?, screen),
        }
    }
}

fn print_answer(globals: &Globals, name: &SubscriberName, answer: &str, screen: &mut Screen) -> Result<(), Failure> {
    if globals.json {
        screen.print_json(&Answer { subscriber: name, answer })?;
    } else {
        writeln!(screen, "{answer}")?;
    }
    Ok(())
}

fn list_subscribers(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let subscribers = globals.snapshot()?.subscribers()?;
    if globals.json {
        return screen.print_json(&Subscribers { subscribers });
    }
    for subscriber in &subscribers {
        writeln!(screen, "{}  {}", subscriber.name, write_profile(subscriber.profile))?;
    }
    Ok(())
}

fn print_subscriber(globals: &Globals, name: &SubscriberName, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    let subscriber = snapshot.subscriber(name)?;
    let mut counts: BTreeMap<FilterKind, u64> = BTreeMap::new();
    for filter in snapshot.filters(name, None)? {
        *counts.entry(filter.kind()).or_default() += 1;
    }
    let on_nobody = snapshot.filters_on_nobody(name)?.len();
    if globals.json {
        return screen.print_json(&OneSubscriber { subscriber, filters: counts, numbers_not_held: on_nobody });
    }
    writeln!(screen, "{}  {}", subscriber.name, write_profile(subscriber.profile))?;
    for (kind, count) in &counts {
        writeln!(screen, "  {count} {}", kind.name())?;
    }
    if on_nobody > 0 {
        writeln!(screen, "  numbers that the replica does not hold: {on_nobody}")?;
    }
    Ok(())
}

/// The flags of a profile that are on.
fn write_profile(profile: Profile) -> String {
    let flags = flags(profile);
    flags.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

fn flags(profile: Profile) -> [(&'static str, bool); 5] {
    [
        ("within", profile.within),
        ("enters", profile.enters),
        ("leaves", profile.leaves),
        ("number_chain", profile.number_chain),
        ("derived_events", profile.derived_events),
    ]
}

#[derive(Serialize)]
struct Answer<'a> {
    subscriber: &'a SubscriberName,
    answer: &'a str,
}

#[derive(Serialize)]
struct Subscribers {
    subscribers: Vec<Subscriber>,
}

#[derive(Serialize)]
struct OneSubscriber {
    #[serde(flatten)]
    subscriber: Subscriber,
    filters: BTreeMap<FilterKind, u64>,
    numbers_not_held: usize,
}

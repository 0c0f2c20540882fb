//! `filter`: what a subscriber follows.

use clap::{Args, Subcommand};
use cpr_replika::cpr_subscription::{ChangeCodes, Filter, FilterAnswer, FilterError, FilterKind, SubscriberName};
use cpr_replika::{FilterChange, FilterPolicy, UnknownNumbers};
use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::input_text::read_standard_input;
use crate::screen::Screen;
use crate::values::{Hidden, KnownAt, parse_known};

#[derive(Debug, Subcommand)]
pub(crate) enum FilterCommand {
    /// Follow these too: all in one transaction, with an answer for each.
    #[command(after_help = "Example: replika filter add school --municipality 0851 --age 5-17")]
    Add(Add),
    /// Follow these no longer: all in one transaction, with an answer for each.
    #[command(after_help = "Example: replika filter remove school --age 5-17")]
    Remove(Remove),
    /// List what a subscriber follows, numbers and addresses in clear.
    #[command(after_help = "Example: replika filter list school")]
    List(List),
    /// Remove every filter of one kind, or of all.
    #[command(after_help = "Example: replika filter clear school AgeRange")]
    Clear {
        /// The subscriber.
        name: Hidden,
        /// PNR, AgeRange, MunicipalityCode, EventChangeCode, Address, NoFilter or AllOf.
        kind: Option<Hidden>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// The subscriber.
    name: Hidden,
    #[command(flatten)]
    filters: Given,
    /// Do not add a number that the replica does not hold; it is kept and waits for the person otherwise.
    #[arg(long)]
    refuse_unknown: bool,
    /// Accept a change code that CPR is not known to use; it is refused otherwise, since it would never match.
    #[arg(long)]
    allow_unknown_code: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// The subscriber.
    name: Hidden,
    #[command(flatten)]
    filters: Given,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// The subscriber.
    name: Hidden,
    /// As they counted for this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = parse_known)]
    known_at: Option<KnownAt>,
    /// Only numbers that the replica does not hold.
    #[arg(long, conflicts_with = "known_at")]
    not_held: bool,
}

/// Filters on the command line, each as often as wanted. Answers come by kind in this order, within one as given.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Given {
    /// The person with this number; `-` reads numbers from standard input, one a line.
    #[arg(long, value_name = "PNR")]
    pnr: Vec<Hidden>,
    /// Who is of these ages on the day of production, both included: 0-17.
    #[arg(long, value_name = "RANGE")]
    age: Vec<Hidden>,
    /// Who lives in this municipality: 0851.
    #[arg(long, value_name = "CODE")]
    municipality: Vec<Hidden>,
    /// Who has an event of this change code in the delivery: A21.
    #[arg(long, value_name = "CODE")]
    change_code: Vec<Hidden>,
    /// Who lives in this street, house, floor or dwelling: 0851:8512, 0851:8512:091:01:tv.
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<Hidden>,
    /// Everybody in the delivery (NoFilter, "Ingen filtre").
    #[arg(long, visible_alias = "no-filter")]
    everything: bool,
    /// For whom all of these hold at once: 0-17+0751.
    #[arg(long, value_name = "FILTERS")]
    all_of: Vec<Hidden>,
}

impl Given {
    fn read(&self) -> Result<Vec<Filter>, Failure> {
        let mut filters = Vec::new();
        for pnr in &self.pnr {
            if pnr.reveal() == "-" {
                read_numbers(&read_standard_input()?, &mut filters)?;
            } else {
                filters.push(parse_number(pnr.reveal())?);
            }
        }
        let kinds = [
            (FilterKind::AgeRange, &self.age),
            (FilterKind::Municipality, &self.municipality),
            (FilterKind::EventChangeCode, &self.change_code),
            (FilterKind::Address, &self.address),
        ];
        for (kind, texts) in kinds {
            for text in texts {
                filters.push(Filter::parse(kind, text.reveal())?);
            }
        }
        filters.extend(self.everything.then_some(Filter::Everything));
        for text in &self.all_of {
            filters.push(Filter::parse(FilterKind::AllOf, text.reveal())?);
        }
        Ok(filters)
    }
}

fn policy_of(refuse_unknown: bool, allow_unknown_code: bool) -> FilterPolicy {
    FilterPolicy {
        unknown_numbers: if refuse_unknown { UnknownNumbers::Refuse } else { UnknownNumbers::Keep },
        change_codes: if allow_unknown_code { ChangeCodes::any() } else { ChangeCodes::in_use() },
    }
}

fn parse_number(text: &str) -> Result<Filter, FilterError> {
    Filter::parse(FilterKind::Pnr, &text.trim().replacen('-', "", 1))
}

/// Reads numbers, one a line; empty lines are passed over.
fn read_numbers(text: &str, filters: &mut Vec<Filter>) -> Result<(), Failure> {
    for (at, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            filters.push(parse_number(line).map_err(|error| Failure::Filter(error, Some(at + 1)))?);
        }
    }
    Ok(())
}

impl FilterCommand {
    pub(crate) fn execute(&self, globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
        match self {
            FilterCommand::Add(add) => change_filters(
                globals,
                &add.name,
                &add.filters,
                FilterChange::Add,
                &policy_of(add.refuse_unknown, add.allow_unknown_code),
                screen,
            ),
            FilterCommand::Remove(Remove { name, filters }) => {
                change_filters(globals, name, filters, FilterChange::Remove, &policy_of(false, true), screen)
            }
            FilterCommand::List(options) => list_filters(globals, options, screen),
            FilterCommand::Clear { name, kind } => clear_filters(globals, name, kind.as_ref(), screen),
        }
    }
}

#[derive(Serialize)]
struct Answers<'a> {
    subscriber: &'a SubscriberName,
    answers: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    kind: FilterKind,
    answer: FilterAnswer,
}

fn change_filters(
    globals: &Globals,
    name: &Hidden,
    given: &Given,
    change: fn(Filter) -> FilterChange,
    policy: &FilterPolicy,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let name = name.subscriber_name()?;
    let filters = given.read()?;
    let kinds: Vec<FilterKind> = filters.iter().map(Filter::kind).collect();
    let changes: Vec<FilterChange> = filters.into_iter().map(change).collect();
    let replika = globals.open_to_write()?;
    let answers = replika.change_filters_under(&name, &changes, policy)?;
    if globals.json {
        let answers = kinds.iter().zip(&answers).map(|(kind, answer)| Answer { kind: *kind, answer: *answer });
        screen.print_json(&Answers { subscriber: &name, answers: answers.collect() })?;
    } else {
        for (kind, answer) in kinds.iter().zip(&answers) {
            writeln!(screen, "{} {}", kind.name(), answer.name())?;
        }
    }
    if answers.contains(&FilterAnswer::UnknownNumber) { Err(Failure::Reported(1)) } else { Ok(()) }
}

#[derive(Serialize)]
struct Followed<'a> {
    subscriber: &'a SubscriberName,
    filters: Vec<Filter>,
}

fn list_filters(globals: &Globals, options: &List, screen: &mut Screen) -> Result<(), Failure> {
    let name = options.name.subscriber_name()?;
    let snapshot = globals.snapshot()?;
    let filters: Vec<Filter> = if options.not_held {
        let numbers = snapshot.filters_on_nobody(&name)?.into_iter();
        numbers.filter_map(|pnr| pnr.key().map(Filter::Pnr)).collect()
    } else {
        snapshot.filters(&name, KnownAt::resolve(options.known_at, &snapshot)?)?
    };
    if globals.json {
        return screen.print_json(&Followed { subscriber: &name, filters });
    }
    for filter in &filters {
        writeln!(screen, "{} {}", filter.kind().name(), filter.reveal())?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Cleared<'a> {
    subscriber: &'a SubscriberName,
    removed: u64,
}

fn clear_filters(globals: &Globals, name: &Hidden, kind: Option<&Hidden>, screen: &mut Screen) -> Result<(), Failure> {
    const WANTED: &str = "a kind is PNR, AgeRange, MunicipalityCode, EventChangeCode, Address, NoFilter or AllOf";
    let name = name.subscriber_name()?;
    let kind = kind.map(|kind| FilterKind::from_name(kind.reveal()).ok_or(Failure::Usage(WANTED))).transpose()?;
    let removed = globals.open_to_write()?.clear_filters(&name, kind)?;
    if globals.json {
        screen.print_json(&Cleared { subscriber: &name, removed })?;
    } else {
        writeln!(screen, "removed {removed}")?;
    }
    Ok(())
}

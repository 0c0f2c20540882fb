//! The commands, one file each: its arguments, what it asks the engine, what it prints.

mod answer;
mod apply;
mod calendar;
mod changes;
mod deliveries;
mod demo;
mod diff;
mod events;
mod export;
mod filter;
mod find;
mod followers;
mod generate;
mod initial_load;
mod inspect;
mod lines;
mod load;
mod matches;
mod search;
mod show;
mod stats;
mod subscriber;
mod thin;
mod verify;

use clap::Subcommand;

use self::answer::Answer;
use self::apply::Apply;
use self::calendar::Calendar;
use self::changes::Changes;
use self::diff::Diff;
use self::events::Events;
use self::export::Export;
use self::filter::FilterCommand;
use self::find::Find;
use self::followers::Followers;
use self::generate::Generate;
use self::initial_load::InitialLoad;
use self::inspect::Inspect;
use self::lines::Lines;
use self::load::Load;
use self::matches::MatchesOf;
use self::search::Search;
use self::show::Show;
use self::subscriber::SubscriberCommand;
use self::thin::Thin;
use crate::context::Globals;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell what an extract is: family, header, record counts, faults. No store needed.
    Inspect(Inspect),
    /// Load an extract of any kind as the starting point of a store, which is created if there is none.
    Load(Load),
    /// Apply change extracts, each in one transaction; creates the store at first use.
    Apply(Apply),
    /// Show a person: facts with both clocks, fields by CPR's names.
    Show(Show),
    /// Print a person's record lines as received, in ISO 8859-1.
    Lines(Lines),
    /// Tell what changed for a person between two deliveries, and of which kind each change is.
    Diff(Diff),
    /// List whom a delivery changed.
    Changes(Changes),
    /// Answer about a person as one of the national services does.
    Answer(Answer),
    /// Search for persons by name, address, birth date and more, in Solr's syntax (docs/search.md).
    Search(Search),
    /// List what happened to whom, and why as far as CPR says, in the deliveries after a place in the feed.
    Events(Events),
    /// List what is due between two days without any delivery: who reaches an age, whose protection runs out.
    Calendar(Calendar),
    /// Find persons by what is known of them now: kinds of criteria are joined by and, several of one kind by or.
    Find(Find),
    /// Add, remove and list subscribers, who are sent the persons that they follow.
    #[command(subcommand)]
    Subscriber(SubscriberCommand),
    /// Add, remove, list and clear the filters of a subscriber.
    #[command(subcommand)]
    Filter(FilterCommand),
    /// Write what an applied extract has for each subscriber: DIR/NAME/DYYMMDD.LTASK. Again gives the same bytes.
    Thin(Thin),
    /// Tell whom a delivery had for a subscriber, and why.
    Matches(MatchesOf),
    /// Write everybody whom a subscriber follows now as a full extract; its stream goes on from there.
    InitialLoad(InitialLoad),
    /// Tell which subscribers follow a person, and by what.
    Followers(Followers),
    /// Write the whole replica as a full extract of the family it came in.
    Export(Export),
    /// Print the ledger.
    Deliveries,
    /// Print the sizes of the tables.
    Stats,
    /// Recheck every checksum, every archive and every relation between tables.
    Verify,
    /// Run the main job on made-up data, explained as it goes.
    Demo,
    /// Make up a Denmark: a full extract and nights of change, as files CPR could have sent. No store needed.
    Generate(Generate),
}

impl Command {
    pub(crate) fn execute(&self, globals: &Globals) -> Result<(), Failure> {
        match self {
            Command::Inspect(options) => inspect::inspect_extract(globals, options),
            Command::Load(options) => load::load_extract(globals, options),
            Command::Apply(options) => apply::apply_extracts(globals, options),
            Command::Show(options) => show::show_person(globals, options),
            Command::Lines(options) => lines::print_lines(globals, options),
            Command::Diff(options) => diff::print_diff(globals, options),
            Command::Changes(options) => changes::list_changes(globals, options),
            Command::Answer(options) => answer::print_answer(globals, options),
            Command::Search(options) => search::search_persons(globals, options),
            Command::Events(options) => events::list_events(globals, options),
            Command::Calendar(options) => calendar::list_calendar(globals, options),
            Command::Find(options) => find::find_persons(globals, options),
            Command::Subscriber(command) => command.execute(globals),
            Command::Filter(command) => command.execute(globals),
            Command::Thin(options) => thin::thin_delivery(globals, options),
            Command::Matches(options) => matches::list_matches(globals, options),
            Command::InitialLoad(options) => initial_load::write_initial_load(globals, options),
            Command::Followers(options) => followers::list_followers(globals, options),
            Command::Export(options) => export::export_replica(globals, options),
            Command::Deliveries => deliveries::list_deliveries(globals),
            Command::Stats => stats::print_stats(globals),
            Command::Verify => verify::verify_store(globals),
            Command::Demo => demo::run_demo(),
            Command::Generate(options) => generate::generate_extracts(globals, options),
        }
    }
}

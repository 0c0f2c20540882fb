//! The commands, one file each: its arguments, what it asks the engine, what it prints.

mod about;
mod answer;
mod apply;
mod calendar;
mod changes;
mod compact;
mod completions;
mod deliveries;
mod demo;
mod diff;
mod digest;
mod erase;
mod events;
mod export;
mod filter;
mod find;
mod follow;
mod followers;
mod generate;
mod initial_load;
mod inspect;
mod keep;
mod key;
#[cfg(feature = "lake")]
mod lake;
mod lines;
mod load;
mod log;
mod man;
mod matches;
mod outbox;
pub(crate) mod pack;
mod picture;
mod restore;
mod salvage;
mod scrub;
mod search;
mod settings;
mod show;
mod stats;
mod subscriber;
mod thin;
mod verify;

use clap::Subcommand;

use self::about::About;
use self::answer::Answer;
use self::apply::Apply;
use self::calendar::Calendar;
use self::changes::Changes;
use self::completions::Completions;
use self::diff::Diff;
use self::erase::{Erase, Persons};
use self::events::Events;
use self::export::Export;
use self::filter::FilterCommand;
use self::find::Find;
use self::follow::Follow;
use self::followers::Followers;
use self::generate::Generate;
use self::initial_load::InitialLoad;
use self::inspect::Inspect;
use self::keep::{Admit, Keep, Tidy};
use self::key::{KeyCommand, Rekey};
#[cfg(feature = "lake")]
use self::lake::Lake;
use self::lines::Lines;
use self::load::Load;
use self::log::LogCommand;
use self::man::Man;
use self::matches::MatchesOf;
use self::outbox::OutboxCommand;
use self::pack::Pack;
use self::picture::Picture;
use self::restore::Restore;
use self::salvage::Salvage;
use self::scrub::Scrub;
use self::search::Search;
use self::show::Show;
use self::subscriber::SubscriberCommand;
use self::thin::Thin;
use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::Screen;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell what an extract is: family, header, record counts, faults. No store needed.
    #[command(after_help = "Example: replika inspect D260105.L999901")]
    Inspect(Inspect),
    /// Load an extract of any kind as the starting point of a store, which is created if there is none.
    #[command(after_help = "Example: replika load D260105.L999901 --window 5 --store replika.db")]
    Load(Load),
    /// Apply change extracts, each in one transaction; creates the store at first use.
    #[command(after_help = "Example: replika apply D260106.L999901 D260107.L999901 --deliver outbox")]
    Apply(Apply),
    /// Show a person: facts with both clocks, fields by CPR's names.
    #[command(after_help = "Example: replika show 6101801234 --valid-at 2025-12-31 --known-at 1")]
    Show(Show),
    /// Tell everything that is held of a human being, in every table: for the person who asks what is held of them.
    #[command(after_help = "Example: replika about 6101801234")]
    About(About),
    /// Print a person's record lines as received: in ISO 8859-1, and on a terminal in UTF-8.
    #[command(after_help = "Example: replika lines 6101801234")]
    Lines(Lines),
    /// Draw a person: valid time across, known time down, a lane for each aspect; names and numbers only with --reveal.
    #[command(after_help = "Example: replika picture 6101801234 -o picture.svg")]
    Picture(Picture),
    /// Tell what changed for a person between two deliveries, and of which kind each change is.
    #[command(after_help = "Example: replika diff 6101801234 1 2")]
    Diff(Diff),
    /// List whom a delivery changed.
    #[command(after_help = "Example: replika changes 2")]
    Changes(Changes),
    /// Answer about a person as one of the national services does.
    #[command(after_help = "Example: replika answer SF1525 6101801234 --on 2026-01-07")]
    Answer(Answer),
    /// Search for persons by name, address, birth date and more, in Solr's syntax (docs/search.md).
    #[command(after_help = "Example: replika search 'efternavn:Hans* AND kommunekode:0101' --limit 50")]
    Search(Search),
    /// List what happened to whom, and why as far as CPR says, in the deliveries after a place in the feed.
    #[command(after_help = "Example: replika events --since 1 --kind moved_in,died --json")]
    Events(Events),
    /// List what is due between two days without any delivery: who reaches an age, whose protection runs out.
    #[command(after_help = "Example: replika calendar --from 2026-01-01 --to 2026-01-31 --age 18,65")]
    Calendar(Calendar),
    /// Find persons by what is known of them now: kinds of criteria are joined by and, several of one kind by or.
    #[command(after_help = "Example: replika find --municipality 0851 --age 0-17")]
    Find(Find),
    /// Add, remove and list subscribers, who are sent the persons that they follow.
    #[command(subcommand)]
    #[command(after_help = "Example: replika subscriber add school")]
    Subscriber(SubscriberCommand),
    /// Add, remove, list and clear the filters of a subscriber.
    #[command(subcommand)]
    #[command(after_help = "Example: replika filter add school --all-of 5-17+0851")]
    Filter(FilterCommand),
    /// Write what an applied extract has for each subscriber: DIR/NAME/DYYMMDD.LTASK. Again gives the same bytes.
    #[command(after_help = "Example: replika thin D260106.L999901 outbox")]
    Thin(Thin),
    /// Tidy the folder that files for subscribers are written to.
    #[command(subcommand)]
    #[command(after_help = "Example: replika outbox tidy outbox --keep 30")]
    Outbox(OutboxCommand),
    /// Tell whom a delivery had for a subscriber, and why.
    #[command(after_help = "Example: replika matches 2 school")]
    Matches(MatchesOf),
    /// Write everybody whom a subscriber follows now as a full extract; its stream goes on from there.
    #[command(after_help = "Example: replika initial-load school -o school-first")]
    InitialLoad(InitialLoad),
    /// Tell which subscribers follow a person, and by what.
    #[command(after_help = "Example: replika followers 6101801234")]
    Followers(Followers),
    /// Write the whole replica as a full extract of the family it came in.
    #[command(after_help = "Example: replika export --known-at 2026-01-05 -o export")]
    Export(Export),
    /// Write the store to a folder of packs, which any number of processes read (`--pack`): a base, then what differs.
    #[command(after_help = "Example: replika pack packs --store replika.db")]
    Pack(Pack),
    /// Have a folder of packs hold what another one holds: what is brought there is copied, checked, and then made
    /// current.
    #[command(after_help = "Example: replika follow packs --from brought")]
    Follow(Follow),
    /// Compute the digest of what is known of persons: stores that took the same files, packs and copies have the same.
    #[command(after_help = "Example: replika digest --pack packs")]
    Digest,
    /// Make a store of what a folder of packs holds.
    #[command(after_help = "Example: replika restore packs -o replika.db")]
    Restore(Restore),
    /// Write the facts with both clocks as Parquet, persons by pseudonym, for DuckDB, DataFusion, Spark (docs/lake.md).
    #[cfg(feature = "lake")]
    #[command(after_help = "Example: replika lake lake --since 1")]
    Lake(Lake),
    /// Print the ledger.
    #[command(after_help = "Example: replika deliveries")]
    Deliveries,
    /// Print what the store was created for: family, history window, record types.
    #[command(after_help = "Example: replika settings")]
    Settings,
    /// Print the sizes of the tables.
    #[command(after_help = "Example: replika stats")]
    Stats,
    /// Check and read the account of who looked at whom (docs/access-log.md).
    #[command(subcommand)]
    #[command(after_help = "Example: replika log verify --log access --log-key access.key")]
    Log(LogCommand),
    /// Make a key for encrypted stores.
    #[command(subcommand)]
    #[command(after_help = "Example: replika key new replika.key")]
    Key(KeyCommand),
    /// Have another key file open an encrypted store from now on.
    #[command(after_help = "Example: replika rekey --key-file old.key --new-key-file new.key")]
    Rekey(Rekey),
    /// Write the store anew, as small as it can be, and put it into the place of the old file once it is checked.
    #[command(after_help = "Example: replika compact")]
    Compact,
    /// Say who is kept of what CPR sends, or print it: others of a load or delivery are left out and counted.
    #[command(after_help = "Example: replika keep 0851 0-17+0840 --families --grace 30")]
    Keep(Keep),
    /// Take from a full extract those who are needed and were left out before.
    #[command(after_help = "Example: replika admit D260105.L999901")]
    Admit(Admit),
    /// Have those go whom nobody has needed for the days of grace; who is needed again comes back by a delivery.
    #[command(after_help = "Example: replika tidy --dry-run")]
    Tidy(Tidy),
    /// Erase human beings, with all their numbers, from the store and its file, and bar them from coming back.
    #[command(after_help = "Example: replika erase - --reason 'no ground since 2026-01-05' < numbers")]
    Erase(Erase),
    /// Let human beings in again who were erased: the next delivery that brings them stores them.
    #[command(after_help = "Example: replika readmit 6101801234")]
    Readmit(Persons),
    /// Write what still opens of a damaged store as a full extract, and tell what is missing; the store is left as it
    /// is.
    #[command(after_help = "Example: replika salvage damaged.db -o saved")]
    Salvage(Salvage),
    /// Recheck every block, page, archive and relation between tables; the file is left as it is.
    #[command(after_help = "Example: replika verify")]
    Verify,
    /// Try every block against its check, no faster than is wanted; beside others who read the store or the packs.
    #[command(after_help = "Example: replika scrub --rate 50MB")]
    Scrub(Scrub),
    /// Run the main job on made-up data, explained as it goes.
    #[command(after_help = "Example: replika demo")]
    Demo,
    /// Make up a Denmark: a full extract and nights of change, as files CPR could have sent. No store needed.
    #[command(after_help = "Example: replika generate --persons 10000 --nights 5 --out made-up")]
    Generate(Generate),
    /// Print what a shell needs to complete this command.
    #[command(after_help = "Example: replika completions bash > ~/.local/share/bash-completion/completions/replika")]
    Completions(Completions),
    /// Write the manual pages of this command.
    #[command(after_help = "Example: replika man ~/.local/share/man/man1")]
    Man(Man),
}

impl Command {
    /// The name of a command that prints persons, and is told to the access log for it. What goes into files (`export`,
    /// `apply --deliver`) is CPR's own bytes for a system that keeps an account of its own; `answer` tells what the
    /// service was.
    pub(crate) fn shows_persons(&self) -> Option<&'static str> {
        match self {
            Command::Show(_) => Some("show"),
            Command::About(_) => Some("about"),
            Command::Lines(_) => Some("lines"),
            Command::Picture(_) => Some("picture"),
            Command::Diff(_) => Some("diff"),
            Command::Changes(_) => Some("changes"),
            Command::Search(_) => Some("search"),
            Command::Find(_) => Some("find"),
            Command::Events(_) => Some("events"),
            Command::Calendar(_) => Some("calendar"),
            Command::Matches(_) => Some("matches"),
            Command::Followers(_) => Some("followers"),
            Command::Erase(_) => Some("erase"),
            Command::Tidy(_) => Some("tidy"),
            _ => None,
        }
    }

    pub(crate) fn execute(
        &self,
        globals: &Globals,
        screen: &mut Screen,
        command_line: fn() -> clap::Command,
    ) -> Result<(), Failure> {
        match self {
            Command::Inspect(options) => inspect::inspect_extract(globals, options, screen),
            Command::Load(options) => load::load_extract(globals, options, screen),
            Command::Apply(options) => apply::apply_extracts(globals, options, screen),
            Command::Show(options) => show::show_person(globals, options, screen),
            Command::About(options) => about::tell_about(globals, options, screen),
            Command::Lines(options) => lines::print_lines(globals, options, screen),
            Command::Picture(options) => picture::draw_person(globals, options, screen),
            Command::Diff(options) => diff::print_diff(globals, options, screen),
            Command::Changes(options) => changes::list_changes(globals, options, screen),
            Command::Answer(options) => answer::print_answer(globals, options, screen),
            Command::Search(options) => search::search_persons(globals, options, screen),
            Command::Events(options) => events::list_events(globals, options, screen),
            Command::Calendar(options) => calendar::list_calendar(globals, options, screen),
            Command::Find(options) => find::find_persons(globals, options, screen),
            Command::Subscriber(command) => command.execute(globals, screen),
            Command::Filter(command) => command.execute(globals, screen),
            Command::Thin(options) => thin::thin_delivery(globals, options, screen),
            Command::Outbox(command) => command.execute(globals, screen),
            Command::Matches(options) => matches::list_matches(globals, options, screen),
            Command::InitialLoad(options) => initial_load::write_initial_load(globals, options, screen),
            Command::Followers(options) => followers::list_followers(globals, options, screen),
            Command::Export(options) => export::export_replica(globals, options, screen),
            Command::Pack(options) => pack::write_packs(globals, options, screen),
            Command::Follow(options) => follow::follow_packs(globals, options, screen),
            Command::Digest => digest::print_digest(globals, screen),
            Command::Restore(options) => restore::restore_store(globals, options, screen),
            #[cfg(feature = "lake")]
            Command::Lake(options) => lake::write_parquet(globals, options, screen),
            Command::Deliveries => deliveries::list_deliveries(globals, screen),
            Command::Settings => settings::print_settings(globals, screen),
            Command::Stats => stats::print_stats(globals, screen),
            Command::Log(command) => command.execute(globals, screen),
            Command::Key(command) => command.run(screen),
            Command::Rekey(options) => options.run(globals, screen),
            Command::Compact => compact::compact_store(globals, screen),
            Command::Keep(options) => keep::keep_persons(globals, options, screen),
            Command::Admit(options) => keep::admit_persons(globals, options, screen),
            Command::Tidy(options) => keep::tidy_store(globals, options, screen),
            Command::Erase(options) => erase::erase_persons(globals, options, screen),
            Command::Readmit(persons) => erase::readmit_persons(globals, persons, screen),
            Command::Salvage(options) => salvage::salvage_store(globals, options, screen),
            Command::Verify => verify::verify_store(globals, screen),
            Command::Scrub(options) => scrub::scrub_store(globals, options, screen),
            Command::Demo => demo::run_demo(screen),
            Command::Generate(options) => generate::generate_extracts(globals, options, screen),
            Command::Completions(options) => completions::print_completions(options, command_line(), screen),
            Command::Man(options) => man::write_manual(options, command_line()),
        }
    }
}

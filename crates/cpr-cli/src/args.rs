//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cpr_replika::cpr_model::{Date, MunicipalityCode, Pnr, Timestamp};
use cpr_replika::cpr_subscription::EventCode;
use cpr_replika::{DeliveryNumber, Error, EventCursor, EventKind, Snapshot};
use cpr_services::sf1525::{Depth, Marking};

use crate::filter::FilterCommand;
use crate::find::Find;
use crate::subscriber::SubscriberCommand;
use crate::thin::{InitialLoad, Thin};
use crate::told::{Followers, MatchesOf};

/// Keep a replica of Denmark's population register (CPR) in a file, and ask it: who is this person, as of when in the
/// world, and as of when we knew.
#[derive(Debug, Parser)]
#[command(name = "replika", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// The store: one file.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,

    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

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
    Changes {
        /// The delivery.
        delivery: u32,
    },
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

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The extract.
    pub(crate) file: PathBuf,
    /// Read it as this layout family (std, uuid, 2022, u12180, full) instead of finding out.
    #[arg(long)]
    pub(crate) family: Option<String>,
    /// How many faults are told.
    #[arg(long, default_value_t = 20)]
    pub(crate) faults: usize,
}

#[derive(Args, Debug)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) what: Made,
    /// With --persons: how many nights of change follow, one file for each working day.
    #[arg(long, value_name = "D", default_value_t = 0)]
    pub(crate) nights: u32,
    /// With --persons: how many persons a night delivers; 10 000 to 50 000 is usual for all of Denmark. One in 200 when left out.
    #[arg(long, value_name = "N")]
    pub(crate) night_size: Option<u32>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The layout family (std, uuid, 2022, full).
    #[arg(long, default_value = "std")]
    pub(crate) family: String,
    /// The task number (OPGAVENR), six digits.
    #[arg(long, default_value = "999901")]
    pub(crate) task: String,
    /// The folder to write to; files are named as CPR names them, DYYMMDD.LTASK.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Made {
    /// A made-up Denmark of this many numbers: the living, the dead, the emigrated and those without a home.
    #[arg(long, value_name = "N")]
    pub(crate) persons: Option<u32>,
    /// The basis set: a father, a mother and two children for each municipality.
    #[arg(long)]
    pub(crate) basis: bool,
    /// The archetypes: 60 persons in eleven groups, each with something to get right.
    #[arg(long)]
    pub(crate) archetypes: bool,
    /// Persons and nights written down in a TOML file (docs/scenario.md).
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Load {
    /// The extract.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) options: Delivering,
    /// Load into a store that has deliveries already.
    #[arg(long)]
    pub(crate) allow_reload: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// The extracts, oldest first.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) options: Delivering,
    /// Once a file is applied, write what it has for each subscriber: DIR/NAME/DYYMMDD.LTASK.
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    pub(crate) deliver: Option<PathBuf>,
    /// With --deliver: a file for a subscriber that nobody matches too, start and end record only.
    #[arg(long, requires = "deliver")]
    pub(crate) empty: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Delivering {
    /// Layout family of a new store (std, uuid, 2022, u12180, full); found out from the file when left out.
    #[arg(long)]
    pub(crate) family: Option<String>,
    /// History window of the task in years, for a new store: 0 to 5, or 99 for all.
    #[arg(long, value_name = "YEARS")]
    pub(crate) window: Option<u8>,
    /// The record types the customer has chosen, for a new store: 001,002,... All when left out.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub(crate) records: Option<Vec<u16>>,
    /// Record numbers to pass over, for a new store.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub(crate) ignore: Option<Vec<u16>>,
    /// Do everything but store.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Accept a record counter (999) that does not fit.
    #[arg(long)]
    pub(crate) allow_wrong_count: bool,
    /// Accept rows of persons without a 001, and leave them out.
    #[arg(long)]
    pub(crate) allow_rows_without_person: bool,
    /// Accept a file that does not follow the last one applied.
    #[arg(long)]
    pub(crate) allow_gap: bool,
    /// Accept a file that is not newer than the last one applied.
    #[arg(long)]
    pub(crate) allow_older: bool,
    /// Accept a file made for another customer.
    #[arg(long)]
    pub(crate) allow_other_customer: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) person: Person,
    /// Only what held in the world then: 2001-11-19, or 2001-11-19T15:36.
    #[arg(long, value_name = "T", value_parser = moment)]
    pub(crate) valid_at: Option<Timestamp>,
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = known)]
    pub(crate) known_at: Option<KnownAt>,
    /// Rows of the past too: historic and marked ones, and versions that are no longer believed.
    #[arg(long)]
    pub(crate) history: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Lines {
    #[command(flatten)]
    pub(crate) person: Person,
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = known)]
    pub(crate) known_at: Option<KnownAt>,
}

#[derive(Args, Debug)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) person: Person,
    /// The earlier delivery; 0 is before any.
    pub(crate) from: u32,
    /// The later delivery.
    pub(crate) to: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Answer {
    /// The service.
    #[arg(value_enum)]
    pub(crate) service: Service,
    /// The personnummer, ten digits; `-` reads it from standard input. Not with adrsog1, which is not about one person.
    #[arg(value_name = "PNR")]
    pub(crate) person: Option<Hidden>,
    /// adrsog1: a field of the request, VEJK=8512; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) field: Vec<Hidden>,
    /// The day on which the question is put, for ages and protections in force; today when left out.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub(crate) on: Option<Date>,
    /// As of this moment in the world: 2001-11-19, or 2001-11-19T15:36. What CPR holds to be current when left out.
    #[arg(long, value_name = "T", value_parser = moment)]
    pub(crate) valid_at: Option<Timestamp>,
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = known)]
    pub(crate) known_at: Option<KnownAt>,
    /// sf1525: every area with its history.
    #[arg(long)]
    pub(crate) history: bool,
    /// sf1525: an area and how deep, Aktuel or AktuelMedHistorik; may be given several times. All areas when left out.
    #[arg(long, value_name = "MARKING=DEPTH", value_parser = mark)]
    pub(crate) mark: Vec<(Marking, Depth)>,
    /// The shape of the answer.
    #[arg(long, value_enum, default_value_t = Format::Xml)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    Xml,
    Json,
}

/// The services that `answer` knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Service {
    #[value(name = "stam+")]
    StamPlus,
    Stam,
    #[value(name = "familie+")]
    FamiliePlus,
    Familie,
    Navne3,
    Adresse4,
    /// PersonStamoplysningerSamlingHent 2.0.
    Sf1525,
    /// PersonStamoplysningerSamlingHent 1.0.
    #[value(name = "sf1525-1.0")]
    Sf1525First,
    /// PersonLookup version 5.
    Sf1520,
    /// PersonLookup version 4.
    #[value(name = "sf1520-4")]
    Sf1520Fourth,
    /// CPRBasicInformationService, extended.
    Sf6008,
    /// Search by address; what is asked stands in --field.
    Adrsog1,
}

#[derive(Args, Debug)]
pub(crate) struct Search {
    /// What to search for: `efternavn:Hans* AND kommunekode:0101`; or a whole Solr request, `q=...&rows=10`. `-` reads it from
    /// standard input, out of the shell's history.
    pub(crate) query: Hidden,
    /// Print only how many there are.
    #[arg(long)]
    pub(crate) count: bool,
    /// Most rows of a page; 10, or what the request says, when left out.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Begin behind this number: the last of the page before.
    #[arg(long, value_name = "PNR")]
    pub(crate) after: Option<Hidden>,
    /// When the criteria must be true.
    #[arg(long, value_enum, default_value_t = When::Now)]
    pub(crate) scope: When,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum When {
    /// Now.
    Now,
    /// Now or at any time before, each by itself.
    Ever,
    /// All at one moment, now or at any time before.
    AtTheSameTime,
}

#[derive(Args, Debug)]
pub(crate) struct Events {
    /// Behind this place: a delivery number (0: everything), or the `cursor` of an event.
    #[arg(long, value_name = "N|CURSOR", value_parser = cursor, required_unless_present = "consumer")]
    pub(crate) since: Option<EventCursor>,
    /// Behind the place that this reader has acknowledged.
    #[arg(long, value_name = "NAME")]
    pub(crate) consumer: Option<String>,
    /// Add the reader, with everything up to --since read (everything so far when left out).
    #[arg(long, requires = "consumer", conflicts_with_all = ["acknowledge", "remove"])]
    pub(crate) add: bool,
    /// Note that the reader has everything up to this place. Lists nothing.
    #[arg(long, value_name = "CURSOR", value_parser = cursor, requires = "consumer", conflicts_with = "since")]
    pub(crate) acknowledge: Option<EventCursor>,
    /// Forget the reader. Lists nothing.
    #[arg(long, requires = "consumer", conflicts_with_all = ["acknowledge", "since"])]
    pub(crate) remove: bool,
    /// Only these kinds: moved_in,died,... See docs/events.md.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = event_kind)]
    pub(crate) kind: Vec<EventKind>,
    /// Only events with one of these of CPR's codes: A01,A21,...
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = event_code)]
    pub(crate) code: Vec<EventCode>,
    /// Only of these persons: a file with one personnummer a line, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) persons: Option<PathBuf>,
    /// Only of who lived in this municipality before.
    #[arg(long, value_name = "CODE", value_parser = municipality)]
    pub(crate) municipality_before: Option<MunicipalityCode>,
    /// Only of who lives in this municipality after.
    #[arg(long, value_name = "CODE", value_parser = municipality)]
    pub(crate) municipality_after: Option<MunicipalityCode>,
    /// Only of who lived in this municipality before, or lives there after.
    #[arg(long, value_name = "CODE", value_parser = municipality)]
    pub(crate) municipality: Option<MunicipalityCode>,
}

#[derive(Args, Debug)]
pub(crate) struct Calendar {
    /// The first day, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) from: Date,
    /// The last day, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) to: Date,
    /// Who reaches these ages: 18,65.
    #[arg(long, value_name = "YEARS", value_delimiter = ',', default_value = "18", value_parser = clap::value_parser!(u16).range(0..=999))]
    pub(crate) age: Vec<u16>,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// As known after this delivery (its number, or the day YYYY-MM-DD).
    #[arg(long, value_name = "N|DATE", value_parser = known)]
    pub(crate) known_at: Option<KnownAt>,
    /// The file to write, `-` for standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Clone)]
pub(crate) struct Person {
    /// The personnummer, ten digits; `-` reads it from standard input, out of the shell's history.
    #[arg(value_name = "PNR")]
    text: String,
}

/// Says nothing of the number.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(..)")
    }
}

impl Person {
    /// The number on the command line, or the first line of standard input.
    pub(crate) fn pnr(&self) -> Result<Pnr, &'static str> {
        given(&self.text)
    }
}

/// A personnummer on the command line, or for `-` the first line of standard input.
pub(crate) fn given(text: &str) -> Result<Pnr, &'static str> {
    if text != "-" {
        return number(text);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|_| "no personnummer on standard input")?;
    number(&line)
}

/// A personnummer as it is written.
pub(crate) fn number(text: &str) -> Result<Pnr, &'static str> {
    let digits = text.trim().replacen('-', "", 1);
    Pnr::parse(digits.as_bytes()).ok_or("a personnummer is ten digits")
}

impl From<String> for Person {
    fn from(text: String) -> Person {
        Person { text }
    }
}

/// A text that may tell of a person or an address. It is looked at behind the parser of the command line, whose errors quote.
#[derive(Clone)]
pub(crate) struct Hidden(String);

impl Hidden {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Hidden {
        Hidden(text)
    }
}

/// Says nothing of the text.
impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

/// A delivery, or the day whose evening is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KnownAt {
    Delivery(DeliveryNumber),
    Day(Date),
}

impl KnownAt {
    pub(crate) fn resolve(known: Option<KnownAt>, snapshot: &Snapshot) -> Result<Option<DeliveryNumber>, Error> {
        match known {
            None => Ok(None),
            Some(KnownAt::Delivery(number)) => Ok(Some(number)),
            Some(KnownAt::Day(date)) => snapshot.delivery_on(date).map(Some),
        }
    }
}

pub(crate) fn known(text: &str) -> Result<KnownAt, &'static str> {
    if let Ok(number) = text.parse() {
        return Ok(KnownAt::Delivery(DeliveryNumber(number)));
    }
    Date::parse(text).map(KnownAt::Day).ok_or("a delivery number, or a day YYYY-MM-DD")
}

fn mark(text: &str) -> Result<(Marking, Depth), &'static str> {
    let (marking, depth) = text.split_once('=').unwrap_or((text, "Aktuel"));
    let marking = Marking::from_name(marking).ok_or("a marking of SF1525, such as AdresseMarkering")?;
    Ok((marking, Depth::from_name(depth).ok_or("Aktuel or AktuelMedHistorik")?))
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    const WANTED: &str = "a day YYYY-MM-DD, or a moment YYYY-MM-DDTHH:MM";
    if let Some(date) = Date::parse(text) {
        return Ok(Timestamp::end_of(date));
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let digits = digits.parse().ok().filter(|_| shape == "0000-00-00T00:00");
    digits.and_then(Timestamp::from_digits).ok_or(WANTED)
}

pub(crate) fn day(text: &str) -> Result<Date, &'static str> {
    Date::parse(text).filter(|day| day.month().is_some() && day.day().is_some()).ok_or("a day YYYY-MM-DD")
}

fn cursor(text: &str) -> Result<EventCursor, String> {
    EventCursor::parse(text).map_err(|error| error.to_string())
}

fn event_kind(text: &str) -> Result<EventKind, String> {
    let known = || EventKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    EventKind::from_name(text).ok_or_else(|| format!("no kind is named so; known are: {}", known()))
}

fn event_code(text: &str) -> Result<EventCode, String> {
    EventCode::parse(text.as_bytes()).map_err(|error| error.to_string())
}

fn municipality(text: &str) -> Result<MunicipalityCode, &'static str> {
    let digits = Some(text).filter(|text| text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).map(MunicipalityCode).ok_or("a municipality code: up to four digits")
}

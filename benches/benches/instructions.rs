//! Instructions of hot operations, counted by valgrind: the one measure that a shared machine does not disturb.
//!
//! `cargo bench -p benches --bench instructions` runs itself under `valgrind --tool=callgrind`, prints what one call of
//! each operation executes, and compares it with `benches/instructions.csv`: more than [`MARGIN`] above it is a
//! failure. With `-- --write` it writes that file anew. Instructions are not time: they know neither caches nor disks.
//! Of an operation that has threads (`load`, `night_of_moves`, `export`, a check), those of the calling one are counted.
//! Without `--bench` (as `cargo test --benches` starts it) it runs every operation once and counts nothing.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, ExitCode};

use benches::packs;
use cpr_replika::cpr_extract::{CheckOptions, Family, Groups, Waive, check};
use cpr_replika::cpr_model::{Aspect, Date, MunicipalityCode, Pnr, Timestamp};
use cpr_replika::cpr_pack::Checks;
use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{
    ApplyOptions, Config, DeliveryNumber, EventFilter, FilterChange, Query, Replika, Snapshot, UnknownNumbers,
};
use cpr_services::Caller;
use cpr_services::sf1525::{Depth, Markings, Version};
use cpr_services::{NoRegister, Request, sf1520, sf1525};

/// How much more than what is written down is still the same: another compiler's release stays below it.
const MARGIN: f64 = 1.10;

const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.csv");

/// Set in the process that valgrind runs.
const COUNTED: &str = "REPLIKA_BENCH_COUNTED";

/// Persons of the store.
const PERSONS: u32 = 5_000;

/// Persons who are read at once.
const AT_ONCE: usize = 50;

/// Persons of a night, in which each of them moves.
const MOVERS: u32 = 250;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if std::env::var_os(COUNTED).is_some() || !arguments.iter().any(|argument| argument == "--bench") {
        measure();
        return ExitCode::SUCCESS;
    }
    let found = match count() {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.iter().any(|argument| argument == "--write") {
        let rows: String = found.iter().map(|(operation, count)| format!("{operation},{count}\n")).collect();
        std::fs::write(FIGURES, format!("operation,instructions a call\n{rows}")).expect("the file of the figures");
    }
    compare(&found, &std::fs::read_to_string(FIGURES).expect("the file of the figures"))
}

/// Runs this program under valgrind and reads what each operation took, a call.
fn count() -> Result<BTreeMap<String, u64>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let profile = folder.path().join("profile");
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "-q", &format!("--callgrind-out-file={}", profile.display())])
        .arg(program)
        .env(COUNTED, "1")
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    if !run.status.success() {
        return Err(format!("valgrind: {}\n{}", run.status, String::from_utf8_lossy(&run.stderr)));
    }
    let calls = calls(&String::from_utf8_lossy(&run.stdout));
    let totals = totals(&profile)?;
    calls
        .into_iter()
        .map(|(operation, calls)| match totals.get(&operation) {
            Some(total) => Ok((operation, total / calls)),
            None => Err(format!("the profile does not name {operation}")),
        })
        .collect()
}

/// What [`measure`] printed: an operation and how often it was called, a line.
fn calls(printed: &str) -> Vec<(String, u64)> {
    let rows = printed.lines().filter_map(|line| line.split_once(' '));
    rows.filter_map(|(operation, calls)| Some((operation.to_owned(), calls.parse().ok()?))).collect()
}

/// Inclusive instructions of the functions of [`operation`].
fn totals(profile: &Path) -> Result<BTreeMap<String, u64>, String> {
    let run = Command::new("callgrind_annotate")
        .args(["--inclusive=yes", "--threshold=100", "--show-percs=no"])
        .arg(profile)
        .output()
        .map_err(|error| format!("callgrind_annotate cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&run.stdout);
    let row = |line: &str| {
        let (_, function) = line.split_once("instructions::operation::")?;
        let name: String = function.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let total: u64 = line.split_whitespace().next()?.replace(',', "").parse().ok()?;
        Some((name, total))
    };
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    for (name, total) in text.lines().filter_map(row) {
        let most = totals.entry(name).or_default();
        *most = total.max(*most);
    }
    Ok(totals)
}

/// Prints both figures of each operation; a failure when one is beyond the margin, or is not written down.
fn compare(found: &BTreeMap<String, u64>, written: &str) -> ExitCode {
    let written: BTreeMap<&str, u64> = written
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .filter_map(|(operation, count)| Some((operation, count.parse().ok()?)))
        .collect();
    let mut failed = written.len() != found.len();
    println!("{:<24} {:>14} {:>14} {:>7}", "operation", "written down", "now", "ratio");
    for (operation, now) in found {
        let before = written.get(operation.as_str()).copied().unwrap_or(0);
        let ratio = *now as f64 / before.max(1) as f64;
        let is_more = ratio > MARGIN;
        failed |= is_more;
        println!("{operation:<24} {before:>14} {now:>14} {ratio:>7.3}{}", if is_more { "  more" } else { "" });
    }
    if failed {
        eprintln!(
            "more instructions than written down: find out why, or write them anew with `-- --write` and say why"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What is measured. Each is a function of its own, so that the profile names it.
mod operation {
    use super::*;

    #[inline(never)]
    pub(super) fn person_now(snapshot: &Snapshot, pnr: Pnr) -> u32 {
        snapshot.person(pnr).expect("a read").expect("held").delivered().0
    }

    #[inline(never)]
    pub(super) fn person_every_fact(snapshot: &Snapshot, pnr: Pnr) -> usize {
        let person = snapshot.person(pnr).expect("a read").expect("held");
        person.all_facts().filter(|fact| fact.aspect() == Aspect::Address).count()
    }

    #[inline(never)]
    pub(super) fn person_from_packs(snapshot: &Snapshot, pnr: Pnr) -> u32 {
        snapshot.person(pnr).expect("a read").expect("held").delivered().0
    }

    #[inline(never)]
    pub(super) fn persons_from_packs(snapshot: &Snapshot, pnrs: &[Pnr]) -> usize {
        snapshot.persons(pnrs).expect("a read").len()
    }

    #[inline(never)]
    pub(super) fn as_of_the_load(snapshot: &Snapshot, pnr: Pnr, at: Timestamp) -> usize {
        let image = snapshot.as_of(pnr, Some(at), Some(DeliveryNumber(1))).expect("a read").expect("held");
        image.all_facts().count()
    }

    #[inline(never)]
    pub(super) fn history_of_addresses(snapshot: &Snapshot, pnr: Pnr) -> usize {
        snapshot.history(pnr, Aspect::Address).expect("a read").len()
    }

    #[inline(never)]
    pub(super) fn count_of_municipality(snapshot: &Snapshot, query: &Query) -> u64 {
        snapshot.count(query).expect("a query")
    }

    #[inline(never)]
    pub(super) fn events_of_a_night(snapshot: &Snapshot, night: DeliveryNumber) -> usize {
        let feed = snapshot.events_of(night, EventFilter::default()).expect("the delivery");
        feed.inspect(|event| assert!(event.is_ok(), "a sound store")).count()
    }

    #[inline(never)]
    pub(super) fn answer_of_sf1520(snapshot: &Snapshot, request: &Request) -> usize {
        let answer = sf1520::answer(snapshot, sf1520::Version::V5, request, &NoRegister).expect("a read");
        answer.found().expect("held").answer.addresses.past.len()
    }

    #[inline(never)]
    pub(super) fn answer_of_sf1525(snapshot: &Snapshot, request: &Request) -> usize {
        let all = Markings::all(Depth::WithHistory);
        let answer = sf1525::answer(snapshot, Version::V2, &all, request, &NoRegister).expect("a read");
        answer.found().expect("held").answer.addresses.len()
    }

    #[inline(never)]
    pub(super) fn check_of_the_load(extract: &[u8], options: CheckOptions<'_>) -> u64 {
        check(Cursor::new(extract), options).expect("bytes in memory").persons
    }

    #[inline(never)]
    pub(super) fn groups_of_the_load(extract: &[u8], options: CheckOptions<'_>) -> usize {
        let checked = check(Cursor::new(extract), options).expect("bytes in memory");
        let mut reader = Groups::new(Cursor::new(extract), &checked, &[]).expect("bytes in memory");
        let (mut groups, mut persons) = (Vec::new(), 0);
        loop {
            match reader.next_chunk(&mut groups, 1024).expect("what was checked") {
                0 => return persons,
                count => persons += count,
            }
        }
    }

    #[inline(never)]
    pub(super) fn load(replika: &Replika, extract: &[u8]) {
        replika.load(Cursor::new(extract), &ApplyOptions::named("full")).expect("a sound extract");
    }

    #[inline(never)]
    pub(super) fn night_of_moves(replika: &Replika, extract: &[u8]) {
        replika.apply(Cursor::new(extract), &ApplyOptions::named("night")).expect("it follows");
    }

    #[inline(never)]
    pub(super) fn export(snapshot: &Snapshot) -> u64 {
        snapshot.export(None, &mut std::io::sink()).expect("a sound store")
    }
}

/// Runs every operation, and prints how often.
fn measure() {
    let population = benches::population(PERSONS);
    let full = benches::full(&population);
    let replika = Replika::in_memory(&Config::default()).expect("a store in memory");
    let name = "follower".parse().expect("a name");
    replika.add_subscriber(&name, Profile::SF6002).expect("a new subscriber");
    let filters = ["0-17+0101", "0108", "65-200"].map(|text| FilterChange::Add(text.parse().expect("a filter")));
    replika.change_filters(&name, &filters, UnknownNumbers::Keep).expect("new filters");
    operation::load(&replika, &full);
    println!("load 1");
    let movers = benches::residents(&population, MOVERS, |_| true);
    let mut nights = population.deltas(&benches::product(), PERSONS);
    for _ in 0..4 {
        let night = benches::night_of(&mut nights, &movers);
        operation::night_of_moves(&replika, &night);
    }
    println!("night_of_moves 4");

    let snapshot = replika.snapshot();
    let pnrs: Vec<Pnr> = movers.iter().map(|rank| population.pnr_at(*rank)).collect();
    let at = Timestamp::end_of(Date::from_digits(2025_12_31).expect("eight digits"));
    let day = population.production_date();
    for &pnr in &pnrs {
        black_box(operation::person_now(&snapshot, pnr));
        black_box(operation::person_every_fact(&snapshot, pnr));
        black_box(operation::as_of_the_load(&snapshot, pnr, at));
        black_box(operation::history_of_addresses(&snapshot, pnr));
        let request = Request::on(pnr, day, Caller::unlogged());
        black_box(operation::answer_of_sf1520(&snapshot, &request));
        black_box(operation::answer_of_sf1525(&snapshot, &request));
    }
    let of_a_person = ["person_now", "person_every_fact", "as_of_the_load", "history_of_addresses"];
    for operation in of_a_person.into_iter().chain(["answer_of_sf1520", "answer_of_sf1525"]) {
        println!("{operation} {}", pnrs.len());
    }
    let folder = tempfile::tempdir().expect("a place for packs");
    snapshot.write_pack(folder.path()).expect("packs");
    let packed = packs::open_mapped(folder.path(), Checks::AtFirstTouch).snapshot();
    // Checked before: what is counted is what later reads take.
    black_box(packed.persons(&pnrs).expect("a read").len());
    pnrs.iter().for_each(|&pnr| _ = black_box(operation::person_from_packs(&packed, pnr)));
    pnrs.chunks(AT_ONCE).for_each(|pnrs| _ = black_box(operation::persons_from_packs(&packed, pnrs)));
    // Of a person, so that both can be compared.
    println!("person_from_packs {0}\npersons_from_packs {0}", pnrs.len());
    let municipality = Query::municipality(MunicipalityCode(101));
    black_box(operation::count_of_municipality(&snapshot, &municipality));
    black_box(operation::events_of_a_night(&snapshot, DeliveryNumber(2)));
    black_box(operation::export(&snapshot));
    let family = Family::named("std").expect("part of the product");
    let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
    black_box(operation::check_of_the_load(&full, options));
    black_box(operation::groups_of_the_load(&full, options));
    for operation in ["count_of_municipality", "events_of_a_night", "export", "check_of_the_load", "groups_of_the_load"]
    {
        println!("{operation} 1");
    }
}

//! A store through a hundred nights, with ten thousand subscribers, a file for each whom a night concerns, and packs
//! after each: what a night takes and how large everything is at the beginning, after ten, after a hundred.
//!
//! Nothing may grow but what is held. The nights are made up by a process of their own, which remembers who moved where, so
//! that memory is that of the engine. Figures are medians of the five nights from the one that is named on, of the
//! last one of those up to it, and go to `target/bench-results/nights.json`. `REPLIKA_BENCH_NIGHTS` is how many, 100 unless set. Without `--bench` (as
//! `cargo test --benches` starts it) it takes a thousand persons and ten nights.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Cursor, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use benches::machine::{self, Size};
use benches::results::{Results, target_folder};
use benches::samples::{Run, Subject, median};
use cpr_population::Population;
use cpr_replika::cpr_model::Pnr;
use cpr_replika::cpr_subscription::{Profile, SubscriberName};
use cpr_replika::{ApplyOptions, Config, FilterChange, OutgoingFile, Replika, Sink, UnknownNumbers};

/// Nights whose median a figure is.
const WINDOW: usize = 5;

/// Persons a subscriber of the largest kind follows by their numbers.
const FOLLOWED: u32 = 200;

/// What happens of which a subscriber follows one kind.
const CODES: [&str; 4] = ["A01", "A05", "A20", "A21"];

/// Set in the process that makes up nights, to how many persons act in one.
const MAKES_UP: &str = "REPLIKA_BENCH_MAKES_UP";

/// What one night took and left behind, in seconds or bytes.
type Night = Vec<(&'static str, f64)>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A filter meant for another bench target.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"nights".contains(argument.as_str())) {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let (persons, subscribers, nights) = if is_bench { (benches::persons(), 10_000, nights()) } else { (1000, 20, 10) };
    let population = benches::population(persons);
    if let Some(changed) = std::env::var_os(MAKES_UP) {
        return make_up(&population, changed.to_string_lossy().parse().expect("a number"), nights);
    }
    let parent = target_folder().join("bench-data");
    std::fs::create_dir_all(&parent).expect("a place for the store");
    let folder = tempfile::tempdir_in(parent).expect("a place for the store");
    let replika = loaded(&population, folder.path());
    subscribe(&replika, &population, subscribers);

    let mut results = Results::of("nights", persons);
    let changed = (persons / 200).max(20);
    results.state("nights", nights);
    results.state("subscribers", subscribers);
    results.state("persons_who_act_in_a_night", changed);
    let mut made_up = MadeUp::start(changed);
    let mut taken: Vec<Night> = Vec::new();
    for _ in 0..nights {
        let extract = made_up.next();
        taken.push(night(&replika, &extract, folder.path()));
        taken.last_mut().expect("just pushed").push(("person now, p50 (ns)", person_now(&replika, &population)));
        if is_bench {
            tell(&taken);
        }
    }
    for mark in [1, 10, 100].into_iter().filter(|mark| *mark <= taken.len()) {
        // The last night's window reaches back.
        let from = (mark - 1).min(taken.len().saturating_sub(WINDOW));
        let window: Vec<&Night> = taken[from..].iter().take(WINDOW).collect();
        for (at, (measure, _)) in taken[0].iter().enumerate() {
            let values = window.iter().map(|night| night[at].1).collect();
            let unit = if measure.contains("(ns)") {
                "ns"
            } else if measure.contains("bytes") {
                "bytes"
            } else {
                "s"
            };
            results.add(measure, &format!("night {mark}"), unit, median(values));
        }
    }
    if is_bench {
        results.write("nights");
    }
}

/// Prints what the last night took: a hundred of a whole country take the better part of an hour.
fn tell(taken: &[Night]) {
    let Some(night) = taken.last() else { return };
    let figures: Vec<String> = night.iter().map(|(measure, value)| format!("{measure} {value:.3}")).collect();
    println!("night {}: {}", taken.len(), figures.join("; "));
}

/// How many nights the benchmark takes.
fn nights() -> usize {
    std::env::var("REPLIKA_BENCH_NIGHTS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// Writes the nights to standard output, each behind its length.
fn make_up(population: &Population, changed: u32, nights: usize) {
    let mut deltas = population.deltas(&benches::product(), changed);
    for _ in 0..nights {
        let extract = benches::night(&mut deltas);
        let mut out = io::stdout().lock();
        out.write_all(&(extract.len() as u64).to_le_bytes()).expect("whoever asks reads");
        out.write_all(&extract).expect("whoever asks reads");
    }
}

/// The process that makes up nights, one ahead of what is read.
struct MadeUp {
    process: Child,
    nights: ChildStdout,
}

impl MadeUp {
    fn start(changed: u32) -> MadeUp {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(std::env::args_os().skip(1)).env(MAKES_UP, changed.to_string()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this program runs");
        let nights = process.stdout.take().expect("a pipe");
        MadeUp { process, nights }
    }

    fn next(&mut self) -> Vec<u8> {
        let mut length = [0; 8];
        self.nights.read_exact(&mut length).expect("a night");
        let mut extract = vec![0; u64::from_le_bytes(length) as usize];
        self.nights.read_exact(&mut extract).expect("a whole night");
        extract
    }
}

impl Drop for MadeUp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A store of everybody. The extract goes by a file: that of a country does not fit into memory.
fn loaded(population: &Population, folder: &Path) -> Replika {
    let path = folder.join("full");
    let file = BufWriter::new(File::create(&path).expect("a file for the extract"));
    population.full_extract(file, &benches::product()).expect("a disk with room").flush().expect("a disk with room");
    let replika = Replika::create(folder.join("store"), &Config::default()).expect("a new store");
    let source = BufReader::new(File::open(&path).expect("just written"));
    replika.load(source, &ApplyOptions::named("full")).expect("a sound extract");
    std::fs::remove_file(path).expect("just read");
    replika
}

/// Half of the subscribers follow [`FOLLOWED`] persons by their numbers, the others the children of a street, what
/// happens of one kind in a municipality, or one age there.
fn subscribe(replika: &Replika, population: &Population, subscribers: u32) {
    for number in 0..subscribers {
        let name: SubscriberName = format!("office-{number}").parse().expect("a name");
        let municipality = 101 + number % 99 * 7;
        let add = |text: String| FilterChange::Add(text.parse().expect("a filter"));
        let changes: Vec<FilterChange> = match number % 4 {
            0 | 1 => (0..FOLLOWED)
                .map(|at| population.pnr_at((number * FOLLOWED + at * 7919) % population.persons()))
                .map(|pnr| add(pnr.reveal().to_string()))
                .collect(),
            2 => vec![add(format!("{municipality:04}+{}-{}", number % 80, number % 80 + 5))],
            _ => vec![add(format!("{municipality:04}+{}", CODES[(number / 4) as usize % CODES.len()]))],
        };
        replika.add_subscriber(&name, Profile::SF6002).expect("a new subscriber");
        replika.change_filters(&name, &changes, UnknownNumbers::Keep).expect("filters");
    }
}

/// Applies a night, gives each subscriber its file, and packs.
fn night(replika: &Replika, extract: &[u8], folder: &Path) -> Night {
    machine::forget_peak_memory();
    let mut night = Night::new();
    let mut step = |wall, cpu, work: &mut dyn FnMut()| {
        let (clock, processor) = (Instant::now(), machine::process_seconds());
        work();
        night.push((wall, clock.elapsed().as_secs_f64()));
        night.push((cpu, machine::process_seconds() - processor));
    };
    let mut applied = None;
    step("apply, durable", "apply, on a processor", &mut || {
        applied = Some(replika.apply(Cursor::new(extract), &ApplyOptions::named("night")).expect("it follows"));
    });
    let delivery = applied.expect("applied").delivery;
    let mut sink = Counted::default();
    step("files of subscribers", "files of subscribers, on a processor", &mut || {
        let report = replika.deliver(&delivery, Cursor::new(extract), &mut sink).expect("the same extract");
        assert!(report.undelivered.is_empty(), "nothing refuses a file");
    });
    let packs = folder.join("packs");
    step("pack", "pack, on a processor", &mut || {
        replika.snapshot().write_pack(&packs).expect("a place for packs");
    });
    night.push(("extract, bytes", extract.len() as f64));
    night.push(("files of subscribers, bytes", sink.bytes as f64));
    night.push(("store, bytes", Size::of(&folder.join("store")).allocated as f64));
    night.push(("packs, bytes", Size::of(&packs).allocated as f64));
    night.push(("peak memory of the night, bytes", machine::peak_memory_bytes() as f64));
    night
}

/// Counts what it is given.
#[derive(Default)]
struct Counted {
    bytes: u64,
}

impl Sink for Counted {
    fn take(&mut self, _: &OutgoingFile, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        write(self)
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Nanoseconds that a person now takes, hot.
fn person_now(replika: &Replika, population: &Population) -> f64 {
    let of = u64::from(population.persons());
    let pnrs: Vec<Pnr> = (0..1000).map(|at| population.pnr_at((at * 7919 % of) as u32)).collect();
    let snapshot = replika.snapshot();
    let now = |run: &mut Run<'_>| {
        run(&mut |at| snapshot.person(pnrs[at]).expect("a read").map_or(0, |person| person.delivered().0 as usize));
    };
    let mut subject = Subject::new("person now", "replika", now);
    for _ in 0..3 {
        subject.round(pnrs.len());
    }
    subject.median(0).p50
}

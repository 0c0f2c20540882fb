//! The engine beside redb, LMDB, SQLite and fjall: the same keys and bytes, in one run, taking turns.
//!
//! Loads run in processes of their own, so that each has its own peak of memory. Then all stores are open at once, take
//! the same nights in turn, and are read in turn. Figures go to `target/bench-results/peers.json`; docs/performance.md
//! says what each means. Without `--bench` (as `cargo test --benches` starts it) it takes a thousand persons and one
//! round.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use benches::documents::{self, Document, Documents};
use benches::machine::{self, Size};
use benches::packs;
use benches::peers::{self, PACKS, Peer, STORES, SqliteRows};
use benches::results::{Results, target_folder};
use benches::samples::{Run, Subject, median};
use cpr_population::{Deltas, Population};
use cpr_replika::cpr_model::{Aspect, Date, Pnr, Timestamp};
use cpr_replika::cpr_pack::Checks;
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Progress, Replika, Snapshot};

/// Nights in which the watched persons move, before any night is timed: each leaves two superseded rows behind.
const WATCHED_NIGHTS: u32 = 10;

/// Persons that are read, again and again: every page of theirs is in memory.
const HOT: u32 = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["child-load", store, input, folder] => return load_here(store, Path::new(input), Path::new(folder)),
        ["child-kill", store, night] => return wait_to_be_killed(Path::new(store), Path::new(night)),
        _ => {}
    }
    // A filter meant for another bench target.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"peers".contains(argument.as_str())) {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let plan = Plan::new(is_bench);
    let mut results = Results::of("peers", plan.of);
    for store in STORES {
        results.state(store, peers::title(store));
    }
    let nights = plan.prepare(&mut results);
    plan.loads(&mut results);
    plan.nights(&nights, &mut results);
    plan.reads(&nights, &mut results);
    plan.opens(&nights, &mut results);
    if is_bench {
        results.write("peers");
    }
}

/// Sizes, and where everything lies.
struct Plan {
    of: u32,
    /// About as many persons move in each of the first nights.
    watched: u32,
    /// About as many persons are delivered in a timed night.
    changed: u32,
    rounds: u32,
    load_rounds: u32,
    folder: tempfile::TempDir,
}

/// A timed night: its extract, and the documents of its persons after it.
struct Night {
    extract: PathBuf,
    number: u32,
    documents: Vec<Document>,
}

/// What the nights' extracts leave in the peers, and whom they are about.
struct Prepared {
    /// The documents of the watched persons after the nights that are not timed.
    watched: Vec<Document>,
    timed: Vec<Night>,
    /// Persons who moved in every watched night, and persons who are in no night, in an order without locality.
    moved: Vec<Pnr>,
    others: Vec<Pnr>,
}

impl Plan {
    fn new(is_bench: bool) -> Plan {
        let of = if is_bench { benches::persons() } else { 1000 };
        let parent = target_folder().join("bench-data");
        std::fs::create_dir_all(&parent).expect("a place for stores");
        let folder = tempfile::tempdir_in(parent).expect("a place for stores");
        let rounds = if is_bench { 5 } else { 1 };
        let load_rounds = if is_bench && of <= 100_000 { 3 } else { 1 };
        let (watched, changed) = ((of / 10).clamp(1, 10_000), (of / 20).clamp(1, 50_000));
        Plan { of, watched, changed, rounds, load_rounds, folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of one store.
    fn of_store(&self, store: &str) -> PathBuf {
        self.at(&store.replace(' ', "-"))
    }

    fn extract(&self, night: u32) -> PathBuf {
        self.at(&format!("night-{night}"))
    }

    /// Writes a night and returns the keys of whom it delivers: of these persons, or an ordinary one.
    fn write_night(&self, night: u32, nights: &mut Deltas<'_>, watched: Option<&[u32]>) -> Vec<u32> {
        let bytes = match watched {
            Some(ranks) => benches::night_of(nights, ranks),
            None => benches::night(nights),
        };
        std::fs::write(self.extract(night), &bytes).expect("a file of a night");
        benches::persons_in(&bytes).into_iter().map(key).collect()
    }

    /// The extracts of all nights, and the documents that the engine makes of them, from a store that is thrown away.
    fn prepare(&self, results: &mut Results) -> Prepared {
        let population = benches::population(self.of);
        let mut nights = population.deltas(&benches::product(), self.changed);
        let file = BufWriter::new(File::create(self.at("full")).expect("a file of the extract"));
        let mut file = population.full_extract(file, &benches::product()).expect("a file of the extract");
        file.flush().expect("a file of the extract");
        results.state("extract_bytes", Size::of(&self.at("full")).nominal);
        let scratch = self.at("scratch");
        let replika = Replika::create(&scratch, &Config::default()).expect("a new store");
        replika.load(open(&self.at("full")), &ApplyOptions::named("full")).expect("a sound extract");
        drop(replika);
        let (count, bytes) = documents::write_all(&scratch, &self.at("documents"));
        results.state("document_bytes", bytes);
        assert_eq!(count, u64::from(self.of));

        let apply = |night: u32| {
            let replika = Replika::open(&scratch).expect("the store");
            replika.apply(open(&self.extract(night)), &ApplyOptions::named("night")).expect("it follows");
        };
        let first = 2 + WATCHED_NIGHTS;
        let ranks = benches::residents(&population, self.watched, |_| true);
        let mut keys = Vec::new();
        for night in 2..first {
            keys = self.write_night(night, &mut nights, Some(&ranks));
            apply(night);
        }
        let watched = documents::of_keys(&scratch, &keys);
        let mut delivered: HashSet<u32> = keys.into_iter().collect();
        let timed = (first..first + self.rounds).map(|night| {
            let keys = self.write_night(night, &mut nights, None);
            apply(night);
            delivered.extend(&keys);
            Night { extract: self.extract(night), number: night, documents: documents::of_keys(&scratch, &keys) }
        });
        let timed = timed.collect();
        std::fs::remove_file(scratch).expect("a store to remove");
        // One more, which is never applied whole.
        self.write_night(first + self.rounds, &mut nights, None);
        let is_other = |rank| !delivered.contains(&key(population.pnr_at(rank)));
        let others = benches::residents(&population, self.watched, is_other);
        let [mut moved, mut others] = [&ranks, &others].map(|ranks| hot(&population, ranks));
        // As many of each are read.
        let fewest = moved.len().min(others.len());
        moved.truncate(fewest);
        others.truncate(fewest);
        Prepared { watched, timed, moved, others }
    }

    fn loads(&self, results: &mut Results) {
        let mut seconds = STORES.map(|_| Vec::new());
        let mut memory = STORES.map(|_| 0.0);
        for _ in 0..self.load_rounds {
            for (at, store) in STORES.into_iter().enumerate() {
                let folder = self.of_store(store);
                std::fs::remove_dir_all(&folder).ok();
                std::fs::create_dir(&folder).expect("a folder for the store");
                let input = match store {
                    // The store was loaded right before.
                    PACKS => self.of_store("replika").join("store"),
                    _ if takes_extracts(store) => self.at("full"),
                    _ => self.at("documents"),
                };
                let arguments = ["child-load".as_ref(), store.as_ref(), input.as_os_str(), folder.as_os_str()];
                let (child, line) = start(&arguments);
                finish(child);
                let mut figures = line.split_whitespace().filter_map(|text| text.parse::<f64>().ok());
                seconds[at].extend(figures.next());
                memory[at] = figures.next().unwrap_or(0.0);
            }
        }
        for (at, store) in STORES.into_iter().enumerate() {
            results.add("load", store, "1/s", f64::from(self.of) / median(std::mem::take(&mut seconds[at])));
            results.add("peak memory of a load", store, "bytes", memory[at]);
        }
        self.sizes("after the load", results);
    }

    fn sizes(&self, when: &str, results: &mut Results) {
        for store in STORES {
            let size = Size::of(&self.of_store(store));
            results.add(&format!("size {when}, allocated"), store, "bytes", size.allocated as f64);
            results.add(&format!("size {when}, nominal"), store, "bytes", size.nominal as f64);
        }
    }

    /// Every store is open and takes every night in turn.
    fn nights(&self, nights: &Prepared, results: &mut Results) {
        let replika = Replika::open(self.of_store("replika").join("store")).expect("the store");
        let rows = SqliteRows::open(&self.of_store("sqlite rows"));
        let peers = self.open_peers();
        for night in 2..2 + WATCHED_NIGHTS {
            replika.apply(open(&self.extract(night)), &ApplyOptions::named("night")).expect("it follows");
            rows.apply(&self.extract(night), night);
        }
        for (_, peer) in &peers {
            peer.overwrite_durably(&nights.watched);
        }
        replika.snapshot().write_base(self.of_store(PACKS)).expect("a base");
        let mut seconds = STORES.map(|_| Vec::new());
        for night in &nights.timed {
            for (at, store) in STORES.into_iter().enumerate() {
                let start = Instant::now();
                match peers.iter().find(|(name, _)| *name == store) {
                    Some((_, peer)) => peer.overwrite_durably(&night.documents),
                    None if store == "replika" => {
                        replika.apply(open(&night.extract), &ApplyOptions::named("night")).expect("it follows");
                    }
                    None if store == PACKS => {
                        replika.snapshot().write_pack(self.of_store(PACKS)).expect("an overlay");
                    }
                    None => rows.apply(&night.extract, night.number),
                }
                seconds[at].push(start.elapsed().as_secs_f64());
            }
        }
        for (at, store) in STORES.into_iter().enumerate() {
            results.add("a night, durable", store, "s", median(std::mem::take(&mut seconds[at])));
        }
        drop((replika, rows, peers));
        results.state("persons_of_a_night", self.changed);
        self.sizes("after the nights", results);
    }

    fn open_peers(&self) -> Vec<(&'static str, Box<dyn Peer>)> {
        STORES.into_iter().filter_map(|store| Some((store, peers::open(store, &self.of_store(store))?))).collect()
    }

    fn reads(&self, nights: &Prepared, results: &mut Results) {
        let store = self.of_store("replika").join("store");
        let (moved, others) = (&nights.moved, &nights.others);
        let [keys, other_keys] = [moved, others].map(|pnrs| pnrs.iter().map(|pnr| key(*pnr)).collect::<Vec<u32>>());
        let peers = self.open_peers();
        check_documents(&store, &keys, &peers);
        let replika = Replika::open(&store).expect("the store");
        let snapshot = replika.snapshot();
        let packed = packs::open_mapped(&self.of_store(PACKS), Checks::AtFirstTouch).snapshot();
        let rows = self.of_store("sqlite rows");
        let mut subjects = vec![Subject::new("the clock alone", "none", |run| run(&mut |at| at))];
        subjects.extend(ours("replika", &snapshot, moved, others));
        subjects.extend(ours(PACKS, &packed, moved, others));
        subjects.extend(of_rows(&rows, &keys, &other_keys));
        for (store, peer) in &peers {
            subjects.push(Subject::new("person now", store, |run| peer.read(&keys, peers::handed_out, run)));
            subjects.push(Subject::new("person now, CRC32 of the bytes", store, |run| {
                peer.read(&keys, peers::checksummed, run);
            }));
        }
        check_answers(&subjects, keys.len());
        let history = |pnr: Pnr, aspect| snapshot.history(pnr, aspect).expect("a read");
        let versions = moved.iter().flat_map(|pnr| Aspect::all().flat_map(|aspect| history(*pnr, aspect)));
        let gone = versions.filter(|fact| fact.as_fact().known().to.is_some());
        let superseded = gone.count() / moved.len();
        assert!((20..=28).contains(&superseded), "about 20 superseded rows, not {superseded}");
        for _ in 0..self.rounds {
            for subject in &mut subjects {
                subject.round(keys.len());
            }
        }
        for subject in &subjects {
            for (at, threads) in ["1 thread", "2 threads"].into_iter().enumerate() {
                let (latency, measure) = (subject.median(at), subject.measure);
                results.add(&format!("{measure}, {threads}, p50"), subject.store, "ns", latency.p50);
                results.add(&format!("{measure}, {threads}, p99"), subject.store, "ns", latency.p99);
                results.add(&format!("{measure}, {threads}, mean"), subject.store, "ns", latency.mean);
            }
        }
    }

    /// Opening until the first person is read: after a clean close, and the engine's after its writer was killed.
    fn opens(&self, nights: &Prepared, results: &mut Results) {
        let replika = self.of_store("replika").join("store");
        let pnr = nights.moved[0];
        let keys = [key(pnr)];
        let open_ours = || {
            let start = Instant::now();
            let store = Replika::open(&replika).expect("the store");
            assert!(store.snapshot().person(pnr).expect("a read").is_some());
            (start.elapsed(), store.snapshot().known())
        };
        let mut seconds = STORES.map(|_| Vec::new());
        for _ in 0..self.rounds {
            for (at, store) in STORES.into_iter().enumerate() {
                let (start, folder) = (Instant::now(), self.of_store(store));
                let mut read = 0;
                let taken = match store {
                    "replika" => open_ours().0,
                    PACKS => {
                        let packed = packs::open_mapped(&folder, Checks::AtFirstTouch);
                        read = usize::from(packed.snapshot().person(pnr).expect("a read").is_some());
                        start.elapsed()
                    }
                    "sqlite rows" => {
                        SqliteRows::read_now(&folder, &keys, &mut |get| read = get(0));
                        start.elapsed()
                    }
                    _ => {
                        let peer = peers::open(store, &folder).expect("a store of documents");
                        peer.read(&keys, peers::handed_out, &mut |get| read = get(0));
                        start.elapsed()
                    }
                };
                assert!(read > 0 || store == "replika");
                seconds[at].push(taken.as_secs_f64());
            }
        }
        for (at, store) in STORES.into_iter().enumerate() {
            results.add("open and read one person", store, "s", median(std::mem::take(&mut seconds[at])));
        }
        let before = open_ours().1;
        let night = self.extract(2 + WATCHED_NIGHTS + self.rounds);
        let killed = (0..self.rounds).map(|_| {
            let (mut child, line) = start(&["child-kill".as_ref(), replika.as_os_str(), night.as_os_str()]);
            assert_eq!(line, "merging", "the writer is in the middle of a delivery");
            child.kill().expect("a child to kill");
            child.wait().expect("a child that ends");
            let (taken, known) = open_ours();
            assert_eq!(known, before, "nothing of the delivery stayed");
            taken.as_secs_f64()
        });
        let killed = median(killed.collect());
        results.add("open and read one person, after a killed writer", "replika", "s", killed);
    }
}

/// Of these persons as many as are read, in an order without locality.
fn hot(population: &Population, ranks: &[u32]) -> Vec<Pnr> {
    let count = ranks.len().min(HOT as usize);
    (0..count).map(|at| population.pnr_at(ranks[at * 7919 % ranks.len()])).collect()
}

/// The moment in the world of every as-of read.
fn moment() -> Timestamp {
    Timestamp::end_of(Date::from_digits(2025_12_31).expect("eight digits"))
}

/// The engine's reads: of persons who moved again and again, and of others.
fn ours<'a>(store: &'static str, snapshot: &'a Snapshot, moved: &'a [Pnr], others: &'a [Pnr]) -> Vec<Subject<'a>> {
    let person = |at: usize| snapshot.person(moved[at]).expect("a read").expect("held");
    let as_of = |pnr: Pnr, valid: Option<Timestamp>| {
        let image = snapshot.as_of(pnr, valid, Some(DeliveryNumber(1))).expect("a read").expect("held");
        if valid.is_some() { image.facts().count() } else { image.all_facts().count() }
    };
    let subject = |measure, get: Box<dyn Fn(usize) -> usize + Sync + 'a>| {
        Subject::new(measure, store, move |run: &mut Run<'_>| run(&mut |at| get(at)))
    };
    vec![
        subject("person now", Box::new(move |at| person(at).delivered().0 as usize)),
        subject("person now, every row", Box::new(move |at| person(at).facts().count())),
        subject(
            "person now, every value decoded",
            Box::new(move |at| {
                let person = person(at);
                let mut rows = 0;
                for fact in person.all_facts() {
                    for value in fact.values().iter() {
                        std::hint::black_box(value);
                    }
                    rows += 1;
                }
                rows
            }),
        ),
        subject(AS_OF_MOVED, Box::new(move |at| as_of(moved[at], Some(moment())))),
        subject(AS_OF_OTHERS, Box::new(move |at| as_of(others[at], Some(moment())))),
        subject("as of a delivery, 20 superseded rows", Box::new(move |at| as_of(moved[at], None))),
        subject(HISTORY, Box::new(move |at| snapshot.history(moved[at], Aspect::Address).expect("a read").len())),
    ]
}

const AS_OF_MOVED: &str = "as of a delivery and a moment, 20 superseded rows";
const AS_OF_OTHERS: &str = "as of a delivery and a moment, unchanged since";
const HISTORY: &str = "history of the address";

/// The same questions to SQLite's rows; the only peer that can answer them.
fn of_rows<'a>(store: &'a Path, moved: &'a [u32], others: &'a [u32]) -> Vec<Subject<'a>> {
    let at = (moment().digits(), 1);
    vec![
        Subject::new("person now, every value decoded", "sqlite rows", |run| SqliteRows::read_now(store, moved, run)),
        Subject::new(AS_OF_MOVED, "sqlite rows", move |run| SqliteRows::read_as_of(store, at, moved, run)),
        Subject::new(AS_OF_OTHERS, "sqlite rows", move |run| SqliteRows::read_as_of(store, at, others, run)),
        Subject::new(HISTORY, "sqlite rows", |run| SqliteRows::read_address_history(store, moved, run)),
    ]
}

/// The peers must hold, byte for byte, the documents that the engine's file does.
fn check_documents(store: &Path, keys: &[u32], peers: &[(&'static str, Box<dyn Peer>)]) {
    let documents: HashMap<u32, Vec<u8>> = documents::of_keys(store, keys).into_iter().collect();
    for (name, peer) in peers {
        peer.read(keys, peers::checksummed, &mut |get| {
            for (at, key) in keys.iter().enumerate() {
                assert!(get(at) == peers::checksummed(&documents[key]), "{name} holds another document");
            }
        });
    }
}

/// Stores that are asked the same must answer the same, or their times say nothing.
fn check_answers(subjects: &[Subject<'_>], persons: usize) {
    let answers = |subject: &Subject<'_>| {
        let mut all = Vec::new();
        (subject.read)(&mut |get| all = (0..persons).map(&mut *get).collect());
        all
    };
    for (at, subject) in subjects.iter().enumerate() {
        // The engine counts deliveries, where the stores of documents hand out bytes.
        let is_asked = |other: &&Subject<'_>| other.measure == subject.measure && other.store != "replika";
        let peer = subjects[at + 1..].iter().find(is_asked);
        let counts_deliveries = subject.measure == "person now" && ["replika", PACKS].contains(&subject.store);
        if let Some(peer) = peer.filter(|_| !counts_deliveries) {
            assert!(answers(subject) == answers(peer), "{subject:?} and {peer:?} do not answer the same");
        }
    }
}

fn key(pnr: Pnr) -> u32 {
    pnr.key().expect("a number that can be a person's").as_u32()
}

fn open(path: &Path) -> File {
    File::open(path).expect("a file that was written before")
}

fn takes_extracts(store: &str) -> bool {
    matches!(store, "replika" | "sqlite rows")
}

/// Starts this program again and reads its first line.
fn start(arguments: &[&std::ffi::OsStr]) -> (Child, String) {
    let program = std::env::current_exe().expect("the path of this program");
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().expect("a child");
    let mut line = String::new();
    let output = child.stdout.take().expect("its output is piped");
    BufReader::new(output).read_line(&mut line).expect("a line of the child");
    (child, line.trim().to_owned())
}

fn finish(mut child: Child) {
    assert!(child.wait().expect("a child that ends").success(), "a child failed");
}

/// Loads a store in this process and prints seconds and peak memory in bytes.
fn load_here(store: &str, input: &Path, folder: &Path) {
    let start = Instant::now();
    match store {
        "replika" => {
            let replika = Replika::create(folder.join("store"), &Config::default()).expect("a new store");
            replika.load(open(input), &ApplyOptions::named("full")).expect("a sound extract");
        }
        PACKS => {
            let snapshot = Replika::open_read_only(input).expect("the store").snapshot();
            snapshot.write_base(folder).expect("a base");
        }
        "sqlite rows" => SqliteRows::open(folder).load(input),
        _ => peers::open(store, folder).expect("a store of documents").load(&mut Documents::open(input)),
    }
    println!("{} {}", start.elapsed().as_secs_f64(), machine::peak_memory_bytes());
}

/// Applies a night and stops in the middle of it, before anything is committed, until somebody kills this process.
fn wait_to_be_killed(store: &Path, night: &Path) {
    let stop = |progress| {
        if let Progress::Merging { .. } = progress {
            println!("merging");
            std::io::stdout().flush().expect("a pipe to the parent");
            std::thread::sleep(Duration::from_secs(600));
        }
        ControlFlow::Continue(())
    };
    let options = ApplyOptions { progress: Some(&stop), ..ApplyOptions::named("night") };
    let replika = Replika::open(store).expect("the store");
    replika.apply(open(night), &options).expect("it follows");
}

//! The engine beside PostgreSQL, SQLite, redb, LMDB and fjall: the same extracts, or the same keys and bytes, in one
//! run, taking turns.
//!
//! Loads run in processes of their own, so that each has its own peak of memory. Then all stores are open at once, take
//! the same nights in turn, and are read in turn. Figures go to `target/bench-results/peers.json`; docs/performance.md
//! says what each means. Where PostgreSQL is not installed, the run says so and goes on without it. Without `--bench`
//! (as `cargo test --benches` starts it) it takes a thousand persons and one round.

mod bytes;
mod questions;

use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use benches::documents::{self, Document, Documents};
use benches::machine::{self, Size};
use benches::packs;
use benches::peers::{self, Cluster, DOCUMENTS, ENGINE, PACKS, POSTGRESQL, Peer, Question, ROWS, Rows, STORES};
use benches::results::{Results, target_folder};
use benches::samples::median;
use cpr_population::{Deltas, Population};
use cpr_replika::cpr_model::Pnr;
use cpr_replika::cpr_pack::Checks;
use cpr_replika::{ApplyOptions, Config, Progress, Replika};

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
    for store in plan.stores() {
        results.state(store, peers::title(store));
    }
    let nights = plan.prepare(&mut results);
    plan.loads(&mut results);
    plan.nights(&nights, &mut results);
    questions::reads(&plan, &nights, &mut results);
    plan.opens(&nights, &mut results);
    bytes::bytes(&plan, &mut results);
    // One round is for seeing that everything runs.
    if plan.rounds > 1 {
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
    /// Ends before its folder goes.
    cluster: Option<Cluster>,
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
        // A server may be another user.
        let passable = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(folder.path(), passable).expect("a folder of its own");
        let cluster = Cluster::start(&folder.path().join(POSTGRESQL));
        if let Err(reason) = &cluster {
            println!("PostgreSQL is left out: {reason}");
        }
        // Of few persons no figure means anything: what counts is that everything runs and agrees.
        let is_measured = is_bench && of >= 10_000;
        let rounds = if is_measured { 5 } else { 1 };
        let load_rounds = if is_measured && of <= 100_000 { 3 } else { 1 };
        let (watched, changed) = ((of / 10).clamp(1, 10_000), (of / 20).clamp(1, 50_000));
        Plan { of, watched, changed, rounds, load_rounds, cluster: cluster.ok(), folder }
    }

    /// Those that are there, in the order of [`STORES`].
    fn stores(&self) -> impl Iterator<Item = &'static str> {
        STORES.into_iter().filter(|store| *store != POSTGRESQL || self.cluster.is_some())
    }

    /// Each store once, in the order of [`STORES`], with a place for what is measured of it.
    fn of_each<T: Default>(&self) -> Vec<(&'static str, T)> {
        self.stores().map(|store| (store, T::default())).collect()
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
        let mut taken = self.of_each::<(Vec<f64>, f64)>();
        for _ in 0..self.load_rounds {
            for (store, (seconds, memory)) in &mut taken {
                let folder = self.of_store(store);
                match &self.cluster {
                    Some(cluster) if *store == POSTGRESQL => cluster.empty(),
                    _ => {
                        std::fs::remove_dir_all(&folder).ok();
                        std::fs::create_dir(&folder).expect("a folder for the store");
                    }
                }
                let input = match *store {
                    // The store was loaded right before.
                    PACKS => self.of_store(ENGINE).join("store"),
                    _ if DOCUMENTS.contains(store) => self.at("documents"),
                    _ => self.at("full"),
                };
                let arguments = ["child-load".as_ref(), store.as_ref(), input.as_os_str(), folder.as_os_str()];
                let (child, line) = start(&arguments);
                finish(child);
                let mut figures = line.split_whitespace().filter_map(|text| text.parse::<f64>().ok());
                seconds.extend(figures.next());
                *memory = figures.next().unwrap_or(0.0);
            }
        }
        for (store, (seconds, memory)) in taken {
            results.add("load", store, "1/s", f64::from(self.of) / median(seconds));
            // A server's memory is not that of who loads into it.
            if store != POSTGRESQL {
                results.add("peak memory of a load", store, "bytes", memory);
            }
        }
        self.open_rows().iter_mut().for_each(|(_, rows)| rows.tidy());
        self.sizes("after the load", results);
    }

    fn sizes(&self, when: &str, results: &mut Results) {
        for store in self.stores() {
            let folder = self.of_store(store);
            let folder = if store == POSTGRESQL { peers::database_folder(&folder) } else { folder };
            let size = Size::of(&folder);
            results.add(&format!("size {when}, allocated"), store, "bytes", size.allocated as f64);
            results.add(&format!("size {when}, nominal"), store, "bytes", size.nominal as f64);
        }
    }

    /// Every store is open and takes every night in turn.
    fn nights(&self, nights: &Prepared, results: &mut Results) {
        let replika = Replika::open(self.of_store(ENGINE).join("store")).expect("the store");
        let (mut rows, peers) = (self.open_rows(), self.open_peers());
        for night in 2..2 + WATCHED_NIGHTS {
            replika.apply(open(&self.extract(night)), &ApplyOptions::named("night")).expect("it follows");
            rows.iter_mut().for_each(|(_, rows)| rows.apply(&self.extract(night), night));
        }
        rows.iter_mut().for_each(|(_, rows)| rows.tidy());
        for (_, peer) in &peers {
            peer.overwrite_durably(&nights.watched);
        }
        replika.snapshot().write_base(self.of_store(PACKS)).expect("a base");
        let mut taken = self.of_each::<Vec<f64>>();
        for night in &nights.timed {
            for (store, seconds) in &mut taken {
                let start = Instant::now();
                if let Some((_, peer)) = peers.iter().find(|(name, _)| name == store) {
                    peer.overwrite_durably(&night.documents);
                } else if let Some((_, rows)) = rows.iter_mut().find(|(name, _)| name == store) {
                    rows.apply(&night.extract, night.number);
                } else if *store == ENGINE {
                    replika.apply(open(&night.extract), &ApplyOptions::named("night")).expect("it follows");
                } else {
                    replika.snapshot().write_pack(self.of_store(PACKS)).expect("an overlay");
                }
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        for (store, seconds) in taken {
            results.add("a night, durable", store, "s", median(seconds));
        }
        rows.iter_mut().for_each(|(_, rows)| rows.tidy());
        drop((replika, rows, peers));
        results.state("persons_of_a_night", self.changed);
        self.sizes("after the nights", results);
    }

    fn open_peers(&self) -> Vec<(&'static str, Box<dyn Peer>)> {
        self.stores().filter_map(|store| Some((store, peers::open(store, &self.of_store(store))?))).collect()
    }

    fn open_rows(&self) -> Vec<(&'static str, Box<dyn Rows>)> {
        self.stores().filter_map(|store| Some((store, peers::open_rows(store, &self.of_store(store))?))).collect()
    }

    /// Opening until the first person is read: after a clean close, and the engine's after its writer was killed.
    fn opens(&self, nights: &Prepared, results: &mut Results) {
        let replika = self.of_store(ENGINE).join("store");
        let pnr = nights.moved[0];
        let keys = [key(pnr)];
        let open_ours = || {
            let start = Instant::now();
            let store = Replika::open(&replika).expect("the store");
            assert!(store.snapshot().person(pnr).expect("a read").is_some());
            (start.elapsed(), store.snapshot().known())
        };
        let mut taken = self.of_each::<Vec<f64>>();
        for _ in 0..self.rounds {
            for (store, seconds) in &mut taken {
                let (start, folder) = (Instant::now(), self.of_store(store));
                let read = Cell::new(0);
                let mut first = |get: &mut benches::samples::Operation<'_>| read.set(get(0));
                match *store {
                    ENGINE => read.set(open_ours().1.0 as usize),
                    PACKS => {
                        let packed = packs::open_mapped(&folder, Checks::AtFirstTouch);
                        read.set(usize::from(packed.snapshot().person(pnr).expect("a read").is_some()));
                    }
                    _ if ROWS.contains(store) => peers::read_rows(store, &folder, Question::Now, &keys, &mut first),
                    _ => {
                        let peer = peers::open(store, &folder).expect("a store of documents");
                        peer.read(&keys, peers::handed_out, &mut first);
                    }
                }
                assert!(read.get() > 0);
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        for (store, seconds) in taken {
            results.add("open and read one person", store, "s", median(seconds));
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
        results.add("open and read one person, after a killed writer", ENGINE, "s", killed);
    }
}

/// Of these persons as many as are read, in an order without locality.
fn hot(population: &Population, ranks: &[u32]) -> Vec<Pnr> {
    let count = ranks.len().min(HOT as usize);
    (0..count).map(|at| population.pnr_at(ranks[at * 7919 % ranks.len()])).collect()
}

fn key(pnr: Pnr) -> u32 {
    pnr.key().expect("a number that can be a person's").as_u32()
}

fn open(path: &Path) -> File {
    File::open(path).expect("a file that was written before")
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
    if store == ENGINE {
        let replika = Replika::create(folder.join("store"), &Config::default()).expect("a new store");
        replika.load(open(input), &ApplyOptions::named("full")).expect("a sound extract");
    } else if store == PACKS {
        let snapshot = Replika::open_read_only(input).expect("the store").snapshot();
        snapshot.write_base(folder).expect("a base");
    } else if let Some(mut rows) = peers::open_rows(store, folder) {
        rows.load(input);
    } else {
        peers::open(store, folder).expect("a store of documents").load(&mut Documents::open(input));
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

//! What the checks of a store's blocks cost: the engine without them, with checksums, and encrypted, in one run, taking
//! turns.
//!
//! *Hot* gets read a thousand persons whose pages are in the engine's cache, where they were checked when they came;
//! *from the file* the engine has no cache, so that every page comes from the file (which the system has in memory) and
//! is checked each time. Loads and nights are durable. Figures go to `target/bench-results/checks.json`. Without
//! `--bench` (as `cargo test --benches` starts it) it takes a thousand persons and one round.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use benches::machine::Size;
use benches::results::{Results, target_folder};
use benches::samples::{Subject, median};
use cpr_replika::cpr_model::Pnr;
use cpr_replika::{ApplyOptions, Config, KeyFile, Options, Replika, raw};

/// The engine in three forms. Only a benchmark can have the first.
const STORES: [&str; 3] = ["plain", "checksummed", "encrypted"];

/// Persons who are read, in an order without locality.
const READ: u32 = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A filter meant for another bench target.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"checks".contains(argument.as_str())) {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let (of, rounds) = if is_bench { (benches::persons(), 5) } else { (1000, 1) };
    let parent = target_folder().join("bench-data");
    std::fs::create_dir_all(&parent).expect("a place for stores");
    let folder = tempfile::tempdir_in(parent).expect("a place for stores");
    let mut results = Results::of("checks", of);

    let population = benches::population(of);
    let stores = Stores::new(folder.path());
    stores.load(&benches::full(&population), rounds, &mut results);
    let changed = (of / 20).clamp(1, 50_000);
    let mut nights = population.deltas(&benches::product(), changed);
    let nights: Vec<Vec<u8>> = (0..rounds).map(|_| benches::night(&mut nights)).collect();
    stores.apply(&nights, &mut results);
    results.state("persons_of_a_night", changed);
    let pnr = |at: u32| population.pnr_at((u64::from(at) * 7919 % u64::from(of)) as u32);
    let pnrs: Vec<Pnr> = (0..READ).map(pnr).collect();
    stores.read(&pnrs, rounds, &mut results);
    if is_bench {
        results.write("checks");
    }
}

/// Where the stores are, and the key of the encrypted one.
struct Stores {
    folder: PathBuf,
    key: Arc<KeyFile>,
}

impl Stores {
    fn new(folder: &Path) -> Stores {
        let key = KeyFile::create(folder.join("key")).expect("a new key");
        Stores { folder: folder.to_owned(), key: Arc::new(key) }
    }

    fn path(&self, store: &str) -> PathBuf {
        self.folder.join(store)
    }

    fn open(&self, store: &str, cache_bytes: usize) -> Replika {
        let (path, config) = (self.path(store), Config::default());
        let options = Options { cache_bytes, ..Options::default() };
        let opened = match store {
            "plain" => raw::open_or_create_without_checks(path, &config, &options),
            "encrypted" => {
                let options = Options { key: Some(self.key.clone()), ..options };
                Replika::open_or_create(path, &config, &options)
            }
            _ => Replika::open_or_create(path, &config, &options),
        };
        opened.expect("a store")
    }

    fn load(&self, extract: &[u8], rounds: u32, results: &mut Results) {
        let mut seconds = STORES.map(|_| Vec::new());
        for _ in 0..rounds {
            for (at, store) in STORES.into_iter().enumerate() {
                std::fs::remove_file(self.path(store)).ok();
                let start = Instant::now();
                let replika = self.open(store, Options::default().cache_bytes);
                replika.load(Cursor::new(extract), &ApplyOptions::named("full")).expect("a sound extract");
                drop(replika);
                seconds[at].push(start.elapsed().as_secs_f64());
            }
        }
        for (store, seconds) in STORES.into_iter().zip(seconds) {
            results.add("load, opened and closed", store, "s", median(seconds));
            results.add("size after the load, allocated", store, "bytes", Size::of(&self.path(store)).allocated as f64);
        }
    }

    fn apply(&self, nights: &[Vec<u8>], results: &mut Results) {
        let replikas = STORES.map(|store| self.open(store, Options::default().cache_bytes));
        let mut seconds = STORES.map(|_| Vec::new());
        for night in nights {
            for (replika, seconds) in replikas.iter().zip(&mut seconds) {
                let start = Instant::now();
                replika.apply(Cursor::new(night), &ApplyOptions::named("night")).expect("it follows");
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        for (store, seconds) in STORES.into_iter().zip(seconds) {
            results.add("a night, durable", store, "s", median(seconds));
        }
    }

    fn read(&self, pnrs: &[Pnr], rounds: u32, results: &mut Results) {
        for (measure, cache_bytes) in
            [("person now, hot", Options::default().cache_bytes), ("person now, from the file", 0)]
        {
            let snapshots = STORES.map(|store| self.open(store, cache_bytes).snapshot());
            let mut subjects: Vec<Subject<'_>> = STORES
                .into_iter()
                .zip(&snapshots)
                .map(|(store, snapshot)| {
                    Subject::new(measure, store, move |run| {
                        run(&mut |at| {
                            let person = snapshot.person(pnrs[at]).expect("a read");
                            person.map_or(0, |person| person.delivered().0 as usize)
                        });
                    })
                })
                .collect();
            for _ in 0..rounds {
                subjects.iter_mut().for_each(|subject| subject.round(pnrs.len()));
            }
            for subject in &subjects {
                let latency = subject.median(0);
                results.add(&format!("{measure}, p50"), subject.store, "ns", latency.p50);
                results.add(&format!("{measure}, mean"), subject.store, "ns", latency.mean);
            }
        }
    }
}

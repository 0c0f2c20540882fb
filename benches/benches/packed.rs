//! A person now from packs, the document checked whole: beside the store that they were written of, and beside LMDB and
//! redb, which hand out the same documents and look at none.
//!
//! One get after another, each of which waits for the one before. *Spread* gets go over all persons, in no order;
//! *hot* ones over a thousand of them; both with all files in the page cache, in time on a processor. *Cold* ones
//! find no page of the file in memory and are timed by the clock. Stores take turns, round by round; figures are medians
//! of the rounds, and the ratios beside them are to LMDB's get of the same round.
//!
//! `REPLIKA_BENCH_STORE` names a store to be read instead of one that is made; nothing is written to it. A store that is
//! made has a twin that is encrypted, and a night is applied to both, so that overlays and encrypted packs are measured
//! too. From three million persons on redb and the store are left out, and the system is told to forget the store's
//! pages: all files at once would not stay in memory, and LMDB would be read from the disk.
//! Figures go to `target/bench-results/packed.json`. Without `--bench` (as `cargo test --benches` starts it) it takes a
//! thousand persons and one round.

use std::fs;
use std::hint::black_box;
use std::io::Cursor as Bytes;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use benches::machine::{self, Size};
use benches::packs;
use benches::peers::{handed_out, lmdb_for_gets};
use benches::results::{Results, target_folder, version_of};
use benches::samples::median;
use cpr_replika::cpr_model::{PersonKey, Pnr};
use cpr_replika::cpr_pack::{Checks, Pack};
use cpr_replika::{ApplyOptions, Config, KeyFile, Options, PackKey, Packed, Replika, Snapshot, raw};
use lmdb::{Cursor, Transaction, WriteFlags};
use redb::{ReadableDatabase, TableDefinition};

/// Gets of a thousand persons.
const HOT: usize = 1000;

/// Persons that are read at once.
const BATCH: usize = 64;

/// Persons of a base and its overlay, read at once.
const OVERLAY_AT_ONCE: &str = "base and overlay, mapped, 64 at once";

/// From here on redb and the store itself are left out, and no pack is read into memory.
const MANY: u32 = 3_000_000;

const DOCUMENTS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("documents");

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let ["child-read", way, folder] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return read_here(way, Path::new(folder));
    }
    // A filter meant for another bench target.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"packed".contains(argument.as_str())) {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let plan = match is_bench {
        true => Plan { of: benches::persons(), rounds: 9, gets: 400_000, cold_gets: 1000 },
        false => Plan { of: 1000, rounds: 1, gets: 1000, cold_gets: 10 },
    };
    let mut results = Results::of("packed", plan.of);
    results.state("lmdb", format!("LMDB, through lmdb-rkv {}", version_of("lmdb-rkv")));
    let parent = target_folder().join("bench-data");
    fs::create_dir_all(&parent).expect("a place for stores");
    let folder = tempfile::tempdir_in(parent).expect("a place for stores");
    let files = Files::write(folder.path(), &plan, &mut results);
    plan.opens(&files, &mut results);
    plan.memory(&files, &mut results);
    for (measure, among) in [("spread", usize::MAX), ("hot", HOT)] {
        plan.gets(measure, &files, &files.chosen(&plan, among), &mut results);
    }
    plan.cold(&files, &mut results);
    if is_bench {
        results.write("packed");
    }
}

/// How much is asked.
struct Plan {
    of: u32,
    rounds: usize,
    gets: usize,
    cold_gets: usize,
}

/// Where everything lies.
struct Files {
    store: PathBuf,
    folder: PathBuf,
    /// The persons, in key order.
    keys: Vec<u32>,
    /// The encrypted twin's key, where there is one.
    key: Option<Arc<KeyFile>>,
}

impl Files {
    fn write(folder: &Path, plan: &Plan, results: &mut Results) -> Files {
        let named = std::env::var_os("REPLIKA_BENCH_STORE").map(PathBuf::from);
        let mut files = Files {
            store: named.clone().unwrap_or_else(|| folder.join("store")),
            folder: folder.to_owned(),
            keys: Vec::new(),
            key: None,
        };
        if named.is_none() {
            files.key = Some(Arc::new(KeyFile::create(folder.join("key")).expect("a new key")));
        }
        let snapshot = match named {
            Some(_) => Replika::open_read_only(&files.store).expect("a store").snapshot(),
            None => make_store(&files.store, &Options::default(), plan).snapshot(),
        };
        files.pack(&snapshot, "packs", "a base written, durable", results);
        drop(snapshot);
        raw::for_each_person(&files.store, |key, _| files.keys.push(key)).expect("a store");
        files.peers(plan, results);
        for (name, options) in files.made() {
            files.add_overlay(name, &options, plan, results);
        }
        if plan.of >= MANY {
            forget(&files.store);
        }
        files
    }

    /// The stores that were made: the plain one and its encrypted twin.
    fn made(&self) -> Vec<(&'static str, Options)> {
        let encrypted = |key: &Arc<KeyFile>| Options { key: Some(key.clone()), ..Options::default() };
        let both = self.key.as_ref().map(|key| [("packs", Options::default()), ("encrypted", encrypted(key))]);
        both.into_iter().flatten().collect()
    }

    /// Applies a night, and writes it as an overlay to a folder of its own.
    fn add_overlay(&self, name: &str, options: &Options, plan: &Plan, results: &mut Results) {
        let replika = match name {
            "packs" => Replika::open(&self.store).expect("a store"),
            _ => {
                let replika = make_store(&self.at("encrypted store"), options, plan);
                self.pack(&replika.snapshot(), name, "a base written, durable", results);
                replika
            }
        };
        let both = format!("{name}, with an overlay");
        replika.snapshot().write_base(self.at(&both)).expect("packs");
        let population = benches::population(plan.of);
        let mut nights = population.deltas(&benches::product(), (plan.of / 20).clamp(1, 50_000));
        let night = Bytes::new(benches::night(&mut nights));
        replika.apply(night, &ApplyOptions::named("night")).expect("it follows");
        self.pack(&replika.snapshot(), &both, "an overlay written, durable", results);
    }

    fn pack(&self, snapshot: &Snapshot, name: &str, measure: &str, results: &mut Results) {
        let (start, before) = (Instant::now(), machine::peak_memory_bytes());
        let report = snapshot.write_pack(self.at(name)).expect("packs");
        results.add(measure, name, "s", start.elapsed().as_secs_f64());
        let grown = machine::peak_memory_bytes().saturating_sub(before);
        results.add("memory that it took beyond what was there", name, "bytes", grown as f64);
        results.add("size", name, "bytes", report.bytes as f64);
    }

    /// The documents of the store in the peers.
    fn peers(&self, plan: &Plan, results: &mut Results) {
        fs::create_dir(self.at("lmdb")).expect("a new folder");
        let (environment, database) = lmdb_for_gets(&self.at("lmdb"));
        let mut write = environment.begin_rw_txn().expect("a write");
        raw::for_each_person(&self.store, |key, value| {
            write.put(database, &key.to_be_bytes(), &value, WriteFlags::APPEND).expect("a put");
        })
        .expect("a store");
        write.commit().expect("a commit");
        results.add("size", "lmdb", "bytes", Size::of(&self.at("lmdb")).allocated as f64);
        if plan.of < MANY {
            let write = redb::Database::create(self.at("redb")).expect("a new file").begin_write().expect("a write");
            {
                let mut table = write.open_table(DOCUMENTS).expect("a table");
                let insert = |key, value: &[u8]| _ = table.insert(key, value).expect("an insert");
                raw::for_each_person(&self.store, insert).expect("a store");
            }
            write.commit().expect("a commit");
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// So many persons for each round as are asked for, in an order without locality.
    fn chosen(&self, plan: &Plan, among: usize) -> Vec<Vec<u32>> {
        let among = among.min(self.keys.len());
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let rank = ((u128::from(state) * among as u128) >> 64) as usize;
            self.keys[rank * (self.keys.len() / among)]
        };
        (0..plan.rounds).map(|_| (0..plan.gets).map(|_| next()).collect()).collect()
    }

    /// Every way to open packs, of those that are there.
    fn packed(&self, of: u32) -> Vec<(&'static str, Packed)> {
        let (plain, both) = (self.at("packs"), self.at("packs, with an overlay"));
        let mut all = vec![
            ("packs, mapped", packs::open_mapped(&plain, Checks::AtFirstTouch)),
            ("packs, mapped, checked at every read", packs::open_mapped(&plain, Checks::AtEveryRead)),
            ("packs, from the file", Packed::open(&plain).expect("packs")),
        ];
        if of < MANY {
            let read = |path: &Path| Pack::read(path, Checks::AtFirstTouch);
            all.push(("packs, in memory", Packed::open_with(&plain, read).expect("packs")));
        }
        if let Some(key) = &self.key {
            all.push(("base and overlay, mapped", packs::open_mapped(&both, Checks::AtFirstTouch)));
            let encrypted = self.at("encrypted");
            let options = |cache_bytes| Options { key: Some(key.clone()), cache_bytes };
            let open = |cache_bytes| Packed::open_encrypted(&encrypted, &options(cache_bytes)).expect("packs");
            all.push(("encrypted packs, blocks kept decrypted", open(Options::default().cache_bytes)));
            all.push(("encrypted packs, decrypted at every read", open(0)));
            let key = PackKey::new(key.clone());
            let read = move |path: &Path| Pack::read_sealed(path, &key);
            all.push(("encrypted packs, in memory", Packed::open_with(&encrypted, read).expect("packs")));
        }
        all
    }
}

fn make_store(path: &Path, options: &Options, plan: &Plan) -> Replika {
    let replika = Replika::create_with(path, &Config::default(), options).expect("a new store");
    let full = Bytes::new(benches::full(&benches::population(plan.of)));
    replika.load(full, &ApplyOptions::named("full")).expect("a sound extract");
    replika
}

fn pnr(key: u32) -> Pnr {
    PersonKey::from_u32(key).expect("a person's key").pnr()
}

/// A person as the engine hands it out: its value checked, its archive too.
fn person(snapshot: &Snapshot, key: u32) -> usize {
    let person = snapshot.person(pnr(key)).expect("a read").expect("held");
    person.delivered().0 as usize
}

/// Nanoseconds of one get: which person is next is not known before the one before is.
fn dependent(keys: &[u32], mut get: impl FnMut(u32) -> usize) -> f64 {
    timed(keys.len(), || {
        let mut seen = 0;
        // What a get returns is small; that is not known here.
        (0..keys.len()).for_each(|at| seen = get(keys[at + (seen >> 48)]));
        seen
    })
}

/// Nanoseconds of one person of [`BATCH`] that are read at once: who is next is not known before all of them are.
fn at_once(snapshot: &Snapshot, keys: &[u32]) -> f64 {
    let mut pnrs = Vec::with_capacity(BATCH);
    timed(keys.len(), || {
        let mut seen = 0;
        for batch in keys.chunks(BATCH) {
            pnrs.clear();
            pnrs.extend((0..batch.len()).map(|at| pnr(batch[at + (seen >> 48)])));
            let persons = snapshot.persons(&pnrs).expect("a read");
            seen = persons.iter().flatten().map(|person| person.delivered().0 as usize).sum();
        }
        seen
    })
}

/// Nanoseconds of one of so many gets.
fn timed(gets: usize, act: impl FnOnce() -> usize) -> f64 {
    let (start, before) = (Instant::now(), machine::thread_nanoseconds());
    let seen = act();
    let clock = start.elapsed().as_nanos() as f64;
    black_box(seen);
    let taken = before.zip(machine::thread_nanoseconds()).map_or(clock, |(before, after)| (after - before) as f64);
    taken / gets as f64
}

/// A way to get, whose rounds are timed.
type Way<'s> = (&'static str, Box<dyn Fn(&[u32]) -> f64 + 's>);

impl Plan {
    fn gets(&self, measure: &str, files: &Files, rounds: &[Vec<u32>], results: &mut Results) {
        let (environment, database) = lmdb_for_gets(&files.at("lmdb"));
        let read = environment.begin_ro_txn().expect("a read");
        let read = &read;
        let mut cursor = read.open_ro_cursor(database).expect("a cursor");
        black_box(cursor.iter().map(|row| handed_out(row.expect("a row").1)).sum::<usize>());
        let get = move |key: u32| read.get(database, &key.to_be_bytes()).map_or(0, handed_out);
        let packed = files.packed(self.of);
        let snapshots: Vec<Snapshot> = packed.iter().map(|(_, packed)| packed.snapshot()).collect();
        let others = (self.of < MANY).then(|| {
            let store = Replika::open_read_only(&files.store).expect("a store").snapshot();
            let redb = redb::Database::open(files.at("redb")).expect("a file");
            let table = redb.begin_read().expect("a read").open_table(DOCUMENTS).expect("a table");
            (store, redb, table)
        });
        let mut ways: Vec<Way<'_>> = vec![("lmdb", Box::new(move |keys| dependent(keys, get)))];
        for ((name, _), snapshot) in packed.iter().zip(&snapshots) {
            let pnrs = snapshot.pnrs().expect("a scan").map(|pnr| pnr.expect("a row"));
            black_box(pnrs.filter(|pnr| snapshot.person(*pnr).expect("a read").is_some()).count());
            ways.push((name, Box::new(move |keys| dependent(keys, |key| person(snapshot, key)))));
            let batch_of =
                [("packs, mapped", "packs, mapped, 64 at once"), ("base and overlay, mapped", OVERLAY_AT_ONCE)];
            if let Some((_, name)) = batch_of.into_iter().find(|(single, _)| single == name) {
                ways.push((name, Box::new(move |keys| at_once(snapshot, keys))));
            }
        }
        if let Some((store, _, table)) = &others {
            ways.push(("store", Box::new(move |keys| dependent(keys, |key| person(store, key)))));
            let get = |key| table.get(key).expect("a get").map_or(0, |value| handed_out(value.value()));
            ways.push(("redb", Box::new(move |keys| dependent(keys, get))));
        }
        let mut nanoseconds = vec![Vec::new(); ways.len()];
        for keys in rounds {
            ways.iter().zip(&mut nanoseconds).for_each(|((_, way), all)| all.push(way(keys)));
        }
        let names = ways.iter().map(|(name, _)| *name);
        report(&format!("person now, {measure}"), names.zip(nanoseconds).collect(), results);
    }

    /// None of the file's pages in memory: LMDB without reading ahead, packs mapped and from the file, turn by turn.
    fn cold(&self, files: &Files, results: &mut Results) {
        let Some(data) = newest_pack(&files.at("packs")) else { return };
        let mut nanoseconds = [const { Vec::new() }; 3];
        for keys in files.chosen(&Plan { gets: self.cold_gets, ..*self }, usize::MAX) {
            if !forget(&files.at("lmdb").join("data.mdb")) || !forget(&data) {
                return;
            }
            let (environment, database) = lmdb_for_gets(&files.at("lmdb"));
            let read = environment.begin_ro_txn().expect("a read");
            let get = |key: &u32| read.get(database, &key.to_be_bytes()).map_or(0, handed_out);
            nanoseconds[0].push(by_the_clock(&keys, get));
            drop(read);
            for (at, way) in ["mapped", "file"].into_iter().enumerate() {
                forget(&data);
                let snapshot = open_packs(way, &files.at("packs")).snapshot();
                nanoseconds[at + 1].push(by_the_clock(&keys, |key| person(&snapshot, *key)));
            }
        }
        let names = ["lmdb", "packs, mapped", "packs, from the file"];
        report("person now, cold", names.into_iter().zip(nanoseconds).collect(), results);
    }

    /// From opening packs that are in the page cache to the first person.
    fn opens(&self, files: &Files, results: &mut Results) {
        for way in ["mapped", "file"] {
            let times = (0..7).map(|_| {
                let start = Instant::now();
                black_box(person(&open_packs(way, &files.at("packs")).snapshot(), files.keys[0]));
                start.elapsed().as_secs_f64()
            });
            results.add("opened, and one person", &format!("packs, {way}"), "s", median(times.collect()));
        }
    }

    /// What another process that reads takes for itself.
    fn memory(&self, files: &Files, results: &mut Results) {
        for way in ["mapped", "file"] {
            let program = std::env::current_exe().expect("the path of this program");
            let mut child = Command::new(program);
            child.args(["child-read".as_ref(), way.as_ref(), files.at("packs").as_os_str()]);
            let output = child.stderr(Stdio::inherit()).output().expect("a child");
            let bytes = String::from_utf8_lossy(&output.stdout).trim().parse().expect("bytes");
            results.add("memory of its own of one more process", &format!("packs, {way}"), "bytes", bytes);
        }
    }
}

fn report(measure: &str, ways: Vec<(&'static str, Vec<f64>)>, results: &mut Results) {
    let lmdb = ways[0].1.clone();
    for (name, own) in ways {
        results.add(measure, name, "ns", median(own.clone()));
        let ratios = own.iter().zip(&lmdb).map(|(own, lmdb)| own / lmdb).collect();
        let ratio = (median(ratios) * 1000.0).round() / 1000.0;
        println!("{:<66} {ratio:.2} of LMDB's", "");
        results.state(&format!("{measure}: {name}, of LMDB's plain get"), ratio);
    }
}

fn open_packs(way: &str, folder: &Path) -> Packed {
    match way {
        "mapped" => packs::open_mapped(folder, Checks::AtFirstTouch),
        _ => Packed::open(folder).expect("packs"),
    }
}

fn by_the_clock(keys: &[u32], get: impl Fn(&u32) -> usize) -> f64 {
    let start = Instant::now();
    black_box(keys.iter().map(get).sum::<usize>());
    start.elapsed().as_nanos() as f64 / keys.len() as f64
}

/// The only pack of a folder.
fn newest_pack(folder: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.find(|path| path.extension().is_some_and(|end| end == "pack"))
}

/// Has the system forget the pages of a file, by `dd` of coreutils; false where it cannot.
fn forget(path: &Path) -> bool {
    let file = format!("if={}", path.display());
    let mut dd = Command::new("dd");
    dd.args([file.as_str(), "iflag=nocache", "count=0", "status=none"]);
    dd.status().is_ok_and(|status| status.success())
}

/// Reads a thousand persons in this process, and prints the bytes of memory that nobody shares with it.
fn read_here(way: &str, folder: &Path) {
    let packed = open_packs(way, folder);
    let snapshot = packed.snapshot();
    let pnrs = snapshot.pnrs().expect("a scan").take(100_000).step_by(100).map(|pnr| pnr.expect("a row"));
    black_box(pnrs.filter(|pnr| snapshot.person(*pnr).expect("a read").is_some()).count());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap_or_default();
    let kilobytes: u64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    println!("{}", kilobytes * 1024);
}

//! Packs beside LMDB: the same made-up rows, one get after another, each of which depends on the one before, and 64 at
//! once.
//!
//! Rows are 400 to 650 bytes under keys that cluster as those of persons do. *Spread* gets go over all rows, *hot* ones
//! over a thousand of them; all files are in the page cache. Stores take turns, round by round; figures are medians of
//! the rounds, in time on a processor, and the ratios beside them are to LMDB's plain get of the same round. Figures go
//! to `target/bench-results/pack.json`. Without `--bench` (as `cargo test --benches` starts it) it takes a thousand
//! rows and one round.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, sync::Arc};

use benches::machine;
use benches::packs::map;
use benches::peers::{handed_out, lmdb_for_gets};
use benches::results::{Results, target_folder, version_of};
use benches::samples::median;
use cpr_pack::{Checks, Description, Keys, Kind, Pack, Packs, Table, Value, Writer};
use lmdb::{Cursor, Database, Environment, Transaction, WriteFlags};

/// Gets of a thousand rows.
const HOT: u32 = 1000;

/// Numbers that are asked for at once.
const BATCH: usize = 64;

/// The table of the packs.
const TABLE: &str = "persons";

/// From here on a pack is not read into memory beside its map.
const MOST_READ_BYTES: u64 = 2 << 30;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A filter meant for another bench target.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"pack".contains(argument.as_str())) {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let of = if is_bench { benches::persons() } else { 1000 };
    let (rounds, gets) = if is_bench { (9, 400_000) } else { (1, 1000) };
    let mut results = Results::of("pack", of);
    results.state("lmdb", format!("LMDB, through lmdb-rkv {}", version_of("lmdb-rkv")));

    let parent = target_folder().join("bench-data");
    fs::create_dir_all(&parent).expect("a place for stores");
    let folder = tempfile::tempdir_in(parent).expect("a place for stores");
    let files = Files::write(folder.path(), of, &mut results);
    files.opens(&mut results);
    let stores = Stores::open(&files);
    for (measure, among) in [("spread", of), ("hot", HOT.min(of))] {
        stores.gets(measure, &Asking { of, among, gets, rounds }, &mut results);
    }
    if is_bench {
        results.write("pack");
    }
}

/// The key of a row: 270 a day, as in a population.
fn key(rank: u32) -> u32 {
    rank / 270 * 20_000 + rank % 270 * 37
}

/// SplitMix64: the same numbers in every run.
fn mixed(of: u64) -> u64 {
    let mut x = of.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

/// The value of a row, in a buffer that is used again.
fn fill(rank: u32, version: u8, value: &mut Vec<u8>) {
    let random = mixed(u64::from(rank) << 8 | u64::from(version));
    let words = 100 + (random % 63) as usize;
    value.clear();
    value.extend((0..words as u64).flat_map(|at| (random.wrapping_mul(at | 1) as u32).to_le_bytes()));
}

/// Where the rows lie.
struct Files {
    lmdb: PathBuf,
    base: PathBuf,
    overlay: PathBuf,
}

impl Files {
    /// Writes the same rows everywhere; the overlay changes one in a hundred.
    fn write(folder: &Path, of: u32, results: &mut Results) -> Files {
        let files = Files { lmdb: folder.join("lmdb"), base: folder.join("base"), overlay: folder.join("overlay") };
        let mut value = Vec::new();
        let start = Instant::now();
        fs::create_dir(&files.lmdb).expect("a new folder");
        let (environment, database) = lmdb_for_gets(&files.lmdb);
        let mut write = environment.begin_rw_txn().expect("a write");
        for rank in 0..of {
            fill(rank, 0, &mut value);
            write.put(database, &key(rank).to_be_bytes(), &value, WriteFlags::APPEND).expect("a put");
        }
        write.commit().expect("a commit");
        results.add("all rows written, durable", "lmdb", "s", start.elapsed().as_secs_f64());

        let start = Instant::now();
        let description =
            Description { store: [1; 16], kind: Kind::Base, delivery: 1, rows_version: 1, digest: [0; 32] };
        let before = machine::peak_memory_bytes();
        let mut value_bytes = 0;
        let summary = write_pack(&files.base, &description, 0..of, |rank, value| {
            fill(rank, 0, value);
            value_bytes += value.len() as u64;
        });
        results.add("all rows written, durable", "pack", "s", start.elapsed().as_secs_f64());
        let grown = machine::peak_memory_bytes().saturating_sub(before);
        results.add("memory that writing took beyond what was there", "pack", "bytes", grown as f64);
        results.add("values", "all", "bytes", value_bytes as f64);
        results.add("size", "lmdb", "bytes", machine::Size::of(&files.lmdb).allocated as f64);
        results.add("size", "pack", "bytes", summary.bytes as f64);

        let kind = Kind::Overlay { base_delivery: 1, base_seal: summary.seal };
        let description = Description { kind, delivery: 2, ..description };
        write_pack(&files.overlay, &description, (0..of).step_by(100), |rank, value| fill(rank, 1, value));
        files
    }

    /// How long it takes to open a file that is in the page cache, until the first row.
    fn opens(&self, results: &mut Results) {
        let ways: [(&str, &dyn Fn() -> Pack); 2] = [
            ("pack, mapped", &|| map(&self.base, Checks::AtFirstTouch).expect("a pack")),
            ("pack, file", &|| Pack::open(&self.base, Checks::AtFirstTouch).expect("a pack")),
        ];
        for (store, open) in ways {
            let times = (0..7).map(|_| {
                let start = Instant::now();
                let pack = open();
                let row = table(&pack).get(key(7)).expect("a get");
                black_box(row.map(|value| value.len()));
                start.elapsed().as_secs_f64()
            });
            results.add("opened, and one row", store, "s", median(times.collect()));
        }
    }
}

fn write_pack(
    path: &Path,
    description: &Description,
    ranks: impl Iterator<Item = u32>,
    mut fill: impl FnMut(u32, &mut Vec<u8>),
) -> cpr_pack::Summary {
    let mut writer = Writer::create(path, description).expect("a new pack");
    writer.table(TABLE, Keys::Numbers).expect("a table");
    let mut value = Vec::new();
    for rank in ranks {
        fill(rank, &mut value);
        writer.row(key(rank), &value).expect("a row");
    }
    writer.publish().expect("a pack")
}

fn table(pack: &Pack) -> Table<'_> {
    pack.table(TABLE, Keys::Numbers).expect("the table")
}

/// What is asked for.
struct Asking {
    of: u32,
    /// Rows among which the gets go.
    among: u32,
    gets: u32,
    rounds: u32,
}

impl Asking {
    /// Which row comes after a value: it is not known before the value is.
    fn next(&self, state: &mut u64, seen: usize) -> u32 {
        *state = mixed(*state ^ seen as u64);
        let rank = ((u128::from(*state) * u128::from(self.among)) >> 64) as u32;
        // Hot rows lie spread over all of the file.
        key(rank * (self.of / self.among))
    }

    /// Nanoseconds of one get, each of which depends on the one before; `get` looks at the value.
    fn dependent(&self, mut get: impl FnMut(u32) -> usize) -> f64 {
        let (mut state, mut seen) = (1, 0);
        let taken = timed(|| {
            for _ in 0..self.gets {
                seen = get(self.next(&mut state, seen));
            }
        });
        black_box(seen);
        taken / f64::from(self.gets)
    }

    /// Nanoseconds of one get of 64, which depend on the 64 before; `get` looks at every value.
    fn batches(&self, mut get: impl FnMut(&[u32]) -> usize) -> f64 {
        let (mut state, mut seen) = (1, 0);
        let batches = self.gets as usize / BATCH + 1;
        let taken = timed(|| {
            for _ in 0..batches {
                let mut numbers = [0; BATCH];
                numbers.iter_mut().for_each(|number| *number = self.next(&mut state, seen));
                seen = get(&numbers);
            }
        });
        black_box(seen);
        taken / (batches * BATCH) as f64
    }
}

/// Nanoseconds of this thread on a processor; of the clock, where the system does not say.
fn timed(act: impl FnOnce()) -> f64 {
    let (start, before) = (Instant::now(), machine::thread_nanoseconds());
    act();
    let clock = start.elapsed().as_nanos() as f64;
    before.zip(machine::thread_nanoseconds()).map_or(clock, |(before, after)| (after - before) as f64)
}

/// Everything open at once.
struct Stores {
    lmdb: Environment,
    database: Database,
    packs: Vec<(&'static str, Pack)>,
    both: Packs,
}

/// A way to get, whose rounds are timed.
type Way<'s> = (String, Box<dyn Fn(&Asking) -> f64 + 's>);

impl Stores {
    fn open(files: &Files) -> Stores {
        let (lmdb, database) = lmdb_for_gets(&files.lmdb);
        let base = &files.base;
        let mut packs = vec![
            ("pack, mapped", map(base, Checks::AtFirstTouch).expect("a pack")),
            ("pack, mapped, checked at every read", map(base, Checks::AtEveryRead).expect("a pack")),
            ("pack, mapped, never checked", map(base, Checks::Never).expect("a pack")),
            ("pack, file", Pack::open(base, Checks::AtFirstTouch).expect("a pack")),
        ];
        if fs::metadata(base).is_ok_and(|found| found.len() <= MOST_READ_BYTES) {
            packs.push(("pack, in memory", Pack::read(base, Checks::AtFirstTouch).expect("a pack")));
        }
        let [below, above] =
            [base, &files.overlay].map(|path| Arc::new(map(path, Checks::AtFirstTouch).expect("a pack")));
        let stores = Stores { lmdb, database, packs, both: Packs::new(below, Some(above)).expect("they fit") };
        stores.warm();
        stores
    }

    /// Every page of every map is there, and every block was touched once.
    fn warm(&self) {
        let read = self.lmdb.begin_ro_txn().expect("a read");
        let mut cursor = read.open_ro_cursor(self.database).expect("a cursor");
        black_box(cursor.iter().map(|row| handed_out(row.expect("a row").1)).sum::<usize>());
        let single = self.packs.iter().map(|(_, pack)| table(pack));
        for table in single.chain([self.both.table(TABLE, Keys::Numbers).expect("the table")]) {
            let rows = table.iter().expect("a scan");
            black_box(rows.map(|row| handed_out(row.expect("a row").value())).sum::<usize>());
        }
    }

    fn gets(&self, measure: &str, asking: &Asking, results: &mut Results) {
        let read = self.lmdb.begin_ro_txn().expect("a read");
        let (database, read) = (self.database, &read);
        let get = move |number: u32| read.get(database, &number.to_be_bytes()).map_or(0, handed_out);
        let mut ways: Vec<Way<'_>> = vec![
            ("lmdb".into(), Box::new(move |asking| asking.dependent(get))),
            ("lmdb, 64 independent".into(), Box::new(move |asking| asking.batches(|some| look_up(some, get)))),
        ];
        for (name, pack) in &self.packs {
            let table = table(pack);
            ways.push(((*name).into(), Box::new(move |asking| asking.dependent(|number| got(&table, number)))));
        }
        let mapped = table(&self.packs[0].1);
        ways.push(("pack, mapped, batch of 64".into(), Box::new(move |asking| batches(&mapped, asking))));
        let both = self.both.table(TABLE, Keys::Numbers).expect("the table");
        ways.push(("base and overlay, mapped".into(), Box::new(move |asking| asking.dependent(|n| got(&both, n)))));
        ways.push(("base and overlay, batch of 64".into(), Box::new(move |asking| batches(&both, asking))));

        let mut rounds = vec![Vec::new(); ways.len()];
        for _ in 0..asking.rounds {
            ways.iter().zip(&mut rounds).for_each(|((_, way), rounds)| rounds.push(way(asking)));
        }
        for ((name, _), own) in ways.iter().zip(&rounds) {
            results.add(&format!("{measure} get"), name, "ns", median(own.clone()));
            let ratios = own.iter().zip(&rounds[0]).map(|(own, lmdb)| own / lmdb).collect();
            let ratio = (median(ratios) * 1000.0).round() / 1000.0;
            println!("{:<66} {ratio:.2} of LMDB's", "");
            results.state(&format!("{measure} get: {name}, of LMDB's plain get"), ratio);
        }
    }
}

fn got(table: &Table<'_>, number: u32) -> usize {
    table.get(number).expect("a get").map_or(0, |value| handed_out(&value))
}

fn look_up(numbers: &[u32], get: impl Fn(u32) -> usize) -> usize {
    numbers.iter().map(|&number| get(number)).sum()
}

fn batches(table: &Table<'_>, asking: &Asking) -> f64 {
    asking.batches(|numbers| {
        let mut sum = 0;
        let add = |_, value: Option<Value<'_>>| {
            sum += value.map_or(0, |value| handed_out(&value));
            Ok::<_, cpr_pack::Error>(())
        };
        table.get_many(numbers, add).expect("gets");
        sum
    })
}

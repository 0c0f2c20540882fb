//! A person now and as of, through a held snapshot, beside plain redb's get of the same bytes.

use std::hint::black_box;
use std::io::Cursor;

use benches::documents::{self, into_redb};
use cpr_replika::cpr_model::{Aspect, Date, Pnr, Timestamp};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Replika};
use criterion::{Criterion, criterion_group, criterion_main};
use redb::{ReadableDatabase, TableDefinition};

const PERSONS: TableDefinition<u32, &[u8]> = TableDefinition::new("persons/v2");

/// Nights after the load in which the watched persons move: each leaves two superseded versions behind.
const NIGHTS: u32 = 10;

fn lookup(c: &mut Criterion) {
    let of = benches::persons();
    let population = benches::population(of);
    let folder = tempfile::tempdir().expect("a place for the store");
    let path = folder.path().join("store");
    let replika = Replika::create(&path, &Config::default()).expect("a new store");
    replika.load(Cursor::new(benches::full(&population)), &ApplyOptions::named("full")).expect("a sound extract");
    let watched = benches::residents(&population, (of / 10).max(1), |_| true);
    let mut nights = population.deltas(&benches::product(), of);
    for _ in 0..NIGHTS {
        let bytes = benches::night_of(&mut nights, &watched);
        replika.apply(Cursor::new(bytes), &ApplyOptions::named("night")).expect("it follows");
    }
    drop(replika);

    // Hot: a thousand persons in random order, so that every page is in memory.
    let shuffled =
        |ranks: &[u32]| -> Vec<Pnr> { (0..1000).map(|at| population.pnr_at(ranks[at * 7919 % ranks.len()])).collect() };
    let pnrs = shuffled(&watched);
    let keys: Vec<u32> = pnrs.iter().filter_map(|pnr| pnr.key()).map(|key| key.as_u32()).collect();
    let mut group = c.benchmark_group("lookup");
    group.throughput(criterion::Throughput::Elements(1));
    {
        let database = into_redb(&folder.path().join("plain"), &documents::all(&path), PERSONS);
        let read = database.begin_read().expect("a read");
        let table = read.open_table(PERSONS).expect("the table");
        let mut at = 0;
        group.bench_function("plain redb: get", |b| {
            b.iter(|| {
                at = (at + 1) % keys.len();
                let guard = table.get(keys[at]).expect("a get").expect("a row");
                black_box(guard.value().len())
            });
        });
    }
    let replika = Replika::open(&path).expect("the store");
    let snapshot = replika.snapshot();
    let mut at = 0;
    group.bench_function("replika: person now, validated", |b| {
        b.iter(|| {
            at = (at + 1) % pnrs.len();
            let person = snapshot.person(pnrs[at]).expect("a read").expect("held");
            black_box(person.delivered())
        });
    });
    group.bench_function("replika: person now, every fact visited", |b| {
        b.iter(|| {
            at = (at + 1) % pnrs.len();
            let person = snapshot.person(pnrs[at]).expect("a read").expect("held");
            black_box(person.all_facts().filter(|fact| fact.aspect() == Aspect::Address).count())
        });
    });
    let moment = Timestamp::end_of(Date::from_digits(2025_12_31).expect("eight digits"));
    for (name, valid) in [("as of, all of valid time", None), ("as of, a moment", Some(moment))] {
        let versions = Aspect::all().map(|aspect| snapshot.history(pnrs[0], aspect).expect("a read"));
        let gone = versions.flatten().filter(|fact| fact.as_fact().known().to.is_some()).count();
        assert!((20..=28).contains(&gone), "about 20 superseded versions, not {gone}");
        group.bench_function(format!("replika: {name}, past 20 superseded versions"), |b| {
            b.iter(|| {
                at = (at + 1) % pnrs.len();
                let image = snapshot.as_of(pnrs[at], valid, Some(DeliveryNumber(1))).expect("a read").expect("held");
                black_box(image.all_facts().count())
            });
        });
    }
    // Most persons have not changed since the delivery that is asked about.
    let is_watched = |rank: u32| watched.binary_search(&rank).is_ok();
    let others = shuffled(&benches::residents(&population, (of / 10).max(1), |rank| !is_watched(rank)));
    group.bench_function("replika: as of, a moment, unchanged since", |b| {
        b.iter(|| {
            at = (at + 1) % others.len();
            let image =
                snapshot.as_of(others[at], Some(moment), Some(DeliveryNumber(1))).expect("a read").expect("held");
            black_box(image.all_facts().count())
        });
    });
    group.finish();
}

criterion_group!(benchmarks, lookup);
criterion_main!(benchmarks);

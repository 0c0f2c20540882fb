//! Loading an extract, and applying a night's delta durably beside plain redb overwriting the same values.

use std::io::Cursor;

use benches::documents::{self, into_redb};
use cpr_replika::{ApplyOptions, Config, Replika};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use redb::TableDefinition;

const PERSONS: TableDefinition<u32, &[u8]> = TableDefinition::new("persons/v2");

fn load(c: &mut Criterion) {
    let of = benches::persons();
    let bytes = benches::full(&benches::population(of));
    let mut group = c.benchmark_group("load");
    group.throughput(Throughput::Elements(u64::from(of))).sample_size(10);
    group.bench_function("replika", |b| {
        let folder = tempfile::tempdir().expect("a place for stores");
        let mut number = 0;
        b.iter(|| {
            number += 1;
            let path = folder.path().join(number.to_string());
            let replika = Replika::create(&path, &Config::default()).expect("a new store");
            replika.load(Cursor::new(&bytes), &ApplyOptions::named("full")).expect("a sound extract");
            drop(replika);
            std::fs::remove_file(path).expect("a store to remove");
        });
    });
    group.finish();
}

fn delta(c: &mut Criterion) {
    let of = benches::persons();
    let changed = (of / 20).min(50_000);
    let population = benches::population(of);
    let folder = tempfile::tempdir().expect("a place for stores");
    let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
    let replika = Replika::create(&ours, &Config::default()).expect("a new store");
    replika.load(Cursor::new(benches::full(&population)), &ApplyOptions::named("full")).expect("a sound extract");
    drop(replika);
    let documents = documents::all(&ours);

    let mut group = c.benchmark_group("delta");
    group.throughput(Throughput::Elements(u64::from(changed))).sample_size(10);
    let replika = Replika::open(&ours).expect("the store");
    let mut nights = population.deltas(&benches::product(), changed);
    group.bench_function("replika: check, merge, commit", |b| {
        b.iter_batched(
            || benches::night(&mut nights),
            |bytes| replika.apply(Cursor::new(bytes), &ApplyOptions::named("night")).expect("it follows"),
            BatchSize::PerIteration,
        );
    });

    // The peer writes values of the size and keys of a night, sorted, in one durable two-phase commit.
    let step = (of / changed) as usize;
    let database = into_redb(&plain, &documents, PERSONS);
    let values: Vec<&(u32, Vec<u8>)> = documents.iter().step_by(step).take(changed as usize).collect();
    group.bench_function("plain redb: overwrite, commit", |b| {
        b.iter(|| {
            let mut write = database.begin_write().expect("a write");
            write.set_two_phase_commit(true);
            write.set_quick_repair(true);
            {
                let mut table = write.open_table(PERSONS).expect("the table");
                for (key, value) in &values {
                    table.insert(key, value.as_slice()).expect("an insert");
                }
            }
            write.commit().expect("a commit");
        });
    });
    group.finish();
}

criterion_group!(benchmarks, load, delta);
criterion_main!(benchmarks);

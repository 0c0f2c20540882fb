//! Finding persons by the secondary indexes, beside reading every person; and what keeping the indexes adds to a delta.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufWriter, Cursor, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use cpr_replika::cpr_model::{MunicipalityCode, StreetCode};
use cpr_replika::cpr_subscription::{AgeRange, Profile, birth_dates};
use cpr_replika::{ApplyOptions, Config, FilterChange, Query, Replika, Snapshot, UnknownNumbers};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// One of the 98 municipalities that the made-up persons live in.
const MUNICIPALITY: MunicipalityCode = MunicipalityCode(101);

fn loaded(path: &Path, of: u32) -> Replika {
    let replika = Replika::create(path, &Config::default()).expect("a new store");
    let file = tempfile::tempfile().expect("a place for the extract");
    let mut out = benches::write_full(BufWriter::with_capacity(1 << 20, file), of).expect("a full extract");
    out.flush().expect("a written extract");
    let mut file: File = out.into_inner().expect("flushed");
    file.seek(SeekFrom::Start(0)).expect("a file to read again");
    replika.load(file, &ApplyOptions::named("full")).expect("a sound extract");
    replika
}

fn find(c: &mut Criterion) {
    let of = benches::persons();
    let folder = tempfile::tempdir().expect("a place for stores");
    let replika = loaded(&folder.path().join("store"), of);
    let name = "followers".parse().expect("a name");
    replika.add_subscriber(&name, Profile::SF6002).expect("a new subscriber");
    let filters = ["0-17+0101", "0108", "65-200"].map(|text| FilterChange::Add(text.parse().expect("a filter")));
    replika.change_filters(&name, &filters, UnknownNumbers::Keep).expect("new filters");
    let snapshot = replika.snapshot();
    let day = snapshot.delivery(snapshot.known()).expect("the load").production_date;
    let children = AgeRange::new(0, 17).ok().and_then(|range| birth_dates(range, day)).expect("dates of birth");
    let (lives, young) = (Query::Municipality(MUNICIPALITY), Query::Born(children));
    let both = Query::And(vec![lives.clone(), young.clone()]);

    let mut group = c.benchmark_group(format!("find among {of}"));
    group.measurement_time(Duration::from_secs(3));
    let mut count = |what: &str, query: &Query| {
        let found = count_of(&snapshot, query);
        group.bench_function(format!("{what}: {found}"), |b| b.iter(|| count_of(&snapshot, query)));
    };
    count("everybody", &Query::All);
    count("a municipality", &lives);
    count("children", &young);
    count("children of a municipality", &both);
    let (municipality, street) = street_of_first(&snapshot);
    count("a street", &Query::Street { municipality, street, houses: None });
    group.bench_function("the first 100 children of a municipality", |b| {
        b.iter(|| snapshot.find(&both).expect("a query").iter().take(100).map(|key| key.as_u32() as u64).sum::<u64>());
    });
    group.bench_function("whom a subscriber follows", |b| {
        b.iter(|| snapshot.followed(&name).expect("a subscriber").len());
    });
    group.sample_size(10);
    let found = count_of(&snapshot, &lives);
    group.bench_function("a municipality, by reading every person", |b| {
        b.iter(|| assert_eq!(read_everybody(&snapshot), found));
    });
    group.finish();
}

fn street_of_first(snapshot: &Snapshot) -> (MunicipalityCode, StreetCode) {
    let first = snapshot.pnrs().expect("the persons").next().expect("a person").expect("a number");
    let person = snapshot.person(first).expect("a read").expect("a person that is held");
    let mut current = person.facts().filter(|fact| !fact.is_historic()).filter_map(|fact| fact.address());
    let address = current.next().expect("everybody lives somewhere");
    address.municipality_code().zip(address.street_code()).expect("codes of the address")
}

fn count_of(snapshot: &Snapshot, query: &Query) -> u64 {
    snapshot.find(query).expect("a query").len()
}

fn read_everybody(snapshot: &Snapshot) -> u64 {
    let numbers = snapshot.pnrs().expect("the persons");
    let lives_there = numbers.filter(|pnr| {
        let pnr = *pnr.as_ref().expect("a number");
        let person = snapshot.person(pnr).expect("a read").expect("a person that is held");
        let mut current = person.facts().filter(|fact| !fact.is_historic()).filter_map(|fact| fact.address());
        current.any(|address| address.municipality_code() == Some(MUNICIPALITY))
    });
    lives_there.count() as u64
}

/// The same persons night after night: in some all of them move, in others only what no index looks at changes.
fn update(c: &mut Criterion) {
    let of = benches::persons();
    let changed = (of / 20).min(50_000);
    let folder = tempfile::tempdir().expect("a place for stores");
    let replika = loaded(&folder.path().join("store"), of);
    let (night, moved) = (Cell::new(1), Cell::new(1));
    let apply = |bytes: Vec<u8>| {
        replika.apply(Cursor::new(bytes), &ApplyOptions::named("night")).expect("it follows");
    };
    let moving = || {
        night.set(night.get() + 1);
        moved.set(night.get());
        benches::night_from(changed, of, night.get(), 1)
    };
    let mut group = c.benchmark_group(format!("a night of {changed} among {of}"));
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("all move", |b| b.iter_batched(moving, apply, BatchSize::PerIteration));
    apply(moving());
    let staying = || {
        night.set(night.get() + 1);
        let frame = benches::night_from(1, of, night.get(), 1);
        let end = frame.iter().position(|&byte| byte == b'\n').expect("a start record") + 1;
        let told = benches::night_from(changed, of, moved.get(), 1);
        let mut bytes = [&frame[..end], &told[end..]].concat();
        let church = if night.get() % 2 == 0 { b'U' } else { b'M' };
        let mut start = 0;
        while let Some(length) = bytes[start..].iter().position(|&byte| byte == b'\n') {
            if bytes[start..].starts_with(b"011") {
                bytes[start + 13] = church;
            }
            start += length + 1;
        }
        bytes
    };
    group.bench_function("all leave or join a church", |b| b.iter_batched(staying, apply, BatchSize::PerIteration));
    group.finish();
}

criterion_group!(benchmarks, find, update);
criterion_main!(benchmarks);

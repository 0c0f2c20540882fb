//! Finding persons by the secondary indexes, beside reading every person; and a delta that changes the indexes for
//! everybody in it. `REPLIKA_BENCH_STORE` names a store that is there, of millions: it is asked, and not changed.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use cpr_population::Population;
use cpr_replika::cpr_model::{MunicipalityCode, StreetCode};
use cpr_replika::cpr_subscription::{AgeRange, Profile, birth_dates};
use cpr_replika::{ApplyOptions, Config, FilterChange, Query, Replika, Snapshot, UnknownNumbers};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// One of the 98 municipalities that the made-up persons live in.
const MUNICIPALITY: MunicipalityCode = MunicipalityCode(101);

fn loaded(path: &Path, population: &Population) -> Replika {
    let replika = Replika::create(path, &Config::default()).expect("a new store");
    replika.load(Cursor::new(benches::full(population)), &ApplyOptions::named("full")).expect("a sound extract");
    replika
}

fn find(c: &mut Criterion) {
    if let Some(path) = std::env::var_os("REPLIKA_BENCH_STORE") {
        let replika = Replika::open_read_only(path).expect("a store that is closed");
        return count_each(c, &replika.snapshot());
    }
    let of = benches::persons();
    let folder = tempfile::tempdir().expect("a place for stores");
    let replika = loaded(&folder.path().join("store"), &benches::population(of));
    let name = "followers".parse().expect("a name");
    replika.add_subscriber(&name, Profile::SF6002).expect("a new subscriber");
    let filters = ["0-17+0101", "0108", "65-200"].map(|text| FilterChange::Add(text.parse().expect("a filter")));
    replika.change_filters(&name, &filters, UnknownNumbers::Keep).expect("new filters");
    let snapshot = replika.snapshot();
    count_each(c, &snapshot);
    let mut group = c.benchmark_group(format!("find among {of}"));
    group.bench_function("whom a subscriber follows", |b| {
        b.iter(|| snapshot.followed(&name).expect("a subscriber").len());
    });
    let found = count_of(&snapshot, &Query::municipality(MUNICIPALITY));
    group.sample_size(10);
    group.bench_function("a municipality, by reading every person", |b| {
        b.iter(|| assert_eq!(read_everybody(&snapshot), found));
    });
    group.finish();
}

fn count_each(c: &mut Criterion, snapshot: &Snapshot) {
    let of = count_of(snapshot, &Query::All);
    let day = snapshot.delivery(snapshot.known()).expect("the load").production_date;
    let children = AgeRange::new(0, 17).ok().and_then(|range| birth_dates(range, day)).expect("dates of birth");
    let (lives, young) = (Query::municipality(MUNICIPALITY), Query::Born(children));
    let both = Query::And(vec![lives.clone(), young.clone()]);

    let mut group = c.benchmark_group(format!("find among {of}"));
    group.measurement_time(Duration::from_secs(3));
    let mut count = |what: &str, query: &Query| {
        let found = count_of(snapshot, query);
        group.bench_function(format!("{what}: {found}"), |b| b.iter(|| count_of(snapshot, query)));
    };
    count("everybody", &Query::All);
    count("a municipality", &lives);
    count("children", &young);
    count("children of a municipality", &both);
    let (municipality, street) = street_of_first(snapshot);
    count("a street", &Query::street(municipality, street));
    group.bench_function("the first 100 children of a municipality", |b| {
        b.iter(|| snapshot.find(&both).expect("a query").iter().take(100).map(|key| key.as_u32() as u64).sum::<u64>());
    });
    group.finish();
}

fn street_of_first(snapshot: &Snapshot) -> (MunicipalityCode, StreetCode) {
    let mut numbers = snapshot.pnrs().expect("the persons").map(|pnr| pnr.expect("a number"));
    let street = numbers.find_map(|pnr| {
        let person = snapshot.person(pnr).expect("a read").expect("a person that is held");
        let mut current = person.all_facts().filter(|fact| !fact.is_historic()).filter_map(|fact| fact.address());
        current.find_map(|address| address.municipality_code().zip(address.street_code()))
    });
    street.expect("somebody lives somewhere")
}

fn count_of(snapshot: &Snapshot, query: &Query) -> u64 {
    snapshot.count(query).expect("a query")
}

fn read_everybody(snapshot: &Snapshot) -> u64 {
    let numbers = snapshot.pnrs().expect("the persons");
    let lives_there = numbers.filter(|pnr| {
        let pnr = *pnr.as_ref().expect("a number");
        let person = snapshot.person(pnr).expect("a read").expect("a person that is held");
        let mut current = person.all_facts().filter(|fact| !fact.is_historic()).filter_map(|fact| fact.address());
        current.any(|address| address.municipality_code() == Some(MUNICIPALITY))
    });
    lives_there.count() as u64
}

/// Nights in which the same persons move, each of whom goes from rows of the index to others.
fn update(c: &mut Criterion) {
    if std::env::var_os("REPLIKA_BENCH_STORE").is_some() {
        return;
    }
    let of = benches::persons();
    let population = benches::population(of);
    let folder = tempfile::tempdir().expect("a place for stores");
    let replika = loaded(&folder.path().join("store"), &population);
    let movers = benches::residents(&population, (of / 20).min(50_000), |_| true);
    let product = benches::product();
    let mut nights = population.deltas(&product, of / 20);
    let mut group = c.benchmark_group(format!("a night among {of}"));
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function(format!("{} move", movers.len()), |b| {
        b.iter_batched(
            || benches::night_of(&mut nights, &movers),
            |bytes| replika.apply(Cursor::new(bytes), &ApplyOptions::named("night")).expect("it follows"),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benchmarks, find, update);
criterion_main!(benchmarks);

//! The business events of one night: joined from the images of the persons it concerns, all of them and with a filter.
//!
//! A made-up Denmark of a million persons in which 50 000 are delivered; `REPLIKA_BENCH_PERSONS` sets another size, of
//! which a twentieth is delivered.

use std::hint::black_box;
use std::io::Cursor;

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::MunicipalityCode;
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, EventFilter, Replika};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn night(c: &mut Criterion) {
    let of = benches::persons();
    let delivered = (of / 20).min(50_000);
    let population = Population::new(1, of);
    let family = Family::named("std").expect("the family is part of the product");
    let product = Product { family, task: "999901".to_owned() };
    let folder = tempfile::tempdir().expect("a place for a store");
    let replika = Replika::create(folder.path().join("store"), &Config::default()).expect("a new store");
    let full = population.full_extract(Vec::new(), &product).expect("writing into memory");
    replika.load(Cursor::new(full), &ApplyOptions::named("full")).expect("a sound extract");
    let mut nights = population.deltas(&product, delivered);
    let bytes = nights.next_delta(Vec::new()).expect("writing into memory");
    let report = replika.apply(Cursor::new(bytes), &ApplyOptions::named("night")).expect("it follows");

    let snapshot = replika.snapshot();
    let count = |filter: EventFilter| {
        let feed = snapshot.events_of(DeliveryNumber(2), filter).expect("the delivery");
        feed.fold(0, |count: u32, event| {
            black_box(event.expect("a sound store"));
            count + 1
        })
    };
    let (persons, events) = (report.delivery.counts.persons_changed, count(EventFilter::default()));
    println!("{persons} persons changed, {events} business events");
    let mut group = c.benchmark_group("events");
    group.throughput(Throughput::Elements(persons)).sample_size(10);
    group.bench_function("all of a night", |b| b.iter(|| count(EventFilter::default())));
    let copenhagen = EventFilter { municipality: Some(MunicipalityCode(101)), ..EventFilter::default() };
    group.bench_function("of one municipality", |b| b.iter(|| count(copenhagen.clone())));
    group.finish();

    let days = ["2026-03-01", "2026-03-31"].map(|text| text.parse().expect("a day"));
    let mut group = c.benchmark_group("calendar");
    group.sample_size(10);
    group.bench_function("a month, age 18 and protections", |b| {
        b.iter(|| snapshot.calendar(days[0], days[1], &[18]).expect("a sound store").len());
    });
    group.finish();
}

criterion_group!(benchmarks, night);
criterion_main!(benchmarks);

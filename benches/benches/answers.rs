//! The answers of the national services beside the engine's plain read of the same persons.

use std::hint::black_box;
use std::io::Cursor;

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::{ApplyOptions, Config, Replika};
use cpr_services::Caller;
use cpr_services::gctp::{self, Service};
use cpr_services::sf1525::{Depth, Markings, Version};
use cpr_services::{NoRegister, Request, sf1520, sf1525, sf6008};
use criterion::{Criterion, criterion_group, criterion_main};

fn answers(c: &mut Criterion) {
    let population = Population::new(7, benches::persons());
    let family = Family::named("std").expect("the family is part of the product");
    let extract =
        population.full_extract(Vec::new(), &Product { family, task: "123401".to_owned() }).expect("in memory");
    let folder = tempfile::tempdir().expect("a place for the store");
    let replika = Replika::create(folder.path().join("store"), &Config::default()).expect("a new store");
    replika.load(Cursor::new(extract), &ApplyOptions::named("full")).expect("a sound extract");
    let snapshot = replika.snapshot();

    // Hot: a thousand persons spread over all of them.
    let of = population.persons();
    let ranks = (0..1000).map(|at| (u64::from(of) * at / 1000) as u32);
    let day = population.production_date();
    let requests: Vec<Request> =
        ranks.map(|rank| Request::on(population.pnr_at(rank), day, Caller::unlogged())).collect();
    let mut group = c.benchmark_group("answers");
    group.throughput(criterion::Throughput::Elements(1));
    let mut bench = |name: &str, ask: &dyn Fn(&Request) -> usize| {
        let mut at = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                at = (at + 1) % requests.len();
                black_box(ask(&requests[at]))
            });
        });
    };
    bench("engine: person, every fact visited", &|request| {
        snapshot.person(request.pnr).expect("a read").expect("held").facts().count()
    });
    // What an answer with all history is held against.
    bench("engine: person, every value decoded", &|request| {
        let person = snapshot.person(request.pnr).expect("a read").expect("held");
        person.facts().map(|fact| fact.values().iter().map(|value| _ = black_box(value)).count()).sum()
    });
    for service in Service::ALL {
        bench(&format!("{}: struct", service.name()), &|request| {
            gctp::answer(&snapshot, service, request).expect("a read").found().expect("held").rows.len()
        });
    }
    bench("Stam+: struct and XML", &|request| {
        let answer = gctp::answer(&snapshot, Service::StamPlus, request).expect("a read").found().expect("held");
        answer.to_xml().expect("XML").len()
    });
    bench("SF1520: struct", &|request| {
        let answer = sf1520::answer(&snapshot, sf1520::Version::V5, request, &NoRegister).expect("a read");
        answer.found().expect("held").answer.addresses.past.len()
    });
    bench("SF1520: struct and XML", &|request| {
        let version = sf1520::Version::V5;
        let answer = sf1520::answer(&snapshot, version, request, &NoRegister).expect("a read").found().expect("held");
        answer.answer.to_xml(version).expect("XML").len()
    });
    let all = Markings::all(Depth::WithHistory);
    bench("SF1525, all areas with history: struct", &|request| {
        let answer = sf1525::answer(&snapshot, Version::V2, &all, request, &NoRegister).expect("a read");
        answer.found().expect("held").answer.addresses.len()
    });
    let operation = sf6008::Operation::Extended;
    bench("SF6008: struct", &|request| {
        let answer = sf6008::answer(&snapshot, operation, request).expect("a read").found().expect("held");
        answer.answer.pnr.len()
    });
    group.finish();
}

criterion_group!(benches, answers);
criterion_main!(benches);

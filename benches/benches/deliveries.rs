//! A thousand small ordinary nights, one commit each: what a read and an apply take after 10, 100 and 1000 of them.
//!
//! Nothing may grow with the number of deliveries. Figures go to `target/bench-results/deliveries.json`. Without
//! `--bench` (as `cargo test --benches` starts it) it takes a thousand persons and ten deliveries.

use std::io::Cursor;
use std::time::Instant;

use benches::results::{Results, target_folder};
use benches::samples::{Run, Subject, median};
use cpr_replika::cpr_model::{Date, Pnr, Timestamp};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Replika};

/// Persons in one delivery; few more when a family moves.
const CHANGED: u32 = 20;

/// Persons who are read, in an order without locality.
const READ: u32 = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A filter meant for another bench target.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"deliveries".contains(argument.as_str())) {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let (of, marks): (u32, &[u32]) = if is_bench { (benches::persons(), &[10, 100, 1000]) } else { (1000, &[5, 10]) };
    let population = benches::population(of);
    let mut nights = population.deltas(&benches::product(), CHANGED);
    let parent = target_folder().join("bench-data");
    std::fs::create_dir_all(&parent).expect("a place for the store");
    let folder = tempfile::tempdir_in(parent).expect("a place for the store");
    let replika = Replika::create(folder.path().join("store"), &Config::default()).expect("a new store");
    replika.load(Cursor::new(benches::full(&population)), &ApplyOptions::named("full")).expect("a sound extract");

    let mut results = Results::of("deliveries", of);
    results.state("persons_of_a_delivery", CHANGED);
    let pnrs: Vec<Pnr> = (0..READ).map(|at| population.pnr_at((u64::from(at) * 7919 % u64::from(of)) as u32)).collect();
    let mut applied = 0;
    for &mark in marks {
        let mut seconds = Vec::new();
        while applied < mark {
            applied += 1;
            let bytes = benches::night(&mut nights);
            let start = Instant::now();
            replika.apply(Cursor::new(bytes), &ApplyOptions::named("small")).expect("it follows");
            seconds.push(start.elapsed().as_secs_f64());
        }
        // All since the last mark. Commits wait for whatever else the disk does; the fastest tenth hardly did.
        seconds.sort_by(f64::total_cmp);
        let fastest = seconds[seconds.len() / 10];
        let mark_name = mark.to_string();
        results.add(&format!("apply {CHANGED} persons, durable, p50"), &mark_name, "s", median(seconds));
        results.add(&format!("apply {CHANGED} persons, durable, p10"), &mark_name, "s", fastest);
        reads(&replika, &pnrs, mark, &mut results);
    }
    if is_bench {
        results.write("deliveries");
    }
}

fn reads(replika: &Replika, pnrs: &[Pnr], mark: u32, results: &mut Results) {
    let snapshot = replika.snapshot();
    let moment = Timestamp::end_of(Date::from_digits(2025_12_31).expect("eight digits"));
    let now = |run: &mut Run<'_>| {
        run(&mut |at| snapshot.person(pnrs[at]).expect("a read").map_or(0, |person| person.delivered().0 as usize));
    };
    let as_of = |run: &mut Run<'_>| {
        run(&mut |at| {
            let image = snapshot.as_of(pnrs[at], Some(moment), Some(DeliveryNumber(1))).expect("a read");
            image.map_or(0, |image| image.all_facts().count())
        });
    };
    for mut subject in
        [Subject::new("person now", "replika", now), Subject::new("as of delivery 1 and a moment", "replika", as_of)]
    {
        for _ in 0..5 {
            subject.round(pnrs.len());
        }
        results.add(&format!("{}, p50", subject.measure), &mark.to_string(), "ns", subject.median(0).p50);
    }
}

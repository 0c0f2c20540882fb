//! Thinning a night's file for one subscriber, beside copying the lines it keeps from memory to memory.

use std::io::Cursor;

use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::Pnr;
use cpr_subscription::{FileIndex, Output, Owner, Selection, Stream};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const CHANGED: u32 = 50_000;
/// Outputs of the split; every person goes to one of them.
const OUTPUTS: u32 = 100;

/// The lines of these persons, found beforehand.
fn kept_lines<'a>(bytes: &'a [u8], kept: &[Owner]) -> Vec<&'a [u8]> {
    let owner = |line: &[u8]| Some(Owner::Person(Pnr::parse(line.get(3..13)?)?.key()?));
    let is_kept = |line: &&[u8]| owner(line).is_some_and(|owner| kept.binary_search(&owner).is_ok());
    bytes.split_inclusive(|&byte| byte == b'\n').filter(is_kept).collect()
}

fn thinning(c: &mut Criterion) {
    // A night of so many takes more persons than that.
    let population = benches::population(benches::persons().max(4 * CHANGED));
    let bytes = benches::night(&mut population.deltas(&benches::product(), CHANGED));
    let family = Family::named("std").expect("part of the product");
    let stream = Stream { previous_production_date: population.production_date(), task: None };
    let index = FileIndex::read(&bytes[..], family, &[]).expect("a sound extract");
    let owner = |pnr: Pnr| Owner::Person(pnr.key().expect("a day and a month"));

    let mut group = c.benchmark_group("thinning");
    group.sample_size(20).throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("index of a night of 50 000 persons", |b| {
        b.iter(|| FileIndex::read(&bytes[..], family, &[]).expect("a sound extract"));
    });
    let mut owners: Vec<Owner> = benches::persons_in(&bytes).into_iter().map(owner).collect();
    owners.sort_unstable();
    group.bench_function("a hundred subscribers in one pass", |b| {
        let mut outputs: Vec<Output<Vec<u8>>> = (0..OUTPUTS).map(|_| Output { stream, out: Vec::new() }).collect();
        b.iter(|| {
            outputs.iter_mut().for_each(|output| output.out.clear());
            let thinned = index.split(Cursor::new(&bytes), &mut outputs, |owner, targets| {
                if let Owner::Person(key) = owner {
                    targets.push((key.as_u32() % OUTPUTS) as usize);
                }
            });
            thinned.expect("the indexed file")
        });
    });
    for one_in in [1, 10, 100] {
        let kept: Vec<Owner> = owners.iter().copied().step_by(one_in).collect();
        let mut selection = Selection::default();
        index.select(kept.iter().copied(), &mut selection);
        let mut out = Vec::new();
        let thinned = index.thin(Cursor::new(&bytes), &stream, &selection, &mut out).expect("the indexed file");
        assert_eq!(thinned.persons, kept.len() as u64);
        group.throughput(Throughput::Bytes(thinned.bytes));
        group.bench_function(BenchmarkId::new("selected and thinned, persons one in", one_in), |b| {
            b.iter(|| {
                index.select(kept.iter().copied(), &mut selection);
                out.clear();
                index.thin(Cursor::new(&bytes), &stream, &selection, &mut out).expect("the indexed file")
            });
        });
        // The kept lines as they stand in the file, and as they stand end to end in `out`.
        let (lines, kept_lines) = (out.clone(), kept_lines(&bytes, &kept));
        let mut copy = Vec::with_capacity(lines.len());
        group.bench_function(BenchmarkId::new("kept lines copied one by one, persons one in", one_in), |b| {
            b.iter(|| {
                copy.clear();
                kept_lines.iter().for_each(|line| copy.extend_from_slice(line));
                copy.len()
            });
        });
        group.bench_function(BenchmarkId::new("kept lines copied whole, persons one in", one_in), |b| {
            b.iter(|| {
                copy.clear();
                copy.extend_from_slice(&lines);
                copy.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benchmarks, thinning);
criterion_main!(benchmarks);

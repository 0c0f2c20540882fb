//! Reading an extract: bytes to checked records, and to whole persons. Throughput is that of the file's bytes.

use std::hint::black_box;
use std::io::Cursor;

use cpr_replika::cpr_extract::{CheckOptions, Family, Groups, Item, Padding, Waive, check, records};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn read(c: &mut Criterion) {
    let family = Family::named("std").expect("part of the product");
    let bytes = benches::full(&benches::population(benches::persons().min(100_000)));
    let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
    let checked = check(Cursor::new(&bytes), options).expect("bytes in memory");
    assert!(checked.is_sound() && checked.style.padding == Padding::Cut, "{:?}", checked.faults);

    let mut group = c.benchmark_group("read");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    group.bench_function("records, every field checked", |b| {
        b.iter(|| {
            let mut lines = records(&bytes[..], family, &[]);
            let mut count = 0u64;
            while let Some(item) = lines.next_item().expect("bytes in memory") {
                count += u64::from(matches!(black_box(item), Item::Record(_)));
            }
            count
        });
    });
    group.bench_function("records, checked and packed", |b| {
        let mut packed = Vec::new();
        b.iter(|| {
            let mut lines = records(&bytes[..], family, &[]);
            while let Some(item) = lines.next_item().expect("bytes in memory") {
                if let Item::Record(record) = item {
                    packed.clear();
                    record.pack(&mut packed);
                    black_box(&packed);
                }
            }
        });
    });
    group.bench_function("whole extract checked", |b| {
        b.iter(|| check(Cursor::new(&bytes), options).expect("bytes in memory").persons);
    });
    group.bench_function("persons with their 003", |b| {
        let mut groups = Vec::new();
        b.iter(|| {
            let mut reader = Groups::new(Cursor::new(&bytes), &checked, &[]).expect("bytes in memory");
            let mut persons = 0;
            loop {
                match reader.next_chunk(&mut groups, 8192).expect("what was checked") {
                    0 => break persons,
                    count => persons += count,
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benchmarks, read);
criterion_main!(benchmarks);

//! One person of thousands of rows: what a file can hold, though no real person does. Each size doubles the one before,
//! up to the most rows that an extract may have of a person, so that the figures show how time grows.

use std::io::Cursor;
use std::time::Duration;

use cpr_replika::cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_replika::cpr_model::{Date, Pnr};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, EventFilter, Replika};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SIZES: [usize; 7] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_900];

/// Two nights of the person: so many rows before, and as many after.
type Nights = fn(usize) -> [Vec<Row>; 2];

/// Record number, and CPR's names of the fields that are not empty.
type Row = (u16, Vec<(&'static str, String)>);

/// The ways in which the rows differ.
const WAYS: [(&str, Nights); 6] = [
    ("unchanged", |rows| [0, 1].map(|_| (0..rows).map(|at| lived("1234", at, at + 1, "")).collect())),
    ("other values", |rows| ["1234", "4321"].map(|street| (0..rows).map(|at| lived(street, at, at + 1, "")).collect())),
    ("other values, one start", |rows| {
        ["1", "2"].map(|street| (0..rows).map(|at| lived(&format!("{street}{:03}", at % 999), 1, at, "")).collect())
    }),
    ("other bounds", |rows| {
        [0, 1].map(|night| (0..rows).map(|at| lived("1234", 2 * at + night, 2 * at, "")).collect())
    }),
    ("corrected", |rows| {
        let held = (0..rows / 2).map(|at| lived("1234", at, at + 1, "")).collect();
        let marked = (0..rows / 2).map(|at| lived("1234", at, at, "K"));
        [held, marked.chain((0..rows / 2).map(|at| lived("4321", at, at + 1, ""))).collect()]
    }),
    ("event records", |rows| {
        let entered = |at: usize| (99, vec![("TIMESTAMPU", moment(at)), ("HAENDELSE", "A01".to_owned())]);
        [vec![lived("1234", 1, 2, "")], (0..rows).map(entered).collect()]
    }),
];

/// A historic address; bounds are hours counted from 1900.
fn lived(street: &str, from: usize, to: usize, mark: &str) -> Row {
    let fields = [
        ("ANNKOR", mark.to_owned()),
        ("KOMKOD", "0751".to_owned()),
        ("VEJKOD", format!("{street:0>4}")),
        ("TILFLYDTO", moment(from)),
        ("FRAFLYDTO", moment(to)),
    ];
    (23, fields.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

fn moment(hour: usize) -> String {
    let (day, hour) = (hour / 24, hour % 24);
    let (month, day) = (day / 28, day % 28 + 1);
    format!("{:04}{:02}{day:02}{hour:02}00", 1900 + month / 12, month % 12 + 1)
}

fn extract(night: usize, rows: &[Row]) -> Vec<u8> {
    const DAYS: [&str; 4] = ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06"];
    let day = |at: usize| Date::parse(DAYS[at]).expect("a date");
    let pnr = Pnr::parse(b"6101800011").expect("ten digits");
    let family = Family::named("std").expect("the family of U12170-P");
    let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
    let mut writer =
        ExtractWriter::new(Vec::new(), family, style, "123401", day(night), day(night - 1)).expect("a start record");
    let person: Row = (1, vec![("STATUS", "80".to_owned()), ("FOED_DT", "1980-01-01".to_owned())]);
    for (record, fields) in std::iter::once(&person).chain(rows) {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        writer.record(*record, pnr, &fields).expect("a row");
    }
    writer.finish().expect("written to memory")
}

fn holding(extracts: &[Vec<u8>]) -> Replika {
    let config = Config { family: Family::named("std"), ..Config::default() };
    let replika = Replika::in_memory(&config).expect("a store");
    for extract in extracts {
        apply(&replika, extract);
    }
    replika
}

fn apply(replika: &Replika, extract: &[u8]) {
    replika.apply(Cursor::new(extract), &ApplyOptions::named("one person")).expect("a sound extract");
}

fn one_person(c: &mut Criterion) {
    let pnr = Pnr::parse(b"6101800011").expect("ten digits");
    let [first, second] = [DeliveryNumber(1), DeliveryNumber(2)];
    for (way, nights) in WAYS {
        let mut group = c.benchmark_group(format!("one person, {way}"));
        group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(200));
        for rows in SIZES {
            let [before, after] = nights(rows);
            let extracts = [extract(1, &before), extract(2, &after)];
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new("apply", rows), |b| {
                let holding = || holding(&extracts[..1]);
                b.iter_batched_ref(holding, |replika| apply(replika, &extracts[1]), BatchSize::PerIteration);
            });
            let replika = holding(&extracts);
            let snapshot = replika.snapshot();
            group.bench_function(BenchmarkId::new("diff", rows), |b| {
                b.iter(|| snapshot.diff(pnr, first, second).expect("a read").len());
            });
            group.bench_function(BenchmarkId::new("events", rows), |b| {
                b.iter(|| snapshot.events_of(second, EventFilter::default()).expect("a delivery").count());
            });
            group.bench_function(BenchmarkId::new("redelivered", rows), |b| {
                let again = extract(3, &after);
                let holding = || holding(&extracts);
                b.iter_batched_ref(holding, |replika| apply(replika, &again), BatchSize::PerIteration);
            });
        }
        group.finish();
    }
}

criterion_group!(benches, one_person);
criterion_main!(benches);

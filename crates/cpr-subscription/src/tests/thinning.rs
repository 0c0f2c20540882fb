//! Thinned files: whole, in order, to the byte; and the parts of a file are the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Cursor};

use cpr_extract::{
    CheckOptions, Checked, ExtractWriter, Family, Item, LineEnd, Padding, Reason, Style, Waive, check, records,
};
use cpr_model::{PersonKey, Pnr};
use proptest::prelude::*;

use super::{date, key};
use crate::*;

const PERSONS: [&str; 5] = ["6101801234", "6101801235", "7212554441", "6203805555", "6203805556"];
/// Has a receipt, and is not among the persons.
const GONE: &str = "6101809999";

fn std_family() -> &'static Family {
    Family::named("std").unwrap()
}

fn spellings() -> Vec<Style> {
    let style = |line_end, padding, trailer: &[u8]| Style { line_end, padding, trailer: trailer.to_vec() };
    vec![
        style(LineEnd::Lf, Padding::Cut, b""),
        style(LineEnd::CrLf, Padding::Cut, b"\x1a"),
        style(LineEnd::Lf, Padding::Full, b"\n\n"),
        style(LineEnd::CrLf, Padding::Fixed(400), b"\r\n\x1a"),
        style(LineEnd::None, Padding::Full, b""),
        style(LineEnd::None, Padding::Full, b"\x1a"),
    ]
}

/// Receipts first, then persons with as many events as said, then their 003; error records behind the end.
fn extract(style: &Style, events: &[usize], receipts: bool, errors: bool) -> Vec<u8> {
    let tail = Style { trailer: Vec::new(), ..style.clone() };
    let (today, before) = (date("2026-01-05"), date("2026-01-02"));
    let mut writer = ExtractWriter::new(Vec::new(), std_family(), tail, "123401", today, before).unwrap();
    let number = |digits: &str| Pnr::parse(digits.as_bytes()).unwrap();
    if receipts {
        for digits in [PERSONS[1], GONE] {
            let fields = [("PNR", digits), ("TIMESTAMPU", "202601050911"), ("HAENDELSE", "A45")];
            writer.record(997, number(digits), &fields).unwrap();
        }
    }
    for (at, &events) in events.iter().enumerate() {
        let person = number(PERSONS[at]);
        writer.record(1, person, &[("STATUS", "01"), ("KOEN", "K"), ("FOED_DT", "1980-01-01")]).unwrap();
        writer.record(2, person, &[("KOMKOD", "101"), ("VEJKOD", "4"), ("SIDEDOER", "  th")]).unwrap();
        writer.record(3, person, &[("ADRNVN", "Åse Bæk"), ("STANDARDADR", "Vejen 1")]).unwrap();
        for _ in 0..events {
            writer.record(99, person, &[("HAENDELSE", "A01"), ("TIMESTAMPU", "202601050911")]).unwrap();
        }
    }
    let mut bytes = writer.finish().unwrap();
    if errors {
        let mut line = Vec::new();
        let fields = [("INDDATA", PERSONS[0]), ("FEJLNR", "8451"), ("FEJLTXT-UDTRÆK", "findes ikke")];
        std_family().record(910).unwrap().compose(None, &fields, &mut line).unwrap();
        let used = line.iter().rposition(|&byte| byte != b' ').unwrap() + 1;
        let width = style.padding.width(used, line.len());
        cpr_extract::Line { content: &line, width, end: style.line_end }.write(&mut bytes).unwrap();
    }
    bytes.extend_from_slice(&style.trailer);
    bytes
}

fn checked(bytes: &[u8]) -> Checked {
    let options =
        CheckOptions { family: std_family(), chosen: None, ignored: &[], fault_limit: 10, waive: Waive::default() };
    check(Cursor::new(bytes), options).unwrap()
}

fn index(bytes: &[u8]) -> FileIndex {
    FileIndex::read(bytes, std_family(), &[]).unwrap()
}

fn stream(previous: &str) -> Stream {
    Stream { previous_production_date: date(previous), task: None }
}

/// The lines with their ends, and what stands behind them.
fn lines(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut reader = records(bytes, std_family(), &[]);
    let mut lines = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        let Item::Record(record) = item else { panic!("{item:?}") };
        lines.push([record.bytes(), record.end.bytes()].concat());
    }
    (lines, reader.trailer().to_vec())
}

/// The lines between start and end record.
fn body(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut lines, _) = lines(bytes);
    lines.retain(|line| !matches!(&line[..3], b"000" | b"999" | b"910"));
    lines
}

fn thin(bytes: &[u8], index: &FileIndex, owners: &[Owner], stream: &Stream) -> (Vec<u8>, Thinned) {
    let mut selection = Selection::default();
    index.select(owners.iter().copied(), &mut selection);
    let mut out = Vec::new();
    let thinned = index.thin(Cursor::new(bytes), stream, &selection, &mut out).unwrap();
    // Through a buffer that holds less than a line, it is the same.
    let mut again = Vec::new();
    index.thin(BufReader::with_capacity(20, Cursor::new(bytes)), stream, &selection, &mut again).unwrap();
    assert_eq!(out, again);
    assert_eq!(thinned.bytes, out.len() as u64);
    (out, thinned)
}

/// What any thinned file must be: sound, with this stream's date, and the owners' lines of the file in its order.
fn check_thinned(bytes: &[u8], out: &[u8], previous: &str, owners: &BTreeSet<Owner>, thinned: Thinned) {
    let found = checked(out);
    assert!(found.is_sound(), "{:?}", found.faults);
    let header = found.header.unwrap();
    let whole = checked(bytes).header.unwrap();
    assert_eq!((&header.task, header.production_date), (&whole.task, whole.production_date));
    assert_eq!(header.previous_production_date, date(previous));
    let owner = |line: &Vec<u8>| {
        let key = key(str::from_utf8(&line[3..13]).unwrap());
        if line.starts_with(b"997") { Owner::Receipt(key) } else { Owner::Person(key) }
    };
    let expected: Vec<Vec<u8>> = body(bytes).into_iter().filter(|line| owners.contains(&owner(line))).collect();
    assert_eq!(body(out), expected);
    assert_eq!((thinned.persons, thinned.records), (found.persons, expected.len() as u64));
    assert_eq!(lines(out).1, lines(bytes).1, "the trailer");
    // The start record differs in eight digits, the end record in its counter.
    let ((mine, _), (theirs, _)) = (lines(out), lines(bytes));
    let end = theirs.iter().find(|line| line.starts_with(b"999")).unwrap();
    assert_eq!([&mine[0][..27], &mine[0][35..]], [&theirs[0][..27], &theirs[0][35..]]);
    assert_eq!([&mine[mine.len() - 1][..13], &mine[mine.len() - 1][21..]], [&end[..13], &end[21..]]);
}

#[test]
fn scenario_15_a_thinned_file_is_the_subscribers_own() {
    for style in spellings() {
        let bytes = extract(&style, &[1, 0, 2], true, true);
        let index = index(&bytes);
        let owners = [PERSONS[0], PERSONS[2]].map(|digits| Owner::Person(key(digits)));
        let (out, thinned) = thin(&bytes, &index, &owners, &stream("2025-12-30"));
        check_thinned(&bytes, &out, "2025-12-30", &owners.into(), thinned);
        assert_eq!((thinned.persons, thinned.records), (2, 9), "two persons with three rows, three events");
        assert_eq!(checked(&out).style, checked(&bytes).style);
        assert!(!lines(&out).0.iter().any(|line| line.starts_with(b"910") || line.starts_with(b"997")));
    }
}

#[test]
fn a_receipt_goes_to_who_follows_its_number() {
    let bytes = extract(&Style::default(), &[0, 0], true, false);
    let index = index(&bytes);
    assert_eq!(index.receipts().collect::<BTreeSet<_>>(), [PERSONS[1], GONE].map(key).into());
    let (out, thinned) = thin(&bytes, &index, &[Owner::Receipt(key(GONE))], &stream("2026-01-02"));
    assert_eq!((thinned.persons, thinned.records), (0, 1));
    assert!(checked(&out).is_sound() && checked(&out).receipts == 1);
}

#[test]
fn nobody_is_a_file_with_start_and_end_record() {
    for style in spellings() {
        let bytes = extract(&style, &[1, 1], true, true);
        let (out, thinned) = thin(&bytes, &index(&bytes), &[], &stream("2026-01-02"));
        check_thinned(&bytes, &out, "2026-01-02", &BTreeSet::new(), thinned);
        assert_eq!(lines(&out).0.len(), 2);
    }
}

#[test]
fn everybody_in_the_stream_of_the_file_is_the_file() {
    for style in spellings() {
        let bytes = extract(&style, &[1, 0, 2, 3], false, false);
        let owners = PERSONS.map(|digits| Owner::Person(key(digits)));
        assert!(thin(&bytes, &index(&bytes), &owners, &stream("2026-01-02")).0 == bytes);
    }
}

#[test]
fn a_task_number_may_be_the_subscribers_own() {
    let bytes = extract(&Style::default(), &[1], false, false);
    let task = TaskNumber::parse("987601");
    let (out, _) = thin(&bytes, &index(&bytes), &[], &Stream { task, ..stream("2026-01-02") });
    assert_eq!(checked(&out).header.unwrap().task, "987601");
    assert_eq!([TaskNumber::parse("98760"), TaskNumber::parse("98760x")], [None, None]);
}

#[test]
fn another_file_than_the_indexed_is_refused() {
    let bytes = extract(&Style::default(), &[1, 1], false, false);
    let index = index(&bytes);
    let mut selection = Selection::default();
    index.select([Owner::Person(key(PERSONS[1]))], &mut selection);
    let mut other = bytes.clone();
    let at = bytes.windows(13).position(|line| line == format!("001{}", PERSONS[1]).as_bytes()).unwrap();
    other[at + 12] = b'9';
    for source in [&other[..], &bytes[..at], &bytes[..at + 20]] {
        let result = index.thin(Cursor::new(source), &stream("2026-01-02"), &selection, Vec::new());
        assert!(matches!(result, Err(ThinError::Changed)), "{result:?}");
    }
}

#[test]
fn what_is_not_whole_is_not_indexed() {
    let bytes = extract(&Style::default(), &[1], false, false);
    let text = |lines: &[&[u8]]| lines.concat();
    let (all, _) = lines(&bytes);
    let (start, end) = (&all[0][..], &all[all.len() - 1][..]);
    let read = |bytes: &[u8]| FileIndex::read(bytes, std_family(), &[]).map(|_| ());
    assert!(read(&text(&[start, end])).is_ok());
    let pieces: [&[&[u8]]; 6] =
        [&[], &[start], &[end], &[start, start, end], &[start, end, end], &[start, end, &all[1]]];
    for lines in pieces {
        assert!(matches!(read(&text(lines)), Err(ThinError::NotWhole)));
    }
    let misfit = read(&text(&[start, b"888\n", end]));
    assert!(
        matches!(misfit, Err(ThinError::Misfit(fault)) if fault.reason == Reason::UnknownRecord && fault.line == 2)
    );
}

#[test]
fn rows_without_a_001_go_to_nobody() {
    let bytes = extract(&Style::default(), &[1, 1], false, false);
    let (all, _) = lines(&bytes);
    let open = format!("001{}", PERSONS[0]);
    let without: Vec<u8> = all.into_iter().filter(|line| !line.starts_with(open.as_bytes())).flatten().collect();
    let index = index(&without);
    let (out, thinned) = thin(&without, &index, &[Owner::Person(key(PERSONS[0]))], &stream("2026-01-02"));
    assert!(checked(&out).is_sound() && thinned.records == 0);
    let mut outputs = [Output { stream: stream("2026-01-02"), out: Vec::new() }];
    let split = index.split(Cursor::new(&without), &mut outputs, |_, targets| targets.push(0)).unwrap();
    assert!(checked(&outputs[0].out).is_sound() && split[0].persons == 1);
}

#[test]
fn a_receipt_is_no_part_of_the_person_whose_rows_follow_it() {
    let bytes = extract(&Style::default(), &[0, 0], true, false);
    let is = |line: &[u8], record: &str| line.starts_with(format!("{record}{}", PERSONS[1]).as_bytes());
    let (mut all, _) = lines(&bytes);
    let receipt = all.remove(all.iter().position(|line| is(line, "997")).unwrap());
    let first = all.iter().position(|line| is(line, "001")).unwrap();
    all.insert(first, receipt);
    let records = |lines: &[Vec<u8>], owner: Owner| {
        let bytes = lines.concat();
        let (_, thinned) = thin(&bytes, &index(&bytes), &[owner], &stream("2026-01-02"));
        (thinned.persons, thinned.records)
    };
    let (person, receipt) = (Owner::Person(key(PERSONS[1])), Owner::Receipt(key(PERSONS[1])));
    assert_eq!([records(&all, person), records(&all, receipt)], [(1, 3), (0, 1)]);
    // Without a 001 the rows are nobody's, and the receipt is what it was.
    all.remove(first + 1);
    assert_eq!([records(&all, person), records(&all, receipt)], [(0, 0), (0, 1)]);
}

/// Fails from a byte on, as a disk does.
struct Failing<'a>(Cursor<&'a [u8]>, u64);

impl std::io::Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.position() >= self.1 {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        self.0.read(buffer)
    }
}

impl std::io::Seek for Failing<'_> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_source_that_cannot_be_read_is_no_other_file() {
    let bytes = extract(&Style::default(), &[1, 1], false, false);
    let index = index(&bytes);
    let mut selection = Selection::default();
    index.select([Owner::Person(key(PERSONS[1]))], &mut selection);
    let line = bytes.windows(13).position(|line| line == format!("001{}", PERSONS[1]).as_bytes()).unwrap();
    // Within the first bytes of a part, and behind them.
    for behind in [1, 5, 30] {
        let source = BufReader::with_capacity(8, Failing(Cursor::new(&bytes), (line + behind) as u64));
        let result = index.thin(source, &stream("2026-01-02"), &selection, Vec::new());
        assert!(matches!(&result, Err(ThinError::Io(error)) if error.kind() == std::io::ErrorKind::PermissionDenied));
    }
}

#[test]
fn an_ignored_line_goes_with_its_person() {
    let bytes = extract(&Style::default(), &[0, 0], false, false);
    let (mut all, _) = lines(&bytes);
    all.insert(3, format!("877{} new\n", PERSONS[0]).into_bytes());
    all.insert(1, b"877\n".to_vec());
    let index = FileIndex::read(&all.concat()[..], std_family(), &[877]).unwrap();
    let (out, thinned) = thin(&all.concat(), &index, &[Owner::Person(key(PERSONS[0]))], &stream("2026-01-02"));
    assert_eq!(thinned.records, 4);
    let options =
        CheckOptions { family: std_family(), chosen: None, ignored: &[877], fault_limit: 10, waive: Waive::default() };
    assert!(check(Cursor::new(&out), options).unwrap().is_sound());
}

#[test]
fn an_output_that_is_not_there_is_an_error() {
    let bytes = extract(&Style::default(), &[0], false, false);
    let mut outputs = [Output { stream: stream("2026-01-02"), out: Vec::new() }];
    let result = index(&bytes).split(Cursor::new(&bytes), &mut outputs, |_, targets| targets.push(1));
    assert!(matches!(result, Err(ThinError::NoOutput { output: 1, outputs: 1 })));
}

/// Splits a file by a rule that gives every owner one output; the parts, put together in the order of the file, are it.
fn check_partition(bytes: &[u8], outputs: usize, rule: impl Fn(Owner) -> usize) {
    let index = index(bytes);
    let mut parts: Vec<Output<Vec<u8>>> =
        (0..outputs).map(|_| Output { stream: stream("2025-12-30"), out: Vec::new() }).collect();
    let thinned = index.split(Cursor::new(bytes), &mut parts, |owner, targets| targets.push(rule(owner))).unwrap();
    let whole = body(bytes);
    let mut owners: Vec<BTreeSet<Owner>> = vec![BTreeSet::new(); outputs];
    let mut left: Vec<std::collections::VecDeque<Vec<u8>>> = Vec::new();
    for line in &whole {
        let number = key(str::from_utf8(&line[3..13]).unwrap());
        let owner = if line.starts_with(b"997") { Owner::Receipt(number) } else { Owner::Person(number) };
        owners[rule(owner)].insert(owner);
    }
    for ((part, owners), thinned) in parts.iter().zip(&owners).zip(&thinned) {
        check_thinned(bytes, &part.out, "2025-12-30", owners, *thinned);
        let alone = thin(bytes, &index, &owners.iter().copied().collect::<Vec<_>>(), &part.stream);
        assert!(alone == (part.out.clone(), *thinned), "one alone is the same as one of many");
        left.push(body(&part.out).into());
    }
    for line in whole {
        let number = key(str::from_utf8(&line[3..13]).unwrap());
        let owner = if line.starts_with(b"997") { Owner::Receipt(number) } else { Owner::Person(number) };
        assert!(left[rule(owner)].pop_front() == Some(line), "the next line of its part");
    }
    assert!(left.iter().all(|lines| lines.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn the_parts_of_a_file_are_the_file(
        spelling in 0usize..6,
        events in prop::collection::vec(0usize..3, 0..6),
        receipts: bool,
        errors: bool,
        of_whom in prop::collection::vec(0usize..3, 2 * (PERSONS.len() + 1)),
    ) {
        let bytes = extract(&spellings()[spelling], &events[..events.len().min(PERSONS.len())], receipts, errors);
        let rank = |number: PersonKey| PERSONS.iter().position(|of| key(of) == number).unwrap_or(PERSONS.len());
        check_partition(&bytes, 3, |owner| match owner {
            Owner::Person(number) => of_whom[rank(number)],
            Owner::Receipt(number) => of_whom[PERSONS.len() + 1 + rank(number)],
        });
    }

    #[test]
    fn damaged_files_are_refused_or_thinned_without_panic(
        spelling in 0usize..6,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        whole: bool,
    ) {
        let mut bytes = extract(&spellings()[spelling], &[1, 0], true, true);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(index) = FileIndex::read(&bytes[..], std_family(), &[]) {
            let mut outputs = [Output { stream: stream("2026-01-02"), out: Vec::new() }];
            index.split(Cursor::new(&bytes), &mut outputs, |_, targets| targets.push(0)).unwrap();
            if checked(&bytes).is_sound() {
                prop_assert!(checked(&outputs[0].out).is_sound());
            }
        }
    }
}

#[test]
fn debug_output_tells_nothing_of_the_persons() {
    let bytes = extract(&Style::default(), &[1, 0], true, false);
    let index = index(&bytes);
    let mut selection = Selection::default();
    index.select([Owner::Person(key(PERSONS[0]))], &mut selection);
    let printed = format!("{index:?} {selection:?} {:?}", Owner::Person(key(PERSONS[0])));
    assert_eq!(printed, "FileIndex of 6 parts Selection of 2 parts Person(PersonKey(..))");
}

/// CPR's own test extract, where `CPR_SAMPLES` points, by municipality and those without one.
#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn cprs_own_sample_is_the_sum_of_its_municipalities() {
    let Some(folder) = std::env::var_os("CPR_SAMPLES") else {
        println!("skipped: CPR_SAMPLES is not set");
        return;
    };
    let file = std::path::Path::new(&folder).join("cpr/sample/U12170-P_110901_ADRNVN_FE");
    let bytes = std::fs::read(file).unwrap();
    assert_eq!(checked(&bytes).persons, 80);
    let mut homes: BTreeMap<PersonKey, String> = BTreeMap::new();
    for line in body(&bytes).iter().filter(|line| line.starts_with(b"002")) {
        let text = |range: std::ops::Range<usize>| str::from_utf8(&line[range]).unwrap().to_owned();
        homes.insert(key(&text(3..13)), text(13..17));
    }
    let codes: BTreeSet<&String> = homes.values().collect();
    let codes: Vec<&String> = codes.into_iter().collect();
    assert!(homes.len() == 69 && codes.len() == 2);
    check_partition(&bytes, codes.len() + 1, |owner| match owner {
        Owner::Person(number) => {
            homes.get(&number).map_or(codes.len(), |home| codes.iter().position(|code| *code == home).unwrap())
        }
        Owner::Receipt(_) => codes.len(),
    });
}

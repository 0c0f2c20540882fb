//! Layout tables, reading and writing: made-up extracts in every spelling, and any bytes at all.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};

use cpr_model::{Aspect, Date, Field, Kind, Pnr, Values};
use proptest::prelude::*;

use crate::checker::Checker;
use crate::{
    CheckOptions, Checked, ExtractWriter, Family, Format, Group, Groups, Item, Line, LineEnd, Padding, Reason, Role,
    Style, Waive, check, check_seen, records,
};

mod families;
mod faults;
mod limits;

const PERSONS: [&str; 3] = ["6101801234", "6101801235", "7212554441"];

fn family(name: &str) -> &'static Family {
    Family::named(name).unwrap()
}

fn pnr(text: &str) -> Pnr {
    Pnr::parse(text.as_bytes()).unwrap()
}

/// Three persons with addresses, a correction, an event and their 003.
fn extract(style: Style) -> Vec<u8> {
    let date = |digits| Date::from_digits(digits).unwrap();
    let (today, before) = (date(2026_01_05), date(2026_01_02));
    let mut writer = ExtractWriter::new(Vec::new(), family("std"), style, "123401", today, before).unwrap();
    for person in PERSONS {
        let person = pnr(person);
        writer.record(1, person, &[("STATUS", "01"), ("KOEN", "K"), ("FOED_DT", "1980-01-01")]).unwrap();
        let address = [("KOMKOD", "101"), ("VEJKOD", "1188"), ("SIDEDOER", "  th"), ("TILFLYDTO", "200001011200")];
        writer.record(2, person, &address).unwrap();
        writer.record(3, person, &[("ADRNVN", "Åse Bæk"), ("STANDARDADR", "Vejen 1")]).unwrap();
        writer.record(23, person, &[("ANNKOR", "Æ"), ("TILFLYDTO", "199100000099")]).unwrap();
        writer.record(99, person, &[("HAENDELSE", "A01"), ("TIMESTAMPU", "202601050911")]).unwrap();
    }
    writer.finish().unwrap()
}

fn options(name: &str) -> CheckOptions<'static> {
    CheckOptions { family: family(name), chosen: None, ignored: &[], fault_limit: 100, waive: Waive::default() }
}

fn checked(bytes: &[u8]) -> Checked {
    check(Cursor::new(bytes), options("std")).unwrap()
}

/// Reads every record and writes it back as it came; none when a line does not fit.
fn rewritten(bytes: impl Read, name: &str) -> Option<Vec<u8>> {
    let mut lines = records(bytes, family(name), &[]);
    let (mut out, mut packed, mut rendered) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(item) = lines.next_item().unwrap() {
        let Item::Record(record) = item else { return None };
        let content = match record.layout.role {
            Role::Fact(..) | Role::Event => {
                packed.clear();
                record.pack(&mut packed);
                assert!(Values::new(&packed).is_whole());
                record.layout.render(record.pnr(), Values::new(&packed), &mut rendered);
                &rendered
            }
            _ => record.bytes(),
        };
        Line { content, width: record.bytes().len(), end: record.end }.write(&mut out).unwrap();
    }
    out.extend_from_slice(lines.trailer());
    Some(out)
}

fn groups(source: impl Read + Seek, checked: &Checked, chunk: usize) -> Vec<Group> {
    let mut groups = Groups::new(source, checked, &[]).unwrap();
    let (mut all, mut buffer) = (Vec::new(), Vec::new());
    loop {
        let count = groups.next_chunk(&mut buffer, chunk).unwrap();
        if count == 0 {
            return all;
        }
        assert!(count <= chunk);
        all.extend(buffer[..count].iter().cloned());
    }
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

#[test]
fn the_columns_of_every_record_tile_it() {
    for family in Family::all() {
        assert!(family.record(1).is_some() && family.record(0).is_some() && family.record(999).is_some());
        for record in family.records() {
            let mut at = 3;
            for column in &record.columns {
                assert_eq!(column.start, at, "{} {:03} {}", family.name, record.number, column.name);
                assert!(column.length > 0);
                at += column.length;
            }
            assert_eq!(at, record.length, "{} {:03}", family.name, record.number);
            let mut names: Vec<&str> = record.columns.iter().map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), record.columns.len(), "{} {:03} names a field twice", family.name, record.number);
        }
    }
}

#[test]
fn every_column_fits_the_kind_of_its_field() {
    for record in Family::all().iter().flat_map(Family::records) {
        let mut fields: Vec<Field> = Vec::new();
        for column in &record.columns {
            let Some(field) = column.field else { continue };
            fields.push(field);
            let fits = match column.format {
                Format::Text => field.kind() == Kind::Text && column.length < 256,
                Format::Number | Format::NumberOrBlank => {
                    let kind = if column.length <= 2 { Kind::Small } else { Kind::Code };
                    field.kind() == kind && column.length <= 4
                }
                Format::Date => field.kind() == Kind::Date && column.length == 10,
                Format::PlainDate => field.kind() == Kind::Date && column.length == 8,
                Format::Timestamp | Format::TimestampOrBlank => field.kind() == Kind::Timestamp && column.length == 12,
                Format::Flag => field.kind() == Kind::Flag && column.length == 1,
                Format::Pnr => field.kind() == Kind::Pnr && column.length == 10,
                Format::Key => false,
            };
            assert!(fits, "{:03} {}", record.number, column.name);
        }
        fields.sort_unstable();
        fields.dedup();
        assert_eq!(fields.len(), record.columns.iter().filter(|column| column.field.is_some()).count());
        if let Role::Fact(..) = record.role {
            assert!(record.number < 256, "a stored fact keeps its record number in one byte");
            assert_eq!((record.columns[0].format, record.columns[0].start), (Format::Key, 3));
        }
    }
}

#[test]
fn historic_records_say_where_their_period_ends() {
    for record in Family::all().iter().flat_map(Family::records) {
        if let Role::Fact(aspect, true) = record.role {
            let has = |field| record.columns.iter().any(|column| column.field == field);
            assert!(has(aspect.start()) && has(aspect.end()), "{:03} {}", record.number, aspect.name());
        }
    }
}

#[test]
fn bounds_and_mark_are_packed_first_where_every_read_looks() {
    for record in Family::all().iter().flat_map(Family::records) {
        let Role::Fact(aspect, _) = record.role else { continue };
        let mut fields: Vec<Field> = record.columns.iter().filter_map(|column| column.field).collect();
        let first = [aspect.start(), aspect.end(), Some(Field::CorrectionMark)].into_iter().flatten();
        let first: Vec<Field> = first.filter(|field| fields.contains(field)).collect();
        fields.retain(|field| !first.contains(field));
        let packed: Vec<Field> = record.packing.iter().map(|packed| packed.field).collect();
        assert_eq!(packed, [first, fields].concat(), "{:03}", record.number);
    }
}

#[test]
fn blanks_are_the_same_where_they_are_cut_off_and_zeros_are_others() {
    for layout in Family::all().iter().flat_map(Family::records) {
        let Role::Fact(..) = layout.role else { continue };
        let mut line = layout.empty.clone();
        line[3..13].copy_from_slice(PERSONS[0].as_bytes());
        for column in layout.columns.iter().filter(|column| column.format == Format::NumberOrBlank) {
            line[column.start..column.start + column.length].fill(b' ');
        }
        let packed = |line: &[u8]| {
            let mut packed = Vec::new();
            crate::record::pack(layout, line, &mut packed);
            packed
        };
        let mut rendered = Vec::new();
        layout.render(Some(pnr(PERSONS[0])), Values::new(&packed(&line)), &mut rendered);
        assert!(rendered == line, "{:03} is written as it was read", layout.number);
        let used = line.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
        for width in used..line.len() {
            assert!(packed(&line[..width]) == packed(&line), "{:03} cut to {width}", layout.number);
        }
        let blank = packed(&line);
        for column in layout.columns.iter().filter(|column| column.format == Format::NumberOrBlank) {
            line[column.start..column.start + column.length].fill(b'0');
            assert!(packed(&line) != blank);
        }
    }
}

#[test]
fn lines_without_ends_are_at_full_length_and_of_two_line_ends_the_more_frequent_is_the_files_own() {
    let (start, end) = ("00000000000001234012026010520260102", "999999999999900000000");
    for (ends, line_end, padding) in [
        (["", ""], LineEnd::None, Padding::Full),
        (["\n", "\r\n"], LineEnd::Lf, Padding::Cut),
        (["\r\n", "\r\n"], LineEnd::CrLf, Padding::Cut),
    ] {
        let found = checked(format!("{start}{}{end}{}", ends[0], ends[1]).as_bytes());
        assert!(found.is_sound(), "{:?}", found.faults);
        assert_eq!((found.style.line_end, found.style.padding), (line_end, padding), "{ends:?}");
    }
}

#[test]
fn lines_are_cut_or_at_full_length_as_most_of_them_are() {
    let full = format!("{:width$}", faults::PERSON, width = family("std").record(1).unwrap().length);
    let cut = faults::OTHER;
    for (rows, padding) in [([&full[..], cut, cut], Padding::Cut), ([&full[..], &full, cut], Padding::Full)] {
        let found = checked(&faults::lines_of(&rows));
        assert_eq!((found.is_sound(), found.style.padding), (true, padding), "{rows:?}");
    }
}

#[test]
fn every_spelling_reads_the_same_and_writes_back_byte_for_byte() {
    let packed = |groups: &[Group]| -> Vec<Vec<u8>> { groups.iter().map(|group| group.values().to_vec()).collect() };
    let plain = extract(Style::default());
    let expected = packed(&groups(Cursor::new(&plain), &checked(&plain), 10));
    for style in spellings() {
        let bytes = extract(style.clone());
        let found = checked(&bytes);
        assert!(found.is_sound(), "{style:?}: {:?}", found.faults);
        assert_eq!(found.style, style);
        assert_eq!((found.persons, found.records[&3], found.records[&99]), (3, 3, 3));
        assert_eq!(rewritten(&bytes[..], "std").as_ref(), Some(&bytes), "{style:?}");
        for chunk in [1, 2, 10] {
            let groups = groups(Cursor::new(&bytes), &found, chunk);
            assert_eq!(packed(&groups), expected, "{style:?}, {chunk} at a time");
            let whole = |group: &Group| group.facts(1).map(|fact| fact.values().bytes().len()).sum::<usize>();
            assert!(groups.iter().all(|group| group.values().len() == whole(group)));
            assert!(groups.iter().all(|group| group.widths().is_empty() && group.events().len() == 1));
            assert!(groups.iter().all(|group| group.facts(1).last().is_some_and(|fact| fact.record() == 3)));
        }
    }
}

#[test]
fn many_faults_are_collected_each_where_it_is() {
    let text = String::from_utf8(extract(Style::default()).iter().map(|b| if *b < 128 { *b } else { b'x' }).collect());
    let mut lines: Vec<String> = text.unwrap().lines().map(str::to_owned).collect();
    lines[1] = lines[1].replace("1980-01-01", "1980-O1-01");
    lines[2] = lines[2].replace("200001011200", "20000101120 ");
    lines.insert(3, "888 what is this".to_owned());
    let bytes = lines.join("\n");
    let found: BTreeMap<u64, (Option<&str>, &str)> =
        checked(bytes.as_bytes()).faults.iter().map(|fault| (fault.line, (fault.field, fault.reason.name()))).collect();
    assert_eq!(found[&2], (Some("FOED_DT"), "not_a_date"));
    assert_eq!(found[&3], (Some("TILFLYDTO"), "not_a_timestamp"));
    assert_eq!(found[&4], (None, "unknown_record"));
    // The made-up line is one record more than the counter says, and three marks became an x, told once with their
    // count.
    let found = checked(bytes.as_bytes());
    assert_eq!((found.faults.len(), found.fault_count, found.faults[0].reason.name()), (5, 7, "wrong_count"));
    let mark = found.faults.iter().find(|fault| fault.reason == Reason::NotAFlag).unwrap();
    assert_eq!((mark.line, mark.more, mark.field), (5, 2, Some("ANNKOR")));
    assert_eq!(mark.to_string().split(": ").nth(1), Some("not a mark (and 2 more of this kind, the last in line 13)"));
    let alone = mark.alone();
    assert_eq!((alone.line, alone.more, alone.last_line), (5, 0, 5));
    assert_eq!(alone.to_string().split(": ").nth(1), Some("not a mark"));
}

#[test]
fn what_is_printed_says_how_much_there_is_and_not_whose() {
    let bytes = extract(Style::default());
    let found = checked(&bytes);
    let header = found.header.as_ref().unwrap();
    assert_eq!((header.customer(), crate::RecordNumber(7).to_string().as_str()), ("1234", "007"));
    let mut lines = records(&bytes[..], family("std"), &[]);
    let (start, person) = (format!("{:?}", lines.next_item().unwrap().unwrap()), lines.next_item().unwrap().unwrap());
    let Item::Record(record) = person else { panic!("{person:?}") };
    let line = Line { content: record.bytes(), width: 80, end: record.end };
    let (date, out) = (Date::from_digits(2026_01_05).unwrap(), Vec::new());
    let writer = ExtractWriter::new(out, family("std"), Style::default(), "123401", date, date).unwrap();
    let read = groups(Cursor::new(&bytes), &found, 1);
    for (told, begins) in [
        (start, "Record 000 at line 1"),
        (format!("{record:?}"), "Record 001 at line 2"),
        (format!("{line:?}"), "Line of 80 bytes"),
        (format!("{:?}", read[0]), "Group of 4 rows and 1 events"),
        (format!("{:?}", Groups::new(Cursor::new(&bytes), &found, &[]).unwrap()), "Groups"),
        (format!("{found:?}"), "Checked { family: \"std\""),
        (format!("{:?}", records(&bytes[..], family("std"), &[])), "Records of family std at line "),
        (format!("{writer:?}"), "ExtractWriter"),
    ] {
        assert!(told.starts_with(begins), "{told}");
        assert!(PERSONS.iter().all(|person| !told.contains(person)) && !told.contains("1980"), "{told}");
    }
}

#[test]
fn a_line_is_written_as_it_is_and_counts_as_a_record() {
    let date = Date::from_digits(2026_01_05).unwrap();
    let mut writer = ExtractWriter::new(Vec::new(), family("std"), Style::default(), "123401", date, date).unwrap();
    writer.record(1, pnr(PERSONS[0]), &[("STATUS", "01")]).unwrap();
    let line = b"01061018012345100199103201299*  ";
    writer.line(line).unwrap();
    let bytes = writer.finish().unwrap();
    let found = checked(&bytes);
    assert!(found.is_sound(), "{:?}", found.faults);
    assert!(bytes.windows(line.len() + 1).any(|found| found == [&line[..], b"\n"].concat()));
    assert_eq!(groups(Cursor::new(&bytes), &found, 1)[0].widths().len(), 1, "it is wider than it need be");
}

#[test]
fn a_line_cut_inside_a_number_is_damaged_and_one_cut_in_blanks_is_not() {
    let line = |text: &str| {
        let mut lines = records(text.as_bytes(), family("std"), &[]);
        match lines.next_item().unwrap() {
            Some(Item::Fault(fault, _)) => Some(fault.reason),
            _ => None,
        }
    };
    assert_eq!(line("0106101801234K6101801234\n"), Some(Reason::NotANumber));
    assert_eq!(line("01061018012345100199103201299*\n"), None);
    assert_eq!(line("0106101801234510019910320129\n"), Some(Reason::NotATimestamp));
    assert_eq!(line("0146101801234\n"), None);
    assert_eq!(line(&format!("0146101801234{}\n", " ".repeat(300))), None);
    assert_eq!(line("01461018012346101801235 x\n"), Some(Reason::TooLong));
}

#[test]
fn ignored_record_numbers_are_passed_over_and_counted() {
    let text = String::from_utf8_lossy(&extract(Style::default())).replace("Å", "A").replace("æ", "a");
    let bytes =
        text.replace("9999999999999", "8771234 something new\n9999999999999").replace("00000015\n", "00000016\n");
    let latin1: Vec<u8> = bytes.chars().map(|c| c as u8).collect();
    let options = CheckOptions { ignored: &[877], ..options("std") };
    assert!(checked(&latin1).faults.iter().any(|fault| fault.reason == Reason::UnknownRecord));
    let found = check(Cursor::new(&latin1), options).unwrap();
    assert_eq!(found.records.get(&877), Some(&1));
    assert!(!found.faults.iter().any(|fault| fault.reason == Reason::UnknownRecord));
    // A number that is known, too, in the middle of a long file.
    let bytes = faults::lines_of(&[&[faults::PERSON][..], &vec![faults::EVENT; 1000], &[faults::OTHER]].concat());
    let options = CheckOptions { ignored: &[99], ..options };
    let found = check(Cursor::new(&bytes), options).unwrap();
    let read = groups(Cursor::new(&bytes), &found, 9);
    assert_eq!(
        read.iter().map(|group| group.events().len()).collect::<Vec<_>>(),
        [1000, 0],
        "nobody ignores them here"
    );
    let mut kept = Groups::new(Cursor::new(&bytes), &found, options.ignored).unwrap();
    let mut read = Vec::new();
    assert_eq!((kept.next_chunk(&mut read, 9).unwrap(), found.records.get(&99)), (2, Some(&1000)));
    assert!(read[..2].iter().all(|group| group.events().len() == 0));
}

#[test]
fn errors_tell_where_and_what_and_never_whom() {
    let bytes = extract(Style::default());
    let bytes: Vec<u8> = bytes.iter().map(|byte| if *byte == b'-' { b'x' } else { *byte }).collect();
    let found = checked(&bytes);
    assert!(!found.faults.is_empty());
    for fault in &found.faults {
        let told = format!("{fault} {fault:?}");
        assert!(PERSONS.iter().all(|person| !told.contains(person)) && !told.contains("1980"), "{told}");
    }
}

/// A seekable source that gives few bytes at a time.
struct Trickle<R>(R);

impl<R: Read> Read for Trickle<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(7);
        self.0.read(&mut buffer[..length])
    }
}

impl<R: Seek> Seek for Trickle<R> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_slow_source_reads_like_a_fast_one() {
    for style in spellings() {
        let bytes = extract(style);
        let found = check(Trickle(Cursor::new(&bytes)), options("std")).unwrap();
        assert!(found.is_sound());
        assert_eq!(groups(Trickle(Cursor::new(&bytes)), &found, 2).len(), 3);
    }
}

/// A file of many buffers in which lines of all sorts stand between those that fit, also where one buffer ends.
fn long_and_odd(seed: u64) -> Vec<u8> {
    let mut bytes = b"00000000000001234012026010520260102\n".to_vec();
    let mut state = seed | 1;
    for serial in 0..9_000u32 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let person = format!("{:02}{:02}80{:04}", 61 + serial % 28, 1 + serial / 28 % 12, 1000 + serial / 336);
        bytes.extend(format!("001{person}          01000000000000 K\n").as_bytes());
        bytes.extend(format!("002{person}0101118800100200001011200{}\n", " ".repeat(serial as usize % 90)).as_bytes());
        match state % 997 {
            0 => bytes.extend(format!("010{person}51X0199103201299*\n").as_bytes()),
            1 => bytes.extend(b"\n"),
            2 => bytes.extend(b"456\n"),
            3 => bytes.extend(format!("088{person}\n").as_bytes()),
            4 => bytes.extend([&b"008"[..], person.as_bytes(), &b" Bj\x9Brn"[..], b"\r\n"].concat()),
            5 => bytes.extend(std::iter::repeat_n(b'7', 300 * 1024).chain([b'\n'])),
            6 => bytes.extend(format!("010{person}51000199103201299 {}\n", " ".repeat(20_000)).as_bytes()),
            _ => {}
        }
    }
    bytes.extend(b"999999999999900018000\n\x1A");
    bytes
}

#[test]
fn fields_that_are_looked_at_beside_the_reading_tell_what_they_tell_line_by_line() {
    for seed in 1..=6u64 {
        let bytes = long_and_odd(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let waive = Waive { code_page: seed % 2 == 0, ..Waive::default() };
        let options = CheckOptions { ignored: &[88], fault_limit: 1000, waive, ..options("std") };
        let mut seen = Vec::new();
        let found = check_seen(Cursor::new(&bytes), options, |chunk| seen.extend_from_slice(chunk)).unwrap();
        assert!(seen == bytes, "every byte is seen, in order");

        let mut checker = Checker::new(options);
        let mut lines = records(&bytes[..], options.family, options.ignored);
        loop {
            let before = (lines.line() + 1, lines.offset());
            match lines.next_item().unwrap() {
                None => break,
                Some(Item::Record(record)) => checker.record(&record, false),
                Some(Item::Fault(fault, bytes)) => checker.misfit(fault, bytes),
                Some(Item::Ignored(number, _)) => checker.ignored(number, before),
            }
        }
        checker.end_reading();
        let expected = checker.finish(lines.line(), lines.offset(), lines.trailer().to_vec(), Vec::new());
        assert!(expected.fault_count > 10 && expected.records[&88] > 0);
        assert_eq!(found.faults, expected.faults);
        let summary = |checked: &Checked| {
            let Checked { fault_count, persons, odd_characters, waived, lines, bytes, persons_end, .. } = *checked;
            (fault_count, persons, odd_characters, waived, lines, bytes, persons_end, checked.style.clone())
        };
        assert_eq!((summary(&found), &found.records), (summary(&expected), &expected.records));
    }
}

#[test]
fn what_changed_since_it_was_checked_is_an_error() {
    let bytes = extract(Style::default());
    let found = checked(&bytes);
    for cut in [0, 40, bytes.len() / 2, bytes.len() - 30] {
        let mut reader = Groups::new(Cursor::new(&bytes[..cut]), &found, &[]).unwrap();
        assert!(reader.next_chunk(&mut Vec::new(), 100).is_err(), "cut at {cut}");
    }
}

#[test]
fn any_byte_that_changes_between_the_readings_is_seen() {
    for style in spellings() {
        let bytes = extract(style);
        let found = checked(&bytes);
        for at in (0..bytes.len()).step_by(17).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let mut reader = Groups::new(Cursor::new(&changed), &found, &[]).unwrap();
            let read =
                std::iter::repeat_with(|| reader.next_chunk(&mut Vec::new(), 2)).find(|read| !matches!(read, Ok(1..)));
            let error = read.and_then(Result::err);
            assert!(error.is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData), "byte {at}");
        }
        let longer = [&bytes[..], b"\n"].concat();
        let mut reader = Groups::new(Cursor::new(&longer), &found, &[]).unwrap();
        assert!(reader.next_chunk(&mut Vec::new(), 100).is_err(), "a byte more");
    }
}

#[test]
fn a_row_behind_that_changes_after_it_was_passed_is_seen() {
    let bytes = extract(Style::default());
    let found = checked(&bytes);
    let at = bytes.windows(3).rposition(|three| three == b"Vej").unwrap();
    /// Gives other bytes to whoever goes back: the 003 are read again out of order.
    struct Changing(Cursor<Vec<u8>>, usize, u32);
    impl Read for Changing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Seek for Changing {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.2 += 1;
            if self.2 == 2 {
                self.0.get_mut()[self.1] = b'X';
            }
            self.0.seek(to)
        }
    }
    let mut reader = Groups::new(Changing(Cursor::new(bytes), at, 0), &found, &[]).unwrap();
    assert_eq!(reader.next_chunk(&mut Vec::new(), 100).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
}

/// Counts how often it is gone elsewhere, and the bytes that are read.
struct Counting<'c, R>(R, &'c Cell<(u64, u64)>);

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.set((self.1.get().0, self.1.get().1 + read as u64));
        Ok(read)
    }
}

impl<R: Seek> Seek for Counting<'_, R> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.1.set((self.1.get().0 + 1, self.1.get().1));
        self.0.seek(to)
    }
}

#[test]
fn addresses_that_stand_near_one_another_are_read_together_and_others_alone() {
    const PERSONS: usize = 4000;
    let person = |at: usize| format!("610180{:04}", 1000 + at);
    let address = |at: usize| format!("003{}{at:034}{:136}0000{:20}00000000\n", person(at), "", "");
    /// Which person's 003 stands at a place.
    type Order = fn(usize) -> usize;
    // The order of the 003, and how often a reader of 100 persons at a time goes elsewhere: to its 003, and back.
    let orders: [(&str, Order, u64); 3] = [
        ("that of the persons", |at| at, 40 * 2),
        ("backwards", |at| PERSONS - 1 - at, 40 * 2),
        ("one in a hundred", |at| at % 40 * 100 + at / 40, 40 + PERSONS as u64),
    ];
    for (order, of, most) in orders {
        let mut bytes = b"00000000000001234012026010520260102\n".to_vec();
        for at in 0..PERSONS {
            bytes.extend(format!("001{}          01000000000000 K\n", person(at)).bytes());
        }
        (0..PERSONS).for_each(|at| bytes.extend(address(of(at)).bytes()));
        bytes.extend(format!("9999999999999{:08}\n", 2 * PERSONS).bytes());
        let found = checked(&bytes);
        assert!(found.is_sound(), "{order}: {:?}", found.faults);
        let counted = Cell::default();
        let read = groups(Counting(Cursor::new(&bytes), &counted), &found, 100);
        for (at, group) in read.iter().enumerate() {
            let text = group.fact(1, 1).values().text(Field::AddressingName);
            assert_eq!((group.facts(1).len(), text.reveal().parse()), (2, Ok(at)), "{order}");
        }
        let (seeks, read) = counted.get();
        assert!(seeks <= most + 2, "{order}: {seeks} times elsewhere");
        // The file once, and the 003 again, with no more between them than they are long.
        assert!(read < bytes.len() as u64 * 2, "{order}: {read} bytes of {}", bytes.len());
    }
}

/// Where the environment variable `CPR_SAMPLES` says that CPR's own test extracts are.
#[test]
#[cfg_attr(not(cpr_samples), ignore = "CPR_SAMPLES is not set")]
fn cprs_own_samples_write_back_byte_for_byte() {
    let Some(folder) = std::env::var_os("CPR_SAMPLES") else {
        println!("skipped: CPR_SAMPLES is not set");
        return;
    };
    let folder = std::path::Path::new(&folder).join("cpr/sample");
    let manifest = std::fs::read_to_string(folder.join("manifest.csv")).unwrap();
    let mut read = 0;
    for row in manifest.lines().skip(1) {
        let mut cells = row.split(',');
        let (file, name) = (cells.next().unwrap(), cells.next().unwrap());
        let bytes = std::fs::read(folder.join(file)).unwrap();
        assert!(rewritten(&bytes[..], name).as_ref() == Some(&bytes), "{file}");
        read += 1;
    }
    assert!(read >= 10);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn damaged_extracts_are_refused_or_read_without_panic(
        spelling in 0usize..6,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        whole: bool,
    ) {
        let mut bytes = extract(spellings()[spelling].clone());
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        for family in Family::all() {
            let found = check(Cursor::new(&bytes), CheckOptions { family, ..options("std") }).unwrap();
            if found.is_sound() {
                prop_assert_eq!(groups(Cursor::new(&bytes), &found, 2).len() as u64, found.persons);
            }
            if let Some(again) = rewritten(&bytes[..], family.name) {
                prop_assert_eq!(&again, &bytes);
            }
        }
    }

    /// The look at a whole line never passes what reading by field refuses, and lets nothing of CPR's go the long way.
    #[test]
    fn a_look_at_a_line_agrees_with_reading_its_fields(
        number in prop::sample::select(vec![0u16, 1, 2, 4, 5, 8, 10, 12, 14, 15, 16, 22, 23, 29, 99, 999]),
        filled in prop::collection::vec(0u8..4, 40),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"0 9-*KAx\xC6\x8F\x1A:/".to_vec())), 0..3),
        width in any::<prop::sample::Index>(),
        is_whole: bool,
    ) {
        let layout = family("std").record(number).unwrap();
        let mut line = Vec::new();
        layout.render(Some(pnr(PERSONS[0])), Values::new(&[]), &mut line);
        for (column, how) in layout.columns.iter().zip(filled) {
            let cell = &mut line[column.start..column.start + column.length];
            match (column.format, how) {
                (Format::Date, 1) => cell.copy_from_slice(b"1980-01-01"),
                (Format::Text, 1) => cell[0] = b'x',
                (Format::Flag, 1) => cell[0] = b'*',
                (Format::Key, _) | (_, 0) => {}
                (Format::Text | Format::Flag | Format::Date, _) => {}
                _ => cell.fill(b'1'),
            }
        }
        let is_untouched = edits.is_empty() && is_whole;
        for (at, byte) in edits {
            let at = at.index(line.len());
            line[at] = byte;
        }
        if !is_whole {
            line.truncate(width.index(line.len() + 1));
        }
        let looked = crate::record::check_line(layout, &line, &mut None);
        let by_field = crate::record::check_by_field(layout, &line, &mut None);
        prop_assert_eq!(looked.map(|sound| sound.has_odd_character), by_field);
        let fits = layout.template.fits(&line);
        let has_odd = line.iter().any(|&byte| byte < 0x20 || (0x7F..0xC0).contains(&byte));
        prop_assert!(!fits || !has_odd);
        // What a look does not see: the digits of no person.
        let unseen = by_field.is_err_and(|(_, reason)| reason == Reason::NotAPerson);
        prop_assert!(!fits || by_field.is_ok() || unseen);
        prop_assert!(fits || !is_untouched);
    }

    #[test]
    fn any_line_that_fits_its_record_is_kept_to_the_byte(
        number in 1u16..31,
        fill in prop::collection::vec(prop::sample::select(b"0123456789 AK*x-\xC6\xF8\xE5".to_vec()), 400),
        width in 0usize..330,
    ) {
        let layout = family("std").record(number).unwrap();
        let mut line = Vec::new();
        layout.render(Some(pnr(PERSONS[0])), Values::new(&[]), &mut line);
        for column in layout.columns.iter().filter(|column| column.format == Format::Text) {
            line[column.start..column.start + column.length].copy_from_slice(&fill[column.start..column.start + column.length]);
        }
        let used = line.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
        line.resize(width.max(used), b' ');
        line.push(b'\n');
        prop_assert_eq!(rewritten(&line[..], "std"), Some(line));
    }
}

#[test]
fn the_aspects_of_both_products_are_the_same() {
    let of = |name: &str| -> Vec<Aspect> {
        let aspects = family(name).records().filter_map(|record| match record.role {
            Role::Fact(aspect, _) => Some(aspect),
            _ => None,
        });
        let mut aspects: Vec<Aspect> = aspects.collect();
        aspects.sort();
        aspects.dedup();
        aspects
    };
    // The full product has no 003, and its 001 holds the parents.
    let missing = [Aspect::FormattedAddress, Aspect::Parents];
    let std: Vec<Aspect> = of("std").into_iter().filter(|aspect| !missing.contains(aspect)).collect();
    assert_eq!(of("full"), std);
}

/// What `Debug` of everything that holds lines prints: neither digits of a person, nor a name, nor their bytes.
#[test]
fn debug_output_tells_nothing_of_the_persons() {
    let bytes = extract(Style::default());
    let found = checked(&bytes);
    let mut told = format!("{found:?}");
    let mut lines = records(&bytes[..], family("std"), &[2]);
    while let Some(item) = lines.next_item().unwrap() {
        told += &format!("{item:?}");
    }
    let mut reader = Groups::new(Cursor::new(&bytes), &found, &[]).unwrap();
    let mut read = Vec::new();
    reader.next_chunk(&mut read, 10).unwrap();
    told += &format!("{lines:?} {reader:?} {read:?}");
    let (content, width) = (&bytes[..], 10);
    told += &format!("{:?}", Line { content, width, end: LineEnd::Lf });
    let date = Date::from_digits(2026_01_05).unwrap();
    let mut writer = ExtractWriter::new(Vec::new(), family("std"), Style::default(), "123401", date, date).unwrap();
    writer.record(3, pnr(PERSONS[0]), &[("ADRNVN", "Åse Bæk")]).unwrap();
    told += &format!("{writer:?}");
    // Bytes as a list of numbers would tell them too: "6101" is 54, 49, 48, 49.
    for secret in ["6101801", "7212554", "Bæk", "Vejen", "54, 49, 48, 49", "66, 230, 107"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    let key = pnr(PERSONS[0]).key().unwrap().as_u32();
    assert!(!told.contains(&key.to_string()));
}

#[test]
fn a_counter_of_eight_digits_tells_the_last_eight() {
    for (records, told) in [(0, 0), (1098, 1098), (99_999_999, 99_999_999), (100_000_000, 0), (130_000_007, 30_000_007)]
    {
        assert_eq!(crate::end_counter(records), told);
    }
}

/// A source that is interrupted before each read, and fails at a byte.
struct Failing<'b> {
    bytes: Cursor<&'b [u8]>,
    fails_at: u64,
    was_interrupted: bool,
}

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.was_interrupted = !self.was_interrupted;
        if self.was_interrupted {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        if self.bytes.position() >= self.fails_at {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        let length = buffer.len().min(100);
        self.bytes.read(&mut buffer[..length])
    }
}

impl Seek for Failing<'_> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn an_interrupted_read_goes_on_and_a_failed_one_is_told_as_the_system_told_it() {
    let bytes = extract(Style::default());
    let failing = |fails_at| Failing { bytes: Cursor::new(&bytes[..]), fails_at, was_interrupted: false };
    let found = check(failing(u64::MAX), options("std")).unwrap();
    assert!(found.is_sound());
    assert_eq!(groups(failing(u64::MAX), &found, 2).len(), 3);
    for at in [0, 100, bytes.len() as u64 - 1] {
        let error = check(failing(at), options("std")).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "at {at}");
        let read = Groups::new(failing(at), &found, &[]).and_then(|mut groups| groups.next_chunk(&mut Vec::new(), 9));
        assert_eq!(read.map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::TimedOut, "at {at}");
    }
}

#[test]
fn a_spelling_is_told_in_words() {
    assert_eq!([LineEnd::None, LineEnd::Lf, LineEnd::CrLf].map(LineEnd::name), ["none", "lf", "crlf"]);
    let told = [Padding::Cut, Padding::Full, Padding::Fixed(400)].map(|padding| padding.to_string());
    assert_eq!(told, ["trailing blanks cut", "full length", "400 bytes each"]);
}

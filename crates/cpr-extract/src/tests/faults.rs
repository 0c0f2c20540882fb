//! What is wrong with a file, by the line where it is: persons who stand in it twice, rows in the wrong place or too many,
//! files that are none of CPR's, what never ends.

use std::io::{Cursor, Read, Seek};

use cpr_model::{Pnr, Values};

use super::{PERSONS, checked, family, groups, options, pnr};
use crate::record::check_line;
use crate::{CheckOptions, Family, Format, Reason, Role, Waive, check, find_family, fits_family};

/// The extract with these rows. Of a 003 what follows the name is filled in.
pub(super) fn lines_of(rows: &[&str]) -> Vec<u8> {
    let formatted = family("std").record(3).unwrap();
    let mut bytes = b"00000000000001234012026010520260102\n".to_vec();
    for row in rows {
        let mut line: Vec<u8> = row.chars().map(|c| c as u8).collect();
        if line.starts_with(b"003") {
            let mut filled = Vec::new();
            formatted.render(Some(Pnr::parse(&line[3..13]).unwrap()), Values::new(&[]), &mut filled);
            filled[..line.len()].copy_from_slice(&line);
            line = filled;
        }
        bytes.extend_from_slice(&line);
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(format!("9999999999999{:08}\n", rows.len()).as_bytes());
    bytes
}

pub(super) const PERSON: &str = "0016101801234          01000000000000 K1980-01-01";
pub(super) const OTHER: &str = "0016101801235          01000000000000 K1980-01-01";
pub(super) const EVENT: &str = "0996101801234202601051000P02";
pub(super) const ADDRESSED: &str = "0036101801234Prøve Person";

#[test]
fn equal_groups_of_one_number_are_one_person() {
    for rows in [
        &[PERSON, EVENT, PERSON, EVENT, OTHER, ADDRESSED][..],
        &[PERSON, EVENT, OTHER, PERSON, EVENT, ADDRESSED, ADDRESSED],
        &[PERSON, EVENT, PERSON, EVENT, PERSON, EVENT, OTHER, ADDRESSED],
        &[OTHER, PERSON, EVENT, ADDRESSED, PERSON, EVENT, ADDRESSED],
    ] {
        let bytes = lines_of(rows);
        let found = checked(&bytes);
        assert!(found.is_sound(), "{:?}", found.faults);
        let groups_in_file = rows.iter().filter(|row| **row == PERSON).count() as u64;
        assert_eq!((found.persons, found.repeated_persons), (2, groups_in_file - 1));
        for chunk in [1, 10] {
            let groups = groups(Cursor::new(&bytes), &found, chunk);
            let group = groups.iter().find(|group| group.key() == pnr(PERSONS[0]).key().unwrap()).unwrap();
            assert_eq!((groups.len(), group.events().len()), (2, 1), "{rows:?}");
            let records: Vec<u16> = group.facts(1).map(|fact| fact.record()).collect();
            assert_eq!(records, [1, 3], "{rows:?}");
        }
    }
}

#[test]
fn unequal_groups_of_one_number_are_refused_where_the_second_begins() {
    let other_event = "0996101801234202601051000A01";
    let other_name = "0036101801234Anden Person";
    for (rows, line) in [
        (&[PERSON, EVENT, PERSON, other_event, ADDRESSED][..], 4),
        (&[PERSON, EVENT, PERSON, ADDRESSED], 4),
        (&[PERSON, EVENT, OTHER, PERSON, EVENT, ADDRESSED, other_name], 5),
        (&[OTHER, PERSON, EVENT, PERSON, EVENT, PERSON], 5),
    ] {
        let found = checked(&lines_of(rows));
        let told: Vec<(u64, &str)> = found.faults.iter().map(|fault| (fault.line, fault.reason.name())).collect();
        assert_eq!(told, [(line, "repeated_person")], "{rows:?}");
    }
}

#[test]
fn a_file_in_another_format_is_told_as_that_and_as_nothing_else() {
    let plain = lines_of(&[PERSON, ADDRESSED]);
    let with = |prefix: &[u8]| [prefix, &plain].concat();
    let utf16 = |order: fn(u16) -> [u8; 2]| plain.iter().flat_map(|&byte| order(u16::from(byte))).collect::<Vec<u8>>();
    for (bytes, reason) in [
        (with(b"\xEF\xBB\xBF"), "byte_order_mark"),
        (with(b"\xFF\xFE"), "utf16"),
        (utf16(u16::to_le_bytes), "utf16"),
        (utf16(u16::to_be_bytes), "utf16"),
        (vec![0xF0; 40], "ebcdic"),
        (with(b"\x1F\x8B\x08"), "compressed"),
        (with(b"PK\x03\x04"), "compressed"),
    ] {
        let family = find_family(&mut Cursor::new(&bytes), &[], 10).unwrap().unwrap();
        let found = check(Cursor::new(&bytes), CheckOptions { family, ..options("std") }).unwrap();
        let told: Vec<&str> = found.faults.iter().map(|fault| fault.reason.name()).collect();
        assert_eq!(told, [reason]);
    }
}

#[test]
fn letters_of_a_dos_code_page_are_a_fault_unless_waived() {
    // 0x9B is ø in code pages 850 and 865.
    let bytes = lines_of(&[PERSON, OTHER, "0036101801234Pr\u{9b}ve Person", "0036101801235Pr\u{9b}ve Person"]);
    let found = checked(&bytes);
    let [fault] = found.faults[..] else { panic!("{:?}", found.faults) };
    assert_eq!((fault.line, fault.record, fault.reason, fault.more), (4, Some(3), Reason::CodePage, 1));
    let waive = Waive { code_page: true, ..Waive::default() };
    let found = check(Cursor::new(&bytes), CheckOptions { waive, ..options("std") }).unwrap();
    assert_eq!((found.is_sound(), found.waived, found.odd_characters), (true, 2, 2));
    assert_eq!(groups(Cursor::new(&bytes), &found, 10).iter().map(|group| group.facts(1).len()).sum::<usize>(), 4);
}

#[test]
fn what_never_ends_is_ended_with_the_limit_named() {
    struct Endless(&'static [u8], usize);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(self.0.len() - self.1);
            buffer[..length].copy_from_slice(&self.0[self.1..][..length]);
            self.1 = (self.1 + length) % self.0.len();
            Ok(length)
        }
    }
    impl Seek for Endless {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            self.1 = 0;
            Ok(0)
        }
    }
    let addressed = lines_of(&[ADDRESSED]);
    let addressed = addressed[36..].split_inclusive(|byte| *byte == b'\n').next().unwrap().to_vec().leak();
    for (source, reason, shown) in [
        (&b"\0"[..], "endless_line", "1 MiB"),
        (b"001 and so on", "endless_line", "1 MiB"),
        (b"\n", "too_many_faults", "100 000"),
        (b"0016101801234          01000000000000 K1980-01-01\n", "too_many_faults", "100 000"),
        (addressed, "too_many_faults", "100 000"),
    ] {
        // Told by lines of some length, so that the test is not about how fast little pieces are copied.
        let source = source.repeat(64 * 1024 / source.len() + 1).leak();
        let found = check(Endless(source, 0), options("std")).unwrap();
        let told = found.faults.iter().find(|fault| fault.reason.name() == reason);
        assert!(told.is_some_and(|fault| fault.to_string().contains(shown)), "{reason}: {:?}", found.faults);
        assert!(told.is_some_and(|fault| fault.reason.ends_reading()), "{reason}");
        if reason == "too_many_faults" {
            let line = 1 + source.iter().position(|byte| *byte == b'\n').unwrap() as u64;
            assert_eq!(found.bytes, found.lines * line, "the bytes of the lines that were looked at");
        }
        assert!(found.faults.len() <= 5 && find_family(&mut Endless(source, 0), &[], 100).is_ok());
    }
}

#[test]
fn the_list_of_faults_does_not_grow_with_the_lines_that_are_wrong() {
    // Every record number, known or not, with something wrong in every field.
    let wrong = |lines: u32| {
        let mut file = b"00000000000009999012026010520260102\n".to_vec();
        for at in 0..lines {
            let filling = ["x", "9", "-", "  x", "\u{e6}"][(at / 1000 % 5) as usize].repeat(120);
            file.extend_from_slice(format!("{:03}61018012{:02}{filling}\n", at % 1000, at / 5000 % 100).as_bytes());
        }
        file
    };
    let found =
        |lines, fault_limit| check(Cursor::new(wrong(lines)), CheckOptions { fault_limit, ..options("std") }).unwrap();
    let [few, many] = [10_000, 30_000].map(|lines| found(lines, usize::MAX));
    assert!(few.fault_count > 9_000 && many.fault_count > 2 * few.fault_count, "{}", many.fault_count);
    assert!(few.faults.len() > 50 && many.faults.len() < 2 * few.faults.len(), "{}", many.faults.len());
    let cut = found(30_000, 7);
    assert_eq!((cut.faults.len(), cut.fault_count), (7, many.fault_count));
    // Far more than are read on for: the end is told, and the list is what it was.
    let ended = found(120_000, usize::MAX);
    assert!((100_000..100_100).contains(&ended.fault_count) && ended.faults.len() < 2 * few.faults.len());
    assert!(ended.faults.iter().any(|fault| fault.reason == Reason::TooManyFaults));
}

#[test]
fn error_records_beyond_those_that_are_kept_are_counted() {
    let mut file = lines_of(&[PERSON]);
    let echo = format!("910{:<10}{:<75}8495annulleret\n", "", "06OP1234");
    file.extend_from_slice(echo.repeat(100_003).as_bytes());
    let found = checked(&file);
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!((found.input_errors.len(), found.input_errors_beyond), (100_000, 3));
    assert_eq!(found.records[&910], 100_003);
}

#[test]
fn rows_behind_the_persons_are_asked_of_those_who_stand_before() {
    // The second 003 is of somebody whose 001 comes later.
    let found = checked(&lines_of(&[PERSON, ADDRESSED, "0036101801235Anden", OTHER]));
    assert!(found.is_sound() || found.faults.iter().all(|fault| fault.reason == Reason::NoPerson));
    let rows = [PERSON, "0037212554441 Fremmed", OTHER, ADDRESSED, "0037212554441 Fremmed", "0037212554441 Fremmed"];
    let found = checked(&lines_of(&rows));
    let [fault] = found.faults[..] else { panic!("{:?}", found.faults) };
    assert_eq!((fault.line, fault.reason, fault.more, found.fault_count), (3, Reason::NoPerson, 2, 3));
    let waive = Waive { rows_without_person: true, ..Waive::default() };
    let bytes = lines_of(&rows);
    let found = check(Cursor::new(&bytes), CheckOptions { waive, ..options("std") }).unwrap();
    assert_eq!((found.is_sound(), found.waived), (true, 3));
    assert_eq!(groups(Cursor::new(&bytes), &found, 1).len(), 2);
}

#[test]
fn too_many_rows_behind_the_persons_are_told_where_they_are_too_many() {
    let other: Vec<String> = (0..501).map(|_| "0036101801235Prøve Person".to_owned()).collect();
    let mut rows = vec![PERSON, OTHER, ADDRESSED];
    rows.extend(other.iter().map(String::as_str));
    let found = checked(&lines_of(&rows));
    let [fault] = found.faults[..] else { panic!("{:?}", found.faults) };
    assert_eq!((fault.line, fault.record, fault.reason), (505, Some(3), Reason::TooManyRows));
}

#[test]
fn addressing_rows_count_wherever_they_stand_since_an_export_has_them_behind() {
    let first_too_many = |with_person: usize, behind: usize| {
        let mut rows = vec![OTHER];
        rows.extend(std::iter::repeat_n("0036101801235Prøve Person", with_person));
        rows.push("0016101801237          01000000000000 K1980-01-01 1980-01-01");
        rows.extend(std::iter::repeat_n("0036101801235Prøve Person", behind));
        let found = checked(&lines_of(&rows));
        assert!(found.faults.iter().all(|fault| fault.reason == Reason::TooManyRows), "{:?}", found.faults);
        found.faults.first().map(|fault| (fault.line, found.fault_count))
    };
    // The start record and the 001 stand before them, the next person between.
    assert_eq!(first_too_many(500, 0), None);
    assert_eq!(first_too_many(502, 0), Some((503, 2)));
    assert_eq!(first_too_many(1, 499), None);
    assert_eq!(first_too_many(1, 500), Some((504, 1)));
    assert_eq!(first_too_many(300, 201), Some((504, 1)));
    assert_eq!(first_too_many(500, 1), Some((504, 1)));
}

/// What is wrong, the file, and the lines in which it is told by which word.
type Faulty = (&'static str, Vec<u8>, &'static [(u64, &'static str)]);

#[test]
fn each_kind_of_fault_is_told_in_the_line_where_it_is() {
    let start = b"00000000000001234012026010520260102\n".len();
    let sound = lines_of(&[PERSON, OTHER]);
    let end = sound.len() - b"999999999999900000002\n".len();
    let with = |parts: &[&[u8]]| parts.concat();
    let row = |row: &str| lines_of(&[PERSON, row, OTHER]);
    let found: [Faulty; 19] = [
        ("nothing is wrong", sound.clone(), &[]),
        ("no byte", Vec::new(), &[(1, "empty")]),
        ("no start", sound[start..].to_vec(), &[(1, "no_start_record")]),
        (
            "a start without a day",
            with(&[b"00000000000001234012026O10520260102\n", &sound[start..]]),
            &[(1, "not_a_date")],
        ),
        ("an end without a number", with(&[&sound[..end], b"99999999999990000000x\n"]), &[(4, "not_a_number")]),
        ("letters in UTF-8", row("0036101801234Pr\u{c3}\u{b8}ve Person"), &[(3, "utf8")]),
        (
            "signs that come behind the digits",
            with(&[&sound[..end], b"00:6101801234\n00;6101801234\n0\x8A06101801234\n999999999999900000005\n"]),
            &[(4, "unknown_record")],
        ),
        ("two starts", with(&[&sound[..start], &sound]), &[(2, "second_start_record")]),
        ("no end", sound[..end].to_vec(), &[(3, "truncated")]),
        ("a row behind the end", with(&[&sound, PERSON.as_bytes(), b"\n"]), &[(5, "data_after_end")]),
        ("two ends", with(&[&sound, &sound[end..]]), &[(5, "data_after_end")]),
        ("an empty line", with(&[&sound[..start], b"\n", &sound[start..]]), &[(2, "empty_line")]),
        ("a row of somebody else", row("0997212554441202601051000P02"), &[(3, "no_person_record")]),
        ("a row of nobody", row("0010000000000"), &[(3, "not_a_pnr")]),
        ("a day that no month has", row("0019901801234"), &[(3, "not_a_pnr")]),
        ("a status of letters", row("0016101801236          0x"), &[(3, "not_a_number")]),
        ("a number that is none", row("00161018012366101 01234"), &[(3, "not_a_related_pnr")]),
        ("a row away from its person", lines_of(&[PERSON, OTHER, EVENT]), &[(4, "scattered_person")]),
        ("a counter of other lines", counting(lines_of(&[PERSON]), 7), &[(3, "wrong_count")]),
    ];
    for (what, bytes, expected) in found {
        let found = checked(&bytes);
        let told: Vec<(u64, &str)> = found.faults.iter().map(|fault| (fault.line, fault.reason.name())).collect();
        let lines: u64 = found.faults.iter().map(|fault| 1 + fault.more).sum();
        assert_eq!((told, found.fault_count), (expected.to_vec(), lines), "{what}");
        assert_eq!(found.is_sound(), expected.is_empty(), "{what}");
    }
    // However little of the row is there.
    for nobody in ["0010000000000", &PERSON.replace(PERSONS[0], "9901801234")] {
        let nobody = checked(&row(nobody));
        assert_eq!(nobody.faults.first().and_then(|fault| fault.field), Some("PNR"), "told by the field");
    }
    assert_eq!(checked(&sound).records, [(0, 1), (1, 2), (999, 1)].into(), "records that are there");
    let rows = lines_of(&[PERSON, EVENT, OTHER]);
    for (chosen, told) in [(&[1, 99][..], None), (&[1], Some((3, Some(99), Reason::NotChosen)))] {
        let found = check(Cursor::new(&rows), CheckOptions { chosen: Some(chosen), ..options("std") }).unwrap();
        let first = found.faults.first().map(|fault| (fault.line, fault.record, fault.reason));
        assert_eq!(first, told);
    }
}

#[test]
fn signs_that_are_no_digits_are_told_wherever_they_stand_in_a_number_and_however_many_they_are() {
    for (family, record) in Family::all().iter().flat_map(|family| family.records().map(|record| (family.name, record)))
    {
        if !matches!(record.role, Role::Fact(..)) {
            continue;
        }
        let mut empty = Vec::new();
        record.render(Some(pnr(PERSONS[0])), Values::new(&[]), &mut empty);
        empty.resize(record.length, b' ');
        for column in record.columns.iter().filter(|column| !matches!(column.format, Format::Text | Format::Flag)) {
            let (start, length) = (column.start, column.length);
            for bad in (0..length).map(|at| at..at + 1).chain(std::iter::once(0..length)) {
                let mut line = empty.clone();
                line[start..start + length].fill(b'1');
                line[start..][bad.clone()].fill(b'x');
                let misfit = check_line(record, &line, &mut None).unwrap_err();
                assert_eq!(misfit.0, Some(column.name), "{family} {:03} {bad:?}", record.number);
            }
        }
    }
}

#[test]
fn the_runs_of_a_start_record_were_on_days_of_the_calendar() {
    let sound = lines_of(&[PERSON, OTHER]);
    let with_days = |days: &str| {
        let mut bytes = sound.clone();
        bytes[19..35].copy_from_slice(days.as_bytes());
        let found = checked(&bytes);
        found.faults.iter().map(|fault| fault.to_string()).collect::<Vec<_>>()
    };
    let told = |field: &str| format!("line 1 (byte 0), record 000, {field}: neither blank nor a date");
    let [this, before] = ["PRODDTO", "PRODDTOFORRIG"].map(told);
    let cases: [(&str, &[&String]); 11] = [
        ("2026010520260102", &[]),
        ("2024022920240228", &[]),
        // No run before it.
        ("2026010500000000", &[]),
        ("0000000000000000", &[&this]),
        ("2026019920260102", &[&this]),
        ("2026022920260102", &[&this]),
        ("2026010020260102", &[&this]),
        ("2026130520260102", &[&this]),
        ("2026010520260199", &[&before]),
        ("2026010520260000", &[&before]),
        ("2026043120260230", &[&this, &before]),
    ];
    for (days, expected) in cases {
        assert_eq!(with_days(days).iter().collect::<Vec<_>>(), expected, "{days}");
    }
}

/// With another number of records in the last line.
fn counting(mut bytes: Vec<u8>, records: u32) -> Vec<u8> {
    let at = bytes.len() - 9;
    bytes[at..at + 8].copy_from_slice(format!("{records:08}").as_bytes());
    bytes
}

#[test]
fn what_is_waived_or_ignored_is_no_fault_and_counts_all_the_same() {
    let wrong_count = counting(lines_of(&[PERSON]), 7);
    let waive = Waive { wrong_count: true, ..Waive::default() };
    let found = check(Cursor::new(&wrong_count), CheckOptions { waive, ..options("std") }).unwrap();
    assert_eq!((found.is_sound(), found.waived), (true, 1), "a counter of other lines");

    let new = lines_of(&[PERSON, "8771234 something new", OTHER]);
    let ignoring = || CheckOptions { ignored: &[877], ..options("std") };
    let found = check(Cursor::new(&new), ignoring()).unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    let behind = [&new[..], b"8771234 something new\n"].concat();
    let found = check(Cursor::new(&behind), ignoring()).unwrap();
    let told: Vec<_> = found.faults.iter().map(|fault| (fault.line, fault.record, fault.reason)).collect();
    assert_eq!(told[0], (6, Some(877), Reason::AfterEnd));

    // What the customer sent in comes back as it is, in whatever code page.
    let mut echo = format!("910{:<10}{:<75}8495annulleret\n", "", "06OP1234").into_bytes();
    echo[60] = 0x9B;
    let found = checked(&[&lines_of(&[PERSON])[..], &echo].concat());
    assert_eq!((found.is_sound(), found.odd_characters), (true, 1));
}

#[test]
fn receipts_are_counted_and_belong_to_nobody() {
    let family = Family::all().iter().find(|family| family.records().any(|row| row.role == Role::Receipt));
    let family = family.expect("deltas bring receipts");
    let receipt = family.records().find(|row| row.role == Role::Receipt).expect("it was found");
    let mut line = Vec::new();
    receipt.compose(Some(pnr(PERSONS[2])), &[], &mut line).unwrap();
    let line = String::from_utf8(line).unwrap();
    let bytes = lines_of(&[PERSON, &line, &line]);
    let found = check(Cursor::new(&bytes), CheckOptions { family, ..options("std") }).unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!((found.receipts, found.persons), (2, 1));
}

#[test]
fn rows_of_a_kind_that_a_person_has_once_are_counted_where_there_are_more() {
    let (row, event, child) = ("01061018012345100199103201299*", EVENT, "0146101801234");
    for (rows, doubled) in [
        (&[PERSON, row][..], 0),
        (&[PERSON, child, row, child, child], 0),
        (&[PERSON, row, row], 1),
        (&[PERSON, row, row, row], 2),
        (&[PERSON, row, event, event], 0),
        (&[PERSON, row, row, PERSON, row, row], 1),
    ] {
        let found = checked(&lines_of(rows));
        assert!(found.is_sound(), "{:?}", found.faults);
        assert_eq!(found.doubled_rows, doubled, "{rows:?}");
    }
}

#[test]
fn a_file_fits_the_family_of_which_every_line_is_a_record() {
    let sound = lines_of(&[PERSON, OTHER]);
    let fits = |bytes: &[u8]| fits_family(&mut Cursor::new(bytes), family("std"), &[877]).unwrap();
    assert!(fits(&sound));
    assert!(fits(&[&sound[..], b"877 something new\n"].concat()));
    assert!(!fits(&[&sound[..], b"876 something new\n"].concat()));
    assert!(!fits(b""), "no line is a line of no family");
    assert!(family("std") == family("std") && family("std") != family("full"));
}

//! How much of everything is read and kept, and what is told of one more.

use std::io::{Cursor, Read, Seek};

use super::faults::{ADDRESSED, EVENT, OTHER, PERSON, lines_of};
use super::{PERSONS, checked, family, groups, options, pnr};
use crate::{CheckOptions, Groups, Item, Reason, check, records};

/// Line and number of the faults of the only kind there is.
fn only_kind(bytes: &[u8]) -> (u64, Reason, u64) {
    let found = checked(bytes);
    let [fault] = found.faults[..] else { panic!("{:?}", found.faults) };
    (fault.line, fault.reason, found.fault_count)
}

#[test]
fn a_person_has_65_000_rows_and_no_more() {
    let rows = |count: usize| lines_of(&[&[PERSON][..], &vec![EVENT; count - 1]].concat());
    assert!(checked(&rows(65_000)).is_sound());
    // The start record stands before them.
    assert_eq!(only_kind(&rows(65_002)), (65_002, Reason::TooManyRows, 2));
}

#[test]
fn persons_who_stand_in_a_file_again_are_compared_and_those_behind_the_first_100_000_refused() {
    let again = |count: usize| lines_of(&vec![PERSON; count + 1]);
    let found = checked(&again(100_000));
    assert_eq!((found.is_sound(), found.repeated_persons), (true, 100_000));
    assert_eq!(only_kind(&again(100_002)), (100_003, Reason::RepeatedPerson, 2));
}

#[test]
fn behind_more_than_100_000_faults_nothing_is_read() {
    for (faults, is_ended) in [(100_000, false), (100_001, true)] {
        let found = checked(&lines_of(&[&[PERSON][..], &vec!["888"; faults]].concat()));
        let ended = found.faults.iter().any(|fault| fault.reason == Reason::TooManyFaults);
        assert_eq!((ended, found.lines), (is_ended, faults as u64 + if is_ended { 2 } else { 3 }));
    }
}

#[test]
fn behind_500_addressing_rows_for_each_person_and_one_more_all_are_refused() {
    let of_other = ADDRESSED.replace(PERSONS[0], PERSONS[1]);
    for (rows, faults) in [(1500, 1000), (1501, 1002)] {
        let rows = [&[PERSON, OTHER][..], &vec![ADDRESSED; rows], &[&of_other]].concat();
        // The start record and two persons stand before them: told is the first, though it is found out last.
        assert_eq!(only_kind(&lines_of(&rows)), (504, Reason::TooManyRows, faults));
    }
}

#[test]
fn what_stands_behind_the_end_is_a_trailer_of_1024_bytes_or_no_trailer() {
    let with = |bytes: usize| [lines_of(&[PERSON]), vec![b'\n'; bytes]].concat();
    let found = checked(&with(1024));
    assert_eq!((found.is_sound(), found.style.trailer.len()), (true, 1024));
    let found = checked(&with(1025));
    let told: Vec<_> = found.faults.iter().map(|fault| (fault.line, fault.reason)).collect();
    assert_eq!(told, [(4, Reason::EmptyLine)]);
}

#[test]
fn a_line_that_is_one_sign_too_long_is_told_wherever_it_stands() {
    let full = format!("{PERSON:width$}", width = family("std").record(1).unwrap().length);
    let too_long = Some((2, Reason::TooLong, 1));
    // More blanks than are looked at for the end of a line, in a file that is in memory as a whole and in one that is not.
    let blanks = &" ".repeat(20_000);
    for (behind, told) in [("", None), (" ", None), ("x", too_long), (blanks, too_long)] {
        let row = format!("{full}{behind}");
        for events in [1, 1000, 20_000] {
            let found = checked(&lines_of(&[&[row.as_str()][..], &vec![EVENT; events]].concat()));
            assert_eq!(found.faults.first().map(|fault| (fault.line, fault.reason, found.fault_count)), told);
        }
    }
}

#[test]
fn a_line_with_more_blanks_than_are_looked_at_is_too_long_where_it_begins_the_last_part_of_a_buffer_too() {
    // The start record and 62 rows fill what is read at once, but for what is looked at for the end of a line.
    let mut rows = vec![format!("{EVENT:4095}"); 62];
    rows[0] = format!("{PERSON:width$}", width = 4095 - b"00000000000001234012026010520260102\n".len());
    rows.extend([format!("{OTHER:20000}"), EVENT.replace(PERSONS[0], PERSONS[1])]);
    let bytes = lines_of(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(bytes.iter().take(256 * 1024 - 8 * 1024).filter(|byte| **byte == b'\n').count(), 63);
    assert_eq!(bytes[256 * 1024 - 8 * 1024 - 1], b'\n');
    assert_eq!(only_kind(&bytes), (64, Reason::TooLong, 1));
}

#[test]
fn a_line_of_a_mebibyte_is_too_long_and_one_of_more_has_no_end() {
    for (bytes, reason) in [(1 << 20, Reason::UnknownRecord), ((1 << 20) + 256 * 1024 + 1, Reason::EndlessLine)] {
        let line = [vec![b'x'; bytes], b"\n".to_vec()].concat();
        let mut lines = records(Cursor::new(&line), family("std"), &[]);
        let Some(Item::Fault(fault, _)) = lines.next_item().unwrap() else { panic!("a line of {bytes} bytes") };
        assert_eq!(fault.reason, reason, "{bytes} bytes");
        assert!(lines.next_item().unwrap().is_none());
    }
}

#[test]
fn behind_what_ends_the_reading_nothing_comes() {
    let rows = lines_of(&vec![EVENT; 1000]);
    let foreign = [b"\xEF\xBB\xBF", &rows[..]].concat();
    // What is given up begins where a reading of 256 KiB does: lines stand there that would be records.
    let endless = [b"x".repeat(5 * 256 * 1024), rows].concat();
    for (bytes, reason) in [(foreign, Reason::ByteOrderMark), (endless, Reason::EndlessLine)] {
        let mut lines = records(Cursor::new(&bytes), family("std"), &[]);
        assert!(matches!(lines.next_item().unwrap(), Some(Item::Fault(fault, _)) if fault.reason == reason));
        assert!(lines.next_item().unwrap().is_none() && lines.next_item().unwrap().is_none(), "{reason}");
    }
}

/// Tells of each read how much was asked for, and fails or goes on once somebody has gone back.
struct Watched<R> {
    source: R,
    seeks: usize,
    most: usize,
    fails: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.fails && self.seeks > 1 {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        assert!(buffer.len() <= self.most, "{} bytes at once", buffer.len());
        self.source.read(buffer)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.seeks += 1;
        self.source.seek(to)
    }
}

#[test]
fn addresses_are_read_again_a_part_at_a_time_and_an_error_is_told() {
    let rows: Vec<String> = (0..3000).map(|at| format!("001610180{at:04}          01000000000000 K")).collect();
    let addresses = rows.iter().map(|row| format!("003{}Vej", &row[3..13]));
    let rows: Vec<String> = rows.iter().cloned().chain(addresses).collect();
    let bytes = lines_of(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let found = checked(&bytes);
    assert!(found.is_sound(), "{:?}", found.faults);
    let watched = |fails| Watched { source: Cursor::new(&bytes), seeks: 0, most: 256 * 1024, fails };
    let read = groups(watched(false), &found, 3000);
    assert!(read.len() == 3000 && read.iter().all(|group| group.facts(1).len() == 2));
    let failed = Groups::new(watched(true), &found, &[]).unwrap().next_chunk(&mut Vec::new(), 3000);
    assert_eq!(failed.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn what_has_changed_far_behind_the_persons_is_seen() {
    let mut bytes = lines_of(&[PERSON, OTHER]);
    bytes.extend(format!("910{:<10}{:<75}8495annulleret\n", "", "06OP1234").repeat(8000).bytes());
    let found = checked(&bytes);
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!(groups(Cursor::new(&bytes), &found, 2).len(), 2);
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    let mut reader = Groups::new(Cursor::new(&bytes), &found, &[]).unwrap();
    assert!(reader.next_chunk(&mut Vec::new(), 9).is_err());
}

#[test]
fn of_a_file_that_breaks_off_the_persons_are_there_who_came() {
    for (rows, lengths) in [(&[PERSON, OTHER][..], [1, 1]), (&[PERSON, OTHER, ADDRESSED], [2, 1])] {
        let whole = lines_of(rows);
        let broken_off = whole[..whole.len() - b"999999999999900000002\n".len()].to_vec();
        let with_trailer = [&whole[..], b"\x1a"].concat();
        for bytes in [whole, broken_off, with_trailer] {
            let read = groups(Cursor::new(&bytes), &checked(&bytes), 9);
            let rows: Vec<usize> = read.iter().map(|group| group.facts(1).len()).collect();
            assert_eq!(rows, lengths, "{rows:?}");
        }
    }
}

#[test]
fn three_signs_that_are_no_digits_are_no_record_number_whatever_is_ignored() {
    for row in ["0:16101801234", ":016101801234", "00:6101801234"] {
        let bytes = lines_of(&[PERSON, row, OTHER]);
        let options = CheckOptions { ignored: &[10, 101, 1001], ..options("std") };
        let found = check(Cursor::new(&bytes), options).unwrap();
        let told: Vec<_> = found.faults.iter().map(|fault| (fault.line, fault.record, fault.reason)).collect();
        assert_eq!(told, [(3, None, Reason::UnknownRecord)], "{row}");
    }
}

#[test]
fn rows_of_strangers_that_are_waived_are_left_out_and_those_around_them_are_not() {
    let stranger = "0037212554441 Fremmed";
    let waive = crate::Waive { rows_without_person: true, ..crate::Waive::default() };
    let (of_other, third) = (ADDRESSED.replace(PERSONS[0], PERSONS[1]), PERSON.replace(PERSONS[0], "6101801236"));
    for (rows, waived, expected) in [
        (
            &[PERSON, stranger, EVENT, "0997212554441202601051000P02", EVENT, OTHER, stranger][..],
            3,
            &[(1, 2), (1, 0)][..],
        ),
        // Behind somebody else's row the person's own are those that stand behind, once.
        (&[OTHER, PERSON, &of_other, stranger, ADDRESSED, &third], 1, &[(2, 0), (2, 0), (1, 0)]),
    ] {
        let bytes = lines_of(rows);
        let found = check(Cursor::new(&bytes), CheckOptions { waive, ..options("std") }).unwrap();
        assert_eq!((found.is_sound(), found.waived), (true, waived), "{:?}", found.faults);
        let read = groups(Cursor::new(&bytes), &found, 9);
        let told: Vec<_> = read.iter().map(|group| (group.facts(1).len(), group.events().len())).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn addressing_rows_of_others_between_two_persons_are_each_their_persons_own_once() {
    let (of_other, third) = (ADDRESSED.replace(PERSONS[0], PERSONS[1]), PERSON.replace(PERSONS[0], PERSONS[2]));
    let bytes = lines_of(&[PERSON, OTHER, ADDRESSED, &of_other, &third]);
    let found = checked(&bytes);
    assert!(found.is_sound(), "{:?}", found.faults);
    let read = groups(Cursor::new(&bytes), &found, 9);
    let told: Vec<_> = read.iter().map(|group| (group.key(), group.facts(1).len())).collect();
    let of = |at: usize, rows| (pnr(PERSONS[at]).key().unwrap(), rows);
    assert_eq!(told, [of(0, 2), of(1, 2), of(2, 1)]);
    // Somebody else's equal groups take nothing of whoever has several.
    let bytes = lines_of(&[PERSON, EVENT, PERSON, EVENT, OTHER, ADDRESSED, &of_other, &of_other]);
    let found = checked(&bytes);
    assert!(found.is_sound(), "{:?}", found.faults);
    let read = groups(Cursor::new(&bytes), &found, 9);
    assert_eq!(read.iter().map(|group| group.facts(1).len()).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn rows_behind_that_do_not_follow_one_another_are_told_in_their_own_lines() {
    let stranger = "0037212554441 Fremmed";
    let scattered = EVENT;
    let rows = [PERSON, OTHER, ADDRESSED, scattered, stranger, ADDRESSED, scattered, stranger, stranger];
    let found = checked(&lines_of(&rows));
    let told: Vec<_> = found.faults.iter().map(|fault| (fault.line, fault.last_line, fault.reason)).collect();
    assert_eq!(told, [(5, 8, Reason::ScatteredPerson), (6, 10, Reason::NoPerson)]);
}

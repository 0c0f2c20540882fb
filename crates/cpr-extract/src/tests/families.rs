//! Of which family a file is, where nobody says it.

use std::io::Cursor;

use cpr_model::{Aspect, Date};

use super::{PERSONS, extract, family, options, pnr};
use crate::{CheckOptions, ExtractWriter, Format, Reason, Style, check, find_family};

#[test]
fn the_family_is_found_when_one_fits_and_doubt_is_told() {
    let bytes = extract(Style::default());
    assert_eq!(find_family(&mut Cursor::new(&bytes), &[], u64::MAX).unwrap().unwrap().name, "std");
    let frame = b"00000000000001234012026010520260102\n999999999999900000000\n";
    assert_eq!(find_family(&mut Cursor::new(frame), &[], u64::MAX).unwrap().unwrap_err(), ["std", "full"]);
    // By the first line nothing is told apart, and by two it is.
    assert_eq!(find_family(&mut Cursor::new(&bytes), &[], 1).unwrap().unwrap_err(), ["std", "full"]);
    assert_eq!(find_family(&mut Cursor::new(&bytes), &[], 2).unwrap().unwrap().name, "std");
}

#[test]
fn a_file_that_fits_no_family_is_of_the_first_that_the_fewest_lines_misfit() {
    let date = Date::from_digits(2026_01_05).unwrap();
    for (name, closest) in [("full", "full"), ("std", "std")] {
        let mut writer = ExtractWriter::new(Vec::new(), family(name), Style::default(), "123401", date, date).unwrap();
        for person in PERSONS {
            let longest = family(name).records().max_by_key(|record| record.length).unwrap();
            let last = longest.columns.iter().rfind(|column| column.format == Format::Text).unwrap();
            writer.record(1, pnr(person), &[("STATUS", "01")]).unwrap();
            writer.record(longest.number, pnr(person), &[(last.name, "x")]).unwrap();
        }
        writer.line(b"888 what is this").unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(find_family(&mut Cursor::new(&bytes), &[], u64::MAX).unwrap().unwrap().name, closest);
    }
    let unknown = b"00000000000001234012026010520260102\n888 what is this\n999999999999900000001\n";
    assert_eq!(find_family(&mut Cursor::new(unknown), &[], u64::MAX).unwrap().unwrap().name, "std");
}

#[test]
fn an_empty_file_is_told_as_empty_and_not_as_a_doubt() {
    let family = find_family(&mut Cursor::new(b""), &[], u64::MAX).unwrap().unwrap();
    let found = check(Cursor::new(b""), CheckOptions { family, ..options("std") }).unwrap();
    assert_eq!(found.faults[0].reason, Reason::Empty);
}

#[test]
fn a_variant_is_found_by_what_only_it_has() {
    let date = Date::from_digits(2026_01_05).unwrap();
    let person = pnr(PERSONS[0]);
    for (name, number, fields) in [
        ("uuid", 2, [("ADRESSE_UUID", "0a3f50b8-0000-32b8-e044-0003ba298018")]),
        ("2022", 52, [("VAERGEMAALS_TYPE", "DELVIS")]),
        ("u12180", 33, [("PNRBARN", "6101801235")]),
    ] {
        let mut writer = ExtractWriter::new(Vec::new(), family(name), Style::default(), "123401", date, date).unwrap();
        writer.record(1, person, &[("STATUS", "01")]).unwrap();
        writer.record(number, person, &fields).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(find_family(&mut Cursor::new(&bytes), &[], u64::MAX).unwrap().unwrap().name, name);
    }
}

#[test]
fn which_records_tell_of_what_is_said_by_the_family() {
    use Aspect::{Citizenship, Event, MotherAddress, Name, Parents, Person};
    let std: &[(Aspect, &[u16])] =
        &[(Person, &[1]), (Name, &[8, 26]), (Citizenship, &[10, 27]), (Parents, &[15]), (Event, &[99])];
    // Who the mother is stands in the record of where she lives, too.
    let u12180: &[(Aspect, &[u16])] = &[(Person, &[1]), (MotherAddress, &[31]), (Parents, &[15, 31]), (Event, &[99])];
    // The person's own record names the parents.
    let full: &[(Aspect, &[u16])] =
        &[(Person, &[1]), (Name, &[20, 21]), (Citizenship, &[40, 41]), (Parents, &[1]), (Event, &[900])];
    for (name, told) in [("std", std), ("uuid", std), ("2022", std), ("u12180", u12180), ("full", full)] {
        for (aspect, records) in told {
            assert_eq!(family(name).records_of(*aspect), *records, "{name} {aspect:?}");
        }
    }
}

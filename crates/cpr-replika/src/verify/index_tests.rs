//! Each damage to the tables that persons are found by, done on purpose.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::{Date, Pnr};
use redb::{ReadableTable, WriteTransaction};

use super::*;
use crate::apply::ApplyOptions;
use crate::index::words::seal_row;
use crate::replika::Replika;
use crate::store::config::Config;
use crate::store::tables::{SETS as SETS_TABLE, WORDS as WORDS_TABLE};

const PERSONS: [&str; 3] = ["6101801231", "6101801240", "6102850015"];

/// A store of three persons who live in one street and bear one surname.
fn store() -> Replika {
    let family = Family::named("std").unwrap();
    let replika = Replika::in_memory(&Config { family: Some(family), ..Config::default() }).unwrap();
    let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
    let [today, before] = [2026_01_02, 2026_01_01].map(|digits| Date::from_digits(digits).unwrap());
    let mut writer = ExtractWriter::new(Vec::new(), family, style, "123401", today, before).unwrap();
    for (at, pnr) in PERSONS.into_iter().enumerate() {
        let pnr = Pnr::parse(pnr.as_bytes()).unwrap();
        writer.record(1, pnr, &[("STATUS", "01")]).unwrap();
        let house = format!("{:03}", 9 - at);
        let address =
            [("KOMKOD", "0101"), ("VEJKOD", "0042"), ("HUSNR", house.as_str()), ("TILFLYDTO", "202001010000")];
        writer.record(2, pnr, &address).unwrap();
        writer.record(4, pnr, &[("BESKYTTYPE", "0001"), ("SLET_DT-BESKYTTELSE", "2026-04-31")]).unwrap();
        writer.record(8, pnr, &[("FORNVN", "Kim"), ("EFTERNVN", "Madeup")]).unwrap();
    }
    replika.apply(Cursor::new(writer.finish().unwrap()), &ApplyOptions::named("made up")).unwrap();
    assert_eq!(replika.snapshot().verify().unwrap().faults, []);
    replika
}

/// What a verification says of the store after a damage, and how often.
fn told_of(damage: impl Fn(&WriteTransaction)) -> (Vec<(&'static str, &'static str)>, u64) {
    let replika = store();
    replika
        .change(|write, _| {
            damage(write);
            Ok(())
        })
        .unwrap();
    let report = replika.snapshot().verify().unwrap();
    (report.faults.iter().map(|fault| (fault.table, fault.what)).collect(), report.fault_count)
}

/// Changes the rows of a kind of set; a row becomes none where the change says so.
fn change_sets(write: &WriteTransaction, kind: SetKind, change: impl Fn(Row) -> Option<Row>) {
    let mut table = write.open_table(SETS_TABLE).unwrap();
    let rows: Vec<(RowKey, Row)> = table
        .iter()
        .unwrap()
        .map(Result::unwrap)
        .filter(|(key, _)| key.value().0 == kind as u8)
        .map(|(key, sealed)| (key.value(), Row::open(key.value(), sealed.value()).unwrap()))
        .collect();
    assert!(!rows.is_empty());
    for (key, row) in rows {
        match change(row).and_then(|row| row.sealed(key)) {
            Some(sealed) => _ = table.insert(key, sealed.as_slice()).unwrap(),
            None => _ = table.remove(key).unwrap(),
        }
    }
}

const MISSING: &str = "a row is missing";
const OTHER: &str = "a row that is not what the documents say";
const UNCALLED: &str = "a row that no document calls for";

#[test]
fn a_row_that_lacks_holds_or_swaps_somebody_is_told() {
    let one = Pnr::parse(PERSONS[0].as_bytes()).and_then(|pnr| pnr.key()).unwrap().as_u32();
    let less = |row| {
        let Row::Set(mut set) = row else { unreachable!("a set") };
        set.remove(one);
        Some(Row::Set(set))
    };
    let more = |row| {
        let Row::Set(mut set) = row else { unreachable!("a set") };
        set.insert(one + 1);
        Some(Row::Set(set))
    };
    let moved = |row| {
        let Row::Street(mut entries) = row else { unreachable!("a street") };
        let [first, last] = [entries[0].1, entries[2].1];
        (entries[0].1, entries[2].1) = (last, first);
        Some(Row::Street(entries))
    };
    let turned = |row| {
        let Row::Street(mut entries) = row else { unreachable!("a street") };
        entries.reverse();
        Some(Row::Street(entries))
    };
    assert_eq!(told_of(|write| change_sets(write, SetKind::Municipality, less)), (vec![(name::SETS, OTHER)], 1));
    assert_eq!(told_of(|write| change_sets(write, SetKind::ProtectionEnd, less)), (vec![(name::SETS, OTHER)], 1));
    assert_eq!(told_of(|write| change_sets(write, SetKind::ProtectionEnd, more)), (vec![(name::SETS, OTHER)], 1));
    assert_eq!(told_of(|write| change_sets(write, SetKind::ProtectionEnd, |_| None)), (vec![(name::SETS, MISSING)], 1));
    assert_eq!(told_of(|write| change_sets(write, SetKind::Held, more)), (vec![(name::SETS, OTHER)], 2));
    assert_eq!(told_of(|write| change_sets(write, SetKind::Street, moved)), (vec![(name::SETS, OTHER)], 1));
    assert_eq!(told_of(|write| change_sets(write, SetKind::Street, turned)), (vec![(name::SETS, OTHER)], 1));
    assert_eq!(told_of(|write| change_sets(write, SetKind::Status, |_| None)), (vec![(name::SETS, MISSING)], 2));
}

#[test]
fn a_row_that_no_document_calls_for_is_told_empty_or_not() {
    let person = Pnr::parse(PERSONS[0].as_bytes()).and_then(|pnr| pnr.key()).unwrap();
    let key: RowKey = (SetKind::Citizenship as u8, 5100, crate::index::keys::year_of(person.as_u32()));
    let mut empty = Vec::new();
    crate::store::sealed::seal((u32::from(key.0) << 16 | u32::from(key.2), key.1), &[0, 0, 0, 0], &mut empty);
    let full = Row::Set([person.as_u32()].into_iter().collect()).sealed(key).unwrap();
    for sealed in [empty, full] {
        let told = told_of(|write| {
            write.open_table(SETS_TABLE).unwrap().insert(key, sealed.as_slice()).unwrap();
        });
        assert_eq!(told, (vec![(name::SETS, UNCALLED)], 1));
    }
}

#[test]
fn words_that_lack_hold_or_lose_somebody_are_told() {
    let first = |write: &WriteTransaction| {
        let table = write.open_table(WORDS_TABLE).unwrap();
        let (key, sealed) = table.first().unwrap().unwrap();
        let ((word, chunk), mut entries) = (key.value(), Vec::new());
        read_row((word, chunk), sealed.value(), |entry| entries.push(entry)).unwrap();
        (word.to_vec(), chunk, entries)
    };
    let put = |write: &WriteTransaction, (word, chunk): (&[u8], u8), entries: &[u64]| {
        let sealed = seal_row((word, chunk), entries).unwrap();
        write.open_table(WORDS_TABLE).unwrap().insert((word, chunk), sealed.as_slice()).unwrap();
    };
    let told = |what| (vec![(name::WORDS, what)], 1);
    assert_eq!(
        told_of(|write| {
            let (word, chunk, entries) = first(write);
            put(write, (&word, chunk), &entries[1..]);
        }),
        told(OTHER)
    );
    assert_eq!(
        told_of(|write| {
            let (word, chunk, mut entries) = first(write);
            entries[0] ^= 1;
            put(write, (&word, chunk), &entries);
        }),
        told(OTHER)
    );
    assert_eq!(
        told_of(|write| {
            let (word, chunk, _) = first(write);
            write.open_table(WORDS_TABLE).unwrap().remove((&*word, chunk)).unwrap();
        }),
        told(MISSING)
    );
    assert_eq!(
        told_of(|write| {
            let (_, chunk, entries) = first(write);
            put(write, (b"nobody", chunk), &entries);
        }),
        told(UNCALLED)
    );
}

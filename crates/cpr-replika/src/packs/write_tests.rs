//! What is not written to a pack.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::{Date, Pnr};
use redb::ReadableTable;

use crate::apply::ApplyOptions;
use crate::error::Error;
use crate::replika::Replika;
use crate::store::config::Config;
use crate::store::tables::{PERSONS, name};

const NUMBERS: [&str; 2] = ["6101801231", "6101801240"];

fn key(pnr: &str) -> u32 {
    Pnr::parse(pnr.as_bytes()).and_then(|pnr| pnr.key()).unwrap().as_u32()
}

/// An extract of one of the two persons or both, on the second or the third of January.
fn extract(day: u32, pnrs: &[&str]) -> Cursor<Vec<u8>> {
    let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
    let [today, before] = [2026_01_00 + day, 2026_01_00 + day - 1].map(|digits| Date::from_digits(digits).unwrap());
    let family = Family::named("std").unwrap();
    let mut writer = ExtractWriter::new(Vec::new(), family, style, "123401", today, before).unwrap();
    for pnr in pnrs {
        let pnr = Pnr::parse(pnr.as_bytes()).unwrap();
        writer.record(1, pnr, &[("STATUS", "01")]).unwrap();
        writer.record(8, pnr, &[("FORNVN", "Kim"), ("EFTERNVN", "Madeup")]).unwrap();
        writer.record(2, pnr, &[("KOMKOD", "0101"), ("HUSNR", &format!("{day:03}"))]).unwrap();
    }
    Cursor::new(writer.finish().unwrap())
}

/// Has a person's value stand under the other's key.
fn mistake(replika: &Replika) {
    let swapped = replika.change(|write, _| {
        let mut table = write.open_table(PERSONS)?;
        let value = table.get(key(NUMBERS[0]))?.unwrap().value().to_vec();
        table.insert(key(NUMBERS[1]), value.as_slice())?;
        Ok(())
    });
    swapped.unwrap();
}

#[test]
fn a_value_under_another_persons_key_gets_into_no_pack() {
    let folder = tempfile::tempdir().unwrap();
    let replika = Replika::in_memory(&Config { family: Family::named("std"), ..Config::default() }).unwrap();
    replika.load(extract(2, &NUMBERS), &ApplyOptions::named("load")).unwrap();
    assert!(replika.snapshot().write_pack(folder.path()).unwrap().is_base);
    replika.apply(extract(3, &NUMBERS), &ApplyOptions::named("night")).unwrap();
    mistake(&replika);
    let snapshot = replika.snapshot();
    let refused = |written: Result<_, Error>| match written {
        Err(Error::Corrupt { table, what }) => assert_eq!((table, what), (name::PERSONS, "checksum")),
        other => panic!("{other:?}"),
    };
    refused(snapshot.write_pack(folder.path()));
    refused(snapshot.write_base(folder.path()));
    // What stood there stands there still.
    let packed = crate::Packed::open(folder.path()).unwrap().snapshot();
    assert_eq!(packed.known().0, 1);
    for pnr in NUMBERS {
        assert!(packed.person(Pnr::parse(pnr.as_bytes()).unwrap()).unwrap().is_some());
    }
}

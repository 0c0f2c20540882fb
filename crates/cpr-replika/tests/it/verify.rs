//! A verification goes on behind damage, tells all of it, and tells the same of an open store as of its file.

use std::collections::BTreeSet;
use std::path::Path;

use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{EventCursor, Options, Place, Replika, VerifyFault, VerifyReport};

use crate::kit::{apply, config, extract_of_day};
use crate::subscriptions::subscribe;

const BLOCK: usize = 4096;
/// Blocks of the file before block 1: headers, roots, and the checks of the first group.
const BEFORE: usize = 4;

/// Persons enough that most tables have pages of their own, and all of them rows.
fn store_at(path: &Path) {
    let night = |day: usize| {
        let persons: Vec<(String, String)> = (1000..1250)
            .map(|serial| {
                let rows = format!(
                    "001 STATUS=01, KOEN=K\n002 KOMKOD=0751, VEJKOD=0042, HUSNR=0{day}, TILFLYDTO=20260{day}011200\n\
                     003 ADRNVN=Maja Mejse, STANDARDADR=Vej {serial}, POSTNR=8000\n\
                     008 FORNVN=Maja{serial}, EFTERNVN=Mejse, NVNHAENSTART=198001010000\n099 HAENDELSE=A01"
                );
                (format!("610180{serial}"), rows)
            })
            .collect();
        let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (&number[..], &rows[..])).collect();
        extract_of_day(day, &persons)
    };
    let replika = Replika::create(path, &config()).unwrap();
    apply(&replika, &night(1)).unwrap();
    let filters: Vec<String> = (1000..1250).map(|serial| format!("610180{serial}")).collect();
    let filters: Vec<&str> = filters.iter().map(|filter| &filter[..]).collect();
    subscribe(&replika, "desk", Profile::SF6002, &filters);
    replika.add_consumer("reader", EventCursor::BEGINNING).unwrap();
    apply(&replika, &night(2)).unwrap();
}

fn damage(sound: &[u8], blocks: &[usize]) -> Vec<u8> {
    let mut file = sound.to_vec();
    for block in blocks {
        file[block * BLOCK + 100] ^= 1;
    }
    file
}

fn verify(path: &Path) -> VerifyReport {
    Replika::verify_file(path, &Options::default()).unwrap()
}

/// The tables of which rows are told as lost.
fn lost(report: &VerifyReport) -> BTreeSet<&'static str> {
    report.faults.iter().filter(|fault| fault.what.starts_with("rows are lost")).map(|fault| fault.table).collect()
}

fn place(block: usize) -> Place {
    Place::Block((block - BEFORE) as u64)
}

/// The faults of rows, in an order of their own.
fn of_rows(report: &VerifyReport) -> BTreeSet<(&'static str, &'static str)> {
    report.faults.iter().filter(|fault| fault.place.is_none()).map(|fault| (fault.table, fault.what)).collect()
}

fn places(faults: &[VerifyFault]) -> Vec<Place> {
    faults.iter().filter_map(|fault| fault.place).collect()
}

fn has_twice(faults: &[VerifyFault]) -> bool {
    faults.iter().enumerate().any(|(at, fault)| faults[..at].contains(fault))
}

/// One block of each set of tables that can be lost with a block, and those tables.
fn a_block_of_each(path: &Path, sound: &[u8]) -> Vec<(usize, BTreeSet<&'static str>)> {
    let mut found: Vec<(usize, BTreeSet<&'static str>)> = Vec::new();
    let used = |block: &usize| sound[block * BLOCK..][..BLOCK].iter().any(|&byte| byte != 0);
    for block in (BEFORE + 1..sound.len() / BLOCK).filter(used) {
        std::fs::write(path, damage(sound, &[block])).unwrap();
        let report = verify(path);
        assert!(places(&report.faults).contains(&place(block)), "block {block}: {report:?}");
        let tables = lost(&report);
        if !tables.is_empty() && found.iter().all(|(_, others)| *others != tables) {
            found.push((block, tables));
        }
    }
    found
}

#[test]
fn no_fault_hides_another_and_an_open_store_is_told_of_as_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    store_at(&path);
    let sound = std::fs::read(&path).unwrap();
    let report = verify(&path);
    assert!(report.is_clean() && report.persons == 250, "{report:?}");

    let each = a_block_of_each(&path, &sound);
    let tables: BTreeSet<&str> = each.iter().flat_map(|(_, tables)| tables.iter().copied()).collect();
    assert!(tables.len() >= 8 && tables.contains("persons/v2") && tables.contains("deliveries/v1"), "{tables:?}");

    // All of them at once, but for blocks above others: each is told, and every table.
    let single: Vec<&(usize, BTreeSet<&str>)> = each.iter().filter(|(_, tables)| tables.len() == 1).collect();
    let blocks: Vec<usize> = single.iter().map(|(block, _)| *block).collect();
    let file = damage(&sound, &blocks);
    std::fs::write(&path, &file).unwrap();
    let report = verify(&path);
    for (block, tables) in &single {
        assert!(places(&report.faults).contains(&place(*block)), "block {block}: {report:?}");
        assert!(tables.is_subset(&lost(&report)), "{tables:?}: {report:?}");
    }
    assert!(report.persons > 100, "persons on other pages are read: {report:?}");
    assert!(std::fs::read(&path).unwrap() == file, "the file is left as it is");
    assert!(!has_twice(&report.faults), "a fault of many rows is told once: {report:?}");
    assert!(report.fault_count > report.faults.len() as u64, "and counted as often as it was found: {report:?}");

    // An open store, whose file is damaged in the same places.
    std::fs::write(&path, &sound).unwrap();
    let replika = Replika::open_with(&path, &Options { cache_bytes: 0, ..Options::default() }).unwrap();
    let before = std::fs::read(&path).unwrap();
    std::fs::write(&path, damage(&before, &blocks)).unwrap();
    let of_open = replika.snapshot().verify().unwrap();
    assert_eq!(of_rows(&of_open), of_rows(&report));
    let told: BTreeSet<u64> = places(&of_open.faults).into_iter().filter_map(number).collect();
    let all: BTreeSet<u64> = places(&report.faults).into_iter().filter_map(number).collect();
    assert_eq!(told, all);
    assert_eq!(of_open.persons, report.persons);

    // The other way round: what is mended is told by neither.
    std::fs::write(&path, &before).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(replika.snapshot().verify().unwrap().is_clean(), "the handle has opened its file anew");
    drop(replika);
    assert!(verify(&path).is_clean());
}

fn number(place: Place) -> Option<u64> {
    match place {
        Place::Block(block) => Some(block),
        _ => None,
    }
}

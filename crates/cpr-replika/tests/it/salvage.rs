//! What still opens of a damaged store is written, nothing else is, and what is missing is told.

use std::collections::BTreeSet;
use std::path::Path;

use cpr_replika::{Error, Options, Replika, SalvageOptions, SalvageReport};

use crate::kit::{apply, config, date, exported, extract_of_day, std_family};

const PERSONS: u64 = 300;
const BLOCK: usize = 4096;

fn night(day: usize) -> Vec<u8> {
    let persons: Vec<(String, String)> = (1000..1000 + PERSONS)
        .map(|serial| {
            let rows = format!(
                "001 STATUS=01, KOEN=K\n002 KOMKOD=0751, VEJKOD=0042, HUSNR=00{day}, TILFLYDTO=20260{day}011200\n\
                 003 ADRNVN=Maja Mejse, STANDARDADR=Vej {serial}\n\
                 008 FORNVN=Maja{serial}, EFTERNVN=Mejse, NVNHAENSTART=198001010000"
            );
            (format!("610180{serial}"), rows)
        })
        .collect();
    let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (&number[..], &rows[..])).collect();
    extract_of_day(day, &persons)
}

fn store_at(path: &Path, options: &Options) -> Vec<u8> {
    let replika = Replika::create_with(path, &config(), options).unwrap();
    apply(&replika, &night(1)).unwrap();
    apply(&replika, &night(2)).unwrap();
    exported(&replika)
}

fn salvage(path: &Path, options: &Options) -> Result<(SalvageReport, Vec<u8>), Error> {
    let mut out = Vec::new();
    let told = SalvageOptions { family: Some(std_family()), production_date: Some(date("2026-01-02")) };
    Replika::salvage(path, options, &told, &mut out).map(|report| (report, out))
}

fn lines(extract: &[u8]) -> BTreeSet<&[u8]> {
    extract.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"00") && !line.starts_with(b"000")).collect()
}

#[test]
fn of_a_sound_store_everybody_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let whole = store_at(&path, &Options::default());
    let mut out = Vec::new();
    let report = Replika::salvage(&path, &Options::default(), &SalvageOptions::default(), &mut out).unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.persons, report.persons_missing, report.persons_loose), (PERSONS, Some(0), 0));
    assert!(out == whole, "the same bytes as the export of a store that opens");
}

/// Damages each block of a store in turn.
fn try_each_block(options: &Options, path: &Path) {
    let whole = store_at(path, options);
    let sound = std::fs::read(path).unwrap();
    let (mut saved_all, mut saved_some, mut loose) = (0, 0, 0);
    for block in (5..sound.len() / BLOCK).filter(|&block| sound[block * BLOCK..][..BLOCK].iter().any(|&byte| byte != 0))
    {
        let mut damaged = sound.clone();
        damaged[block * BLOCK + 100] ^= 1;
        std::fs::write(path, &damaged).unwrap();
        let Ok((report, out)) = salvage(path, options) else { panic!("block {block}: nothing saved") };
        assert!(lines(&out).is_subset(&lines(&whole)), "block {block}: a line that was never there");
        let missing = report.persons_missing.unwrap_or(PERSONS - report.persons);
        assert_eq!(report.persons + missing, PERSONS, "block {block}: {report:?}");
        loose = loose.max(report.persons_loose);
        match report.persons {
            PERSONS => saved_all += 1,
            _ => {
                saved_some += 1;
                assert!(!report.places.is_empty() && report.gap_count > 0, "block {block}: {report:?}");
            }
        }
        assert!(std::fs::read(path).unwrap() == damaged, "the file is left as it is");
        let again = Replika::in_memory(&config()).unwrap();
        apply(&again, &out).unwrap();
        assert_eq!(exported(&again).len(), out.len(), "what is saved loads, and says the same");
    }
    assert!(saved_all > 10 && saved_some > 10, "{saved_all} and {saved_some}");
    assert_eq!(loose, PERSONS, "without the root, everybody is found on loose pages");
}

/// Salvages a store with these blocks damaged.
fn salvage_without(path: &Path, sound: &[u8], blocks: &[usize]) -> (SalvageReport, Vec<u8>) {
    let mut damaged = sound.to_vec();
    for block in blocks {
        damaged[block * BLOCK + 100] ^= 1;
    }
    std::fs::write(path, &damaged).unwrap();
    salvage(path, &Options::default()).unwrap()
}

#[test]
fn who_is_found_on_a_page_of_an_earlier_delivery_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = Replika::create(&path, &config()).unwrap();
    apply(&replika, &night(1)).unwrap();
    let earlier = exported(&replika);
    apply(&replika, &night(2)).unwrap();
    let latest = exported(&replika);
    drop(replika);
    let sound = std::fs::read(&path).unwrap();
    let used = |block: &usize| sound[block * BLOCK..][..BLOCK].iter().any(|&byte| byte != 0);
    let reports: Vec<(usize, SalvageReport)> = (5..sound.len() / BLOCK)
        .filter(used)
        .map(|block| (block, salvage_without(&path, &sound, &[block]).0))
        .collect();
    let find = |is: &dyn Fn(&SalvageReport) -> bool| -> Vec<usize> {
        reports.iter().filter(|(_, report)| is(report)).map(|(block, _)| *block).collect()
    };
    let lacks = |report: &SalvageReport, name: &str| {
        report.tables.iter().any(|table| table.name == name && table.found < table.rows)
    };
    // A page above all persons; pages of persons; and what says whom deliveries changed.
    let root = find(&|report| report.persons_loose == PERSONS && !report.tables.is_empty())[0];
    let leaves = find(&|report| report.persons < PERSONS && report.persons_loose == 0 && lacks(report, "persons/v2"));
    let changed = find(&|report| lacks(report, "changed/v1"))[0];
    for (block, report) in &reports {
        let is_told = !report.tables.is_empty() && !lacks(report, "changed/v1");
        assert_eq!(report.persons_outdated, 0, "block {block}: every page of persons is there, or was a leaf");
        assert!(report.persons_undecided == 0 || !is_told, "block {block}");
    }
    let (latest, earlier) = (lines(&latest), lines(&earlier));
    let mut outdated = 0;
    for leaf in leaves {
        let (report, out) = salvage_without(&path, &sound, &[root, leaf]);
        let of_before: BTreeSet<&[u8]> = lines(&out).difference(&latest).copied().collect();
        assert!(of_before.is_subset(&earlier));
        assert_eq!(of_before.is_empty(), report.persons_outdated == 0, "{report:?}");
        assert_eq!(report.persons_undecided, 0);
        outdated += report.persons_outdated;
        let (blind, _) = salvage_without(&path, &sound, &[root, leaf, changed]);
        assert_eq!((blind.persons_outdated, blind.persons_undecided), (0, report.persons_outdated), "{blind:?}");
    }
    assert!(outdated > 0, "some pages of the first delivery are still there");
}

const MENTIONED: u64 = 1500;

#[test]
fn tables_with_several_values_a_key_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    // So many persons mention one number that they stand in a tree of their own.
    let numbers: Vec<String> = (1000..1000 + MENTIONED).map(|serial| format!("610180{serial}")).collect();
    let rows = "001 PNRGAELD=6201802000, STATUS=60";
    let persons: Vec<(&str, &str)> = numbers.iter().map(|number| (&number[..], rows)).collect();
    let replika = Replika::create(&path, &config()).unwrap();
    apply(&replika, &extract_of_day(1, &persons)).unwrap();
    let counted = replika.snapshot().stats().unwrap();
    drop(replika);
    let sound = std::fs::read(&path).unwrap();
    let (report, _) = salvage(&path, &Options::default()).unwrap();
    let rows =
        |name: &str| report.tables.iter().find(|table| table.name == name).map(|table| (table.rows, table.found));
    assert_eq!(rows("numbers/v1"), Some((MENTIONED, MENTIONED)));
    assert_eq!(rows("followers/v1"), Some((0, 0)));
    assert_eq!(report.tables.len(), counted.tables.len());
    let used = |block: &usize| sound[block * BLOCK..][..BLOCK].iter().any(|&byte| byte != 0);
    let found = (5..sound.len() / BLOCK).filter(used).filter_map(|block| {
        let (report, _) = salvage_without(&path, &sound, &[block]);
        report.tables.iter().find(|table| table.name == "numbers/v1").map(|table| table.found)
    });
    let lowered: BTreeSet<u64> = found.filter(|found| *found < MENTIONED).collect();
    assert!(lowered.iter().any(|found| *found > 0), "a lost page costs what stood on it: {lowered:?}");
}

#[test]
fn whatever_block_is_damaged_the_persons_in_the_others_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    try_each_block(&Options::default(), &folder.path().join("store"));
}

#[cfg(feature = "encryption")]
#[test]
fn an_encrypted_store_is_salvaged_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let key = cpr_replika::KeyFile::create(folder.path().join("key")).unwrap();
    let options = Options { key: Some(std::sync::Arc::new(key)), ..Options::default() };
    let whole = store_at(&path, &options);
    assert!(matches!(salvage(&path, &Options::default()), Err(Error::KeyNeeded)));
    assert!(salvage(&path, &options).unwrap().1 == whole);
}

#[test]
fn what_is_damage_is_told_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    store_at(&path, &Options::default());
    let sound = std::fs::read(&path).unwrap();
    // One copy of either header is enough.
    for copy in 0..4 {
        let mut damaged = sound.clone();
        damaged[copy * BLOCK + 30] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(salvage(&path, &Options::default()).unwrap().0.persons, PERSONS, "copy {copy}");
    }
    for header in [0, 2] {
        let mut damaged = sound.clone();
        damaged[header * BLOCK + 30] ^= 1;
        damaged[(header + 1) * BLOCK + 30] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert!(matches!(salvage(&path, &Options::default()), Err(Error::Damaged { .. })));
        assert!(matches!(Replika::open(&path), Err(Error::Damaged { .. })), "and not as no store");
    }
    std::fs::write(&path, "something else").unwrap();
    assert!(matches!(salvage(&path, &Options::default()), Err(Error::NotAStore)));
}

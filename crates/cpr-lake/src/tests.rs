//! Lakes of a made-up Denmark: what is added night by night is what is written at once, and what is refused. That
//! engines read them, and what they find, is checked with DuckDB and DataFusion (`.ci/lake`).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};

use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Key, Replika, Snapshot};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::{Error, LakeOptions, LakeReport, Profile, PseudonymKey, write_lake};

const PERSONS: u32 = 300;
const NIGHTS: u32 = 3;

/// The store after the establishment and after each night.
fn nights(mut after: impl FnMut(&Snapshot)) {
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    let product = Product { family: Family::named("std").expect("a family"), task: "999901".to_owned() };
    let population = Population::new(7, PERSONS);
    let mut file = Vec::new();
    population.full_extract(&mut file, &product).expect("memory");
    replika.apply(Cursor::new(&file), &ApplyOptions::named("D260105.L999901")).expect("applied");
    after(&replika.snapshot());
    let mut deltas = population.deltas(&product, 40);
    for night in 0..NIGHTS {
        let mut file = Vec::new();
        deltas.next_delta(&mut file).expect("memory");
        replika.apply(Cursor::new(&file), &ApplyOptions::named(&format!("night {night}"))).expect("applied");
        after(&replika.snapshot());
    }
}

fn last_snapshot() -> Snapshot {
    let mut last = None;
    nights(|snapshot| last = Some(snapshot.clone()));
    last.expect("nights")
}

fn key() -> PseudonymKey {
    PseudonymKey::new(&Key::from_bytes([7; 32]))
}

fn write(snapshot: &Snapshot, folder: &Path, profile: &str, since: Option<u32>) -> Result<LakeReport, Error> {
    let profile = Profile::shipped(profile).expect("shipped");
    let options = LakeOptions { profile: &profile, key: &key(), since: since.map(DeliveryNumber), threads: 2 };
    write_lake(snapshot, folder, &options, |_| ())
}

/// Every file of a lake by its path within it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                found.insert(path.strip_prefix(folder).expect("within").to_owned(), bytes);
            }
        }
    }
    found
}

#[test]
fn what_is_added_night_by_night_is_what_is_written_at_once_to_the_byte() {
    let (grown, at_once) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let mut since = None;
    let mut rows = 0;
    nights(|snapshot| {
        rows += write(snapshot, grown.path(), "whole", since).expect("written").rows;
        since = Some(snapshot.known().0);
    });
    let report = write(&last_snapshot(), at_once.path(), "whole", None).expect("written");
    assert_eq!((report.rows, report.deliveries, report.last.0), (rows, NIGHTS + 1, NIGHTS + 1));
    let (grown, at_once) = (files(grown.path()), files(at_once.path()));
    assert!(grown.keys().any(|path| path.starts_with("address/closed/delivery=2")), "something was closed");
    assert_eq!(grown.keys().collect::<Vec<_>>(), at_once.keys().collect::<Vec<_>>());
    for (path, bytes) in &grown {
        assert!(at_once[path] == *bytes, "{}", path.display());
    }
}

#[test]
fn every_fact_that_the_store_ever_believed_is_one_row_and_every_end_another() {
    let (snapshot, folder) = (last_snapshot(), TempDir::new().expect("a folder"));
    write(&snapshot, folder.path(), "whole", None).expect("written");
    let (mut opened, mut closed) = (0, 0);
    for pnr in snapshot.pnrs().expect("numbers") {
        let versions = snapshot.versions(pnr.expect("a number")).expect("read").expect("held");
        opened += versions.facts().count() + versions.events().count();
        closed += versions.facts().filter(|fact| fact.known().to.is_some()).count();
    }
    let rows_of = |side: &str| {
        let mut rows = 0;
        let all = files(folder.path());
        for path in all.keys().filter(|path| path.extension().is_some_and(|extension| extension == "parquet")) {
            let is_closed = path.components().any(|part| part.as_os_str() == "closed");
            if !path.starts_with("deliveries") && is_closed == (side == "closed") {
                let file = File::open(folder.path().join(path)).expect("a file");
                let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
                rows += reader.metadata().file_metadata().num_rows() as usize;
            }
        }
        rows
    };
    assert!(closed > 0);
    assert_eq!((rows_of("opened"), rows_of("closed")), (opened, closed));
}

#[test]
fn what_a_run_left_that_was_cut_off_is_replaced_and_files_are_for_their_owner_alone() {
    let (snapshot, folder) = (last_snapshot(), TempDir::new().expect("a folder"));
    write(&snapshot, folder.path(), "default", None).expect("written");
    let whole = files(folder.path());
    let row = folder.path().join("deliveries/delivery=4");
    fs::remove_dir_all(&row).expect("a folder");
    fs::write(folder.path().join("address/opened/delivery=4/part-0001.parquet"), b"half").expect("a file");
    write(&snapshot, folder.path(), "default", Some(3)).expect("written");
    assert!(files(folder.path()) == whole);
    #[cfg(unix)]
    for path in whole.keys() {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(folder.path().join(path)).expect("a file"));
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_lake_is_added_to_only_where_it_ends_and_as_it_was_begun() {
    let (snapshot, folder) = (last_snapshot(), TempDir::new().expect("a folder"));
    let refused = |folder: &Path, profile: &str, since| {
        write(&snapshot, folder, profile, since).expect_err("refused").to_string()
    };
    assert_eq!(refused(folder.path(), "default", Some(1)), "the folder holds no lake to go on from");
    write(&snapshot, folder.path(), "default", None).expect("written");
    assert_eq!(
        refused(folder.path(), "default", None),
        "the folder holds a lake already, up to delivery 4; go on from there"
    );
    assert_eq!(refused(folder.path(), "default", Some(2)), "the lake ends at delivery 4, not at 2");
    assert_eq!(refused(folder.path(), "whole", Some(4)), "the lake was begun with another profile; begin a new one");
    let profile = Profile::shipped("default").expect("shipped");
    let other = PseudonymKey::new(&Key::from_bytes([8; 32]));
    let options = LakeOptions { profile: &profile, key: &other, since: Some(DeliveryNumber(4)), threads: 1 };
    let error = write_lake(&snapshot, folder.path(), &options, |_| ()).expect_err("refused");
    assert_eq!(error.to_string(), "the lake was begun with another key; begin a new one");
    let taken = TempDir::new().expect("a folder");
    fs::write(taken.path().join("letter"), b"").expect("a file");
    assert_eq!(refused(taken.path(), "default", None), "the folder is not empty, and holds no lake");
    let empty = Replika::in_memory(&Config::default()).expect("a store").snapshot();
    assert!(matches!(write(&empty, taken.path(), "default", None), Err(Error::Empty)));
}

//! A scrub beside a running service: it finds what a verification of the file finds, and nothing where nothing is.

use std::fs::{self, OpenOptions};
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use cpr_replika::{Error, EventCursor, Options, Packed, Place, Replika, VerifyReport};

use crate::kit::{apply, config, extract_of_day};

const BLOCK: u64 = 4096;

/// Many persons, each of a name of its own, so that they fill some pages.
fn night(day: usize) -> Vec<u8> {
    let rows = |serial: u32| format!("001 STATUS=01, KOEN=K\n008 FORNVN=Maja{serial}, EFTERNVN=Mejse{day}");
    let persons: Vec<(String, String)> = (1000..1400).map(|serial| (format!("610180{serial}"), rows(serial))).collect();
    let persons: Vec<(&str, &str)> = persons.iter().map(|(number, rows)| (&number[..], &rows[..])).collect();
    extract_of_day(day, &persons)
}

/// Stores of both kinds, opened, with one night in them.
fn stores(folder: &Path) -> Vec<(String, Options, Replika)> {
    let plain = Options { cache_bytes: 0, ..Options::default() };
    #[cfg(feature = "encryption")]
    let all = {
        let key = folder.join("store.key");
        cpr_replika::KeyFile::create(&key).unwrap();
        let key: std::sync::Arc<dyn cpr_replika::KeySource> = std::sync::Arc::new(cpr_replika::KeyFile::new(key));
        vec![("plain", plain.clone()), ("encrypted", Options { key: Some(key), ..plain })]
    };
    #[cfg(not(feature = "encryption"))]
    let all = vec![("plain", plain)];
    let open = |(name, options): (&str, Options)| {
        let replika = Replika::create_with(folder.join(name), &config(), &options).unwrap();
        apply(&replika, &night(1)).unwrap();
        (name.to_owned(), options, replika)
    };
    all.into_iter().map(open).collect()
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

fn scrub(replika: &Replika) -> VerifyReport {
    replika.scrub(None, |_| ControlFlow::Continue(())).unwrap()
}

/// What is told of the file, without the rows.
fn of_file(report: &VerifyReport) -> (Vec<Place>, u64) {
    let places = report.faults.iter().filter_map(|fault| fault.place).filter(|place| *place != Place::Pages);
    (places.collect(), report.unsettled)
}

#[test]
fn a_flipped_bit_in_any_block_of_an_open_store_is_told_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, replika) in stores(folder.path()) {
        let path = folder.path().join(&name);
        let clean = scrub(&replika);
        assert!(clean.is_clean() && clean.blocks > 20, "{name}: {clean:?}");
        let blocks = fs::metadata(&path).unwrap().len() / BLOCK;
        let mut told = 0;
        for block in 0..blocks {
            flip(&path, block * BLOCK + 100);
            let found = scrub(&replika);
            told += u64::from(!found.is_clean());
            // A place behind the last block that was written has no check, and holds nothing.
            assert!(!found.is_clean() || block > 4, "{name}: file block {block} of {blocks}");
            assert!(found.faults.iter().all(|fault| fault.place.is_some()), "{found:?}");
            flip(&path, block * BLOCK + 100);
        }
        assert!(told >= clean.blocks, "{name}: {told} of {blocks} are told, {} hold something", clean.blocks);
        assert_eq!(scrub(&replika), clean, "{name}: it reads and changes nothing");
        apply(&replika, &night(2)).unwrap();
    }
}

#[test]
fn of_a_store_that_was_cut_off_the_same_is_told_as_by_a_verification_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, options, replika) in stores(folder.path()) {
        apply(&replika, &night(2)).unwrap();
        let (cut_off, copy) = (folder.path().join("cut off"), folder.path().join("copy"));
        fs::copy(folder.path().join(&name), &cut_off).unwrap();
        let opened = Replika::open_with(&cut_off, &options).unwrap();
        opened.add_consumer("reader", EventCursor::BEGINNING).unwrap();
        let blocks = fs::metadata(&cut_off).unwrap().len() / BLOCK;
        let (mut in_use, mut unused) = (0, 0);
        for block in (5..blocks).step_by(9) {
            flip(&cut_off, block * BLOCK + 7);
            fs::copy(&cut_off, &copy).unwrap();
            let (found, expected) = (scrub(&opened), Replika::verify_file(&copy, &options).unwrap());
            let has_damage = !of_file(&expected).0.is_empty();
            // Of a page of several blocks, whose first is damaged, one is told for all.
            assert_eq!(!found.is_clean(), has_damage, "{name}, file block {block}: {found:?}, {expected:?}");
            assert_eq!(found.unsettled, expected.unsettled, "{name}, file block {block}");
            in_use += u32::from(has_damage);
            unused += u32::from(expected.unsettled > 0);
            flip(&cut_off, block * BLOCK + 7);
        }
        assert!(in_use > 0 && unused > 0, "{name}: {in_use} in use, {unused} not, of {blocks}");
        drop(opened);
    }
}

#[test]
fn beside_a_writer_nothing_is_told_of_what_is_being_written() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, replika) in stores(folder.path()) {
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for day in 2..6 {
                    apply(&replika, &night(day)).unwrap();
                    replika.add_consumer(&day.to_string(), EventCursor::BEGINNING).unwrap();
                }
                replika.compact(|_| ControlFlow::Continue(())).unwrap();
                is_done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            let mut scrubs = 0;
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                let report = scrub(&replika);
                assert!(report.is_clean(), "{name}: {report:?}");
                scrubs += 1;
            }
            assert!(scrubs > 1, "{name}: {scrubs} beside the writer");
        });
        assert!(replika.snapshot().verify().unwrap().is_clean());
    }
}

#[test]
fn a_scrub_takes_its_time_and_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _, replika) = stores(folder.path()).remove(0);
    let bytes = scrub(&replika).blocks * BLOCK;
    let (since, mut told) = (Instant::now(), 0);
    let report = replika.scrub(NonZeroU64::new(4 * bytes), |so_far| {
        assert!(so_far.bytes <= so_far.of);
        told += 1;
        ControlFlow::Continue(())
    });
    assert!(report.unwrap().is_clean() && told > 1);
    assert!(since.elapsed() >= Duration::from_millis(200), "a quarter of a second, but for the last piece");
    let since = Instant::now();
    let mut beats = 0;
    let stopped = replika.scrub(NonZeroU64::new(1), |_| {
        beats += 1;
        if beats > 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert!(since.elapsed() < Duration::from_secs(60), "it is not waited for");
}

#[test]
fn checks_that_changed_on_the_disk_are_told_while_the_store_has_them_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (name, _, replika) = stores(folder.path()).remove(0);
    // The checks of the first group stand in file block 4; these are of its last blocks, which nobody reads.
    flip(&folder.path().join(name), 4 * BLOCK);
    let told: Vec<_> = scrub(&replika).faults.into_iter().map(|fault| fault.place).collect();
    assert_eq!(told, [Some(Place::Checks(0))]);
}

#[test]
fn a_flipped_bit_in_the_rows_of_a_pack_is_told_as_a_verification_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, options, replika) in stores(folder.path()) {
        let packs = folder.path().join(format!("{name} packs"));
        replika.snapshot().write_base(&packs).unwrap();
        let read = |packs: &Path| Packed::scrub(packs, &options, None, |_| ControlFlow::Continue(()));
        let clean = read(&packs).unwrap();
        assert!(clean.is_clean() && clean.blocks > 5, "{name}: {clean:?}");
        let base = fs::read_dir(&packs).unwrap().map(|entry| entry.unwrap().path());
        let base = base.into_iter().find(|path| path.extension().is_some_and(|it| it == "pack")).unwrap();
        fs::set_permissions(&base, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let place = 5 * BLOCK + 9;
        flip(&base, place);
        let (found, expected) = (read(&packs).unwrap(), Packed::verify(&packs, &options).unwrap());
        assert!(!found.is_clean());
        assert_eq!(of_file(&found), of_file(&expected), "{name}");
        let stopped = Packed::scrub(&packs, &options, NonZeroU64::new(1), |_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(Error::Stopped)));
    }
}

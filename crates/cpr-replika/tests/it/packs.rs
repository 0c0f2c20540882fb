//! Folders of packs: who writes one keeps to it, who reads one holds what it reads, and damage is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cpr_replika::cpr_model::Pnr;
use cpr_replika::{ApplyOptions, DeliveryNumber, Error, Options, Outcome, Packed, Person, Replika, Snapshot};

use crate::kit::{config, exported, extract_of_day, pnr};

/// A store to which so many nights were delivered.
pub(crate) fn store(nights: usize) -> Replika {
    let replika = Replika::in_memory(&config()).unwrap();
    (1..=nights).for_each(|day| night(&replika, day));
    replika
}

pub(crate) fn night(replika: &Replika, day: usize) {
    let row = format!("001 STATUS=01, KOEN=K\n002 KOMKOD=0751, VEJKOD=0042, HUSNR=00{day}, TILFLYDTO=200001011200");
    let names = "008 FORNVN=Maja, EFTERNVN=Mejse, NVNHAENSTART=198001010000\n099 HAENDELSE=A01";
    let rows = format!("{row}\n{names}");
    let persons = [("6101801234", &rows[..]), ("6201801234", &rows[..])];
    crate::kit::apply(replika, &extract_of_day(day, &persons)).unwrap();
}

/// The packs of a folder.
pub(crate) fn packs(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "pack")).collect()
}

pub(crate) fn export(snapshot: &Snapshot) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    snapshot.export(None, &mut out).map(|_| out)
}

/// Packs may not be written; tests do it all the same.
pub(crate) fn overwrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_snapshot_outlives_the_files_that_it_reads() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    replika.snapshot().write_base(folder.path()).unwrap();
    let (packed, before) = (Packed::open(folder.path()).unwrap(), exported(&replika));
    let held = packed.snapshot();
    night(&replika, 2);
    let report = replika.snapshot().write_base(folder.path()).unwrap();
    assert_eq!(packs(folder.path()), [folder.path().join(&report.file)], "the older one is removed");
    assert!(packed.poll().unwrap() && !packed.poll().unwrap());
    assert_eq!((held.known(), packed.snapshot().known()), (DeliveryNumber(1), DeliveryNumber(2)));
    assert_eq!(export(&held).unwrap(), before);
    assert_eq!(export(&packed.snapshot()).unwrap(), exported(&replika));
}

#[test]
fn persons_read_at_once_are_those_that_are_read_one_by_one() {
    let (replika, folder) = (Replika::in_memory(&config()).unwrap(), tempfile::tempdir().unwrap());
    let number = |at: usize| format!("61{:02}{:02}{:04}", 1 + at % 12, 10 + at / 12 % 80, 1000 + at);
    let name = |day: usize| format!("001 STATUS=01\n008 FORNVN=Maja{day}, EFTERNVN=Mejse, NVNHAENSTART=198001010000");
    let night = |day: usize, of: std::ops::Range<usize>| {
        let (numbers, rows): (Vec<String>, String) = (of.map(number).collect(), name(day));
        let persons: Vec<(&str, &str)> = numbers.iter().map(|number| (&number[..], &rows[..])).collect();
        crate::kit::apply(&replika, &extract_of_day(day, &persons)).unwrap();
        replika.snapshot().write_pack(folder.path()).unwrap();
    };
    night(1, 0..300);
    night(2, 290..310);
    let in_memory = |path: &Path| cpr_replika::cpr_pack::Pack::read(path, cpr_replika::cpr_pack::Checks::AtEveryRead);
    let packed = [Packed::open(folder.path()), Packed::open_with(folder.path(), in_memory)].map(Result::unwrap);
    let snapshots = [replika.snapshot(), packed[0].snapshot(), packed[1].snapshot()];
    // More than are read in one batch, in no order, some twice, some who are not held, and a number that is none.
    let mut asked: Vec<Pnr> = (0..400).map(|at| pnr(&number(at * 7 % 350))).collect();
    asked.extend(Pnr::parse(b"0000000000"));
    for snapshot in &snapshots {
        let persons = snapshot.persons(&asked).unwrap();
        assert_eq!(persons.len(), asked.len());
        let mut held = 0;
        for (pnr, person) in asked.iter().zip(persons) {
            let single = snapshot.person(*pnr).unwrap();
            let facts = |person: &Person<'_>| person.all_facts().map(|fact| format!("{fact:?}")).collect::<Vec<_>>();
            assert_eq!(person.as_ref().map(facts), single.as_ref().map(facts));
            assert_eq!(person.as_ref().map(Person::delivered), single.as_ref().map(Person::delivered));
            held += usize::from(person.is_some());
        }
        assert!((300..asked.len()).contains(&held), "{held}");
        assert_eq!(snapshot.persons(&[]).unwrap().len(), 0);
    }
}

#[test]
fn a_reader_wakes_when_the_delivery_is_there() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    replika.snapshot().write_base(folder.path()).unwrap();
    let packed = Packed::open(folder.path()).unwrap();
    let (told, was_told) = std::sync::mpsc::channel();
    let _listening = packed.on_delivery(move |delivery| _ = told.send(delivery));
    assert!(!packed.wait_for(DeliveryNumber(2), std::time::Duration::from_millis(1)).unwrap());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| packed.wait_for(DeliveryNumber(2), std::time::Duration::from_secs(60)));
        night(&replika, 2);
        replika.snapshot().write_base(folder.path()).unwrap();
        assert!(waiting.join().unwrap().unwrap());
    });
    assert_eq!(was_told.try_iter().collect::<Vec<_>>(), [DeliveryNumber(2)]);
}

#[test]
fn packs_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let packs_folder = folder.path().join("new/packs");
    store(1).snapshot().write_base(&packs_folder).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&packs_folder), 0o700);
    for file in fs::read_dir(&packs_folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()) & 0o077, 0);
    }
}

#[test]
fn a_folder_is_of_one_store_and_one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (store(1), store(1));
    assert!(matches!(Packed::open(folder.path()), Err(Error::NoPacks)));
    assert!(matches!(Packed::open(folder.path().join("none")), Err(Error::NoPacks)));
    own.snapshot().write_base(folder.path()).unwrap();
    let refused = other.snapshot().write_base(folder.path());
    assert!(matches!(refused, Err(Error::OtherPacks)), "{refused:?}");
    let lock = fs::File::options().write(true).open(folder.path().join("LOCK")).unwrap();
    lock.lock().unwrap();
    let refused = own.snapshot().write_base(folder.path());
    assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    for name in [".base-1-00.pack.part", "base-7-00.pack", "notes.txt"] {
        fs::write(folder.path().join(name), "left").unwrap();
    }
    let report = replika.snapshot().write_base(folder.path()).unwrap();
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.collect();
    files.sort();
    assert_eq!(files, ["CURRENT", "LOCK", &report.file, "notes.txt"]);
}

#[test]
fn the_pack_of_another_store_is_not_read() {
    let [own, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    store(1).snapshot().write_base(own.path()).unwrap();
    store(1).snapshot().write_base(other.path()).unwrap();
    overwrite(&packs(own.path())[0], &fs::read(&packs(other.path())[0]).unwrap());
    assert!(matches!(Packed::open(own.path()), Err(Error::OtherPacks)));
}

#[test]
fn half_a_copy_is_told_and_none_is_a_file_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    store(2).snapshot().write_base(folder.path()).unwrap();
    let path = &packs(folder.path())[0];
    let file = fs::read(path).unwrap();
    for length in [0, 1, 4095, 4096, 8192, file.len() / 2, file.len() - 1] {
        overwrite(path, &file[..length]);
        let refused = Packed::open(folder.path()).unwrap_err();
        assert_eq!(refused.kind(), "corrupt", "{length}: {refused}");
    }
    fs::remove_file(path).unwrap();
    let refused = Packed::open(folder.path()).unwrap_err();
    assert_eq!(refused.kind(), "pack", "{refused}");
}

#[test]
fn a_flipped_bit_is_an_error_or_has_no_effect() {
    let (replika, folder) = (store(2), tempfile::tempdir().unwrap());
    replika.snapshot().write_base(folder.path()).unwrap();
    let (path, sound) = (&packs(folder.path())[0], exported(&replika));
    let file = fs::read(path).unwrap();
    let mut told = 0;
    for at in (0..file.len()).step_by(53) {
        let mut flipped = file.clone();
        flipped[at] ^= 1 << (at % 8);
        overwrite(path, &flipped);
        let read = Packed::open(folder.path()).map(|packed| packed.snapshot());
        let answer = read.and_then(|snapshot| Ok((export(&snapshot)?, snapshot.verify()?.is_clean())));
        match answer {
            Ok((exported, true)) => assert!(exported == sound, "byte {at} changes an answer"),
            Ok((_, false)) => told += 1,
            Err(error) => {
                assert_eq!(error.kind(), "corrupt", "byte {at}: {error}");
                told += 1;
            }
        }
    }
    assert!(told * 53 > file.len() / 2, "most bytes matter: {told}");
}

#[test]
fn a_store_that_went_back_and_on_otherwise_writes_a_new_base() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    let [early, packs] = ["early", "packs"].map(|name| folder.path().join(name));
    replika.snapshot().write_pack(&early).unwrap();
    night(&replika, 2);
    replika.snapshot().write_pack(&packs).unwrap();
    night(&replika, 3);
    assert!(!replika.snapshot().write_pack(&packs).unwrap().is_base);
    let restored = Replika::restore(&early, folder.path().join("restored"), &Options::default()).unwrap();
    let other = [("6101801234", "001 STATUS=01, KOEN=K\n002 KOMKOD=0101, VEJKOD=0042, TILFLYDTO=200001011200")];
    crate::kit::apply(&restored, &extract_of_day(2, &other)).unwrap();
    let report = restored.snapshot().write_pack(&packs).unwrap();
    assert!(report.is_base, "the base that stands there is of a delivery that this store never had");
    assert_eq!(export(&Packed::open(&packs).unwrap().snapshot()).unwrap(), exported(&restored));
}

#[test]
fn an_overlay_of_another_base_is_not_read() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    replika.snapshot().write_pack(folder.path()).unwrap();
    night(&replika, 2);
    let overlay = replika.snapshot().write_pack(folder.path()).unwrap();
    let bytes = fs::read(folder.path().join(&overlay.file)).unwrap();
    replika.snapshot().write_base(folder.path()).unwrap();
    night(&replika, 3);
    let overlay = replika.snapshot().write_pack(folder.path()).unwrap();
    assert!(!overlay.is_base);
    overwrite(&folder.path().join(&overlay.file), &bytes);
    let refused = Packed::open(folder.path()).unwrap_err();
    assert_eq!(refused.kind(), "corrupt", "{refused}");
}

#[test]
fn a_store_is_restored_where_none_is_and_from_whole_packs_alone() {
    let (replika, folder) = (store(2), tempfile::tempdir().unwrap());
    let [packs_folder, path] = ["packs", "restored"].map(|name| folder.path().join(name));
    replika.snapshot().write_pack(&packs_folder).unwrap();
    let restored = Replika::restore(&packs_folder, &path, &Options::default()).unwrap();
    assert_eq!(exported(&restored), exported(&replika));
    night(&restored, 3);
    night(&replika, 3);
    assert_eq!(exported(&restored), exported(&replika), "both go on from there");
    assert!(restored.snapshot().verify().unwrap().is_clean());
    drop(restored);
    let refused = Replika::restore(&packs_folder, &path, &Options::default());
    assert!(matches!(refused, Err(Error::Exists)), "{refused:?}");
    let pack = &packs(&packs_folder)[0];
    let mut bytes = fs::read(pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    overwrite(pack, &bytes);
    let other = folder.path().join("other");
    let refused = Replika::restore(&packs_folder, &other, &Options::default());
    assert_eq!(refused.unwrap_err().kind(), "corrupt");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing half made is left");
}

#[test]
fn a_follower_takes_what_is_whole_and_keeps_what_it_has_until_then() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    let [own, source, brought] = ["own", "source", "brought"].map(|name| folder.path().join(name));
    assert!(matches!(Packed::follow(&own, &brought, &Options::default()), Err(Error::NoPacks)), "nothing is there yet");
    replika.snapshot().write_pack(&source).unwrap();
    fs::create_dir(&brought).unwrap();
    bring(&source, &brought);
    assert_eq!(Packed::follow(&own, &brought, &Options::default()).unwrap(), Some(DeliveryNumber(1)));
    let packed = Packed::open(&own).unwrap();
    night(&replika, 2);
    let overlay = replika.snapshot().write_pack(&source).unwrap();
    assert!(!overlay.is_base);
    // `CURRENT` comes first, then half of the file that it names.
    fs::copy(source.join("CURRENT"), brought.join("CURRENT")).unwrap();
    let whole = fs::read(source.join(&overlay.file)).unwrap();
    for part in [None, Some(&whole[..whole.len() / 2])] {
        if let Some(part) = part {
            fs::write(brought.join(&overlay.file), part).unwrap();
        }
        let refused = Packed::follow(&own, &brought, &Options::default()).unwrap_err();
        assert!(["pack", "corrupt"].contains(&refused.kind()), "{refused}");
        assert!(!packed.poll().unwrap() && packs(&own).len() == 1, "it holds what it held");
    }
    fs::remove_file(brought.join(&overlay.file)).unwrap();
    bring(&source, &brought);
    assert_eq!(Packed::follow(&own, &brought, &Options::default()).unwrap(), Some(DeliveryNumber(2)));
    assert_eq!(Packed::follow(&own, &brought, &Options::default()).unwrap(), None);
    assert!(packed.poll().unwrap());
    assert_eq!(export(&packed.snapshot()).unwrap(), exported(&replika));
    store(1).snapshot().write_pack(folder.path().join("other")).unwrap();
    assert!(matches!(Packed::follow(&own, folder.path().join("other"), &Options::default()), Err(Error::OtherPacks)));
}

/// Copies every file of a folder.
fn bring(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(file.file_name());
        let _ = fs::remove_file(&to);
        fs::copy(file.path(), to).unwrap();
    }
}

#[test]
fn a_delivery_has_its_pack_written_and_what_cannot_be_written_leaves_it_stored() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    let packs = folder.path().join("packs");
    let extract = crate::kit::extract_of_day(2, &[("6101801234", "001 STATUS=01, KOEN=K")]);
    let apply = |folder: &Path, dry_run| {
        let options = ApplyOptions { pack: Some(folder), dry_run, ..ApplyOptions::named("a night") };
        replika.apply(std::io::Cursor::new(&extract), &options)
    };
    assert_eq!(apply(&packs, true).unwrap().pack, None);
    assert!(!packs.exists(), "a dry run writes none");
    fs::write(folder.path().join("file"), "no folder").unwrap();
    let error = apply(&folder.path().join("file"), false).unwrap_err();
    assert!(matches!(error, Error::NotPacked { delivery: DeliveryNumber(2), .. }), "{error}");
    assert_eq!(replika.snapshot().known(), DeliveryNumber(2));
    let again = apply(&packs, false).unwrap();
    assert_eq!((again.outcome, again.pack.unwrap().delivery), (Outcome::AlreadyApplied, DeliveryNumber(2)));
    assert_eq!(export(&Packed::open(&packs).unwrap().snapshot()).unwrap(), exported(&replika));
}

#[test]
fn a_process_that_waits_sees_a_delivery_within_five_seconds() {
    let (replika, folder) = (store(1), tempfile::tempdir().unwrap());
    replika.snapshot().write_base(folder.path()).unwrap();
    let packed = Packed::open(folder.path()).unwrap();
    let seen = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            assert!(packed.wait_for(DeliveryNumber(2), std::time::Duration::from_secs(600)).unwrap());
            std::time::Instant::now()
        });
        night(&replika, 2);
        replika.snapshot().write_pack(folder.path()).unwrap();
        let published = std::time::Instant::now();
        waiting.join().unwrap().saturating_duration_since(published)
    });
    assert!(seen.as_secs() < 5, "{seen:?}");
}

//! A first load, written in stages: whatever goes wrong in any of them, the store holds nobody or everybody. And a change
//! that is no delivery: what its failure says is so. And what fails where the next delivery begins.
//!
//! The disk here keeps what was synced, and of what was written since only some sectors of 512 bytes, each on its own
//! and in any order, as disks do; a change of the file's length likewise. That such a disk finds what is wrong is shown
//! by the simulator, which cuts the power under everything else.

use std::io::{self, Cursor};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cpr_extract::{ExtractWriter, Family, Style};
use cpr_model::{Date, Pnr};
use redb::StorageBackend;

use crate::{ApplyOptions, Config, DeliveryNumber, Error, Options, Progress, Replika, Report};

const SECTOR: usize = 512;

/// So many operations at least are those of a commit that changes nothing.
const FIRST_OPERATIONS: u64 = 6;

/// What is on the disk, and what is on its way there.
#[derive(Clone, Debug, Default)]
struct Platter {
    durable: Vec<u8>,
    current: Vec<u8>,
    since_sync: Vec<Change>,
    operations: u64,
    syncs: u64,
    /// The operation behind which nothing works any more.
    fails_behind: Option<u64>,
    /// The one operation that does not work.
    fails_once_at: Option<u64>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(usize),
}

impl Platter {
    /// Counts an operation, and fails it when the power is gone.
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        if self.fails_once_at == Some(self.operations) {
            return Err(io::ErrorKind::Other.into());
        }
        match self.fails_behind {
            Some(last) if self.operations > last => Err(io::ErrorKind::Other.into()),
            _ => Ok(()),
        }
    }

    /// The disk after a power cut: what was synced, and of the rest the sectors that `survives` says.
    fn after_power_cut(&self, mut survives: impl FnMut() -> bool) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.since_sync {
            match change {
                Change::Length(length) if survives() => bytes.resize(*length, 0),
                Change::Length(_) => {}
                Change::Write(offset, data) => {
                    for (at, sector) in (*offset as usize..).step_by(SECTOR).zip(data.chunks(SECTOR)) {
                        if survives()
                            && let Some(place) = bytes.get_mut(at..at + sector.len())
                        {
                            place.copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        bytes
    }
}

/// Bits for what survives: a fixed sequence for each seed, denser or sparser by turns.
fn chance(seed: u64) -> impl FnMut() -> bool {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let of_eight = [0, 8, 4, 7, 1, 6, 2, 4][(seed % 8) as usize];
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 61 < of_eight
    }
}

#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    fn holding(bytes: Vec<u8>) -> Disk {
        let platter = Platter { durable: bytes.clone(), current: bytes, ..Platter::default() };
        Disk(Arc::new(Mutex::new(platter)))
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.platter();
        let at = offset as usize;
        let found = platter.current.get(at..at + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.platter();
        platter.operate()?;
        platter.current.resize(len as usize, 0);
        platter.since_sync.push(Change::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.platter();
        platter.operate()?;
        platter.syncs += 1;
        platter.durable = platter.current.clone();
        platter.since_sync.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.platter();
        platter.operate()?;
        let at = offset as usize;
        platter.current[at..at + data.len()].copy_from_slice(data);
        platter.since_sync.push(Change::Write(offset, data.to_vec()));
        Ok(())
    }
}

fn extract() -> Vec<u8> {
    extract_of(1)
}

/// The same persons each day, at a house of that number.
fn extract_of(today: u32) -> Vec<u8> {
    let day = |n: u32| Date::from_digits(2026_01_01 + n).unwrap();
    let family = Family::named("std").unwrap();
    let mut writer =
        ExtractWriter::new(Vec::new(), family, Style::default(), "123401", day(today), day(today - 1)).unwrap();
    for serial in 1000..1200 {
        let pnr = Pnr::parse(format!("610180{serial}").as_bytes()).unwrap();
        writer.record(1, pnr, &[("STATUS", "01"), ("KOEN", "K")]).unwrap();
        let address = [("KOMKOD", "0101"), ("HUSNR", &format!("{today:03}")), ("TILFLYDTO", "202001010000")];
        writer.record(2, pnr, &address).unwrap();
        writer.record(8, pnr, &[("FORNVN", "Anna"), ("EFTERNVN", &format!("Bak{}", serial % 7))]).unwrap();
    }
    writer.finish().unwrap()
}

fn config() -> Config {
    Config { family: Family::named("std"), ..Config::default() }
}

fn exported(replika: &Replika) -> Exported {
    try_export(replika).unwrap()
}

fn try_export(replika: &Replika) -> Result<Exported, Error> {
    let snapshot = replika.snapshot();
    let mut bytes = Vec::new();
    if snapshot.known().0 > 0 {
        snapshot.export(None, &mut bytes)?;
    }
    Ok((snapshot.known(), bytes))
}

/// What a store exports: its last delivery and the bytes.
type Exported = (DeliveryNumber, Vec<u8>);

fn open(disk: Disk, options: &Options) -> Result<Replika, Error> {
    Replika::with_backend(disk, &config(), options)
}

fn load(replika: &Replika, options: &ApplyOptions<'_>) -> Result<Report, Error> {
    replika.load(Cursor::new(extract()), options)
}

fn named() -> ApplyOptions<'static> {
    ApplyOptions::named("first")
}

/// Without a cache, each chunk of persons is a stage.
fn in_stages() -> Vec<Options> {
    let plain = Options { cache_bytes: 0, ..Options::default() };
    #[cfg(feature = "encryption")]
    return vec![plain.clone(), Options { key: Some(Arc::new(crate::store::key::FixedKey(7))), ..plain }];
    #[cfg(not(feature = "encryption"))]
    vec![plain]
}

/// The bytes of a store in which nobody is held, what is exported after the load, and the operations in between.
fn prepared(options: &Options) -> (Vec<u8>, Exported, u64) {
    let disk = Disk::default();
    drop(open(disk.clone(), options).unwrap());
    let image = disk.platter().current.clone();
    let disk = Disk::holding(image.clone());
    let replika = open(disk.clone(), options).unwrap();
    load(&replika, &named()).unwrap();
    let operations = disk.platter().operations;
    (image, exported(&replika), operations)
}

#[test]
fn a_power_cut_in_any_stage_leaves_nothing_or_all() {
    for options in &in_stages() {
        let (image, all, operations) = prepared(options);
        let (mut nothing, mut whole) = (0, 0);
        for at in 0..=operations {
            let disk = Disk::holding(image.clone());
            disk.platter().fails_behind = Some(at);
            // Opened and loaded: then the cut falls while writing, or while closing.
            let answer = open(disk.clone(), options).ok().map(|replika| load(&replika, &named()));
            let platter = disk.platter().clone();
            for cut in 0..2 {
                let left = open(Disk::holding(platter.after_power_cut(chance(at * 2 + cut))), options).unwrap();
                match exported(&left) {
                    state if state == all => whole += 1,
                    (DeliveryNumber(0), _) => nothing += 1,
                    _ => panic!("operation {at}: neither nothing nor all"),
                }
                let is_told = match &answer {
                    Some(Ok(_)) => left.snapshot().known() == all.0,
                    Some(Err(Error::MaybeStored { .. })) => true,
                    Some(Err(_)) | None => left.snapshot().known().0 == 0,
                };
                assert!(is_told, "operation {at}: {answer:?} does not say what became of the load");
                assert!((at + cut) % 8 != 0 || left.snapshot().verify().unwrap().is_clean(), "operation {at}");
            }
        }
        assert!(nothing > 0 && whole > 0, "the cuts fall on both sides of the commit: {nothing}, {whole}");
    }
}

#[test]
fn a_load_that_fails_in_any_stage_is_undone() {
    let options = &in_stages()[0];
    let (image, all, operations) = prepared(options);
    let mut undone = 0;
    for at in (1..operations).step_by(3) {
        let disk = Disk::holding(image.clone());
        let Ok(replika) = open(disk.clone(), options) else { continue };
        let opened = disk.platter().operations;
        disk.platter().fails_once_at = Some(opened + at);
        match load(&replika, &named()) {
            Ok(_) => assert_eq!(exported(&replika), all),
            // The disk works again: what it shows when it is opened anew is known.
            Err(Error::MaybeStored { .. }) => assert_eq!(replika.snapshot().known(), all.0, "operation {at}"),
            Err(_) => {
                undone += 1;
                // A small write takes a new snapshot of what there is.
                replika.add_consumer("reader", crate::EventCursor::BEGINNING).unwrap();
                assert_eq!(replika.snapshot().known().0, 0, "operation {at}");
                assert!(replika.snapshot().find(&crate::Query::All).unwrap().is_empty(), "operation {at}");
            }
        }
        assert_eq!(replika.apply(Cursor::new(extract()), &named()).unwrap().delivery.number, all.0);
        assert_eq!(exported(&replika), all, "operation {at}");
        assert!(replika.snapshot().verify().unwrap().is_clean(), "operation {at}");
    }
    assert!(undone > 3, "{undone} of {operations}");
}

/// What the storage engine has committed without making it durable it makes durable when it is closed.
#[test]
fn what_cannot_be_undone_is_not_stored_by_closing() {
    for options in &in_stages() {
        let (image, _, operations) = prepared(options);
        let mut failed = 0;
        for at in 1..operations {
            let disk = Disk::holding(image.clone());
            let Ok(replika) = open(disk.clone(), options) else { continue };
            let opened = disk.platter().operations;
            disk.platter().fails_once_at = Some(opened + at);
            let answer = load(&replika, &named());
            drop(replika);
            if matches!(answer, Ok(_) | Err(Error::MaybeStored { .. })) {
                continue;
            }
            failed += 1;
            let bytes = disk.platter().current.clone();
            let left = open(Disk::holding(bytes), options).unwrap().snapshot();
            assert_eq!((left.known().0, left.pnrs().unwrap().count()), (0, 0), "operation {at}: {answer:?}");
        }
        assert!(failed > 3, "{failed} of {operations}");
    }
}

#[test]
fn a_change_that_fails_says_whether_it_is_stored() {
    let add = |replika: &Replika| replika.add_consumer("reader", crate::EventCursor::BEGINNING);
    for options in &in_stages() {
        let disk = Disk::default();
        drop(open(disk.clone(), options).unwrap());
        let image = disk.platter().current.clone();
        let opened = || {
            let disk = Disk::holding(image.clone());
            let replika = open(disk.clone(), options).unwrap();
            let operations = disk.platter().operations;
            (disk, replika, operations)
        };
        let (disk, replika, before) = opened();
        add(&replika).unwrap();
        let operations = disk.platter().operations - before;
        let (mut undone, mut unknown) = (0, 0);
        for at in 1..=operations {
            let (disk, replika, before) = opened();
            disk.platter().fails_once_at = Some(before + at);
            let answer = add(&replika);
            let platter = disk.platter().clone();
            for cut in 0..8 {
                let left = platter.after_power_cut(chance(at * 8 + cut));
                let is_there = !open(Disk::holding(left), options).unwrap().consumers().unwrap().is_empty();
                let is_told = match &answer {
                    Ok(()) => is_there,
                    Err(Error::MaybeChanged(_)) => true,
                    Err(_) => !is_there,
                };
                assert!(is_told, "operation {at} of {operations}: {answer:?}, and it is there: {is_there}");
            }
            undone += u32::from(matches!(answer, Err(ref error) if !matches!(error, Error::MaybeChanged(_))));
            unknown += u32::from(matches!(answer, Err(Error::MaybeChanged(_))));
            let again = add(&replika);
            assert!(matches!(again, Ok(()) | Err(Error::ConsumerExists)), "operation {at}: {again:?}");
            assert_eq!(replika.consumers().unwrap().len(), 1);
        }
        assert!(undone > 0 && unknown > 0, "{undone} not stored, {unknown} not known, of {operations}");
    }
}

/// Behind a night of many changes, the next one begins with a commit that gives free what that one copied.
#[test]
fn what_fails_where_a_night_begins_leaves_the_one_before_and_it_is_taken_again() {
    let night = |replika: &Replika, today| replika.apply(Cursor::new(extract_of(today)), &ApplyOptions::named("night"));
    for options in &in_stages() {
        let disk = Disk::default();
        load(&open(disk.clone(), options).unwrap(), &named()).unwrap();
        let image = disk.platter().current.clone();
        let behind_a_night = || {
            let disk = Disk::holding(image.clone());
            let replika = open(disk.clone(), options).unwrap();
            assert_eq!(night(&replika, 2).unwrap().delivery.counts.persons_changed, 200);
            let operations = disk.platter().operations;
            (disk, replika, operations)
        };
        let (_, replika, _) = behind_a_night();
        let two = exported(&replika);
        night(&replika, 3).unwrap();
        let three = exported(&replika);
        assert_eq!([two.0, three.0], [2, 3].map(DeliveryNumber));
        for at in 1..=FIRST_OPERATIONS {
            for is_for_good in [false, true] {
                let (disk, replika, before) = behind_a_night();
                match is_for_good {
                    true => disk.platter().fails_behind = Some(before + at - 1),
                    false => disk.platter().fails_once_at = Some(before + at),
                }
                let what = format!("operation {at}, for good: {is_for_good}");
                let refused = night(&replika, 3).expect_err(&what);
                assert!(!matches!(refused, Error::MaybeStored { .. }), "{what}: {refused}");
                let cut = |seed| open(Disk::holding(disk.platter().after_power_cut(chance(seed))), options).unwrap();
                (0..2).for_each(|seed| assert_eq!(exported(&cut(at * 2 + seed)), two, "{what}"));
                // A disk that works again is opened anew by whoever comes next.
                assert_eq!(night(&replika, 3).is_err(), is_for_good, "{what}");
                assert_eq!(exported(&cut(at)), if is_for_good { two.clone() } else { three.clone() }, "{what}");
                assert!(is_for_good || replika.snapshot().verify().unwrap().is_clean(), "{what}");
            }
        }
    }
}

/// What closing a store gives free is given free where it stays open, too: by a commit of its own.
#[test]
fn a_night_in_a_store_that_stays_open_begins_with_what_the_one_before_it_copied() {
    let syncs_of_a_night = |is_reopened: bool| {
        let (disk, options) = (Disk::default(), Options::default());
        let mut replika = open(disk.clone(), &options).unwrap();
        load(&replika, &named()).unwrap();
        replika.apply(Cursor::new(extract_of(2)), &ApplyOptions::named("night")).unwrap();
        if is_reopened {
            drop(replika);
            replika = open(disk.clone(), &options).unwrap();
        }
        let before = disk.platter().syncs;
        replika.apply(Cursor::new(extract_of(3)), &ApplyOptions::named("night")).unwrap();
        disk.platter().syncs - before
    };
    assert!(syncs_of_a_night(false) > syncs_of_a_night(true));
}

#[test]
fn a_load_that_is_stopped_panicked_over_or_tried_is_undone() {
    for cache_bytes in [0, 1024 * 1024] {
        let options = Options { cache_bytes, ..Options::default() };
        let replika = open(Disk::default(), &options).unwrap();
        let is_empty = || {
            replika.add_consumer("reader", crate::EventCursor::BEGINNING).unwrap();
            replika.remove_consumer("reader").unwrap();
            replika.snapshot().find(&crate::Query::All).unwrap().is_empty()
                && replika.snapshot().verify().unwrap().is_clean()
        };
        let late = |progress: Progress| matches!(progress, Progress::Committing);
        let stop = |progress| if late(progress) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let panic = |progress| if late(progress) { panic!("the caller's own") } else { ControlFlow::Continue(()) };
        assert!(matches!(load(&replika, &ApplyOptions { progress: Some(&stop), ..named() }), Err(Error::Stopped)));
        assert!(is_empty());
        let panicking = ApplyOptions { progress: Some(&panic), ..named() };
        assert!(catch_unwind(AssertUnwindSafe(|| load(&replika, &panicking))).is_err());
        assert!(is_empty());
        load(&replika, &ApplyOptions { dry_run: true, ..named() }).unwrap();
        assert!(is_empty());
        load(&replika, &named()).unwrap();
        assert!(replika.snapshot().verify().unwrap().is_clean());
    }
}

//! A store written anew: it answers as before, and whatever ends the work, it is the one file or the other.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cpr_replika::cpr_subscription::{Filter, Profile};
use cpr_replika::{DeliveryNumber, Error, ErrorClass, EventCursor, EventFilter, Options, Replika, RewriteProgress};

use crate::kit::{apply, config, exported, extract_of_day};
use crate::subscriptions::{name, subscribe};

const PERSONS: usize = 400;

fn night(day: usize) -> Vec<u8> {
    let numbers: Vec<String> = (1000..1000 + PERSONS).map(|serial| format!("610180{serial}")).collect();
    let rows = format!(
        "001 STATUS=01, KOEN=K\n002 KOMKOD=0751, VEJKOD=0042, HUSNR=00{day}, TILFLYDTO=20260{day}011200\n\
         008 FORNVN=Maja, EFTERNVN=Mejse, NVNHAENSTART=198001010000\n099 HAENDELSE=A01"
    );
    let persons: Vec<(&str, &str)> = numbers.iter().map(|number| (&number[..], &rows[..])).collect();
    extract_of_day(day, &persons)
}

/// A store of three deliveries with all that can be in one.
fn store_at(path: &Path, options: &Options) -> Replika {
    let replika = Replika::create_with(path, &config(), options).unwrap();
    apply(&replika, &night(1)).unwrap();
    subscribe(&replika, "desk", Profile::SF6002, &["6101801003", "0-17", "0751", "A01"]);
    for day in 2..=3 {
        apply(&replika, &night(day)).unwrap();
    }
    replika.add_consumer("reader", EventCursor::BEGINNING).unwrap();
    replika
}

/// All that a store can be asked, as text.
fn everything(replika: &Replika) -> Vec<String> {
    let snapshot = replika.snapshot();
    let mut all = vec![format!("{:?}", snapshot.deliveries().unwrap())];
    for known in 1..=snapshot.known().0 {
        let mut bytes = Vec::new();
        snapshot.export(Some(DeliveryNumber(known)), &mut bytes).unwrap();
        all.push(String::from_utf8(bytes).unwrap());
        let events = snapshot.events_of(DeliveryNumber(known), EventFilter::default()).unwrap();
        all.push(events.map(|event| format!("{:?} ", event.unwrap().id)).collect());
        let changed = snapshot.changes(DeliveryNumber(known)).unwrap();
        all.push(changed.map(|pnr| pnr.reveal().to_owned()).collect());
        let matched = snapshot.matched(DeliveryNumber(known), &name("desk")).unwrap();
        all.push(matched.iter().map(|key| key.as_u32().to_string() + " ").collect());
    }
    all.push(format!("{:?} {:?}", snapshot.subscribers().unwrap(), replika.consumers().unwrap()));
    let filters = snapshot.filters(&name("desk"), None).unwrap();
    all.push(format!("{:?}", filters.iter().map(Filter::to_bytes).collect::<Vec<_>>()));
    all.push(format!("{:?}", snapshot.settings()));
    let verified = snapshot.verify().unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    all.push(format!("{verified:?}"));
    all
}

fn go_on(_: RewriteProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_compacted_store_answers_as_before_and_takes_the_next_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let options = Options::default();
    let replika = store_at(&path, &options);
    let before = everything(&replika);
    let report = replika.compact(go_on).unwrap();
    assert!(report.bytes_after < report.bytes_before, "{report:?}");
    assert_eq!(everything(&replika), before);
    drop(replika);
    assert_eq!(files_in(folder.path()), ["store"]);
    assert!(Replika::verify_file(&path, &options).unwrap().is_clean());
    let replika = Replika::open(&path).unwrap();
    assert_eq!(everything(&replika), before, "and opened anew");
    apply(&replika, &night(4)).unwrap();

    let never = folder.path().join("never compacted");
    let other = store_at(&never, &options);
    apply(&other, &night(4)).unwrap();
    assert_eq!(exported(&replika), exported(&other));
}

#[test]
fn a_store_in_memory_is_compacted_in_memory() {
    let replika = Replika::in_memory(&config()).unwrap();
    apply(&replika, &night(1)).unwrap();
    apply(&replika, &night(2)).unwrap();
    let before = exported(&replika);
    let report = replika.compact(go_on).unwrap();
    assert!(report.rows > PERSONS as u64);
    assert_eq!(exported(&replika), before);
    apply(&replika, &night(3)).unwrap();
}

#[test]
fn a_snapshot_that_is_held_goes_on_reading_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let small = Options { cache_bytes: 0, ..Options::default() };
    let replika = store_at(&path, &small);
    let held = replika.snapshot();
    let before = exported(&replika);
    replika.compact(go_on).unwrap();
    apply(&replika, &night(4)).unwrap();
    let mut bytes = Vec::new();
    held.export(None, &mut bytes).unwrap();
    assert_eq!((held.known(), bytes), (DeliveryNumber(3), before));
    assert_eq!(replika.snapshot().known(), DeliveryNumber(4));
}

#[test]
fn a_writer_waits_and_what_it_writes_is_in_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path, &Options::default());
    let (done, is_done) = mpsc::channel();
    thread::scope(|scope| {
        let mut writer = None;
        replika
            .compact(|progress| {
                let replika = &replika;
                let done = done.clone();
                writer.get_or_insert_with(|| {
                    scope.spawn(move || {
                        replika.add_consumer("late", EventCursor::BEGINNING).unwrap();
                        done.send(()).unwrap();
                    })
                });
                if progress == RewriteProgress::Replacing {
                    let waited = is_done.recv_timeout(Duration::from_millis(200));
                    assert!(waited.is_err(), "it waits until the end");
                }
                ControlFlow::Continue(())
            })
            .unwrap();
    });
    drop(replika);
    let consumers = Replika::open(&path).unwrap().consumers().unwrap();
    assert!(consumers.iter().any(|consumer| consumer.name == "late"));
}

#[test]
fn nobody_else_gets_at_the_store_at_any_stage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path, &Options::default());
    let mut stages = 0;
    replika
        .compact(|_| {
            stages += 1;
            assert!(matches!(Replika::open(&path), Err(Error::Locked)));
            assert!(matches!(Replika::open_read_only(&path), Err(Error::Locked)));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(stages >= 3);
    assert!(matches!(Replika::open(&path), Err(Error::Locked)), "the new file is locked, too");
}

#[test]
fn a_kill_at_any_stage_leaves_the_store_and_the_next_opening_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path, &Options::default());
    let before = everything(&replika);
    let mut left = Vec::new();
    // What a kill would leave is what stands in the folder at that moment.
    replika
        .compact(|_| {
            let copy = tempfile::tempdir().unwrap();
            for name in files_in(folder.path()) {
                std::fs::copy(folder.path().join(&name), copy.path().join(&name)).unwrap();
            }
            left.push(copy);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(left.iter().any(|copy| files_in(copy.path()).len() == 2), "a new file beside the old one");
    for copy in left {
        let path = copy.path().join("store");
        let replika = Replika::open(&path).unwrap();
        assert_eq!(files_in(copy.path()), ["store"]);
        assert_eq!(everything(&replika), before);
        replika.compact(go_on).unwrap();
        assert_eq!(everything(&replika), before);
    }
}

#[test]
fn a_compaction_that_is_stopped_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path, &Options::default());
    let (before, bytes) = (everything(&replika), std::fs::read(&path).unwrap());
    for stop_at in 0..3 {
        let mut stage = 0;
        let stopped = replika.compact(|_| {
            stage += 1;
            if stage > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(stopped.unwrap_err().class(), ErrorClass::Stopped);
        assert_eq!(files_in(folder.path()), ["store"]);
        assert!(std::fs::read(&path).unwrap() == bytes);
    }
    assert_eq!(everything(&replika), before);
    apply(&replika, &night(4)).unwrap();
}

#[test]
fn a_panic_of_the_callers_own_is_passed_on_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let replika = store_at(&path, &Options::default());
    let before = everything(&replika);
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| replika.compact(|_| panic!("the caller's"))));
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"the caller's"));
    assert_eq!((files_in(folder.path()), everything(&replika)), (vec!["store".to_owned()], before));
    replika.compact(go_on).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_to_a_store_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    let before = everything(&store_at(&real, &Options::default()));
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let replika = Replika::open(&link).unwrap();
    replika.compact(go_on).unwrap();
    drop(replika);
    assert!(link.is_symlink());
    assert_eq!(files_in(folder.path()), ["link", "real"]);
    assert_eq!(everything(&Replika::open(&real).unwrap()), before);
}

#[cfg(unix)]
#[test]
fn a_store_whose_file_was_replaced_is_not_put_in_the_place_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("store"), folder.path().join("other"));
    let replika = store_at(&path, &Options::default());
    std::fs::rename(&path, folder.path().join("moved")).unwrap();
    std::fs::write(&other, "somebody else's").unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert!(matches!(replika.compact(go_on), Err(Error::Replaced)));
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody else's");
}

#[test]
fn who_only_reads_cannot_compact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(store_at(&path, &Options::default()));
    let replika = Replika::open_read_only(&path).unwrap();
    assert!(matches!(replika.compact(go_on), Err(Error::ReadOnly)));
}

#[cfg(feature = "encryption")]
mod encrypted {
    use super::*;
    use cpr_replika::KeyFile;
    use std::sync::Arc;

    fn under(key: &KeyFile) -> Options {
        Options { key: Some(Arc::new(key.clone())), ..Options::default() }
    }

    #[test]
    fn an_encrypted_store_stays_under_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let key = KeyFile::create(folder.path().join("key")).unwrap();
        let replika = store_at(&path, &under(&key));
        let before = everything(&replika);
        replika
            .compact(|_| {
                // Nothing is in the clear beside it either.
                for name in files_in(folder.path()) {
                    let bytes = std::fs::read(folder.path().join(name)).unwrap();
                    assert!(!bytes.windows(5).any(|window| window == b"Mejse"));
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(everything(&replika), before);
        drop(replika);
        assert!(matches!(Replika::open(&path), Err(Error::KeyNeeded)));
        assert_eq!(everything(&Replika::open_with(&path, &under(&key)).unwrap()), before);
    }

    #[test]
    fn a_store_under_a_fresh_key_opens_with_that_and_no_block_of_it_with_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let [old, new] = ["old", "new"].map(|name| KeyFile::create(folder.path().join(name)).unwrap());
        let replika = store_at(&path, &under(&old));
        let before = everything(&replika);
        let header = std::fs::read(&path).unwrap()[..8192].to_vec();
        replika.rewrite_under_key(Arc::new(new.clone()), go_on).unwrap();
        assert_eq!(everything(&replika), before);
        apply(&replika, &night(4)).unwrap();
        drop(replika);
        assert!(matches!(Replika::open_with(&path, &under(&old)), Err(Error::WrongKey)));
        drop(Replika::open_with(&path, &under(&new)).unwrap());
        // Who has kept the old key and the old header gets at the old data key, and that opens nothing.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[..8192].copy_from_slice(&header);
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(Replika::open_with(&path, &under(&old)), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_plain_store_becomes_an_encrypted_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let key = KeyFile::create(folder.path().join("key")).unwrap();
        let replika = store_at(&path, &Options::default());
        let before = everything(&replika);
        replika.rewrite_under_key(Arc::new(key.clone()), go_on).unwrap();
        drop(replika);
        assert!(matches!(Replika::open(&path), Err(Error::KeyNeeded)));
        assert_eq!(everything(&Replika::open_with(&path, &under(&key)).unwrap()), before);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"Mejse"));
    }
}

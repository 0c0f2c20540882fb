//! Who waits for whom: new deliveries wake, long work can be stopped, small writes go first.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::sync::{Barrier, mpsc};
use std::time::Duration;

use cpr_replika::cpr_subscription::Profile;
use cpr_replika::{ApplyOptions, DeliveryNumber, Error, EventCursor, Progress, Replika};

use crate::kit::{config, extract_of_day};

/// The first night is of day 1.
fn night(day: usize) -> Vec<u8> {
    extract_of_day(day, &[("6101801234", "001 STATUS=01")])
}

fn store() -> Replika {
    Replika::in_memory(&config()).unwrap()
}

fn options() -> ApplyOptions<'static> {
    ApplyOptions::named("made up")
}

#[test]
fn a_new_delivery_wakes_threads_and_callbacks_once() {
    let replika = store();
    let (wake, woken) = mpsc::channel();
    let listening = replika.on_delivery(move |delivery| wake.send(delivery).unwrap());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| replika.wait_for(DeliveryNumber(1), Duration::from_secs(60)));
        replika.apply(Cursor::new(night(1)), &options()).unwrap();
        assert!(waiter.join().unwrap());
    });
    // A small write publishes a snapshot, but no delivery.
    replika.add_consumer("reader", EventCursor::BEGINNING).unwrap();
    replika.apply(Cursor::new(night(2)), &options()).unwrap();
    assert_eq!(woken.try_iter().collect::<Vec<_>>(), [DeliveryNumber(1), DeliveryNumber(2)]);
    drop(listening);
    replika.apply(Cursor::new(night(3)), &options()).unwrap();
    assert_eq!(woken.try_iter().count(), 0);
    assert!(!replika.wait_for(DeliveryNumber(4), Duration::from_millis(5)));
}

#[test]
fn work_that_the_caller_stops_leaves_the_store_as_before() {
    let is_at = |wanted: &'static str| {
        move |progress: Progress| {
            let here = match progress {
                Progress::Checking { .. } => "checking",
                Progress::Merging { .. } => "merging",
                _ => "committing",
            };
            if here == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    let replika = store();
    replika.apply(Cursor::new(night(1)), &options()).unwrap();
    for stage in ["checking", "merging", "committing"] {
        let stop = is_at(stage);
        let stopped = replika.apply(Cursor::new(night(2)), &ApplyOptions { progress: Some(&stop), ..options() });
        assert!(matches!(stopped, Err(Error::Stopped)), "{stage}: {stopped:?}");
        assert_eq!(replika.snapshot().known(), DeliveryNumber(1), "{stage}");
    }
    replika.apply(Cursor::new(night(2)), &options()).unwrap();
    assert!(replika.snapshot().verify().unwrap().is_clean());
}

#[test]
fn a_file_that_is_checked_is_told_byte_for_byte_once_however_often_it_is_read() {
    let file = night(1);
    let told = RefCell::new(Vec::new());
    let progress = |progress: Progress| {
        if let Progress::Checking { bytes } = progress {
            told.borrow_mut().push(bytes);
        }
        ControlFlow::Continue(())
    };
    store().apply(Cursor::new(&file), &ApplyOptions { progress: Some(&progress), ..options() }).unwrap();
    let told = told.into_inner();
    assert!(told.is_sorted() && told.last() == Some(&(file.len() as u64)), "{told:?} of {}", file.len());
}

/// A file whose first reading waits until something else has happened.
struct Slow<'a>(Cursor<Vec<u8>>, &'a (dyn Fn() + Sync), bool);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.2, true) {
            (self.1)();
        }
        self.0.read(buffer)
    }
}

impl Seek for Slow<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_small_write_does_not_wait_for_a_file_that_is_checked() {
    let replika = store();
    // Were the lock held while the file is read, this would never end.
    let note = || replika.add_consumer("reader", EventCursor::BEGINNING).unwrap();
    replika.apply(Slow(Cursor::new(night(1)), &note, false), &options()).unwrap();
    assert_eq!(replika.consumers().unwrap().len(), 1);
}

#[test]
fn who_cannot_wait_is_told_that_somebody_writes() {
    let replika = store();
    let (writing, go_on) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        let applying = scope.spawn(|| {
            let hold = |progress: Progress| {
                if matches!(progress, Progress::Committing) {
                    writing.wait();
                    go_on.wait();
                }
                ControlFlow::Continue(())
            };
            replika.apply(Cursor::new(night(1)), &ApplyOptions { progress: Some(&hold), ..options() })
        });
        writing.wait();
        let school = "school".parse().unwrap();
        let busy = [
            replika.without_waiting(|replika| replika.add_consumer("reader", EventCursor::BEGINNING)),
            replika.without_waiting(|replika| replika.add_subscriber(&school, Profile::SF6002).map(drop)),
            replika.without_waiting(|replika| replika.apply(Cursor::new(night(2)), &options()).map(drop)),
        ];
        assert!(busy.iter().all(|answer| matches!(answer, Err(Error::Busy))), "{busy:?}");
        go_on.wait();
        applying.join().unwrap().unwrap();
    });
    assert!(replika.consumers().unwrap().is_empty(), "what was refused has done nothing");
    replika.without_waiting(|replika| replika.add_consumer("reader", EventCursor::BEGINNING)).unwrap();
    assert_eq!(replika.consumers().unwrap().len(), 1);
}

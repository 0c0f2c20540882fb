//! States of a store: replaced whole, told of once they can be read, and nobody sleeps on.

use std::time::Duration;

use shuttle::thread;

use crate::arrivals::Arrivals;
use crate::delivery_number::DeliveryNumber;
use crate::publication::{Publication, State};
use crate::sync::{Arc, Mutex, RwLock};
use crate::{assert_found, try_orders};

/// Two things that belong together, as the open file and the snapshot of it do.
#[derive(Clone, Copy)]
struct Both(u32, u32);

impl State for Both {
    fn known(&self) -> DeliveryNumber {
        DeliveryNumber(self.0)
    }
}

const DELIVERIES: u32 = 3;
const FOREVER: Duration = Duration::from_secs(1_000_000);

#[test]
fn readers_have_one_state_or_the_next_and_what_they_hold_stays_as_it_is() {
    try_orders(|| {
        let publication = Arc::new(Publication::new(Both(0, 0)));
        let readers = [0, 1].map(|_| {
            let publication = publication.clone();
            thread::spawn(move || {
                let mut last = 0;
                for _ in 0..DELIVERIES {
                    let held = publication.read(|state| *state);
                    assert_eq!(held.0, held.1, "parts of two states");
                    assert!(held.0 >= last, "an earlier state than before");
                    last = held.0;
                }
            })
        });
        for delivery in 1..=DELIVERIES {
            publication.replace(Both(delivery, delivery));
            publication.announce();
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn whoever_waits_is_woken_and_reads_what_was_waited_for() {
    try_orders(|| {
        let publication = Arc::new(Publication::new(Both(0, 0)));
        let waiters = [1, DELIVERIES].map(|delivery| {
            let publication = publication.clone();
            thread::spawn(move || {
                assert!(publication.wait(DeliveryNumber(delivery), FOREVER));
                assert!(publication.read(State::known).0 >= delivery, "told before it could be read");
            })
        });
        // Two who apply by turns: each tells behind the lock of writers.
        let writing = Arc::new(Mutex::new(0));
        let writers = [0, 1].map(|_| {
            let (publication, writing) = (publication.clone(), writing.clone());
            thread::spawn(move || {
                loop {
                    let mut last = writing.lock().unwrap();
                    if *last == DELIVERIES {
                        return;
                    }
                    *last += 1;
                    publication.replace(Both(*last, *last));
                    drop(last);
                    publication.announce();
                }
            })
        });
        waiters.into_iter().chain(writers).for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_listener_is_called_with_the_last_delivery_once_it_can_be_read() {
    try_orders(|| {
        let publication = Arc::new(Publication::new(Both(0, 0)));
        let told = Arc::new(Mutex::new(Vec::new()));
        let listening = {
            let (inside, told) = (Arc::downgrade(&publication), told.clone());
            publication.listen(Box::new(move |delivery| {
                let readable = inside.upgrade().unwrap().read(State::known);
                assert!(readable >= delivery, "told before it could be read");
                told.lock().unwrap().push(delivery.0);
            }))
        };
        let writer = {
            let publication = publication.clone();
            thread::spawn(move || {
                for delivery in 1..=2 {
                    publication.replace(Both(delivery, delivery));
                    publication.announce();
                }
            })
        };
        let told_so_far = told.lock().unwrap().last().copied().unwrap_or(0);
        assert!(publication.read(State::known).0 >= told_so_far, "told before it could be read");
        writer.join().unwrap();
        drop(listening);
        publication.replace(Both(3, 3));
        publication.announce();
        assert_eq!(*told.lock().unwrap(), [1, 2], "each once, and none when nobody listens");
    });
}

#[test]
fn telling_before_publishing_is_found() {
    assert_found(|| {
        let (state, arrivals) = (Arc::new(RwLock::new(0)), Arc::new(Arrivals::default()));
        let writer = {
            let (state, arrivals) = (state.clone(), arrivals.clone());
            thread::spawn(move || {
                arrivals.announce(DeliveryNumber(1));
                *state.write().unwrap() = 1;
            })
        };
        assert!(arrivals.wait(DeliveryNumber(1), FOREVER));
        assert!(*state.read().unwrap() >= 1, "told before it could be read");
        writer.join().unwrap();
    });
}

#[test]
fn a_waiter_that_nobody_tells_is_found() {
    assert_found(|| {
        let publication = Arc::new(Publication::new(Both(0, 0)));
        let writer = {
            let publication = publication.clone();
            thread::spawn(move || publication.replace(Both(1, 1)))
        };
        assert!(publication.wait(DeliveryNumber(1), FOREVER));
        writer.join().unwrap();
    });
}

#[test]
fn a_state_that_is_replaced_in_two_steps_is_found() {
    assert_found(|| {
        let parts = Arc::new((RwLock::new(0), RwLock::new(0)));
        let writer = {
            let parts = parts.clone();
            thread::spawn(move || {
                *parts.0.write().unwrap() = 1;
                *parts.1.write().unwrap() = 1;
            })
        };
        let held = (*parts.0.read().unwrap(), *parts.1.read().unwrap());
        assert_eq!(held.0, held.1, "parts of two states");
        writer.join().unwrap();
    });
}

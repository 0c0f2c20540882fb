//! Packs in a folder: a writer puts the next ones there, names them and removes those of before, while others look.

use std::collections::BTreeMap;

use shuttle::thread;

use crate::delivery_number::DeliveryNumber;
use crate::publication::State;
use crate::switch::{Shelf, Switch};
use crate::sync::{Arc, Mutex};
use crate::{assert_found, try_orders};

/// What a folder holds: files by their name with what they are of, and the name of those that are current.
#[derive(Clone, Default)]
struct Folder {
    files: Arc<Mutex<Files>>,
    current: Arc<Mutex<u32>>,
}

type Files = BTreeMap<(u32, Part), Arc<u32>>;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Part {
    Base,
    Overlay,
}

/// The packs of one state, open: they stay whole when their files are removed.
#[derive(Clone)]
struct Opened {
    label: u32,
    base: Arc<u32>,
    overlay: Arc<u32>,
}

impl State for Opened {
    fn known(&self) -> DeliveryNumber {
        DeliveryNumber(self.label)
    }
}

#[derive(Debug)]
struct Gone;

impl Shelf for Folder {
    type Label = u32;
    type State = Opened;
    type Error = Gone;

    fn label(&self) -> Result<u32, Gone> {
        Ok(*self.current.lock().unwrap())
    }

    fn open(&self, label: u32, _: Option<&Opened>) -> Result<Opened, Gone> {
        let open = |part| self.files.lock().unwrap().get(&(label, part)).cloned().ok_or(Gone);
        Ok(Opened { label, base: open(Part::Base)?, overlay: open(Part::Overlay)? })
    }

    fn label_of(opened: &Opened) -> &u32 {
        &opened.label
    }

    fn is_gone(_: &Gone) -> bool {
        true
    }
}

impl Folder {
    fn put(&self, state: u32) {
        for part in [Part::Base, Part::Overlay] {
            self.files.lock().unwrap().insert((state, part), Arc::new(state));
        }
    }

    fn name(&self, state: u32) {
        *self.current.lock().unwrap() = state;
    }

    fn remove(&self, state: u32) {
        for part in [Part::Base, Part::Overlay] {
            self.files.lock().unwrap().remove(&(state, part));
        }
    }
}

const STATES: u32 = 3;

/// A writer and readers who look again and again; each step of the writer is given by `publish`.
fn look_while(publish: fn(&Folder, u32)) {
    let folder = Folder::default();
    folder.put(0);
    let switch = Arc::new(Switch::open(folder.clone()).expect("the packs of a folder that nobody writes to"));
    let writer = {
        let folder = folder.clone();
        thread::spawn(move || (1..=STATES).for_each(|state| publish(&folder, state)))
    };
    let readers = [0, 1].map(|_| {
        let switch = switch.clone();
        thread::spawn(move || {
            let mut last = 0;
            for _ in 0..2 {
                switch.poll().expect("whole packs at every moment");
                let held = switch.publication.read(Clone::clone);
                assert_eq!((*held.base, *held.overlay), (held.label, held.label), "packs of two states");
                assert!(held.label >= last, "an earlier state than before");
                last = held.label;
            }
        })
    });
    let first = switch.publication.read(Clone::clone);
    writer.join().unwrap();
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert_eq!((*first.base, *first.overlay), (first.label, first.label), "what is held stays whole");
    switch.poll().expect("whole packs");
    assert_eq!(switch.publication.read(State::known).0, STATES);
}

#[test]
fn readers_of_packs_have_one_state_or_the_next_while_a_writer_replaces_them() {
    try_orders(|| {
        look_while(|folder, state| {
            folder.put(state);
            folder.name(state);
            folder.remove(state - 1);
        });
    });
}

#[test]
fn naming_packs_before_they_stand_there_is_found() {
    assert_found(|| {
        look_while(|folder, state| {
            folder.name(state);
            folder.put(state);
            folder.remove(state - 1);
        });
    });
}

#[test]
fn removing_packs_before_others_are_named_is_found() {
    assert_found(|| {
        look_while(|folder, state| {
            folder.put(state);
            folder.remove(state - 1);
            folder.name(state);
        });
    });
}

#[test]
fn writing_the_next_packs_over_those_of_before_is_found() {
    assert_found(|| {
        look_while(|folder, state| {
            for part in [Part::Base, Part::Overlay] {
                for label in 0..=state {
                    folder.files.lock().unwrap().insert((label, part), Arc::new(state));
                }
            }
            folder.name(state);
        });
    });
}

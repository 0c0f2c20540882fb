//! Backups that are taken while a night is applied: what they restore is what the store was as of their delivery, byte
//! for byte, and the night goes over it as it went over the store.

use std::cell::RefCell;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cpr_population::Population;
use cpr_replika::cpr_model::Date;
use cpr_replika::cpr_subscription::SubscriberName;
use cpr_replika::{
    ApplyOptions, BusinessEvent, Delivery, DeliveryNumber, EventCursor, EventFilter, Match, Options, Progress, Replika,
    Snapshot,
};

use crate::packs::{Register, deliver, hold};

/// What a store says of one delivery and all before it.
struct State {
    export: Vec<u8>,
    deliveries: Vec<Delivery>,
    events: Vec<BusinessEvent>,
    /// Of each delivery and subscriber: who matched, and why.
    matches: Vec<Vec<Match>>,
    previous_production_dates: Vec<Date>,
    is_clean: bool,
}

impl State {
    /// As of a delivery, from a store that may know later ones.
    fn read(snapshot: &Snapshot, delivery: DeliveryNumber) -> State {
        let mut export = Vec::new();
        snapshot.export(Some(delivery), &mut export).unwrap();
        let all = snapshot.events_since(EventCursor::BEGINNING, EventFilter::default()).unwrap();
        let events = all.map(|event| event.unwrap()).filter(|event| event.delivery <= delivery).collect();
        let mut deliveries = snapshot.deliveries().unwrap();
        deliveries.retain(|one| one.number <= delivery);
        // How long it took is no part of the state.
        deliveries.iter_mut().for_each(|one| one.counts.duration = Duration::ZERO);
        let (mut matches, mut previous_production_dates) = (Vec::new(), Vec::new());
        for number in deliveries.iter().map(|one| one.number) {
            for to in snapshot.recipients(number).unwrap() {
                matches.push(snapshot.matches(number, &to.subscriber.name).unwrap().persons);
                previous_production_dates.push(to.previous_production_date);
            }
        }
        let is_clean = snapshot.verify().unwrap().is_clean();
        State { export, deliveries, events, matches, previous_production_dates, is_clean }
    }

    fn hold_same(&self, other: &State) {
        assert!(self.export == other.export, "export");
        assert_eq!(self.deliveries, other.deliveries);
        assert!(self.events == other.events, "events");
        assert!(self.matches == other.matches, "matches");
        assert_eq!(self.previous_production_dates, other.previous_production_dates);
        assert_eq!(self.is_clean, other.is_clean);
    }
}

/// The full extract that each subscriber begins with. It begins the streams too.
fn initial_loads(replika: &Replika) -> Vec<Vec<u8>> {
    let subscribers = replika.snapshot().subscribers().unwrap().into_iter();
    let load = |name: SubscriberName| {
        let mut out = Vec::new();
        replika.initial_load(&name, &mut out).unwrap();
        out
    };
    subscribers.map(|subscriber| load(subscriber.name)).collect()
}

/// Applies a night, and takes a backup at each of its stages. Returns their folders.
fn apply_and_back_up(replika: &Replika, delta: &[u8], folder: &Path) -> Vec<PathBuf> {
    let taken = RefCell::new(Vec::new());
    let take = |progress: Progress| {
        let packs = folder.join(format!("packs-{}-{}", replika.snapshot().known(), taken.borrow().len()));
        let report = replika.snapshot().write_pack(&packs).unwrap();
        assert_eq!(report.delivery, replika.snapshot().known());
        taken.borrow_mut().push((packs, progress));
        ControlFlow::Continue(())
    };
    let options = ApplyOptions { progress: Some(&take), ..ApplyOptions::named("delta") };
    replika.apply(Cursor::new(delta), &options).unwrap();
    let taken = taken.into_inner();
    assert!(taken.iter().any(|(_, at)| matches!(at, Progress::Merging { .. })), "while persons are merged");
    assert!(taken.iter().any(|(_, at)| matches!(at, Progress::Committing)), "before the commit");
    taken.into_iter().map(|(packs, _)| packs).collect()
}

#[test]
fn a_backup_that_was_taken_during_an_apply_restores_the_store_as_of_its_delivery() {
    let population = Population::new(7, 60);
    let (register, folder) = (Register::new(&population, "std"), tempfile::tempdir().unwrap());
    let (source, mut deltas) = (&register.replika, population.deltas(&register.product, 30));
    register.subscribe();
    (0..2).for_each(|_| register.night(&mut deltas));
    let before = source.snapshot().known();
    let loads = initial_loads(source);
    assert!(loads.iter().any(|load| !load.is_empty()));
    let delta = deltas.next_delta(Vec::new()).unwrap();
    let backups = apply_and_back_up(source, &delta, folder.path());
    let after = source.snapshot().known();
    let [was, is] = [before, after].map(|delivery| State::read(&source.snapshot(), delivery));
    assert!(was.is_clean && is.is_clean && was.events.len() < is.events.len() && was.matches != is.matches);
    for (at, packs) in backups.iter().enumerate() {
        let restored = Replika::restore(packs, folder.path().join(format!("store-{at}")), &Options::default()).unwrap();
        assert_eq!(restored.snapshot().known(), before);
        State::read(&restored.snapshot(), before).hold_same(&was);
        assert!(initial_loads(&restored) == loads, "initial loads of backup {at}");
        restored.apply(Cursor::new(&delta), &ApplyOptions::named("delta")).unwrap();
        State::read(&restored.snapshot(), after).hold_same(&is);
        let [restored, source] = [&restored, source].map(|replika| replika.snapshot().state_digest().unwrap());
        assert_eq!(restored, source);
    }
}

#[test]
fn a_store_restored_as_of_a_delivery_is_what_it_was_and_becomes_what_it_became() {
    let population = Population::new(9, 80);
    let (register, folder) = (Register::new(&population, "uuid"), tempfile::tempdir().unwrap());
    let (source, mut deltas) = (&register.replika, population.deltas(&register.product, 80));
    register.subscribe();
    source.add_consumer("ahead", EventCursor::BEGINNING).unwrap();
    source.add_consumer("behind", EventCursor::BEGINNING).unwrap();
    let (mut nights, mut then) = (Vec::new(), vec![source.snapshot()]);
    for _ in 0..14 {
        let delta = deltas.next_delta(Vec::new()).unwrap();
        register.deliver(delta.clone());
        nights.push(delta);
        then.push(source.snapshot());
    }
    let last = source.snapshot().known();
    source.acknowledge("ahead", EventCursor::after(last)).unwrap();
    let put_away = |snapshot: &Snapshot| {
        let tables = snapshot.stats().unwrap().tables;
        tables.into_iter().find(|table| table.name.starts_with("superseded")).unwrap().rows
    };
    assert!(put_away(&then[12]) > 0 && put_away(&then[7]) < put_away(&then[14]), "pasts of several parts");
    let packs = folder.path().join("packs");
    source.snapshot().write_pack(&packs).unwrap();
    let is = State::read(&source.snapshot(), last);
    for known in [1, 8, 13, last.0] {
        let (delivery, was) = (DeliveryNumber(known), &then[known as usize - 1]);
        let path = folder.path().join(format!("store-{known}"));
        let (restored, report) = Replika::restore_known_at(&packs, path, delivery, &Options::default()).unwrap();
        let cut = if delivery < last { vec!["ahead".to_owned()] } else { Vec::new() };
        assert_eq!((report.delivery, report.consumers, report.files), (delivery, cut, 2 * u64::from(last.0 - known)));
        hold(was, &restored.snapshot(), was.last_delivery().unwrap().production_date);
        nights[known as usize - 1..].iter().for_each(|night| deliver(&restored, night.clone()));
        State::read(&restored.snapshot(), last).hold_same(&is);
        let digests = [&restored, source].map(|replika| replika.snapshot().state_digest().unwrap());
        assert_eq!(digests[0], digests[1]);
    }
    let path = folder.path().join("none");
    let refused = Replika::restore_known_at(&packs, &path, DeliveryNumber(last.0 + 1), &Options::default());
    assert_eq!(refused.unwrap_err().kind(), "unknown_delivery");
    assert!(!path.exists());
}

//! Events that were refused, and those of the same persons that wait behind them.
//!
//! `ID.event` says where an event stands in the feed, and names nobody: whose it is, is read from the store. A refused
//! one has `ID.reason` beside it. When somebody removes the reason it is tried again, and what waits behind it follows.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cpr_replika::cpr_model::{PersonKey, Pnr};
use cpr_replika::{BusinessEvent, Error, EventCursor, EventFilter, PersonSet, Snapshot};

use crate::outbox::write_whole;

const EVENT: &str = ".event";
const REASON: &str = ".reason";

/// The events that are kept back, in the order of the feed, by person.
#[derive(Default)]
pub(super) struct Parked {
    folder: PathBuf,
    events: BTreeMap<Pnr, BTreeMap<EventCursor, String>>,
}

impl Parked {
    /// Those in the folder; one whose person has been erased since is gone, and its file with it.
    pub(super) fn open(folder: &Path, snapshot: &Snapshot) -> Result<Parked, OpenError> {
        private_file::make_own_folder(folder)?;
        let mut of_delivery: BTreeMap<_, BTreeMap<String, PathBuf>> = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(EVENT));
            let Some(id) = name.map(str::to_owned) else { continue };
            let cursor: EventCursor = fs::read_to_string(&path)?.trim().parse()?;
            of_delivery.entry(cursor.delivery()).or_default().insert(id, path);
        }
        let mut parked = Parked { folder: folder.to_owned(), events: BTreeMap::new() };
        for (delivery, mut files) in of_delivery {
            for event in snapshot.events_of(delivery, EventFilter::default())? {
                let event = event?;
                let id = event.id.to_string();
                if files.remove(&id).is_some() {
                    parked.events.entry(event.pnr).or_default().insert(event.cursor, id);
                }
            }
            for (id, path) in files {
                fs::remove_file(path)?;
                fs::remove_file(folder.join(format!("{id}{REASON}"))).ok();
            }
        }
        Ok(parked)
    }

    /// True when an event of this person is kept back, so that later ones are too.
    pub(super) fn holds_back(&self, pnr: Pnr) -> bool {
        self.events.contains_key(&pnr)
    }

    /// How many persons have a refused event, and how many events wait behind those.
    pub(super) fn counts(&self) -> (usize, usize) {
        let all: usize = self.events.values().map(BTreeMap::len).sum();
        (self.events.len(), all - self.events.len())
    }

    /// Keeps an event back; with the reason when it was refused.
    pub(super) fn add(&mut self, event: &BusinessEvent, reason: Option<&str>) -> io::Result<()> {
        let id = event.id.to_string();
        if let Some(reason) = reason {
            write_whole(&self.path(&id, REASON), &mut |out| writeln!(out, "{reason}"))?;
        }
        write_whole(&self.path(&id, EVENT), &mut |out| writeln!(out, "{}", event.cursor))?;
        self.events.entry(event.pnr).or_default().insert(event.cursor, id);
        Ok(())
    }

    /// An event that has been taken after all.
    pub(super) fn remove(&mut self, event: &BusinessEvent) -> io::Result<()> {
        let id = event.id.to_string();
        fs::remove_file(self.path(&id, EVENT))?;
        if let Some(events) = self.events.get_mut(&event.pnr) {
            events.retain(|_, held| *held != id);
            if events.is_empty() {
                self.events.remove(&event.pnr);
            }
        }
        Ok(())
    }

    /// The first event of each person whose reason somebody has removed. Whoever removes the event too has given it up.
    pub(super) fn take_retriable(&mut self, snapshot: &Snapshot) -> Result<Vec<BusinessEvent>, OpenError> {
        let mut found = Vec::new();
        let mut given_up = Vec::new();
        for (pnr, events) in &self.events {
            let Some((cursor, id)) = events.first_key_value() else { continue };
            if self.path(id, REASON).try_exists()? {
                continue;
            }
            let key: Option<PersonKey> = pnr.key();
            let persons: PersonSet = key.into_iter().collect();
            let filter = EventFilter { persons: Some(persons), ..EventFilter::default() };
            let is_there = self.path(id, EVENT).try_exists()?;
            let mut of_person = snapshot
                .events_of(cursor.delivery(), filter)?
                .filter(|event| event.as_ref().map_or(true, |event| event.id.to_string() == *id));
            match of_person.next().transpose()? {
                Some(event) if is_there => found.push(event),
                _ => given_up.push((*pnr, *cursor, id.clone())),
            }
        }
        for (pnr, cursor, id) in given_up {
            fs::remove_file(self.path(&id, EVENT)).ok();
            if let Some(events) = self.events.get_mut(&pnr) {
                events.remove(&cursor);
                if events.is_empty() {
                    self.events.remove(&pnr);
                }
            }
        }
        Ok(found)
    }

    fn path(&self, id: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{id}{ending}"))
    }
}

/// Why the folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("parked events: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Engine(#[from] Error),
}

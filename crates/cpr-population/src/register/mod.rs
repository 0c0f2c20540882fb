//! The register while days pass: who is held, who is in tonight's file, and what can happen to them.
//!
//! The register holds whom something happened to, on top of a population or of nobody. What happens stands in the files
//! of this folder, by kind; each event changes the rows of everybody concerned as CPR would, with a record 099 for each
//! of them. One that cannot be (the dead do not move) changes nothing and says so by `false`.

mod administrative;
mod corrections;
mod life_events;
mod number_changes;
pub(crate) mod relatives;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use cpr_model::Pnr;

use crate::days::Day;
use crate::person::{Event, PersonRows, number_of};
use crate::population::families::Families;
use crate::population::life::Scratch;

use self::rows::began_before;

/// The state of everybody to whom something happened.
pub(crate) struct Register<'a> {
    base: Option<&'a Families>,
    held: BTreeMap<u32, PersonRows>,
    /// Whom the night's file is about.
    in_delta: BTreeSet<u32>,
    scratch: Scratch,
    /// TIMESTAMPU of what happens next.
    pub(crate) entered_at: u64,
}

fn key(pnr: Pnr) -> u32 {
    pnr.key().map_or(0, |key| key.as_u32())
}

impl<'a> Register<'a> {
    pub(crate) fn new(base: Option<&'a Families>) -> Register<'a> {
        Register { base, held: BTreeMap::new(), in_delta: BTreeSet::new(), scratch: Scratch::default(), entered_at: 0 }
    }

    /// Holds somebody who was not held, or otherwise.
    pub(crate) fn insert(&mut self, person: PersonRows) {
        let number = person.number.map_or(0, key);
        self.held.insert(number, person);
    }

    /// True when something has happened to this number.
    pub(crate) fn is_held(&self, pnr: Pnr) -> bool {
        self.held.contains_key(&key(pnr))
    }

    /// How many persons tonight's file is about.
    pub(crate) fn delivered_count(&self) -> usize {
        self.in_delta.len()
    }

    /// True when tonight's file is about this person.
    pub(crate) fn is_delivered(&self, pnr: Pnr) -> bool {
        self.in_delta.contains(&key(pnr))
    }

    /// The person as of now, without a claim on memory.
    pub(crate) fn person_now(&mut self, pnr: Pnr) -> Option<PersonRows> {
        if let Some(person) = self.held.get(&key(pnr)) {
            return Some(person.clone());
        }
        let base = self.base?;
        let rank = base.rank_of(pnr)?;
        Some(base.person_at(rank, &mut self.scratch))
    }

    /// Delivers the person tonight, with this event.
    pub(crate) fn add_event(&mut self, pnr: Pnr, code: &'static str, derived: &'static str) -> Option<&mut PersonRows> {
        if !self.held.contains_key(&key(pnr)) {
            let person = self.person_now(pnr)?;
            self.held.insert(key(pnr), person);
        }
        self.in_delta.insert(key(pnr));
        // TIMESTAMPU is blank for who is delivered on request and after CPR's own check.
        let at = if matches!(code, "A74" | "K74") { 0 } else { self.entered_at };
        let person = self.held.get_mut(&key(pnr))?;
        let is_new = !person.events.iter().any(|event| (event.code, event.derived) == (code, derived));
        person.events.extend(is_new.then_some(Event { at, code, derived }));
        Some(person)
    }

    /// Delivers the person tonight with an own event of this code, when it can be.
    pub(crate) fn add_event_if(&mut self, can: bool, pnr: Pnr, code: &'static str) -> Option<&mut PersonRows> {
        if can { self.add_event(pnr, code, "") } else { None }
    }

    /// Everybody who is held, in the order of a file.
    pub(crate) fn persons(&self) -> impl Iterator<Item = &PersonRows> {
        self.held.values()
    }

    /// Whom tonight's file is about, in its order.
    pub(crate) fn delivered(&self) -> impl Iterator<Item = &PersonRows> {
        self.in_delta.iter().filter_map(|key| self.held.get(key))
    }

    /// The next night begins: its events are told once.
    pub(crate) fn close_delta(&mut self) {
        for key in std::mem::take(&mut self.in_delta) {
            if let Some(person) = self.held.get_mut(&key) {
                person.events.clear();
            }
        }
    }

    /// The person as of now, when alive and living here.
    pub(crate) fn resident(&mut self, pnr: Pnr) -> Option<PersonRows> {
        self.person_now(pnr).filter(|person| person.status < 20 && person.address().is_some())
    }

    /// The spouse of a person who is married.
    pub(crate) fn spouse(&mut self, pnr: Pnr, day: Day) -> Option<Pnr> {
        let person = self.person_now(pnr).filter(|person| began_before(&person.civil, day))?;
        let row = person.civil.iter().find(|row| row.to.is_none() && row.value.status == 'G')?;
        number_of(&row.value.spouse)
    }
}

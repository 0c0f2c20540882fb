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
use crate::person::{Dossier, Event, number_of};
use crate::population::families::Families;
use crate::population::life::Workroom;

use self::rows::began;

/// The state of everybody to whom something happened.
pub(crate) struct Register<'a> {
    base: Option<&'a Families>,
    held: BTreeMap<u32, Dossier>,
    /// Whom the night's file is about.
    tonight: BTreeSet<u32>,
    room: Workroom,
    /// TIMESTAMPU of what happens next.
    pub(crate) entered_at: u64,
}

fn key(pnr: Pnr) -> u32 {
    pnr.key().map_or(0, |key| key.as_u32())
}

impl<'a> Register<'a> {
    pub(crate) fn new(base: Option<&'a Families>) -> Register<'a> {
        Register { base, held: BTreeMap::new(), tonight: BTreeSet::new(), room: Workroom::default(), entered_at: 0 }
    }

    pub(crate) fn add(&mut self, person: Dossier) {
        let number = person.number.map_or(0, key);
        self.held.insert(number, person);
    }

    pub(crate) fn is_held(&self, pnr: Pnr) -> bool {
        self.held.contains_key(&key(pnr))
    }

    /// How many persons tonight's file is about.
    pub(crate) fn concerned(&self) -> usize {
        self.tonight.len()
    }

    pub(crate) fn is_concerned(&self, pnr: Pnr) -> bool {
        self.tonight.contains(&key(pnr))
    }

    /// The person as of now, without a claim on memory.
    pub(crate) fn look(&mut self, pnr: Pnr) -> Option<Dossier> {
        if let Some(person) = self.held.get(&key(pnr)) {
            return Some(person.clone());
        }
        let base = self.base?;
        let rank = base.rank_of(pnr)?;
        Some(base.person(rank, &mut self.room))
    }

    /// Delivers the person tonight, with this event.
    pub(crate) fn concern(&mut self, pnr: Pnr, code: &'static str, derived: &'static str) -> Option<&mut Dossier> {
        if !self.held.contains_key(&key(pnr)) {
            let person = self.look(pnr)?;
            self.held.insert(key(pnr), person);
        }
        self.tonight.insert(key(pnr));
        // TIMESTAMPU is blank for who is delivered on request and after CPR's own check.
        let at = if matches!(code, "A74" | "K74") { 0 } else { self.entered_at };
        let person = self.held.get_mut(&key(pnr))?;
        let is_new = !person.events.iter().any(|event| (event.code, event.derived) == (code, derived));
        person.events.extend(is_new.then_some(Event { at, code, derived }));
        Some(person)
    }

    pub(crate) fn concern_if(&mut self, can: bool, pnr: Pnr, code: &'static str) -> Option<&mut Dossier> {
        if can { self.concern(pnr, code, "") } else { None }
    }

    /// Everybody who is held, and who of them is concerned tonight, in the order of the file.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Dossier> {
        self.held.values()
    }

    pub(crate) fn concerned_tonight(&self) -> impl Iterator<Item = &Dossier> {
        self.tonight.iter().filter_map(|key| self.held.get(key))
    }

    /// The next night begins: its events are told once.
    pub(crate) fn close_night(&mut self) {
        for key in std::mem::take(&mut self.tonight) {
            if let Some(person) = self.held.get_mut(&key) {
                person.events.clear();
            }
        }
    }

    /// The person as of now, when alive and living here.
    pub(crate) fn resident(&mut self, pnr: Pnr) -> Option<Dossier> {
        self.look(pnr).filter(|person| person.status < 20 && person.address().is_some())
    }

    /// The spouse of a person who is married.
    pub(crate) fn spouse(&mut self, pnr: Pnr, day: Day) -> Option<Pnr> {
        let person = self.look(pnr).filter(|person| began(&person.civil, day))?;
        let row = person.civil.iter().find(|row| row.to.is_none() && row.what.status == 'G')?;
        number_of(&row.what.spouse)
    }
}

//! What a night begins with: everybody, the day, the random numbers, and whom something happened to lately.

use std::collections::BTreeSet;

use cpr_model::Pnr;

use crate::days::{Day, TODAY, date, day_of_date, next_working_day};
use crate::extract::Refusal;
use crate::person::{Address, PersonRows, number_of};
use crate::population::families::{Families, topic};
use crate::reference_data::places;
use crate::register::Register;
use crate::rng::Rng;

/// Whom something happened to that may be taken back; the last ones only.
#[derive(Default)]
pub(super) struct RecentEvents {
    pub(super) died: Vec<Pnr>,
    pub(super) wed: Vec<Pnr>,
    pub(super) separated: Vec<Pnr>,
    pub(super) renamed: Vec<Pnr>,
    pub(super) naturalised: Vec<Pnr>,
    /// Of the church.
    pub(super) church_changed: Vec<Pnr>,
    pub(super) renumbered: Vec<Pnr>,
    pub(super) deleted_doubles: Vec<Pnr>,
}

/// Remembers somebody in place of an earlier one when there are many.
pub(super) fn remember(list: &mut Vec<Pnr>, pnr: Pnr) {
    const MOST: usize = 64;
    if list.len() == MOST {
        list.remove(0);
    }
    list.push(pnr);
}

/// Who there is, what day it is, and what is remembered from one night to the next.
pub(super) struct DeltaState<'a> {
    pub(super) families: &'a Families,
    pub(super) register: Register<'a>,
    pub(super) day: Day,
    pub(super) rng: Rng,
    /// Newborns by serial on their day, and those who have no name yet.
    pub(super) newborns: u32,
    pub(super) unnamed: Vec<Pnr>,
    pub(super) recent: RecentEvents,
    /// Receipts for subscriptions that end tonight; whose have ended; and what is refused tonight.
    pub(super) receipts: Vec<(Pnr, u64)>,
    pub(super) ended: BTreeSet<Pnr>,
    pub(super) refusals: Vec<Refusal>,
}

impl<'a> DeltaState<'a> {
    pub(super) fn new(families: &'a Families) -> DeltaState<'a> {
        DeltaState {
            families,
            register: Register::new(Some(families)),
            day: TODAY,
            rng: Rng::about(families.seed, topic::NIGHT, 0),
            newborns: 0,
            unnamed: Vec::new(),
            recent: RecentEvents::default(),
            receipts: Vec::new(),
            ended: BTreeSet::new(),
            refusals: Vec::new(),
        }
    }

    /// The next working day begins; returns the one before.
    pub(super) fn begin_day(&mut self) -> Day {
        let previous = self.day;
        self.day = next_working_day(previous);
        self.newborns = 0;
        previous
    }

    /// Sets the time (TIMESTAMPU) at which what happens next is entered, some minute of the day.
    pub(super) fn set_entry_time(&mut self) {
        let minute = self.rng.below(600);
        self.register.entered_at = u64::from(date(self.day).digits()) * 10_000 + (8 + minute / 60) * 100 + minute % 60;
    }

    /// Draws somebody of the population who is not in tonight's file already.
    pub(super) fn draw_person(&mut self) -> Option<Pnr> {
        let persons = self.families.cohorts.persons();
        let rank = (persons > 0).then(|| self.rng.below(u64::from(persons)) as u32)?;
        Some(self.families.pnr(rank)).filter(|pnr| !self.register.is_delivered(*pnr))
    }

    pub(super) fn draw_home_near(&mut self, municipality: u16) -> Address {
        let own = places::municipality(municipality).filter(|_| self.rng.hits_permille(600));
        let places = &self.families.places;
        let place = own.unwrap_or_else(|| places.municipality(&mut self.rng));
        places.home(place, &mut self.rng)
    }

    /// Spouse and children at this home who are not in tonight's file already.
    pub(super) fn household(&mut self, person: &PersonRows, home: Address) -> Vec<Pnr> {
        let spouse = person.civil.iter().filter(|row| row.to.is_none() && row.value.status == 'G');
        let spouse = spouse.filter_map(|row| number_of(&row.value.spouse));
        let mut relatives: Vec<_> = spouse.chain(person.children.iter().copied()).collect();
        relatives.retain(|relative| {
            let shares = |other: PersonRows| other.address().is_some_and(|row| row.value == home);
            !self.register.is_delivered(*relative) && self.register.person_now(*relative).is_some_and(shares)
        });
        relatives
    }

    /// Age in years tonight.
    pub(super) fn age(&self, person: &PersonRows) -> i32 {
        person.born.map_or(0, |born| (self.day - day_of_date(born)) / 365)
    }
}

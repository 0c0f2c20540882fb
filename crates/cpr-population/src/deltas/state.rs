//! What a night begins with: everybody, the day, the dice, and whom something happened to of late.

use std::collections::BTreeSet;

use cpr_model::Pnr;

use crate::days::{Day, TODAY, date, day_of_date, next_working_day};
use crate::extract::Refusal;
use crate::person::{Address, Dossier, number_of};
use crate::population::families::{Families, topic};
use crate::reference_data::places;
use crate::register::Register;
use crate::rng::Dice;

/// Whom something happened to that may be taken back; the last ones only.
#[derive(Default)]
pub(super) struct Lately {
    pub(super) died: Vec<Pnr>,
    pub(super) wed: Vec<Pnr>,
    pub(super) separated: Vec<Pnr>,
    pub(super) renamed: Vec<Pnr>,
    pub(super) naturalised: Vec<Pnr>,
    /// Of the church.
    pub(super) in_or_out: Vec<Pnr>,
    pub(super) renumbered: Vec<Pnr>,
    pub(super) doubled: Vec<Pnr>,
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
pub(super) struct State<'a> {
    pub(super) families: &'a Families,
    pub(super) register: Register<'a>,
    pub(super) day: Day,
    pub(super) dice: Dice,
    /// Newborns by serial on their day, and those who have no name yet.
    pub(super) newborns: u32,
    pub(super) unnamed: Vec<Pnr>,
    pub(super) lately: Lately,
    /// Receipts for subscriptions that end tonight; whose have ended; and what is refused tonight.
    pub(super) receipts: Vec<(Pnr, u64)>,
    pub(super) ended: BTreeSet<Pnr>,
    pub(super) refusals: Vec<Refusal>,
}

impl<'a> State<'a> {
    pub(super) fn new(families: &'a Families) -> State<'a> {
        State {
            families,
            register: Register::new(Some(families)),
            day: TODAY,
            dice: Dice::about(families.seed, topic::NIGHT, 0),
            newborns: 0,
            unnamed: Vec::new(),
            lately: Lately::default(),
            receipts: Vec::new(),
            ended: BTreeSet::new(),
            refusals: Vec::new(),
        }
    }

    /// The next working day begins; returns the one before.
    pub(super) fn dawn(&mut self) -> Day {
        let previous = self.day;
        self.day = next_working_day(previous);
        self.newborns = 0;
        previous
    }

    /// What happens next is entered at some minute of the day.
    pub(super) fn enter(&mut self) {
        let minute = self.dice.roll(600);
        self.register.entered_at = u64::from(date(self.day).digits()) * 10_000 + (8 + minute / 60) * 100 + minute % 60;
    }

    /// Somebody of the population who is not concerned tonight.
    pub(super) fn anybody(&mut self) -> Option<Pnr> {
        let persons = self.families.cohorts.persons();
        let rank = (persons > 0).then(|| self.dice.roll(u64::from(persons)) as u32)?;
        Some(self.families.pnr(rank)).filter(|pnr| !self.register.is_concerned(*pnr))
    }

    pub(super) fn home_near(&mut self, municipality: u16) -> Address {
        let own = places::municipality(municipality).filter(|_| self.dice.hits(600));
        let places = &self.families.places;
        let place = own.unwrap_or_else(|| places.municipality(&mut self.dice));
        places.home(place, &mut self.dice)
    }

    /// Spouse and children at this home who are not concerned tonight.
    pub(super) fn household(&mut self, person: &Dossier, home: Address) -> Vec<Pnr> {
        let spouse = person.civil.iter().filter(|row| row.to.is_none() && row.what.status == 'G');
        let spouse = spouse.filter_map(|row| number_of(&row.what.spouse));
        let mut relatives: Vec<_> = spouse.chain(person.children.iter().copied()).collect();
        relatives.retain(|relative| {
            let shares = |other: Dossier| other.address().is_some_and(|row| row.what == home);
            !self.register.is_concerned(*relative) && self.register.look(*relative).is_some_and(shares)
        });
        relatives
    }

    /// Age in years tonight.
    pub(super) fn age(&self, person: &Dossier) -> i32 {
        person.born.map_or(0, |born| (self.day - day_of_date(born)) / 365)
    }
}

//! Where a person has lived, and when abroad: families share their homes.
//!
//! A household is its woman's from when she leaves home: a row of dwellings, each at a day. Her partner lives in it while
//! they are together, her children until they leave. A man alone has a row of his own.

use crate::days::{Day, TODAY, day_of};
use crate::person::Address;
use crate::population::families::{ADDRESSES_KEPT, Couple, Families, Lot, topic};
use crate::reference_data::codes::COUNTRIES;
use crate::rng::Dice;

/// A stay in the country or abroad.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stay {
    pub(crate) from: Day,
    /// The home, as household and number of the dwelling.
    dwelling: (u32, u32),
}

/// A time abroad.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absence {
    pub(crate) out: Day,
    pub(crate) back: Option<Day>,
    pub(crate) country: u16,
}

/// No dwelling after this one.
const LAST_DWELLING: u32 = 24;

impl Families {
    /// When a person leaves home, or comes to the country.
    fn leaves(&self, rank: u32, couple: Option<&Couple>) -> Day {
        let birthday = self.cohorts.birthday(rank);
        let years = if Families::is_man(rank) { 6 } else { 2 };
        let day = birthday + 18 * 365 + self.dice(topic::HOUSEHOLD, rank).roll(years * 365) as Day;
        let day = couple.map_or(day, |couple| day.min(couple.together));
        if let Lot::Immigrant(arrival) = self.lot(rank) { arrival } else { day }
    }

    /// The dwellings of a household, from this day on.
    fn dwellings(&self, household: u32, from: Day, mut take: impl FnMut(Day, u32)) {
        let mut dice = self.dice(topic::HOUSEHOLD, household);
        let restless = if dice.hits(50) { 4 } else { 1 };
        let mut day = from;
        for at in 0..=LAST_DWELLING {
            take(day, at);
            let share = dice.roll(1_000) as i64;
            let gap = 300 + share * share * (11_000 + 4_500 * i64::from(at)) / 1_000_000;
            day += gap as Day / restless;
            if day >= TODAY {
                return;
            }
        }
    }

    /// The address of a stay.
    pub(crate) fn address(&self, stay: &Stay) -> Address {
        let (household, at) = stay.dwelling;
        let base = self.places.municipality(&mut self.dice(topic::HOME, household));
        let mut dice = Dice::about(self.seed, topic::HOME, u64::from(household) << 8 | u64::from(at) | 1 << 44);
        let place = if dice.hits(620) { base } else { self.places.municipality(&mut dice) };
        let mut home = self.places.home(place, &mut dice);
        if dice.hits(2) {
            home =
                Address { municipality: home.municipality, street: 9_900 + dice.roll(60) as u16, ..Address::default() };
        }
        home
    }

    /// The stays of a person in order, as if nobody went abroad or died; those that ended before CPR keeps them are left out.
    pub(crate) fn stays(&self, rank: u32, couple: Option<&Couple>, stays: &mut Vec<Stay>) {
        stays.clear();
        let mut add = |from: Day, dwelling: (u32, u32)| {
            match stays.last_mut() {
                Some(last) if last.dwelling == dwelling => return,
                // What ended before the history begins, or on the day it began, is not kept.
                Some(last) if from <= ADDRESSES_KEPT || from <= last.from => {
                    *last = Stay { from: from.max(last.from), dwelling };
                    return;
                }
                _ => {}
            }
            stays.push(Stay { from, dwelling });
        };
        let birthday = self.cohorts.birthday(rank);
        let leaves = self.leaves(rank, couple);
        if self.lot(rank) == Lot::Native {
            let mother = self.mother(rank).unwrap_or(rank);
            let first = if mother == rank { birthday } else { self.leaves(mother, self.couple(mother).as_ref()) };
            self.dwellings(mother, first, |from, at| {
                if from <= birthday || at == 0 {
                    add(birthday, (mother, at | u32::from(mother == rank) << 7));
                } else if from < leaves {
                    add(from, (mother, at | u32::from(mother == rank) << 7));
                }
            });
        }
        let partner = couple.filter(|couple| couple.man == rank);
        self.dwellings(rank, leaves, |from, at| {
            if partner.is_none_or(|couple| from < couple.together) {
                add(from, (rank, at));
            }
        });
        let Some(couple) = partner else { return };
        let widowed = self.death(couple.woman).filter(|death| couple.apart == Some(*death));
        let until = couple.apart.filter(|_| widowed.is_none()).unwrap_or(TODAY);
        let hers = self.leaves(couple.woman, Some(couple));
        self.dwellings(couple.woman, hers, |from, at| {
            if from < until {
                add(from.max(couple.together), (couple.woman, at));
            }
        });
        if until < TODAY {
            self.dwellings(rank, leaves, |from, at| add(from.max(until), (rank, at)));
        }
    }

    /// The time a person was, or is, abroad.
    pub(crate) fn absence(&self, rank: u32, lot: Lot, death: Option<Day>) -> Option<Absence> {
        let mut dice = Dice::about(self.seed, topic::ODDITIES, u64::from(rank));
        let birthday = self.cohorts.birthday(rank);
        let (entry, leaving, returning) = match lot {
            Lot::Native => (birthday + 20 * 365, 90, 600),
            Lot::Immigrant(day) => (day.max(birthday + 20 * 365), 480, 80),
            _ => return None,
        };
        let (leaves, returns) = (dice.hits(leaving), dice.hits(returning));
        let end = death.unwrap_or(TODAY);
        let out = entry.max(day_of(1986, 2, 1)) + dice.between(300, 30 * 365);
        let back = out + dice.between(200, 9 * 365);
        let is_home = returns && back < end;
        if !leaves || out >= end || (death.is_some() && !is_home) {
            return None;
        }
        Some(Absence { out, back: is_home.then_some(back), country: *dice.pick(&COUNTRIES, 2) })
    }
}

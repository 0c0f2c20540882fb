//! Where a person has lived, and when abroad: families share their homes.
//!
//! A household is its woman's from when she leaves home: a row of dwellings, each at a day. Her partner lives in it
//! while they are together, her children until they leave. A man alone has a row of his own.

use crate::days::{ADDRESSES_KEPT, Day, TODAY, day_of};
use crate::person::Address;
use crate::population::families::{Couple, Families, NumberKind, topic};
use crate::reference_data::codes::COUNTRIES;
use crate::rng::Rng;

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
    fn leaves_home_on(&self, rank: u32, couple: Option<&Couple>) -> Day {
        let birthday = self.cohorts.birthday(rank);
        let years = if Families::is_man(rank) { 6 } else { 2 };
        let day = birthday + 18 * 365 + self.rng(topic::HOUSEHOLD, rank).below(years * 365) as Day;
        let day = couple.map_or(day, |couple| day.min(couple.together));
        if let NumberKind::Immigrant(arrival) = self.number_kind(rank) { arrival } else { day }
    }

    /// The dwellings of a household, from this day on.
    fn each_dwelling(&self, household: u32, from: Day, mut take: impl FnMut(Day, u32)) {
        let mut rng = self.rng(topic::HOUSEHOLD, household);
        let restless = if rng.hits_permille(50) { 4 } else { 1 };
        let mut day = from;
        for at in 0..=LAST_DWELLING {
            take(day, at);
            let share = rng.below(1_000) as i64;
            let gap = 300 + share * share * (11_000 + 4_500 * i64::from(at)) / 1_000_000;
            day += gap as Day / restless;
            if day >= TODAY {
                return;
            }
        }
    }

    /// The address of a stay.
    pub(crate) fn address_of(&self, stay: &Stay) -> Address {
        let (household, at) = stay.dwelling;
        let base = self.places.municipality(&mut self.rng(topic::HOME, household));
        let mut rng = Rng::about(self.seed, topic::HOME, u64::from(household) << 8 | u64::from(at) | 1 << 44);
        let place = if rng.hits_permille(620) { base } else { self.places.municipality(&mut rng) };
        let mut home = self.places.home(place, &mut rng);
        if rng.hits_permille(2) {
            home =
                Address { municipality: home.municipality, street: 9_900 + rng.below(60) as u16, ..Address::default() };
        }
        home
    }

    /// The stays of a person in order, as if nobody went abroad or died; those that ended before CPR keeps them are
    /// left out.
    pub(crate) fn collect_stays(&self, rank: u32, couple: Option<&Couple>, stays: &mut Vec<Stay>) {
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
        let leaves = self.leaves_home_on(rank, couple);
        if self.number_kind(rank) == NumberKind::Native {
            let mother = self.mother(rank).unwrap_or(rank);
            let first =
                if mother == rank { birthday } else { self.leaves_home_on(mother, self.couple(mother).as_ref()) };
            self.each_dwelling(mother, first, |from, at| {
                if from <= birthday || at == 0 {
                    add(birthday, (mother, at | u32::from(mother == rank) << 7));
                } else if from < leaves {
                    add(from, (mother, at | u32::from(mother == rank) << 7));
                }
            });
        }
        let partner = couple.filter(|couple| couple.man == rank);
        self.each_dwelling(rank, leaves, |from, at| {
            if partner.is_none_or(|couple| from < couple.together) {
                add(from, (rank, at));
            }
        });
        let Some(couple) = partner else { return };
        let widowed = self.death(couple.woman).filter(|death| couple.apart == Some(*death));
        let until = couple.apart.filter(|_| widowed.is_none()).unwrap_or(TODAY);
        let hers = self.leaves_home_on(couple.woman, Some(couple));
        self.each_dwelling(couple.woman, hers, |from, at| {
            if from < until {
                add(from.max(couple.together), (couple.woman, at));
            }
        });
        if until < TODAY {
            self.each_dwelling(rank, leaves, |from, at| add(from.max(until), (rank, at)));
        }
    }

    /// The time a person was, or is, abroad.
    pub(crate) fn absence(&self, rank: u32, number_kind: NumberKind, death: Option<Day>) -> Option<Absence> {
        let mut rng = Rng::about(self.seed, topic::RARITIES, u64::from(rank));
        let birthday = self.cohorts.birthday(rank);
        let (entry, leaving, returning) = match number_kind {
            NumberKind::Native => (birthday + 20 * 365, 90, 600),
            NumberKind::Immigrant(day) => (day.max(birthday + 20 * 365), 480, 80),
            _ => return None,
        };
        let (leaves, returns) = (rng.hits_permille(leaving), rng.hits_permille(returning));
        let end = death.unwrap_or(TODAY);
        let out = entry.max(day_of(1986, 2, 1)) + rng.between(300, 30 * 365);
        let back = out + rng.between(200, 9 * 365);
        let is_home = returns && back < end;
        if !leaves || out >= end || (death.is_some() && !is_home) {
            return None;
        }
        Some(Absence { out, back: is_home.then_some(back), country: *rng.pick(&COUNTRIES, 2) })
    }
}

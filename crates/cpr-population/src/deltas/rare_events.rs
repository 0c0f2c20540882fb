//! What few nights have: the draws of corrections, annulments and of what offices write down.

use cpr_model::Pnr;

use crate::days::{Day, date, parts};
use crate::extract::Refusal;
use crate::person::{Name, PersonRows, Text, number_of};
use crate::reference_data::codes::COUNTRIES;
use crate::reference_data::names;
use crate::reference_data::occupations::OCCUPATIONS;
use crate::reference_data::places::foreign_lines;
use crate::register::Register;
use crate::register::relatives::Newcomer;

use super::state::{DeltaState, RecentEvents, remember};

impl DeltaState<'_> {
    /// Lets one of the rare events happen to this person or to somebody that something happened to lately; it may turn
    /// out to be impossible. `draw` is below 40.
    pub(super) fn draw_rare_event(&mut self, draw: u64, person: &PersonRows, day: Day) -> bool {
        let Some(pnr) = person.number else { return false };
        match draw {
            0..2 => self.register.supplements_address(pnr, "Kollegiet, fløj B".into(), day),
            2..4 => self.register.updates_abroad_or_vote(pnr, foreign_lines(&mut self.rng), day),
            4 => self.register.marks_name(pnr),
            5 => self.register.notes(pnr, day),
            6 => self.register.changes_condition(pnr, day),
            7..10 => {
                let occupation = Text::Borrowed(*self.rng.pick(OCCUPATIONS, 1));
                self.register.takes_occupation(pnr, occupation)
            }
            10..12 => self.register.delivers(pnr, "A45"),
            12 => self.register.delivers(pnr, "A74"),
            13 => self.register.updates_contact(pnr, foreign_lines(&mut self.rng)),
            14 => self.register.changes_guardianship(pnr, day),
            15 => self.register.is_ordered_to_move(pnr, day),
            16..18 => self.register.changes_custody(pnr, day),
            18..20 => self.changes_locality(person),
            20..23 => self.expires(pnr),
            23..26 => self.immigrates(day),
            26 => self.gets_number_late(person, day),
            27..29 => self.gets_parents(day),
            29 => {
                self.revert_recent(|recent| &mut recent.naturalised, |register, pnr| register.annuls_citizenship(pnr))
            }
            30 => self.revert_recent(|recent| &mut recent.church_changed, |register, pnr| register.annuls_church(pnr)),
            31 => self.annuls_number(pnr, day),
            32 => self.deletes_double(person, day),
            33 => self.revert_recent(|recent| &mut recent.renamed, |register, pnr| register.annuls_name(pnr)),
            34 => self.revert_recent(|recent| &mut recent.wed, |register, pnr| register.annuls_wedding(pnr, day)),
            35 => self.revert_recent(|recent| &mut recent.died, |register, pnr| register.annuls_death(pnr)),
            36 => self
                .revert_recent(|recent| &mut recent.renumbered, |register, pnr| register.takes_number_back(pnr, day)),
            37 => {
                self.revert_recent(|recent| &mut recent.deleted_doubles, |register, pnr| register.revives_double(pnr))
            }
            _ => {
                let code = *self.rng.pick(&["P36", "P48", "P49"], 1);
                self.revert_recent(
                    |recent| &mut recent.separated,
                    |register, pnr| register.settles_separation(pnr, code, day),
                )
            }
        }
    }

    /// What the customer asked for: a subscription to somebody who is gone ends (997) in some nights, another one is
    /// refused (910).
    pub(super) fn draw_customer_orders(&mut self) {
        if self.rng.hits_permille(250)
            && let Some(pnr) = self.draw_person()
            && self.register.person_now(pnr).is_some_and(|person| matches!(person.status, 30 | 50 | 60 | 90))
            && self.ended.insert(pnr)
        {
            self.set_entry_time();
            self.receipts.push((pnr, self.register.entered_at));
        }
        if self.rng.hits_permille(150)
            && let Some(number) = self.draw_person()
            && let Some(person) = self.register.person_now(number)
        {
            let error = match person.status {
                50 => (8494, "Personnummer er slettet"),
                30 => (8495, "Personnummer er annulleret"),
                60 => (8496, "Personnummer er ændret"),
                _ => (8483, "Abonnement findes allerede"),
            };
            self.refusals.push(Refusal { number, error });
        }
    }

    /// Reverts what happened to one of those lately, unless they are in tonight's file already.
    fn revert_recent(
        &mut self,
        list: impl Fn(&mut RecentEvents) -> &mut Vec<Pnr>,
        happens: impl Fn(&mut Register<'_>, Pnr) -> bool,
    ) -> bool {
        // Most of what is registered is right.
        if !self.rng.hits_permille(400) {
            return false;
        }
        let of = list(&mut self.recent);
        let at = self.rng.below(of.len().max(1) as u64) as usize;
        let Some(&pnr) = of.get(at) else { return false };
        let happened = !self.register.is_delivered(pnr) && happens(&mut self.register, pnr);
        if happened {
            list(&mut self.recent).swap_remove(at);
        }
        happened
    }

    /// The dwelling gets another name in the road register; who shares the home has it too.
    fn changes_locality(&mut self, person: &PersonRows) -> bool {
        let (Some(pnr), Some(home)) = (person.number, person.address().map(|row| row.value)) else { return false };
        let locality = Text::Borrowed(*self.rng.pick(&["Højgården", "Møllehuset", "Strandby", "Skovlund"], 1));
        if !self.register.is_relocated(pnr, locality.clone()) {
            return false;
        }
        for relative in self.household(person, home) {
            self.register.is_relocated(relative, locality.clone());
        }
        true
    }

    /// A day of deletion has come: somebody of age loses the rows of custody, or this person what has run out.
    fn expires(&mut self, pnr: Pnr) -> bool {
        if self.register.expires(pnr, self.day) {
            return true;
        }
        let (year, month, of_month) = parts(self.day - self.rng.below(14) as Day);
        let birthday = crate::days::day_of(year - 18, month, of_month.min(28));
        let cohorts = &self.families.cohorts;
        let [first, end] = [birthday, birthday + 1].map(|day| cohorts.first_rank_born_from(day));
        if first == end {
            return false;
        }
        let of_age = self.families.pnr(first + self.rng.below(u64::from(end - first)) as u32);
        !self.register.is_delivered(of_age) && self.register.expires(of_age, self.day)
    }

    /// Somebody from abroad, born on the day of somebody of the population with this rank or near it.
    fn draw_newcomer(&mut self, rank: u32) -> Option<Newcomer> {
        let is_man = self.rng.hits_permille(500);
        let number =
            self.families.cohorts.unused_number(rank, u32::from(is_man)).filter(|pnr| !self.register.is_held(*pnr))?;
        let born = date(self.families.cohorts.birthday(rank));
        let country = *self.rng.pick(&COUNTRIES, 2);
        let given = names::given(&mut self.rng, is_man, born.year() as i32);
        let (surname, mark) = names::foreign_surname(&mut self.rng);
        let name = Name { given, surname, mark, ..Name::default() };
        Some(Newcomer { number, is_man, born, name, country })
    }

    fn immigrates(&mut self, day: Day) -> bool {
        let from = self.families.cohorts.first_rank_born_from(self.day - 60 * 365);
        let rank = from + self.rng.below(u64::from(self.families.cohorts.persons() - from).max(1)) as u32;
        let home = self.draw_home_near(0);
        let newcomer = self.draw_newcomer(rank.min(self.families.cohorts.persons() - 1));
        newcomer.is_some_and(|newcomer| self.register.immigrates(newcomer, home, day))
    }

    /// A child of this mother, born abroad one to nine years ago.
    fn gets_number_late(&mut self, mother: &PersonRows, day: Day) -> bool {
        let Some(pnr) = mother.number.filter(|_| !mother.is_man && (27..50).contains(&self.age(mother))) else {
            return false;
        };
        let [first, end] = [9, 1].map(|years| self.families.cohorts.first_rank_born_from(self.day - years * 365));
        if first == end {
            return false;
        }
        let rank = first + self.rng.below(u64::from(end - first)) as u32;
        self.draw_newcomer(rank).is_some_and(|child| self.register.gets_number_late(child, pnr, day))
    }

    /// A child gets a father, having had none, another one, or the couple that adopts it.
    fn gets_parents(&mut self, day: Day) -> bool {
        const TRIES: usize = 20;
        let from = self.families.cohorts.first_rank_born_from(self.day - 17 * 365);
        let minors = u64::from(self.families.cohorts.persons() - from);
        let child = (minors > 0).then(|| self.families.pnr(from + self.rng.below(minors) as u32));
        let child = child.filter(|pnr| !self.register.is_delivered(*pnr)).and_then(|pnr| self.register.person_now(pnr));
        let Some((pnr, child)) = child.and_then(|child| Some((child.number?, child))) else { return false };
        for _ in 0..TRIES {
            let Some(other) = self.draw_person() else { continue };
            let Some(parent) = self.register.person_now(other).filter(|other| other.is_man && other.status < 20) else {
                continue;
            };
            if !(18..50).contains(&(self.age(&parent) - self.age(&child))) {
                continue;
            }
            let spouse = parent.civil.iter().find(|row| row.to.is_none() && row.value.status == 'G');
            let spouse = spouse.and_then(|row| number_of(&row.value.spouse));
            let (code, parents) = match (number_of(&child.father.who), spouse) {
                (None, _) => ("A37", [None, Some(other)]),
                (Some(_), Some(spouse)) => ("A35", [Some(spouse), Some(other)]),
                (Some(_), None) => ("A38", [None, Some(other)]),
            };
            return self.register.gets_parents(pnr, code, parents, day);
        }
        false
    }

    /// A number for administration is a second one of somebody of nearly the same age.
    fn deletes_double(&mut self, kept: &PersonRows, day: Day) -> bool {
        let Some((pnr, rank)) = kept.number.and_then(|pnr| Some((pnr, self.families.rank_of(pnr)?))) else {
            return false;
        };
        let Some(double) = self.administrative_near(rank) else { return false };
        let happened = self.register.deletes_double(double, pnr, day);
        if happened {
            remember(&mut self.recent.deleted_doubles, double);
        }
        happened
    }

    /// A number for administration of the same sex, a little older than this rank, that nothing happens to tonight.
    fn administrative_near(&mut self, rank: u32) -> Option<Pnr> {
        const STEPS: u32 = 200;
        (1..STEPS).map_while(|step| rank.checked_sub(2 * step)).map(|rank| self.families.pnr(rank)).find(|pnr| {
            !self.register.is_delivered(*pnr)
                && self.register.person_now(*pnr).is_some_and(|person| person.status == 20)
        })
    }

    fn annuls_number(&mut self, near: Pnr, day: Day) -> bool {
        let number = self.families.rank_of(near).and_then(|rank| self.administrative_near(rank));
        number.is_some_and(|number| self.register.annuls_number(number, day))
    }
}

//! What a night seldom has: the draws of corrections, annulments and of what offices write down.

use cpr_model::Pnr;

use crate::days::{Day, date, parts};
use crate::extract::Refusal;
use crate::person::{Dossier, Name, Words, number_of};
use crate::reference_data::codes::COUNTRIES;
use crate::reference_data::names;
use crate::reference_data::occupations::OCCUPATIONS;
use crate::reference_data::places::foreign_lines;
use crate::register::Register;
use crate::register::relatives::Newcomer;

use super::state::{Lately, State, remember};

impl State<'_> {
    /// One of the seldom things happens to this person, to somebody of late, or turns out to be impossible; `draw` is below 40.
    pub(super) fn seldom(&mut self, draw: u64, person: &Dossier, day: Day) -> bool {
        let Some(pnr) = person.number else { return false };
        match draw {
            0..2 => self.register.supplements_address(pnr, "Kollegiet, fløj B".into(), day),
            2..4 => self.register.updates_abroad_or_vote(pnr, foreign_lines(&mut self.dice), day),
            4 => self.register.marks_name(pnr),
            5 => self.register.notes(pnr, day),
            6 => self.register.changes_condition(pnr, day),
            7..10 => {
                let occupation = Words::Borrowed(*self.dice.pick(OCCUPATIONS, 1));
                self.register.takes_occupation(pnr, occupation)
            }
            10..12 => self.register.delivers(pnr, "A45"),
            12 => self.register.delivers(pnr, "A74"),
            13 => self.register.updates_contact(pnr, foreign_lines(&mut self.dice)),
            14 => self.register.changes_guardianship(pnr, day),
            15 => self.register.is_ordered_to_move(pnr, day),
            16..18 => self.register.changes_custody(pnr, day),
            18..20 => self.locality(person),
            20..23 => self.lapses(pnr),
            23..26 => self.arrives(day),
            26 => self.is_numbered(person, day),
            27..29 => self.kinship(day),
            29 => self.of_late(|lately| &mut lately.naturalised, |register, pnr| register.annuls_citizenship(pnr)),
            30 => self.of_late(|lately| &mut lately.in_or_out, |register, pnr| register.annuls_church(pnr)),
            31 => self.annuls_number(pnr, day),
            32 => self.doubles(person, day),
            33 => self.of_late(|lately| &mut lately.renamed, |register, pnr| register.annuls_name(pnr)),
            34 => self.of_late(|lately| &mut lately.wed, |register, pnr| register.annuls_wedding(pnr, day)),
            35 => self.of_late(|lately| &mut lately.died, |register, pnr| register.annuls_death(pnr)),
            36 => self.of_late(|lately| &mut lately.renumbered, |register, pnr| register.takes_number_back(pnr, day)),
            37 => self.of_late(|lately| &mut lately.doubled, |register, pnr| register.revives_double(pnr)),
            _ => {
                let code = *self.dice.pick(&["P36", "P48", "P49"], 1);
                self.of_late(
                    |lately| &mut lately.separated,
                    |register, pnr| register.settles_separation(pnr, code, day),
                )
            }
        }
    }

    /// What the customer asked for: a subscription to somebody who is gone ends (997) in some nights, another one is refused (910).
    pub(super) fn orders(&mut self) {
        if self.dice.hits(250)
            && let Some(pnr) = self.anybody()
            && self.register.look(pnr).is_some_and(|person| matches!(person.status, 30 | 50 | 60 | 90))
            && self.ended.insert(pnr)
        {
            self.enter();
            self.receipts.push((pnr, self.register.entered_at));
        }
        if self.dice.hits(150)
            && let Some(number) = self.anybody()
            && let Some(person) = self.register.look(number)
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

    /// Something about one of those it happened to of late, unless they are concerned tonight already.
    fn of_late(
        &mut self,
        list: impl Fn(&mut Lately) -> &mut Vec<Pnr>,
        happens: impl Fn(&mut Register<'_>, Pnr) -> bool,
    ) -> bool {
        // Most of what happens did.
        if !self.dice.hits(400) {
            return false;
        }
        let of = list(&mut self.lately);
        let at = self.dice.roll(of.len().max(1) as u64) as usize;
        let Some(&pnr) = of.get(at) else { return false };
        let happened = !self.register.is_concerned(pnr) && happens(&mut self.register, pnr);
        if happened {
            list(&mut self.lately).swap_remove(at);
        }
        happened
    }

    /// The dwelling gets another name in the road register; who shares the home has it too.
    fn locality(&mut self, person: &Dossier) -> bool {
        let (Some(pnr), Some(home)) = (person.number, person.address().map(|row| row.what)) else { return false };
        let locality = Words::Borrowed(*self.dice.pick(&["Højgården", "Møllehuset", "Strandby", "Skovlund"], 1));
        if !self.register.is_relocated(pnr, locality.clone()) {
            return false;
        }
        for relative in self.household(person, home) {
            self.register.is_relocated(relative, locality.clone());
        }
        true
    }

    /// A day of deletion has come: somebody of age loses the rows of custody, or this person what has run out.
    fn lapses(&mut self, pnr: Pnr) -> bool {
        if self.register.lapses(pnr, self.day) {
            return true;
        }
        let (year, month, of_month) = parts(self.day - self.dice.roll(14) as Day);
        let birthday = crate::days::day_of(year - 18, month, of_month.min(28));
        let cohorts = &self.families.cohorts;
        let [first, end] = [birthday, birthday + 1].map(|day| cohorts.first_of(day));
        if first == end {
            return false;
        }
        let of_age = self.families.pnr(first + self.dice.roll(u64::from(end - first)) as u32);
        !self.register.is_concerned(of_age) && self.register.lapses(of_age, self.day)
    }

    /// Somebody from abroad, born on the day of somebody of the population with this rank or near it.
    fn newcomer(&mut self, rank: u32) -> Option<Newcomer> {
        let is_man = self.dice.hits(500);
        let number = self.families.cohorts.spare(rank, u32::from(is_man)).filter(|pnr| !self.register.is_held(*pnr))?;
        let born = date(self.families.cohorts.birthday(rank));
        let country = *self.dice.pick(&COUNTRIES, 2);
        let given = names::given(&mut self.dice, is_man, born.year() as i32);
        let (surname, mark) = names::foreign_surname(&mut self.dice);
        let name = Name { given, surname, mark, ..Name::default() };
        Some(Newcomer { number, is_man, born, name, country })
    }

    fn arrives(&mut self, day: Day) -> bool {
        let from = self.families.cohorts.first_of(self.day - 60 * 365);
        let rank = from + self.dice.roll(u64::from(self.families.cohorts.persons() - from).max(1)) as u32;
        let home = self.home_near(0);
        let newcomer = self.newcomer(rank.min(self.families.cohorts.persons() - 1));
        newcomer.is_some_and(|newcomer| self.register.arrives(newcomer, home, day))
    }

    /// A child of this mother, born abroad one to nine years ago.
    fn is_numbered(&mut self, mother: &Dossier, day: Day) -> bool {
        let Some(pnr) = mother.number.filter(|_| !mother.is_man && (27..50).contains(&self.age(mother))) else {
            return false;
        };
        let [first, end] = [9, 1].map(|years| self.families.cohorts.first_of(self.day - years * 365));
        if first == end {
            return false;
        }
        let rank = first + self.dice.roll(u64::from(end - first)) as u32;
        self.newcomer(rank).is_some_and(|child| self.register.is_numbered(child, pnr, day))
    }

    /// A child gets a father, having had none, another one, or the couple that adopts it.
    fn kinship(&mut self, day: Day) -> bool {
        const TRIES: usize = 20;
        let from = self.families.cohorts.first_of(self.day - 17 * 365);
        let minors = u64::from(self.families.cohorts.persons() - from);
        let child = (minors > 0).then(|| self.families.pnr(from + self.dice.roll(minors) as u32));
        let child = child.filter(|pnr| !self.register.is_concerned(*pnr)).and_then(|pnr| self.register.look(pnr));
        let Some((pnr, child)) = child.and_then(|child| Some((child.number?, child))) else { return false };
        for _ in 0..TRIES {
            let Some(other) = self.anybody() else { continue };
            let Some(parent) = self.register.look(other).filter(|other| other.is_man && other.status < 20) else {
                continue;
            };
            if !(18..50).contains(&(self.age(&parent) - self.age(&child))) {
                continue;
            }
            let spouse = parent.civil.iter().find(|row| row.to.is_none() && row.what.status == 'G');
            let spouse = spouse.and_then(|row| number_of(&row.what.spouse));
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
    fn doubles(&mut self, kept: &Dossier, day: Day) -> bool {
        let Some((pnr, rank)) = kept.number.and_then(|pnr| Some((pnr, self.families.rank_of(pnr)?))) else {
            return false;
        };
        let Some(double) = self.administrative_near(rank) else { return false };
        let happened = self.register.deletes_double(double, pnr, day);
        if happened {
            remember(&mut self.lately.doubled, double);
        }
        happened
    }

    /// A number for administration of the same sex, a little older than this rank, that nothing happens to tonight.
    fn administrative_near(&mut self, rank: u32) -> Option<Pnr> {
        const STEPS: u32 = 200;
        (1..STEPS).map_while(|step| rank.checked_sub(2 * step)).map(|rank| self.families.pnr(rank)).find(|pnr| {
            !self.register.is_concerned(*pnr) && self.register.look(*pnr).is_some_and(|person| person.status == 20)
        })
    }

    fn annuls_number(&mut self, near: Pnr, day: Day) -> bool {
        let number = self.families.rank_of(near).and_then(|rank| self.administrative_near(rank));
        number.is_some_and(|number| self.register.annuls_number(number, day))
    }
}

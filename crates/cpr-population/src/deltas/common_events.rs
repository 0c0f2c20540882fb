//! What most nights have: the draws of moves, births, deaths, weddings, names, and of their corrections.

use cpr_model::Pnr;

use crate::days::{Day, date, year_of};
use crate::person::{Address, Name, PersonRows, number_of};
use crate::population::cohorts::test_number;
use crate::reference_data::codes::COUNTRIES;
use crate::reference_data::names;

use super::state::{DeltaState, remember};

impl DeltaState<'_> {
    /// Draws one event of one person; it may turn out to be impossible.
    pub(super) fn draw_event(&mut self) {
        let Some(pnr) = self.draw_person() else { return };
        let Some(person) = self.register.person_now(pnr) else { return };
        self.set_entry_time();
        // Most is reported within days, some of it months late.
        let late = if self.rng.hits_permille(120) { 150 } else { 6 };
        let day = self.day - self.rng.below(late) as Day;
        let age = self.age(&person);
        match self.rng.below(1000) {
            0..390 => self.moves(&person, day),
            390..430 => {
                let draw = self.rng.below(40);
                let _ = self.draw_rare_event(draw, &person, day);
            }
            430..530 if self.is_time_to_die(age) && self.register.dies(pnr, day) => {
                remember(&mut self.recent.died, pnr)
            }
            530..620 if !person.is_man && (18..=45).contains(&age) => self.gives_birth(pnr),
            620..660 => self.marries(pnr, day),
            660..680 => drop(self.register.divorces(pnr, day)),
            680..690 if self.register.separates(pnr, day) => remember(&mut self.recent.separated, pnr),
            690..720 => self.takes_name(&person, day),
            720..760 => self.emigrates(pnr, day),
            760..800 => self.comes(&person, day),
            800..830 => drop(self.register.changes_protection(pnr, day)),
            830..850 if self.register.changes_church(pnr, day) => remember(&mut self.recent.church_changed, pnr),
            850..870 if self.register.becomes_danish(pnr, day) => remember(&mut self.recent.naturalised, pnr),
            870..900 => self.corrects_address(&person),
            900..910 => drop(self.register.annuls_move(pnr)),
            910..925 => drop(self.register.corrects_wedding(pnr, day - 30)),
            925..940 => self.corrects_name(&person),
            940..946 => drop(self.register.disappears(pnr, day)),
            946..950 => self.changes_number(&person, day),
            950..980 => self.names_newborn(),
            980..985 => drop(self.register.delivers(pnr, "K74")),
            _ => {}
        }
    }

    /// Chance of a death, by age.
    fn is_time_to_die(&mut self, age: i32) -> bool {
        age > 40 && self.rng.below(50) < (age as u64).saturating_sub(40)
    }

    /// Who shares the home moves along: spouse and children at the same address.
    fn moves(&mut self, person: &PersonRows, day: Day) {
        let (Some(pnr), Some(home)) = (person.number, person.address().map(|row| row.value)) else { return };
        let to = self.draw_home_near(home.municipality);
        if !self.register.moves(pnr, to, day) {
            return;
        }
        for relative in self.household(person, home) {
            self.register.moves(relative, to, day);
        }
    }

    fn gives_birth(&mut self, mother: Pnr) {
        let is_man = self.rng.hits_permille(513);
        let child = test_number(self.day - 1, 2 * self.newborns + u32::from(is_man));
        if self.newborns < 1_999 && self.register.born(child, is_man, mother, self.day - 1) {
            self.newborns += 1;
            self.unnamed.push(child);
        }
    }

    fn marries(&mut self, one: Pnr, day: Day) {
        let takes_name = self.rng.hits_permille(400);
        for _ in 0..20 {
            let Some(other) = self.draw_person() else { continue };
            if self.register.marries(one, other, day, takes_name) {
                remember(&mut self.recent.wed, one);
                return;
            }
        }
    }

    fn takes_name(&mut self, person: &PersonRows, day: Day) {
        if let (Some(pnr), Some(name)) = (person.number, person.name()) {
            let renamed = Name { surname: names::surname(&mut self.rng), mark: None, ..name.clone() };
            if self.register.renames(pnr, renamed, day) {
                remember(&mut self.recent.renamed, pnr);
            }
        }
    }

    /// A newborn gets its name.
    fn names_newborn(&mut self) {
        let at = self.rng.below(self.unnamed.len().max(1) as u64) as usize;
        let Some(&pnr) = self.unnamed.get(at) else { return };
        let Some(child) = self.register.person_now(pnr).filter(|_| !self.register.is_delivered(pnr)) else { return };
        let mother = number_of(&child.mother.who).and_then(|mother| self.register.person_now(mother));
        let surname = mother.and_then(|mother| mother.name().map(|name| name.surname.clone()));
        let year = year_of(self.day);
        let given = names::given(&mut self.rng, child.is_man, year);
        let surname = surname.unwrap_or_else(|| names::surname(&mut self.rng));
        if self.register.renames(pnr, Name { given, surname, ..Name::default() }, self.day) {
            self.unnamed.swap_remove(at);
        }
    }

    fn emigrates(&mut self, pnr: Pnr, day: Day) {
        let country = *self.rng.pick(&COUNTRIES, 2);
        self.register.emigrates(pnr, country, day);
    }

    fn comes(&mut self, person: &PersonRows, day: Day) {
        if let (Some(pnr), 20 | 70 | 80) = (person.number, person.status) {
            let home = self.draw_home_near(0);
            self.register.comes(pnr, home, day);
        }
    }

    fn corrects_address(&mut self, person: &PersonRows) {
        if let (Some(pnr), Some(row)) = (person.number, person.address()) {
            let right = Address { house: row.value.house % 160 + 1, letter: b' ', ..row.value };
            self.register.corrects_address(pnr, right);
        }
    }

    fn corrects_name(&mut self, person: &PersonRows) {
        if let (Some(pnr), Some(name)) = (person.number, person.name()) {
            let born = person.born.map_or(1980, |born| born.year() as i32);
            let right = Name { given: names::given(&mut self.rng, person.is_man, born), ..name.clone() };
            self.register.corrects_name(pnr, right);
        }
    }

    /// The birth date was wrong by some days, hence the number.
    fn changes_number(&mut self, person: &PersonRows, day: Day) {
        let Some((old, rank)) = person.number.and_then(|pnr| Some((pnr, self.families.rank_of(pnr)?))) else { return };
        let other = (rank + 2 * (1 + self.rng.below(40)) as u32).min(self.families.cohorts.persons().saturating_sub(1));
        let Some(new) = self.families.cohorts.unused_number(other, rank & 1) else { return };
        let born = date(self.families.cohorts.birthday(other));
        if !self.register.is_held(new) && self.register.changes_number(old, new, born, day) {
            remember(&mut self.recent.renumbered, new);
        }
    }
}

//! Nights of change: who moves, marries, is born, dies, on top of a population.

mod seldom;

use std::collections::BTreeSet;
use std::io::{self, Write};

use cpr_model::{Date, Pnr};

use crate::chance::Dice;
use crate::cohorts::test_number;
use crate::days::{Day, TODAY, date, next_working_day};
use crate::extract::{Extract, Product, Refusal};
use crate::families::{Families, topic};
use crate::happenings::Register;
use crate::homes::COUNTRIES;
use crate::names;
use crate::person::{Address, Dossier, Name};
use crate::population::Population;
use crate::sheet::Sheets;

use self::seldom::{Lately, remember};

/// The nights after a full extract, one after the other; each follows the production date of the one before.
///
/// It holds whom something has happened to; memory grows with those, not with the population.
pub struct Nights<'a> {
    families: &'a Families,
    sheets: Sheets,
    product: Product,
    register: Register<'a>,
    persons_per_night: u32,
    day: Day,
    dice: Dice,
    /// Newborns by serial on their day, and those who have no name yet.
    newborns: u32,
    unnamed: Vec<Pnr>,
    lately: Lately,
    /// Receipts for subscriptions that end tonight; whose have ended; and what is refused tonight.
    receipts: Vec<(Pnr, u64)>,
    ended: BTreeSet<Pnr>,
    refusals: Vec<Refusal>,
}

/// Says how many, not who.
impl std::fmt::Debug for Nights<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nights after {} of {} persons each", date(self.day), self.persons_per_night)
    }
}

impl Population {
    /// The nights after the full extract, in each of which about this many persons are delivered.
    pub fn nights(&self, product: &Product, persons_per_night: u32) -> Nights<'_> {
        Nights {
            families: &self.families,
            sheets: Sheets::new(product.family),
            product: product.clone(),
            register: Register::new(Some(&self.families)),
            persons_per_night,
            day: TODAY,
            dice: Dice::about(self.families.seed, topic::NIGHT, 0),
            newborns: 0,
            unnamed: Vec::new(),
            lately: Lately::default(),
            receipts: Vec::new(),
            ended: BTreeSet::new(),
            refusals: Vec::new(),
        }
    }
}

impl Nights<'_> {
    /// The production date of the next night: the next working day.
    pub fn next_production_date(&self) -> Date {
        date(next_working_day(self.day))
    }

    /// Writes the next night as a change extract.
    ///
    /// # Errors
    /// Those of the writer and of the scratch file.
    pub fn next_night<W: Write>(&mut self, out: W) -> io::Result<W> {
        let previous = self.dawn();
        // A small population may have less to happen than is asked for: chances are limited, not looked for without end.
        for _ in 0..u64::from(self.persons_per_night) * 40 {
            if self.register.concerned() >= self.persons_per_night as usize {
                break;
            }
            self.happens();
        }
        self.orders();
        self.written(out, previous)
    }

    /// Writes the next night as one in which these persons move, each alone, and nothing else happens: for who needs the same
    /// persons to change night after night. Ranks of persons that do not live here then are left out, see
    /// [`Population::lives_here`].
    ///
    /// # Errors
    /// Those of the writer and of the scratch file.
    pub fn next_night_of<W: Write>(&mut self, out: W, ranks: &[u32]) -> io::Result<W> {
        const TRIES: usize = 8;
        let previous = self.dawn();
        for &rank in ranks.iter().filter(|rank| **rank < self.families.cohorts.persons()) {
            let pnr = self.families.pnr(rank);
            let Some(home) = self.register.look(pnr).and_then(|person| person.address().map(|row| row.what)) else {
                continue;
            };
            self.enter();
            for _ in 0..TRIES {
                // A home drawn may be the one the person has.
                let to = self.home_near(home.municipality);
                if self.register.moves(pnr, to, self.day) {
                    break;
                }
            }
        }
        self.written(out, previous)
    }

    /// The next working day begins; returns the one before.
    fn dawn(&mut self) -> Day {
        let previous = self.day;
        self.day = next_working_day(previous);
        self.newborns = 0;
        previous
    }

    /// What happens next is entered at some minute of the day.
    fn enter(&mut self) {
        let minute = self.dice.roll(600);
        self.register.entered_at = u64::from(date(self.day).digits()) * 10_000 + (8 + minute / 60) * 100 + minute % 60;
    }

    fn written<W: Write>(&mut self, out: W, previous: Day) -> io::Result<W> {
        let dates = [date(self.day), date(previous)];
        let mut extract = Extract::new(out, &self.product, &self.sheets, &self.families.places, dates)?;
        for &(pnr, at) in &self.receipts {
            extract.receipt(pnr, at)?;
        }
        for person in self.register.concerned_tonight() {
            // Who is no longer subscribed to is delivered no more.
            if let Some(number) = person.number.filter(|number| !self.ended.contains(number)) {
                extract.person(person, number)?;
            }
        }
        self.register.close_night();
        self.receipts.clear();
        extract.finish(&std::mem::take(&mut self.refusals))
    }

    /// Something happens to somebody, or turns out to be impossible.
    fn happens(&mut self) {
        let Some(pnr) = self.anybody() else { return };
        let Some(person) = self.register.look(pnr) else { return };
        self.enter();
        // Most is reported within days, some of it months late.
        let late = if self.dice.hits(120) { 150 } else { 6 };
        let day = self.day - self.dice.roll(late) as Day;
        let age = self.age(&person);
        match self.dice.roll(1000) {
            0..390 => self.moves(&person, day),
            390..430 => {
                let draw = self.dice.roll(40);
                let _ = self.seldom(draw, &person, day);
            }
            430..530 if self.is_time(age) && self.register.dies(pnr, day) => remember(&mut self.lately.died, pnr),
            530..620 if !person.is_man && (18..=45).contains(&age) => self.gives_birth(pnr),
            620..660 => self.marries(pnr, day),
            660..680 => drop(self.register.divorces(pnr, day)),
            680..690 if self.register.separates(pnr, day) => remember(&mut self.lately.separated, pnr),
            690..720 => self.names(&person, day),
            720..760 => self.emigrates(pnr, day),
            760..800 => self.comes(&person, day),
            800..830 => drop(self.register.protects(pnr, day)),
            830..850 if self.register.changes_church(pnr, day) => remember(&mut self.lately.in_or_out, pnr),
            850..870 if self.register.becomes_danish(pnr, day) => remember(&mut self.lately.naturalised, pnr),
            870..900 => self.corrects_address(&person),
            900..910 => drop(self.register.annuls_move(pnr)),
            910..925 => drop(self.register.corrects_wedding(pnr, day - 30)),
            925..940 => self.corrects_name(&person),
            940..946 => drop(self.register.disappears(pnr, day)),
            946..950 => self.changes_number(&person, day),
            950..980 => self.named(),
            980..985 => drop(self.register.delivers(pnr, "K74")),
            _ => {}
        }
    }

    /// Chance of a death, by age.
    fn is_time(&mut self, age: i32) -> bool {
        age > 40 && self.dice.roll(50) < (age as u64).saturating_sub(40)
    }

    /// Somebody of the population who is not concerned tonight.
    fn anybody(&mut self) -> Option<Pnr> {
        let persons = self.families.cohorts.persons();
        let rank = (persons > 0).then(|| self.dice.roll(u64::from(persons)) as u32)?;
        Some(self.families.pnr(rank)).filter(|pnr| !self.register.is_concerned(*pnr))
    }

    fn home_near(&mut self, municipality: u16) -> Address {
        let own = crate::places::municipality(municipality).filter(|_| self.dice.hits(600));
        let places = &self.families.places;
        let place = own.unwrap_or_else(|| places.municipality(&mut self.dice));
        places.home(place, &mut self.dice)
    }

    /// Who shares the home moves along: spouse and children at the same address.
    fn moves(&mut self, person: &Dossier, day: Day) {
        let (Some(pnr), Some(home)) = (person.number, person.address().map(|row| row.what)) else { return };
        let to = self.home_near(home.municipality);
        if !self.register.moves(pnr, to, day) {
            return;
        }
        for relative in self.household(person, home) {
            self.register.moves(relative, to, day);
        }
    }

    /// Spouse and children at this home who are not concerned tonight.
    fn household(&mut self, person: &Dossier, home: Address) -> Vec<Pnr> {
        let spouse = person.civil.iter().filter(|row| row.to.is_none() && row.what.status == 'G');
        let spouse = spouse.filter_map(|row| crate::life::number_of(&row.what.spouse));
        let mut relatives: Vec<_> = spouse.chain(person.children.iter().copied()).collect();
        relatives.retain(|relative| {
            let shares = |other: Dossier| other.address().is_some_and(|row| row.what == home);
            !self.register.is_concerned(*relative) && self.register.look(*relative).is_some_and(shares)
        });
        relatives
    }

    fn gives_birth(&mut self, mother: Pnr) {
        let is_man = self.dice.hits(513);
        let child = test_number(self.day - 1, 2 * self.newborns + u32::from(is_man));
        if self.newborns < 1_999 && self.register.born(child, is_man, mother, self.day - 1) {
            self.newborns += 1;
            self.unnamed.push(child);
        }
    }

    fn marries(&mut self, one: Pnr, day: Day) {
        let takes_name = self.dice.hits(400);
        for _ in 0..20 {
            let Some(other) = self.anybody() else { continue };
            if self.register.marries(one, other, day, takes_name) {
                remember(&mut self.lately.wed, one);
                return;
            }
        }
    }

    fn names(&mut self, person: &Dossier, day: Day) {
        if let (Some(pnr), Some(name)) = (person.number, person.name()) {
            let renamed = Name { surname: names::surname(&mut self.dice), mark: None, ..name.clone() };
            if self.register.renames(pnr, renamed, day) {
                remember(&mut self.lately.renamed, pnr);
            }
        }
    }

    /// A newborn gets its name.
    fn named(&mut self) {
        let at = self.dice.roll(self.unnamed.len().max(1) as u64) as usize;
        let Some(&pnr) = self.unnamed.get(at) else { return };
        let Some(child) = self.register.look(pnr).filter(|_| !self.register.is_concerned(pnr)) else { return };
        let mother = crate::life::number_of(&child.mother.who).and_then(|mother| self.register.look(mother));
        let surname = mother.and_then(|mother| mother.name().map(|name| name.surname.clone()));
        let year = crate::days::year_of(self.day);
        let given = names::given(&mut self.dice, child.is_man, year);
        let surname = surname.unwrap_or_else(|| names::surname(&mut self.dice));
        if self.register.renames(pnr, Name { given, surname, ..Name::default() }, self.day) {
            self.unnamed.swap_remove(at);
        }
    }

    fn emigrates(&mut self, pnr: Pnr, day: Day) {
        let country = *self.dice.pick(&COUNTRIES, 2);
        self.register.emigrates(pnr, country, day);
    }

    fn comes(&mut self, person: &Dossier, day: Day) {
        if let (Some(pnr), 20 | 70 | 80) = (person.number, person.status) {
            let home = self.home_near(0);
            self.register.comes(pnr, home, day);
        }
    }

    fn corrects_address(&mut self, person: &Dossier) {
        if let (Some(pnr), Some(row)) = (person.number, person.address()) {
            let right = Address { house: row.what.house % 160 + 1, letter: b' ', ..row.what };
            self.register.corrects_address(pnr, right);
        }
    }

    fn corrects_name(&mut self, person: &Dossier) {
        if let (Some(pnr), Some(name)) = (person.number, person.name()) {
            let born = person.born.map_or(1980, |born| born.year() as i32);
            let right = Name { given: names::given(&mut self.dice, person.is_man, born), ..name.clone() };
            self.register.corrects_name(pnr, right);
        }
    }

    /// The birth date was wrong by some days, hence the number.
    fn changes_number(&mut self, person: &Dossier, day: Day) {
        let Some((old, rank)) = person.number.and_then(|pnr| Some((pnr, self.families.rank_of(pnr)?))) else { return };
        let other = (rank + 2 * (1 + self.dice.roll(40)) as u32).min(self.families.cohorts.persons().saturating_sub(1));
        let Some(new) = self.families.cohorts.spare(other, rank & 1) else { return };
        let born = date(self.families.cohorts.birthday(other));
        if !self.register.is_held(new) && self.register.changes_number(old, new, born, day) {
            remember(&mut self.lately.renumbered, new);
        }
    }
}

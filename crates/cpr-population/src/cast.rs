//! Persons set up one by one: what the test data sets and scenarios are made of, and the files made from them.

use std::io::{self, Write};

use cpr_model::{Date, Pnr};

use crate::cohorts::test_number;
use crate::days::{Day, date, next_working_day};
use crate::extract::{Extract, Product};
use crate::happenings::Register;
use crate::life::years_on;
use crate::person::{Address, Civil, Custody, Dossier, Moment, Name, Parent, Relative, Row};
use crate::places::Places;
use crate::sheet::Sheets;

/// A set of made-up persons in a fixed state, and the nights that follow it.
pub struct Cast {
    pub(crate) register: Register<'static>,
    places: Places,
    /// Production date of the last file.
    pub(crate) day: Day,
    serials: u32,
}

/// Says nothing of the persons.
impl std::fmt::Debug for Cast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cast of {} persons on {}", self.persons(), date(self.day))
    }
}

impl Cast {
    pub(crate) fn new(day: Day) -> Cast {
        Cast { register: Register::new(None), places: Places::new(), day, serials: 0 }
    }

    /// How many numbers there are.
    pub fn persons(&self) -> usize {
        self.register.all().count()
    }

    /// The production date of the full extract, or of the last night.
    pub fn production_date(&self) -> Date {
        date(self.day)
    }

    /// The numbers, in birth order.
    pub fn pnrs(&self) -> Vec<Pnr> {
        self.register.all().filter_map(|person| person.number).collect()
    }

    /// Writes everybody as an establishment extract: its two production dates are the same.
    ///
    /// # Errors
    /// Those of the writer and of the scratch file; `InvalidInput` for a task that is not six digits.
    pub fn full_extract<W: Write>(&self, out: W, product: &Product) -> io::Result<W> {
        self.write(out, product, [date(self.day); 2], self.register.all())
    }

    /// Writes whom something happened to since the last file, as the change extract of the next working day.
    pub(crate) fn night<W: Write>(&mut self, out: W, product: &Product) -> io::Result<W> {
        let previous = self.day;
        self.day = next_working_day(previous);
        let written = self.write(out, product, [date(self.day), date(previous)], self.register.concerned_tonight());
        self.register.close_night();
        written
    }

    fn write<'a, W: Write>(
        &self,
        out: W,
        product: &Product,
        dates: [Date; 2],
        persons: impl Iterator<Item = &'a Dossier>,
    ) -> io::Result<W> {
        let sheets = Sheets::new(product.family);
        let mut extract = Extract::new(out, product, &sheets, &self.places, dates)?;
        for person in persons {
            if let Some(number) = person.number {
                extract.person(person, number)?;
            }
        }
        extract.finish(&[])
    }

    /// A number of this day that nobody has.
    pub(crate) fn number(&mut self, born: Day, is_man: bool) -> Pnr {
        self.serials += 1;
        test_number(born, self.serials * 2 % 4_000 + u32::from(is_man))
    }

    /// A person born in the country who lives at this address since a day (the birth, when that is later).
    pub(crate) fn person(&mut self, name: [&str; 2], is_man: bool, born: Day, home: Address, since: Day) -> Dossier {
        let from = |day| Moment::new(date(day), 0);
        let text = |part: &str| part.to_owned().into();
        let name = Name { given: text(name[0]), surname: text(name[1]), ..Name::default() };
        let unknown = || Parent {
            who: Relative::Unnumbered { born: None, name: Default::default() },
            since: Some(date(born)),
            uncertain: true,
        };
        Dossier {
            number: Some(self.number(born, is_man)),
            status: if home.municipality > 900 { 5 } else { 1 },
            is_man,
            born: Some(date(born)),
            number_from: Some(date(born)),
            addresses: vec![Row::since(home, from(born.max(since)))],
            names: vec![Row::since(name, from(born))],
            birth_authority: 7001 + home.municipality,
            citizenships: vec![Row::since(5100, from(born))],
            church: vec![Row::since('F', from(born))],
            civil: vec![Row::since(
                Civil { status: 'U', spouse: Relative::Nobody, separation_link: 0 },
                Moment::default(),
            )],
            mother: unknown(),
            father: unknown(),
            ..Dossier::default()
        }
    }
}

/// Makes two persons a married couple.
pub(crate) fn marry(one: &mut Dossier, other: &mut Dossier, day: Day) {
    let numbers = [other.number, one.number];
    for (person, spouse) in [one, other].into_iter().zip(numbers) {
        let spouse = spouse.map_or(Relative::Nobody, Relative::Number);
        let civil = Civil { status: 'G', spouse, separation_link: 0 };
        person.civil = vec![Row::since(civil, Moment::new(date(day), 0))];
    }
}

/// Makes somebody the child of these; with custody of both while a minor.
pub(crate) fn adopt(child: &mut Dossier, mother: Option<&mut Dossier>, father: Option<&mut Dossier>, today: Day) {
    let (Some(number), Some(born)) = (child.number, child.born) else { return };
    let is_minor = years_on(born, 18) > date(today) && child.status < 20;
    for (parent, kind) in [(mother, 3), (father, 4)] {
        let Some(parent) = parent else { continue };
        parent.children.push(number);
        let who = parent.number.map_or(Relative::Nobody, Relative::Number);
        let row = Parent { who, since: Some(born), uncertain: false };
        if kind == 3 {
            child.mother = row
        } else {
            child.father = row
        }
        if is_minor {
            child.custody.push(Custody { kind, from: born, deleted: Some(years_on(born, 18)), holder: None });
        }
    }
}

/// Makes somebody dead since a day; what ended with that goes with it.
pub(crate) fn bury(person: &mut Dossier, day: Day) {
    let at = Moment::new(date(day), 0);
    person.addresses.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(at));
    (person.status, person.status_since) = (90, at);
    person.custody.clear();
    let spouse = person.civil.last().map(|row| row.what.spouse.clone()).unwrap_or_default();
    person.civil.retain(|row| row.what.status != 'U');
    person.civil.iter_mut().filter(|row| row.to.is_none()).for_each(|row| row.to = Some(at));
    person.civil.push(Row::since(Civil { status: 'D', spouse, separation_link: 0 }, at));
}

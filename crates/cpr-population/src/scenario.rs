//! Scenarios: a text of persons and of what happens to them night by night, turned into an extract and deltas.
//!
//! The text is TOML; docs/scenario.md shows all of it. What a person is called there (`id`) is how the rest of the text
//! names the person; numbers are given out, or stated (`pnr`, a test number).

use std::collections::BTreeMap;
use std::io::{self, Write};

use cpr_model::{Date, Pnr};
use serde::Deserialize;

use crate::cast::{Cast, adopt, marry};
use crate::days::{Day, TODAY, day_of_date};
use crate::extract::Product;
use crate::person::{Address, Dossier, Name, Protection};

/// Why a text is no scenario. Nothing of the text is repeated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, a key that there is not, or a value of another kind.
    #[error("line {line}: not what a scenario is made of")]
    Text {
        /// Counted from 1.
        line: usize,
    },
    /// A person with a date that is none, a number that is no test number, or an id or number that another has.
    #[error("person {person}: {what}")]
    Person {
        /// Counted from 1.
        person: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A happening that cannot be: no such person, or one to whom it cannot happen.
    #[error("night {night}, happening {happening}: {what}")]
    Happening {
        /// Counted from 1.
        night: usize,
        /// Counted from 1.
        happening: usize,
        /// What is wrong.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    start: Option<String>,
    #[serde(default)]
    person: Vec<Role>,
    #[serde(default)]
    night: Vec<NightScript>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    id: String,
    pnr: Option<String>,
    given: String,
    surname: String,
    born: String,
    /// K or M.
    sex: char,
    #[serde(default)]
    home: Home,
    since: Option<String>,
    citizenship: Option<u16>,
    mother: Option<String>,
    father: Option<String>,
    spouse: Option<String>,
    married: Option<String>,
    protected: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Home {
    municipality: u16,
    street: u16,
    house: u16,
    floor: Option<String>,
    door: Option<String>,
}

/// Town Hall of Copenhagen, for who does not care.
impl Default for Home {
    fn default() -> Home {
        Home { municipality: 101, street: 1, house: 1, floor: None, door: None }
    }
}

impl Home {
    fn address(&self) -> Result<Address, &'static str> {
        let right = |text: &Option<String>, width: usize| {
            let text = text.as_deref().unwrap_or_default();
            let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_digits { format!("{text:0>width$}") } else { format!("{text:>width$}") }
        };
        let is_known = crate::places::municipality(self.municipality).is_some();
        if !is_known || !(1..=9_999).contains(&self.street) || !(1..=999).contains(&self.house) {
            return Err("no such municipality, street code or house number");
        }
        let mut at = Address { municipality: self.municipality, street: self.street, ..Address::default() };
        (at.house, at.letter) = (self.house, b' ');
        let (floor, door) = (right(&self.floor, 2), right(&self.door, 4));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -/".contains(&byte));
        if !plain(&floor) || !plain(&door) || (self.floor.is_none() && self.door.is_some()) {
            return Err("a floor has two letters or digits, a door up to four, and a floor");
        }
        if self.floor.is_some() {
            const LONG: &str = "a floor has two letters or digits, a door up to four, and a floor";
            at.floor = floor.as_bytes().try_into().map_err(|_| LONG)?;
            at.door = door.as_bytes().try_into().map_err(|_| LONG)?;
        }
        Ok(at)
    }
}

/// A name as CPR can hold it: 50 characters of given names, 40 of surname, of ISO 8859-1.
fn name(given: &str, surname: &str) -> Result<Name, &'static str> {
    let fits = |text: &str, most: usize| {
        let allowed = |letter: char| (32..127).contains(&u32::from(letter)) || (192..256).contains(&u32::from(letter));
        text.chars().count() <= most && text.chars().all(allowed)
    };
    if !fits(given, 50) || !fits(surname, 40) {
        return Err("a name is too long, or has a character that CPR cannot hold");
    }
    Ok(Name { given: given.to_owned().into(), surname: surname.to_owned().into(), ..Name::default() })
}

fn country(code: u16) -> Result<u16, &'static str> {
    if (5_000..6_000).contains(&code) { Ok(code) } else { Err("a country is a code from 5000 to 5999") }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NightScript {
    #[serde(default)]
    happenings: Vec<Happening>,
}

/// One thing that happens. `on` is the day it holds from; the night's own production date when left out.
#[derive(Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case", deny_unknown_fields)]
enum Happening {
    Moves { who: String, to: Home, on: Option<String> },
    CorrectsAddress { who: String, to: Home },
    AnnulsMove { who: String },
    Marries { who: String, with: String, on: Option<String> },
    Divorces { who: String, on: Option<String> },
    Separates { who: String, on: Option<String> },
    CorrectsWedding { who: String, on: Option<String> },
    Dies { who: String, on: Option<String> },
    GivesBirth { who: String, child: String, sex: char, on: Option<String> },
    IsNamed { who: String, given: String, surname: String, on: Option<String> },
    CorrectsName { who: String, given: String, surname: String },
    Emigrates { who: String, country: u16, on: Option<String> },
    Disappears { who: String, on: Option<String> },
    Comes { who: String, to: Home, on: Option<String> },
    ChangesProtection { who: String, on: Option<String> },
    ChangesChurch { who: String, on: Option<String> },
    BecomesDanish { who: String, on: Option<String> },
    ChangesNumber { who: String, born: String, on: Option<String> },
    IsRepeated { who: String },
}

/// A scenario that has been read: its persons as they are at the start, and its nights.
#[derive(Debug)]
pub struct Scenario {
    cast: Cast,
    numbers: BTreeMap<String, Pnr>,
    nights: std::vec::IntoIter<NightScript>,
    night: usize,
}

impl std::fmt::Debug for NightScript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "night of {} happenings", self.happenings.len())
    }
}

fn day(text: &str) -> Option<Day> {
    let date = Date::parse(text)?;
    (date.month().is_some() && date.day().is_some() && (1858..=2057).contains(&date.year())).then(|| day_of_date(date))
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`]: the place in the text, and what is wrong there.
    pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        let script: Script = toml::from_str(text).map_err(|error| {
            let upto = error.span().map_or(0, |span| span.start).min(text.len());
            ScenarioError::Text { line: 1 + text.as_bytes()[..upto].iter().filter(|byte| **byte == b'\n').count() }
        })?;
        let start = script.start.as_deref().map_or(Some(TODAY), day).ok_or(ScenarioError::Text { line: 1 })?;
        let mut cast = Cast::new(start);
        let mut numbers = BTreeMap::new();
        let mut persons: Vec<Dossier> = Vec::new();
        for (at, role) in script.person.iter().enumerate() {
            let wrong = |what| ScenarioError::Person { person: at + 1, what };
            let person = role.person(&mut cast, start).map_err(wrong)?;
            let number = person.number.ok_or(wrong("no number"))?;
            if persons.iter().any(|other| other.number == person.number) || numbers.contains_key(&role.id) {
                return Err(wrong("the id or the number is somebody else's"));
            }
            numbers.insert(role.id.clone(), number);
            persons.push(person);
        }
        for (at, role) in script.person.iter().enumerate() {
            let wrong = |what| ScenarioError::Person { person: at + 1, what };
            role.relate(at, &script.person, &mut persons, start).map_err(wrong)?;
        }
        persons.into_iter().for_each(|person| cast.register.add(person));
        Ok(Scenario { cast, numbers, nights: script.night.into_iter(), night: 0 })
    }

    /// The persons as they are now: write their full extract before the first night.
    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// The number of who is called so in the text.
    pub fn pnr(&self, id: &str) -> Option<Pnr> {
        self.numbers.get(id).copied()
    }

    /// The production date of the next night; none when there are no more.
    pub fn next_production_date(&self) -> Option<Date> {
        let next = crate::days::next_working_day(self.cast.day);
        (self.nights.len() > 0).then(|| crate::days::date(next))
    }

    /// Lets the next night happen and writes its change extract; false when there are no more.
    ///
    /// # Errors
    /// `InvalidInput` with a [`ScenarioError`] for a happening that cannot be; those of the writer.
    pub fn next_night<W: Write>(&mut self, out: W, product: &Product) -> io::Result<bool> {
        let Some(script) = self.nights.next() else { return Ok(false) };
        self.night += 1;
        let tonight = crate::days::next_working_day(self.cast.day);
        for (at, happening) in script.happenings.iter().enumerate() {
            let clock = 900 + (at as u64 / 60 % 14) * 100 + at as u64 % 60;
            self.cast.register.entered_at = u64::from(crate::days::date(tonight).digits()) * 10_000 + clock;
            let happened = self.happens(happening, tonight).and_then(|is_done| match is_done {
                true => Ok(()),
                false => Err("this cannot happen to this person then"),
            });
            happened.map_err(|what| {
                let error = ScenarioError::Happening { night: self.night, happening: at + 1, what };
                io::Error::new(io::ErrorKind::InvalidInput, error)
            })?;
        }
        self.cast.night(out, product)?;
        Ok(true)
    }

    fn happens(&mut self, happening: &Happening, tonight: Day) -> Result<bool, &'static str> {
        const NOBODY: &str = "no such person";
        let numbers = &self.numbers;
        let pnr = |id: &String| numbers.get(id).copied().ok_or(NOBODY);
        let on = |text: &Option<String>| text.as_deref().map_or(Some(tonight), day).ok_or("no such day");
        let register = &mut self.cast.register;
        Ok(match happening {
            Happening::Moves { who, to, on: at } => register.moves(pnr(who)?, to.address()?, on(at)?),
            Happening::CorrectsAddress { who, to } => register.corrects_address(pnr(who)?, to.address()?),
            Happening::AnnulsMove { who } => register.annuls_move(pnr(who)?),
            Happening::Marries { who, with, on: at } => register.marries(pnr(who)?, pnr(with)?, on(at)?, false),
            Happening::Divorces { who, on: at } => register.divorces(pnr(who)?, on(at)?),
            Happening::Separates { who, on: at } => register.separates(pnr(who)?, on(at)?),
            Happening::CorrectsWedding { who, on: at } => register.corrects_wedding(pnr(who)?, on(at)?),
            Happening::Dies { who, on: at } => register.dies(pnr(who)?, on(at)?),
            Happening::IsNamed { who, given, surname, on: at } => {
                register.renames(pnr(who)?, name(given, surname)?, on(at)?)
            }
            Happening::CorrectsName { who, given, surname } => register.corrects_name(pnr(who)?, name(given, surname)?),
            Happening::Emigrates { who, country: code, on: at } => {
                register.emigrates(pnr(who)?, country(*code)?, on(at)?)
            }
            Happening::Disappears { who, on: at } => register.disappears(pnr(who)?, on(at)?),
            Happening::Comes { who, to, on: at } => register.comes(pnr(who)?, to.address()?, on(at)?),
            Happening::ChangesProtection { who, on: at } => register.protects(pnr(who)?, on(at)?),
            Happening::ChangesChurch { who, on: at } => register.changes_church(pnr(who)?, on(at)?),
            Happening::BecomesDanish { who, on: at } => register.becomes_danish(pnr(who)?, on(at)?),
            Happening::IsRepeated { who } => register.delivers(pnr(who)?, "K74"),
            Happening::GivesBirth { who, child, sex, on: at } => {
                let (mother, born, is_man) = (pnr(who)?, on(at)?, *sex == 'M');
                let number = self.cast.number(born, is_man);
                let is_new = !self.numbers.contains_key(child);
                let happened = is_new && self.cast.register.born(number, is_man, mother, born);
                if happened {
                    self.numbers.insert(child.clone(), number);
                }
                happened
            }
            Happening::ChangesNumber { who, born, on: at } => {
                let (old, on) = (pnr(who)?, on(at)?);
                let (birthday, birth) = day(born).zip(Date::parse(born)).ok_or("no such day")?;
                let is_man = old.reveal().as_bytes()[9] % 2 == 1;
                let new = self.cast.number(birthday, is_man);
                let happened = self.cast.register.changes_number(old, new, birth, on);
                if happened {
                    self.numbers.insert(who.clone(), new);
                }
                happened
            }
        })
    }
}

impl Role {
    fn person(&self, cast: &mut Cast, start: Day) -> Result<Dossier, &'static str> {
        let born = day(&self.born).filter(|born| *born <= start).ok_or("no such day of birth")?;
        let since = self.since.as_deref().map_or(Some(born), day).ok_or("no such day of moving in")?;
        if !matches!(self.sex, 'K' | 'M') {
            return Err("the sex is K or M");
        }
        name(&self.given, &self.surname)?;
        let name = [self.given.as_str(), self.surname.as_str()];
        let mut person = cast.person(name, self.sex == 'M', born, self.home.address()?, since);
        if let Some(pnr) = &self.pnr {
            let number = Pnr::parse(pnr.as_bytes()).filter(|pnr| pnr.key().is_some() && pnr.reveal() >= "61");
            person.number = Some(number.ok_or("not a test number (ten digits, day + 60)")?);
        }
        if let Some(code) = self.citizenship {
            person.citizenships[0].what = country(code)?;
        }
        if let Some(from) = &self.protected {
            let from = day(from).map(crate::days::date).ok_or("no such day of protection")?;
            let row = |kind| Protection { kind, from, deleted: crate::life::years_on(from, 1) };
            person.protections = vec![row(1), row(2)];
        }
        Ok(person)
    }

    /// Parents and spouse, once everybody is there.
    fn relate(&self, own: usize, roles: &[Role], persons: &mut [Dossier], start: Day) -> Result<(), &'static str> {
        let find = |id: &Option<String>| match id {
            None => Ok(None),
            Some(id) => {
                roles.iter().position(|role| role.id == *id && roles[own].id != *id).map(Some).ok_or("no such relative")
            }
        };
        let (mother, father, spouse) = (find(&self.mother)?, find(&self.father)?, find(&self.spouse)?);
        let mut child = std::mem::take(&mut persons[own]);
        if let Some(mother) = mother {
            adopt(&mut child, Some(&mut persons[mother]), None, start);
        }
        if let Some(father) = father {
            adopt(&mut child, None, Some(&mut persons[father]), start);
        }
        if let Some(spouse) = spouse {
            let wedding =
                self.married.as_deref().and_then(day).ok_or("a spouse, and no day of the wedding (married)")?;
            let taken = persons[spouse].civil.iter().any(|row| row.what.status == 'G');
            if taken {
                return Err("the spouse is married already");
            }
            marry(&mut child, &mut persons[spouse], wedding);
        }
        persons[own] = child;
        Ok(())
    }
}

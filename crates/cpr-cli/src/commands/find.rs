//! `find`: whom the indexes know by what is known of them now.

use std::ops::RangeInclusive;

use clap::Args;
use cpr_replika::cpr_model::{CountryCode, Day, MunicipalityCode, PersonKey, ProtectionKind, Status};
use cpr_replika::cpr_subscription::{EventCode, Filter, FilterError, FilterKind, HouseNumber, birth_dates};
use cpr_replika::{AddressPattern, DeliveryNumber, PersonSet, Query, Snapshot};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::context::Globals;
use crate::failure::Failure;
use crate::screen::{self, Screen};
use crate::values::{Hidden, Person, parse_count, parse_day, parse_delivery};

/// What persons are found by.
#[derive(Args, Debug)]
pub(crate) struct Criteria {
    /// Who lives in this municipality (KOMKOD), 0851.
    #[arg(long, value_name = "CODE")]
    municipality: Vec<String>,
    /// Who lives in this street, or in these of its houses: 0851:8512, 0851:8512:091, 0851:8512:091-099. Houses order
    /// by number, then by letter: 099A stands behind 099.
    #[arg(long, value_name = "STREET")]
    street: Vec<Hidden>,
    /// Who is of these ages, both included: 0-17. Whoever has a birth date on record, living or not.
    #[arg(long, value_name = "RANGE")]
    age: Vec<String>,
    /// The day on which they are of that age; the last production date when left out.
    #[arg(long, value_name = "DATE", value_parser = parse_day, requires = "age")]
    on: Option<Day>,
    /// Who has this status (STATUS), 01.
    #[arg(long, value_name = "CODE")]
    status: Vec<String>,
    /// Who has a protection of this kind (BESKYTTYPE), 0001.
    #[arg(long, value_name = "CODE")]
    protection: Vec<String>,
    /// Who has this citizenship (LANDEKOD), 5100.
    #[arg(long, value_name = "CODE")]
    citizenship: Vec<String>,
    /// Whom this delivery changed.
    #[arg(long, value_name = "N", value_parser = parse_delivery)]
    changed: Vec<u32>,
    /// Who had an event of this change code in a delivery named by --changed, or in the last one: A01.
    #[arg(long, value_name = "CODE")]
    change_code: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Find {
    #[command(flatten)]
    criteria: Criteria,
    /// Print how many they are, not who.
    #[arg(long, conflicts_with_all = ["limit", "after"])]
    count: bool,
    /// Print no more than this many.
    #[arg(long, value_name = "N", value_parser = parse_count::<usize>)]
    limit: Option<usize>,
    /// Go on behind this person, the last of the page before; `-` reads the number from standard input.
    #[arg(long, value_name = "PNR")]
    after: Option<Person>,
}

pub(crate) fn find_persons(globals: &Globals, find: &Find, screen: &mut Screen) -> Result<(), Failure> {
    let after = match &find.after {
        None => None,
        Some(person) => {
            let key = person.pnr()?.key();
            Some(key.ok_or(Failure::Usage("a personnummer has a day and a month"))?)
        }
    };
    let snapshot = globals.snapshot()?;
    screen.asks(&snapshot, None, None)?;
    let found = snapshot.find(&find.criteria.read(&snapshot)?)?;
    if found.is_empty() {
        warn_of_unknown_municipalities(&find.criteria.municipality);
    }
    let page = Page { found: &found, after, limit: find.limit.unwrap_or(usize::MAX) };
    match (globals.json, find.count) {
        (true, true) => screen.print_json(&Found { known: snapshot.known(), count: found.len(), page: None }),
        (true, false) => screen.print_json(&Found { known: snapshot.known(), count: found.len(), page: Some(page) }),
        (false, true) => writeln!(screen, "{}", found.len()),
        (false, false) => page.rows().take(page.limit).try_for_each(|key| writeln!(screen, "{}", key.pnr().reveal())),
    }
}

#[derive(Serialize)]
struct Found<'a> {
    known: DeliveryNumber,
    count: u64,
    #[serde(flatten)]
    page: Option<Page<'a>>,
}

/// A part of those who were found, in their order.
struct Page<'a> {
    found: &'a PersonSet,
    after: Option<PersonKey>,
    limit: usize,
}

impl<'a> Page<'a> {
    /// Those of the page, and whoever comes behind it.
    fn rows(&self) -> Box<dyn Iterator<Item = PersonKey> + 'a> {
        match self.after {
            Some(last) => Box::new(self.found.after(last)),
            None => Box::new(self.found.iter()),
        }
    }
}

/// One person at a time: it may be millions.
impl Serialize for Page<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("persons", &Rows(self))?;
        members.serialize_entry("more", &self.rows().nth(self.limit).is_some())?;
        members.end()
    }
}

struct Rows<'a>(&'a Page<'a>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows().take(self.0.limit))
    }
}

/// Nobody lives where no municipality is; rather a slip of the finger than an answer.
fn warn_of_unknown_municipalities(codes: &[String]) {
    let unknown = |code: &&String| code.parse().is_ok_and(|code| !cpr_population::is_municipality(code));
    match codes.iter().filter(unknown).count() {
        0 => {}
        1 => screen::warn("replika: no municipality has such a code today (--municipality)"),
        count => screen::warn(&format!("replika: no municipality has such a code today ({count} of --municipality)")),
    }
}

impl Criteria {
    /// True when nothing is asked for, which is everybody.
    pub(crate) fn is_empty(&self) -> bool {
        let texts =
            [&self.municipality, &self.age, &self.status, &self.protection, &self.citizenship, &self.change_code];
        self.street.is_empty() && self.changed.is_empty() && texts.into_iter().all(Vec::is_empty)
    }

    /// Criteria of different kinds are joined by *and*, and of one kind by *or*.
    pub(crate) fn read(&self, snapshot: &Snapshot) -> Result<Query, Failure> {
        let mut all = Vec::new();
        let mut any = |queries: Vec<Query>, asked: bool| {
            if asked {
                all.push(Query::Or(queries));
            }
        };
        any(read_each(&self.municipality, |text| parse_municipality(text))?, !self.municipality.is_empty());
        any(read_each(&self.street, |text| parse_street(text.reveal()))?, !self.street.is_empty());
        any(read_ages(self, snapshot)?, !self.age.is_empty());
        let status = |text: &String| {
            let code = parse_number(text, 2).and_then(|code| u8::try_from(code).ok());
            code.map(|code| Query::status(Status(code))).ok_or(Failure::Usage("a status is two digits"))
        };
        any(read_each(&self.status, status)?, !self.status.is_empty());
        let protection = |text: &String| {
            let code = parse_number(text, 4).ok_or(Failure::Usage("a kind of protection is four digits"))?;
            Ok(Query::Protection(ProtectionKind(code)))
        };
        any(read_each(&self.protection, protection)?, !self.protection.is_empty());
        let citizenship = |text: &String| {
            let code = parse_number(text, 4).ok_or(Failure::Usage("a country code is four digits"))?;
            Ok(Query::Citizenship(CountryCode(code)))
        };
        any(read_each(&self.citizenship, citizenship)?, !self.citizenship.is_empty());
        let changed: Vec<DeliveryNumber> = self.changed.iter().map(|&number| DeliveryNumber(number)).collect();
        any(changed.iter().map(|&delivery| Query::Changed(delivery)).collect(), !changed.is_empty());
        let deliveries = if changed.is_empty() { vec![snapshot.known()] } else { changed };
        let mut by_code = Vec::new();
        for text in &self.change_code {
            let code = EventCode::parse(text.as_bytes())?;
            by_code.extend(deliveries.iter().map(|&delivery| Query::ChangedBy(delivery, code.to_string())));
        }
        any(by_code, !self.change_code.is_empty());
        Ok(if all.is_empty() { Query::All } else { Query::And(all) })
    }
}

fn read_each<T>(texts: &[T], query: impl FnMut(&T) -> Result<Query, Failure>) -> Result<Vec<Query>, Failure> {
    texts.iter().map(query).collect()
}

fn parse_number(text: &str, digits: usize) -> Option<u16> {
    let is_number = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn parse_municipality(text: &str) -> Result<Query, Failure> {
    match Filter::parse(FilterKind::Municipality, text)? {
        Filter::Municipality(MunicipalityCode(code)) => Ok(Query::municipality(MunicipalityCode(code))),
        _ => Err(FilterError::NotAMunicipality.into()),
    }
}

fn read_ages(find: &Criteria, snapshot: &Snapshot) -> Result<Vec<Query>, Failure> {
    let mut queries = Vec::new();
    for text in &find.age {
        let Filter::AgeRange(range) = Filter::parse(FilterKind::AgeRange, text)? else {
            return Err(FilterError::NotAnAgeRange.into());
        };
        let day = match find.on {
            Some(day) => day.date(),
            None => snapshot.delivery(snapshot.known())?.production_date,
        };
        // Nobody can be so old.
        queries.push(birth_dates(range, day).map_or(Query::Or(Vec::new()), Query::Born));
    }
    Ok(queries)
}

/// `0851:8512`, with a house or a range of houses behind it.
fn parse_street(text: &str) -> Result<Query, Failure> {
    let (street, houses) = match text.match_indices(':').nth(1) {
        Some((at, _)) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let Filter::Address(address) = Filter::parse(FilterKind::Address, street)? else {
        return Err(FilterError::NotAnAddress { part: "street" }.into());
    };
    let houses = houses.map(|text| parse_houses(text).ok_or(FilterError::NotAnAddress { part: "house number" }));
    Ok(Query::Address(AddressPattern {
        municipality: Some(address.municipality),
        street: Some(address.street),
        houses: houses.transpose()?.into_iter().collect(),
        ..AddressPattern::default()
    }))
}

fn parse_houses(text: &str) -> Option<RangeInclusive<HouseNumber>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let houses = HouseNumber::parse(first.as_bytes())?..=HouseNumber::parse(last.as_bytes())?;
    (!houses.is_empty()).then_some(houses)
}

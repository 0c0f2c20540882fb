//! The search string of SF1520 `callCPRPersonList`: a Solr request, read as Lucene reads it.
//!
//! `q=(standardadresse:Akseltorv 1) AND (postnummer:6000)&rows=10`. What of the contract is public is this example, and
//! that names, birth date, number, sex, address and its parts can be asked for, in full, by wildcard and in ranges; the
//! field names here are the element names of `PersonLookup` (docs/search.md lists them), and the default field is ours:
//! a word in it is a word of a name or of the street's name, a house number, a postal code or a personnummer, whichever
//! it can be. Rows come in the order of the numbers, not by score.

use std::fmt;
use std::ops::RangeInclusive;

use access_log::Caller;
use cpr_replika::cpr_model::{
    CountryCode, Date, MunicipalityCode, Pnr, ProtectionKind, StandardAddress, Status, StreetCode, Text, latin1_of,
};
use cpr_replika::cpr_subscription::{Door, Floor, HouseNumber};
use cpr_replika::{AddressPattern, NamePart, PersonSet, Policy, Query, Scope, Search, Sex, WordPattern};

use percent_encoding::percent_decode_str;

use crate::logged::{self, Logged};
use crate::protected_persons::ProtectedPersons;
use crate::search::conjunction::all;
use crate::search::lucene::{self, Asked, Clause, Occur};
pub use crate::search::query_error::QueryError;
use crate::withholding::without_protected;

/// A Solr request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whom it is for (`q`).
    pub query: Query,
    /// `rows`; 10 when left out, as in Solr.
    pub rows: usize,
    /// `start`: rows passed over. They are searched all the same; `cursorMark` is cheaper.
    pub start: usize,
    /// `cursorMark`: the number of the last row of the page before; `*` for the first page.
    pub after: Option<Pnr>,
    /// What the host has said of protected persons; unless it is everything, nobody of them is found or counted by an
    /// address.
    pub protected_persons: ProtectedPersons,
}

impl Request {
    /// Reads a request: `q=...` with `rows`, `start`, `cursorMark` and `q.op` in any order, or the query in the place
    /// of `q=...`. Percent signs with two hexadecimal digits are decoded; `+` is Lucene's sign, not a blank. What is
    /// said of protected persons is the host's decision, for each search anew.
    ///
    /// # Errors
    /// [`QueryError`] says where the query cannot be read, or which parameter is wrong; other parameters are passed
    /// over.
    pub fn parse(text: &str, protected_persons: ProtectedPersons) -> Result<Request, QueryError> {
        let names_query = parameters(text).any(|part| part.starts_with("q="));
        let (mut query, mut and) = (None, false);
        let (mut rows, mut start, mut after) = (10, 0, None);
        for part in parameters(text) {
            let decoded = percent_decode_str(part).decode_utf8_lossy();
            let (name, value) = decoded.split_once('=').unwrap_or((&decoded, ""));
            let number = |name| value.parse().map_err(|_| QueryError::Parameter { name });
            match name {
                "q" => query = Some(value.to_owned()),
                "rows" => rows = number("rows")?,
                "start" => start = number("start")?,
                "q.op" => and = value.eq_ignore_ascii_case("and"),
                "cursorMark" if value == "*" => {}
                "cursorMark" => {
                    after = Some(Pnr::parse(value.as_bytes()).ok_or(QueryError::Parameter { name: "cursorMark" })?);
                }
                _ if !names_query && query.is_none() => query = Some(decoded.into_owned()),
                _ => {}
            }
        }
        let query = query.ok_or(QueryError::Parameter { name: "q" })?;
        let query = query_of(&lucene::parse(query.trim(), and)?)?;
        Ok(Request { query, rows, start, after, protected_persons })
    }

    /// The search that it stands for, under what SF1520 requires. `start` rows are among its rows, and to be passed
    /// over.
    pub fn search(&self, scope: Scope) -> Search {
        Search {
            query: self.query.clone(),
            scope,
            after: self.after,
            limit: self.start.saturating_add(self.rows),
            count: true,
            policy: Policy::sf1520(),
        }
    }
}

/// The parts between single `&`, which parts parameters; `&&` is Lucene's.
fn parameters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let bytes = text.as_bytes();
        let is_lone =
            |at: &usize| bytes[*at] == b'&' && bytes.get(at + 1) != Some(&b'&') && (*at == 0 || bytes[at - 1] != b'&');
        let cut = (0..bytes.len()).find(is_lone);
        rest = cut.map(|at| &text[at + 1..]);
        Some(cut.map_or(text, |at| &text[..at]))
    })
}

/// Lucene's meaning of clauses: what is required and not forbidden; where nothing is required, at least one of the
/// others.
fn query_of(clause: &Clause) -> Result<Query, QueryError> {
    let clauses = match clause {
        Clause::Field { field, at, asked } => return of_field(field.as_deref(), *at, asked),
        Clause::Group(clauses) => clauses,
    };
    let of = |wanted: Occur| {
        let clauses = clauses.iter().filter(|(occur, _)| *occur == wanted);
        clauses.map(|(_, clause)| query_of(clause)).collect::<Result<Vec<_>, _>>()
    };
    let (mut must, mut should, must_not) = (of(Occur::Must)?, of(Occur::Should)?, of(Occur::MustNot)?);
    if must.is_empty() && !should.is_empty() {
        must.push(if should.len() == 1 { should.remove(0) } else { Query::Or(should) });
    }
    must.extend(must_not.into_iter().map(|query| Query::Not(Box::new(query))));
    Ok(all(must))
}

/// What the fields are.
#[derive(Clone, Copy)]
enum Kind {
    Name(NamePart),
    Born,
    Number,
    Sex,
    Status,
    Citizenship,
    Municipality,
    StreetCode,
    StreetName,
    House,
    Floor,
    Door,
    Building,
    PostalCode,
    PostalDistrict,
    Town,
    Standard,
}

/// The fields by name; the first name of a kind is told in errors.
const FIELDS: &[(&str, Kind)] = &[
    ("navn", Kind::Name(NamePart::Any)),
    ("fornavn", Kind::Name(NamePart::Given)),
    ("mellemnavn", Kind::Name(NamePart::Middle)),
    ("efternavn", Kind::Name(NamePart::Surname)),
    ("personadresseringsnavn", Kind::Name(NamePart::Addressing)),
    ("adresseringsnavn", Kind::Name(NamePart::Addressing)),
    ("foedselsdato", Kind::Born),
    ("personnummer", Kind::Number),
    ("pnr", Kind::Number),
    ("koen", Kind::Sex),
    ("status", Kind::Status),
    ("landekode", Kind::Citizenship),
    ("statsborgerskab", Kind::Citizenship),
    ("kommunekode", Kind::Municipality),
    ("vejkode", Kind::StreetCode),
    ("vejnavn", Kind::StreetName),
    ("vejadresseringsnavn", Kind::StreetName),
    ("husnummer", Kind::House),
    ("etage", Kind::Floor),
    ("sidedoer", Kind::Door),
    ("bygningsnummer", Kind::Building),
    ("postnummer", Kind::PostalCode),
    ("postdistrikt", Kind::PostalDistrict),
    ("bynavn", Kind::Town),
    ("standardadresse", Kind::Standard),
    ("adresse", Kind::Standard),
];

fn of_field(field: Option<&str>, at: usize, asked: &Asked) -> Result<Query, QueryError> {
    let Some(name) = field else { return of_default(at, asked) };
    let found = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let &(name, kind) = found.ok_or(QueryError::Field { at })?;
    Value { field: name, at, asked }.query(kind)
}

/// A word in the default field: whatever it can be.
fn of_default(at: usize, asked: &Asked) -> Result<Query, QueryError> {
    let text = match asked {
        Asked::Word(word) if word == "*" => return Ok(Query::And(Vec::new())),
        Asked::Word(text) | Asked::Phrase(text) => text,
        Asked::Range(..) => return Err(QueryError::Syntax { at, wanted: "a field before a range" }),
    };
    let mut any = Vec::new();
    let value = |field, kind| Value { field, at, asked }.query(kind);
    any.extend(value("navn", Kind::Name(NamePart::Any)).ok());
    any.extend(value("vejnavn", Kind::StreetName).ok());
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        any.extend(value("husnummer", Kind::House).ok());
        any.extend(value("postnummer", Kind::PostalCode).ok());
        any.extend(value("personnummer", Kind::Number).ok());
    }
    if any.is_empty() { Err(QueryError::Syntax { at, wanted: "a letter or a digit" }) } else { Ok(Query::Or(any)) }
}

/// What is asked of one field, and where it stands.
struct Value<'a> {
    field: &'static str,
    at: usize,
    asked: &'a Asked,
}

impl Value<'_> {
    fn query(&self, kind: Kind) -> Result<Query, QueryError> {
        let address = |address| Ok(Query::Address(address));
        let empty = AddressPattern::default;
        match kind {
            Kind::Name(part) => match Query::name(part, self.text()?) {
                Query::And(words) if words.is_empty() => Err(self.wrong("a letter")),
                query => Ok(query),
            },
            Kind::Born => {
                Ok(Query::Born(self.range("a day YYYY-MM-DD or YYYYMMDD", date, (date_min(), date_max()))?))
            }
            Kind::Number => {
                let pnr = Pnr::parse(self.text()?.replacen('-', "", 1).as_bytes()).ok_or(self.wrong("ten digits"))?;
                Ok(Query::Persons(pnr.key().into_iter().collect::<PersonSet>()))
            }
            Kind::Sex => match self.text()? {
                "K" | "k" => Ok(Query::Sex(Sex::Woman)),
                "M" | "m" => Ok(Query::Sex(Sex::Man)),
                _ => Err(self.wrong("K or M")),
            },
            Kind::Status => Ok(Query::Status(self.range(
                "a status of two digits",
                |text| text.parse().ok().map(Status),
                (Status(0), Status(99)),
            )?)),
            Kind::Citizenship => Ok(Query::Citizenship(CountryCode(self.code()?))),
            Kind::Municipality => {
                address(AddressPattern { municipality: Some(MunicipalityCode(self.code()?)), ..empty() })
            }
            Kind::StreetCode => address(AddressPattern { street: Some(StreetCode(self.code()?)), ..empty() }),
            Kind::StreetName => address(AddressPattern { street_name: self.words()?, ..empty() }),
            Kind::House => {
                let house = |text: &str| HouseNumber::parse(text.as_bytes());
                let ends = house("000").zip(house("999Z")).ok_or(self.wrong("a house number"))?;
                address(AddressPattern { houses: vec![self.range("a house number", house, ends)?], ..empty() })
            }
            Kind::Floor => {
                let floor = Floor::parse(self.text()?.trim_end_matches('.').as_bytes()).ok_or(self.wrong("a floor"))?;
                address(AddressPattern { floor: Some(floor), ..empty() })
            }
            Kind::Door => {
                let door = Door::parse(self.text()?.trim_end_matches('.').as_bytes()).ok_or(self.wrong("a door"))?;
                address(AddressPattern { door: Some(door), ..empty() })
            }
            Kind::Building => address(AddressPattern { building: Some(self.text()?.to_owned()), ..empty() }),
            Kind::PostalCode => {
                let code = |text: &str| text.parse().ok().filter(|code| *code <= 9999);
                address(AddressPattern { postal_code: Some(self.range("a postal code", code, (0, 9999))?), ..empty() })
            }
            Kind::PostalDistrict => address(AddressPattern { postal_district: self.words()?, ..empty() }),
            Kind::Town => address(AddressPattern { town: self.words()?, ..empty() }),
            Kind::Standard => self.standard(),
        }
    }

    fn wrong(&self, wanted: &'static str) -> QueryError {
        QueryError::Value { at: self.at, field: self.field, wanted }
    }

    fn text(&self) -> Result<&str, QueryError> {
        match self.asked {
            Asked::Word(text) | Asked::Phrase(text) => Ok(text),
            Asked::Range(..) => Err(self.wrong("no range")),
        }
    }

    fn code(&self) -> Result<u16, QueryError> {
        let code = self.text()?.parse().ok().filter(|code| (1..=9999).contains(code));
        code.ok_or(self.wrong("a code of up to four digits"))
    }

    fn words(&self) -> Result<Vec<WordPattern>, QueryError> {
        let words = AddressPattern::words(self.text()?);
        if words.is_empty() { Err(self.wrong("a letter or a digit")) } else { Ok(words) }
    }

    /// A value, a prefix of digits (`198*` for dates and postal codes), or a range; where an end is open, the first or
    /// last.
    fn range<T: Copy + Ord>(
        &self,
        wanted: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        (first, last): (T, T),
    ) -> Result<RangeInclusive<T>, QueryError> {
        let value = |text: &str| parse(text).ok_or(self.wrong(wanted));
        match self.asked {
            Asked::Word(text) | Asked::Phrase(text) => match text.strip_suffix('*') {
                None => value(text).map(|value| value..=value),
                Some(prefix) => {
                    let width = if self.field == "postnummer" { 4 } else { 8 };
                    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
                    let can = matches!(self.field, "postnummer" | "foedselsdato") && digits.len() <= width;
                    if !can || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                        return Err(self.wrong("no wildcard"));
                    }
                    Ok(value(&format!("{digits:0<width$}"))?..=value(&format!("{digits:9<width$}"))?)
                }
            },
            Asked::Range([from, to], ends) => {
                // An end that is left out is not stepped over: an open end of a range of text is not a number.
                if ends.contains(&false) && (from.is_some() && !ends[0] || to.is_some() && !ends[1]) {
                    return Err(self.wrong("a range in [ ], both ends included"));
                }
                let from = from.as_deref().map_or(Ok(first), value)?;
                Ok(from..=to.as_deref().map_or(Ok(last), value)?)
            }
        }
    }

    /// A standard address: street, house, floor and door as CPR writes them, or as a person types them. One word alone,
    /// as Lucene hands it over, is a word of the street or a house.
    fn standard(&self) -> Result<Query, QueryError> {
        let text = self.text()?;
        let line = latin1_of(text);
        let is_house = text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(char::is_whitespace);
        if let Some(house) = HouseNumber::parse(&line).filter(|_| is_house) {
            return Ok(Query::Address(AddressPattern { houses: vec![house..=house], ..AddressPattern::default() }));
        }
        let mut readings: Vec<Query> =
            StandardAddress::readings(&line).iter().filter_map(address).map(Query::Address).collect();
        match readings.len() {
            0 => Err(self.wrong("a street, a house number, and floor and door behind a comma")),
            1 => Ok(readings.remove(0)),
            _ => Ok(Query::Or(readings)),
        }
    }
}

/// What a reading of a standard address asks; none when a part of it cannot be what it stands for.
fn address(reading: &StandardAddress<'_>) -> Option<AddressPattern> {
    /// None inside for a part that is not there.
    fn part<T>(text: &[u8], parse: fn(&[u8]) -> Option<T>) -> Option<Option<T>> {
        if text.is_empty() { Some(None) } else { parse(text).map(Some) }
    }
    let utf8 = |latin1| Text::new(latin1).reveal().into_owned();
    let house = part(&reading.house_number, HouseNumber::parse)?;
    Some(AddressPattern {
        street_name: Some(AddressPattern::words(&utf8(reading.street))).filter(|words| !words.is_empty())?,
        houses: house.map(|house| house..=house).into_iter().collect(),
        floor: part(reading.floor, Floor::parse)?,
        door: part(reading.door, Door::parse)?,
        building: Some(utf8(reading.building)).filter(|building| !building.is_empty()),
        ..AddressPattern::default()
    })
}

/// A day; a time of day behind it (`T00:00:00Z`) is passed over.
fn date(text: &str) -> Option<Date> {
    Date::parse(text.split('T').next().unwrap_or_default())
}

fn date_min() -> Date {
    Date::from_digits(1).expect("eight digits")
}

fn date_max() -> Date {
    Date::from_digits(99_999_999).expect("eight digits")
}

/// One person found, as the service answers: number and name.
#[derive(Clone, Eq, PartialEq, serde::Serialize)]
pub struct Found {
    /// `personnummer`
    pub personnummer: String,
    /// `personadresseringsnavn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personadresseringsnavn: Option<String>,
    /// Kinds of protection on record (BESKYTTYPE), for the host to act on.
    pub beskyttelser: Vec<u16>,
}

/// Says nothing of the person.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Found(..)")
    }
}

/// The answer to a search.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Answer {
    /// How many there are in all (`numFound`).
    #[serde(rename = "numFound")]
    pub found: u64,
    /// The rows asked for.
    pub docs: Vec<Found>,
    /// `cursorMark` of the next page; none on the last one.
    #[serde(rename = "nextCursorMark", skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Logged for Answer {
    fn is_protected(&self) -> bool {
        self.docs.iter().any(|found| found.beskyttelser.contains(&ProtectionKind::NAME_AND_ADDRESS.0))
    }
}

/// Answers a request.
///
/// # Errors
/// [`crate::Error::Engine`] when the search is refused with a reason, or the store is damaged.
pub fn answer(
    caller: Caller<'_>,
    snapshot: &cpr_replika::Snapshot,
    request: &Request,
    scope: Scope,
) -> Result<Answer, crate::Error> {
    logged::search(("SF1520", "callCPRPersonList"), snapshot, caller, || search(snapshot, request, scope))
}

fn search(snapshot: &cpr_replika::Snapshot, request: &Request, scope: Scope) -> Result<Answer, crate::Error> {
    let query = without_protected(&request.query, snapshot, scope, request.protected_persons)?;
    let hits = snapshot.search(&Search { query, ..request.search(scope) })?;
    let docs = hits.rows.iter().skip(request.start).map(|hit| Found {
        personnummer: hit.pnr.reveal().to_owned(),
        personadresseringsnavn: hit.addressing_name.as_deref().map(crate::contract_types::printable),
        beskyttelser: hit.protections.iter().map(|kind| kind.0).collect(),
    });
    let next = hits.next.map(|pnr| pnr.reveal().to_owned());
    Ok(Answer { found: hits.count.unwrap_or(0), docs: docs.collect(), next })
}

//! ADRSOG1: the search by address, with whole names to narrow it.
//!
//! A street (code or name) and a place (postal code or municipality) are required. One row for each person, at the
//! current address, in the order of the numbers. The number of matches (AIA) is an attribute of the table, told when it
//! is asked for. Where the next page begins (REST) is not public: here it stands in the key of the answer, under the
//! name of the request, and the header is empty on the last page, as recorded. Nor is what `STAF` means: here this
//! status or a higher one, by its name ("status fra").

use std::fmt;

use access_log::Caller;
use cpr_replika::cpr_model::{CountryCode, Date, MunicipalityCode, Pnr, Status, StreetCode};
use cpr_replika::cpr_subscription::{Door, Floor, HouseNumber};
use cpr_replika::{AddressPattern, NamePart, Policy, Query, Scope, Search, Sex, Snapshot};
use serde::Serialize;

use crate::contract_types::{printable, text};
use crate::error::Error;
use crate::gctp::{Field, Row, adrsog1_xml};
use crate::logged::{self, Logged, has_protected_address};
use crate::protected_persons::ProtectedPersons;
use crate::protection::Protections;
use crate::search::conjunction::all;
use crate::subject::Subject;
use crate::withholding::without_protected;

/// Why a request cannot be answered; it names the field, not what it holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// ADRSOG1 has no such field.
    #[error("ADRSOG1 has no field of this name; it has {}", NAMES.join(", "))]
    Unknown,
    /// The field cannot have such a value.
    #[error("field {field} cannot have this value")]
    Value {
        /// The field.
        field: &'static str,
    },
    /// A field of each pair is required.
    #[error("{one} or {other} is required")]
    Missing {
        /// One of the two.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
}

const NAMES: &[&str] = &[
    "VEJK", "VNVN", "POST", "KOMK", "HNR", "BNR", "ETAG", "SIDO", "NVN", "NVN1", "NVN2", "NVN3", "KON", "STAF", "STB",
    "AIA", "MAXA", "REST",
];

/// A request: the address, the names, and what is wanted of the answer. `Debug` says which parts are asked for.
#[derive(Clone, Debug)]
pub struct Request {
    query: Query,
    /// AIA: only the number of matches is wanted.
    pub only_count: bool,
    /// MAXA: most rows; 20 when left out.
    pub most: usize,
    /// REST: the number that the last page ended with.
    pub after: Option<Pnr>,
    /// What the host has said of protected persons; unless it is everything, nobody of them is found or counted.
    pub protected_persons: ProtectedPersons,
}

impl Request {
    /// Reads the fields of the key; empty ones count as left out. What is said of protected persons is the host's
    /// decision, for each search anew.
    ///
    /// # Errors
    /// [`RequestError`] for an unknown field, a value that cannot be, and when street or place is missing.
    pub fn parse<'a>(
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
        protected_persons: ProtectedPersons,
    ) -> Result<Request, RequestError> {
        let mut address = AddressPattern::default();
        let mut queries = Vec::new();
        let mut request =
            Request { query: Query::And(Vec::new()), only_count: false, most: 20, after: None, protected_persons };
        for (name, value) in fields {
            let value = value.trim();
            let field = *NAMES.iter().find(|known| **known == name).ok_or(RequestError::Unknown)?;
            if value.is_empty() {
                continue;
            }
            let wrong = RequestError::Value { field };
            let code = || value.parse::<u16>().ok().filter(|code| (1..=9999).contains(code)).ok_or(wrong);
            match field {
                "VEJK" => address.street = Some(StreetCode(code()?)),
                "VNVN" => address.street_name = AddressPattern::words(&value.replace(['*', '?'], " ")),
                "POST" => address.postal_code = Some(code()?..=code()?),
                "KOMK" => address.municipality = Some(MunicipalityCode(code()?)),
                "HNR" => {
                    let house = HouseNumber::parse(value.as_bytes()).ok_or(wrong)?;
                    address.houses = vec![house..=house];
                }
                "BNR" => address.building = Some(value.to_owned()),
                "ETAG" => address.floor = Some(Floor::parse(value.as_bytes()).ok_or(wrong)?),
                "SIDO" => address.door = Some(Door::parse(value.as_bytes()).ok_or(wrong)?),
                "NVN" | "NVN1" | "NVN2" | "NVN3" => {
                    queries.push(Query::name(NamePart::Any, &value.replace(['*', '?'], " ")));
                }
                "KON" => queries.push(Query::Sex(match value {
                    "K" => Sex::Woman,
                    "M" => Sex::Man,
                    _ => return Err(wrong),
                })),
                "STAF" => queries.push(Query::Status(Status(value.parse().map_err(|_| wrong)?)..=Status(99))),
                "STB" => queries.push(Query::Citizenship(CountryCode(code()?))),
                "AIA" => request.only_count = true,
                "MAXA" => request.most = value.parse().map_err(|_| wrong)?,
                _ => request.after = Some(Pnr::parse(value.as_bytes()).ok_or(wrong)?),
            }
        }
        if address.street.is_none() && address.street_name.is_empty() {
            return Err(RequestError::Missing { one: "VEJK", other: "VNVN" });
        }
        if address.postal_code.is_none() && address.municipality.is_none() {
            return Err(RequestError::Missing { one: "POST", other: "KOMK" });
        }
        queries.push(Query::Address(address));
        request.query = all(queries);
        Ok(request)
    }
}

/// The answer: rows of persons, and how many there are in all.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct Answer {
    /// How many match, whatever the page.
    pub count: u64,
    /// True when no more than that was asked for: only then does the service tell it.
    #[serde(skip)]
    pub only_count: bool,
    /// REST of the next page; none on the last one, and when only the number was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
    /// Numbered from 0 in the envelope.
    pub rows: Vec<Row>,
}

impl Logged for Answer {
    fn is_protected(&self) -> bool {
        self.rows.iter().any(|row| has_protected_address(&row.protections))
    }
}

/// Says how many rows there are.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer of {} rows of {}", self.rows.len(), self.count)
    }
}

impl Answer {
    /// The answer as the service sends it: one `root` element, without line breaks.
    ///
    /// # Errors
    /// [`Error::Xml`] when the answer does not go into XML.
    pub fn to_xml(&self) -> Result<String, Error> {
        let count = Some(self.count).filter(|_| self.only_count);
        adrsog1_xml(self.rest.as_deref(), count, &self.rows)
    }
}

/// Answers a request from what is known now; `day` is that on which protections are in force.
///
/// # Errors
/// [`Error::Engine`] when the search costs too much, or the store is damaged.
pub fn answer(caller: Caller<'_>, snapshot: &Snapshot, request: &Request, day: Date) -> Result<Answer, Error> {
    logged::search(("GCTP", "ADRSOG1"), snapshot, caller, || search(snapshot, request, day))
}

fn search(snapshot: &Snapshot, request: &Request, day: Date) -> Result<Answer, Error> {
    let limit = if request.only_count { 0 } else { request.most };
    let search = Search {
        query: without_protected(&request.query, snapshot, Scope::Now, request.protected_persons)?,
        scope: Scope::Now,
        after: request.after,
        limit,
        count: true,
        policy: Policy::open(),
    };
    let hits = snapshot.search(&search)?;
    let mut rows = Vec::with_capacity(hits.rows.len());
    let numbers: Vec<Pnr> = hits.rows.iter().map(|hit| hit.pnr).collect();
    for (pnr, image) in numbers.iter().zip(snapshot.persons_as_of(&numbers, None, None)?) {
        let Some(image) = image else { continue };
        let asked = crate::Request::on(*pnr, day, Caller::unlogged());
        let subject = Subject::read(*pnr, &image, None, snapshot.settings()).follow_chain(snapshot, &asked)?;
        rows.push(Row { fields: fields(&subject), protections: Protections::read(snapshot, &asked, &subject)? });
    }
    let rest = hits.next.map(|last| last.reveal().to_owned());
    Ok(Answer { count: hits.count.unwrap_or(0), only_count: request.only_count, rest, rows })
}

/// The fields of a row, in the order of the service. `TABMRK` is 1 for the current address.
fn fields(subject: &Subject<'_>) -> Vec<Field> {
    let address = subject.address();
    let raw =
        |of: Option<cpr_replika::cpr_model::Text<'_>>| of.filter(|of| !of.is_empty()).map(|of| printable(&of.reveal()));
    let name = subject.name();
    let reversed = name.and_then(|name| {
        let given: Vec<String> = [name.given_names(), name.middle_names()].into_iter().filter_map(text).collect();
        Some(format!("{},{}", text(name.surname())?, given.join(" ")))
    });
    let addressing = subject.addressing_name().map(|name| printable(&name));
    let said = [
        ("AKM", Some(" ".to_owned()), None),
        ("CNVN_ADRNVN", reversed.or(addressing.clone()), addressing),
        ("CNVN_STATUS", subject.with_status().and_then(|row| row.status()).map(|status| status.to_string()), None),
        ("CPRS_FOEDDATO", subject.birth_date().map(|date| format!("{:08}", date.digits())), None),
        ("ETAGE", raw(address.map(|row| row.floor())), None),
        ("HUSNR", raw(address.map(|row| row.house_number())), None),
        ("KOMKOD", address.and_then(|row| row.municipality_code()).map(|code| code.to_string()), None),
        ("PNR", Some(subject.pnr.reveal().to_owned()), None),
        ("SIDEDOER", raw(address.map(|row| row.side_or_door())).map(door), None),
        ("STARTDATO", address.and_then(|row| row.moved_in()).map(|from| format!("{:012}", from.value.digits())), None),
        ("TABMRK", Some("1".to_owned()), None),
        ("VEJKOD", address.and_then(|row| row.street_code()).map(|code| code.to_string()), None),
    ];
    said.into_iter().filter_map(|(name, value, text)| value.map(|value| Field { name, value, text })).collect()
}

/// A door as the service gives it: of the blanks before the letters, one is left.
fn door(received: String) -> String {
    let letters = received.trim_start();
    if letters.len() == received.len() { received } else { format!(" {letters}") }
}

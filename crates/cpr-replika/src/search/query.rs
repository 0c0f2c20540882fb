//! The language in which persons are asked for: of [`Snapshot::find`] the whole set, of [`Snapshot::search`] a page.
//!
//! [`Snapshot::find`]: crate::Snapshot::find
//! [`Snapshot::search`]: crate::Snapshot::search

use std::fmt;
use std::ops::RangeInclusive;

use cpr_model::{Aspect, CountryCode, Date, MunicipalityCode, ProtectionKind, Status, StreetCode};

use crate::delivery_number::DeliveryNumber;
use crate::index::keys::SetKind;
use crate::index::name_part::NamePart;
use crate::index::person_set::PersonSet;
use crate::refusal::Refusal;
use crate::search::patterns::{AddressPattern, WordPattern};
use crate::store::config::Config;

/// Whom to find among those held now. `Debug` says how it is built, not what it asks for.
///
/// Indexes answer all of it but sex, floors, doors, building numbers and what only 003 says: of those who are left by
/// the rest, documents are read.
#[derive(Clone)]
pub enum Query {
    /// Everybody.
    All,
    /// A word of a name; [`Query::name`] reads a name as it is typed.
    Name(NamePart, WordPattern),
    /// Whose *recorded* birth date (FOED_DT) lies between these, both included. Dates compare by their digits, so an
    /// unknown month or day (00) comes before any other; who has no recorded date is never among them.
    Born(RangeInclusive<Date>),
    /// KOEN.
    Sex(Sex),
    /// STATUS between these, both included; [`Query::status`] asks for one.
    Status(RangeInclusive<Status>),
    /// Who has a protection of this kind on record, in force or not.
    Protection(ProtectionKind),
    /// LANDEKOD of the citizenship.
    Citizenship(CountryCode),
    /// An address: one row that has it all. [`Query::municipality`] and [`Query::street`] ask for the usual parts.
    Address(AddressPattern),
    /// Whom a delivery changed.
    Changed(DeliveryNumber),
    /// Whom a delivery brought an event of this change code (HAENDELSE).
    ChangedBy(DeliveryNumber, String),
    /// These persons, as far as they are held.
    Persons(PersonSet),
    /// Who is in every one; an empty list is everybody.
    And(Vec<Query>),
    /// Who is in any one; an empty list is nobody.
    Or(Vec<Query>),
    /// Everybody else.
    Not(Box<Query>),
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Query::All => f.write_str("All"),
            Query::Name(part, word) => f.debug_tuple("Name").field(part).field(word).finish(),
            Query::Born(_) => f.write_str("Born(..)"),
            Query::Sex(_) => f.write_str("Sex(..)"),
            Query::Status(_) => f.write_str("Status(..)"),
            Query::Protection(_) => f.write_str("Protection(..)"),
            Query::Citizenship(_) => f.write_str("Citizenship(..)"),
            Query::Address(address) => address.fmt(f),
            Query::Changed(delivery) => f.debug_tuple("Changed").field(delivery).finish(),
            Query::ChangedBy(delivery, _) => write!(f, "ChangedBy({delivery:?}, ..)"),
            Query::Persons(persons) => persons.fmt(f),
            Query::And(all) => f.debug_tuple("And").field(all).finish(),
            Query::Or(any) => f.debug_tuple("Or").field(any).finish(),
            Query::Not(not) => f.debug_tuple("Not").field(not).finish(),
        }
    }
}

impl Query {
    /// The words of a name as it is typed, all of them: `Hans*`, `Anne-Marie Skov`, `M?ller`. A word with a hyphen
    /// stands for the word without it and for its parts: `Anne-Marie` finds `Annemarie` and `Anne Marie` too. A text
    /// without a letter or digit is everybody: an empty [`Query::And`].
    pub fn name(part: NamePart, text: &str) -> Query {
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | ';'));
        let mut all: Vec<Query> = words.filter_map(|word| typed_word(word, part)).collect();
        if all.len() == 1 { all.remove(0) } else { Query::And(all) }
    }

    /// Who has this STATUS.
    pub fn status(status: Status) -> Query {
        Query::Status(status..=status)
    }

    /// Who lives in a municipality (KOMKOD of the current address).
    pub fn municipality(code: MunicipalityCode) -> Query {
        Query::Address(AddressPattern { municipality: Some(code), ..AddressPattern::default() })
    }

    /// Who lives in a street; street codes (VEJKOD) are unique within a municipality.
    pub fn street(municipality: MunicipalityCode, street: StreetCode) -> Query {
        Query::Address(AddressPattern {
            municipality: Some(municipality),
            street: Some(street),
            ..AddressPattern::default()
        })
    }

    /// The one index that answers it, and its value.
    pub(crate) fn index(&self) -> Option<(SetKind, u32)> {
        match self {
            Query::All => Some((SetKind::Held, 0)),
            Query::Status(range) if range.start() == range.end() => Some((SetKind::Status, range.start().0.into())),
            Query::Protection(kind) => Some((SetKind::Protection, kind.0.into())),
            Query::Citizenship(country) => Some((SetKind::Citizenship, country.0.into())),
            Query::Address(address) => {
                let municipality = address.municipality.filter(|_| address.is_municipality_alone())?;
                Some((SetKind::Municipality, municipality.0.into()))
            }
            _ => None,
        }
    }

    /// Refuses what the store does not hold.
    pub(crate) fn require_held(&self, config: &Config) -> Result<(), Refusal> {
        match self {
            Query::Name(NamePart::Any | NamePart::Addressing, _) => {
                // The addressing name stands in either.
                config
                    .require(Aspect::Name)
                    .or_else(|refusal| config.require(Aspect::FormattedAddress).map_err(|_| refusal))
            }
            Query::Name(..) => config.require(Aspect::Name),
            Query::Protection(_) => config.require(Aspect::Protection),
            Query::Citizenship(_) => config.require(Aspect::Citizenship),
            Query::Address(address) => {
                config.require(Aspect::Address)?;
                let unnamed = !address.street_name.is_empty() && !config.names_streets();
                if address.asks_003() || unnamed { config.require(Aspect::FormattedAddress) } else { Ok(()) }
            }
            Query::And(list) | Query::Or(list) => list.iter().try_for_each(|of| of.require_held(config)),
            Query::Not(of) => of.require_held(config),
            Query::All | Query::Born(_) | Query::Sex(_) | Query::Status(_) => Ok(()),
            Query::Changed(_) | Query::ChangedBy(..) | Query::Persons(_) => Ok(()),
        }
    }
}

/// One word as it is typed, with what a hyphen stands for.
fn typed_word(word: &str, part: NamePart) -> Option<Query> {
    let joined = Query::Name(part, WordPattern::parse(word)?);
    let parts = word.split(['-', '‐', '‑', '–']).filter_map(WordPattern::parse);
    let mut parts: Vec<Query> = parts.map(|word| Query::Name(part, word)).collect();
    match parts.len() {
        0 | 1 => Some(parts.pop().unwrap_or(joined)),
        _ => Some(Query::Or(vec![joined, Query::And(parts)])),
    }
}

/// Recorded sex (KOEN).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sex {
    /// K.
    Woman,
    /// M.
    Man,
}

impl Sex {
    /// The letter as CPR writes it.
    pub fn letter(self) -> u8 {
        match self {
            Sex::Woman => b'K',
            Sex::Man => b'M',
        }
    }
}

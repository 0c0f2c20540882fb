//! What a subscriber follows: the kinds of filter, as text, as bytes that may be keys, and in one order.

pub(crate) mod address;
pub(crate) mod age;
pub(crate) mod change_codes;
pub(crate) mod error;
pub(crate) mod event_code;
mod four_digits;
pub(crate) mod kind;

use std::fmt;
use std::str::FromStr;

use cpr_model::{MunicipalityCode, PersonKey, Pnr};

use self::address::{ADDRESS_BYTES, AddressFilter};
use self::age::AgeRange;
use self::error::FilterError;
use self::event_code::EventCode;
use self::four_digits::{four_digits_from_bytes, parse_four_digits};
use self::kind::FilterKind;

/// One thing that a subscriber follows. Several filters are a sum: a person is sent when any of them matches.
///
/// The order is that of [`FilterKind`], then of the value; it is also the order of [`Filter::to_bytes`].
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Filter {
    /// The person with this number.
    Pnr(PersonKey),
    /// Persons of these ages on the day of production.
    AgeRange(AgeRange),
    /// Persons who live in this municipality; 0001-9999, as the readers of filters hold.
    Municipality(MunicipalityCode),
    /// Persons with an event of this code on the day.
    EventChangeCode(EventCode),
    /// Persons who live here.
    Address(AddressFilter),
    /// Every person of the delivery.
    Everything,
    /// Persons for whom all of these hold.
    AllOf(AllOf),
}

/// Two to eight filters that must hold at once, in order and each once; neither *everything* nor another *all of*.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AllOf(Box<[Filter]>);

impl AllOf {
    /// The members, in order.
    pub fn members(&self) -> &[Filter] {
        &self.0
    }

    /// All of these at once.
    ///
    /// # Errors
    /// [`FilterError::MemberCount`], [`FilterError::MemberKind`], [`FilterError::RepeatedMember`].
    pub fn new(mut members: Vec<Filter>) -> Result<AllOf, FilterError> {
        if !(2..=8).contains(&members.len()) {
            return Err(FilterError::MemberCount { found: members.len() });
        }
        let refused = |kind: FilterKind| matches!(kind, FilterKind::Everything | FilterKind::AllOf);
        if let Some(kind) = members.iter().map(Filter::kind).find(|&kind| refused(kind)) {
            return Err(FilterError::MemberKind { kind });
        }
        if members.iter().any(Filter::names_nobody) {
            return Err(FilterError::NotAPnr);
        }
        members.sort_unstable();
        if members.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(FilterError::RepeatedMember);
        }
        Ok(AllOf(members.into()))
    }
}

/// What joins the members of *all of* in text.
const AND: char = '+';
const EVERYTHING: &str = "everything";

impl Filter {
    /// The kind.
    pub fn kind(&self) -> FilterKind {
        match self {
            Filter::Pnr(_) => FilterKind::Pnr,
            Filter::AgeRange(_) => FilterKind::AgeRange,
            Filter::Municipality(_) => FilterKind::Municipality,
            Filter::EventChangeCode(_) => FilterKind::EventChangeCode,
            Filter::Address(_) => FilterKind::Address,
            Filter::Everything => FilterKind::Everything,
            Filter::AllOf(_) => FilterKind::AllOf,
        }
    }

    /// True for a filter on 0000000000, which CPR writes where it gives no number: nobody can be followed by it.
    pub fn names_nobody(&self) -> bool {
        matches!(self, Filter::Pnr(key) if is_nobody(*key))
    }

    /// Reads a filter of this kind. Beside the canonical text it takes a municipality without its zeros (`101`).
    ///
    /// # Errors
    /// What the text of this kind must be; never what it was.
    pub fn parse(kind: FilterKind, text: &str) -> Result<Filter, FilterError> {
        match kind {
            FilterKind::Pnr => {
                let key = Pnr::parse(text.as_bytes()).and_then(|pnr| pnr.key());
                key.filter(|key| !is_nobody(*key)).map(Filter::Pnr).ok_or(FilterError::NotAPnr)
            }
            FilterKind::AgeRange => AgeRange::parse(text).map(Filter::AgeRange),
            FilterKind::Municipality => {
                let code = parse_four_digits(text).ok_or(FilterError::NotAMunicipality)?;
                Ok(Filter::Municipality(MunicipalityCode(code)))
            }
            FilterKind::EventChangeCode => EventCode::parse(text.as_bytes()).map(Filter::EventChangeCode),
            FilterKind::Address => AddressFilter::parse(text).map(Filter::Address),
            FilterKind::Everything if text == EVERYTHING => Ok(Filter::Everything),
            FilterKind::Everything => Err(FilterError::NotEverything),
            FilterKind::AllOf => {
                let members: Result<Vec<Filter>, FilterError> = text.split(AND).map(str::parse).collect();
                AllOf::new(members?).map(Filter::AllOf)
            }
        }
    }

    /// The canonical text in clear, which [`str::parse`] reads back. Of a number and an address it identifies persons.
    pub fn reveal(&self) -> String {
        match self {
            Filter::Pnr(key) => key.pnr().reveal().to_owned(),
            Filter::AgeRange(range) => range.to_string(),
            Filter::Municipality(code) => code.to_string(),
            Filter::EventChangeCode(code) => code.to_string(),
            Filter::Address(address) => address.reveal(),
            Filter::Everything => EVERYTHING.to_owned(),
            Filter::AllOf(all) => {
                let members: Vec<String> = all.0.iter().map(Filter::reveal).collect();
                members.join("+")
            }
        }
    }

    /// The filter in bytes, 1 to 121 of them: equal filters have equal bytes, and bytes order as filters do.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16);
        self.append_to(&mut bytes);
        bytes
    }

    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind() as u8);
        match self {
            Filter::Pnr(key) => bytes.extend(key.as_u32().to_be_bytes()),
            Filter::AgeRange(range) => {
                bytes.extend(range.from().to_be_bytes());
                bytes.extend(range.to().to_be_bytes());
            }
            Filter::Municipality(code) => bytes.extend(code.0.to_be_bytes()),
            Filter::EventChangeCode(code) => bytes.extend(code.bytes()),
            Filter::Address(address) => address.append_to(bytes),
            Filter::Everything => {}
            Filter::AllOf(all) => all.0.iter().for_each(|member| member.append_to(bytes)),
        }
    }

    /// The filter that [`Filter::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`FilterError::Stored`] for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Filter, FilterError> {
        let filter = match bytes.split_first() {
            Some((&kind, mut rest)) if kind == FilterKind::AllOf as u8 => {
                let mut members = Vec::new();
                while !rest.is_empty() && members.len() <= 8 {
                    let (member, after) = Filter::take_from(rest).ok_or(FilterError::Stored)?;
                    members.push(member);
                    rest = after;
                }
                if !members.is_sorted() {
                    return Err(FilterError::Stored);
                }
                AllOf::new(members).ok().map(Filter::AllOf)
            }
            _ => Filter::take_from(bytes).filter(|(_, rest)| rest.is_empty()).map(|(filter, _)| filter),
        };
        filter.ok_or(FilterError::Stored)
    }

    /// The filter that these bytes begin with, and what follows; not *all of*, which has no length of its own.
    fn take_from(bytes: &[u8]) -> Option<(Filter, &[u8])> {
        let (&kind, rest) = bytes.split_first()?;
        let kind = FilterKind::ALL.into_iter().find(|known| *known as u8 == kind)?;
        Some(match kind {
            FilterKind::Pnr => {
                let (key, rest) = rest.split_first_chunk::<4>()?;
                let key = PersonKey::from_u32(u32::from_be_bytes(*key)).filter(|key| !is_nobody(*key))?;
                (Filter::Pnr(key), rest)
            }
            FilterKind::AgeRange => {
                let ([f1, f2, t1, t2], rest) = rest.split_first_chunk::<4>()?;
                let range = AgeRange::new(u16::from_be_bytes([*f1, *f2]), u16::from_be_bytes([*t1, *t2]));
                (Filter::AgeRange(range.ok()?), rest)
            }
            FilterKind::Municipality => {
                let ([high, low], rest) = rest.split_first_chunk::<2>()?;
                (Filter::Municipality(MunicipalityCode(four_digits_from_bytes(*high, *low)?)), rest)
            }
            FilterKind::EventChangeCode => {
                let (code, rest) = rest.split_first_chunk::<3>()?;
                (Filter::EventChangeCode(EventCode::from_bytes(*code)?), rest)
            }
            FilterKind::Address => {
                let (address, rest) = rest.split_first_chunk::<ADDRESS_BYTES>()?;
                (Filter::Address(AddressFilter::take_from(address)?), rest)
            }
            FilterKind::Everything => (Filter::Everything, rest),
            FilterKind::AllOf => return None,
        })
    }
}

/// Reads the canonical text of any kind: the forms tell the kinds apart.
impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let kind = match text.len() {
            _ if text.contains(AND) => FilterKind::AllOf,
            _ if text.contains(':') => FilterKind::Address,
            _ if text.contains('-') => FilterKind::AgeRange,
            10 if is_digits => FilterKind::Pnr,
            4 if is_digits => FilterKind::Municipality,
            1..=3 => FilterKind::EventChangeCode,
            _ if text == EVERYTHING => FilterKind::Everything,
            _ => return Err(FilterError::NoKind),
        };
        Filter::parse(kind, text)
    }
}

fn is_nobody(key: PersonKey) -> bool {
    key.pnr().reveal() == "0000000000"
}

/// Prints kind and value, the value of a number or an address as `..`.
impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::Pnr(_) | Filter::Address(_) => write!(f, "{}(..)", self.kind().name()),
            Filter::Everything => f.write_str(self.kind().name()),
            Filter::AllOf(all) => f.debug_tuple(self.kind().name()).field(&all.0).finish(),
            _ => write!(f, "{}({})", self.kind().name(), self.reveal()),
        }
    }
}

/// Prints the members as [`Filter`] does.
impl fmt::Debug for AllOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

//! The types that the contracts of the services are built of: structs whose elements bear the contract's names, and
//! dates as XML Schema writes them.
//!
//! CPR's dates may be partial (`196100000000`), which `xsd:date` cannot say. Such a date stands in the struct as
//! received and is left out of what serde writes, element and all: nothing is invented.

use cpr_replika::cpr_model::{self, Date, PersonKey, Pnr, Timestamp, facts};
use cpr_wire::xsd;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::error::Error;

/// Defines structs of an answer: each field with its element's name, left out when absent. `Debug` tells the type only.
macro_rules! answer {
    ($($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $type:ty = $element:literal,)*
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, ::serde::Serialize)]
        pub struct $name {
            $(
                #[doc = concat!("`", $element, "`.")]
                $(#[$field_meta])*
                #[serde(rename = $element, skip_serializing_if = "crate::contract_types::Absent::is_absent")]
                pub $field: $type,
            )*
        }

        /// Says nothing of the person.
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

/// True when an element has nothing that can be written.
pub(crate) trait Absent {
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T: Absent> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Absent::is_absent)
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

macro_rules! always_there {
    ($($type:ty),*) => { $(impl $crate::contract_types::Absent for $type {})* };
}
always_there!(String, &'static str, bool, u8, u16, u32);

/// A date as received; written `YYYY-MM-DD` when it is a day of the calendar.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PlainDate(pub Date);

impl Absent for PlainDate {
    fn is_absent(&self) -> bool {
        !is_calendar_day(self.0)
    }
}

impl Serialize for PlainDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A date as received; written `YYYY-MM-DD+01:00`, with the offset of Danish time on that day, when it is a day of the
/// calendar. The platform writes its dates so, and some of its clients read them no other way.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct XsdDate(pub Date);

impl Absent for XsdDate {
    fn is_absent(&self) -> bool {
        !is_calendar_day(self.0)
    }
}

impl Serialize for XsdDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&xsd::date(self.0))
    }
}

/// A moment as received; written `YYYY-MM-DDTHH:MM:00.000+01:00`, with the offset of Danish time, at midnight when CPR
/// does not know the time of day (minute 99).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct XsdDateTime(pub Timestamp);

impl Absent for XsdDateTime {
    fn is_absent(&self) -> bool {
        !is_calendar_day(self.0.date())
    }
}

impl Serialize for XsdDateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&xsd::date_time(self.0))
    }
}

/// A date or moment with CPR's mark of uncertainty (SF1520 `usikkerhedDatoType`, `usikkerhedDatoTidType`).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Uncertain<T> {
    /// The value as received.
    #[serde(rename = "dato")]
    pub date: T,
    /// `*` when CPR marks the value uncertain.
    #[serde(rename = "usikkerhedsmarkering", skip_serializing_if = "Option::is_none")]
    pub mark: Option<&'static str>,
}

impl<T: Absent> Absent for Uncertain<T> {
    fn is_absent(&self) -> bool {
        self.date.is_absent()
    }
}

fn mark(uncertain: bool) -> Option<&'static str> {
    uncertain.then_some("*")
}

/// A dated value, marked or not.
pub(crate) fn day(of: Option<cpr_model::Uncertain<Date>>) -> Option<Uncertain<XsdDate>> {
    of.map(|of| Uncertain { date: XsdDate(of.value), mark: mark(of.uncertain) })
}

/// A value dated to the minute, marked or not.
pub(crate) fn moment(of: Option<cpr_model::Uncertain<Timestamp>>) -> Option<Uncertain<XsdDateTime>> {
    of.map(|of| Uncertain { date: XsdDateTime(of.value), mark: mark(of.uncertain) })
}

/// A day as the start of a moment, for elements of which the contract wants a time.
pub(crate) fn start_of_day(of: Option<cpr_model::Uncertain<Date>>) -> Option<Uncertain<XsdDateTime>> {
    of.map(|of| Uncertain { date: XsdDateTime(Timestamp::start_of(of.value)), mark: mark(of.uncertain) })
}

/// The text in clear without the blanks around it; none when blank.
pub(crate) fn text(of: cpr_model::Text<'_>) -> Option<String> {
    let text = of.reveal();
    let text = text.trim_matches(' ');
    (!text.is_empty()).then(|| printable(text))
}

/// The text without the control characters that XML 1.0 cannot carry.
pub(crate) fn printable(text: &str) -> String {
    let is_control = |byte: u8| byte < b' ' || byte == 0x7f;
    if text.bytes().any(is_control) {
        return text.chars().filter(|c| !c.is_ascii_control()).collect();
    }
    text.to_owned()
}

/// The UUID of an address in the one spelling of all services: small letters and hyphens. What is no UUID goes through
/// as received.
pub(crate) fn address_uuid(row: facts::Address<'_>) -> Option<String> {
    let text = text(row.address_uuid())?;
    Some(Uuid::try_parse(&text).map_or(text, |uuid| uuid.hyphenated().to_string()))
}

/// The birth date that a number states; none when its digits can be nobody's.
pub(crate) fn birth_date_in(pnr: Pnr) -> Option<Date> {
    pnr.key().map(PersonKey::date)
}

fn is_calendar_day(date: Date) -> bool {
    cpr_model::Day::of(date).is_some()
}

/// The XML of an answer: one root element of a namespace, and in it the elements in the order of the struct.
pub(crate) fn xml(root: &'static str, namespace: &str, answer: &impl Serialize) -> Result<String, Error> {
    let mut out = quick_xml::se::to_string_with_root(root, answer).map_err(|_| Error::Xml)?;
    out.insert_str(1 + root.len(), &format!(" xmlns=\"{namespace}\""));
    Ok(out)
}

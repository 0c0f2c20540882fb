//! The types that the contracts of the services are built of: structs whose elements bear the contract's names, and dates as XML Schema writes them.
//!
//! CPR's dates may be partial (`196100000000`), which `xsd:date` cannot say. Such a date stands in the struct as received and
//! is left out of what serde writes, element and all: nothing is invented.

use cpr_replika::cpr_model::{self, Date, Pnr, Timestamp};
use serde::{Serialize, Serializer};

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
pub struct Day(pub Date);

impl Absent for Day {
    fn is_absent(&self) -> bool {
        !is_calendar_day(self.0)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A moment as received; written `YYYY-MM-DDTHH:MM:00`, at midnight when CPR does not know the time of day (minute 99).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Moment(pub Timestamp);

impl Absent for Moment {
    fn is_absent(&self) -> bool {
        !is_calendar_day(self.0.date())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (hour, minute) = self.0.time_of_day().unwrap_or_default();
        serializer.collect_str(&format_args!("{}T{hour:02}:{minute:02}:00", self.0.date()))
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
pub(crate) fn day(of: Option<cpr_model::Uncertain<Date>>) -> Option<Uncertain<Day>> {
    of.map(|of| Uncertain { date: Day(of.value), mark: mark(of.uncertain) })
}

/// A value dated to the minute, marked or not.
pub(crate) fn moment(of: Option<cpr_model::Uncertain<Timestamp>>) -> Option<Uncertain<Moment>> {
    of.map(|of| Uncertain { date: Moment(of.value), mark: mark(of.uncertain) })
}

/// A day as the start of a moment, for elements of which the contract wants a time.
pub(crate) fn start_of_day(of: Option<cpr_model::Uncertain<Date>>) -> Option<Uncertain<Moment>> {
    of.map(|of| Uncertain { date: Moment(Timestamp::start_of(of.value)), mark: mark(of.uncertain) })
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

/// Full years from a birth date to a day; none when the birth date is no day of the calendar, or lies ahead.
pub(crate) fn age(born: Date, day: Date) -> Option<u32> {
    (is_calendar_day(born) && born <= day).then(|| (day.digits() - born.digits()) / 10_000)
}

/// The birth date that a number states: the century by its seventh digit.
pub(crate) fn birth_date_in(pnr: Pnr) -> Option<Date> {
    let digits = pnr.reveal();
    let part = |at: usize| digits[at..at + 2].parse::<u32>().ok();
    let (day, month, year, serial) = (part(0)?, part(2)?, part(4)?, part(6)? / 10);
    let century = match serial {
        0..=3 => 1900,
        4 | 9 if year >= 37 => 1900,
        4 | 9 => 2000,
        _ if year >= 58 => 1800,
        _ => 2000,
    };
    // A replacement number adds 60 to the day.
    let day = if day > 60 { day - 60 } else { day };
    Date::from_digits((century + year) * 10_000 + month * 100 + day)
}

fn is_calendar_day(date: Date) -> bool {
    let (Some(month), Some(day)) = (date.month(), date.day()) else { return false };
    let divides = |by: u32| date.year().is_multiple_of(by);
    let leap = divides(4) && (!divides(100) || divides(400));
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    date.year() > 0 && day <= last
}

/// The XML of an answer: one root element of a namespace, and in it the elements in the order of the struct.
pub(crate) fn xml(root: &'static str, namespace: &str, answer: &impl Serialize) -> Result<String, Error> {
    let mut out = quick_xml::se::to_string_with_root(root, answer).map_err(|_| Error::Xml)?;
    out.insert_str(1 + root.len(), &format!(" xmlns=\"{namespace}\""));
    Ok(out)
}

//! The values of arguments: their types, and the parsers that read them.
//!
//! What may tell of a person or an address is taken as it is and looked at after the command line has been read, by a
//! type whose `Debug` says nothing of it.

use clap::Args;
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Date, MunicipalityCode, Pnr, Timestamp};
use cpr_replika::cpr_subscription::{EventCode, SubscriberName};
use cpr_replika::{DeliveryNumber, Error, EventCursor, EventKind, Snapshot};

use crate::failure::Failure;

#[derive(Args, Clone)]
pub(crate) struct Person {
    /// The personnummer, ten digits; `-` reads it from standard input, out of the shell's history.
    #[arg(value_name = "PNR")]
    text: String,
}

/// Says nothing of the number.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(..)")
    }
}

impl Person {
    /// The number on the command line, or the first line of standard input.
    pub(crate) fn pnr(&self) -> Result<Pnr, &'static str> {
        read_pnr(&self.text)
    }
}

/// A personnummer on the command line, or for `-` the first line of standard input.
pub(crate) fn read_pnr(text: &str) -> Result<Pnr, &'static str> {
    if text != "-" {
        return parse_pnr(text);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|_| "no personnummer on standard input")?;
    parse_pnr(&line)
}

/// A personnummer as it is written.
pub(crate) fn parse_pnr(text: &str) -> Result<Pnr, &'static str> {
    let digits = text.trim().replacen('-', "", 1);
    Pnr::parse(digits.as_bytes()).ok_or("a personnummer is ten digits")
}

impl From<String> for Person {
    fn from(text: String) -> Person {
        Person { text }
    }
}

/// A text that may tell of a person or an address. It is looked at behind the parser of the command line, whose
/// errors quote.
#[derive(Clone)]
pub(crate) struct Hidden(String);

impl Hidden {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The text as the name of a subscriber.
    pub(crate) fn subscriber_name(&self) -> Result<SubscriberName, Failure> {
        self.0.parse().map_err(Failure::Name)
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Hidden {
        Hidden(text)
    }
}

/// Says nothing of the text.
impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

/// A delivery, or the day whose evening is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KnownAt {
    Delivery(DeliveryNumber),
    Day(Date),
}

impl KnownAt {
    pub(crate) fn resolve(known: Option<KnownAt>, snapshot: &Snapshot) -> Result<Option<DeliveryNumber>, Error> {
        match known {
            None => Ok(None),
            Some(KnownAt::Delivery(number)) => Ok(Some(number)),
            Some(KnownAt::Day(date)) => snapshot.delivery_on(date).map(Some),
        }
    }
}

/// The layout family of this name.
pub(crate) fn find_family(name: &str) -> Result<&'static Family, Failure> {
    let known = || Family::all().iter().map(|family| family.name).collect();
    Family::named(name).ok_or_else(|| Error::UnknownFamily { known: known() }.into())
}

pub(crate) fn parse_known(text: &str) -> Result<KnownAt, &'static str> {
    if let Ok(number) = text.parse() {
        return Ok(KnownAt::Delivery(DeliveryNumber(number)));
    }
    Date::parse(text).map(KnownAt::Day).ok_or("a delivery number, or a day YYYY-MM-DD")
}

pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, &'static str> {
    const WANTED: &str = "a day YYYY-MM-DD, or a moment YYYY-MM-DDTHH:MM";
    if let Some(date) = Date::parse(text) {
        return Ok(Timestamp::end_of(date));
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let digits = digits.parse().ok().filter(|_| shape == "0000-00-00T00:00");
    digits.and_then(Timestamp::from_digits).ok_or(WANTED)
}

pub(crate) fn parse_day(text: &str) -> Result<Date, &'static str> {
    Date::parse(text).filter(|day| day.month().is_some() && day.day().is_some()).ok_or("a day YYYY-MM-DD")
}

pub(crate) fn parse_cursor(text: &str) -> Result<EventCursor, String> {
    EventCursor::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn parse_event_kind(text: &str) -> Result<EventKind, String> {
    let known = || EventKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    EventKind::from_name(text).ok_or_else(|| format!("no kind is named so; known are: {}", known()))
}

pub(crate) fn parse_event_code(text: &str) -> Result<EventCode, String> {
    EventCode::parse(text.as_bytes()).map_err(|error| error.to_string())
}

pub(crate) fn parse_municipality(text: &str) -> Result<MunicipalityCode, &'static str> {
    let digits = Some(text).filter(|text| text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).map(MunicipalityCode).ok_or("a municipality code: up to four digits")
}

//! The values of arguments: their types, and the parsers that read them.
//!
//! What may tell of a person or an address is taken as it is and looked at after the command line has been read, by a
//! type whose `Debug` says nothing of it. A parser that refuses a value says what it wants, never what it got.

use std::fmt;
use std::num::NonZeroU64;

use clap::Args;
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Day, MunicipalityCode, Pnr, Timestamp};
use cpr_replika::cpr_subscription::{EventCode, SubscriberName};
use cpr_replika::{DeliveryNumber, Error, EventCursor, EventKind, Snapshot};

use crate::failure::Failure;
use crate::input_text::read_line;

/// What a value must be, said instead of the value.
#[derive(Clone, Debug)]
pub(crate) struct Wanted(String);

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wanted {}

impl Wanted {
    pub(crate) fn new(what: impl Into<String>) -> Wanted {
        Wanted(what.into())
    }
}

fn wanted<T>(what: impl Into<String>) -> Result<T, Wanted> {
    Err(Wanted::new(what))
}

#[derive(Args, Clone)]
pub(crate) struct Person {
    /// The personnummer, ten digits; `-` reads it from standard input, out of the shell's history.
    #[arg(value_name = "PNR")]
    text: String,
}

/// Says nothing of the number.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(..)")
    }
}

impl Person {
    /// The number on the command line, or the first line of standard input.
    pub(crate) fn pnr(&self) -> Result<Pnr, Failure> {
        read_pnr(&self.text)
    }
}

/// A personnummer on the command line, or for `-` the first line of standard input.
pub(crate) fn read_pnr(text: &str) -> Result<Pnr, Failure> {
    if text != "-" {
        return parse_pnr(text).map_err(Failure::Usage);
    }
    parse_pnr(&read_line()?).map_err(Failure::Usage)
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
impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(..)")
    }
}

/// A delivery, or the day whose evening is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KnownAt {
    Delivery(DeliveryNumber),
    Day(Day),
}

impl KnownAt {
    /// The delivery that is meant; none where none was named.
    pub(crate) fn resolve(known: Option<KnownAt>, snapshot: &Snapshot) -> Result<Option<DeliveryNumber>, Failure> {
        let day = match known {
            None => return Ok(None),
            Some(KnownAt::Delivery(number)) => return Ok(Some(number)),
            Some(KnownAt::Day(day)) => day,
        };
        match snapshot.delivery_on(day) {
            Err(Error::UnknownDelivery { last, .. }) if last.0 > 0 => {
                let first = snapshot.delivery(DeliveryNumber(1))?.production_date;
                Err(Failure::BeforeFirstDelivery(first))
            }
            found => Ok(Some(found?)),
        }
    }
}

/// The layout family of this name.
pub(crate) fn find_family(name: &str) -> Result<&'static Family, Failure> {
    let known = || Family::all().iter().map(|family| family.name).collect();
    Family::named(name).ok_or_else(|| Error::UnknownFamily { known: known() }.into())
}

/// A delivery number has so few digits that no personnummer is taken for one.
const MOST_DELIVERY_DIGITS: usize = 6;

pub(crate) fn parse_delivery(text: &str) -> Result<u32, Wanted> {
    let number = Some(text).filter(|text| text.len() <= MOST_DELIVERY_DIGITS && is_digits(text));
    number.and_then(|text| text.parse().ok()).map_or_else(|| wanted("a delivery number"), Ok)
}

pub(crate) fn parse_known(text: &str) -> Result<KnownAt, Wanted> {
    if let Ok(number) = parse_delivery(text) {
        return Ok(KnownAt::Delivery(DeliveryNumber(number)));
    }
    parse_day(text).map_or_else(|_| wanted("a delivery number, or a day YYYY-MM-DD"), |day| Ok(KnownAt::Day(day)))
}

/// A day means its end, so that what began in its course holds.
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, Wanted> {
    const WANTED: &str = "a day YYYY-MM-DD, or a moment YYYY-MM-DDTHH:MM";
    if let Ok(day) = parse_day(text) {
        return Ok(Timestamp::end_of(day.date()));
    }
    // Only what the calendar and the clock have; jiff also reads other forms.
    let has_form = text.len() == 16 && text.as_bytes()[10] == b'T' && text.parse::<jiff::civil::DateTime>().is_ok();
    let digits = text.bytes().filter(u8::is_ascii_digit).map(char::from).collect::<String>().parse();
    let moment = digits.ok().filter(|_| has_form).and_then(Timestamp::from_digits);
    moment.map_or_else(|| wanted(WANTED), Ok)
}

/// A day that the calendar has.
pub(crate) fn parse_day(text: &str) -> Result<Day, Wanted> {
    let day = Some(text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
    day.map_or_else(|| wanted("a day YYYY-MM-DD that the calendar has"), Ok)
}

pub(crate) fn parse_cursor(text: &str) -> Result<EventCursor, Wanted> {
    EventCursor::parse(text).or_else(|error| wanted(error.to_string()))
}

pub(crate) fn parse_event_kind(text: &str) -> Result<EventKind, Wanted> {
    let known = || EventKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    EventKind::from_name(text).map_or_else(|| wanted(format!("one of {}", known())), Ok)
}

pub(crate) fn parse_event_code(text: &str) -> Result<EventCode, Wanted> {
    EventCode::parse(text.as_bytes()).or_else(|error| wanted(error.to_string()))
}

pub(crate) fn parse_municipality(text: &str) -> Result<MunicipalityCode, Wanted> {
    let code = Some(text).filter(|text| text.len() <= 4 && is_digits(text)).and_then(|text| text.parse().ok());
    code.map_or_else(|| wanted("a municipality code: up to four digits"), |code| Ok(MunicipalityCode(code)))
}

/// A whole number of at most nine digits.
pub(crate) fn parse_count<T: TryFrom<u32>>(text: &str) -> Result<T, Wanted> {
    let number = Some(text).filter(|text| text.len() <= 9 && is_digits(text)).and_then(|text| text.parse().ok());
    number.and_then(|number: u32| T::try_from(number).ok()).map_or_else(|| wanted("a whole number"), Ok)
}

/// Bytes a second: 50MB, 500kB/s, 1000000.
pub(crate) fn parse_rate(text: &str) -> Result<NonZeroU64, Wanted> {
    let text = text.strip_suffix("/s").unwrap_or(text);
    let units = [("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("B", 1), ("", 1)];
    let read = units.into_iter().find_map(|(unit, bytes)| {
        let count: u32 = parse_count(text.strip_suffix(unit)?).ok()?;
        NonZeroU64::new(u64::from(count) * bytes)
    });
    read.map_or_else(|| wanted("bytes a second: 50MB, 500kB"), Ok)
}

/// The seed of what is made up: any number.
pub(crate) fn parse_seed(text: &str) -> Result<u64, Wanted> {
    text.parse().or_else(|_| wanted("a whole number"))
}

/// An age in years.
pub(crate) fn parse_age(text: &str) -> Result<u16, Wanted> {
    parse_count(text).ok().filter(|&age| age <= 999).map_or_else(|| wanted("years, at most 999"), Ok)
}

/// The number of a record type: 012.
pub(crate) fn parse_record(text: &str) -> Result<u16, Wanted> {
    let number = Some(text).filter(|text| text.len() <= 3 && is_digits(text)).and_then(|text| text.parse().ok());
    number.map_or_else(|| wanted("record numbers of three digits: 001,002"), Ok)
}

/// The number of a task (OPGAVENR).
pub(crate) fn parse_task(text: &str) -> Result<String, Wanted> {
    if text.len() == 6 && is_digits(text) { Ok(text.to_owned()) } else { wanted("six digits") }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

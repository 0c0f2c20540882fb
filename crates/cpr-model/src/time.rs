//! Dates and times as CPR writes them: partial, uncertain, with minute 99, or none.

use std::fmt;

/// A calendar date as received: eight decimal digits `YYYYMMDD`, of which month and day may be 00 (not known) or,
/// in old data, impossible. Ordering is by the digits, so an unknown month sorts before January. A day that exists is a
/// [`crate::Day`]. Source: CPR, "Udtræksvejledning for offentlige brugere".
///
/// ```
/// use cpr_model::{Date, Day};
/// let birth: Date = "1961-00-00".parse()?;
/// assert_eq!((birth.year(), birth.month(), birth.digits()), (1961, None, 1961_00_00));
/// assert_eq!(Day::of(birth), None);
/// assert!(birth < "19610101".parse()?);
/// # Ok::<(), cpr_model::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Date(u32);

impl Date {
    /// The date with these eight digits.
    #[inline]
    pub fn from_digits(yyyymmdd: u32) -> Option<Date> {
        (yyyymmdd <= 99_999_999).then_some(Date(yyyymmdd))
    }

    /// Reads `YYYY-MM-DD` or `YYYYMMDD`; any digits pass.
    pub fn parse(text: &str) -> Option<Date> {
        let bytes = text.as_bytes();
        let digits = match bytes.len() {
            8 => text.to_owned(),
            10 if bytes[4] == b'-' && bytes[7] == b'-' => text.replace('-', ""),
            _ => return None,
        };
        (digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| Date(digits.parse().unwrap_or(0)))
    }

    /// The eight digits as a number.
    pub fn digits(self) -> u32 {
        self.0
    }

    /// The year; always stated.
    pub fn year(self) -> u32 {
        self.0 / 10_000
    }

    /// The month 1-12, or none when it is not known (or not a month).
    pub fn month(self) -> Option<u32> {
        Some(self.0 / 100 % 100).filter(|m| (1..=12).contains(m))
    }

    /// The day of the month 1-31, or none when it is not known (or not a day).
    pub fn day(self) -> Option<u32> {
        Some(self.0 % 100).filter(|d| (1..=31).contains(d))
    }

    /// The date `years` earlier, by the calendar; 29 February stays as digits and orders between 28 and 1 March.
    pub fn years_before(self, years: u32) -> Date {
        Date(self.0.saturating_sub(years * 10_000))
    }
}

/// Prints `YYYY-MM-DD`. A date alone identifies nobody; the caller decides what stands beside it.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

/// A point in time as received: twelve decimal digits `YYYYMMDDHHMM`. Ordering is by the digits: 00 for an unknown
/// month or day sorts first, minute 99 last. The time of day orders the registrations of one day and is mostly not a
/// fact about the world. Source: CPR, "Udtræksvejledning for offentlige brugere".
///
/// ```
/// use cpr_model::Timestamp;
/// let unknown: Timestamp = "199103201299".parse()?;
/// assert_eq!((unknown.to_string().as_str(), unknown.time_of_day()), ("1991-03-20 12:99", None));
/// // A question about a day is asked at its end: what began in its course holds on it.
/// assert!(unknown < Timestamp::end_of("1991-03-20".parse()?));
/// # Ok::<(), cpr_model::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Behind every moment of the calendar.
    pub(crate) const LAST: Timestamp = Timestamp(999_999_999_999);

    /// The point with these twelve digits.
    #[inline]
    pub fn from_digits(yyyymmddhhmm: u64) -> Option<Timestamp> {
        (yyyymmddhhmm <= 999_999_999_999).then_some(Timestamp(yyyymmddhhmm))
    }

    /// Where a date begins: its digits and time 00:00. This is how CPR's day-precise facts enter the timeline.
    #[inline]
    pub fn start_of(date: Date) -> Timestamp {
        Timestamp(u64::from(date.0) * 10_000)
    }

    /// Where a date ends: after every time of day that a record can state, minute 99 included. A question about a
    /// day is asked here, so that what began in the course of the day holds on it.
    #[inline]
    pub fn end_of(date: Date) -> Timestamp {
        Timestamp(u64::from(date.0) * 10_000 + 9_999)
    }

    /// The twelve digits as a number.
    pub fn digits(self) -> u64 {
        self.0
    }

    /// The date part.
    pub fn date(self) -> Date {
        Date((self.0 / 10_000) as u32)
    }

    /// Hour and minute, or none when they are not a time of day (minute 99 stands for "not known").
    pub fn time_of_day(self) -> Option<(u32, u32)> {
        let (hour, minute) = ((self.0 / 100 % 100) as u32, (self.0 % 100) as u32);
        (hour < 24 && minute < 60).then_some((hour, minute))
    }
}

/// Prints `YYYY-MM-DD HH:MM`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", self.date(), self.0 / 100 % 100, self.0 % 100)
    }
}

/// A value with CPR's usikkerhedsmarkering (`*_UMRK`): `*` says the date is not documented, or was set by the
/// municipality instead of reported by the person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Uncertain<T> {
    /// The value as received.
    pub value: T,
    /// True when the record marks it `*`.
    pub uncertain: bool,
}

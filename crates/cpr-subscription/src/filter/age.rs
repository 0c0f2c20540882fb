//! Age by the digits of a date, and the birth dates that give an age.
//!
//! Dates are compared as digits, the way [`Date`] orders: an unknown month or day (00) sorts before any other, so a
//! person born 1896-00-00 is as old as one born on 1 January 1896, and 29 February has its birthday on 1 March in other
//! years. In these digits a year is 10 000, whatever the date, so age and interval are one subtraction each.

use std::ops::RangeInclusive;

use cpr_model::Date;

use super::error::FilterError;

/// Digits of `YYYYMMDD` that one year is.
const YEAR: u32 = 10_000;

/// Full years from birth to a day; none when the birth date has no year, or lies after the day.
pub fn age_on(birth: Date, day: Date) -> Option<u16> {
    if birth.year() == 0 {
        return None;
    }
    day.digits().checked_sub(birth.digits()).map(|digits| (digits / YEAR) as u16)
}

/// The birth dates of those whose age is in the range on a day: `age_on` says so of these dates and no others.
/// None when nobody can be so old.
pub fn birth_dates(range: AgeRange, day: Date) -> Option<RangeInclusive<Date>> {
    let last = day.digits().checked_sub(u32::from(range.from) * YEAR).filter(|&last| last >= YEAR)?;
    let before_first = day.digits().saturating_sub((u32::from(range.to) + 1) * YEAR);
    between(before_first, last)
}

/// The birth dates of those who reach an age after one day and no later than another: those who are younger than
/// `years` on `after`, and not on `until`. None when nobody does.
pub fn birth_dates_reaching(years: u16, after: Date, until: Date) -> Option<RangeInclusive<Date>> {
    let last = until.digits().checked_sub(u32::from(years) * YEAR).filter(|&last| last >= YEAR)?;
    between(after.digits().saturating_sub(u32::from(years) * YEAR), last)
}

/// The dates with a year that come after `before_first` and no later than `last`.
fn between(before_first: u32, last: u32) -> Option<RangeInclusive<Date>> {
    let first = (before_first + 1).max(YEAR);
    Some(Date::from_digits(first)?..=Date::from_digits(last)?).filter(|dates| !dates.is_empty())
}

/// Ages from one to another, both included: full years, 0 to 999.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AgeRange {
    from: u16,
    to: u16,
}

impl AgeRange {
    /// The highest age that can be named.
    pub const HIGHEST: u16 = 999;

    /// The ages `from` to `to`.
    ///
    /// # Errors
    /// [`FilterError::ImpossibleAgeRange`] when an age is above 999 or `from` is above `to`.
    pub fn new(from: u16, to: u16) -> Result<AgeRange, FilterError> {
        if from > to || to > AgeRange::HIGHEST {
            return Err(FilterError::ImpossibleAgeRange { from, to });
        }
        Ok(AgeRange { from, to })
    }

    /// The lowest age.
    pub fn from(self) -> u16 {
        self.from
    }

    /// The highest age.
    pub fn to(self) -> u16 {
        self.to
    }

    /// True for an age in the range.
    pub fn contains(self, age: u16) -> bool {
        (self.from..=self.to).contains(&age)
    }

    /// Reads `0-17`: one to three digits each.
    pub(crate) fn parse(text: &str) -> Result<AgeRange, FilterError> {
        let age = |text: &str| -> Option<u16> {
            let is_age = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            is_age.then(|| text.parse().ok()).flatten()
        };
        let ages = text.split_once('-').and_then(|(from, to)| Some((age(from)?, age(to)?)));
        let (from, to) = ages.ok_or(FilterError::NotAnAgeRange)?;
        AgeRange::new(from, to)
    }
}

/// Prints `0-17`.
impl std::fmt::Display for AgeRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

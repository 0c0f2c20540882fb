//! The calendar: days that exist, what lies between them, and how far Danish time is ahead of UTC.
//!
//! A [`Date`] is eight digits as received and may be no day at all; a [`Day`] always is one, from 0001-01-01 to
//! 9999-12-31. What is counted in whole days (the day before, working days, birthdays) is counted here, over `jiff`, of
//! which no type is seen outside. No clock is read: "today" is the host's to say, in seconds since 1970.

use std::fmt;
use std::sync::LazyLock;

use jiff::SignedDuration;
use jiff::civil;
use jiff::tz::TimeZone;

use crate::{Date, Timestamp};

/// A day of the calendar. `Debug` and `Display` print `YYYY-MM-DD`.
///
/// ```
/// use cpr_model::{Date, Day};
/// let day = Day::of(Date::parse("2026-01-01").ok_or("a date")?).ok_or("a day of the calendar")?;
/// assert_eq!(day.previous().map(|day| day.to_string()).as_deref(), Some("2025-12-31"));
/// assert_eq!(Day::of(Date::parse("2026-02-30").ok_or("a date")?), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Day(civil::Date);

/// The day that has number 0.
const EPOCH: civil::Date = civil::date(1900, 1, 1);

impl Day {
    /// The day with this date; none when the calendar has no such day.
    pub fn of(date: Date) -> Option<Day> {
        let digits = date.digits();
        Day::new(digits / 10_000, digits / 100 % 100, digits % 100)
    }

    /// The day of these parts; none when the calendar has no such day.
    pub fn new(year: u32, month: u32, day: u32) -> Option<Day> {
        let part = |value: u32| i8::try_from(value).ok();
        let year = i16::try_from(year).ok().filter(|year| *year > 0)?;
        civil::Date::new(year, part(month)?, part(day)?).ok().map(Day)
    }

    /// The first day of the calendar that does not come before these digits: 1 January for an unknown month, 1 March
    /// for 29 February of most years and for 30 February of all.
    pub fn at_or_after(date: Date) -> Option<Day> {
        let digits = date.digits();
        let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
        let (month, day) = if month == 0 { (1, 1) } else { (month, day.max(1)) };
        let found = Day::new(year, month, day);
        let found = found.or_else(|| if month < 12 { Day::new(year, month + 1, 1) } else { None });
        found.or_else(|| Day::new(year + 1, 1, 1))
    }

    /// The day with this number, counted from 0 on 1 January 1900.
    pub fn from_number(number: i32) -> Option<Day> {
        // As days, not as hours: those would not reach the last years.
        let days = jiff::Span::new().try_days(number).ok()?;
        EPOCH.checked_add(days).ok().filter(|day| day.year() > 0).map(Day)
    }

    /// The number of the day: 0 on 1 January 1900, a Monday; earlier days are negative.
    pub fn number(self) -> i32 {
        (self.0.duration_since(EPOCH).as_hours() / 24) as i32
    }

    /// The day that a moment, in seconds since 1970-01-01T00:00:00Z, falls on in Denmark.
    pub fn in_denmark_at(unix_seconds: i64) -> Option<Day> {
        let at = jiff::Timestamp::from_second(unix_seconds).ok()?;
        Some(Day(DENMARK.to_datetime(at).date())).filter(|day| day.0.year() > 0)
    }

    /// The date.
    pub fn date(self) -> Date {
        let (year, month, day) = self.parts();
        Date::from_digits(year * 10_000 + month * 100 + day).expect("a year of four digits")
    }

    /// Year, month and day.
    pub fn parts(self) -> (u32, u32, u32) {
        (self.0.year() as u32, self.0.month() as u32, self.0.day() as u32)
    }

    /// The day before; none before the first one.
    pub fn previous(self) -> Option<Day> {
        self.0.yesterday().ok().filter(|day| day.year() > 0).map(Day)
    }

    /// The next day that is neither Saturday nor Sunday; none past the last one.
    pub fn next_working_day(self) -> Option<Day> {
        let days = match self.0.weekday() {
            civil::Weekday::Friday => 3,
            civil::Weekday::Saturday => 2,
            _ => 1,
        };
        self.0.checked_add(SignedDuration::from_hours(24 * days)).ok().map(Day)
    }

    /// The same day of the year, years later; 28 February for the 29th of a year that has none.
    pub fn years_later(self, years: u32) -> Option<Day> {
        self.0.checked_add(jiff::Span::new().try_years(years).ok()?).ok().map(Day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Digits of `YYYYMMDD` that one year is.
const YEAR: u32 = 10_000;

/// The first day on which someone of this birth date is so many years old. Dates count by their digits: an unknown
/// month or day of birth is the first, and who was born on 29 February has a birthday on 1 March of other years.
pub fn birthday(born: Date, years: u32) -> Option<Day> {
    Day::at_or_after(Date::from_digits(born.digits().checked_add(years.checked_mul(YEAR)?)?)?)
}

/// Full years from a birth date to a day; none when the birth date is no day of the calendar, or lies ahead.
pub fn full_years(born: Date, on: Date) -> Option<u32> {
    (Day::of(born).is_some() && born <= on).then(|| (on.digits() - born.digits()) / YEAR)
}

/// Danish time, from the time zones that are linked in, so that no machine's own say otherwise.
static DENMARK: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get("Europe/Copenhagen").expect("a zone of those that are linked in"));

/// How many minutes Danish time was ahead of UTC at this moment: 60, 120 in summer, 50 or so before 1894. None when its
/// date is no day of the calendar. A time of day that is none (minute 99) is taken for midnight.
pub fn minutes_ahead_of_utc(moment: Timestamp) -> Option<i32> {
    let day = Day::of(moment.date())?;
    let (hour, minute) = moment.time_of_day().unwrap_or_default();
    let local = day.0.at(hour as i8, minute as i8, 0, 0);
    let offset = DENMARK.to_ambiguous_timestamp(local).compatible().ok().map(|at| DENMARK.to_offset(at))?;
    Some(offset.seconds().div_euclid(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(digits: u32) -> Date {
        Date::from_digits(digits).expect("eight digits")
    }

    fn day(digits: u32) -> Day {
        Day::of(date(digits)).expect("a day of the calendar")
    }

    #[test]
    fn only_days_of_the_calendar_are_days() {
        for digits in [0, 1961_00_00, 1961_09_00, 1961_13_01, 1900_02_29, 2001_04_31, 2001_01_40, 1_99_99] {
            assert_eq!(Day::of(date(digits)), None, "{digits}");
        }
        for digits in [1_01_01, 2000_02_29, 1996_02_29, 9999_12_31] {
            assert_eq!(day(digits).date().digits(), digits);
        }
    }

    #[test]
    fn numbers_and_days_are_one_to_one() {
        assert_eq!((day(1900_01_01).number(), day(1899_12_31).number(), day(1968_04_02).number()), (0, -1, 24_928));
        for number in -700_000..700_000 {
            if let Some(day) = Day::from_number(number) {
                assert_eq!(day.number(), number);
            }
        }
        // From the first day to the last one, and no further.
        for (first_or_last, beyond) in [(day(1_01_01).number(), -1), (day(9999_12_31).number(), 1)] {
            assert_eq!(Day::from_number(first_or_last).map(Day::number), Some(first_or_last));
            assert_eq!(Day::from_number(first_or_last + beyond), None);
        }
        assert_eq!(Day::from_number(i32::MAX), None);
    }

    #[test]
    fn what_is_no_day_counts_on_the_next_one() {
        for (digits, expected) in [
            (2026_00_00, 2026_01_01),
            (2026_05_00, 2026_05_01),
            (2026_02_29, 2026_03_01),
            (2026_02_30, 2026_03_01),
            (2024_02_29, 2024_02_29),
            (2026_12_40, 2027_01_01),
            (2026_13_01, 2027_01_01),
        ] {
            assert_eq!(Day::at_or_after(date(digits)), Some(day(expected)), "{digits}");
        }
        assert_eq!(Day::at_or_after(date(9999_13_00)), None);
        assert_eq!(birthday(date(2000_02_29), 18), Some(day(2018_03_01)));
        assert_eq!(birthday(date(1982_02_30), 44), Some(day(2026_03_01)));
    }

    #[test]
    fn an_age_turns_on_the_birthday() {
        for (born, on, age) in [
            (2000_03_01, 2018_02_28, Some(17)),
            (2000_03_01, 2018_03_01, Some(18)),
            (2000_02_29, 2018_02_28, Some(17)),
            (2000_02_29, 2018_03_01, Some(18)),
            (2018_03_02, 2018_03_01, None),
            (1961_00_00, 2018_03_01, None),
        ] {
            assert_eq!(full_years(date(born), date(on)), age, "{born} on {on}");
        }
    }

    #[test]
    fn a_year_later_the_last_of_february_is_another_day() {
        assert_eq!(day(2024_02_29).years_later(1), Some(day(2025_02_28)));
        assert_eq!(day(2024_02_29).years_later(4), Some(day(2028_02_29)));
        assert_eq!(day(9999_01_01).years_later(1), None);
        assert_eq!(day(2026_03_01).previous(), Some(day(2026_02_28)));
        assert_eq!(day(1_01_01).previous(), None);
        for (from, to) in [(2026_01_05, 2026_01_06), (2026_01_09, 2026_01_12), (2026_01_10, 2026_01_12)] {
            assert_eq!(day(from).next_working_day(), Some(day(to)));
        }
    }

    #[test]
    fn danish_time_is_ahead_of_utc_by_the_season() {
        let ahead = |digits| minutes_ahead_of_utc(Timestamp::from_digits(digits).expect("twelve digits"));
        assert_eq!(ahead(1961_09_07_20_00), Some(60));
        assert_eq!(ahead(1991_03_20_00_00), Some(60));
        assert_eq!(ahead(1991_07_20_12_99), Some(120));
        assert_eq!(ahead(2026_03_29_03_00), Some(120));
        assert_eq!(ahead(1961_00_00_00_00), None);
        // 2026-01-05T23:30Z is the 6th in Denmark.
        assert_eq!(Day::in_denmark_at(1_767_655_800), Some(day(2026_01_06)));
        // The last hours of the year before the first one, and the first of it.
        assert_eq!(Day::in_denmark_at(-62_135_683_200), None);
        assert_eq!(Day::in_denmark_at(-62_135_596_800), Some(day(1_01_01)));
        assert_eq!(Day::in_denmark_at(i64::MAX), None);
    }

    #[test]
    fn a_day_is_printed_as_its_date() {
        let day = day(2026_01_05);
        assert_eq!((format!("{day}"), format!("{day:?}")), ("2026-01-05".to_owned(), "2026-01-05".to_owned()));
    }
}

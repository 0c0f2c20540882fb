//! Days as numbers: 0 is 1 January 1900. The made-up register stands still on [`TODAY`].

use cpr_model::{Date, Day as CalendarDay};

/// A day, counted from 1 January 1900; earlier ones are negative.
pub(crate) type Day = i32;

/// First and last year whose births are in a population; later ones come with the nights.
pub(crate) const FIRST_YEAR: i32 = 1900;
pub(crate) const LAST_YEAR: i32 = 2025;

/// The day as of which a population is made: Monday, 5 January 2026.
pub(crate) const TODAY: Day = 46_025;

/// The start of CPR, 2 April 1968: who had died before has no number.
pub(crate) const CPR_START: Day = 24_928;

/// As far back as CPR keeps addresses: 2 January 1986.
pub(crate) const ADDRESSES_KEPT: Day = 31_412;

/// As far back as CPR keeps names: 1 January 1971.
pub(crate) const NAMES_KEPT: Day = 25_932;

/// The number of a day of the calendar.
pub(crate) fn day_of(year: i32, month: i32, day: i32) -> Day {
    CalendarDay::new(year as u32, month as u32, day as u32).expect("a day of the calendar").number()
}

fn calendar_day(day: Day) -> CalendarDay {
    CalendarDay::from_number(day).expect("a day of a life or of the years around it")
}

/// Year, month and day of a day.
pub(crate) fn parts(day: Day) -> (i32, i32, i32) {
    let (year, month, day) = calendar_day(day).parts();
    (year as i32, month as i32, day as i32)
}

/// The eight digits of a day.
pub(crate) fn date(day: Day) -> Date {
    calendar_day(day).date()
}

/// The day of a date whose month and day are known.
pub(crate) fn day_of_date(date: Date) -> Day {
    CalendarDay::at_or_after(date).expect("a year far below 9999").number()
}

pub(crate) fn year_of(day: Day) -> i32 {
    parts(day).0
}

/// The next day that is neither Saturday nor Sunday.
pub(crate) fn next_working_day(day: Day) -> Day {
    calendar_day(day).next_working_day().expect("a year far below 9999").number()
}

/// The same day of the year, years later; the last of February for the 29th.
pub(crate) fn years_on(from: Date, years: u32) -> Date {
    let later = CalendarDay::of(from).and_then(|day| day.years_later(years));
    later.map_or_else(
        || Date::from_digits(from.digits() + years * 10_000).expect("a year far below 9999"),
        CalendarDay::date,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_that_are_constants_are_the_days_that_they_say() {
        let said = [
            (TODAY, (2026, 1, 5)),
            (CPR_START, (1968, 4, 2)),
            (ADDRESSES_KEPT, (1986, 1, 2)),
            (NAMES_KEPT, (1971, 1, 1)),
        ];
        for (day, (year, month, of_month)) in said {
            assert_eq!(day, day_of(year, month, of_month));
        }
    }
}

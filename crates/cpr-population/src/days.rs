//! Days as numbers: 0 is 1 January 1900. The made-up register stands still on [`TODAY`].

use cpr_model::Date;

/// A day, counted from 1 January 1900; earlier ones are negative.
pub(crate) type Day = i32;

/// First and last year whose births are in a population; later ones come with the nights.
pub(crate) const FIRST_YEAR: i32 = 1900;
pub(crate) const LAST_YEAR: i32 = 2025;

/// The day as of which a population is made: Monday, 5 January 2026.
pub(crate) const TODAY: Day = day_of(2026, 1, 5);

/// The start of CPR: who had died before has no number.
pub(crate) const CPR_START: Day = day_of(1968, 4, 2);

/// The number of a day. Source: days from civil, the usual closed form of the Gregorian calendar.
pub(crate) const fn day_of(year: i32, month: i32, day: i32) -> Day {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 693_901
}

/// Year, month and day of a day.
pub(crate) const fn parts(day: Day) -> (i32, i32, i32) {
    let day = day + 693_901;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + (month <= 2) as i32, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The eight digits of a day.
pub(crate) fn date(day: Day) -> Date {
    let (year, month, of_month) = parts(day);
    Date::from_digits((year * 10_000 + month * 100 + of_month) as u32).expect("eight digits")
}

/// The day of a date whose month and day are known.
pub(crate) fn day_of_date(date: Date) -> Day {
    day_of(date.year() as i32, date.month().unwrap_or(1) as i32, date.day().unwrap_or(1) as i32)
}

pub(crate) fn year_of(day: Day) -> i32 {
    parts(day).0
}

/// The next day that is neither Saturday nor Sunday. 1 January 1900 was a Monday.
pub(crate) fn next_working_day(day: Day) -> Day {
    match day.rem_euclid(7) {
        4 => day + 3,
        5 => day + 2,
        _ => day + 1,
    }
}

/// The same day of the year, years later; the last of February for the 29th.
pub(crate) fn years_on(from: Date, years: u32) -> Date {
    let digits = from.digits() + years * 10_000;
    let is_leap = (digits / 10_000).is_multiple_of(4) && digits / 10_000 != 2100;
    let digits = if digits % 10_000 == 229 && !is_leap { digits - 1 } else { digits };
    Date::from_digits(digits).expect("a year far below 9999")
}

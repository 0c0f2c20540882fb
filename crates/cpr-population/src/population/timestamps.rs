//! Days as CPR wrote them down in the time of the event: with an hour, with none, or with the year alone.

use cpr_model::Date;

use crate::days::{Day, date, year_of};
use crate::person::Moment;
use crate::rng::mix;

/// A day with a time as CPR filled it in: converted data 2000 or 1200, the clock of the registration, 0000 since 2020.
pub(super) fn moment(day: Day, key: u64) -> Moment {
    let word = mix(key ^ (day as u64) << 32);
    let time = match year_of(day) {
        ..1968 => [2000, 1200][(word & 1) as usize],
        1968..2020 => (8 + word % 9) * 100 + (word >> 32) % 60,
        _ => 0,
    };
    Moment::new(date(day), time)
}

/// The year of a day, month and day 00.
pub(super) fn year_only_date(day: Day) -> Date {
    Date::from_digits(year_of(day) as u32 * 10_000).expect("eight digits")
}

/// As CPR writes a moment of which only the year is known: `196100001299`, with a mark.
pub(super) fn year_only_moment(day: Day) -> Moment {
    Moment { uncertain: true, ..Moment::new(year_only_date(day), 1299) }
}

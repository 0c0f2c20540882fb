//! CPR's dates and times as days and moments of the calendar, so that comparing them gives what comparing their digits
//! gives, and what was received wherever that is another thing.
//!
//! CPR writes partial dates (`1961-00-00`), days that are none and minute 99. Such a date stands on the first day that
//! does not come before it, such a time of day on the last moment of its hour: for every day and every minute asked
//! about, "began by then" has the answer that the digits give. The text then says what was received.

use std::collections::HashMap;

use cpr_replika::cpr_model::{Date, Day, Timestamp};

/// Microseconds of a day, an hour and a minute.
const DAY: i64 = 24 * HOUR;
const HOUR: i64 = 60 * MINUTE;
const MINUTE: i64 = 60_000_000;

/// Days from 1900-01-01, where [`Day`] counts from, to 1970-01-01, where Parquet does.
const DAYS_TO_1970: i32 = 25_567;

/// A day or moment of the calendar, and whether it says exactly what was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Placed<T> {
    pub(crate) at: T,
    pub(crate) is_exact: bool,
}

/// Places dates on the calendar, and remembers where: a register repeats its dates.
#[derive(Default)]
pub(crate) struct Calendar {
    days: HashMap<u32, Option<Placed<i32>>>,
}

impl Calendar {
    /// Days since 1970 of a date; none of zeros, which say that there is none.
    pub(crate) fn day(&mut self, date: Date) -> Option<Placed<i32>> {
        *self.days.entry(date.digits()).or_insert_with(|| {
            let day = Day::at_or_after(date).filter(|_| date.digits() != 0)?;
            Some(Placed { at: day.number() - DAYS_TO_1970, is_exact: day.date() == date })
        })
    }

    /// Microseconds since 1970, on the clocks of Denmark; none of zeros.
    pub(crate) fn moment(&mut self, time: Timestamp) -> Option<Placed<i64>> {
        let day = self.day(time.date())?;
        let midnight = i64::from(day.at) * DAY;
        if !day.is_exact {
            return Some(Placed { at: midnight, is_exact: false });
        }
        let (hour, minute) = ((time.digits() / 100 % 100) as i64, (time.digits() % 100) as i64);
        Some(match (hour < 24, minute < 60) {
            (true, true) => Placed { at: midnight + hour * HOUR + minute * MINUTE, is_exact: true },
            (true, false) => Placed { at: midnight + (hour + 1) * HOUR - 1, is_exact: false },
            (false, _) => Placed { at: midnight + DAY - 1, is_exact: false },
        })
    }
}

impl Calendar {
    /// As [`Calendar::moment`], of a bound of valid time: where zeros are one, it is a row that is over without having
    /// said when, which held at no moment. It stands before all of them.
    pub(crate) fn bound(&mut self, time: Timestamp) -> Option<i64> {
        let first = Date::from_digits(1_01_01).expect("eight digits");
        let time = if time.digits() == 0 { Timestamp::start_of(first) } else { time };
        self.moment(time).map(|placed| placed.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<Placed<i64>> {
        Calendar::default().moment(text.parse().expect("a moment"))
    }

    #[test]
    fn a_moment_of_the_calendar_is_itself_and_zeros_are_none() {
        assert_eq!(moment("197001020304"), Some(Placed { at: DAY + 3 * HOUR + 4 * MINUTE, is_exact: true }));
        assert_eq!(moment("000000000000"), None);
        assert_eq!(moment("196912312359"), Some(Placed { at: -MINUTE, is_exact: true }));
    }

    /// Digits and places are held against each other for many moments received and every kind of moment asked about.
    #[test]
    fn what_began_by_a_moment_is_the_same_by_digits_and_by_place() {
        let received = [
            "196100000000",
            "196100001299",
            "196109002460",
            "198202301000",
            "199103201299",
            "199103202399",
            "199103209999",
            "199103210000",
            "199112319959",
            "199113011200",
            "200002290000",
            "190002290000",
        ];
        let days = [
            "1960-12-31",
            "1961-01-01",
            "1961-09-01",
            "1982-02-28",
            "1982-03-01",
            "1991-03-20",
            "1991-03-21",
            "1991-12-31",
            "1992-01-01",
            "2000-02-29",
            "1900-02-28",
            "1900-03-01",
        ];
        let mut calendar = Calendar::default();
        for began in received.map(|text| text.parse::<Timestamp>().expect("a moment")) {
            let placed = calendar.moment(began).expect("not zeros").at;
            for day in days.map(|text| text.parse::<Date>().expect("a date")) {
                let midnight = i64::from(calendar.day(day).expect("a day").at) * DAY;
                assert_eq!(began <= Timestamp::end_of(day), placed < midnight + DAY, "{began} by the end of {day}");
                for (hour, minute) in (0..24).flat_map(|hour| [(hour, 0), (hour, 59)]) {
                    let digits = u64::from(day.digits()) * 10_000 + hour * 100 + minute;
                    let asked = Timestamp::from_digits(digits).expect("twelve digits");
                    let at = midnight + hour as i64 * HOUR + minute as i64 * MINUTE;
                    assert_eq!(began <= asked, placed <= at, "{began} by {asked}");
                }
            }
        }
    }
}

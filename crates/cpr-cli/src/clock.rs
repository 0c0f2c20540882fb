//! The clock: now, and which day it is in Denmark.
//!
//! CPR's days are Danish days, wherever the machine stands and whatever its time zone: ages and protections turn at
//! midnight in Copenhagen. The time zones are built in, so that a machine without them says the same.

use cpr_replika::cpr_model::Date;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds since 1970-01-01 00:00 UTC.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Today, in Denmark.
pub(crate) fn today() -> Date {
    day_in_denmark(Timestamp::now())
}

fn day_in_denmark(now: Timestamp) -> Date {
    let denmark = TimeZone::get("Europe/Copenhagen").expect("the time zones are built in");
    Date::parse(&now.to_zoned(denmark).date().to_string()).expect("a day of the calendar")
}

#[cfg(test)]
mod tests {
    use super::day_in_denmark;

    #[test]
    fn the_day_turns_at_midnight_in_copenhagen_in_summer_and_in_winter() {
        for (now, day) in [
            ("2026-01-05T22:59:59Z", "2026-01-05"),
            ("2026-01-05T23:00:00Z", "2026-01-06"),
            ("2026-07-05T21:59:59Z", "2026-07-05"),
            ("2026-07-05T22:00:00Z", "2026-07-06"),
        ] {
            let now = now.parse().expect("a timestamp");
            assert_eq!(day_in_denmark(now).to_string(), day);
        }
    }
}

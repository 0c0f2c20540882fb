//! Dates and moments as XML Schema writes them, with the offset of Danish time: the platform writes them so, and some
//! of its clients read them no other way.

use std::fmt;

use cpr_model::{Date, Timestamp, minutes_ahead_of_utc};

/// `1961-09-07+01:00`. A date that is no day of the calendar XML Schema cannot say; whether it is one is for the caller
/// to ask.
pub fn date(date: Date) -> impl fmt::Display {
    fmt::from_fn(move |f| write!(f, "{date}{}", Offset(Timestamp::start_of(date))))
}

/// `1991-03-20T20:00:00.000+01:00`, at midnight where CPR does not know the time of day (minute 99). As to the day, see
/// [`date`].
pub fn date_time(at: Timestamp) -> impl fmt::Display {
    let (hour, minute) = at.time_of_day().unwrap_or_default();
    fmt::from_fn(move |f| write!(f, "{}T{hour:02}:{minute:02}:00.000{}", at.date(), Offset(at)))
}

/// How far Danish time is ahead of UTC at a moment: `+01:00`.
struct Offset(Timestamp);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = minutes_ahead_of_utc(self.0).unwrap_or(60);
        write!(f, "+{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

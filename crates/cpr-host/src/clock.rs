//! The clock: which day it is in Denmark, whatever the time zone of the machine. CPR's days are Danish days.

use cpr_replika::cpr_model::Date;
#[cfg(feature = "events")]
use cpr_replika::cpr_model::Timestamp as Moment;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Today, in Denmark.
pub(crate) fn today() -> Date {
    let denmark = TimeZone::get("Europe/Copenhagen").expect("the time zones are built in");
    let today = Timestamp::now().to_zoned(denmark).date();
    Date::parse(&today.to_string()).expect("a day of the calendar")
}

/// The minute in Denmark at so many seconds after 1970.
#[cfg(feature = "events")]
pub(crate) fn moment(seconds: i64) -> Option<Moment> {
    let denmark = TimeZone::get("Europe/Copenhagen").expect("the time zones are built in");
    let at = Timestamp::from_second(seconds).ok()?.to_zoned(denmark);
    Moment::from_digits(at.strftime("%Y%m%d%H%M").to_string().parse().ok()?)
}

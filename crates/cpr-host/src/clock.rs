//! The clock: which day it is in Denmark, whatever the time zone of the machine. CPR's days are Danish days.

use cpr_replika::cpr_model::Date;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Today, in Denmark.
pub(crate) fn today() -> Date {
    let denmark = TimeZone::get("Europe/Copenhagen").expect("the time zones are built in");
    let today = Timestamp::now().to_zoned(denmark).date();
    Date::parse(&today.to_string()).expect("a day of the calendar")
}

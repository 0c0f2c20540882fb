//! The JSON that programs read: the small shapes that several commands share.
//!
//! All shapes are stable and stand in docs/json.md.

use cpr_replika::cpr_model::{Date, MunicipalityCode, Timestamp};
use cpr_replika::cpr_subscription::Filter;

pub(crate) type Json = serde_json::Value;

pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `"012"`
pub(crate) fn record(number: u16) -> Json {
    format!("{number:03}").into()
}

/// `"1997-09-09T09:24"`, digits as received; null where there is no bound.
pub(crate) fn moment(at: Option<Timestamp>) -> Json {
    at.map_or(Json::Null, |at| at.to_string().replacen(' ', "T", 1).into())
}

/// `"1997-09-09"`; null where there is none.
pub(crate) fn day(day: Option<Date>) -> Json {
    day.map_or(Json::Null, |day| day.to_string().into())
}

/// `"0851"`
pub(crate) fn municipality(code: Option<MunicipalityCode>) -> Json {
    code.map_or(Json::Null, |code| code.to_string().into())
}

/// Kind and canonical text, in clear.
pub(crate) fn filter(filter: &Filter) -> Json {
    object([("kind", filter.kind().name().into()), ("filter", filter.reveal().into())])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

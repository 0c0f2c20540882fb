//! The JSON that programs read: how it is printed, and the small shapes that several commands share.
//!
//! All shapes are stable and stand in docs/json.md.

use std::io::{self, Write};

use cpr_replika::cpr_extract::Fault;
use cpr_replika::cpr_model::{MunicipalityCode, Timestamp};
use cpr_replika::cpr_subscription::Filter;

pub(crate) type Json = serde_json::Value;

/// Prints one object on one line.
pub(crate) fn print(value: &Json) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)
}

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

/// `"0851"`
pub(crate) fn municipality(code: Option<MunicipalityCode>) -> Json {
    code.map_or(Json::Null, |code| code.to_string().into())
}

/// Kind and canonical text, in clear.
pub(crate) fn filter(filter: &Filter) -> Json {
    object([("kind", filter.kind().name().into()), ("filter", filter.reveal().into())])
}

pub(crate) fn fault(fault: &Fault) -> Json {
    object([
        ("kind", fault.reason.name().into()),
        ("line", fault.line.into()),
        ("offset", fault.offset.into()),
        ("record", fault.record.map_or(Json::Null, record)),
        ("field", fault.field.map_or(Json::Null, Json::from)),
        ("reason", fault.reason.to_string().into()),
    ])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

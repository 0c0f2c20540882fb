//! Faults of an extract, as JSON.

use cpr_replika::cpr_extract::Fault;

use crate::json::{self, Json};

pub(crate) fn as_json(fault: &Fault) -> Json {
    json::object([
        ("kind", fault.reason.name().into()),
        ("line", fault.line.into()),
        ("offset", fault.offset.into()),
        ("record", fault.record.map_or(Json::Null, json::record)),
        ("field", fault.field.map_or(Json::Null, Json::from)),
        ("count", (1 + fault.more).into()),
        ("reason", fault.reason.to_string().into()),
    ])
}

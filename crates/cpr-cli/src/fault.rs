//! Faults of an extract, as lines for people and as JSON.

use cpr_replika::cpr_extract::Fault;

use crate::json::{self, Json};

/// A line for each kind of fault: where it is first, and how often it is there after that.
pub(crate) fn as_lines(faults: &[Fault]) -> Vec<String> {
    let mut groups: Vec<(&Fault, u64, u64)> = Vec::new();
    for fault in faults {
        let same = |(first, ..): &&mut (&Fault, u64, u64)| {
            (first.reason.name(), first.record, first.field) == (fault.reason.name(), fault.record, fault.field)
        };
        match groups.iter_mut().find(same) {
            Some((_, more, last)) => (*more, *last) = (*more + 1, fault.line),
            None => groups.push((fault, 0, fault.line)),
        }
    }
    let line = |(fault, more, last): &(&Fault, u64, u64)| match more {
        0 => fault.to_string(),
        more => format!("{fault} (and {more} more of this kind, the last in line {last})"),
    };
    groups.iter().map(line).collect()
}

pub(crate) fn as_json(fault: &Fault) -> Json {
    json::object([
        ("kind", fault.reason.name().into()),
        ("line", fault.line.into()),
        ("offset", fault.offset.into()),
        ("record", fault.record.map_or(Json::Null, json::record)),
        ("field", fault.field.map_or(Json::Null, Json::from)),
        ("reason", fault.reason.to_string().into()),
    ])
}

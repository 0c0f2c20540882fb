//! How a checked file and its faults stand in JSON (docs/json.md). Cargo feature `serde`.

use std::collections::BTreeMap;

use cpr_model::{json_shapes, json_strings};

use crate::{Checked, Family, Fault, Header, InputError, LineEnd, Padding, RecordNumber};

json_strings! {
    Family: family => family.name;
    LineEnd: end => end.name();
    Padding;
    RecordNumber;
}

json_shapes! {
    fault: Fault => {
        "kind": fault.reason.name(),
        "line": fault.line,
        "offset": fault.offset,
        "record": fault.record.map(RecordNumber),
        "field": fault.field,
        "count": 1 + fault.more,
        "reason": fault.reason.to_string(),
    }
    error: InputError => { "number": error.number, "text": error.text }
    header: Header => {
        "task": header.task,
        "customer": header.customer(),
        "production_date": header.production_date,
        "previous_production_date": header.previous_production_date,
    }
    checked: Checked => {
        "family": checked.family,
        "sound": checked.is_sound(),
        "header": checked.header,
        "bytes": checked.bytes,
        "lines": checked.lines,
        "line_end": checked.style.line_end,
        "padding": checked.style.padding,
        "persons": checked.persons,
        "records": by_number(&checked.records),
        "repeated_persons": checked.repeated_persons,
        "doubled_rows": checked.doubled_rows,
        "odd_characters": checked.odd_characters,
        "fault_count": checked.fault_count,
        "faults": checked.faults,
    }
}

fn by_number(counts: &BTreeMap<u16, u64>) -> BTreeMap<RecordNumber, u64> {
    counts.iter().map(|(&number, &count)| (RecordNumber(number), count)).collect()
}

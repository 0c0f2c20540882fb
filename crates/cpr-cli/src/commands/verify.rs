//! `verify`: every checksum, archive and relation between tables, checked anew.

use std::io::{self, Write};

use cpr_replika::VerifyFault;

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};

pub(crate) fn verify_store(globals: &Globals) -> Result<(), Failure> {
    let report = globals.open_to_read()?.snapshot().verify()?;
    if globals.json {
        let fault = |fault: &VerifyFault| json::object([("table", fault.table.into()), ("what", fault.what.into())]);
        json::print(&json::object([
            ("clean", report.is_clean().into()),
            ("persons", report.persons.into()),
            ("facts", report.facts.into()),
            ("superseded", report.superseded.into()),
            ("events", report.events.into()),
            ("deliveries", report.deliveries.into()),
            ("fault_count", report.fault_count.into()),
            ("faults", Json::Array(report.faults.iter().map(fault).collect())),
        ]))?;
    } else {
        let out = &mut io::stdout().lock();
        writeln!(
            out,
            "read {} persons with {} facts, {} superseded rows, {} events, {} deliveries",
            report.persons, report.facts, report.superseded, report.events, report.deliveries
        )?;
        for fault in &report.faults {
            writeln!(out, "fault: {}: {}", fault.table, fault.what)?;
        }
        writeln!(out, "{}", if report.is_clean() { "everything holds" } else { "the store is damaged" })?;
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Told(3)) }
}

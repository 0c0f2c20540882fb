//! `verify`: every checksum, archive and relation between tables, checked anew.

use cpr_replika::VerifyFault;

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::progress::Meter;
use crate::screen::Screen;

pub(crate) fn verify_store(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.open_to_read()?.snapshot();
    let meter = Meter::open_ended("verifying");
    let report = snapshot.verify()?;
    drop(meter);
    if globals.json {
        let fault = |fault: &VerifyFault| json::object([("table", fault.table.into()), ("what", fault.what.into())]);
        screen.print_json(&json::object([
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
        writeln!(
            screen,
            "read {} persons with {} facts, {} superseded rows, {} events, {} deliveries",
            report.persons, report.facts, report.superseded, report.events, report.deliveries
        )?;
        for fault in &report.faults {
            writeln!(screen, "fault: {}: {}", fault.table, fault.what)?;
        }
        writeln!(screen, "{}", if report.is_clean() { "everything holds" } else { "the store is damaged" })?;
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Reported(3)) }
}

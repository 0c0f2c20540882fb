//! `verify`: every block, page, archive and relation between tables, checked anew. The file is left as it is.

use cpr_replika::{Replika, VerifyFault};

use crate::context::Globals;
use crate::failure::Failure;
use crate::json::{self, Json};
use crate::progress::Meter;
use crate::screen::Screen;

pub(crate) fn verify_store(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let path = globals.store_path()?;
    let meter = Meter::open_ended("verifying");
    let report = globals.wait_for(0, || Replika::verify_file(path, &globals.options()))?;
    drop(meter);
    if globals.json {
        let fault = |fault: &VerifyFault| {
            let place = fault.place.map_or(Json::Null, |place| place.to_string().into());
            json::object([("table", fault.table.into()), ("place", place), ("what", fault.what.into())])
        };
        screen.print_json(&json::object([
            ("clean", report.is_clean().into()),
            ("persons", report.persons.into()),
            ("facts", report.facts.into()),
            ("superseded", report.superseded.into()),
            ("events", report.events.into()),
            ("deliveries", report.deliveries.into()),
            ("blocks", report.blocks.into()),
            ("unsettled", report.unsettled.into()),
            ("fault_count", report.fault_count.into()),
            ("faults", Json::Array(report.faults.iter().map(fault).collect())),
        ]))?;
    } else {
        writeln!(
            screen,
            "read {} blocks, {} persons with {} facts, {} superseded rows, {} events, {} deliveries",
            report.blocks, report.persons, report.facts, report.superseded, report.events, report.deliveries
        )?;
        if report.unsettled > 0 {
            writeln!(screen, "{} unused blocks hold what a write that was cut off left: no fault", report.unsettled)?;
        }
        for fault in &report.faults {
            match fault.place {
                Some(place) => writeln!(screen, "fault: {place}: {}", fault.what)?,
                None => writeln!(screen, "fault: {}: {}", fault.table, fault.what)?,
            }
        }
        writeln!(screen, "{}", if report.is_clean() { "everything holds" } else { "the store is damaged" })?;
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Reported(3)) }
}

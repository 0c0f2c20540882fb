//! `verify`: every block, page, archive and relation between tables, checked anew. The file is left as it is.

use cpr_replika::{Packed, Replika, VerifyReport};

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;

pub(crate) fn verify_store(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let meter = Meter::open_ended("verifying");
    let report = match globals.packs() {
        Some(folder) => Packed::verify(folder, &globals.options())?,
        None => {
            let path = globals.store_path()?;
            globals.wait_for(0, || Replika::verify_file(path, &globals.options()))?
        }
    };
    drop(meter);
    if globals.json {
        screen.print_json(&report)?;
    } else {
        writeln!(
            screen,
            "read {} blocks, {} persons with {} facts, {} superseded rows, {} events, {} deliveries",
            report.blocks, report.persons, report.facts, report.superseded, report.events, report.deliveries
        )?;
        print_faults(&report, screen)?;
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Reported(3)) }
}

/// What does not hold, as text for people.
pub(super) fn print_faults(report: &VerifyReport, screen: &mut Screen) -> Result<(), Failure> {
    if report.unsettled > 0 {
        writeln!(screen, "{} unused blocks hold what a write that was cut off left: no fault", report.unsettled)?;
    }
    for fault in &report.faults {
        match fault.place {
            Some(place) => writeln!(screen, "fault: {place}: {}", fault.what)?,
            None => writeln!(screen, "fault: {}: {}", fault.table, fault.what)?,
        }
    }
    writeln!(screen, "{}", if report.is_clean() { "everything holds" } else { "the store is damaged" })
}

//! `compact`: the store written anew, as small as it can be.

use std::ops::ControlFlow;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;

pub(crate) fn compact_store(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let replika = globals.open_to_write()?;
    let meter = Meter::open_ended("compacting");
    let report = replika.compact(|progress| {
        meter.show_rewriting(progress);
        ControlFlow::Continue(())
    })?;
    drop(meter);
    if globals.json {
        return screen.print_json(&report);
    }
    let (before, after) = (report.bytes_before, report.bytes_after);
    writeln!(screen, "wrote {} rows anew: {before} bytes before, {after} bytes after", report.rows)
}

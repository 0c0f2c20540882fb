//! `scrub`: every block tried against its check, at a limited rate. Rows are `verify`'s.

use std::num::NonZeroU64;
use std::ops::ControlFlow;

use clap::Args;
use cpr_replika::{Packed, ScrubProgress};

use super::verify::print_faults;
use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::values::parse_rate;

#[derive(Args, Debug)]
pub(crate) struct Scrub {
    /// Bytes a second that are read at most: 50MB, 500kB/s. When left out, as many as the disk gives.
    #[arg(long, value_name = "BYTES", value_parser = parse_rate)]
    rate: Option<NonZeroU64>,
}

pub(crate) fn scrub_store(globals: &Globals, options: &Scrub, screen: &mut Screen) -> Result<(), Failure> {
    let meter = Meter::open_ended("scrubbing");
    let show = |so_far: ScrubProgress| {
        meter.show_scrubbing(so_far);
        ControlFlow::Continue(())
    };
    let report = match globals.packs() {
        Some(folder) => Packed::scrub(folder, &globals.options(), options.rate, show)?,
        None => globals.open_to_read()?.scrub(options.rate, show)?,
    };
    drop(meter);
    if globals.json {
        screen.print_json(&report)?;
    } else {
        writeln!(screen, "read {} blocks", report.blocks)?;
        print_faults(&report, screen)?;
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Reported(3)) }
}

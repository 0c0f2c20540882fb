//! `digest`: by which stores, packs and copies prove that they hold the same; computed anew, and held against the
//! ledger.

use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::{self, Screen};

pub(crate) fn print_digest(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    let meter = Meter::open_ended("reading");
    let digest = snapshot.state_digest();
    drop(meter);
    let erases = snapshot.erase_receipts()?.len() as u64;
    let (known, digest, ledger) = (snapshot.known(), digest?, snapshot.ledger_digest());
    if globals.json {
        let ledger = ledger.map(|ledger| ledger.to_string());
        screen.print_json(&Digest { known: known.0, digest: digest.to_string(), ledger, erases })?;
    } else {
        let line =
            if erases == 0 { String::new() } else { format!(", after erase {erases}: earlier digests are void") };
        writeln!(screen, "{digest}  as of delivery {known}{line}")?;
    }
    match ledger {
        Some(ledger) if ledger != digest => {
            screen::warn(&format!("replika: the ledger has another one for delivery {known}: {ledger}"));
            Err(Failure::Reported(3))
        }
        _ => Ok(()),
    }
}

#[derive(Serialize)]
struct Digest {
    known: u32,
    digest: String,
    ledger: Option<String>,
    erases: u64,
}

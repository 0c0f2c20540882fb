//! `digest`: by which stores, packs and copies prove that they hold the same.

use serde::Serialize;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;

pub(crate) fn print_digest(globals: &Globals, screen: &mut Screen) -> Result<(), Failure> {
    let snapshot = globals.snapshot()?;
    let meter = Meter::open_ended("reading");
    let digest = snapshot.state_digest();
    drop(meter);
    let erases = snapshot.erase_receipts()?.len() as u64;
    let (known, digest) = (snapshot.known(), digest?.to_string());
    if globals.json {
        return screen.print_json(&Digest { known: known.0, digest, erases });
    }
    let line = if erases == 0 { String::new() } else { format!(", after erase {erases}: earlier digests are void") };
    writeln!(screen, "{digest}  as of delivery {known}{line}")
}

#[derive(Serialize)]
struct Digest {
    known: u32,
    digest: String,
    erases: u64,
}

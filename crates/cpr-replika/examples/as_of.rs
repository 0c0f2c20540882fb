//! Opens a store, applies two extracts, and asks where a person lived, as of two moments of knowing.
//!
//! `cargo run -p cpr-replika --example as_of`

use std::fs::File;
use std::path::Path;

use cpr_replika::cpr_model::{Date, Pnr, Timestamp};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Replika};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let extracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo");
    let folder = tempfile::tempdir()?;
    let replika = Replika::create(folder.path().join("replika.db"), &Config::default())?;
    for name in ["D260105.L999901", "D260106.L999901"] {
        let report = replika.apply(File::open(extracts.join(name))?, &ApplyOptions::named(name))?;
        println!("{name} is delivery {}", report.delivery.number);
    }

    // A snapshot is consistent for as long as it is held, whatever is applied meanwhile.
    let snapshot = replika.snapshot();
    let pnr = Pnr::parse(b"6101801234").ok_or("ten digits")?;
    let day = Timestamp::end_of(Date::parse("2025-12-31").ok_or("a date")?);
    for known in [DeliveryNumber(1), DeliveryNumber(2)] {
        let image = snapshot.as_of(pnr, Some(day), Some(known))?.ok_or("not held")?;
        for address in image.facts().filter_map(|fact| fact.address()) {
            let municipality = address.municipality_code().map(|code| code.to_string());
            println!("known {known}: municipality {}", municipality.unwrap_or_default());
        }
    }
    Ok(())
}

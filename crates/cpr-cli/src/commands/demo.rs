//! `demo`: the main job on made-up data, explained as it runs.

use std::io::{self, Cursor, Write as _};
use std::path::PathBuf;

use cpr_replika::cpr_model::{Aspect, Date, Pnr, Timestamp};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Replika, Snapshot};

use crate::commands::picture::draw_versions;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::{delivery_report, fact, visible};

const ESTABLISHMENT: (&str, &[u8]) = ("D260105.L999901", include_bytes!("../../../../testdata/demo/D260105.L999901"));
const DELTA: (&str, &[u8]) = ("D260106.L999901", include_bytes!("../../../../testdata/demo/D260106.L999901"));

/// Sofie, who moved; a made-up person with a test number (day + 60).
const SOFIE: &[u8] = b"6101801234";

pub(crate) fn run_demo(screen: &mut Screen) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::Writing("a temporary folder".to_owned(), error))?;
    let replika = Replika::create(folder.path().join("replika.db"), &Config::default())?;
    let sofie = Pnr::parse(SOFIE).expect("ten digits");

    write_heading(screen, "A new store takes its first extract: the establishment of 5 January 2026.")?;
    let (name, bytes) = ESTABLISHMENT;
    delivery_report::write(screen, name, &replika.load(Cursor::new(bytes), &ApplyOptions::named(name))?)?;

    write_heading(screen, "The next night's delta, in one transaction. Three persons are in it, each whole.")?;
    let (name, bytes) = DELTA;
    delivery_report::write(screen, name, &replika.apply(Cursor::new(bytes), &ApplyOptions::named(name))?)?;

    let snapshot = replika.snapshot();
    write_heading(screen, "Where did Sofie live on 31 December 2025? That depends on when we are asked.")?;
    for known in [1, 2] {
        write_address(screen, &snapshot, sofie, known)?;
    }
    writeln!(
        screen,
        "She had moved on 20 December, and it was reported after our first delivery. Both answers stand."
    )?;

    write_heading(screen, "What changed for her between the two deliveries, and of which kind?")?;
    let family = snapshot.settings().family;
    for change in snapshot.diff(sofie, DeliveryNumber(1), DeliveryNumber(2))? {
        fact::write_change(screen, &change, sofie, family)?;
    }
    writeln!(screen, "The row marked K says what was believed and wrong; it never counts as true.")?;

    write_heading(screen, "Her address line as believed now, neighbours that say the same joined:")?;
    for (_, fact) in snapshot.timeline(sofie, Aspect::Address, None)? {
        fact::write(screen, &fact.as_fact(), sofie, family)?;
    }

    write_heading(screen, "The same file again changes nothing, and tells the report of then.")?;
    let again = replika.apply(Cursor::new(bytes), &ApplyOptions::named(name))?;
    writeln!(screen, "{name}: {}, delivery {}", again.outcome.name(), again.delivery.number)?;

    write_heading(screen, "A file with a hole in it is refused whole, and says where.")?;
    let refused = replika.apply(Cursor::new(&bytes[..bytes.len() / 2]), &ApplyOptions::named(name));
    if let Err(error) = refused {
        writeln!(screen, "refused: {error}")?;
    }

    let report = replika.snapshot().verify()?;
    write_heading(screen, "Every checksum, archive and cross-reference holds:")?;
    writeln!(
        screen,
        "{} persons, {} facts, {} superseded rows, {} faults",
        report.persons, report.facts, report.superseded, report.fault_count
    )?;

    write_heading(
        screen,
        "Her picture: valid time across, known time down. The address was corrected, and both are there.",
    )?;
    let drawing = draw_versions(&replika.snapshot(), sofie, &[], false, cpr_picture::svg)?;
    writeln!(screen, "{}", visible::path(&keep_picture(&drawing)?))
}

/// Writes the picture where it stays when the demo is over: a file of a new name in the system's temporary folder.
fn keep_picture(drawing: &str) -> Result<PathBuf, Failure> {
    let write = || -> io::Result<PathBuf> {
        let mut file = tempfile::Builder::new().prefix("replika-demo-").suffix(".svg").tempfile()?;
        file.write_all(drawing.as_bytes())?;
        Ok(file.keep()?.1)
    };
    write().map_err(|error| Failure::Writing("a temporary file".to_owned(), error))
}

fn write_heading(screen: &mut Screen, what: &str) -> Result<(), Failure> {
    writeln!(screen, "\n== {what}\n")
}

fn write_address(screen: &mut Screen, snapshot: &Snapshot, pnr: Pnr, known: u32) -> Result<(), Failure> {
    let evening = Timestamp::end_of(Date::from_digits(2025_12_31).expect("eight digits"));
    let image = snapshot.as_of(pnr, Some(evening), Some(DeliveryNumber(known)))?;
    let lived = image.iter().flat_map(|image| image.facts()).filter_map(|fact| fact.address().map(|at| (fact, at)));
    for (fact, at) in lived {
        let municipality = at.municipality_code().map_or(String::new(), |code| code.to_string());
        writeln!(
            screen,
            "as known after delivery {known}: municipality {municipality}, house {}, since {}",
            at.house_number().reveal(),
            fact.valid().from.map_or(String::new(), |from| from.date().to_string())
        )?;
    }
    Ok(())
}

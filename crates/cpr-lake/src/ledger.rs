//! The table of deliveries: what each number of known time stands for. A delivery is in the lake when its row is here.

use std::fs;
use std::path::{Path, PathBuf};

use cpr_replika::{Delivery, DeliveryNumber};

use crate::batch::Cell;
use crate::error::Error;
use crate::files::{TableFile, WholeFile};
use crate::moment::Calendar;
use crate::schema::{Column, Source, Type};

/// The folder, and the name of the table.
pub(crate) const DELIVERIES: &str = "deliveries";

/// Name, type and meaning of each column.
const COLUMNS: [(&str, Type, &str); 15] = [
    ("delivery", Type::Int, "its number, which known_from and known_to name"),
    ("kind", Type::Text, "load: a starting point; delta: a change extract"),
    ("task", Type::Text, "OPGAVENR"),
    ("production_date", Type::Day, "PRODDTO"),
    ("previous_production_date", Type::Day, "PRODDTOFORRIG"),
    ("events_complete_since", Type::Day, "from here on no event is missing"),
    ("sha256", Type::Text, "of the file"),
    ("applied_at", Type::Moment, "when it was applied, UTC"),
    ("persons_new", Type::Long, "persons not held before"),
    ("persons_changed", Type::Long, "persons with a fact that came or went"),
    ("persons_unchanged", Type::Long, "persons delivered again with the same facts"),
    ("facts_new", Type::Long, "facts that it brought"),
    ("facts_superseded", Type::Long, "facts that it took back"),
    ("events", Type::Long, "events (099, 900)"),
    ("file_bytes", Type::Long, "bytes of the file"),
];

pub(crate) fn columns() -> Vec<Column> {
    COLUMNS.iter().enumerate().map(|(at, (name, kind, meaning))| Column::of_ledger(at, name, *kind, meaning)).collect()
}

fn path_of(lake: &Path, delivery: u32) -> PathBuf {
    lake.join(DELIVERIES).join(format!("delivery={delivery}")).join("part-0000.parquet")
}

/// Writes the row of a delivery.
pub(crate) fn write_row(lake: &Path, delivery: &Delivery) -> Result<WholeFile, Error> {
    let mut file = TableFile::new(path_of(lake, delivery.number.0), &columns());
    let mut calendar = Calendar::default();
    let mut day = |date| calendar.day(date).map_or(Cell::Null, |day| Cell::Day(day.at));
    let (digest, counts) = (hex::encode(delivery.digest), &delivery.counts);
    let dates =
        [delivery.production_date, delivery.previous_production_date, delivery.events_complete_since].map(&mut day);
    let [produced, previous, complete] = dates;
    let numbers = [
        counts.persons_new,
        counts.persons_changed,
        counts.persons_unchanged,
        counts.facts_new,
        counts.facts_superseded,
        counts.events,
        counts.bytes,
    ];
    let head = [
        Cell::Int(delivery.number.0 as i32),
        Cell::Text(delivery.kind.name()),
        Cell::Text(&delivery.task),
        produced,
        previous,
        complete,
        Cell::Text(&digest),
        delivery.applied_at.map_or(Cell::Null, |seconds| Cell::Moment(seconds.saturating_mul(1_000_000))),
    ];
    let cells = head.into_iter().chain(numbers.into_iter().map(|number| Cell::Long(number as i64)));
    file.add(|batch| batch.push_cells(cells))?;
    file.finish_even_empty()
}

/// A file without rows, so that the table is one before there is a delivery.
pub(crate) fn write_none(lake: &Path) -> Result<WholeFile, Error> {
    TableFile::new(path_of(lake, 0), &columns()).finish_even_empty()
}

/// The last delivery that is in the lake; 0 when there is none.
pub(crate) fn last_delivery(lake: &Path) -> Result<DeliveryNumber, Error> {
    let folder = lake.join(DELIVERIES);
    let failed = |error| Error::File { path: folder.clone(), error };
    let mut last = 0;
    if !folder.is_dir() {
        return Ok(DeliveryNumber(0));
    }
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("delivery=")?.parse().ok());
        if let Some(number) = number.filter(|number| path_of(lake, *number).is_file()) {
            last = last.max(number);
        }
    }
    Ok(DeliveryNumber(last))
}

impl Column {
    /// A column of this table; their numbers are apart from those of facts.
    fn of_ledger(at: usize, name: &str, kind: Type, meaning: &str) -> Column {
        Column::named(name, Source::Ledger(at as u16), kind, meaning)
    }
}

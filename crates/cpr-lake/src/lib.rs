//! The register's facts with both clocks as Parquet, for engines that span machines: DuckDB, DataFusion, Spark, Trino.
//!
//! A lake is a folder that only grows. [`write_lake`] puts into it, delivery by delivery, what each delivery opened and
//! what it closed, a table for each aspect:
//!
//! ```text
//! lake.toml                                    what it was begun with
//! views.sql  views.spark.sql                   now, as of (valid, known), the Danish names, one row a person
//! deliveries/delivery=N/part-0000.parquet      what the number N of known time stands for
//! address/opened/delivery=N/part-0000.parquet  facts that delivery N brought, sorted by person
//! address/closed/delivery=N/part-0000.parquet  facts that it took back: which, not what
//! events/delivery=N/part-0000.parquet          events that it brought
//! ```
//!
//! No row is ever changed, so any engine and any table format can follow by adding files. `delivery=0` has no rows: it
//! says what the columns are. A delivery counts once its row is in `deliveries`, which comes last; what a run that was
//! cut off has left is replaced by the next.
//!
//! What leaves the house is told by a [`Profile`]; persons are told apart by a [`PseudonymKey`]. Rows are sorted by
//! pseudonym and never by number, whose order is birth order.
//!
//! ```
//! # use std::io::Cursor;
//! use cpr_lake::{LakeOptions, Profile, PseudonymKey, write_lake};
//! use cpr_replika::{ApplyOptions, Config, Replika};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let extract = "00000000000009999012026010520260105\n\
//! #                0016101801234          01000000000000 K1980-01-01 1980-01-01\n\
//! #                999999999999900000001\n";
//! let replika = Replika::in_memory(&Config::default())?; // or Replika::open, or Packed::open
//! replika.apply(Cursor::new(extract), &ApplyOptions::named("D260105.L999901"))?;
//! let (snapshot, folder) = (replika.snapshot(), tempfile::tempdir()?);
//! let profile = Profile::shipped("default").ok_or("shipped")?;
//! let key = PseudonymKey::new(&snapshot.derive_key("pseudonyms for the office of statistics")?);
//! let options = LakeOptions { profile: &profile, key: &key, since: None, threads: 2 };
//! let report = write_lake(&snapshot, folder.path(), &options, |_| ())?;
//! assert_eq!((report.last.0, report.rows), (1, 1));
//! # Ok(()) }
//! ```
//!
//! The crate prints nothing, knows no clock and no store; no Arrow type stands in its API.

mod error;

mod moment;
mod pseudonym;
mod registration;

mod profile;
mod schema;

mod batch;
mod files;
mod ledger;
mod manifest;

mod buckets;
mod bundle;
mod names;
mod numbering;

mod delivery;
mod views;

use std::fs;
use std::path::Path;

use cpr_replika::cpr_model::Aspect;
use cpr_replika::{DeliveryNumber, Snapshot};

use crate::delivery::{Job, Side, folder_of, write_delivery};
use crate::files::{TableFile, publish_all};
use crate::manifest::{Manifest, write_text};
use crate::schema::{Table, closed_columns, tables_of};
use crate::views::{Dialect, views};

pub use error::{Error, ProfileError};
pub use profile::{Precision, Profile, ProtectedAddresses};
pub use pseudonym::PseudonymKey;

#[cfg(test)]
mod tests;

/// What is written, and how.
#[derive(Clone, Copy, Debug)]
pub struct LakeOptions<'a> {
    /// What leaves the house.
    pub profile: &'a Profile,
    /// How persons are told apart: one key for each recipient.
    pub key: &'a PseudonymKey,
    /// The delivery at which the lake in the folder ends, to go on from there; none to begin a lake.
    pub since: Option<DeliveryNumber>,
    /// Threads that work at once, 1 at least; memory grows with them.
    pub threads: usize,
}

/// What was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LakeReport {
    /// The last delivery in the lake.
    pub last: DeliveryNumber,
    /// How many deliveries were written.
    pub deliveries: u32,
    /// Rows of facts opened and closed, and of events.
    pub rows: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// Writes every delivery that the snapshot has, or those behind [`LakeOptions::since`], each all or nothing;
/// `on_delivery` is told of each one that is in the lake.
///
/// The lake that grew delivery by delivery and the one that is written at once hold the same rows, unless persons were
/// erased in between: what is in a lake stays there, and goes when a new one is begun.
///
/// # Errors
/// See [`Error`]. Deliveries that `on_delivery` was told of are in the lake.
pub fn write_lake(
    snapshot: &Snapshot,
    folder: &Path,
    options: &LakeOptions<'_>,
    mut on_delivery: impl FnMut(DeliveryNumber),
) -> Result<LakeReport, Error> {
    let family = snapshot.settings().family.filter(|_| snapshot.known().0 > 0).ok_or(Error::Empty)?;
    let tables = tables_of(family, options.profile);
    let manifest = Manifest::new(&options.profile.name, family.name, options.key, &tables);
    begin_or_go_on(folder, options, &manifest, &tables)?;
    let job = Job { snapshot, folder, tables: &tables, key: options.key, threads: options.threads.max(1) };
    let mut report = LakeReport { last: options.since.unwrap_or(DeliveryNumber(0)), deliveries: 0, rows: 0, bytes: 0 };
    for number in report.last.0 + 1..=snapshot.known().0 {
        let delivery = snapshot.delivery(DeliveryNumber(number))?;
        remove_unfinished(&job, number)?;
        let written = write_delivery(&job, &delivery)?;
        let row = ledger::write_row(folder, &delivery)?;
        report.last = delivery.number;
        report.deliveries += 1;
        report.rows += written.rows;
        report.bytes += written.files.iter().map(|file| file.bytes).sum::<u64>() + row.bytes;
        publish_all(written.files)?;
        row.publish()?;
        on_delivery(delivery.number);
    }
    Ok(report)
}

/// Has the folder hold a lake that ends where it is to go on from.
fn begin_or_go_on(
    folder: &Path,
    options: &LakeOptions<'_>,
    manifest: &Manifest,
    tables: &[Table],
) -> Result<(), Error> {
    let failed = |error| Error::File { path: folder.to_owned(), error };
    match (Manifest::read(folder)?, options.since) {
        (None, Some(_)) => return Err(Error::NoLake),
        (Some(held), since) => {
            let last = ledger::last_delivery(folder)?;
            match since {
                // Begun, and cut off before anything was in it.
                None if last.0 == 0 => write_empty_files(folder, tables)?,
                None => return Err(Error::Exists { last }),
                Some(since) if since != last => return Err(Error::OtherEnd { last, since }),
                Some(_) => {}
            }
            held.check_same(manifest)?;
        }
        (None, None) => {
            if folder.is_dir() && fs::read_dir(folder).map_err(failed)?.next().is_some() {
                return Err(Error::NotALake);
            }
            private_file::make_folder(folder).map_err(failed)?;
            manifest.write(folder)?;
            write_empty_files(folder, tables)?;
        }
    }
    write_text(&folder.join("views.sql"), &views(Dialect::DuckDb, tables, options.profile))?;
    write_text(&folder.join("views.spark.sql"), &views(Dialect::Spark, tables, options.profile))
}

/// Files without rows, so that every table can be read before anything is in it.
fn write_empty_files(folder: &Path, tables: &[Table]) -> Result<(), Error> {
    let mut files = vec![ledger::write_none(folder)?];
    for table in tables {
        let path = |side| folder_of(folder, table, side, 0).join("part-0000.parquet");
        files.push(TableFile::new(path(Side::Opened), &table.columns).finish_even_empty()?);
        if table.aspect != Aspect::Event {
            files.push(TableFile::new(path(Side::Closed), &closed_columns()).finish_even_empty()?);
        }
    }
    publish_all(files)
}

/// Removes what a run left that was cut off in this delivery.
fn remove_unfinished(job: &Job<'_>, delivery: u32) -> Result<(), Error> {
    for table in job.tables {
        for path in [Side::Opened, Side::Closed].map(|side| folder_of(job.folder, table, side, delivery)) {
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::File { path, error }),
                _ => {}
            }
        }
    }
    Ok(())
}

//! A store's file, verified from the bottom up and left as it is: every block, every page, every row.
//!
//! Blocks are tried without redb, so that all of those that do not check are told. Then redb checks its pages, over a
//! copy in memory of what it would repair: that every page is the one that the page above it names, so that no block of
//! an older state put back with its check passes. What neither finds, the relations between the tables show; they are
//! checked with pages that do not check passed over, so that one of them hides no other fault.

use std::path::Path;
use std::sync::Arc;

use crate::damage::Place;
use crate::error::Error;
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::file::{Opened, Options, check_pages, scan};
use crate::verify::VerifyReport;

impl Replika {
    /// Verifies a store's file: every block against its check, every page against the one above it, every row against
    /// the rows that it must agree with. The file is not changed. Nobody may be writing to it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAStore`], [`Error::NewerFormat`], [`Error::OlderFormat`], [`Error::Locked`],
    /// and failures of the storage. What does not hold stands in the report.
    pub fn verify_file(path: impl AsRef<Path>, options: &Options) -> Result<VerifyReport, Error> {
        let path = path.as_ref();
        let mut report = VerifyReport::default();
        let found = scan(path, options);
        let Some(found) = report.sound(found)? else { return Ok(report) };
        report.blocks = found.written;
        for damage in found.in_use {
            report.fault_at(damage.place, damage.what);
        }
        let pages = check_pages(path, options);
        let readable = match report.sound(pages)? {
            Some(true) => true,
            Some(false) => {
                report.fault_at(Place::Pages, "the account of free pages does not fit");
                true
            }
            None => false,
        };
        if readable && found.was_cut_off {
            report.unsettled = found.blocks.len() as u64 + found.torn_roots;
        } else {
            for damage in found.blocks {
                report.fault_at(damage.place, damage.what);
            }
        }
        match verify_rows(path, options) {
            Ok(rows) => report.take_over(rows),
            // Where what opening needs is damaged, which stands in the report, nothing is said of rows.
            Err(_) if !report.is_clean() => {}
            rows => _ = report.sound(rows)?,
        }
        Ok(report)
    }
}

/// Bytes of pages kept in memory while rows are checked, most of them once.
const ROWS_CACHE_BYTES: usize = 128 * 1024 * 1024;

/// Verifies the rows of a file, behind whatever does not check.
fn verify_rows(path: &Path, options: &Options) -> Result<VerifyReport, Error> {
    let options = Options { cache_bytes: options.cache_bytes.min(ROWS_CACHE_BYTES), ..options.clone() };
    let (opened, lost) = Opened::open_damaged(path, &options)?;
    Snapshot::take(&Arc::new(opened))?.verify_what_is_left(&lost)
}

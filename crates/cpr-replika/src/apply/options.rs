//! How an extract is applied: what the caller accepts that is refused otherwise, and how far it is.

use std::ops::ControlFlow;
use std::path::Path;

use cpr_extract::Family;

use crate::error::Error;

/// What a caller accepts by name that is refused otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Allow {
    /// A counter (999 TAELLER) that does not fit.
    pub wrong_count: bool,
    /// Rows of persons without a 001; they are left out.
    pub rows_without_person: bool,
    /// Letters of a DOS or Windows code page; they are kept as they are, and no search finds them.
    pub code_page: bool,
    /// A first file that holds nothing of what the chosen family adds to another one.
    pub wider_family: bool,
    /// A file whose previous production date is not the last one applied.
    pub gap: bool,
    /// A file not newer than the last one applied.
    pub older: bool,
    /// A file made for another customer.
    pub other_customer: bool,
    /// A load into a store that has deliveries. Persons whom the file does not hold stay as they were last known: a
    /// load says nothing of them, as a delta does not.
    pub reload: bool,
}

/// How [`apply`](crate::Replika::apply) and [`load`](crate::Replika::load) treat one extract.
#[derive(Clone, Copy)]
pub struct ApplyOptions<'a> {
    /// The name that the ledger keeps.
    pub file_name: &'a str,
    /// When it is applied, in seconds since 1970 UTC; the engine never looks at the clock of the day.
    pub applied_at: Option<i64>,
    /// The layout family of the file, for a store that does not know its own yet. None: found out from the file.
    pub family: Option<&'static Family>,
    /// Do everything but store.
    pub dry_run: bool,
    /// What is accepted that is refused otherwise.
    pub allow: Allow,
    /// How many different faults of a damaged extract are told; all are counted.
    pub fault_limit: usize,
    /// A folder of packs that is to hold the state after it ([`Snapshot::write_pack`](crate::Snapshot::write_pack)), of
    /// a file that was applied before too. It is written once the delivery is stored and readers have it.
    pub pack: Option<&'a Path>,
    /// Called now and then with how far it is. `Break` stops the work: [`crate::Error::Stopped`], and the store is as
    /// before.
    pub progress: Option<&'a dyn Fn(Progress) -> ControlFlow<()>>,
}

impl ApplyOptions<'_> {
    /// Tells how far it is; an error when the caller wants it stopped.
    pub(crate) fn report(&self, progress: Progress) -> Result<(), Error> {
        match self.progress.map(|report| report(progress)) {
            Some(ControlFlow::Break(())) => Err(Error::Stopped),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for ApplyOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplyOptions")
            .field("dry_run", &self.dry_run)
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

impl<'a> ApplyOptions<'a> {
    /// Nothing out of the ordinary: strict, stored, family found out where the store does not know it.
    pub fn named(file_name: &'a str) -> Self {
        ApplyOptions {
            file_name,
            applied_at: None,
            family: None,
            dry_run: false,
            allow: Allow::default(),
            fault_limit: 20,
            pack: None,
            progress: None,
        }
    }
}

/// How far an extract is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// The file is checked; these are the bytes so far.
    Checking {
        /// Bytes read.
        bytes: u64,
    },
    /// Persons are merged.
    Merging {
        /// Persons done.
        done: u64,
        /// Persons in the file.
        of: u64,
    },
    /// The transaction is being committed.
    Committing,
}

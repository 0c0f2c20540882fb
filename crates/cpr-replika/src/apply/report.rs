//! The answer to an extract: what became of it, and the delivery that it is.

use crate::ledger::delivery::Delivery;
use crate::packs::write::PackReport;

/// What became of an extract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is the delivery of the report.
    Applied,
    /// The very same file was applied before, as the delivery of the report; nothing was done.
    AlreadyApplied,
    /// It would be the delivery of the report; nothing was stored.
    DryRun,
}

impl Outcome {
    /// A stable word: `applied`, `already_applied`, `dry_run`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::AlreadyApplied => "already_applied",
            Outcome::DryRun => "dry_run",
        }
    }
}

/// The answer to an extract.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What became of it.
    pub outcome: Outcome,
    /// The delivery that it is, was, or would be.
    pub delivery: Delivery,
    /// What was written to the folder of packs, when one was named.
    pub pack: Option<PackReport>,
}

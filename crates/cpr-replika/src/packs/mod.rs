//! Packs of a store: what is as of one delivery, frozen in files, for any number of readers and for safekeeping.
//!
//! `cpr-pack` keeps rows and knows nothing of what they mean; here a snapshot's tables are written to packs, and packs
//! are read as snapshots. docs/format.md draws the folder.

pub(crate) mod as_of;
pub(crate) mod current;
mod follow;
mod opening;
pub(crate) mod packed;
pub(crate) mod restore;
pub(crate) mod switch;
pub(crate) mod write;
#[cfg(test)]
mod write_tests;

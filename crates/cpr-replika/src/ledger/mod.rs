//! The ledger: every delivery with where it came from and what it did.

pub(crate) mod delivery;
pub(crate) mod erases;
pub(crate) mod state_digest;
pub(crate) mod stored;

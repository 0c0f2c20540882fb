//! The unit of a pack that has a check of its own, and is read, sealed and verified as a whole.

/// Every block has a check of its own: as long as a page, so that no get reads more pages than it needs.
pub(crate) const BLOCK_BYTES: usize = 4096;

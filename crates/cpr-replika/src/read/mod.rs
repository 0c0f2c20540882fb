//! Reads of a snapshot beyond the person itself: history, lines as received, number chains, events as received,
//! exports, sizes, the digest, every version with the deliveries that opened and closed it.

pub(crate) mod described;
pub(crate) mod export;
pub(crate) mod history;
mod in_order;
pub(crate) mod left_out;
pub(crate) mod lines;
pub(crate) mod numbers;
pub(crate) mod received_events;
pub(crate) mod state_digest;
pub(crate) mod stats;
pub(crate) mod versions;

//! Holding the persons of a delivery against the filters of all subscribers.
//!
//! The definition of a match is [`candidate`]'s; [`matcher`] finds the way to the filters that can match, and
//! [`delivery`] collects the persons of each subscriber without writing down every pair of the two.

pub(crate) mod candidate;
pub(crate) mod delivery;
pub(crate) mod followers;
pub(crate) mod matcher;
pub(crate) mod reason;
pub(crate) mod term_tables;

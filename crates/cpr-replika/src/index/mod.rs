//! What persons are found by, as known now: sets by municipality, status and the like, words of names, names of
//! streets.
//!
//! Each index is derived from the merged document and written in the delivery's transaction; `verify` derives it anew.

pub(crate) mod ascending;
pub(crate) mod collected;
pub(crate) mod distances;
pub(crate) mod keys;
pub(crate) mod left_out;
pub(crate) mod name_part;
pub(crate) mod person_set;
pub(crate) mod sets;
pub(crate) mod stored_set;
pub(crate) mod street_names;
pub(crate) mod words;
pub(crate) mod years;

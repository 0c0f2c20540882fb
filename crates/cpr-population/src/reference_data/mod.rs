//! What made-up persons are made from: municipalities and streets, names, and CPR's code lists.

pub(crate) mod codes;
pub(crate) mod names;
pub(crate) mod occupations;
pub(crate) mod places;

//! Who follows whom: subscribers and their filters, the matches of each delivery, the files each subscriber is given.

pub(crate) mod deliver;
pub(crate) mod explanation;
pub(crate) mod folder_sink;
pub(crate) mod matching;
pub(crate) mod registry;
pub(crate) mod spans;
pub(crate) mod streams;
pub(crate) mod subject_view;

//! What happened to whom: business events joined from the records that say why (099) and the rows that changed, in one feed.

pub(crate) mod calendar;
pub(crate) mod consumers;
pub(crate) mod cursor;
pub(crate) mod event;
pub(crate) mod event_id;
pub(crate) mod feed;

//! Requests as clients send them, and what goes back.

mod charset;
mod clients;
mod contexts;
mod event_message;
mod file_metadata;
mod gctp;
mod kit;
mod lookups;
mod refusals;
mod schema;
mod sf1525;
mod sf6002;
mod xml;

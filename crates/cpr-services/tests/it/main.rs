//! The services' answers against what the national services said, against their schemas, and on made-up persons.

#![allow(clippy::unwrap_used, reason = "tests")]

mod agreement;
mod as_of;
mod backups;
mod clients;
mod kit;
mod logged;
mod not_held;
mod packs;
mod packs_killed;
mod protected_persons;
mod recorded;
mod schema;
mod search;
mod sf1525;
mod wire;

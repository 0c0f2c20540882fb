//! The services' answers against what the national services said, against their schemas, and on made-up persons.

mod agreement;
mod as_of;
mod clients;
mod kit;
mod logged;
mod not_held;
mod packs;
mod protected_persons;
mod recorded;
mod schema;
mod search;
mod sf1525;
mod wire;

//! The services' answers against what the national services said, against their schemas, and on made-up persons.

mod kit;
mod recorded;

//! An example of a host: the national services on one replika, over TLS with certificates of clients.
//!
//! [`Host::start`] opens what a [`Config`](config::Config) names and answers until [`Host::stop`]. It shows how the
//! parts fit that each keep out of the others' business: `cpr-wire` reads requests and writes envelopes, `cpr-services`
//! answers from a snapshot, `access-log` keeps who looked at whom, the engine holds it all; the host adds sockets,
//! keys, clocks and who may do what. docs/hosting.md is about running it.
//!
//! No line that it writes, no label and no error has a number, a name or an address in it.

mod clock;
mod service;
mod source;

pub mod config;

pub mod authorization;
pub mod journal;
pub mod metrics;

mod outcome;
mod received;
mod subscriptions;

#[cfg(feature = "saml")]
mod token;

mod desk;

pub mod inbox;
pub mod outbox;
#[cfg(feature = "events")]
mod publishing;

mod scrubbing;

mod pages;
mod places;
mod server;
mod tls;

pub mod demo;
mod host;

pub use host::{Host, HostError, check};
pub use service::Service;
pub use source::KeptPacks;
pub use tls::TlsError;

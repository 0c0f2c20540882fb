//! The host on loopback, with certificates made on the spot and people who do not exist.

mod kit;

mod access;
mod bounds;
#[cfg(feature = "amqp")]
mod broker;
mod config;
#[cfg(feature = "events")]
mod events;
mod killed;
mod lookups;
mod nights;
mod stores;
mod subscriptions;
#[cfg(feature = "saml")]
mod token;

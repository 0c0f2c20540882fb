//! The engine from outside: made-up extracts in, answers out.
//!
//! Every extract is built by [`kit`] from rows written as text; the persons are made up and bear replacement numbers
//! (day + 60). CPR's own test extracts stay outside the repository: [`samples`] reads them where `CPR_SAMPLES` points.

#![allow(clippy::unwrap_used, reason = "the whole binary is tests")]

mod ages;
mod answers;
mod calendar;
mod compact;
mod consumers;
mod damage;
mod deliver;
#[cfg(unix)]
mod durable;
mod embedding;
mod encrypted_packs;
mod erase;
mod erase_campaign;
mod export;
mod find;
mod happenings;
mod happenings_feed;
mod happenings_model;
#[cfg(feature = "serde")]
mod json;
mod keep;
mod keep_model;
mod kept;
mod kit;
mod matching;
mod model;
mod packs;
mod privacy;
mod readme;
mod refusals;
mod reopening;
mod residence;
mod salvage;
mod samples;
mod scrub;
mod search;
mod secrecy;
mod snapshots;
#[cfg(feature = "tracing")]
mod spans;
mod state_digests;
mod subscribed_samples;
mod subscriptions;
mod traps;
mod verify;
mod waiting;
mod windows;

//! A replica of Denmark's population register (CPR) inside your process: bitemporal, atomic, embedded.
//!
//! Three nouns carry the library:
//!
//! * [`Replika`] is the store. [`Replika::apply`] takes one extract as CPR sent it and commits it in one transaction as
//!   the next delivery: every person in it is replaced whole, what ceased to be stated stays known as of before, and a
//!   report says what changed and of which kind.
//! * [`Snapshot`] is a consistent view for as long as it is held; it neither waits for a delivery nor holds one up.
//! * [`Person`] is who somebody is now, read in place; [`Image`] the same as of a moment in the world and a delivery.
//!
//! Three clocks are kept apart. *Valid time* (virkningstid) stands on CPR's rows. *Registered time* (registreringstid)
//! is a field where the product has one. *Known time* is ours: the number of the delivery, 1, 2, 3 …, which maps to a
//! production date, a file and its digest.
//!
//! ```
//! use std::io::Cursor;
//!
//! use cpr_replika::cpr_model::{MunicipalityCode, Pnr};
//! use cpr_replika::{ApplyOptions, Config, Query, Replika};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A made-up extract: start record, one person who lives in 0851, end record with the number of records.
//! let extract = "00000000000009999012026010520260105\n\
//!                0016101801234          01000000000000 K1980-01-01 1980-01-01\n\
//!                002610180123408511188009 05  th                                      202512201000 202512201000 0000000000000000 0000\n\
//!                999999999999900000002\n";
//! let replika = Replika::in_memory(&Config::default())?; // or Replika::create("replika.db", …)
//! let report = replika.apply(Cursor::new(extract), &ApplyOptions::named("D260105.L999901"))?;
//! assert_eq!(report.delivery.counts.persons_new, 1);
//!
//! let snapshot = replika.snapshot();
//! let pnr = Pnr::parse(b"6101801234").ok_or("ten digits")?;
//! let person = snapshot.person(pnr)?.ok_or("not held")?;
//! assert_eq!(person.address().and_then(|row| row.municipality_code()), Some(MunicipalityCode(851)));
//! assert_eq!(snapshot.find(&Query::municipality(MunicipalityCode(851)))?.len(), 1);
//! # Ok(()) }
//! ```
//!
//! # Which one do I want?
//!
//! | question | ask |
//! |---|---|
//! | who is this, now? | [`Snapshot::person`] |
//! | who was it on a day; what did we know of that day, then? | [`Snapshot::as_of`] |
//! | every version of an aspect that was ever believed; the same without repetitions | [`Snapshot::history`], [`Snapshot::timeline`] |
//! | everything ever believed of a person, read in place; whom a delivery concerns | [`Snapshot::versions`], [`Snapshot::concerned_by`] |
//! | the lines as CPR sent them; all of them as one extract | [`Snapshot::group`], [`Snapshot::export`] |
//! | what a delivery changed; whom; between any two for one person | [`Delivery::counts`], [`Snapshot::changes`], [`Snapshot::diff`] |
//! | CPR's event records of one person, as received | [`Snapshot::events`] |
//! | what happened to whom, in order, from any place on | [`Snapshot::events_since`], [`Replika::feed`] |
//! | birthdays and protections that run out, for which nothing is sent | [`Snapshot::calendar`] |
//! | everybody in a municipality, of an age, with a status | [`Snapshot::find`] |
//! | who bears a name or lives at an address, by page | [`Snapshot::search`] |
//! | whom a delivery has for a subscriber, and why; who follows a person | [`Snapshot::matches`], [`Snapshot::followers`] |
//! | the other numbers of the same human being | [`Snapshot::numbers`] |
//! | is the store whole? | [`Snapshot::verify`], [`Replika::verify_file`] |
//! | the same beside a running service, at a limited rate | [`Replika::scrub`], [`Packed::scrub`] |
//! | what still opens of a store that is not | [`Replika::salvage`] |
//! | a smaller file; a fresh key | [`Replika::compact`] |
//! | everything that is held of a human being, for whoever asks | [`Snapshot::about`] |
//! | a person gone, with a receipt | [`Replika::erase`] |
//! | only those held whom somebody needs | [`Replika::keep`], [`Replika::tidy`], [`Replika::admit`] |
//!
//! The modules hold what belongs to one subject, each with a page that teaches it: [`apply`], [`search`], [`events`],
//! [`subscriptions`], [`deliver`], [`erase`]. docs/embedding.md is about living with the engine: threads, memory,
//! shutdown, disk space, backup.
//!
//! # Who waits for whom
//!
//! Reads wait for nobody. One thread writes at a time: [`Replika::apply`] and [`Replika::load`] check the whole file
//! first, while others may write, and hold the writer from the first merged person to the commit. Changes of filters
//! and acknowledgements of consumers are small transactions of their own, and wait for a merge that is under way.
//! [`Replika::wait_for`] and [`Replika::on_delivery`] tell of new deliveries. Progress callbacks can stop long work
//! ([`Error::Stopped`]).
//!
//! No error, log or `Debug` of this crate tells a number, a name or an address.

// From the ground up: a room imports only from the floors above it in this list.
mod arrivals;
mod damage;
mod delivery_number;
mod error;
#[cfg(not(feature = "planted"))]
#[allow(unreachable_pub, reason = "it is public where the feature asks for it")]
mod planted;
#[cfg(feature = "planted")]
#[doc(hidden)]
pub mod planted;
mod publication;
mod refusal;
mod sync;
mod trace;

mod store;

mod index;
mod ledger;
mod person;

mod snapshot;

mod replika;
mod upgrade;

mod compact;
mod read;
pub mod search;

mod packs;
mod salvage;

pub mod events;
pub mod subscriptions;

pub mod deliver;
pub mod erase;

mod about;
pub mod apply;
mod verify;

#[cfg(feature = "serde")]
mod serialize;

#[cfg(feature = "raw")]
pub mod raw;

#[cfg(test)]
mod erase_tests;
#[cfg(test)]
mod work_tests;

pub use about::{About, AboutFilter, AboutNumber};
pub use arrivals::DeliveryListener;
pub use cpr_model::{CurrentRows, Fact, OwnedFact};
pub use damage::Place;
pub use delivery_number::DeliveryNumber;
pub use error::{Error, ErrorClass, StorageFailure};
pub use ledger::state_digest::StateDigest;
pub use packs::as_of::RestoreReport;
pub use packs::packed::Packed;
pub use packs::write::PackReport;
pub use person::image::{Holding, Image, Person, Residence};
pub use read::described::Described;
pub use read::history::Change;
pub use read::lines::GroupLines;
pub use read::numbers::{ChainNumber, NumberChain};
pub use read::stats::Stats;
pub use read::versions::Versions;
pub use replika::Replika;
pub use salvage::{SalvageGap, SalvageOptions, SalvageReport, SalvagedTable};
pub use snapshot::Snapshot;
pub use store::config::{ALL_HISTORY, Config};
pub use store::file::Options;
pub use store::key::{Key, KeySource};
#[cfg(feature = "encryption")]
pub use store::key::{KeyFile, KeyVariable, Passphrase};
pub use store::pack_key::PackKey;
pub use store::rewrite::{RewriteProgress, RewriteReport};
pub use store::source::TableStats;
pub use verify::scrub::ScrubProgress;
pub use verify::{VerifyFault, VerifyReport};

// What the modules hold, under short names too.
#[doc(no_inline)]
pub use {apply::*, deliver::*, erase::*, events::*, search::*, subscriptions::*};

/// The crates whose types stand in this crate's signatures.
pub use {bitemporal, cpr_events, cpr_extract, cpr_model, cpr_pack, cpr_subscription};

//! A replica of CPR inside your process: bitemporal, atomic, embedded.
//!
//! [`Replika::apply`] takes one extract as CPR sent it and commits it in one transaction as the next delivery: every person
//! in it is replaced whole, what ceased to be stated stays known as of before, and a report says what changed and of which
//! kind. [`Replika::snapshot`] gives a consistent view for as long as it is held; from it one reads the person now
//! ([`Snapshot::person`]), as of any moment in the world and any delivery ([`Snapshot::as_of`]), the history of one aspect,
//! the difference between two deliveries, the lines as received, and whole exports.
//!
//! Three clocks are kept apart. *Valid time* stands on CPR's rows. *Registered time* is a field where the product has one.
//! *Known time* is ours: the number of the delivery, 1, 2, 3 …, which maps to a production date, a file and its digest.
//!
//! No error, log or `Debug` of this crate tells a number, a name or an address.
//!
//! ```no_run
//! use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Replika, cpr_model::{Aspect, Date, Pnr, Timestamp}};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let replika = Replika::create("replika.db", &Config::default())?;
//! let report = replika.apply(std::fs::File::open("D260108.L123401")?, &ApplyOptions::named("D260108.L123401"))?;
//! println!("delivery {}: {} persons changed", report.delivery.number, report.delivery.counts.persons_changed);
//!
//! let snapshot = replika.snapshot();
//! let pnr = Pnr::parse(b"6101801234").expect("ten digits");
//! let noon = Timestamp::end_of(Date::from_digits(2026_01_01).expect("eight digits"));
//! let then = snapshot.as_of(pnr, Some(noon), Some(DeliveryNumber(1)))?;
//! let addresses = then.iter().flat_map(|image| image.facts()).filter(|fact| fact.aspect() == Aspect::Address);
//! println!("{} address rows held", addresses.count());
//! # Ok(()) }
//! ```

mod apply;
mod calendar;
mod case;
mod config;
mod consumers;
mod delivery;
mod envelope;
mod error;
mod event_id;
mod events;
mod export;
mod fact;
mod feed;
mod happenings;
mod history;
mod image;
mod index;
mod lines;
mod matching;
mod merge;
mod numbers;
mod rules;
mod sets;
mod snapshot;
mod stats;
mod store;
mod stored;
mod streams;
mod subscriptions;
mod tables;
mod verify;

#[cfg(test)]
mod power_cut_tests;

pub use apply::{Allow, ApplyOptions, Progress};
pub use calendar::{CalendarEvent, Due};
pub use config::{ALL_HISTORY, Config};
pub use consumers::Consumer;
pub use delivery::{Counts, Delivery, DeliveryKind, DeliveryNumber, Outcome, Report};
pub use error::{Error, StorageFailure};
pub use event_id::EventId;
pub use events::{Events, StoredEvent};
pub use fact::{Change, Fact, FactView};
pub use feed::{EventCursor, EventFeed, EventFilter};
pub use happenings::{BusinessEvent, Cause, CauseCode, EventKind};
pub use image::{Holding, Image, Person, Residence};
pub use lines::GroupLines;
pub use matching::{Match, Matches};
pub use numbers::{ChainNumber, NumberChain};
pub use sets::{PersonSet, Query};
pub use snapshot::Snapshot;
pub use stats::{Stats, TableStats};
pub use store::Replika;
pub use streams::{InitialLoad, Recipient};
pub use subscriptions::{FilterChange, Subscriber, UnknownNumbers};
pub use verify::{VerifyFault, VerifyReport};

/// The crates whose types stand in this crate's signatures.
pub use {bitemporal, cpr_extract, cpr_model, cpr_subscription};

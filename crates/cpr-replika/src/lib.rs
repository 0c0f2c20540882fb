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

// From the ground up: a room imports only from those above it in this list.
// From the ground up: a room imports only from the floors above it in this list.
mod arrivals;
mod damage;
mod delivery_number;
mod error;
mod refusal;

mod store;

mod index;
mod ledger;
mod person;

mod snapshot;

mod replika;

mod read;
mod search;

mod events;
mod subscriptions;

mod apply;
mod verify;

#[cfg(feature = "raw")]
pub mod raw;

#[cfg(test)]
mod power_cut_tests;

pub use apply::{Allow, ApplyOptions, Progress};
pub use arrivals::DeliveryListener;
pub use cpr_model::{CurrentRows, Fact, OwnedFact};
pub use damage::Place;
pub use delivery_number::DeliveryNumber;
pub use error::{Error, ErrorClass, StorageFailure};
pub use events::calendar::{CalendarEvent, Due};
pub use events::consumers::Consumer;
pub use events::event_id::EventId;
pub use events::feed::{EventCursor, EventFeed, EventFilter};
pub use events::join::{BusinessEvent, Cause, CauseCode, EventKind};
pub use index::name_part::NamePart;
pub use index::person_set::PersonSet;
pub use ledger::delivery::{Counts, Delivery, DeliveryKind, Outcome, Report};
pub use person::image::{Holding, Image, Person, Residence};
pub use read::history::Change;
pub use read::lines::GroupLines;
pub use read::numbers::{ChainNumber, NumberChain};
pub use read::received_events::{Events, StoredEvent};
pub use read::stats::{Stats, TableStats};
pub use refusal::{Needed, Refusal};
pub use replika::Replika;
pub use search::query::Query;
pub use search::{AddressPattern, Criterion, Hit, Hits, Policy, Scope, Search, Sex, WordPattern};
pub use snapshot::Snapshot;
pub use store::config::{ALL_HISTORY, Config};
pub use store::file::Options;
pub use store::key::{Key, KeySource};
#[cfg(feature = "encryption")]
pub use store::key::{KeyFile, KeyVariable, Passphrase};
pub use subscriptions::deliver::{DeliverReport, DeliveredFile, OutgoingFile, Sink, UndeliveredFile};
pub use subscriptions::folder_sink::FolderSink;
pub use subscriptions::matching::{Match, Matches};
pub use subscriptions::registry::{FilterChange, Subscriber, UnknownNumbers};
pub use subscriptions::streams::{InitialLoad, Recipient};
pub use verify::{VerifyFault, VerifyReport};

/// The crates whose types stand in this crate's signatures.
pub use {bitemporal, cpr_extract, cpr_model, cpr_subscription};

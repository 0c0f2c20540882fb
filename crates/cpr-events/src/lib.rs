//! The rules by which business events are told: what happened to a person in a delivery, and why as far as CPR says.
//!
//! CPR tells the why (record 099) and the what (rows before and after) apart from each other, and either without the
//! other. A table of rules joins them, the most telling first; docs/events.md tells it. Pure: facts of one person in,
//! events out; ids, feeds and cursors are the engine's.
//!
//! ```
//! use cpr_events::{DeliveryContext, EventKind, PersonChange, join};
//! use cpr_model::{Date, PersonKey, Pnr};
//!
//! // Nobody was held, nobody is: nothing happened.
//! let key = Pnr::parse(b"6101801234").and_then(|pnr| pnr.key()).ok_or("ten digits")?;
//! let production_date = Date::parse("2026-01-06").ok_or("a date")?;
//! let context = DeliveryContext { number: 2, production_date, previous_production: None, window: None };
//! assert!(join(&mut PersonChange::read(&[], &[], Vec::new(), key, context)).is_empty());
//! assert_eq!(EventKind::from_name("moved_in"), Some(EventKind::MovedIn));
//! # Ok::<(), &str>(())
//! ```

mod aspect_set;
mod cause;
mod join;
mod kind;
mod person_change;
mod rules;
#[cfg(feature = "serde")]
mod serialize;

pub use cause::{Cause, CauseCode};
pub use join::{JoinedEvent, join};
pub use kind::EventKind;
pub use person_change::{DeliveryContext, PersonChange};

#[cfg(test)]
mod tests;

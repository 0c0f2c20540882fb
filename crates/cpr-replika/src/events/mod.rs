//! What happened to whom: business events joined from the records that say why (099) and the rows that changed, in one
//! feed.
//!
//! * [`Snapshot::events_since`](crate::Snapshot::events_since) reads the feed from any [`EventCursor`] on, filtered by
//!   an [`EventFilter`]. Each [`BusinessEvent`] has an id that stays the same however often it is read, and its own
//!   place.
//! * [`Replika::feed`](crate::Replika::feed) reads it for a [`Consumer`], whose place the store keeps: publish, then
//!   [`acknowledge`](crate::Replika::acknowledge); after a crash between the two the same events come again, with the
//!   same ids.
//! * [`Snapshot::calendar`](crate::Snapshot::calendar) tells what happens without a delivery: birthdays, protections
//!   that end.
//! * [`Snapshot::events`](crate::Snapshot::events) gives CPR's event records of one person, as received.
//!
//! Nothing of it is stored but the places of consumers. docs/events.md has the kinds, and the rules that join them.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cpr_replika::events::{EventCursor, EventFilter, EventKind};
//! let snapshot = demo()?.snapshot();
//! let births = EventFilter { kinds: vec![EventKind::ChildBorn], ..EventFilter::default() };
//! let mut feed = snapshot.events_since(EventCursor::BEGINNING, births)?;
//! let event = feed.next().ok_or("a birth")??;
//! assert_eq!(event.related.len(), 1, "the parent is told of the child");
//! let place: EventCursor = event.cursor.to_string().parse()?; // keep it, and go on from there
//! assert_eq!(place, event.cursor);
//! # Ok(()) }
//! ```

pub(crate) mod calendar;
pub(crate) mod consumers;
pub(crate) mod cursor;
pub(crate) mod event;
pub(crate) mod event_id;
pub(crate) mod feed;

pub use cpr_events::{Cause, CauseCode, EventKind};

pub use self::calendar::{CalendarEvent, Due};
pub use self::consumers::Consumer;
pub use self::cursor::EventCursor;
pub use self::event::BusinessEvent;
pub use self::event_id::EventId;
pub use self::feed::{EventFeed, EventFilter};
pub use crate::read::received_events::{Events, StoredEvent};

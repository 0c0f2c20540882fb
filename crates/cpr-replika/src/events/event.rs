//! Business events of the feed: what happened, with its id and its place.
//!
//! Nothing is stored: the events of a delivery are joined ([`cpr_events`]) from the persons that it concerns, as they
//! stood before it and after it, so any delivery that was ever applied gives the same events again.

use std::fmt;
use std::sync::Arc;

use cpr_events::{Cause, EventKind, JoinedEvent};
use cpr_model::{Aspect, Date, MunicipalityCode, Pnr, Timestamp};

use crate::delivery_number::DeliveryNumber;
use crate::events::cursor::EventCursor;
use crate::events::event_id::EventId;
use crate::ledger::delivery::Delivery;

/// Something that happened to a person, as one delivery told it.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct BusinessEvent {
    /// The same whenever and wherever it is read from this store.
    pub id: EventId,
    /// Where it stands in the feed.
    pub cursor: EventCursor,
    /// The delivery that told it. The payload is the person as of this delivery, what was before as of the one before.
    pub delivery: DeliveryNumber,
    /// The delivery's production date.
    pub production_date: Date,
    /// What happened.
    pub kind: EventKind,
    /// Why, where CPR says.
    pub cause: Option<Cause>,
    /// To whom.
    pub pnr: Pnr,
    /// Whom else it touches, ascending: the numbers that came to or went from the rows that changed, or that stand in
    /// them. Events of one cause share the list.
    pub related: Arc<[Pnr]>,
    /// Which of the person's aspects changed by it.
    pub aspects: Vec<Aspect>,
    /// KOMKOD of the address as known before the delivery; none without an address, or when not held then.
    pub municipality_before: Option<MunicipalityCode>,
    /// KOMKOD of the address as known after it.
    pub municipality_after: Option<MunicipalityCode>,
    /// Since when it holds in the world, where the rows say.
    pub valid_from: Option<Timestamp>,
}

/// Says what happened in which delivery, not to whom or where.
impl fmt::Debug for BusinessEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of delivery {}", self.kind, self.delivery)
    }
}

impl BusinessEvent {
    /// Gives a joined event its id and its place: the `event`th of the person who is the `person`th of the delivery.
    pub(crate) fn place(
        joined: JoinedEvent,
        pnr: Pnr,
        delivery: &Delivery,
        (person, event): (u32, u32),
        erases: u32,
        secret: &[u8; 32],
    ) -> BusinessEvent {
        BusinessEvent {
            id: EventId::derive(secret, delivery, pnr, joined.kind, joined.cause, joined.repeat),
            cursor: EventCursor::at(delivery.number, person, event, erases),
            delivery: delivery.number,
            production_date: delivery.production_date,
            kind: joined.kind,
            cause: joined.cause,
            pnr,
            related: joined.related,
            aspects: joined.aspects,
            municipality_before: joined.municipality_before,
            municipality_after: joined.municipality_after,
            valid_from: joined.valid_from,
        }
    }
}

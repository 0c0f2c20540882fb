//! The message of an event: all of it as of the event's own delivery.

use cpr_replika::BusinessEvent;
use cpr_replika::cpr_model::Timestamp;
use cpr_wire::event_message::EventMessage;
use uuid::Uuid;

use crate::clock;
use crate::config::Events;

/// The message of an event whose delivery was applied then; the same at every try.
pub(super) fn message_of(event: &BusinessEvent, applied_at: Option<i64>, config: &Events) -> EventMessage {
    let lives_in = event.municipality_after.or(event.municipality_before);
    let created = applied_at.and_then(clock::moment).unwrap_or_else(|| Timestamp::start_of(event.production_date));
    EventMessage {
        id: Uuid::from_bytes(event.id.bytes()),
        kind: event.kind,
        cause: event.cause,
        pnr: event.pnr,
        related: event.related.to_vec(),
        aspects: event.aspects.clone(),
        municipality_before: event.municipality_before,
        municipality_after: event.municipality_after,
        authority: lives_in.and_then(|code| config.authorities.get(&code).copied()),
        receivers: config.receivers.clone(),
        delivery: event.delivery.0,
        production_date: event.production_date,
        created,
        valid_from: event.valid_from,
    }
}

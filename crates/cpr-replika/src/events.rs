//! The events (099, 900) of a person, as received.

use cpr_model::{Date, PersonKey, Pnr, Values, facts};

use crate::delivery::DeliveryNumber;
use crate::envelope;
use crate::error::Error;
use crate::snapshot::Snapshot;

/// One event (099, 900) as received.
#[derive(Clone)]
pub struct StoredEvent {
    /// The delivery that brought it.
    pub delivery: DeliveryNumber,
    /// The record number.
    pub record: u16,
    values: Box<[u8]>,
}

/// Says which delivery brought it.
impl std::fmt::Debug for StoredEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event ({:03}) of delivery {}", self.record, self.delivery)
    }
}

impl StoredEvent {
    /// Code, derived mark, and when CPR entered it.
    pub fn event(&self) -> facts::Event<'_> {
        facts::Event::new(Values::new(&self.values))
    }
}

/// The events of one person.
#[derive(Clone, Debug)]
pub struct Events {
    /// In the order in which they came.
    pub events: Vec<StoredEvent>,
    /// From this date on nothing is missing: the unbroken chain of deliveries reaches back to it, and the person was
    /// held. None when the person is not held.
    pub complete_since: Option<Date>,
}

impl Snapshot {
    /// The events of a person (099, 900), and since when they are complete.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn events(&self, pnr: Pnr) -> Result<Events, Error> {
        let mut found = Events { events: Vec::new(), complete_since: None };
        let Some(key) = pnr.key().map(PersonKey::as_u32) else { return Ok(found) };
        for row in self.event_rows().range((key, 0, 0)..=(key, u32::MAX, u16::MAX))? {
            let (at, sealed) = row?;
            let (_, delivery, _) = at.value();
            let (record, values) = open_event((key, delivery), sealed.value())?;
            found.events.push(StoredEvent { delivery: DeliveryNumber(delivery), record, values: values.into() });
        }
        let mut first = self.person(pnr)?.and_then(|person| person.facts().map(|fact| fact.known().from).min());
        for past in self.past(key, DeliveryNumber(0))? {
            first = past.facts().map(|(_, fact)| fact.known().from).chain(first).min();
        }
        if let (Some(first), Some(last)) = (first, self.last_delivery()) {
            let delivery = self.delivery(DeliveryNumber(first))?;
            let held_since = delivery.events_since();
            found.complete_since = Some(held_since.max(last.events_complete_since));
        }
        Ok(found)
    }
}

/// Record number and packed values of a stored event.
pub(crate) fn open_event(row: (u32, u32), sealed: &[u8]) -> Result<(u16, &[u8]), Error> {
    let payload = envelope::open("events/v1", row, sealed)?;
    let (record, values) =
        payload.split_first_chunk::<2>().ok_or(Error::Corrupt { table: "events/v1", what: "no record number" })?;
    Ok((u16::from_le_bytes(*record), values))
}

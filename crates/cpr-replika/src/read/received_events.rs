//! The events (099, 900) of a person, as received.

use cpr_model::{Date, Pnr, Values, facts};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::erases::events_until;
use crate::person::image::Person;
use crate::person::stored::v2::ArchivedPast;
use crate::snapshot::Snapshot;

/// One event (099, 900) as received.
#[derive(Clone)]
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::cpr_model::Pnr;
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let codes: Vec<String> =
    ///     replika.snapshot().events(sofie)?.events.iter().map(|row| row.event().code().reveal().into_owned()).collect();
    /// assert_eq!(codes, ["A01", "A09", "A36"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn events(&self, pnr: Pnr) -> Result<Events, Error> {
        let mut found = Events { events: Vec::new(), complete_since: None };
        let Some(key) = pnr.key() else { return Ok(found) };
        let image = self.whole(key)?;
        for (event, values) in image.pasts().flat_map(|past| past.events()) {
            let (delivery, record) = (DeliveryNumber(event.delivery), event.record as u16);
            found.events.push(StoredEvent { delivery, record, values: values.bytes().into() });
        }
        let now = image.person.iter().flat_map(Person::all_facts).map(|fact| fact.known().from);
        let past = image.pasts().flat_map(ArchivedPast::facts).map(|fact| fact.known().from);
        let first = now.chain(past).min();
        if let (Some(first), Some(last)) = (first, self.last_delivery()) {
            let delivery = self.delivery(DeliveryNumber(first))?;
            let held_since = delivery.events_since();
            let held_since = match events_until(&self.tables().meta)? {
                0 => held_since,
                gone => held_since.max(self.delivery(DeliveryNumber(gone))?.production_date),
            };
            found.complete_since = Some(held_since.max(last.events_complete_since));
        }
        Ok(found)
    }
}

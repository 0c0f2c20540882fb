//! Who reads the feed, and how far each has come: a durable place per name.
//!
//! Publish, then acknowledge: after a crash between the two the same events come again, with the same ids, and the
//! receiver drops those it has.

use redb::ReadableTable;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::events::cursor::{END, EventCursor};
use crate::events::feed::{EventFeed, EventFilter};
use crate::planted::{self, Fault};
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::sealed;
use crate::store::tables::{CONSUMERS, name};

/// Bytes of a stored cursor: three numbers.
const CURSOR_BYTES: usize = 12;
/// The longest name, in bytes.
const NAME_BYTES: usize = 100;

/// One reader of the feed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub cursor: EventCursor,
}

impl Consumer {
    /// A reader of this name that has come so far.
    pub fn new(name: impl Into<String>, cursor: EventCursor) -> Consumer {
        Consumer { name: name.into(), cursor }
    }
}

impl Replika {
    /// Adds a consumer that has all events up to this place.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{EventCursor, EventFilter};
    /// let replika = demo()?;
    /// replika.add_consumer("school", EventCursor::BEGINNING)?;
    /// for event in replika.feed("school", EventFilter::default())? {
    ///     let event = event?;
    ///     // Publish it; then:
    ///     replika.acknowledge("school", event.cursor)?;
    /// }
    /// assert_eq!(replika.feed("school", EventFilter::default())?.count(), 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::ConsumerName`] for an empty name, one above 100 bytes or with control characters;
    /// [`Error::ConsumerExists`]; [`Error::UnknownDelivery`] or [`Error::NotACursor`] when there is no such place;
    /// [`Error::ReadOnly`].
    pub fn add_consumer(&self, name: &str, since: EventCursor) -> Result<(), Error> {
        if name.is_empty() || name.len() > NAME_BYTES || name.chars().any(char::is_control) {
            return Err(Error::ConsumerName);
        }
        self.write_cursor(name, since, |known| if known { Err(Error::ConsumerExists) } else { Ok(()) })
    }

    /// Notes durably that a consumer has all events up to this place. An earlier place than before makes the events
    /// behind it come again. Waits for a delivery that is being applied.
    ///
    /// # Errors
    /// [`Error::UnknownConsumer`]; [`Error::UnknownDelivery`] or [`Error::NotACursor`] when there is no such place;
    /// [`Error::ReadOnly`].
    pub fn acknowledge(&self, name: &str, cursor: EventCursor) -> Result<(), Error> {
        self.write_cursor(name, cursor, |known| if known { Ok(()) } else { Err(Error::UnknownConsumer) })
    }

    /// Removes a consumer.
    ///
    /// # Errors
    /// [`Error::UnknownConsumer`]; [`Error::ReadOnly`].
    pub fn remove_consumer(&self, name: &str) -> Result<(), Error> {
        self.change(|write, _| match write.open_table(CONSUMERS)?.remove(name)? {
            Some(_) => Ok(()),
            None => Err(Error::UnknownConsumer),
        })
    }

    /// Every consumer, by name.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn consumers(&self) -> Result<Vec<Consumer>, Error> {
        read_consumers(&self.snapshot())
    }

    /// The events that a consumer has not acknowledged, up to the last delivery.
    ///
    /// # Errors
    /// [`Error::UnknownConsumer`].
    pub fn feed(&self, name: &str, filter: EventFilter) -> Result<EventFeed, Error> {
        let consumers = self.consumers()?;
        let consumer = consumers.iter().find(|consumer| consumer.name == name).ok_or(Error::UnknownConsumer)?;
        self.snapshot().events_since(consumer.cursor, filter)
    }

    fn write_cursor(
        &self,
        name: &str,
        cursor: EventCursor,
        check: impl Fn(bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.change(|write, _| {
            let snapshot = self.snapshot();
            snapshot.check_cursor(cursor)?;
            let mut cursor = cursor.settled(snapshot.erases()?);
            if planted::is(Fault::CursorMovesEarly) {
                cursor.delivery.0 += 1;
            }
            let mut table = write.open_table(CONSUMERS)?;
            let known = table.get(name)?.is_some();
            check(known)?;
            table.insert(name, seal_cursor(name, cursor).as_slice())?;
            Ok(())
        })
    }
}

/// Every consumer, by name.
pub(crate) fn read_consumers(snapshot: &Snapshot) -> Result<Vec<Consumer>, Error> {
    let erases = snapshot.erases()?;
    let mut all = Vec::new();
    for row in snapshot.tables().consumers.iter()? {
        let (name, sealed) = row?;
        let name = name.value();
        all.push(Consumer { name: name.to_owned(), cursor: open_cursor(name, sealed.value(), erases)? });
    }
    Ok(all)
}

/// What the checksum of a consumer's row starts from.
fn sealing(name: &str) -> sealed::Row {
    (crc32fast::hash(name.as_bytes()), 0)
}

/// The stored value of a cursor.
pub(crate) fn seal_cursor(name: &str, cursor: EventCursor) -> Vec<u8> {
    let mut payload = Vec::with_capacity(CURSOR_BYTES);
    for number in [cursor.delivery.0, cursor.person, cursor.event] {
        payload.extend(number.to_le_bytes());
    }
    let mut sealed = Vec::new();
    sealed::seal(sealing(name), &payload, &mut sealed);
    sealed
}

/// The place of a consumer. All that are stored are settled when persons are erased.
pub(crate) fn open_cursor(name: &str, sealed: &[u8], erases: u32) -> Result<EventCursor, Error> {
    let payload = sealed::open(name::CONSUMERS, sealing(name), sealed)?;
    let (numbers, rest) = payload.as_chunks::<4>();
    match (numbers, rest) {
        (&[delivery, person, event], []) => {
            let [delivery, person, event] = [delivery, person, event].map(u32::from_le_bytes);
            Ok(EventCursor::at(DeliveryNumber(delivery), person, event, if person == END { 0 } else { erases }))
        }
        _ => Err(Error::Corrupt { table: name::CONSUMERS, what: "not a cursor" }),
    }
}

//! The feed of business events: every event once, in one order, from any place on, with filters.
//!
//! The order is that of the deliveries; within one that of the persons' keys, which promises nothing; within a person
//! that of CPR's timestamps, then of the lines. Deliveries that were loaded are silent, and so are those
//! whose event records are kept no longer.

use std::collections::VecDeque;
use std::fmt;

use cpr_events::{Cause, DeliveryContext, EventKind, PersonChange, join};
use cpr_model::{Date, Fact, MunicipalityCode, PersonKey, Pnr};
use cpr_subscription::EventCode;
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::events::cursor::{END, EventCursor};
use crate::events::event::BusinessEvent;
use crate::index::person_set::PersonSet;
use crate::ledger::delivery::{Delivery, DeliveryKind};
use crate::ledger::erases::events_until;
use crate::person::image::Image;
use crate::snapshot::Snapshot;
use crate::store::config::window_end;
use crate::store::secret::read_secret;
use crate::store::tables::name;

/// Which events of a feed are wanted. What is not filled in leaves nothing out.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Events of one of these kinds.
    pub kinds: Vec<EventKind>,
    /// Events with one of these codes as their cause.
    pub codes: Vec<EventCode>,
    /// Events of these persons.
    pub persons: Option<PersonSet>,
    /// Events of who lived here before the delivery.
    pub municipality_before: Option<MunicipalityCode>,
    /// Events of who lives here after it.
    pub municipality_after: Option<MunicipalityCode>,
    /// Events of who lived here before, or lives here after.
    pub municipality: Option<MunicipalityCode>,
}

impl EventFilter {
    fn takes(&self, event: &BusinessEvent) -> bool {
        let (before, after) = (event.municipality_before, event.municipality_after);
        let is = |wanted: Option<MunicipalityCode>, found| wanted.is_none() || wanted == found;
        let code = |code: &EventCode| event.cause.is_some_and(|cause| cause.code.is(code.as_str()));
        (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.codes.is_empty() || self.codes.iter().any(code))
            && is(self.municipality_before, before)
            && is(self.municipality_after, after)
            && (is(self.municipality, before) || is(self.municipality, after))
    }
}

impl Snapshot {
    /// The events behind a place in the feed, up to the snapshot's last delivery, in order.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{EventCursor, EventFilter, EventKind};
    /// let feed = demo()?.snapshot().events_since(EventCursor::BEGINNING, EventFilter::default())?;
    /// let events = feed.collect::<Result<Vec<_>, _>>()?;
    /// assert!(events.iter().any(|event| event.kind == EventKind::ChildBorn));
    /// let seen = events.last().ok_or("events")?.cursor; // keep it, and go on from there
    /// assert_eq!(demo()?.snapshot().events_since(seen, EventFilter::default())?.count(), 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when the place is in a delivery that there is not, [`Error::NotACursor`] when the
    /// delivery has no such place.
    pub fn events_since(&self, since: EventCursor, filter: EventFilter) -> Result<EventFeed, Error> {
        self.feed_until(since, self.known(), filter)
    }

    /// The events of one delivery.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn events_of(&self, delivery: DeliveryNumber, filter: EventFilter) -> Result<EventFeed, Error> {
        let delivery = self.check_known(Some(delivery))?;
        self.feed_until(EventCursor::after(DeliveryNumber(delivery.0 - 1)), delivery, filter)
    }

    fn feed_until(&self, since: EventCursor, last: DeliveryNumber, filter: EventFilter) -> Result<EventFeed, Error> {
        self.check_cursor(since)?;
        let erases = self.erases()?;
        let since = since.settled(erases);
        let mut feed = EventFeed {
            snapshot: self.clone(),
            filter,
            secret: read_secret(&self.tables().meta)?,
            erases,
            last,
            night: None,
            next: DeliveryNumber(since.delivery.0),
            ready: VecDeque::new(),
        };
        if since.person == END {
            feed.next.0 += 1;
        } else {
            feed.open_night(Some(since))?;
        }
        Ok(feed)
    }

    /// That there is such a place.
    pub(crate) fn check_cursor(&self, cursor: EventCursor) -> Result<(), Error> {
        if cursor.delivery.0 > 0 {
            self.check_known(Some(cursor.delivery))?;
        }
        if cursor.erases > self.erases()? {
            return Err(Error::NotACursor);
        }
        // Places of before an erase are counted in another way, and lead to the beginning of their delivery.
        if cursor.person == END || cursor.erases < self.erases()? {
            return Ok(());
        }
        let persons = if cursor.delivery.0 > 0 { self.concerned(cursor.delivery)?.len() } else { 0 };
        if u64::from(cursor.person) < persons { Ok(()) } else { Err(Error::NotACursor) }
    }

    /// FOED_DT as known at a delivery; none for a person who is not held.
    fn recorded_birth(&self, pnr: Pnr, known: DeliveryNumber) -> Result<Option<Date>, Error> {
        let Some(key) = pnr.key() else { return Ok(None) };
        let image = self.image(key, None, known)?;
        Ok(image.all_facts().find_map(|fact| fact.person()?.birth_date()).map(|born| born.value))
    }

    /// The person of an event as known before its delivery and after it; none on a side where it is not held.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{EventCursor, EventFilter, EventKind};
    /// let snapshot = demo()?.snapshot();
    /// let moved = EventFilter { kinds: vec![EventKind::MovedIn], ..EventFilter::default() };
    /// let event = snapshot.events_since(EventCursor::BEGINNING, moved)?.next().ok_or("a move")??;
    /// let [before, after] = snapshot.payload(&event)?;
    /// assert_ne!(before.and_then(|image| image.address()?.street_code()), after.and_then(|image| image.address()?.street_code()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::as_of`].
    pub fn payload(&self, event: &BusinessEvent) -> Result<[Option<Image<'_>>; 2], Error> {
        let before = match event.delivery.0 {
            0 | 1 => None,
            number => self.as_of(event.pnr, None, Some(DeliveryNumber(number - 1)))?,
        };
        Ok([before, self.as_of(event.pnr, None, Some(event.delivery))?])
    }
}

/// The events of a feed, read as they are asked for. It holds its snapshot for as long as it lives.
pub struct EventFeed {
    snapshot: Snapshot,
    filter: EventFilter,
    secret: [u8; 32],
    erases: u32,
    last: DeliveryNumber,
    /// The delivery that is being read, and the next one.
    night: Option<Reading>,
    next: DeliveryNumber,
    ready: VecDeque<BusinessEvent>,
}

/// A delivery that is being read.
struct Reading {
    delivery: Delivery,
    context: DeliveryContext,
    concerned: RoaringBitmap,
    wanted: roaring::bitmap::IntoIter,
    /// The last event that is known already.
    after: Option<EventCursor>,
}

/// Says between which deliveries it stands.
impl fmt::Debug for EventFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventFeed before delivery {}, up to {}", self.next, self.last)
    }
}

impl EventFeed {
    /// Opens the next delivery that is not silent; false when there is none.
    fn open_night(&mut self, after: Option<EventCursor>) -> Result<bool, Error> {
        while self.next <= self.last {
            let number = self.next;
            self.next.0 += 1;
            let delivery = self.snapshot.delivery(number)?;
            if delivery.kind != DeliveryKind::Delta || number.0 <= events_until(&self.snapshot.tables().meta)? {
                continue;
            }
            let previous = match number.0 {
                1 => None,
                _ => Some(self.snapshot.delivery(DeliveryNumber(number.0 - 1))?.production_date),
            };
            let context = DeliveryContext {
                number: number.0,
                production_date: delivery.production_date,
                previous_production: previous,
                window: window_end(self.snapshot.settings(), delivery.production_date),
            };
            let concerned = self.snapshot.concerned(number)?;
            let mut wanted = concerned.clone();
            if let Some(persons) = &self.filter.persons {
                wanted &= &persons.0;
            }
            if !self.filter.codes.is_empty() {
                let mut coded = RoaringBitmap::new();
                for code in &self.filter.codes {
                    coded |= self.snapshot.changed_by_keys(number, code.as_str().as_bytes())?;
                }
                wanted &= coded;
            }
            if let Some(first) = after.and_then(|after| concerned.select(after.person)) {
                wanted.remove_range(..first);
            }
            self.night = Some(Reading { delivery, context, concerned, wanted: wanted.into_iter(), after });
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads the events of the next person; false when there is none left.
    fn read_person(&mut self) -> Result<bool, Error> {
        loop {
            let Some(reading) = &mut self.night else {
                if !self.open_night(None)? {
                    return Ok(false);
                }
                continue;
            };
            let Some(row) = reading.wanted.next() else {
                self.night = None;
                continue;
            };
            let corrupt = Error::Corrupt { table: name::CHANGED, what: "a key of no number" };
            let key = PersonKey::from_u32(row).ok_or(corrupt)?;
            let place = reading.concerned.rank(row).saturating_sub(1) as u32;
            let image = self.snapshot.around(key, reading.delivery.number)?;
            let number = reading.context.number;
            let before: Vec<Fact<'_>> = image.believed_at(number - 1).collect();
            let after: Vec<Fact<'_>> = image.believed_at(number).collect();
            let causes = image.events_of(reading.delivery.number).map(Cause::read).collect();
            let mut change = PersonChange::read(&before, &after, causes, key, reading.context);
            let (children, _) = change.children();
            for child in children {
                change
                    .child_births
                    .extend(self.snapshot.recorded_birth(child, reading.delivery.number)?.map(|born| (child, born)));
            }
            let placed = |(at, event)| {
                let (delivery, secret) = (&reading.delivery, &self.secret);
                BusinessEvent::place(event, key.pnr(), delivery, (place, at), self.erases, secret)
            };
            let events = (0..).zip(join(&mut change)).map(placed);
            let is_new = |event: &BusinessEvent| reading.after.is_none_or(|after| event.cursor > after);
            self.ready.extend(events.filter(|event| is_new(event) && self.filter.takes(event)));
            return Ok(true);
        }
    }
}

impl Iterator for EventFeed {
    type Item = Result<BusinessEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.read_person() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    // What comes after a person who cannot be read is not told as if nothing were missing.
                    self.night = None;
                    self.next = DeliveryNumber(u32::MAX);
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

//! A store as it was as of an earlier delivery, read off a later one.
//!
//! Every fact says between which deliveries it was believed, so what a person's value was then can be written again:
//! the document with the lines of then, and the past as far as it had happened. What persons are found by is collected
//! by the code that a delivery uses. Subscribers and their filters are those of the later one, as if everything that
//! was said of them since had been said right after the earlier delivery: of when it was said, nothing but the delivery
//! is kept.

use std::collections::{BTreeSet, HashMap, HashSet};

use cpr_model::{CurrentRows, Fact, PersonKey, Values};
use rkyv::util::AlignedVec;
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::events::consumers::{open_cursor, seal_cursor};
use crate::events::cursor::EventCursor;
use crate::index::left_out;
use crate::index::sets::Index;
use crate::index::street_names::is_of_address;
use crate::ledger::erases::of_delivery;
use crate::person::image::Image;
use crate::person::mentions::mentioned;
use crate::person::stored::v2::{ArchivedPast, Document, FactHeader, Past};
use crate::person::value::{document_archive, seal_document, seal_past};
use crate::snapshot::Snapshot;
use crate::store::copier::Fate;
use crate::store::sealed;
use crate::store::tables::{TableRow, name};
use crate::subscriptions::spans::Spans;

/// As of when a store was restored, and what was cut off because it is of later deliveries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The last delivery that the store has.
    pub delivery: DeliveryNumber,
    /// Readers of events that had come further, by name: they stand behind the last event of this delivery now.
    pub consumers: Vec<String>,
    /// Files of later deliveries that subscribers were given: their streams go on behind those up to this delivery.
    pub files: u64,
}

/// Judges row by row what becomes of a store.
pub(crate) struct Earlier<'s> {
    snapshot: &'s Snapshot,
    known: u32,
    /// What persons are found by.
    pub(crate) index: Index,
    /// To whom something has happened since.
    changed: RoaringBitmap,
    /// Pasts that have been put away since: they are added to again.
    reopened: HashSet<(u32, u32)>,
    pub(crate) report: RestoreReport,
}

impl<'s> Earlier<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, delivery: DeliveryNumber) -> Earlier<'s> {
        Earlier {
            snapshot,
            known: delivery.0,
            index: Index::default(),
            changed: RoaringBitmap::new(),
            reopened: HashSet::new(),
            report: RestoreReport { delivery, ..RestoreReport::default() },
        }
    }

    /// Asked of every row in the order of the tables: persons come before all that is derived from them.
    pub(crate) fn fate(&mut self, row: TableRow<'_>) -> Result<Fate, Error> {
        let known = self.known;
        let keep_if = |is_kept| if is_kept { Fate::Keep } else { Fate::Drop };
        Ok(match row {
            TableRow::PERSONS(key, value) => self.fate_of_person(key, value)?,
            TableRow::SUPERSEDED(row, _) => keep_if(row.1 <= known && !self.reopened.contains(&row)),
            TableRow::CHANGED(delivery, _)
            | TableRow::CHANGED_BY((delivery, _), _)
            | TableRow::REDELIVERED(delivery, _)
            | TableRow::MATCHES((delivery, _), _)
            | TableRow::DELIVERIES(delivery, _)
            | TableRow::DIGESTS(_, delivery) => keep_if(delivery <= known),
            // Of those left out nothing says since when they are.
            TableRow::SETS((left_out::KIND, ..), _) => Fate::Keep,
            // Written anew when all persons are.
            TableRow::SETS(..) | TableRow::WORDS(..) | TableRow::STREET_NAMES(..) | TableRow::POSTAL_STREETS(..) => {
                Fate::Drop
            }
            TableRow::FILTERS(_, value) => {
                let mut spans = Spans::from_bytes(value)?;
                spans.say_by(known);
                if spans.is_empty() { Fate::Drop } else { Fate::Replace(spans.to_bytes()) }
            }
            TableRow::STREAMS((_, delivery), _) => {
                self.report.files += u64::from(delivery > known);
                keep_if(delivery <= known)
            }
            TableRow::CONSUMERS(name, sealed) if open_cursor(name, sealed, 0)?.delivery.0 > known => {
                self.report.consumers.push(name.to_owned());
                Fate::Replace(seal_cursor(name, EventCursor::after(DeliveryNumber(known))))
            }
            TableRow::NUMBERS(number, person) => keep_if(self.is_mentioned(number, person)?),
            TableRow::META(key, _) => keep_if(of_delivery(key).is_none_or(|delivery| delivery <= known)),
            TableRow::CONSUMERS(..) | TableRow::SUBSCRIBERS(..) | TableRow::FOLLOWERS(..) => Fate::Keep,
        })
    }

    fn fate_of_person(&mut self, key: u32, value: &[u8]) -> Result<Fate, Error> {
        let (image, person_key) = self.image(key)?;
        let Some(person) = &image.person else { return Ok(Fate::Keep) };
        let document = person.archived();
        self.collect_streets(&image);
        let is_document_of_then = document.delivered.to_native() <= self.known;
        let last = image.pasts().last().map_or(0, ArchivedPast::last);
        if is_document_of_then && last <= self.known {
            self.index.collect_stored(person_key, &CurrentRows::read(document.facts(), None));
            return Ok(Fate::Keep);
        }
        self.changed.insert(key);
        let (mut archive, mut sealed) = (AlignedVec::new(), Vec::new());
        if is_document_of_then {
            self.index.collect_stored(person_key, &CurrentRows::read(document.facts(), None));
            seal_document(key, document_archive(key, value)?, &mut sealed);
        } else {
            let Some(document) = document_at(&image, self.known)? else { return Ok(Fate::Drop) };
            self.index.collect_stored(person_key, &CurrentRows::read(document.facts(), None));
            sealed::archive(&document, &mut archive);
            seal_document(key, &archive, &mut sealed);
        }
        let past = self.past_at(key, &image);
        if !past.is_empty() {
            sealed::archive(&past, &mut archive);
            seal_past(key, &archive, &mut sealed);
        }
        Ok(Fate::Replace(sealed))
    }

    fn image(&self, key: u32) -> Result<(Image<'s>, PersonKey), Error> {
        let corrupt = Error::Corrupt { table: name::PERSONS, what: "a key of no number" };
        let person_key = PersonKey::from_u32(key).ok_or(corrupt)?;
        Ok((self.snapshot.whole(person_key)?, person_key))
    }

    /// The past that was added to then: the last one in which something had happened already.
    fn past_at(&mut self, key: u32, image: &Image<'_>) -> Past {
        let (mut open, mut reopened) = (Past::default(), None);
        for past in image.pasts() {
            let mut until = Past::default();
            until.copy_until(past, self.known);
            if until.is_empty() {
                break;
            }
            open = until;
            reopened = Some((key, past.last()));
        }
        self.reopened.extend(reopened);
        open
    }

    /// Collects the streets that were named by then, of those who have named others since.
    fn collect_streets(&mut self, image: &Image<'_>) {
        let mut moments = BTreeSet::new();
        for fact in image.pasts().flat_map(ArchivedPast::facts).filter(is_of_address) {
            moments.insert(fact.known().from);
            moments.extend(fact.known().to);
        }
        for &moment in moments.range(..=self.known) {
            self.index
                .streets
                .change(&CurrentRows::read([], None), &CurrentRows::read(image.believed_at(moment), None));
        }
    }

    /// Whether a person had mentioned a number by then.
    fn is_mentioned(&self, number: u32, person: u32) -> Result<bool, Error> {
        if !self.changed.contains(person) {
            return Ok(true);
        }
        let (image, _) = self.image(person)?;
        let now = image.person.iter().flat_map(|person| person.archived().facts());
        let mut facts = now.chain(image.pasts().flat_map(ArchivedPast::facts));
        let mentions = |fact: Fact<'_>| mentioned(&fact).is_some_and(|mentioned| mentioned.as_u32() == number);
        Ok(facts.any(|fact| fact.known().from <= self.known && mentions(fact)))
    }
}

/// The document as of a delivery that was followed by another of this person; none when nothing was held then.
fn document_at(image: &Image<'_>, known: u32) -> Result<Option<Document>, Error> {
    let group = image.pasts().find_map(|past| past.group_at(known));
    let Some((group, order, widths)) = group.filter(|(group, ..)| group.delivered <= known) else { return Ok(None) };
    let now = image.person.iter().flat_map(|person| person.archived().rows());
    let past = image.pasts().flat_map(ArchivedPast::rows).filter(|(_, _, known_to)| *known_to > known);
    let all = now.chain(past.map(|(header, values, _)| (header, values)));
    let mut believed: Vec<(FactHeader, Values<'_>)> = all.filter(|(header, _)| header.known_from <= known).collect();
    // The lines in their order, then what had left the customer's window.
    let place: HashMap<u16, usize> = order.iter().enumerate().map(|(line, id)| (*id, line)).collect();
    let place = |header: &FactHeader| place.get(&header.id).copied().unwrap_or(usize::MAX);
    believed.sort_by_key(|(header, _)| place(header));
    if believed.iter().take_while(|(header, _)| place(header) != usize::MAX).count() != order.len() {
        return Err(Error::Corrupt { table: name::PERSONS, what: "lines that no fact states" });
    }
    let mut document =
        Document { delivered: group.delivered, in_group: order.len() as u32, widths, ..Document::default() };
    for (header, values) in believed {
        document.values.extend_from_slice(values.bytes());
        document.facts.push(FactHeader { end: document.values.len() as u32, ..header });
    }
    Ok(Some(document))
}

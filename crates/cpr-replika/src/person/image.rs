//! Persons as they are read: now, or as of a moment in the world and a delivery.

use cpr_model::{Aspect, CurrentRows, Fact, Timestamp};
use redb::AccessGuard;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::person::stored::v2::{ArchivedDocument, ArchivedPast};
use crate::person::value::{PastSegment, document_again, open_document, open_past, past_again};
use crate::store::sealed::{self, Held};

/// Whether the replica can answer for an aspect of a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holding {
    /// The record type is not among those the customer has chosen, or the person is not held: nothing can be said.
    Unknown,
    /// The type comes, and CPR has no row.
    None,
    /// There are rows.
    Held,
}

/// A person as known now, read in place from the store for as long as the snapshot is borrowed.
pub struct Person<'s> {
    held: Held<'s>,
    key: u32,
    delivered: DeliveryNumber,
}

/// Says how much there is, not whose.
impl std::fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person of {} facts", self.archived().facts.len())
    }
}

impl<'s> Person<'s> {
    /// Opens a stored value and validates what it says of now.
    #[inline]
    pub(crate) fn open(key: u32, guard: AccessGuard<'s, &'static [u8]>) -> Result<Person<'s>, Error> {
        // Validated before it is moved: a guard is large, and moving it twice costs as much as the archive check.
        if sealed::is_aligned(guard.value()) {
            let delivered = delivered(open_document(key, guard.value())?.0);
            return Ok(Person { held: Held::InPlace(guard), key, delivered });
        }
        let copy = sealed::aligned(guard.value());
        let delivered = delivered(open_document(key, &copy)?.0);
        Ok(Person { held: Held::Copied(copy), key, delivered })
    }

    pub(crate) fn archived(&self) -> &ArchivedDocument {
        document_again(self.held.bytes())
    }

    /// What the value says of the past, validated; none when nothing has happened since the past before it was put away.
    pub(crate) fn past(&self) -> Result<Option<&ArchivedPast>, Error> {
        open_past(self.key, sealed::after_first(self.held.bytes()))
    }

    /// Every fact known now, of all of valid time, marked rows and rows that aged out of the window included.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.archived().facts()
    }

    /// The facts that were believed as of a delivery already.
    pub(crate) fn facts_known(&self, at: u32) -> impl Iterator<Item = Fact<'_>> {
        self.facts().filter(move |fact| fact.known().from <= at)
    }

    /// The last delivery that changed how the person is held: its facts or the shape of its lines.
    pub fn delivered(&self) -> DeliveryNumber {
        self.delivered
    }
}

fn delivered(document: &ArchivedDocument) -> DeliveryNumber {
    DeliveryNumber(document.delivered.to_native())
}

/// A person as of a delivery, and when asked for, as of a moment in the world.
pub struct Image<'s> {
    pub(crate) person: Option<Person<'s>>,
    /// True when the past in the person's value, validated, is part of the image.
    pub(crate) includes_past: bool,
    /// The past before it, oldest first, as far as it is part of the image.
    pub(crate) segments: Vec<PastSegment<'s>>,
    pub(crate) known: DeliveryNumber,
    pub(crate) valid: Option<Timestamp>,
}

/// Says as of when it is, not of whom.
impl std::fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image as of delivery {}", self.known)
    }
}

impl Image<'_> {
    /// The delivery as of which this is.
    pub fn known(&self) -> DeliveryNumber {
        self.known
    }

    /// The facts that were believed as of the delivery and, when a moment was asked for, held in the world at it.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.believed().filter(|fact| self.valid.is_none_or(|at| fact.holds_at(at)))
    }

    /// The facts that were believed as of the delivery, of all of valid time, marked rows included.
    pub fn believed(&self) -> impl Iterator<Item = Fact<'_>> {
        self.believed_at(self.known.0)
    }

    /// As [`Image::believed`], for a delivery from which on the image holds the past.
    pub(crate) fn believed_at(&self, known: u32) -> impl Iterator<Item = Fact<'_>> {
        let now = self.person.iter().flat_map(move |person| person.facts_known(known));
        let past = self.pasts().flat_map(ArchivedPast::facts).filter(move |fact| fact.known().contains(known));
        now.chain(past)
    }

    /// What is part of the image of what happened to the person, oldest first.
    pub(crate) fn pasts(&self) -> impl Iterator<Item = &ArchivedPast> {
        let recent =
            self.person.as_ref().filter(|_| self.includes_past).and_then(|person| past_again(person.held.bytes()));
        self.segments.iter().map(PastSegment::archived).chain(recent)
    }

    /// True when the replica held anything of the person as of the delivery.
    pub(crate) fn is_held(&self) -> bool {
        // What the last delivery brought is there; else a fact must have been believed before.
        self.person.as_ref().is_some_and(|person| person.delivered() <= self.known) || self.believed().next().is_some()
    }

    /// The facts of one aspect among [`Image::facts`].
    pub fn aspect(&self, aspect: Aspect) -> impl Iterator<Item = Fact<'_>> {
        self.facts().filter(move |fact| fact.aspect() == aspect)
    }

    /// Where the person was, on the residence line of address, abroad and disappeared; none when no row says.
    ///
    /// At any time at most one of the three holds. Should rows overlap, the one that began last is the answer.
    pub fn residence(&self, at: Timestamp) -> Option<Residence<'_>> {
        let current = CurrentRows::read(self.believed(), Some(at));
        let is_there = |fact: &Fact<'_>| fact.aspect() != Aspect::Address || current.lives_somewhere();
        let rows = self.believed().filter(|fact| fact.aspect().is_residence() && fact.holds_at(at)).filter(is_there);
        rows.max_by_key(|fact| fact.valid().from).map(|fact| match fact.aspect() {
            Aspect::Emigration => Residence::Abroad(fact),
            Aspect::Disappearance => Residence::Disappeared(fact),
            _ => Residence::Address(fact),
        })
    }
}

/// Where a person was.
#[derive(Clone, Copy, Debug)]
pub enum Residence<'a> {
    /// At an address in Denmark or Greenland.
    Address(Fact<'a>),
    /// Abroad.
    Abroad(Fact<'a>),
    /// Disappeared.
    Disappeared(Fact<'a>),
}

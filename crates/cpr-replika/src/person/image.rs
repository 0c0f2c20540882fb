//! Persons as they are read: now, or as of a moment in the world and a delivery.

use bitemporal::Known;
use cpr_model::stored::v2::{ArchivedPast, ArchivedPerson};
use cpr_model::{Aspect, Timestamp};
use redb::AccessGuard;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::person::fact::FactView;
use crate::store::sealed::{self, Held};
use crate::store::tables::{OPEN_SEGMENT, name};

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
            let delivered = validate(key, guard.value())?;
            return Ok(Person { held: Held::InPlace(guard), key, delivered });
        }
        let copy = sealed::aligned(guard.value());
        let delivered = validate(key, &copy)?;
        Ok(Person { held: Held::Copied(copy), key, delivered })
    }

    pub(crate) fn archived(&self) -> &ArchivedPerson {
        sealed::reopen(self.held.bytes())
    }

    /// What the value says of the past, validated; none when nothing has happened since the past before it was put away.
    pub(crate) fn past(&self) -> Result<Option<&ArchivedPast>, Error> {
        open_past(self.key, sealed::after_first(self.held.bytes()))
    }

    /// As [`Person::past`], for a person whose past was validated before.
    fn past_again(&self) -> Option<&ArchivedPast> {
        let section = sealed::after_first(self.held.bytes());
        (!section.is_empty()).then(|| sealed::reopen(section))
    }

    /// Every fact known now, of all of valid time, marked rows and rows that aged out of the window included.
    pub fn facts(&self) -> impl Iterator<Item = FactView<'_>> {
        self.facts_known(u32::MAX)
    }

    /// The facts that were believed as of a delivery already.
    pub(crate) fn facts_known(&self, at: u32) -> impl Iterator<Item = FactView<'_>> {
        self.archived().facts().filter(move |(fact, _)| fact.known_from <= at).filter_map(|(fact, values)| {
            FactView::new(fact.record, fact.shape, Known { from: fact.known_from, to: None }, values)
        })
    }

    /// The last delivery that changed how the person is held: its facts or the shape of its lines.
    pub fn delivered(&self) -> DeliveryNumber {
        self.delivered
    }
}

/// Validates the first section of a person's value, and says which delivery it came with.
#[inline]
fn validate(key: u32, value: &[u8]) -> Result<DeliveryNumber, Error> {
    let payload = sealed::open(name::PERSONS, (key, 0), value)?;
    let person = sealed::access::<ArchivedPerson>(name::PERSONS, payload)?;
    Ok(DeliveryNumber(person.delivered.to_native()))
}

/// Opens and validates the second section of a person's value; none when it is empty.
pub(crate) fn open_past(key: u32, section: &[u8]) -> Result<Option<&ArchivedPast>, Error> {
    if section.is_empty() {
        return Ok(None);
    }
    let (payload, after) = sealed::open_first(name::PERSONS, (key, OPEN_SEGMENT), section)?;
    if !after.is_empty() {
        return Err(Error::Corrupt { table: name::PERSONS, what: "more than two sections" });
    }
    sealed::access::<ArchivedPast>(name::PERSONS, payload).map(Some)
}

/// Past that was put away: one stored row, validated.
pub(crate) struct PutAway<'s> {
    held: Held<'s>,
}

impl<'s> PutAway<'s> {
    pub(crate) fn open(row: (u32, u32), guard: AccessGuard<'s, &'static [u8]>) -> Result<PutAway<'s>, Error> {
        let held = Held::new(guard);
        sealed::access::<ArchivedPast>(name::SUPERSEDED, sealed::open(name::SUPERSEDED, row, held.bytes())?)?;
        Ok(PutAway { held })
    }

    pub(crate) fn archived(&self) -> &ArchivedPast {
        sealed::reopen(self.held.bytes())
    }
}

/// Facts of the past with their ids, of those spans of deliveries that are wanted.
pub(crate) fn past_facts(
    past: &ArchivedPast,
    wanted: impl Fn(Known) -> bool,
) -> impl Iterator<Item = (u16, FactView<'_>)> {
    past.facts().filter_map(move |(fact, values, known_to)| {
        let known = Known { from: fact.known_from, to: Some(known_to) };
        let view = wanted(known).then(|| FactView::new(fact.record, fact.shape, known, values))?;
        Some((fact.id, view?))
    })
}

/// A person as of a delivery, and when asked for, as of a moment in the world.
pub struct Image<'s> {
    pub(crate) person: Option<Person<'s>>,
    /// True when the past in the person's value, validated, is part of the image.
    pub(crate) looks_back: bool,
    /// The past before it, oldest first, as far as it is part of the image.
    pub(crate) put_away: Vec<PutAway<'s>>,
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
    pub fn facts(&self) -> impl Iterator<Item = FactView<'_>> {
        self.believed().filter(|fact| self.valid.is_none_or(|at| fact.holds_at(at)))
    }

    /// The facts that were believed as of the delivery, of all of valid time, marked rows included.
    pub fn believed(&self) -> impl Iterator<Item = FactView<'_>> {
        self.believed_at(self.known.0)
    }

    /// As [`Image::believed`], for a delivery from which on the image holds the past.
    pub(crate) fn believed_at(&self, known: u32) -> impl Iterator<Item = FactView<'_>> {
        let now = self.person.iter().flat_map(move |person| person.facts_known(known));
        let past = self.pasts().flat_map(move |past| past_facts(past, move |span| span.contains(known)));
        now.chain(past.map(|(_, fact)| fact))
    }

    /// What is part of the image of what happened to the person, oldest first.
    pub(crate) fn pasts(&self) -> impl Iterator<Item = &ArchivedPast> {
        let recent = self.person.as_ref().filter(|_| self.looks_back).and_then(Person::past_again);
        self.put_away.iter().map(PutAway::archived).chain(recent)
    }

    /// True when the replica held anything of the person as of the delivery.
    pub(crate) fn is_held(&self) -> bool {
        // What the last delivery brought is there; else a fact must have been believed before.
        self.person.as_ref().is_some_and(|person| person.delivered() <= self.known) || self.believed().next().is_some()
    }

    /// The facts of one aspect among [`Image::facts`].
    pub fn aspect(&self, aspect: Aspect) -> impl Iterator<Item = FactView<'_>> {
        self.facts().filter(move |fact| fact.aspect() == aspect)
    }

    /// Where the person was, on the residence line of address, abroad and disappeared; none when no row says.
    ///
    /// At any time at most one of the three holds. Should rows overlap, the one that began last is the answer.
    pub fn residence(&self, at: Timestamp) -> Option<Residence<'_>> {
        let rows = self.believed().filter(|fact| fact.aspect().is_residence() && fact.holds_at(at));
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
    Address(FactView<'a>),
    /// Abroad.
    Abroad(FactView<'a>),
    /// Disappeared.
    Disappeared(FactView<'a>),
}

//! Persons as they are read: now, or as of a moment in the world and a delivery.

use bitemporal::Known;
use cpr_model::stored::v1::{ArchivedPast, ArchivedPerson};
use cpr_model::{Aspect, Timestamp};
use redb::AccessGuard;

use crate::delivery::DeliveryNumber;
use crate::envelope::Stored;
use crate::error::Error;
use crate::fact::FactView;

pub(crate) const PERSONS_TABLE: &str = "persons/v1";
pub(crate) const SUPERSEDED_TABLE: &str = "superseded/v1";

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
    stored: Stored<'s, ArchivedPerson>,
}

/// Says how much there is, not whose.
impl std::fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person of {} facts", self.archived().facts.len())
    }
}

impl<'s> Person<'s> {
    /// Opens and validates a stored value.
    pub(crate) fn open(key: u32, guard: AccessGuard<'s, &'static [u8]>) -> Result<Person<'s>, Error> {
        Ok(Person { stored: Stored::open(PERSONS_TABLE, (key, 0), guard)? })
    }

    pub(crate) fn archived(&self) -> &ArchivedPerson {
        self.stored.archived()
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
        DeliveryNumber(self.archived().delivered.to_native())
    }
}

/// What ceased to be believed of a person: one stored row.
pub(crate) struct Past<'s> {
    stored: Stored<'s, ArchivedPast>,
}

impl std::fmt::Debug for Past<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Past of {} facts", self.archived().facts.len())
    }
}

impl<'s> Past<'s> {
    /// Opens and validates a stored value.
    pub(crate) fn open(row: (u32, u32), guard: AccessGuard<'s, &'static [u8]>) -> Result<Past<'s>, Error> {
        Ok(Past { stored: Stored::open(SUPERSEDED_TABLE, row, guard)? })
    }

    pub(crate) fn archived(&self) -> &ArchivedPast {
        self.stored.archived()
    }

    /// The facts, with their ids.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (u16, FactView<'_>)> {
        self.views(|_| true)
    }

    /// The facts that were still believed as of a delivery, with their ids.
    pub(crate) fn facts_known(&self, at: u32) -> impl Iterator<Item = (u16, FactView<'_>)> {
        self.views(move |known| known.contains(at))
    }

    fn views(&self, wanted: impl Fn(Known) -> bool) -> impl Iterator<Item = (u16, FactView<'_>)> {
        self.archived().facts().filter_map(move |(fact, values, known_to)| {
            let known = Known { from: fact.known_from, to: Some(known_to) };
            let view = wanted(known).then(|| FactView::new(fact.record, fact.shape, known, values))?;
            Some((fact.id, view?))
        })
    }
}

/// A person as of a delivery, and when asked for, as of a moment in the world.
#[derive(Debug)]
pub struct Image<'s> {
    pub(crate) person: Option<Person<'s>>,
    pub(crate) past: Vec<Past<'s>>,
    pub(crate) known: DeliveryNumber,
    pub(crate) valid: Option<Timestamp>,
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
        let known = self.known.0;
        let now = self.person.iter().flat_map(move |person| person.facts_known(known));
        now.chain(self.past.iter().flat_map(move |past| past.facts_known(known)).map(|(_, fact)| fact))
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

//! Persons as they are read: now, or as of a moment in the world and a delivery.

use bitemporal::Known;
use cpr_model::stored::v1::{ArchivedPerson, ArchivedSuperseded};
use cpr_model::{Aspect, Timestamp, Values};
use redb::AccessGuard;
use rkyv::util::AlignedVec;

use crate::delivery::DeliveryNumber;
use crate::envelope;
use crate::error::Error;
use crate::fact::{Fact, FactView, bad_shape};

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
    bytes: Bytes<'s>,
}

enum Bytes<'s> {
    InPlace(AccessGuard<'s, &'static [u8]>),
    Copied(AlignedVec<4>),
}

/// Says how much there is, not whose.
impl std::fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person of {} facts", self.archived().facts.len())
    }
}

impl<'s> Person<'s> {
    /// Opens and validates a stored value: header, checksum, archive.
    pub(crate) fn open(key: u32, guard: AccessGuard<'s, &'static [u8]>) -> Result<Person<'s>, Error> {
        let payload = envelope::open(PERSONS_TABLE, key, guard.value())?;
        let bytes = if envelope::is_aligned(payload) {
            envelope::access::<ArchivedPerson>(PERSONS_TABLE, payload)?;
            Bytes::InPlace(guard)
        } else {
            let mut copy = AlignedVec::with_capacity(payload.len());
            copy.extend_from_slice(payload);
            envelope::access::<ArchivedPerson>(PERSONS_TABLE, &copy)?;
            Bytes::Copied(copy)
        };
        Ok(Person { bytes })
    }

    pub(crate) fn archived(&self) -> &ArchivedPerson {
        let payload = match &self.bytes {
            Bytes::InPlace(guard) => payload(guard.value()),
            Bytes::Copied(copy) => copy,
        };
        envelope::access(PERSONS_TABLE, payload).expect("the same bytes were validated by `open`")
    }

    /// Every fact known now, of all of valid time, marked rows and rows that aged out of the window included.
    pub fn facts(&self) -> impl Iterator<Item = FactView<'_>> {
        self.archived().facts().filter_map(|(fact, values)| {
            FactView::new(fact.record, fact.shape, Known { from: fact.known_from, to: None }, values)
        })
    }

    /// The last delivery that changed how the person is held: its facts or the shape of its lines.
    pub fn delivered(&self) -> DeliveryNumber {
        DeliveryNumber(self.archived().delivered.to_native())
    }
}

fn payload(sealed: &[u8]) -> &[u8] {
    let length = sealed.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    sealed.get(envelope::HEADER..envelope::HEADER + length as usize).unwrap_or_default()
}

/// A person as of a delivery, and when asked for, as of a moment in the world.
#[derive(Debug)]
pub struct Image<'s> {
    pub(crate) person: Option<Person<'s>>,
    pub(crate) superseded: Vec<Past>,
    pub(crate) known: DeliveryNumber,
    pub(crate) valid: Option<Timestamp>,
}

/// A superseded fact, or where several of them stand.
pub(crate) struct Past {
    pub(crate) id: u16,
    pub(crate) fact: Fact,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.fact.fmt(f)
    }
}

impl Past {
    /// Opens a stored superseded fact.
    pub(crate) fn open(key: u32, known_to: u32, sealed: &[u8]) -> Result<Past, Error> {
        envelope::with_archive::<ArchivedSuperseded, _>(SUPERSEDED_TABLE, key, sealed, |stored| {
            let known = Known { from: stored.known_from.to_native(), to: Some(known_to) };
            let values = Values::new(&stored.values);
            let view = FactView::new(stored.record, stored.shape, known, values).ok_or(bad_shape(SUPERSEDED_TABLE))?;
            Ok(Past { id: stored.id.to_native(), fact: view.to_fact() })
        })?
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
        let now = self.person.iter().flat_map(Person::facts).filter(|fact| fact.known().contains(self.known.0));
        now.chain(self.superseded.iter().map(|past| past.fact.view()))
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

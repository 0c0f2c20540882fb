//! Persons as they are read: now, or as of a moment in the world and a delivery.

use cpr_model::{Aspect, CurrentRows, Date, Fact, Pnr, ProtectionKind, Status, Timestamp, Values, facts};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::person::stored::v2::{ArchivedDocument, ArchivedPast};
use crate::person::value::{HeldPerson, PastSegment, open_past, past_again};
use crate::store::guard::Guard;
use crate::store::sealed;

/// Whether the replica can answer for an aspect of a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
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
    held: HeldPerson<'s>,
    key: u32,
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
    pub(crate) fn open(key: u32, guard: Guard<'s, &'static [u8]>) -> Result<Person<'s>, Error> {
        Ok(Person { held: HeldPerson::open(key, guard)?, key })
    }

    /// As [`Person::open`], and the seal is opened whatever stands for the value.
    pub(crate) fn open_sealed(key: u32, guard: Guard<'s, &'static [u8]>) -> Result<Person<'s>, Error> {
        Ok(Person { held: HeldPerson::open_sealed(key, guard)?, key })
    }

    #[inline]
    pub(crate) fn archived(&self) -> &ArchivedDocument {
        self.held.document()
    }

    /// What the value says of the past, validated; none when nothing has happened since the past before it was put
    /// away.
    pub(crate) fn past(&self) -> Result<Option<&ArchivedPast>, Error> {
        open_past(self.key, sealed::after_first(self.held.bytes()))
    }

    /// Every fact known now: historic rows, rows that CPR marked as wrong and rows that aged out of the window are
    /// among them, in no promised order ([`Fact::told_order`] is one). What holds now is [`Person::facts`].
    pub fn all_facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.archived().facts()
    }

    /// The facts that hold now: current, and not marked as wrong.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.all_facts().filter(|fact| !fact.is_historic() && fact.mark().is_none())
    }

    /// The rows that count now, by what they are about. Take it once for several questions.
    pub fn current(&self) -> CurrentRows<'_> {
        CurrentRows::read(self.all_facts(), None)
    }

    /// The facts that were believed as of a delivery already.
    pub(crate) fn facts_known(&self, at: u32) -> impl Iterator<Item = Fact<'_>> {
        self.all_facts().filter(move |fact| fact.known().from <= at)
    }

    /// The last delivery that changed how the person is held: its facts or the shape of its lines.
    pub fn delivered(&self) -> DeliveryNumber {
        DeliveryNumber(self.held.delivered())
    }
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

    /// The facts that hold: as of the delivery, at the moment asked for, or without one now.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.all_facts().filter(|fact| match self.valid {
            Some(at) => fact.holds_at(at),
            None => !fact.is_historic() && fact.mark().is_none(),
        })
    }

    /// The rows that count, as [`Image::facts`] has them, by what they are about. Take it once for several questions.
    pub fn current(&self) -> CurrentRows<'_> {
        CurrentRows::read(self.all_facts(), self.valid)
    }

    /// The facts that were believed as of the delivery, of all of valid time, marked rows included, in no promised
    /// order ([`Fact::told_order`] is one).
    pub fn all_facts(&self) -> impl Iterator<Item = Fact<'_>> {
        self.believed_at(self.known.0)
    }

    /// As [`Image::all_facts`], for a delivery from which on the image holds the past.
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

    /// The events that a delivery brought, for one from which on the image holds the past.
    pub(crate) fn events_of(&self, delivery: DeliveryNumber) -> impl Iterator<Item = Values<'_>> {
        let events = self.pasts().flat_map(|past| past.events());
        events.filter(move |(event, _)| event.delivery == delivery.0).map(|(_, values)| values)
    }

    /// True when the replica held anything of the person as of the delivery.
    pub(crate) fn is_held(&self) -> bool {
        // What the last delivery brought is there; else a fact must have been believed before.
        self.person.as_ref().is_some_and(|person| person.delivered() <= self.known) || self.all_facts().next().is_some()
    }

    /// The facts of one aspect among [`Image::facts`].
    pub fn aspect(&self, aspect: Aspect) -> impl Iterator<Item = Fact<'_>> {
        self.facts().filter(move |fact| fact.aspect() == aspect)
    }

    /// Where the person was, on the residence line of address, abroad and disappeared; none when no row says.
    ///
    /// At any time at most one of the three holds. Should rows overlap, the one that began last is the answer.
    pub fn residence(&self, at: Timestamp) -> Option<Residence<'_>> {
        let current = CurrentRows::read(self.all_facts(), Some(at));
        let is_there = |fact: &Fact<'_>| fact.aspect() != Aspect::Address || current.lives_somewhere();
        let rows = self.all_facts().filter(|fact| fact.aspect().is_residence() && fact.holds_at(at)).filter(is_there);
        let began = |one: &Fact<'_>, other: &Fact<'_>| one.valid().from.cmp(&other.valid().from);
        let last = rows.max_by(|one, other| began(one, other).then_with(|| one.told_order(other)));
        last.map(|fact| match fact.aspect() {
            Aspect::Emigration => Residence::Abroad(fact),
            Aspect::Disappearance => Residence::Disappeared(fact),
            _ => Residence::Address(fact),
        })
    }
}

/// The everyday questions, asked of the rows that count.
macro_rules! everyday {
    ($($type:ident)*) => {
        $(impl $type<'_> {
            /// Navn (008).
            pub fn name(&self) -> Option<facts::Name<'_>> {
                self.current().name()
            }

            /// Where the person lives (002); none for whom only a last known address is kept.
            pub fn address(&self) -> Option<facts::Address<'_>> {
                self.current().address()
            }

            /// Klarskriftadresse (003), with the addressing name.
            pub fn formatted_address(&self) -> Option<facts::FormattedAddress<'_>> {
                self.current().formatted_address()
            }

            /// Civilstand (012).
            pub fn civil_status(&self) -> Option<facts::CivilStatus<'_>> {
                self.current().civil_status()
            }

            /// Statsborgerskab (010).
            pub fn citizenship(&self) -> Option<facts::Citizenship<'_>> {
                self.current().citizenship()
            }

            /// STATUS, of which CPR keeps no history.
            pub fn status(&self) -> Option<Status> {
                self.current().status()
            }

            /// FOED_DT, which may differ from the date in the number.
            pub fn birth_date(&self) -> Option<Date> {
                self.current().birth_date()
            }

            /// BESKYTTYPE of each protection on record (004), ascending. CPR keeps no history of them: they are those
            /// known as of the delivery, whatever the moment.
            pub fn protections(&self) -> Vec<ProtectionKind> {
                CurrentRows::read(self.all_facts(), None).protection_kinds()
            }

            /// The children's numbers (014), ascending.
            pub fn children(&self) -> Vec<Pnr> {
                self.current().children()
            }
        })*
    };
}

everyday! { Person Image }

/// Where a person was.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Residence<'a> {
    /// At an address in Denmark or Greenland.
    Address(Fact<'a>),
    /// Abroad.
    Abroad(Fact<'a>),
    /// Disappeared.
    Disappeared(Fact<'a>),
}

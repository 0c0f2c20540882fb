//! Everything that was ever believed of a person, read in place, and whom each delivery concerns: for whoever carries
//! the facts of the register elsewhere, all of them or what one delivery opened and closed.

use cpr_model::{Fact, Pnr, Values, facts};
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::person_set::PersonSet;
use crate::person::image::{Image, Person};
use crate::person::stored::v2::ArchivedPast;
use crate::snapshot::Snapshot;
use crate::store::bitmap::open_set;
use crate::store::key::Key;
use crate::store::secret::derive_key;
use crate::store::tables::name;

/// What is known of a person and what was, with the events received: read in place for as long as the snapshot is
/// borrowed.
#[derive(Debug)]
pub struct Versions<'s> {
    image: Image<'s>,
}

impl Versions<'_> {
    /// Every fact that was ever believed, those believed now among them; in no promised order. A fact that delivery N
    /// opened has `known().from` N, one that it closed `known().to` N.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'_>> {
        let now = self.image.person.iter().flat_map(Person::all_facts);
        now.chain(self.image.pasts().flat_map(ArchivedPast::facts))
    }

    /// The events (099, 900) in the order in which they came, each with the delivery that brought it and its record
    /// number.
    pub fn events(&self) -> impl Iterator<Item = (DeliveryNumber, u16, facts::Event<'_>)> {
        self.image.pasts().flat_map(|past| past.events()).map(|(event, values)| {
            (DeliveryNumber(event.delivery), event.record as u16, facts::Event::new(Values::new(values.bytes())))
        })
    }
}

impl Snapshot {
    /// Everything that was ever believed of a person; none when the number is not held.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let snapshot = demo()?.snapshot();
    /// use cpr_replika::cpr_model::Aspect;
    /// let versions = snapshot.versions("6101801234".parse()?)?.ok_or("held")?;
    /// let addresses = versions.facts().filter(|fact| fact.aspect() == Aspect::Address);
    /// let closed = addresses.filter(|fact| fact.known().to == Some(2)).count();
    /// assert_eq!((closed, versions.events().count()), (2, 3), "rows that the second delivery took back; events");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn versions(&self, pnr: Pnr) -> Result<Option<Versions<'_>>, Error> {
        let Some(key) = pnr.key() else { return Ok(None) };
        let image = self.whole(key)?;
        Ok(image.person.is_some().then_some(Versions { image }))
    }

    /// Whom a delivery concerns: who is new or changed by it, and whom it brought an event.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::DeliveryNumber;
    /// let snapshot = demo()?.snapshot();
    /// assert_eq!(snapshot.concerned_by(DeliveryNumber(1))?.len(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn concerned_by(&self, delivery: DeliveryNumber) -> Result<PersonSet, Error> {
        self.concerned(delivery).map(PersonSet)
    }

    pub(crate) fn concerned(&self, delivery: DeliveryNumber) -> Result<RoaringBitmap, Error> {
        let mut persons = self.changed_keys(delivery)?;
        let rows = (delivery.0, &b""[..])..(delivery.0.saturating_add(1), &b""[..]);
        for row in self.tables().changed_by.range::<(u32, &[u8])>(rows)? {
            let (key, sealed) = row?;
            persons |= open_set(name::CHANGED_BY, (key.value().0, 0), sealed.value())?;
        }
        Ok(persons)
    }

    /// A secret key for a purpose of the host's, the same for this store, its packs and its copies whenever it is asked
    /// for, and another for each purpose and each store. Whoever has the store has the key.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let snapshot = demo()?.snapshot();
    /// let [one, other] = [snapshot.derive_key("pseudonyms for A")?, snapshot.derive_key("pseudonyms for B")?];
    /// assert_ne!(one.reveal(), other.reveal());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn derive_key(&self, purpose: &str) -> Result<Key, Error> {
        derive_key(&self.tables().meta, purpose)
    }
}

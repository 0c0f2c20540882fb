//! The digest of a state, computed anew: two stores that took the same files have the same, and so have their packs and
//! whatever was restored or copied from them. The ledger has it for each delivery.

use cpr_model::{Fact, PersonKey};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::ledger::state_digest::{PersonSum, StateDigest, StateSum};
use crate::person::image::Image;
use crate::person::stored::v2::ArchivedPast;
use crate::snapshot::Snapshot;
use crate::store::tables::name;

impl Snapshot {
    /// The digest of this state, computed anew: every person is read.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let [one, other] = [demo()?, demo()?];
    /// assert_eq!(one.snapshot().state_digest()?, other.snapshot().state_digest()?, "they took the same files");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn state_digest(&self) -> Result<StateDigest, Error> {
        let mut sum = StateSum::default();
        for row in self.tables().persons.range::<u32>(..)? {
            let (key, _) = row?;
            sum.add(self.sum_of(key.value())?);
        }
        self.digest_of(sum)
    }

    /// The digest of this state as the ledger has it; none where it has none: before any delivery, and where a store
    /// went without it.
    pub fn ledger_digest(&self) -> Option<StateDigest> {
        self.last_delivery()?.state
    }

    /// That of the ledger, or computed anew.
    pub(crate) fn known_digest(&self) -> Result<StateDigest, Error> {
        self.ledger_digest().map_or_else(|| self.state_digest(), Ok)
    }

    /// The digest of a state with this sum.
    pub(crate) fn digest_of(&self, sum: StateSum) -> Result<StateDigest, Error> {
        let deliveries = self.deliveries()?;
        Ok(StateDigest::new(sum, self.tables().persons.len()?, deliveries.iter().map(|delivery| &delivery.digest)))
    }

    /// The sum over these persons.
    pub(crate) fn sum_of_all(&self, keys: &RoaringBitmap) -> Result<StateSum, Error> {
        let mut sum = StateSum::default();
        for key in keys {
            sum.add(self.sum_of(key)?);
        }
        Ok(sum)
    }

    /// The sum over what was ever believed of one person.
    fn sum_of(&self, key: u32) -> Result<StateSum, Error> {
        let person = PersonKey::from_u32(key);
        let person = person.ok_or(Error::Corrupt { table: name::PERSONS, what: "a key of no number" })?;
        Ok(sum_of_image(key, &self.whole(person)?))
    }
}

fn sum_of_image(key: u32, image: &Image<'_>) -> StateSum {
    let mut hashed = Vec::new();
    let mut sum = sum_of_facts(key, image.person.iter().flat_map(|person| person.all_facts()), &mut hashed);
    for past in image.pasts() {
        sum.add(sum_of_past(key, past, &mut hashed));
    }
    sum
}

/// The sum over a past of a person.
pub(crate) fn sum_of_past(key: u32, past: &ArchivedPast, hashed: &mut Vec<u8>) -> StateSum {
    let mut sum = sum_of_facts(key, past.facts(), hashed);
    let mut person = PersonSum::new(key, hashed);
    for (event, values) in past.events() {
        person.add_event(event.record as u16, values, event.delivery);
    }
    sum.add(person.sum);
    sum
}

/// The sum over facts of a person.
pub(crate) fn sum_of_facts<'a>(key: u32, facts: impl Iterator<Item = Fact<'a>>, hashed: &mut Vec<u8>) -> StateSum {
    let mut person = PersonSum::new(key, hashed);
    for fact in facts {
        let (record, kind, values) = fact.line();
        person.add_fact(record.into(), kind, values, (fact.known().from, fact.known().to));
    }
    person.sum
}

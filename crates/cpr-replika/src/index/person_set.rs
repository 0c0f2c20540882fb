//! Sets of persons, as queries give them.

use std::fmt;

use cpr_model::PersonKey;
use roaring::RoaringBitmap;

/// A set of persons, in the order of their keys: by the birth date in the number.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct PersonSet(pub(crate) RoaringBitmap);

/// Says how many there are, not who.
impl fmt::Debug for PersonSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonSet of {}", self.len())
    }
}

impl PersonSet {
    /// How many persons.
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// True when there is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when the person is among them.
    pub fn contains(&self, key: PersonKey) -> bool {
        self.0.contains(key.as_u32())
    }

    /// The persons in key order.
    pub fn iter(&self) -> impl Iterator<Item = PersonKey> + '_ {
        self.0.iter().filter_map(PersonKey::from_u32)
    }

    /// The persons behind this one, in key order: the next page after the last row of the one before. It stays right
    /// while deliveries arrive, since a key is a place of its own.
    pub fn after(&self, last: PersonKey) -> impl Iterator<Item = PersonKey> + '_ {
        let first = last.as_u32().saturating_add(1);
        self.0.range(first..).filter_map(PersonKey::from_u32)
    }
}

impl FromIterator<PersonKey> for PersonSet {
    fn from_iter<I: IntoIterator<Item = PersonKey>>(keys: I) -> Self {
        PersonSet(keys.into_iter().map(PersonKey::as_u32).collect())
    }
}

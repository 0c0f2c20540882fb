//! A digest of everything that is known of persons: two stores that took the same files have the same, and so have
//! their packs and whatever was restored or copied from them.
//!
//! It is a sum over the facts and events of all persons, with the deliveries between which they were believed, and a
//! digest of the files that they came in. So it does not depend on how rows stand, and what some persons' rows say can
//! be taken from it and put to it. It finds accidents, not forgeries.

use std::fmt;

use cpr_model::PersonKey;
use roaring::RoaringBitmap;
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;

use crate::error::Error;
use crate::person::image::Image;
use crate::person::stored::v2::ArchivedPast;
use crate::snapshot::Snapshot;
use crate::store::tables::name;

/// What stands before the bytes of a fact, and of an event.
const FACT: u8 = 1;
const EVENT: u8 = 2;

/// A digest of the state of persons; 64 hexadecimal digits as text.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct StateDigest {
    sum: u128,
    /// The first half of the SHA-256 of the number of persons and the digests of the files.
    files: [u8; 16],
}

impl StateDigest {
    /// The bytes, as they stand in the header of a pack.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.sum.to_le_bytes());
        bytes[16..].copy_from_slice(&self.files);
        bytes
    }

    /// The digest of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> StateDigest {
        let (sum, files) = bytes.split_at(16);
        let half = |half: &[u8]| -> [u8; 16] { half.try_into().expect("half of 32 bytes") };
        StateDigest { sum: u128::from_le_bytes(half(sum)), files: half(files) }
    }
}

impl fmt::Display for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl fmt::Debug for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateDigest({self})")
    }
}

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
        let mut sum = 0u128;
        for row in self.tables().persons.range::<u32>(..)? {
            let (key, _) = row?;
            sum = sum.wrapping_add(self.sum_of(key.value())?);
        }
        self.digest_of(sum)
    }

    /// The digest of this state, by that of an earlier one outside of whose persons in `touched` nothing differs.
    pub(crate) fn digest_since(
        &self,
        earlier: &Snapshot,
        digest: StateDigest,
        touched: &RoaringBitmap,
    ) -> Result<StateDigest, Error> {
        let mut sum = digest.sum;
        for key in touched {
            sum = sum.wrapping_sub(earlier.sum_of(key)?).wrapping_add(self.sum_of(key)?);
        }
        self.digest_of(sum)
    }

    fn digest_of(&self, sum: u128) -> Result<StateDigest, Error> {
        let mut files = Sha256::new();
        files.update(self.tables().persons.len()?.to_le_bytes());
        for delivery in self.deliveries()? {
            files.update(delivery.digest);
        }
        let files = *files.finalize().first_chunk().expect("a digest has 32 bytes");
        Ok(StateDigest { sum, files })
    }

    /// The sum over what was ever believed of one person.
    fn sum_of(&self, key: u32) -> Result<u128, Error> {
        let person = PersonKey::from_u32(key);
        let person = person.ok_or(Error::Corrupt { table: name::PERSONS, what: "a key of no number" })?;
        Ok(sum_of_image(key, &self.whole(person)?))
    }
}

fn sum_of_image(key: u32, image: &Image<'_>) -> u128 {
    let (mut sum, mut bytes) = (0u128, Vec::new());
    let mut add = |what: u8, record: u16, kind: u8, known: [u32; 2], values: &[u8]| {
        bytes.clear();
        bytes.extend(key.to_le_bytes());
        bytes.extend([what, kind]);
        bytes.extend(record.to_le_bytes());
        bytes.extend(known.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend_from_slice(values);
        sum = sum.wrapping_add(XxHash3_128::oneshot(&bytes));
    };
    let now = image.person.iter().flat_map(|person| person.all_facts());
    for fact in now.chain(image.pasts().flat_map(ArchivedPast::facts)) {
        let known = fact.known();
        let (record, kind, values) = fact.line();
        add(FACT, record.into(), kind.0, [known.from, known.to.unwrap_or(u32::MAX)], values.bytes());
    }
    for (event, values) in image.pasts().flat_map(|past| past.events()) {
        add(EVENT, event.record as u16, 0, [event.delivery, event.delivery], values.bytes());
    }
    sum
}

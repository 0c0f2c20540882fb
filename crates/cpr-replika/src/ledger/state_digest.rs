//! The digest of everything that is known of persons, and how it is added up.
//!
//! It is a sum over the facts and events of all persons, with the deliveries between which they were believed, and a
//! digest of the files that they came in. So it does not depend on how rows stand, and a delivery carries it on by what
//! it brings and takes back. It finds accidents, not forgeries.

use std::fmt;

use cpr_model::{RowKind, Values};
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;

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
    /// Of a sum, how many persons there are, and the SHA-256 of each file in the order of the deliveries.
    pub(crate) fn new<'f>(sum: StateSum, persons: u64, files: impl IntoIterator<Item = &'f [u8; 32]>) -> StateDigest {
        let mut digest = Sha256::new_with_prefix(persons.to_le_bytes());
        files.into_iter().for_each(|file| digest.update(file));
        StateDigest { sum: sum.0, files: *digest.finalize().first_chunk().expect("a digest has 32 bytes") }
    }

    /// The sum in it.
    pub(crate) fn sum(self) -> StateSum {
        StateSum(self.sum)
    }

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

/// A sum over facts and events, to which some are added and from which some are taken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct StateSum(u128);

impl StateSum {
    pub(crate) fn add(&mut self, other: StateSum) {
        self.0 = self.0.wrapping_add(other.0);
    }

    pub(crate) fn take(&mut self, other: StateSum) {
        self.0 = self.0.wrapping_sub(other.0);
    }
}

/// Adds up what was ever believed of one person.
pub(crate) struct PersonSum<'b> {
    key: u32,
    pub(crate) sum: StateSum,
    bytes: &'b mut Vec<u8>,
}

impl<'b> PersonSum<'b> {
    /// Nothing yet; the buffer is for what is hashed.
    pub(crate) fn new(key: u32, bytes: &'b mut Vec<u8>) -> PersonSum<'b> {
        PersonSum { key, sum: StateSum::default(), bytes }
    }

    /// A fact that was believed from one delivery to another, or still is.
    #[inline]
    pub(crate) fn add_fact(&mut self, record: u16, kind: RowKind, values: Values<'_>, known: (u32, Option<u32>)) {
        let of = self.fact(record, kind, values, known);
        self.sum.add(of);
    }

    /// A fact that was still believed, and is up to this delivery.
    pub(crate) fn end_fact(&mut self, record: u16, kind: RowKind, values: Values<'_>, known: (u32, u32)) {
        let before = self.fact(record, kind, values, (known.0, None));
        self.sum.take(before);
        self.add_fact(record, kind, values, (known.0, Some(known.1)));
    }

    /// An event as a delivery brought it.
    pub(crate) fn add_event(&mut self, record: u16, values: Values<'_>, delivery: u32) {
        let of = self.hash([EVENT, 0], record, [delivery; 2], values.bytes());
        self.sum.add(of);
    }

    fn fact(&mut self, record: u16, kind: RowKind, values: Values<'_>, (from, to): (u32, Option<u32>)) -> StateSum {
        self.hash([FACT, kind.0], record, [from, to.unwrap_or(u32::MAX)], values.bytes())
    }

    #[inline]
    fn hash(&mut self, what: [u8; 2], record: u16, known: [u32; 2], values: &[u8]) -> StateSum {
        let mut head = [0; 16];
        head[..4].copy_from_slice(&self.key.to_le_bytes());
        head[4..6].copy_from_slice(&what);
        head[6..8].copy_from_slice(&record.to_le_bytes());
        head[8..12].copy_from_slice(&known[0].to_le_bytes());
        head[12..].copy_from_slice(&known[1].to_le_bytes());
        self.bytes.clear();
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(values);
        StateSum(XxHash3_128::oneshot(self.bytes))
    }
}

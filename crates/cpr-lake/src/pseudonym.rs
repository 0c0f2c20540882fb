//! Who a row is about, without saying who: a keyed pseudonym of the personnummer.
//!
//! A `PersonKey` is a bijection with the number, and so is any number made of it without a key: whoever has it has the
//! person. A pseudonym is the first 63 bits of HMAC-SHA-256 over the ten digits, under one key for each recipient. The
//! same person has the same pseudonym in every table, relation and delivery of one recipient, and another one
//! elsewhere. Of ten million persons two collide in one lake of some 180 000; a collision is found when it is written,
//! and refused.

use std::fmt;

use cpr_replika::Key;
use cpr_replika::cpr_model::Pnr;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key under which one recipient knows persons. Whoever has it can find out by trying whom a pseudonym stands for:
/// it stays in the house.
#[derive(Clone)]
pub struct PseudonymKey(Hmac<Sha256>);

/// Says nothing of the key.
impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(..)")
    }
}

impl PseudonymKey {
    /// The key of these bytes: a file of the house's, or [`cpr_replika::Snapshot::derive_key`].
    pub fn new(key: &Key) -> PseudonymKey {
        PseudonymKey(Hmac::<Sha256>::new_from_slice(key.reveal()).expect("HMAC takes keys of any length"))
    }

    /// Whom rows mean by a number: never 0, which stands for "exists, number not known".
    ///
    /// ```
    /// use cpr_lake::PseudonymKey;
    /// use cpr_replika::{Key, cpr_model::Pnr};
    /// let pnr = Pnr::parse(b"6101801234").ok_or("ten digits")?;
    /// let [one, other] = [1, 2].map(|byte| PseudonymKey::new(&Key::from_bytes([byte; 32])));
    /// assert_eq!(one.pseudonym(pnr), one.pseudonym(pnr));
    /// assert_ne!(one.pseudonym(pnr), other.pseudonym(pnr));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn pseudonym(&self, pnr: Pnr) -> i64 {
        let full = self.0.clone().chain_update(pnr.reveal_digits()).finalize().into_bytes();
        let first = u64::from_be_bytes(*full.first_chunk().expect("an HMAC has 32 bytes"));
        ((first >> 1) as i64).max(1)
    }

    /// What tells keys apart without telling them: a lake is only added to under the key that it began with.
    pub(crate) fn fingerprint(&self) -> String {
        let full = self.0.clone().chain_update(b"fingerprint of a key of pseudonyms").finalize().into_bytes();
        hex::encode(&full[..8])
    }
}

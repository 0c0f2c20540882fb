//! Encryption of blocks: AES-256-GCM, and the wrapping of a store's data key by the key of a key source.
//!
//! Nonces are random, 96 bits. Under one data key no more than 2^32 blocks are sealed (NIST SP 800-38D for random
//! nonces); the count stands in the root. ring keeps its expanded key to itself and does not clear it; the bytes it is
//! made from are.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};

use super::geometry::StoreId;
use crate::damage::BlockError;
use crate::store::key::Key;

/// Bytes of a check: nonce, tag, zeros to 32.
pub(in crate::store) const CHECK: usize = 32;
/// Bytes of nonce and tag.
pub(in crate::store) const NONCE_AND_TAG: usize = NONCE_LEN + 16;
/// How many blocks are sealed under one data key.
const MOST_SEALS: u64 = 1 << 32;
/// The number under which a data key is wrapped; no block has it.
const WRAPPING: u64 = u64::MAX;

/// The cipher of one store.
pub(crate) struct Cipher {
    key: LessSafeKey,
    id: StoreId,
    seals: AtomicU64,
    /// Random bytes not used yet: asking the system for twelve costs as much as encrypting a block.
    random: Mutex<Vec<u8>>,
}

/// Says nothing of the key.
impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(..)")
    }
}

impl Cipher {
    pub(in crate::store) fn new(key: &Key, id: StoreId) -> Cipher {
        let key = UnboundKey::new(&AES_256_GCM, key.reveal()).expect("a key of 32 bytes");
        Cipher { key: LessSafeKey::new(key), id, seals: AtomicU64::new(0), random: Mutex::default() }
    }

    pub(in crate::store) fn seals(&self) -> u64 {
        self.seals.load(Ordering::Relaxed)
    }

    pub(in crate::store) fn count_from(&self, seals: u64) {
        self.seals.fetch_add(seals, Ordering::Relaxed);
    }

    /// Encrypts in place; nonce and tag go to the front of `check`.
    pub(in crate::store) fn seal(
        &self,
        number: u64,
        head: &[u8],
        bytes: &mut [u8],
        check: &mut [u8],
    ) -> io::Result<()> {
        if self.seals.fetch_add(1, Ordering::Relaxed) >= MOST_SEALS {
            return Err(BlockError::KeySpent.into());
        }
        let nonce = self.nonce()?;
        check.fill(0);
        check[..NONCE_LEN].copy_from_slice(&nonce);
        let sealed = self.key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(self.authenticated(number, head)),
            bytes,
        );
        let tag = sealed.map_err(|_| io::Error::other("encryption failed"))?;
        check[NONCE_LEN..NONCE_AND_TAG].copy_from_slice(tag.as_ref());
        Ok(())
    }

    /// Decrypts in place; false when the bytes, the check, the place or the key is another.
    pub(in crate::store) fn open(&self, number: u64, head: &[u8], bytes: &mut [u8], check: &[u8]) -> bool {
        let Some((nonce, rest)) = check.split_first_chunk::<NONCE_LEN>() else { return false };
        let Some((tag, zeros)) = rest.split_first_chunk::<16>() else { return false };
        let opened = self.key.open_in_place_separate_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(self.authenticated(number, head)),
            Tag::from(*tag),
            bytes,
            0..,
        );
        opened.is_ok() && zeros.iter().all(|&byte| byte == 0)
    }

    /// What is authenticated beside the bytes: the store, the place, and what stands before them in the clear.
    fn authenticated(&self, number: u64, head: &[u8]) -> Vec<u8> {
        [&self.id[..], &number.to_le_bytes(), head].concat()
    }

    fn nonce(&self) -> io::Result<[u8; NONCE_LEN]> {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        if random.len() < NONCE_LEN {
            random.resize(256 * NONCE_LEN, 0);
            getrandom::fill(&mut random).map_err(|_| no_random())?;
        }
        let at = random.len() - NONCE_LEN;
        let nonce = random[at..].try_into().expect("as many bytes");
        random.truncate(at);
        Ok(nonce)
    }
}

fn no_random() -> io::Error {
    io::Error::other("the system gives no random bytes")
}

/// A data key as it stands in a store's header: 12 bytes of nonce, 16 of tag, 32 of the key.
pub(in crate::store) fn wrap(
    by: &Key,
    id: StoreId,
    salt: &[u8; 16],
    data: &Key,
) -> io::Result<[u8; NONCE_AND_TAG + 32]> {
    let mut wrapped = [0; NONCE_AND_TAG + 32];
    let (check, bytes) = wrapped.split_at_mut(NONCE_AND_TAG);
    bytes.copy_from_slice(data.reveal());
    Cipher::new(by, id).seal(WRAPPING, salt, bytes, check)?;
    Ok(wrapped)
}

/// The data key; none when another key wrapped it.
pub(in crate::store) fn unwrap(
    by: &Key,
    id: StoreId,
    salt: &[u8; 16],
    wrapped: &[u8; NONCE_AND_TAG + 32],
) -> Option<Key> {
    let (check, bytes) = wrapped.split_at(NONCE_AND_TAG);
    let mut key = Key::from_bytes(bytes.try_into().expect("32 bytes"));
    Cipher::new(by, id).open(WRAPPING, salt, key.bytes_mut(), check).then_some(key)
}

//! The secret of a store: 32 random bytes that ids of events and derived keys are keyed with, made with the store and
//! kept in it.

use hmac::{Hmac, KeyInit, Mac};
use redb::WriteTransaction;
use sha2::Sha256;

use crate::error::Error;
use crate::store::key::Key;
use crate::store::read_table::One;
use crate::store::tables::{META, name};

/// The setting that holds the secret, in hexadecimal.
const SECRET: &str = "event_secret";

/// Puts a new secret into the settings of a new store.
pub(crate) fn create_secret(write: &WriteTransaction) -> Result<(), Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| Error::Random(error.into()))?;
    write.open_table(META)?.insert(SECRET, hex::encode(secret).as_str())?;
    Ok(())
}

/// Reads the secret from the settings.
pub(crate) fn read_secret(meta: &One<&'static str, &'static str>) -> Result<[u8; 32], Error> {
    let corrupt = Error::Corrupt { table: name::META, what: "the secret of event ids" };
    let Some(text) = meta.get(SECRET)? else { return Err(corrupt) };
    let mut secret = [0; 32];
    hex::decode_to_slice(text.value(), &mut secret).map_err(|_| corrupt)?;
    Ok(secret)
}

/// A key for a purpose outside the engine. The words before the purpose keep it apart from every other use of the
/// secret.
pub(crate) fn derive_key(meta: &One<&'static str, &'static str>, purpose: &str) -> Result<Key, Error> {
    let secret = Key::from_bytes(read_secret(meta)?);
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal()).expect("HMAC takes keys of any length");
    Ok(Key::from_bytes(mac.chain_update(b"derived key: ").chain_update(purpose).finalize().into_bytes().into()))
}

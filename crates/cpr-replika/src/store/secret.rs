//! The secret of a store: 32 random bytes that ids of events are keyed with, made with the store and kept in it.

use redb::WriteTransaction;

use crate::error::Error;
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

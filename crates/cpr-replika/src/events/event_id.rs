//! Ids of business events: the same for the same event of the same store, and telling nobody whom they are about.
//!
//! A plain digest of a personnummer is undone by trying them all. So the id is a digest keyed with a secret of 32 random
//! bytes, which is made with the store and kept in it: who holds the store can read the register anyway, who holds only ids
//! learns nothing. Another store, one made anew from the same extracts too, gives other ids.

use std::fmt;

use cpr_model::Pnr;
use redb::WriteTransaction;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::events::join::{Cause, EventKind};
use crate::ledger::delivery::Delivery;
use crate::snapshot::Snapshot;
use crate::store::tables::META;

/// The setting that holds the secret, in hexadecimal.
const SECRET: &str = "event_secret";

/// A UUID of version 8 (RFC 9562): 122 bits derived from delivery, person, kind, code and derived mark.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventId([u8; 16]);

impl EventId {
    /// Of several events of a person with the same kind, code and mark, `repeat` counts those before.
    pub(crate) fn derive(
        secret: &[u8; 32],
        delivery: &Delivery,
        pnr: Pnr,
        kind: EventKind,
        cause: Option<Cause>,
        repeat: u32,
    ) -> EventId {
        // Every part but the last two is of fixed length, and neither of those holds a zero byte.
        let mut digest = Sha256::new_with_prefix(secret);
        digest.update(delivery.production_date.digits().to_le_bytes());
        digest.update(delivery.number.0.to_le_bytes());
        digest.update(pnr.reveal());
        digest.update(repeat.to_le_bytes());
        digest.update(kind.name());
        digest.update([0]);
        if let Some(cause) = cause {
            digest.update(cause.code.latin1());
            digest.update([0]);
            digest.update(cause.derived_mark.map_or(String::new(), |mark| mark.to_string()));
        }
        let digest: [u8; 32] = digest.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        id[6] = id[6] & 0x0F | 0x80;
        id[8] = id[8] & 0x3F | 0x80;
        EventId(id)
    }

    /// The 16 bytes of the UUID.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

/// Prints the UUID: `xxxxxxxx-xxxx-8xxx-xxxx-xxxxxxxxxxxx`.
impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let hyphen = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// Puts a new secret into the settings of a new store.
pub(crate) fn create_secret(write: &WriteTransaction) -> Result<(), Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| Error::Random(error.into()))?;
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    write.open_table(META)?.insert(SECRET, text.as_str())?;
    Ok(())
}

impl Snapshot {
    /// The secret that ids are keyed with.
    pub(crate) fn event_secret(&self) -> Result<[u8; 32], Error> {
        let corrupt = Error::Corrupt { table: "meta", what: "the secret of event ids" };
        let meta = self.transaction().open_table(META)?;
        let text = meta.get(SECRET)?.map(|guard| guard.value().to_owned());
        let bytes = text.as_deref().and_then(|text| text.as_bytes().as_chunks::<2>().0.try_into().ok());
        let pairs: Option<[[u8; 2]; 32]> = bytes;
        let mut secret = [0; 32];
        for (byte, pair) in secret.iter_mut().zip(pairs.iter().flatten()) {
            let digits = str::from_utf8(pair).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
            *byte = match digits {
                Some(digits) => digits,
                None => return Err(corrupt),
            };
        }
        if pairs.is_some() { Ok(secret) } else { Err(corrupt) }
    }
}

//! Ids of business events: the same for the same event of the same store, and telling nobody whom they are about.
//!
//! A plain digest of a personnummer is undone by trying them all. So the id is an HMAC-SHA-256 under a secret of 32
//! random bytes, which is made with the store and kept in it: who holds the store can read the register anyway, who
//! holds only ids learns nothing. Another store, one made anew from the same extracts too, gives other ids.

use std::fmt;

use cpr_events::{Cause, EventKind};
use cpr_model::Pnr;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ledger::delivery::Delivery;

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
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        mac.update(&delivery.production_date.digits().to_le_bytes());
        mac.update(&delivery.number.0.to_le_bytes());
        mac.update(pnr.reveal().as_bytes());
        mac.update(&repeat.to_le_bytes());
        mac.update(kind.name().as_bytes());
        mac.update(&[0]);
        if let Some(cause) = cause {
            mac.update(cause.code.latin1());
            mac.update(&[0]);
            mac.update(cause.derived_mark.map_or(String::new(), |mark| mark.to_string()).as_bytes());
        }
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
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

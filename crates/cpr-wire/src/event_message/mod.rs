//! Events out: the message that a distributor of messages (Beskedfordeler) takes, and the receipt that comes back.
//!
//! The envelope is public ([`EventMessage`]), the payload of the national service (SF1320_A) is not: here it is an
//! element of our own namespace, [`NAMESPACE`], with the fields of the engine's event. The same event is written the
//! same at every try, so that a receiver knows it again by its id.

mod message;
mod receipt;

pub use message::{EventMessage, Id, Publisher};
pub use receipt::Receipt;

/// The namespace of the payload.
pub const NAMESPACE: &str = "urn:replika:cpr-event:1";

pub(crate) const ENVELOPE: &str = "urn:oio:besked:kuvert:1.0";
pub(crate) const OBJECTS: &str = "urn:oio:sagdok:3.0.0";
pub(crate) const OPERATIONS: &str = "urn:oio:sts:1.0.0";

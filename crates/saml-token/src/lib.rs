//! The SAML token of the national services, in the Liberty Basic SOAP Binding (LBSB): a message that bears an assertion
//! of a security token service and is signed with the key of the assertion's holder.
//!
//! [`Verifier::verify`] goes from the bytes of a message to who calls and what is asked ([`Verified`]), or to one
//! [`Refusal`]; [`Signer::sign`] puts headers and a signature around an answer. Whoever calls gives the clock and the
//! memory of messages ([`SeenMessages`]): nothing here opens a file or a socket.
//!
//! What is signed is what is used. A value of a header, of the assertion or of the body is never looked up in the
//! message: it is read off the canonical bytes whose digest was verified a moment before, and the body that is handed
//! on *is* those bytes. So it does not matter where in a message something else stands, or how another reader would
//! have read it. On top of that, an element that counts may stand in its own place alone and once in all of the
//! message.
//!
//! Cryptography is that of `ring` and `rustls-webpki`, canonicalization that of `bergshamra-c14n`; docs/decisions.md
//! says what was checked of it. Algorithms and transforms are those that the binding prescribes and no others.
//! No error and no `Debug` repeats a word of what was received.

mod names;
mod refusal;
mod settings;

mod bytes;
mod message;
mod signature;

mod assertion;
mod privilege;
mod seen;
mod verifier;

mod answer;

pub use answer::{AnswerHead, Signer, SignerError};
pub use refusal::Refusal;
pub use seen::{MessageKey, Seen, SeenMessages, Unavailable};
pub use settings::{Settings, SettingsError};
pub use verifier::{Verified, Verifier};

/// Moments, certificates and keys, whose types stand in this crate's signatures.
pub use {jiff, rustls_pki_types};

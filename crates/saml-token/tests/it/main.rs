//! Messages are made by a signer that shares no line with the crate, changed in one way each, and refused.
#![allow(clippy::unwrap_used, reason = "tests")]

mod accepted;
mod answers;
mod refused;
mod signer;
mod wrapped;

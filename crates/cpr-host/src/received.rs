//! A body that came in, with what the connection says of it.

use cpr_wire::{Endpoint, Limits, Reading};

use crate::authorization::TokenHolder;
use crate::config::Fingerprint;

/// A body that came in.
#[derive(Clone, Copy)]
pub(crate) struct Received<'a> {
    /// What is served under the path.
    pub(crate) endpoint: Endpoint,
    /// The charset of HTTP's `Content-Type`.
    pub(crate) charset: Option<&'a str>,
    /// The body.
    pub(crate) body: &'a [u8],
    /// The certificate of the connection.
    pub(crate) certificate: &'a Fingerprint,
    /// Who signed the message, when it was opened.
    pub(crate) holder: Option<TokenHolder>,
}

impl<'a> Received<'a> {
    /// How the body is read, up to so many bytes.
    pub(crate) fn reading(&self, bytes: usize) -> Reading<'a> {
        Reading { charset: self.charset, limits: Limits { bytes, ..Limits::REQUEST }, understood: &[] }
    }
}

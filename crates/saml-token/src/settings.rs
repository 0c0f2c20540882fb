//! Whom messages are for, whom they are believed from, and how much of one is read.

use cpr_wire::Limits;
use rustls_pki_types::CertificateDer;

/// Whom the messages are for, and whom they are believed from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The entityId of the service.
    pub audience: String,
    /// The name of the token service.
    pub issuer: String,
    /// The certificates of the token service. They are trusted as they stand: nobody has to have issued them.
    pub issuer_certificates: Vec<CertificateDer<'static>>,
    /// The privilege that an authority must have; none where the agreement alone decides.
    pub privilege: Option<String>,
    /// How much of a message is read.
    pub limits: Limits,
}

/// Why there is no verifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Without a certificate of the token service nothing can be believed.
    #[error("no certificate of the token service")]
    NoIssuer,
    /// One of the certificates is none (X.509 version 3).
    #[error("a certificate of the token service cannot be read")]
    Certificate,
    /// An empty name would be that of whoever leaves it out.
    #[error("an empty name")]
    EmptyName,
}

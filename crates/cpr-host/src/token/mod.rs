//! SF1525 asked under a SAML token: the message is opened, what was signed of it is answered, the answer is signed.
//!
//! The checks are those of `saml-token`. Where they are configured, SF1525 is answered to no other message: there is no
//! lesser way to ask. The certificate of the connection is still that of a system, and the holder of the token must be
//! the same system. Whoever is refused is told the same, whichever check it was; the log has which.

use std::error::Error;

use cpr_wire::Answer;
use saml_token::jiff::Timestamp;
use saml_token::{AnswerHead, Refusal, Settings, Signer, Verified, Verifier};

use self::seen_file::SeenFile;
use crate::config::{Bounds, Saml};
use crate::received::Received;
use crate::tls;

mod seen_file;

const FAULT: &str = "http://www.w3.org/2005/08/addressing/soap/fault";

type Trouble = Box<dyn Error + Send + Sync>;

/// Where messages are opened and answers signed.
pub(crate) struct TokenDesk {
    verifier: Verifier,
    signer: Signer,
    seen: SeenFile,
}

/// The certificates and the key of a configuration.
///
/// # Errors
/// A file that cannot be read, or certificates and keys that cannot be used.
pub(crate) fn read(saml: &Saml, bounds: &Bounds) -> Result<(Verifier, Signer), Trouble> {
    let verifier = Verifier::new(Settings {
        audience: saml.audience.clone(),
        issuer: saml.issuer.clone(),
        issuer_certificates: tls::read_certificates(&saml.issuer_certificates)?,
        privilege: saml.privilege.clone(),
        limits: cpr_wire::Limits { bytes: bounds.body_bytes, ..cpr_wire::Limits::REQUEST },
    })?;
    let certificate = tls::read_certificates(&saml.certificate)?.swap_remove(0);
    let key = tls::read_key(&saml.key)?;
    Ok((verifier, Signer::new(certificate, &key)?))
}

impl TokenDesk {
    /// Opens what is configured, the memory of messages with it.
    ///
    /// # Errors
    /// As [`read`], and those of the memory's file.
    pub(crate) fn open(saml: &Saml, bounds: &Bounds) -> Result<TokenDesk, Trouble> {
        let (verifier, signer) = read(saml, bounds)?;
        let seen = SeenFile::open(&saml.seen, Timestamp::now().as_second());
        let seen = seen.map_err(|error| format!("{}: {error}", saml.seen.display()))?;
        Ok(TokenDesk { verifier, signer, seen })
    }

    /// Who sends a message and what was signed of it.
    ///
    /// # Errors
    /// By the first check that it does not pass.
    pub(crate) fn open_message(&self, received: &Received<'_>) -> Result<Verified, Refusal> {
        self.verifier.verify(received.body, received.charset, Timestamp::now(), &self.seen)
    }

    /// Signs the answer to a message.
    ///
    /// # Errors
    /// Those of the key.
    pub(crate) fn sign(&self, opened: &Verified, answer: Answer) -> Result<Answer, Trouble> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        let action = if answer.status == 200 { format!("{}Response", opened.action) } else { FAULT.to_owned() };
        let head = AnswerHead { action: &action, message_id: &id.urn().to_string(), relates_to: &opened.message_id };
        let body = self.signer.sign(&answer.body, &head, Timestamp::now())?;
        Ok(Answer { body, ..answer })
    }
}

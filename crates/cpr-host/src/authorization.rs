//! Who may call: decided by the certificate, the system and the agreement together, never by one of them alone.

use std::sync::Arc;

use access_log::Asker;
use cpr_wire::{Contexts, Cvr};
use uuid::Uuid;

use crate::config::{Agreement, Fingerprint, System};
use crate::service::Service;

/// The systems that may call.
#[derive(Debug)]
pub struct Systems {
    systems: Vec<System>,
    any_service_uuid: bool,
}

/// That a system may call the service that it calls.
#[derive(Debug)]
pub struct Authorization<'a> {
    /// The system.
    pub system: &'a System,
    /// The agreement that allows the call.
    pub agreement: &'a Agreement,
    /// How the access log names them.
    pub asker: Arc<Asker>,
}

/// Who signed a message under a token: what the token service says of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenHolder {
    /// The authority.
    pub cvr: Cvr,
    /// SHA-256 of the certificate whose key signed.
    pub certificate: Fingerprint,
}

impl TokenHolder {
    /// True for the system of this authority with this certificate.
    pub fn is(&self, system: &System) -> bool {
        system.cvr == self.cvr && system.certificates.contains(&self.certificate)
    }
}

/// Why a call is not allowed. The caller is told no more than that; the log has the reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denied {
    /// The certificate is none of a system here.
    Certificate,
    /// The request has neither context.
    NoContext,
    /// The system in the context has not this certificate, the authority is another, or several systems could be meant.
    System,
    /// The agreement in the context is none of the system.
    Agreement,
    /// The holder of the token is not the system that calls.
    Token,
    /// The agreement does not have the service, or the context names another service.
    Service,
}

impl Denied {
    /// The word in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Denied::Certificate => "denied_certificate",
            Denied::NoContext => "denied_no_context",
            Denied::System => "denied_system",
            Denied::Agreement => "denied_agreement",
            Denied::Token => "denied_token",
            Denied::Service => "denied_service",
        }
    }
}

impl Systems {
    /// Those of a configuration; `any_service_uuid` passes over the UUID of the service in a context.
    pub fn new(systems: Vec<System>, any_service_uuid: bool) -> Systems {
        Systems { systems, any_service_uuid }
    }

    /// All of them.
    pub fn all(&self) -> &[System] {
        &self.systems
    }

    /// The name of the one system that has a certificate, for the log; none when there is none, or several.
    pub fn name_of(&self, certificate: &Fingerprint) -> Option<&str> {
        let mut of = self.of(certificate);
        of.next().filter(|_| of.next().is_none()).map(|system| system.name.as_str())
    }

    /// True for a certificate of a system here.
    pub fn has(&self, certificate: &Fingerprint) -> bool {
        self.of(certificate).next().is_some()
    }

    fn of(&self, certificate: &Fingerprint) -> impl Iterator<Item = &System> {
        self.systems.iter().filter(move |system| system.certificates.contains(certificate))
    }

    /// By which system and agreement a service may be called, `uuid` being the platform's for it.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn authorize(
        &self,
        certificate: &Fingerprint,
        contexts: &Contexts,
        service: Service,
        uuid: Option<Uuid>,
    ) -> Result<Authorization<'_>, Denied> {
        if !self.has(certificate) {
            return Err(Denied::Certificate);
        }
        let is_of_authority =
            |system: &&System| contexts.authority.as_ref().is_none_or(|authority| authority.cvr == system.cvr);
        let (system, agreement) = match (&contexts.invocation, &contexts.authority) {
            (Some(context), _) => {
                let system = self.of(certificate).find(|system| system.uuid == context.system);
                let system = system.filter(is_of_authority).ok_or(Denied::System)?;
                let agreement = system.agreements.iter().find(|agreement| agreement.uuid == context.agreement);
                let agreement = agreement.ok_or(Denied::Agreement)?;
                let is_meant = self.any_service_uuid || uuid.is_none_or(|uuid| uuid == context.service);
                if !agreement.services.contains(&service) || !is_meant {
                    return Err(Denied::Service);
                }
                (system, agreement)
            }
            (None, Some(_)) => {
                let mut systems = self.of(certificate).filter(is_of_authority);
                let (Some(system), None) = (systems.next(), systems.next()) else { return Err(Denied::System) };
                let agreement = system.agreements.iter().find(|agreement| agreement.services.contains(&service));
                (system, agreement.ok_or(Denied::Service)?)
            }
            (None, None) => return Err(Denied::NoContext),
        };
        let asker = Asker {
            system: system.name.as_str().to_owned(),
            agreement: agreement.uuid.hyphenated().to_string(),
            purpose: agreement.purpose.clone(),
        };
        Ok(Authorization { system, agreement, asker: Arc::new(asker) })
    }
}

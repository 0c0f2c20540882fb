//! Why a request has no answer, for the contracts to say each its own way.

use std::fmt;

use cpr_subscription::FilterError;

use crate::error::Error;
use crate::gctp::receipt::Receipt;
use crate::soap::{Fault, FaultCode};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// The replica does not hold the number, or holds it only as one that was given up.
    UnknownNumber,
    /// CPR has the number, and the replica does not keep it. Where a contract has a code for an unknown number alone, this goes
    /// under that one, with a text of its own.
    NotKept,
    /// Not a personnummer.
    MalformedNumber,
    /// The caller has no agreement for this service, or is not who it says.
    NoAgreement,
    /// The message bears no security token that is believed, or is not signed as it must be. Which check it did not pass is
    /// nobody's business but the host's.
    Token,
    /// This version of SF1525 does not have the marking.
    Marking {
        /// Its name in the contract.
        marking: &'static str,
    },
    /// A field of a GCTP request that the service does not have, or has not this way.
    Field,
    /// The person's name and address are protected, and the host has such questions refused.
    Protected,
    /// A service that is not offered under this path.
    UnknownService,
    /// The request cannot be read.
    Request(Error),
    /// Nothing that the caller could mend.
    Internal,
}

impl Problem {
    /// Whose fault it is.
    pub fn fault_code(&self) -> FaultCode {
        match self {
            Problem::Internal => FaultCode::Server,
            Problem::Request(Error::NotAnEnvelope) => FaultCode::VersionMismatch,
            Problem::Request(Error::MustUnderstand) => FaultCode::MustUnderstand,
            _ => FaultCode::Client,
        }
    }

    /// The code of the fault (`ErrorCode`, `FejlId`). The platform's own are not public; these are ours.
    pub fn error_code(&self) -> &'static str {
        match self {
            Problem::UnknownNumber => "PNR_NOT_FOUND",
            Problem::NotKept => "PNR_NOT_KEPT",
            Problem::MalformedNumber => "PNR_NOT_VALID",
            Problem::NoAgreement => "NO_SERVICE_AGREEMENT",
            Problem::Token => "SECURITY_TOKEN_NOT_VALID",
            Problem::Marking { .. } => "MARKING_NOT_IN_VERSION",
            Problem::Field => "FIELD_NOT_VALID",
            Problem::Protected => "PERSON_PROTECTED",
            Problem::UnknownService => "UNKNOWN_SERVICE",
            Problem::Request(_) => "REQUEST_NOT_VALID",
            Problem::Internal => "INTERNAL_ERROR",
        }
    }

    /// The receipt of CPR's that says it. What the platform refuses before CPR is asked has none, and is a fault.
    pub fn receipt(&self) -> Option<Receipt> {
        match self {
            Problem::UnknownNumber => Some(Receipt::UnknownNumber),
            Problem::NotKept => Some(Receipt::NotKept),
            Problem::MalformedNumber => Some(Receipt::MalformedNumber),
            Problem::Field => Some(Receipt::Field),
            _ => None,
        }
    }

    /// The fault that says it.
    pub fn fault(&self) -> Fault {
        Fault { code: self.fault_code(), error_code: self.error_code(), text: self.to_string() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::NotAPnr | Error::Filter(FilterError::NotAPnr) => Problem::MalformedNumber,
            Error::Marking { marking } => Problem::Marking { marking },
            error => Problem::Request(error),
        }
    }
}

/// The text of the fault. Clients look for that of an unknown number.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::UnknownNumber => f.write_str("PNR not found"),
            Problem::NotKept => f.write_str("PNR not found: the number is not kept here"),
            Problem::MalformedNumber => f.write_str("PNR not valid"),
            Problem::NoAgreement => f.write_str("No agreement allows this system to call this service"),
            Problem::Token => f.write_str("The security token or the signature is not valid"),
            Problem::Marking { marking } => write!(f, "This version has no {marking}"),
            Problem::Field => f.write_str("A field is missing, or the service does not have it"),
            Problem::Protected => f.write_str("The person's name and address are protected"),
            Problem::UnknownService => f.write_str("This service is not offered here"),
            Problem::Request(error) => write!(f, "The request cannot be read: {error}"),
            Problem::Internal => f.write_str("The service cannot answer at present"),
        }
    }
}

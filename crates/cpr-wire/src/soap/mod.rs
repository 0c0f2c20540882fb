//! SOAP 1.1 and 1.2: envelopes read and written, and faults.

mod envelope;
mod fault;

pub(crate) use envelope::{Envelope, written};
pub use fault::{Fault, FaultCode};

/// The version of an envelope; it is answered in the same.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SoapVersion {
    /// SOAP 1.1, which the public contracts of the platform bind.
    V1_1,
    /// SOAP 1.2.
    V1_2,
}

impl SoapVersion {
    /// Both.
    pub const ALL: [SoapVersion; 2] = [SoapVersion::V1_1, SoapVersion::V1_2];

    /// The namespace of the envelope, which tells the version.
    pub fn namespace(self) -> &'static str {
        match self {
            SoapVersion::V1_1 => "http://schemas.xmlsoap.org/soap/envelope/",
            SoapVersion::V1_2 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// What HTTP's `Content-Type` says of an answer.
    pub fn content_type(self) -> &'static str {
        match self {
            SoapVersion::V1_1 => "text/xml; charset=utf-8",
            SoapVersion::V1_2 => "application/soap+xml; charset=utf-8",
        }
    }
}

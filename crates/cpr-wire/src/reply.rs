//! How a request is answered: in the version of its envelope, and in its contract's own way when there is no answer.

use crate::gctp;
use crate::problem::Problem;
use crate::sf1525;
use crate::soap::{SoapVersion, written};

/// What goes back over HTTP. `Debug` tells its length.
#[derive(Clone, Eq, PartialEq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The body, in UTF-8.
    pub body: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// What an answer must know of its request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReplyTo {
    pub(crate) version: SoapVersion,
    pub(crate) contract: Contract,
}

/// How a contract says that there is no answer, and what it puts around one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Contract {
    /// By a fault, and nothing.
    Fault,
    /// By a `SvarReaktion` in the header, which every answer has.
    Header(sf1525::Header),
    /// By a `Kvit` in a message, as which every answer goes.
    Receipt(gctp::Request),
}

impl ReplyTo {
    /// For a request of which no more than the version of its envelope is known.
    pub fn faults(version: SoapVersion) -> ReplyTo {
        ReplyTo { version, contract: Contract::Fault }
    }

    /// The version of the envelope.
    pub fn version(&self) -> SoapVersion {
        self.version
    }

    /// The answer with this XML: one element as `cpr-services` writes it, or of SF6002 as [`crate::sf6002`] does. It
    /// goes out as it stands; for SF1525, anything but an answer of that contract is refused as [`Problem::Internal`].
    pub fn answer(&self, xml: &str) -> Answer {
        match &self.contract {
            Contract::Fault => self.enveloped(xml),
            Contract::Receipt(_) => self.enveloped(&gctp::result_xml(xml)),
            Contract::Header(header) => match header.answer(xml) {
                Some(xml) => self.enveloped(&xml),
                None => self.refuse(&Problem::Internal),
            },
        }
    }

    /// Says that there is no answer.
    pub fn refuse(&self, problem: &Problem) -> Answer {
        match (&self.contract, problem.receipt()) {
            (Contract::Header(header), _) => self.enveloped(&header.refusal(problem)),
            (Contract::Receipt(request), Some(receipt)) => {
                self.enveloped(&gctp::result_xml(&request.receipt_xml(receipt)))
            }
            (Contract::Fault | Contract::Receipt(_), _) => Answer {
                status: problem.fault_code().status(self.version),
                content_type: self.version.content_type(),
                body: problem.fault().to_xml(self.version),
            },
        }
    }

    fn enveloped(&self, xml: &str) -> Answer {
        Answer { status: 200, content_type: self.version.content_type(), body: written(self.version, xml) }
    }
}

//! The paths of the platform, and reading what is sent to them.

use cpr_model::Pnr;

use crate::charset;
use crate::context::Contexts;
use crate::error::Error;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::reply::{Answer, Contract, ReplyTo};
use crate::soap::{Envelope, SoapVersion};
use crate::xml::{Document, Element};
use crate::{gctp, sf1520, sf1525, sf6002, sf6008};

/// What is served under one path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// `PersonBaseDataExtended`.
    Sf1520(sf1520::Version),
    /// `PersonStamoplysningerSamlingHentService`.
    Sf1525(sf1525::Version),
    /// `CPRSubscription`: 1.0 and 1.1 share the path.
    Sf6002,
    /// `CPRBasicInformation`.
    Sf6008,
    /// `CPRLookup`: all GCTP services share the path.
    Gctp,
}

const PATHS: [(&str, Endpoint); 7] = [
    ("/service/CPR/PersonBaseDataExtended/4", Endpoint::Sf1520(sf1520::Version::V4)),
    ("/service/CPR/PersonBaseDataExtended/5", Endpoint::Sf1520(sf1520::Version::V5)),
    ("/service/PersonStamoplysningerSamlingHentService/1", Endpoint::Sf1525(sf1525::Version::V1)),
    ("/service/PersonStamoplysningerSamlingHentService/2", Endpoint::Sf1525(sf1525::Version::V2)),
    ("/service/CPRSubscription/CPRSubscription/1", Endpoint::Sf6002),
    ("/service/CPRBasicInformation/CPRBasicInformation/1", Endpoint::Sf6008),
    ("/service/CPRLookup/CPRLookup/2", Endpoint::Gctp),
];

/// How a body is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// What HTTP's `Content-Type` says of the charset, if anything.
    pub charset: Option<&'a str>,
    /// How much is read.
    pub limits: Limits,
    /// The namespaces of SOAP headers that the host itself understands; others that must be understood are refused.
    pub understood: &'a [&'a str],
}

/// No charset, [`Limits::REQUEST`], and no header understood.
impl Default for Reading<'_> {
    fn default() -> Self {
        Reading { charset: None, limits: Limits::REQUEST, understood: &[] }
    }
}

/// A request that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The operation by its name in the contract, for the host's log.
    pub operation: &'static str,
    /// Who calls.
    pub contexts: Contexts,
    /// What is asked.
    pub call: Call,
    /// How it is answered.
    pub reply: ReplyTo,
}

/// What is asked of which service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Call {
    /// `PersonLookup`.
    Sf1520 {
        /// The version of the path.
        version: sf1520::Version,
        /// The number.
        pnr: Pnr,
    },
    /// `PersonStamoplysningerSamlingHent`.
    Sf1525(sf1525::Request),
    /// One of the twelve operations on filters.
    Sf6002(sf6002::Request),
    /// One of the four of `CPRBasicInformationService`.
    Sf6008 {
        /// Which.
        operation: sf6008::Operation,
        /// The number.
        pnr: Pnr,
    },
    /// A GCTP service.
    Gctp(gctp::Request),
}

/// A request that cannot be read, with the way to say so.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    /// Why.
    pub error: Error,
    /// How it is said.
    pub reply: ReplyTo,
}

impl Refused {
    /// What goes back.
    pub fn answer(&self) -> Answer {
        self.reply.refuse(&Problem::from(self.error))
    }
}

impl Endpoint {
    /// The endpoint of a path, with or without a slash at its end.
    pub fn from_path(path: &str) -> Option<Endpoint> {
        let path = path.strip_suffix('/').unwrap_or(path);
        PATHS.into_iter().find(|(known, _)| *known == path).map(|(_, endpoint)| endpoint)
    }

    /// The path of the platform, without a slash at its end.
    pub fn path(self) -> &'static str {
        let found = PATHS.into_iter().find(|(_, endpoint)| *endpoint == self);
        found.map(|(path, _)| path).expect("every endpoint stands in the table")
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// Why it cannot be read. Until the envelope is read, that is answered in SOAP 1.1; from then on in the version
    /// asked, and as soon as the header of SF1525 or the message of GCTP is known in that contract's own way.
    pub fn read(self, body: &[u8], reading: &Reading<'_>) -> Result<Request, Refused> {
        let mut reply = ReplyTo::faults(SoapVersion::V1_1);
        self.read_into(body, reading, &mut reply).map_err(|error| Refused { error, reply })
    }

    fn read_into(self, body: &[u8], reading: &Reading<'_>, reply: &mut ReplyTo) -> Result<Request, Error> {
        let limits = &reading.limits;
        if body.len() > limits.bytes {
            return Err(Error::Limit { limit: crate::Limit::Bytes, most: limits.bytes });
        }
        let text = charset::text(body, reading.charset)?;
        // A byte of ISO 8859-1 becomes two at most: the bytes received were counted.
        let document = Document::parse(&text, &Limits { bytes: text.len(), ..*limits })?;
        let envelope = Envelope::of(&document)?;
        reply.version = envelope.version;
        envelope.understand(reading.understood)?;
        let request = envelope.request()?;
        let (operation, contexts, call) = match self {
            Endpoint::Sf1520(version) => {
                expect(request, version.namespace(), sf1520::REQUEST)?;
                let call = |pnr| Call::Sf1520 { version, pnr };
                ("PersonLookup", Contexts::of(request)?, call(sf1520::number(request)?))
            }
            Endpoint::Sf6008 => {
                let named = request.namespace() == Some(sf6008::NAMESPACE);
                let operation = sf6008::Operation::of_request(request.name()).filter(|_| named);
                let operation = operation.ok_or(Error::UnknownOperation)?;
                let call = |pnr| Call::Sf6008 { operation, pnr };
                (operation.name(), Contexts::of(request)?, call(sf1520::number(request)?))
            }
            Endpoint::Sf6002 => {
                let call = sf6002::Request::of(request)?;
                (call.operation(), Contexts::of(request)?, Call::Sf6002(call))
            }
            Endpoint::Sf1525(version) => {
                expect(request, sf1525::NAMESPACE, sf1525::REQUEST)?;
                let header = request.required(sf1525::HEADER)?;
                reply.contract = Contract::Header(sf1525::Header::of(header)?);
                let contexts = sf1525::Header::contexts(header)?;
                (sf1525::OPERATION, contexts, Call::Sf1525(sf1525::Request::of(version, request)?))
            }
            Endpoint::Gctp => {
                expect(request, gctp::NAMESPACE, gctp::REQUEST)?;
                let contexts = Contexts::of(request)?;
                let call = gctp::Request::of(request, limits)?;
                reply.contract = Contract::Receipt(call.clone());
                (gctp::OPERATION, contexts, Call::Gctp(call))
            }
        };
        Ok(Request { operation, contexts, call, reply: reply.clone() })
    }
}

/// Refuses every request but the one of this name.
fn expect(request: Element<'_>, namespace: &str, name: &str) -> Result<(), Error> {
    if request.is(namespace, name) { Ok(()) } else { Err(Error::UnknownOperation) }
}

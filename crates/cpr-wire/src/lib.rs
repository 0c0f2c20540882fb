//! The wire of the national services on CPR's replica: what a host hears and says, bytes to types and back.
//!
//! A host names the [`Endpoint`] by the path that was asked for and lets it read the body: [`Endpoint::read`] gives a
//! [`Request`], which says who calls ([`Contexts`]), what is asked ([`Call`]), and how to answer ([`ReplyTo`]). The
//! answers themselves are the XML of `cpr-services`; [`ReplyTo::answer`] puts them into the envelope of their contract,
//! and [`ReplyTo::refuse`] says the contract's own way that there is none: a fault, for SF1525 a `SvarReaktion`, for
//! the GCTP services a `Kvit`.
//!
//! [`FileMetadata`] is the file beside a file in the SFTP folders, [`event_message`] what a distributor of events
//! takes.
//!
//! Reading is lenient where clients are known to err (docs/wire.md names each case) and bounded by [`Limits`]; what is
//! written is valid by the contracts. Nothing here opens a file, a socket or a store, and no clock is read: an answer
//! of SF1525 bears the transaction of its request. No error and no `Debug` repeats a word of what was received.
//!
//! ```
//! use cpr_wire::{Call, Endpoint, Problem, Reading, sf6002};
//!
//! let body = r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>
//!     <GetAllFilters xmlns="http://serviceplatformen.dk/xml/wsdl/soap11/CprSubscriptionService/1/"/>
//! </e:Body></e:Envelope>"#;
//! let endpoint = Endpoint::from_path("/service/CPRSubscription/CPRSubscription/1/").expect("a path of the platform");
//! let request = endpoint.read(body.as_bytes(), &Reading::default())?;
//! let answer = match &request.call {
//!     Call::Sf6002(call) => request.reply.answer(&call.filters_xml(sf6002::Version::V1_1, &[])),
//!     _ => request.reply.refuse(&Problem::Internal),
//! };
//! assert_eq!(answer.status, 200);
//! assert!(answer.body.contains("<ns3:noFilter>false</ns3:noFilter>"));
//! # Ok::<(), cpr_wire::Refused>(())
//! ```

mod error;
mod limits;

pub mod charset;
pub mod xml;
pub mod xsd;

mod context;
mod soap;

pub mod gctp;
pub mod sf1520;
pub mod sf1525;
pub mod sf6002;
pub mod sf6008;

mod endpoint;
mod problem;
mod reply;
mod service_uuid;

pub mod event_message;
mod file_metadata;

pub use context::{AuthorityContext, CallContext, Contexts, Cvr, InvocationContext};
pub use endpoint::{Call, Endpoint, Reading, Refused, Request};
pub use error::Error;
pub use file_metadata::FileMetadata;
pub use limits::{Limit, Limits};
pub use problem::Problem;
pub use reply::{Answer, ReplyTo};
pub use soap::{Fault, FaultCode, SoapVersion};

/// Persons, filters and events, whose types stand in this crate's signatures.
pub use {cpr_events, cpr_model, cpr_subscription};

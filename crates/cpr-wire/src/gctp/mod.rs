//! The GCTP services ("CPR Opslag (lokal)"): a message within a message.
//!
//! The outer request is SOAP; the inner one is text in its `gctpMessage`, as CDATA or escaped, with or without a prolog
//! whose encoding means nothing any more, and with blanks around it. The answer is text too.

pub(crate) mod receipt;

pub use receipt::Receipt;

use std::fmt;

use cpr_model::Pnr;

use crate::error::Error;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::xml::{Document, Element, Writer};

/// The namespace of the outer requests and answers.
pub const NAMESPACE: &str = "http://serviceplatformen.dk/xml/wsdl/soap11/CprService/2/";

pub(crate) const REQUEST: &str = "callGCTPCheckServiceRequest";
pub(crate) const OPERATION: &str = "callGCTPCheckService";

const INNER: &str = "http://www.cpr.dk";

/// What is asked: a service by its name, and the fields of its key. `Debug` tells the names of neither.
#[derive(Clone, Eq, PartialEq)]
pub struct Request {
    /// `System/@r`.
    system: String,
    /// `Service/@r`.
    service: String,
    /// `Key/Field`: `@r` and `@v`, in order.
    fields: Vec<(String, String)>,
}

impl Request {
    /// The inner message of a request.
    pub(crate) fn of(request: Element<'_>, limits: &Limits) -> Result<Request, Error> {
        Request::parse(request.required("gctpMessage")?.text(), limits)
    }

    /// Reads an inner message.
    ///
    /// # Errors
    /// What is not well-formed, or has not the form `Gctp/System/Service/CprServiceHeader/Key/Field`.
    pub fn parse(message: &str, limits: &Limits) -> Result<Request, Error> {
        let document = Document::parse(message.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']), limits)?;
        let root = document.root();
        let gctp = if root.name() == "Gctp" { root } else { root.required("Gctp")? };
        let system = gctp.required("System")?;
        let service = system.required("Service")?;
        let key = service.required("CprServiceHeader")?.optional("Key")?;
        let mut fields = Vec::new();
        for field in key.into_iter().flat_map(Element::children).filter(|child| child.name() == "Field") {
            let name = field.attribute("r").ok_or(Error::Missing { element: "Field/@r" })?;
            fields.push((name.to_owned(), field.attribute("v").unwrap_or_default().to_owned()));
        }
        let service = service.attribute("r").ok_or(Error::Missing { element: "Service/@r" })?;
        let system = system.attribute("r").unwrap_or_default();
        Ok(Request { system: system.to_owned(), service: service.to_owned(), fields })
    }

    /// True when the service of this name is asked, whatever its letters' case.
    pub fn is_for(&self, service: &str) -> bool {
        self.service.to_lowercase() == service.to_lowercase()
    }

    /// The fields of the key with their values, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The number that the lookups ask for, field `PNR`.
    ///
    /// # Errors
    /// [`Problem::Field`] without the field or with two, [`Problem::MalformedNumber`] for a value that is no number.
    pub fn pnr(&self) -> Result<Pnr, Problem> {
        let mut values = self.fields().filter(|(name, _)| *name == "PNR").map(|(_, value)| value);
        let (Some(value), None) = (values.next(), values.next()) else { return Err(Problem::Field) };
        Pnr::parse(value.trim().as_bytes()).ok_or(Problem::MalformedNumber)
    }

    /// The message that names system and service as the request does, and has a receipt only.
    pub(crate) fn receipt_xml(&self, receipt: Receipt) -> String {
        let mut out = Writer::new();
        out.open("root", &[("xmlns", INNER)]).open("Gctp", &[("v", "1.0")]).open("System", &[("r", &self.system)]);
        out.open("Service", &[("r", &self.service)]).empty("CprServiceHeader", &[("r", &self.service)]);
        out.empty("Kvit", &[("r", "returKode"), ("t", receipt.text()), ("v", receipt.code())]);
        out.finish()
    }
}

/// An inner message within the answer to a request.
pub(crate) fn result_xml(message: &str) -> String {
    let mut out = Writer::new();
    out.open("ns2:callGCTPCheckServiceResponse", &[("xmlns:ns2", NAMESPACE)]).text("ns2:result", message);
    out.finish()
}

/// Says how many fields there are, not which service was typed or what is in them.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} fields)", self.fields.len())
    }
}

//! SF1520 `PersonLookup` 4 and 5: one number.

use cpr_model::Pnr;

use crate::error::Error;
use crate::xml::Element;

/// The version of the contract; 4 lacks shared residence, the kind of guardianship and the address UUID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// Version 4.
    V4,
    /// Version 5.
    V5,
}

impl Version {
    /// The namespace of requests and answers.
    pub fn namespace(self) -> &'static str {
        match self {
            Version::V4 => "http://serviceplatformen.dk/xml/wsdl/soap11/CPR/PersonBaseDataExtended/4/",
            Version::V5 => "http://serviceplatformen.dk/xml/wsdl/soap11/CPR/PersonBaseDataExtended/5/",
        }
    }
}

/// The root of an answer.
pub const ANSWER: &str = "PersonLookupResponse";

pub(crate) const REQUEST: &str = "PersonLookupRequest";

/// The number in a request, here and in SF6008.
pub(crate) fn number(request: Element<'_>) -> Result<Pnr, Error> {
    Pnr::parse(request.required("PNR")?.trimmed().as_bytes()).ok_or(Error::NotAPnr)
}

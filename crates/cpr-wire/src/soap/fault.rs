//! Faults, with the platform's `ServiceplatformFault` in their detail.

use super::{SoapVersion, written};
use crate::xml::Writer;

const NAMESPACE: &str = "http://serviceplatformen.dk/xml/schemas/ServiceplatformFault/1/";

/// Whose fault it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultCode {
    /// The request's (`Client`; in SOAP 1.2 `Sender`).
    Client,
    /// The service's own (`Server`; in SOAP 1.2 `Receiver`).
    Server,
    /// The envelope is of no version of SOAP that is read.
    VersionMismatch,
    /// A header that must be understood is not.
    MustUnderstand,
}

impl FaultCode {
    fn name(self, version: SoapVersion) -> &'static str {
        match (self, version) {
            (FaultCode::Client, SoapVersion::V1_1) => "soap:Client",
            (FaultCode::Client, SoapVersion::V1_2) => "soap:Sender",
            (FaultCode::Server, SoapVersion::V1_1) => "soap:Server",
            (FaultCode::Server, SoapVersion::V1_2) => "soap:Receiver",
            (FaultCode::VersionMismatch, _) => "soap:VersionMismatch",
            (FaultCode::MustUnderstand, _) => "soap:MustUnderstand",
        }
    }

    /// The status of HTTP: 500, but 400 where SOAP 1.2 blames the sender.
    pub fn status(self, version: SoapVersion) -> u16 {
        if (self, version) == (FaultCode::Client, SoapVersion::V1_2) { 400 } else { 500 }
    }
}

/// A fault of the platform: one error, whose text clients look into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Whose fault it is.
    pub code: FaultCode,
    /// `ErrorCode`.
    pub error_code: &'static str,
    /// `ErrorText`, and what SOAP says of the fault.
    pub text: String,
}

impl Fault {
    /// The fault in its envelope.
    pub fn to_xml(&self, version: SoapVersion) -> String {
        let mut fault = Writer::new();
        fault.open("soap:Fault", &[]);
        match version {
            SoapVersion::V1_1 => {
                fault.text("faultcode", self.code.name(version)).text("faultstring", &self.text).open("detail", &[]);
            }
            SoapVersion::V1_2 => {
                fault.open("soap:Code", &[]).text("soap:Value", self.code.name(version)).close();
                fault.open("soap:Reason", &[]).open("soap:Text", &[("xml:lang", "en")]);
                fault.xml(&crate::xml::escaped(&self.text)).close().close().open("soap:Detail", &[]);
            }
        }
        fault.open("ns2:ServiceplatformFault", &[("xmlns:ns2", NAMESPACE)]).open("ns2:ErrorList", &[]);
        fault.open("ns2:Error", &[]).text("ns2:ErrorCode", self.error_code).text("ns2:ErrorText", &self.text);
        written(version, &fault.finish())
    }
}

//! Envelopes about people who do not exist, and a look into answers.

use std::path::PathBuf;

use cpr_wire::xml::{Document, Element};
use cpr_wire::{Answer, Endpoint, Limits, Reading, Refused, Request, SoapVersion};

/// A number that nobody has.
pub(crate) const NUMBER: &str = "6101801234";

/// An InvocationContext with made-up UUIDs.
pub(crate) const CONTEXT: &str = r#"
<i:InvocationContext xmlns:i="http://serviceplatformen.dk/xml/schemas/InvocationContext/1/">
    <i:ServiceAgreementUUID>11111111-2222-4333-8444-555555555555</i:ServiceAgreementUUID>
    <i:UserSystemUUID>22222222-2222-4333-8444-555555555555</i:UserSystemUUID>
    <i:UserUUID>33333333-2222-4333-8444-555555555555</i:UserUUID>
    <i:ServiceUUID>44444444-2222-4333-8444-555555555555</i:ServiceUUID>
</i:InvocationContext>"#;

pub(crate) const SF6002: &str = "http://serviceplatformen.dk/xml/wsdl/soap11/CprSubscriptionService/1/";
const PNR: &str = "http://serviceplatformen.dk/xml/schemas/cpr/PNR/1/";

/// The folder of the samples, or none with a word about it.
pub(crate) fn samples(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CPR_SAMPLES").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("{test}: skipped, CPR_SAMPLES is not set");
    }
    folder
}

pub(crate) fn envelope(version: SoapVersion, body: &str) -> String {
    let namespace = version.namespace();
    format!("<e:Envelope xmlns:e=\"{namespace}\"><e:Header/><e:Body>{body}</e:Body></e:Envelope>")
}

/// A request of SF6002 with its context.
pub(crate) fn subscription(operation: &str, parameter: &str) -> String {
    let start = format!("<{operation} xmlns=\"{SF6002}\" xmlns:p=\"{PNR}\">");
    envelope(SoapVersion::V1_1, &format!("{start}{CONTEXT}{parameter}</{operation}>"))
}

/// A request of one number with its context.
pub(crate) fn lookup(namespace: &str, root: &str, number: &str) -> String {
    format!("<r:{root} xmlns:r=\"{namespace}\">{CONTEXT}<p:PNR xmlns:p=\"{PNR}\">{number}</p:PNR></r:{root}>")
}

pub(crate) fn read(endpoint: Endpoint, body: &str) -> Result<Request, Refused> {
    endpoint.read(body.as_bytes(), &Reading::default())
}

pub(crate) fn parsed(answer: &Answer) -> Document {
    let limits = Limits { bytes: 10_000_000, elements: 100_000, ..Limits::REQUEST };
    Document::parse(&answer.body, &limits).expect("an answer is well-formed")
}

/// The element in the body of an answer.
pub(crate) fn body(document: &Document) -> Element<'_> {
    let body = document.root().children().next().expect("a body");
    assert_eq!(body.name(), "Body");
    body.children().next().expect("an element")
}

/// The first element with this name, wherever it stands.
pub(crate) fn find<'d>(element: Element<'d>, name: &str) -> Option<Element<'d>> {
    if element.name() == name {
        return Some(element);
    }
    element.children().find_map(|child| find(child, name))
}

/// The text of the first element with this name.
pub(crate) fn text<'d>(element: Element<'d>, name: &str) -> &'d str {
    find(element, name).unwrap_or_else(|| panic!("{name} is not there")).text()
}

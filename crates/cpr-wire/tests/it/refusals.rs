//! A fault in both versions of SOAP, with the platform's error in it.

use cpr_wire::{Endpoint, Error, Problem, Reading, SoapVersion, sf6008};

use crate::kit::{NUMBER, body, envelope, find, lookup, parsed, read, text};

fn request(soap: SoapVersion) -> String {
    envelope(soap, &lookup(sf6008::NAMESPACE, "callCPRBasicInformationRequest", NUMBER))
}

#[test]
fn a_fault_is_written_in_the_version_that_was_asked_in() {
    let first =
        read(Endpoint::Sf6008, &request(SoapVersion::V1_1)).expect("read").reply.refuse(&Problem::UnknownNumber);
    assert_eq!((first.status, first.content_type), (500, "text/xml; charset=utf-8"));
    let document = parsed(&first);
    let fault = body(&document);
    let children: Vec<&str> = fault.children().map(|child| child.name()).collect();
    assert_eq!(children, ["faultcode", "faultstring", "detail"]);
    assert!(fault.children().all(|child| child.namespace().is_none()), "SOAP 1.1 does not qualify them");
    assert_eq!((text(fault, "faultcode"), text(fault, "faultstring")), ("soap:Client", "PNR not found"));

    let second =
        read(Endpoint::Sf6008, &request(SoapVersion::V1_2)).expect("read").reply.refuse(&Problem::UnknownNumber);
    assert_eq!((second.status, second.content_type), (400, "application/soap+xml; charset=utf-8"));
    let document = parsed(&second);
    let fault = body(&document);
    assert!(fault.is(SoapVersion::V1_2.namespace(), "Fault"));
    assert_eq!((text(fault, "Value"), text(fault, "Text")), ("soap:Sender", "PNR not found"));
    for answer in [&first, &second] {
        let document = parsed(answer);
        let error = find(document.root(), "Error").expect("the platform's error");
        assert_eq!((text(error, "ErrorCode"), text(error, "ErrorText")), ("PNR_NOT_FOUND", "PNR not found"));
        assert!(!answer.body.contains(NUMBER));
    }
}

#[test]
fn what_the_service_cannot_do_is_its_own_fault() {
    for (soap, code) in [(SoapVersion::V1_1, "soap:Server"), (SoapVersion::V1_2, "soap:Receiver")] {
        let answer = read(Endpoint::Sf6008, &request(soap)).expect("read").reply.refuse(&Problem::Internal);
        assert!(answer.status == 500 && answer.body.contains(code));
    }
}

#[test]
fn a_malformed_number_and_a_missing_agreement_have_codes_of_their_own() {
    let malformed = request(SoapVersion::V1_1).replace(NUMBER, "61018O1234");
    let refused = read(Endpoint::Sf6008, &malformed).expect_err("no number");
    assert_eq!(refused.error, Error::NotAPnr);
    assert!(refused.answer().body.contains("<ns2:ErrorCode>PNR_NOT_VALID</ns2:ErrorCode>"));
    assert!(!refused.answer().body.contains("61018O1234") && !format!("{refused:?} {refused}").contains("61018"));
    let answer = read(Endpoint::Sf6008, &request(SoapVersion::V1_1)).expect("read").reply.refuse(&Problem::NoAgreement);
    assert!(answer.body.contains("<ns2:ErrorCode>NO_SERVICE_AGREEMENT</ns2:ErrorCode>"));
}

#[test]
fn what_is_no_envelope_is_answered_in_soap_1_1() {
    let answer = |body: &[u8]| Endpoint::Sf6008.read(body, &Reading::default()).expect_err("refused").answer();
    for body in [&b""[..], b"GET / HTTP/1.1", b"{}", b"<a/>", b"\xff\xfe", b"<!DOCTYPE a><a/>"] {
        let answer = answer(body);
        assert_eq!((answer.status, answer.content_type), (500, "text/xml; charset=utf-8"));
        assert!(find(parsed(&answer).root(), "Fault").is_some());
    }
    assert!(answer(b"<a/>").body.contains("soap:VersionMismatch"));
    let long = vec![b' '; 300_000];
    assert!(answer(&long).body.contains("more than 262144 bytes"));
}

#[test]
fn a_request_in_undeclared_iso_8859_1_is_read() {
    let context = "<c:CallContext xmlns:c=\"urn:c\"><c:OnBehalfOfUser>S#ren</c:OnBehalfOfUser></c:CallContext>";
    let xml = request(SoapVersion::V1_1).replacen("<i:Inv", &format!("{context}<i:Inv"), 1);
    let bytes: Vec<u8> = xml.bytes().map(|byte| if byte == b'#' { 0xf8 } else { byte }).collect();
    let request = Endpoint::Sf6008.read(&bytes, &Reading::default()).expect("read");
    assert_eq!(request.contexts.call.expect("there").user.as_deref(), Some("Søren"));
}

//! Answers verify with the certificate that they carry, and cover everything but the signature.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cpr_wire::xml::{Document, Element};
use cpr_wire::{Endpoint, Limits, Problem, Reading};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use saml_token::rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use saml_token::{AnswerHead, Signer, SignerError};

use crate::signer::{DS, NOW, OTHER, WSA, WSSE, WSU, digest};

const KEY: &[u8] = include_bytes!("../keys/service.pk8");
static CERTIFICATE: LazyLock<CertificateDer<'static>> = LazyLock::new(|| {
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&KEY.into(), &PKCS_RSA_SHA256).unwrap();
    CertificateParams::new(vec!["service.example.test".to_owned()]).unwrap().self_signed(&pair).unwrap().der().clone()
});

fn signer() -> Signer {
    Signer::new(CERTIFICATE.clone(), &PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY))).unwrap()
}

/// A fault in an envelope, as the host answers what it refuses.
fn envelope() -> String {
    let endpoint = Endpoint::from_path("/service/PersonStamoplysningerSamlingHentService/2").unwrap();
    endpoint.read(b"<a/>", &Reading::default()).unwrap_err().reply.refuse(&Problem::Internal).body
}

fn answer() -> String {
    let head = AnswerHead { action: "urn:askResponse", message_id: "urn:uuid:1", relates_to: "urn:a<b&\"c" };
    signer().sign(&envelope(), &head, *NOW).unwrap()
}

fn all<'d>(element: Element<'d>, found: &mut Vec<Element<'d>>) {
    found.push(element);
    element.children().for_each(|child| all(child, found));
}

#[test]
fn an_answer_relates_to_its_message_and_bears_framework_and_timestamp() {
    let answer = answer();
    let document = Document::parse(&answer, &Limits::REQUEST).unwrap();
    let mut elements = Vec::new();
    all(document.root(), &mut elements);
    let text = |namespace, name| elements.iter().find(|found| found.is(namespace, name)).unwrap().text();
    assert_eq!(text(WSA, "RelatesTo"), "urn:a<b&\"c");
    assert_eq!((text(WSU, "Created"), text(WSU, "Expires")), ("2026-01-08T12:00:00Z", "2026-01-08T12:05:00Z"));
    let framework = elements.iter().find(|found| found.is("urn:liberty:sb:2006-08", "Framework")).unwrap();
    assert_eq!(framework.attribute("version"), Some("2.0"));
    assert_eq!(STANDARD.decode(text(WSSE, "BinarySecurityToken")).unwrap(), CERTIFICATE.as_ref());
}

#[test]
fn an_answer_verifies_with_its_certificate_and_its_digests_are_those_of_its_parts() {
    let answer = answer();
    let between = |start: &str, end: &str| {
        let (_, rest) = answer.split_once(start).unwrap();
        format!("{start}{}{end}", rest.split_once(end).unwrap().0)
    };
    let signed_info = between("<ds:SignedInfo", "</ds:SignedInfo>");
    let value = between("<ds:SignatureValue>", "</ds:SignatureValue>");
    let value = value.trim_start_matches("<ds:SignatureValue>").trim_end_matches("</ds:SignatureValue>");
    let key = webpki::EndEntityCert::try_from(&*CERTIFICATE).unwrap();
    let value = STANDARD.decode(value).unwrap();
    key.verify_signature(webpki::ring::RSA_PKCS1_2048_8192_SHA256, signed_info.as_bytes(), &value).unwrap();
    assert!(signed_info.starts_with(&format!("<ds:SignedInfo xmlns:ds=\"{DS}\">")));
    assert_eq!(signed_info.matches("<ds:Reference ").count(), 8);
    // Two of them as they stand in canonical form; the others are verified by xmlsec1.
    let action =
        format!("<wsa:Action xmlns:wsa=\"{WSA}\" xmlns:wsu=\"{WSU}\" wsu:Id=\"action\">urn:askResponse</wsa:Action>");
    let timestamp = format!(
        "<wsu:Timestamp xmlns:wsu=\"{WSU}\" wsu:Id=\"timestamp\"><wsu:Created>2026-01-08T12:00:00Z</wsu:Created>\
         <wsu:Expires>2026-01-08T12:05:00Z</wsu:Expires></wsu:Timestamp>"
    );
    for part in [action, timestamp] {
        assert!(signed_info.contains(&digest(&part)), "{part}");
    }
}

#[test]
fn a_certificate_of_another_key_signs_nothing() {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    assert_eq!(Signer::new(OTHER.certificate.clone(), &key).unwrap_err(), SignerError::Certificate);
    let no_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(&b"none"[..]));
    assert_eq!(Signer::new(CERTIFICATE.clone(), &no_key).unwrap_err(), SignerError::Key);
}

#[test]
fn only_an_envelope_of_this_project_is_signed() {
    let head = AnswerHead { action: "a", message_id: "b", relates_to: "c" };
    for other in ["", "<a/>", "<soap:Body>", "<soap:Envelope><soap:Body/></soap:Envelope>"] {
        assert_eq!(signer().sign(other, &head, *NOW).unwrap_err(), SignerError::Envelope);
    }
}

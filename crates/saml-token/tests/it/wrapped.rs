//! Signature wrapping: what was signed stands somewhere else in the message, and something else in its place. Each
//! shape is refused since an element that counts may be in the message once; and where it is there once, since nothing
//! but the bytes that were signed is used.

use cpr_wire::Error;
use saml_token::Refusal;

use crate::signer::{DS, NAMESPACE, Plan, SOAP, WSU, token_reference, verify};

/// A message, its assertion as it was signed, and that of somebody else who signed nothing.
struct Wrapping {
    message: String,
    signed: String,
    forged: String,
}

impl Wrapping {
    fn new() -> Wrapping {
        let plan = Plan::new();
        let signed = plan.assertion();
        let (_, rest) = signed.split_once("<ds:Signature").unwrap();
        let (_, rest) = rest.split_once("</ds:Signature>").unwrap();
        let (start, _) = signed.split_once("<ds:Signature").unwrap();
        let forged = format!("{start}{rest}").replace("12345678", "87654321").replace("_a1", "_evil");
        Wrapping { message: plan.xml(), forged, signed }
    }

    /// The signature of the assertion.
    fn signature(&self) -> String {
        let start = self.signed.find("<ds:Signature").unwrap();
        let end = self.signed.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
        self.signed[start..end].to_owned()
    }

    /// The assertion as it was signed without its signature.
    fn bare(&self) -> String {
        self.signed.replace(&self.signature(), "")
    }

    /// The forged assertion with this behind its issuer.
    fn forged_with(&self, within: &str) -> String {
        self.forged.replacen("</saml:Issuer>", &format!("</saml:Issuer>{within}"), 1)
    }

    fn refuses(&self, in_place_of_the_assertion: &str, expected: Refusal) {
        let message = self.message.replacen(&self.signed, in_place_of_the_assertion, 1);
        assert_ne!(message, self.message);
        assert_eq!(verify(&message).unwrap_err(), expected);
    }
}

const TWO: Refusal = Refusal::Repeated("Assertion");

#[test]
fn a_forged_assertion_around_the_signature_that_holds_the_signed_one_is_refused() {
    let wrapping = Wrapping::new();
    let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", wrapping.bare());
    let signature = wrapping.signature().replace("</ds:Signature>", &object);
    wrapping.refuses(&wrapping.forged_with(&signature), TWO);
}

#[test]
fn a_signed_assertion_beside_the_signature_in_a_forged_one_is_refused() {
    let wrapping = Wrapping::new();
    let beside = wrapping.bare() + &wrapping.signature();
    wrapping.refuses(&wrapping.forged_with(&beside), TWO);
}

#[test]
fn a_forged_assertion_before_the_signed_one_is_refused() {
    let wrapping = Wrapping::new();
    wrapping.refuses(&(wrapping.forged.clone() + &wrapping.signed), TWO);
}

#[test]
fn a_signed_assertion_within_a_forged_one_is_refused() {
    let wrapping = Wrapping::new();
    wrapping.refuses(&wrapping.forged_with(&wrapping.signed), TWO);
}

#[test]
fn a_forged_assertion_with_the_signature_before_the_signed_one_is_refused() {
    let wrapping = Wrapping::new();
    wrapping.refuses(&(wrapping.forged_with(&wrapping.signature()) + &wrapping.bare()), TWO);
}

#[test]
fn a_signed_assertion_within_the_signature_in_a_forged_one_is_refused() {
    let wrapping = Wrapping::new();
    let signature = wrapping.signature().replace("</ds:Signature>", &format!("{}</ds:Signature>", wrapping.bare()));
    wrapping.refuses(&wrapping.forged_with(&signature), TWO);
}

#[test]
fn a_forged_assertion_in_an_extension_is_refused() {
    let wrapping = Wrapping::new();
    wrapping.refuses(&format!("<x xmlns=\"urn:x\">{}</x>{}", wrapping.forged, wrapping.signed), TWO);
    // And outside of the security header as well.
    let headers = format!("<x xmlns=\"urn:x\">{}</x>", wrapping.forged);
    assert_eq!(verify(&Plan { headers, ..Plan::new() }.xml()).unwrap_err(), TWO);
}

#[test]
fn a_signed_assertion_in_an_object_of_the_messages_signature_is_refused() {
    let wrapping = Wrapping::new();
    let message = wrapping.message.replacen(&wrapping.signed, &wrapping.forged_with(&wrapping.signature()), 1);
    let object = format!("<ds:Object>{}</ds:Object></ds:Signature></wsse:Security>", wrapping.bare());
    let message = message.replacen("</ds:Signature></wsse:Security>", &object, 1);
    assert_eq!(verify(&message).unwrap_err(), TWO);
}

#[test]
fn a_forged_assertion_alone_that_kept_the_signature_is_refused() {
    let wrapping = Wrapping::new();
    wrapping.refuses(&wrapping.forged_with(&wrapping.signature()), Refusal::NotSigned("Assertion"));
    let same_id = wrapping.forged_with(&wrapping.signature()).replace("_evil", "_a1");
    wrapping.refuses(&same_id, Refusal::Digest("Assertion"));
}

#[test]
fn two_signed_assertions_are_refused() {
    let wrapping = Wrapping::new();
    let another = wrapping.signed.replace("_a1", "_a2");
    wrapping.refuses(&(wrapping.signed.clone() + &another), TWO);
}

#[test]
fn two_assertions_with_one_id_are_refused() {
    let wrapping = Wrapping::new();
    let message = wrapping.message.replacen(&wrapping.signed, &wrapping.signed.repeat(2), 1);
    assert!(matches!(verify(&message), Err(Refusal::Unreadable(Error::RepeatedId { .. }))));
}

fn body() -> String {
    Plan::new().parts().pop().unwrap().1
}

fn forged_body(id: &str) -> String {
    format!(
        "<soap:Body xmlns:wsu=\"{WSU}\"{id}><k:Request xmlns:k=\"{NAMESPACE}\">for 6101801235</k:Request></soap:Body>"
    )
}

#[test]
fn a_signed_body_that_was_moved_into_a_header_is_refused() {
    let message = Plan::new().xml().replacen(&body(), &forged_body(""), 1);
    let wrapped = format!("<x xmlns=\"urn:x\">{}</x></soap:Header>", body());
    assert_eq!(verify(&message.replace("</soap:Header>", &wrapped)).unwrap_err(), Refusal::Repeated("Body"));
    // Under another name than that of a body it is no body, and the signature refers to nothing in its place.
    let renamed = body().replace("soap:Body", "soap:Other");
    let wrapped = format!("<x xmlns=\"urn:x\">{renamed}</x></soap:Header>");
    let refused = verify(&message.replace("</soap:Header>", &wrapped)).unwrap_err();
    assert_eq!(refused, Refusal::Misplaced("Reference"));
}

#[test]
fn a_signed_body_in_a_header_of_the_other_version_is_refused() {
    let other = body().replace(SOAP, "http://schemas.xmlsoap.org/soap/envelope/");
    let message = Plan::new().xml().replacen(&body(), &forged_body(""), 1);
    let wrapped = format!("<x xmlns=\"urn:x\">{other}</x></soap:Header>");
    assert_eq!(verify(&message.replace("</soap:Header>", &wrapped)).unwrap_err(), Refusal::Repeated("Body"));
}

#[test]
fn a_second_body_is_refused() {
    let message = Plan::new().xml().replace("</soap:Envelope>", &format!("{}</soap:Envelope>", forged_body("")));
    assert_eq!(verify(&message).unwrap_err(), Refusal::Repeated("Body"));
}

#[test]
fn a_signed_request_within_a_body_that_is_not_signed_is_refused() {
    let named = format!("<k:Request xmlns:k=\"{NAMESPACE}\" xmlns:wsu=\"{WSU}\" wsu:Id=\"body\">");
    let inner = body().replace(&format!("<k:Request xmlns:k=\"{NAMESPACE}\">"), &named);
    let inner = inner.replacen(" wsu:Id=\"body\"", "", 1);
    let message = Plan::new().xml().replacen(&body(), &inner, 1);
    assert_eq!(verify(&message).unwrap_err(), Refusal::Misplaced("Reference"));
}

#[test]
fn an_id_for_the_second_time_is_refused() {
    let message = Plan::new().xml();
    for attribute in ["wsu:Id", "Id", "ID", "id"] {
        let header = format!("<x xmlns=\"urn:x\" xmlns:wsu=\"{WSU}\" {attribute}=\"body\"/></soap:Header>");
        let refused = verify(&message.replace("</soap:Header>", &header));
        assert!(matches!(refused, Err(Refusal::Unreadable(Error::RepeatedId { .. }))), "{attribute}");
    }
}

#[test]
fn a_second_timestamp_is_refused_wherever_it_stands() {
    let message = Plan::new().xml();
    let (_, timestamp) = Plan::new().parts().remove(4);
    let second = timestamp.replace("wsu:Id=\"timestamp\"", "wsu:Id=\"second\"");
    for end in ["</wsse:Security>", "</soap:Header>", "</soap:Body>"] {
        let message = message.replace(end, &format!("{second}{end}"));
        assert_eq!(verify(&message).unwrap_err(), Refusal::Repeated("Timestamp"), "{end}");
    }
    let message = message.replacen(&timestamp, "", 1).replace("</soap:Header>", &format!("{timestamp}</soap:Header>"));
    assert_eq!(verify(&message).unwrap_err(), Refusal::Misplaced("Timestamp"));
}

#[test]
fn a_token_reference_that_was_swapped_is_refused() {
    let message = Plan::new().xml();
    let swapped = message.replacen(&token_reference("token", "_a1"), &token_reference("token", "body"), 1);
    assert_eq!(verify(&swapped).unwrap_err(), Refusal::Token);
    let moved = message.replacen(&token_reference("token", "_a1"), "", 1);
    let elsewhere = format!("<x xmlns=\"urn:x\">{}</x></soap:Header>", token_reference("token", "_a1"));
    let moved = moved.replace("</soap:Header>", &elsewhere);
    assert_eq!(verify(&moved).unwrap_err(), Refusal::Misplaced("Reference"));
}

#[test]
fn a_second_security_header_is_refused() {
    let message = Plan::new().xml();
    let start = message.find("<wsse:Security ").unwrap();
    let end = message.find("</wsse:Security>").unwrap() + "</wsse:Security>".len();
    let empty = message[start..end].split_once('>').unwrap().0.to_owned() + "/>";
    let message = message.replace("</soap:Header>", &format!("{empty}</soap:Header>"));
    assert_eq!(verify(&message).unwrap_err(), Refusal::Repeated("Security"));
}

#[test]
fn a_second_framework_or_message_id_is_refused() {
    let (parts, message) = (Plan::new().parts(), Plan::new().xml());
    let second = |at: usize, id: &str| {
        let part = parts[at].1.replace(&format!("wsu:Id=\"{id}\""), "wsu:Id=\"second\"");
        verify(&message.replace("</soap:Header>", &format!("{part}</soap:Header>"))).unwrap_err()
    };
    assert_eq!(second(3, "framework"), Refusal::Repeated("Framework"));
    assert_eq!(second(0, "message-id"), Refusal::NotSigned("a header"));
}

#[test]
fn a_third_signature_is_refused() {
    let message = Plan::new().xml();
    let third = format!("<ds:Signature xmlns:ds=\"{DS}\"></ds:Signature></soap:Header>");
    assert_eq!(verify(&message.replace("</soap:Header>", &third)).unwrap_err(), Refusal::Repeated("Signature"));
}

#[test]
fn a_message_whose_own_signature_was_taken_off_is_refused() {
    let message = Plan::new().xml();
    let start = message.rfind("<ds:Signature ").unwrap();
    let end = message.rfind("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let stripped = format!("{}{}", &message[..start], &message[end..]);
    assert_eq!(verify(&stripped).unwrap_err(), Refusal::Missing("Signature"));
    // And one that stands in a header of its own is none of the message.
    let moved = stripped.replace("</soap:Header>", &format!("{}</soap:Header>", &message[start..end]));
    assert_eq!(verify(&moved).unwrap_err(), Refusal::Misplaced("Signature"));
}

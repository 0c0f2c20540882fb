//! What is accepted, and what is handed on of it.

use crate::signer::{NAMESPACE, Plan, SOAP, WSU, verify};

#[test]
fn a_signed_message_tells_who_calls_and_what_is_asked() {
    let plan = Plan::new();
    let verified = verify(&plan.xml()).unwrap();
    assert_eq!(verified.cvr.to_string(), "12345678");
    assert_eq!((verified.message_id.as_str(), verified.action.as_str()), (plan.message_id.as_str(), "urn:ask"));
    let (_, body) = plan.parts().pop().unwrap();
    assert_eq!(verified.envelope(), format!("<e:Envelope xmlns:e=\"{SOAP}\">{body}</e:Envelope>"));
    assert_eq!(format!("{verified:?}"), "Verified(..)");
}

#[test]
fn the_assertion_is_signed_in_either_form_of_the_transform() {
    verify(&Plan { empty_default: true, ..Plan::new() }.xml()).unwrap();
}

#[test]
fn another_spelling_of_the_same_message_hands_on_the_same_bytes() {
    let plain = Plan::new().xml();
    let spelled = plain
        .replace("<soap:Envelope ", "<?xml version='1.0'?>\r\n<soap:Envelope xmlns:unused='urn:a'\r\n ")
        .replace(
            &format!("<k:Request xmlns:k=\"{NAMESPACE}\">for "),
            &format!("<k:Request\n xmlns:k='{NAMESPACE}' >f&#111;r "),
        )
        .replace("wsu:Id=\"body\"", "wsu:Id='body'")
        .replace("</ds:DigestMethod>", "</ds:DigestMethod >");
    assert_ne!(spelled, plain);
    assert_eq!(verify(&spelled).unwrap().envelope(), verify(&plain).unwrap().envelope());
}

#[test]
fn a_namespace_that_is_declared_above_a_signed_part_stands_in_the_bytes_that_are_handed_on() {
    let declared = format!(" xmlns:k=\"{NAMESPACE}\" xmlns:wsu=\"{WSU}\">");
    let plain = Plan::new().xml();
    let (head, tail) = plain.split_at(plain.find('>').unwrap());
    let tail = tail.replace(&format!(" xmlns:k=\"{NAMESPACE}\""), "").replace(&format!(" xmlns:wsu=\"{WSU}\""), "");
    let moved = format!("{head}{declared}{}", &tail[1..]);
    assert_eq!(verify(&moved).unwrap().envelope(), verify(&plain).unwrap().envelope());
}

//! A message that is changed, meant for another, or of another time is refused by the check it does not pass.

use cpr_wire::{Error, Limit};
use saml_token::Refusal;
use saml_token::jiff::SignedDuration;

use crate::signer::{
    C14N, DS, ENVELOPED, Memory, NOW, OTHER, PRIVILEGE, Plan, SHA256, privileges, token_reference, transform, verify,
    verify_with,
};

fn refusal(xml: &str) -> Refusal {
    verify(xml).expect_err("a message that is refused")
}

/// The same message with one text in place of another, which is there.
fn changed(xml: &str, old: &str, new: &str) -> String {
    assert!(xml.contains(old), "{old}");
    xml.replacen(old, new, 1)
}

#[test]
fn a_changed_body_is_refused() {
    let xml = changed(&Plan::new().xml(), "for 6101801234", "for 6101801235");
    assert_eq!(refusal(&xml), Refusal::Digest("Body"));
}

#[test]
fn a_changed_header_is_refused() {
    let xml = changed(&Plan::new().xml(), ">urn:ask<", ">urn:act<");
    assert_eq!(refusal(&xml), Refusal::Digest("a header"));
}

#[test]
fn a_changed_timestamp_is_refused() {
    let xml = changed(&Plan::new().xml(), "<wsu:Created>2026-01-08T12:00", "<wsu:Created>2026-01-08T12:01");
    assert_eq!(refusal(&xml), Refusal::Digest("Timestamp"));
}

#[test]
fn a_changed_assertion_is_refused() {
    let xml = changed(&Plan::new().xml(), ">12345678<", ">87654321<");
    assert_eq!(refusal(&xml), Refusal::Digest("Assertion"));
}

#[test]
fn an_assertion_that_has_expired_is_refused() {
    assert_eq!(refusal(&Plan { not_on_or_after: *NOW, ..Plan::new() }.xml()), Refusal::Expired);
}

#[test]
fn an_assertion_of_later_is_refused() {
    let plan = Plan { not_before: *NOW + SignedDuration::from_secs(61), ..Plan::new() };
    assert_eq!(refusal(&plan.xml()), Refusal::Early);
}

#[test]
fn an_assertion_for_another_service_is_refused() {
    let plan = Plan { audience: "http://cpr.example.test/service/other".to_owned(), ..Plan::new() };
    assert_eq!(refusal(&plan.xml()), Refusal::Audience);
}

#[test]
fn an_assertion_that_is_restricted_to_another_service_as_well_is_refused() {
    let conditions = "<saml:AudienceRestriction><saml:Audience>http://b</saml:Audience></saml:AudienceRestriction>";
    assert_eq!(refusal(&Plan { conditions: conditions.to_owned(), ..Plan::new() }.xml()), Refusal::Audience);
}

#[test]
fn a_condition_that_is_not_known_is_refused() {
    let plan = Plan { conditions: "<saml:OneTimeUse></saml:OneTimeUse>".to_owned(), ..Plan::new() };
    assert_eq!(refusal(&plan.xml()), Refusal::Form("Conditions"));
}

#[test]
fn an_assertion_of_another_issuer_is_refused() {
    assert_eq!(refusal(&Plan { issuer: "https://other.example.test", ..Plan::new() }.xml()), Refusal::Issuer);
}

#[test]
fn an_assertion_that_a_foreign_token_service_signed_is_refused() {
    assert_eq!(refusal(&Plan { signed_by: &OTHER, ..Plan::new() }.xml()), Refusal::AssertionSignature);
}

#[test]
fn a_foreign_token_service_that_brings_its_own_key_is_refused() {
    let xml = Plan { signed_by: &OTHER, ..Plan::new() }.xml();
    let value = "</ds:SignatureValue></ds:Signature>";
    let with_key = "</ds:SignatureValue><ds:KeyInfo><ds:X509Data></ds:X509Data></ds:KeyInfo></ds:Signature>";
    assert_eq!(refusal(&changed(&xml, value, with_key)), Refusal::AssertionSignature);
}

#[test]
fn a_message_that_another_key_than_the_holders_signed_is_refused() {
    assert_eq!(refusal(&Plan { message_signed_by: &OTHER, ..Plan::new() }.xml()), Refusal::MessageSignature);
}

#[test]
fn a_bearer_token_is_refused() {
    let plan = Plan { method: "urn:oasis:names:tc:SAML:2.0:cm:bearer", ..Plan::new() };
    assert_eq!(refusal(&plan.xml()), Refusal::Confirmation);
}

#[test]
fn the_same_message_a_second_time_is_refused() {
    let (memory, xml) = (Memory::default(), Plan::new().xml());
    verify_with(&xml, &memory).unwrap();
    assert_eq!(verify_with(&xml, &memory).unwrap_err(), Refusal::Replayed);
    let another = Plan { message_id: "urn:uuid:2".to_owned(), ..Plan::new() };
    verify_with(&another.xml(), &memory).unwrap();
}

#[test]
fn a_message_that_was_refused_earlier_does_not_use_up_its_id() {
    let memory = Memory::default();
    let forged = Plan { message_signed_by: &OTHER, ..Plan::new() };
    verify_with(&forged.xml(), &memory).unwrap_err();
    verify_with(&Plan::new().xml(), &memory).unwrap();
}

#[test]
fn a_message_without_framework_is_refused() {
    let xml = Plan::new().xml();
    let (start, rest) = xml.split_once("<sbf:Framework").unwrap();
    let without = format!("{start}{}", rest.split_once("</sbf:Framework>").unwrap().1);
    assert_eq!(refusal(&without), Refusal::Missing("Framework"));
}

#[test]
fn another_framework_is_refused() {
    let plan = Plan { framework: "version=\"1.0\"".to_owned(), ..Plan::new() };
    assert_eq!(refusal(&plan.xml()), Refusal::Framework);
}

#[test]
fn a_message_made_more_than_five_minutes_away_is_refused() {
    for away in [-301, 301] {
        let plan = Plan { made: *NOW + SignedDuration::from_secs(away), ..Plan::new() };
        assert_eq!(refusal(&plan.xml()), Refusal::Stale, "{away}");
    }
    verify(&Plan { made: *NOW + SignedDuration::from_secs(300), ..Plan::new() }.xml()).unwrap();
}

#[test]
fn a_part_that_is_not_signed_is_refused() {
    let parts = [
        ("body", Refusal::NotSigned("Body")),
        ("timestamp", Refusal::NotSigned("Timestamp")),
        ("framework", Refusal::NotSigned("Framework")),
        ("message-id", Refusal::NotSigned("a header")),
        ("to", Refusal::NotSigned("a header")),
        ("token", Refusal::NotSigned("Assertion")),
    ];
    for (part, expected) in parts {
        assert_eq!(refusal(&Plan { unsigned: vec![part], ..Plan::new() }.xml()), expected, "{part}");
    }
}

#[test]
fn a_comment_inside_an_identifier_is_refused() {
    for (plain, commented) in [(">12345678<", ">1234<!-- -->5678<"), ("for 6101801234", "for 61018<!---->01234")] {
        assert_eq!(refusal(&changed(&Plan::new().xml(), plain, commented)), Refusal::Comment);
    }
}

#[test]
fn sha_1_is_refused_whoever_signs_it() {
    let plan = Plan { signature_method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1", ..Plan::new() };
    assert_eq!(refusal(&plan.xml()), Refusal::Algorithm("SignatureMethod"));
    let xml = Plan::new().xml().replace(SHA256, "http://www.w3.org/2000/09/xmldsig#sha1");
    assert_eq!(refusal(&xml), Refusal::AssertionSignature, "changed after it was signed");
}

#[test]
fn a_mac_in_place_of_a_signature_is_refused() {
    let plan = Plan { signature_method: "http://www.w3.org/2000/09/xmldsig#hmac-sha1", ..Plan::new() };
    assert_eq!(refusal(&plan.xml()), Refusal::Algorithm("SignatureMethod"));
}

#[test]
fn transforms_that_are_not_the_bindings_are_refused() {
    let others = [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    ];
    for other in others {
        for transforms in
            [transform(other), transform(ENVELOPED) + &transform(other), transform(other) + &transform(C14N)]
        {
            let plan = Plan { assertion_transforms: transforms, ..Plan::new() };
            assert_eq!(refusal(&plan.xml()), Refusal::Algorithm("Transforms"), "{other}");
        }
    }
}

#[test]
fn a_signature_that_names_another_token_is_refused() {
    let xml = changed(&Plan::new().xml(), &token_reference("key", "_a1"), &token_reference("key", "_a2"));
    assert_eq!(refusal(&xml), Refusal::Token);
    let by_certificate = "<ds:X509Data></ds:X509Data>";
    assert_eq!(refusal(&changed(&Plan::new().xml(), &token_reference("key", "_a1"), by_certificate)), Refusal::Token);
}

#[test]
fn an_authority_without_the_privilege_is_refused() {
    let lists = [
        (privileges("12345678", "http://cpr.example.test/roles/other/1"), Refusal::Privilege),
        (privileges("87654321", PRIVILEGE), Refusal::Privilege),
        ("AAAA".to_owned(), Refusal::Attribute("Privileges_intermediate")),
    ];
    for (list, expected) in lists {
        assert_eq!(refusal(&Plan::new().set("Privileges_intermediate", &list).xml()), expected);
    }
}

#[test]
fn attributes_that_are_not_accepted_are_refused() {
    let wrong = [("CvrNumberIdentifier", "1234567"), ("AssuranceLevel", "2"), ("SpecVer", "DK-SAML-1.0")];
    for (name, value) in wrong {
        assert_eq!(refusal(&Plan::new().set(name, value).xml()), Refusal::Attribute(name));
    }
    let mut twice = Plan::new();
    twice.attributes.push(("dk:gov:saml:attribute:CvrNumberIdentifier", "87654321".to_owned()));
    assert_eq!(refusal(&twice.xml()), Refusal::Attribute("CvrNumberIdentifier"));
}

#[test]
fn a_header_of_ten_megabytes_is_refused_before_it_is_looked_at() {
    let plan = Plan { headers: format!("<a xmlns=\"urn:a\">{}</a>", "x".repeat(10 << 20)), ..Plan::new() };
    assert!(matches!(refusal(&plan.xml()), Refusal::Unreadable(Error::Limit { limit: Limit::Bytes, .. })));
}

#[test]
fn a_message_too_deep_or_of_too_many_elements_is_refused() {
    let deep = Plan { headers: "<a>".repeat(5000) + &"</a>".repeat(5000), ..Plan::new() };
    assert!(matches!(refusal(&deep.xml()), Refusal::Unreadable(Error::Limit { limit: Limit::Depth, .. })));
    let many = Plan { headers: "<a/>".repeat(5000), ..Plan::new() };
    assert!(matches!(refusal(&many.xml()), Refusal::Unreadable(Error::Limit { limit: Limit::Elements, .. })));
}

#[test]
fn a_document_type_is_refused() {
    let xml = format!("<!DOCTYPE a [<!ATTLIST b Id ID #IMPLIED>]>{}", Plan::new().xml());
    assert!(matches!(refusal(&xml), Refusal::Unreadable(Error::DocumentType { .. })));
}

#[test]
fn a_header_that_must_be_understood_and_is_not_is_refused() {
    let headers = "<a xmlns=\"urn:a\" soap:mustUnderstand=\"1\"></a>".to_owned();
    let refused = refusal(&Plan { headers, ..Plan::new() }.xml());
    assert_eq!(refused, Refusal::Unreadable(Error::MustUnderstand));
}

#[test]
fn an_object_in_a_signature_is_refused() {
    let object = format!("<ds:Object xmlns:ds=\"{DS}\"></ds:Object></ds:Signature></wsse:Security>");
    let xml = changed(&Plan::new().xml(), "</ds:Signature></wsse:Security>", &object);
    assert_eq!(refusal(&xml), Refusal::Form("Signature"));
}

#[test]
fn a_message_without_a_token_is_refused() {
    let envelope = "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Header/><e:Body/></e:Envelope>";
    assert_eq!(refusal(envelope), Refusal::Missing("Security"));
}

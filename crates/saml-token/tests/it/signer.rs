//! A token service and a client of it for tests, which sign without canonicalizing: every part that is signed is
//! written in canonical form, so that its digest is that of the text as it stands.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cpr_wire::Limits;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use saml_token::jiff::{SignedDuration, Timestamp};
use saml_token::rustls_pki_types::CertificateDer;
use saml_token::{MessageKey, Refusal, Seen, SeenMessages, Settings, Unavailable, Verified, Verifier};

pub(crate) const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
pub(crate) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const WSA: &str = "http://www.w3.org/2005/08/addressing";
pub(crate) const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
pub(crate) const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
pub(crate) const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(crate) const STR: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform";
pub(crate) const RSA: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(crate) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub(crate) const AUDIENCE: &str = "http://cpr.example.test/service/persondatasamlethent/1";
pub(crate) const ISSUER: &str = "https://saml.example.test/runtime";
pub(crate) const PRIVILEGE: &str = "http://cpr.example.test/roles/lookup/1";
pub(crate) const NAMESPACE: &str = "http://www.kombit.dk/2017/01/01/";

pub(crate) static NOW: LazyLock<Timestamp> = LazyLock::new(|| "2026-01-08T12:00:00Z".parse().unwrap());

/// A key with its certificate.
pub(crate) struct Identity {
    pub(crate) key: RsaKeyPair,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Identity {
    fn new(name: &str, pkcs8: &[u8]) -> Identity {
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), &PKCS_RSA_SHA256).unwrap();
        let certificate = CertificateParams::new(vec![format!("{name}.example.test")]).unwrap().self_signed(&pair);
        let key = RsaKeyPair::from_pkcs8(pkcs8).unwrap();
        Identity { key, certificate: certificate.unwrap().der().clone() }
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        STANDARD.encode(signature)
    }
}

pub(crate) static TOKEN_SERVICE: LazyLock<Identity> =
    LazyLock::new(|| Identity::new("issuer", include_bytes!("../keys/issuer.pk8")));
pub(crate) static HOLDER: LazyLock<Identity> =
    LazyLock::new(|| Identity::new("holder", include_bytes!("../keys/holder.pk8")));
pub(crate) static OTHER: LazyLock<Identity> =
    LazyLock::new(|| Identity::new("other", include_bytes!("../keys/other.pk8")));

pub(crate) fn digest(text: &str) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// A reference of a signature.
pub(crate) fn reference(id: &str, transforms: &str, digested: &str) -> String {
    format!(
        "<ds:Reference URI=\"#{id}\"><ds:Transforms>{transforms}</ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{SHA256}\"></ds:DigestMethod>\
         <ds:DigestValue>{}</ds:DigestValue></ds:Reference>",
        digest(digested)
    )
}

pub(crate) fn transform(algorithm: &str) -> String {
    format!("<ds:Transform Algorithm=\"{algorithm}\"></ds:Transform>")
}

/// A signature with what its `SignedInfo` holds behind the methods.
pub(crate) fn signature(method: &str, references: &str, key_info: &str, by: &Identity) -> String {
    let inner = format!(
        "<ds:CanonicalizationMethod Algorithm=\"{C14N}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod>{references}</ds:SignedInfo>"
    );
    let value = by.sign(&format!("<ds:SignedInfo xmlns:ds=\"{DS}\">{inner}"));
    format!(
        "<ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>{inner}\
         <ds:SignatureValue>{value}</ds:SignatureValue>{key_info}</ds:Signature>"
    )
}

/// A message that is to be made: each field is what a test may want otherwise.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) issuer: &'static str,
    pub(crate) signed_by: &'static Identity,
    pub(crate) not_before: Timestamp,
    pub(crate) not_on_or_after: Timestamp,
    pub(crate) audience: String,
    /// Text in front of the end of the conditions.
    pub(crate) conditions: String,
    pub(crate) method: &'static str,
    pub(crate) holder: &'static Identity,
    pub(crate) attributes: Vec<(&'static str, String)>,
    pub(crate) made: Timestamp,
    pub(crate) message_id: String,
    pub(crate) framework: String,
    pub(crate) message_signed_by: &'static Identity,
    /// The transforms of the assertion's signature.
    pub(crate) assertion_transforms: String,
    pub(crate) signature_method: &'static str,
    /// What stands between the tags of the body.
    pub(crate) request: String,
    /// Parts that stand in the message and are not signed.
    pub(crate) unsigned: Vec<&'static str>,
    /// Headers that are there on top.
    pub(crate) headers: String,
    /// The assertion is digested with `xmlns=""` on its first tag.
    pub(crate) empty_default: bool,
}

impl Plan {
    pub(crate) fn new() -> Plan {
        let attribute = |name: &str| -> &'static str { format!("dk:gov:saml:attribute:{name}").leak() };
        Plan {
            issuer: ISSUER,
            signed_by: &TOKEN_SERVICE,
            not_before: *NOW - SignedDuration::from_hours(1),
            not_on_or_after: *NOW + SignedDuration::from_hours(7),
            audience: AUDIENCE.to_owned(),
            conditions: String::new(),
            method: "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key",
            holder: &HOLDER,
            attributes: vec![
                (attribute("SpecVer"), "DK-SAML-2.0".to_owned()),
                (attribute("AssuranceLevel"), "3".to_owned()),
                (attribute("CvrNumberIdentifier"), "12345678".to_owned()),
                (attribute("Privileges_intermediate"), privileges("12345678", PRIVILEGE)),
            ],
            made: *NOW,
            message_id: "urn:uuid:22222222-0000-4000-8000-000000000001".to_owned(),
            framework: "version=\"2.0\"".to_owned(),
            message_signed_by: &HOLDER,
            assertion_transforms: transform(ENVELOPED) + &transform(C14N),
            signature_method: RSA,
            request: format!("<k:Request xmlns:k=\"{NAMESPACE}\">for 6101801234</k:Request>"),
            unsigned: Vec::new(),
            headers: String::new(),
            empty_default: false,
        }
    }

    pub(crate) fn set(mut self, attribute: &str, value: &str) -> Plan {
        let found = self.attributes.iter_mut().find(|(name, _)| name.ends_with(attribute));
        found.expect("an attribute of the plan").1 = value.to_owned();
        self
    }

    /// The assertion, signed.
    pub(crate) fn assertion(&self) -> String {
        let Plan { issuer, not_before, not_on_or_after, audience, conditions, method, .. } = self;
        let certificate = STANDARD.encode(&self.holder.certificate);
        let start = format!(
            "<saml:Assertion xmlns:saml=\"{SAML}\" ID=\"_a1\" IssueInstant=\"{not_before}\" Version=\"2.0\">\
             <saml:Issuer>{issuer}</saml:Issuer>"
        );
        let mut rest = format!(
            "<saml:Subject><saml:NameID>client</saml:NameID><saml:SubjectConfirmation Method=\"{method}\">\
             <saml:SubjectConfirmationData Recipient=\"{audience}\"><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data>\
             <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
             </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>\
             <saml:Conditions NotBefore=\"{not_before}\" NotOnOrAfter=\"{not_on_or_after}\">\
             <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>\
             {conditions}</saml:Conditions><saml:AttributeStatement>"
        );
        for (name, value) in &self.attributes {
            rest += &format!(
                "<saml:Attribute Name=\"{name}\"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"
            );
        }
        rest += "</saml:AttributeStatement></saml:Assertion>";
        let references = reference("_a1", &self.assertion_transforms, &format!("{start}{rest}"));
        let signature = signature(self.signature_method, &references, "", self.signed_by);
        format!("{start}{signature}{rest}")
    }

    /// The parts that are signed with their own text, by name.
    pub(crate) fn parts(&self) -> Vec<(&'static str, String)> {
        let header = |name: &str, id: &str, text: &str| {
            format!("<wsa:{name} xmlns:wsa=\"{WSA}\" xmlns:wsu=\"{WSU}\" wsu:Id=\"{id}\">{text}</wsa:{name}>")
        };
        let expires = self.made + SignedDuration::from_mins(5);
        vec![
            ("message-id", header("MessageID", "message-id", &self.message_id)),
            ("action", header("Action", "action", "urn:ask")),
            ("to", header("To", "to", "https://cpr.example.test/")),
            (
                "framework",
                format!(
                    "<sbf:Framework xmlns:sbf=\"urn:liberty:sb:2006-08\" xmlns:wsu=\"{WSU}\" {} \
                     wsu:Id=\"framework\"></sbf:Framework>",
                    self.framework
                ),
            ),
            (
                "timestamp",
                format!(
                    "<wsu:Timestamp xmlns:wsu=\"{WSU}\" wsu:Id=\"timestamp\"><wsu:Created>{}</wsu:Created>\
                     <wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>",
                    self.made
                ),
            ),
            (
                "body",
                format!(
                    "<soap:Body xmlns:soap=\"{SOAP}\" xmlns:wsu=\"{WSU}\" wsu:Id=\"body\">{}</soap:Body>",
                    self.request
                ),
            ),
        ]
    }

    /// The message.
    pub(crate) fn xml(&self) -> String {
        let (assertion, parts) = (self.assertion(), self.parts());
        let signed = parts.iter().filter(|(name, _)| !self.unsigned.contains(name));
        let mut references: String = signed.map(|(name, text)| reference(name, &transform(C14N), text)).collect();
        let digested = match self.empty_default {
            true => assertion.replacen("<saml:Assertion", "<saml:Assertion xmlns=\"\"", 1),
            false => assertion.clone(),
        };
        if !self.unsigned.contains(&"token") {
            references += &reference("token", &token_transform(), &digested);
        }
        let key_info = format!("<ds:KeyInfo>{}</ds:KeyInfo>", token_reference("key", "_a1"));
        let signature = signature(self.signature_method, &references, &key_info, self.message_signed_by);
        let part = |name: &str| parts.iter().find(|(known, _)| *known == name).unwrap().1.as_str();
        format!(
            "<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Header>{}{}{}{}{}<wsse:Security xmlns:wsse=\"{WSSE}\" \
             soap:mustUnderstand=\"1\">{}{assertion}{}{signature}</wsse:Security></soap:Header>{}</soap:Envelope>",
            part("message-id"),
            part("action"),
            part("to"),
            part("framework"),
            self.headers,
            part("timestamp"),
            token_reference("token", "_a1"),
            part("body"),
        )
    }
}

pub(crate) fn token_transform() -> String {
    format!(
        "<ds:Transform Algorithm=\"{STR}\"><wsse:TransformationParameters xmlns:wsse=\"{WSSE}\">\
         <ds:CanonicalizationMethod Algorithm=\"{C14N}\"></ds:CanonicalizationMethod>\
         </wsse:TransformationParameters></ds:Transform>"
    )
}

pub(crate) fn token_reference(id: &str, assertion: &str) -> String {
    format!(
        "<wsse:SecurityTokenReference xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\" wsu:Id=\"{id}\"><wsse:KeyIdentifier \
         ValueType=\"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID\">{assertion}\
         </wsse:KeyIdentifier></wsse:SecurityTokenReference>"
    )
}

/// The attribute with one privilege of an authority.
pub(crate) fn privileges(cvr: &str, privilege: &str) -> String {
    STANDARD.encode(format!(
        "<bpp:PrivilegeList xmlns:bpp=\"http://itst.dk/oiosaml/basic_privilege_profile\"><PrivilegeGroup \
         Scope=\"urn:dk:gov:saml:cvrNumberIdentifier:{cvr}\"><Privilege>{privilege}</Privilege></PrivilegeGroup>\
         </bpp:PrivilegeList>"
    ))
}

/// A memory of messages that is lost with the test.
#[derive(Default)]
pub(crate) struct Memory(std::sync::Mutex<Seen>);

impl SeenMessages for Memory {
    fn is_first(&self, key: &MessageKey, until: i64, now: i64) -> Result<bool, Unavailable> {
        self.0.lock().unwrap().insert(*key, until, now)
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        audience: AUDIENCE.to_owned(),
        issuer: ISSUER.to_owned(),
        issuer_certificates: vec![TOKEN_SERVICE.certificate.clone()],
        privilege: Some(PRIVILEGE.to_owned()),
        limits: Limits::REQUEST,
    }
}

pub(crate) fn verify(xml: &str) -> Result<Verified, Refusal> {
    verify_with(xml, &Memory::default())
}

pub(crate) fn verify_with(xml: &str, memory: &dyn SeenMessages) -> Result<Verified, Refusal> {
    Verifier::new(settings()).unwrap().verify(xml.as_bytes(), None, *NOW, memory)
}

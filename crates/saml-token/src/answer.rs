//! Answers: headers of WS-Addressing, the framework and a timestamp, all signed with the body by the service's key.

use std::fmt;

use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;
use bergshamra_xml::uppsala::{Document, parse};
use cpr_wire::SoapVersion;
use cpr_wire::xml::escaped;
use jiff::{SignedDuration, Timestamp};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::bytes::encoded;
use crate::names::{
    BASE64, BASIC_PROFILE, DS, EXC_C14N, LIBERTY, LIBERTY_PROFILE, RSA_SHA256, SHA256, WSA, WSSE, WSU, X509_TOKEN,
};

/// How long an answer holds.
const HOLDS: SignedDuration = SignedDuration::from_mins(5);
const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// The ids of what is signed, in the order of the references.
const SIGNED: [&str; 8] = ["action", "message-id", "relates-to", "to", "framework", "timestamp", "token", "body"];

/// What an answer says of itself.
#[derive(Clone, Copy)]
pub struct AnswerHead<'a> {
    /// `wsa:Action`.
    pub action: &'a str,
    /// `wsa:MessageID`: another one for each answer.
    pub message_id: &'a str,
    /// `wsa:RelatesTo`: the id of the message that is answered.
    pub relates_to: &'a str,
}

/// Signs answers with the key of the service.
pub struct Signer {
    key: RsaKeyPair,
    certificate: CertificateDer<'static>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// Why an answer cannot be signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The key is none of RSA, or has less than 2048 bits.
    #[error("no RSA key of 2048 to 4096 bits")]
    Key,
    /// The certificate cannot be read, or is of another key.
    #[error("the certificate cannot be read, or is of another key")]
    Certificate,
    /// What is to be signed is no envelope as `cpr-wire` writes it.
    #[error("not an envelope of this project")]
    Envelope,
}

impl Signer {
    /// One with this key, whose certificate goes with each answer.
    ///
    /// # Errors
    /// [`SignerError`] when the two do not belong together.
    pub fn new(certificate: CertificateDer<'static>, key: &PrivateKeyDer<'_>) -> Result<Signer, SignerError> {
        let key = match key {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(SignerError::Key),
        };
        let signer = Signer { key: key.map_err(|_| SignerError::Key)?, certificate };
        let proof = signer.signature(b"proof")?;
        let certificate = webpki::EndEntityCert::try_from(&signer.certificate);
        let fits = certificate.is_ok_and(|certificate| {
            certificate.verify_signature(webpki::ring::RSA_PKCS1_2048_8192_SHA256, b"proof", &proof).is_ok()
        });
        if fits { Ok(signer) } else { Err(SignerError::Certificate) }
    }

    /// An envelope as `cpr-wire` writes it, with its headers and its signature.
    ///
    /// # Errors
    /// [`SignerError::Envelope`] for anything else.
    pub fn sign(&self, envelope: &str, head: &AnswerHead<'_>, now: Timestamp) -> Result<String, SignerError> {
        let version = SoapVersion::ALL.into_iter().find(|version| {
            envelope.contains(&format!("<soap:Envelope xmlns:soap=\"{}\"><soap:Body>", version.namespace()))
        });
        let (before, body) = envelope.split_once("<soap:Body>").ok_or(SignerError::Envelope)?;
        version.ok_or(SignerError::Envelope)?;
        let (header, end) = self.header(head, now);
        let after = format!("{end}<soap:Body xmlns:wsu=\"{WSU}\" wsu:Id=\"body\">{body}");
        let unsigned = format!("{before}{header}{after}");
        let document = parse(&unsigned).map_err(|_| SignerError::Envelope)?;
        let signed_info = signed_info(&document)?;
        let value = self.signature(signed_info.as_bytes())?;
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{signed_info}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo>\
             <wsse:SecurityTokenReference><wsse:Reference URI=\"#token\" ValueType=\"{X509_TOKEN}\"/>\
             </wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>",
            encoded(&value)
        );
        Ok(format!("{before}{header}{signature}{after}"))
    }

    /// The header up to its signature, and its end.
    fn header(&self, head: &AnswerHead<'_>, now: Timestamp) -> (String, &'static str) {
        let expires = now.saturating_add(HOLDS).unwrap_or(now);
        let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let header = format!(
            "<soap:Header xmlns:wsa=\"{WSA}\" xmlns:wsu=\"{WSU}\"><wsa:Action wsu:Id=\"action\">{}</wsa:Action>\
             <wsa:MessageID wsu:Id=\"message-id\">{}</wsa:MessageID>\
             <wsa:RelatesTo wsu:Id=\"relates-to\">{}</wsa:RelatesTo><wsa:To wsu:Id=\"to\">{ANONYMOUS}</wsa:To>\
             <sbf:Framework xmlns:sbf=\"{LIBERTY}\" xmlns:sbfprofile=\"{LIBERTY_PROFILE}\" version=\"2.0\" \
             sbfprofile:profile=\"{BASIC_PROFILE}\" wsu:Id=\"framework\"/>\
             <wsse:Security xmlns:wsse=\"{WSSE}\" soap:mustUnderstand=\"1\"><wsu:Timestamp wsu:Id=\"timestamp\">\
             <wsu:Created>{}</wsu:Created><wsu:Expires>{}</wsu:Expires></wsu:Timestamp>\
             <wsse:BinarySecurityToken wsu:Id=\"token\" EncodingType=\"{BASE64}\" ValueType=\"{X509_TOKEN}\">{}\
             </wsse:BinarySecurityToken>",
            escaped(head.action),
            escaped(head.message_id),
            escaped(head.relates_to),
            time(now),
            time(expires),
            encoded(&self.certificate),
        );
        (header, "</wsse:Security></soap:Header>")
    }

    fn signature(&self, bytes: &[u8]) -> Result<Vec<u8>, SignerError> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature);
        signed.map_err(|_| SignerError::Key)?;
        Ok(signature)
    }
}

/// The canonical `SignedInfo` over everything that is signed.
fn signed_info(document: &Document<'_>) -> Result<String, SignerError> {
    let mut text = format!(
        "<ds:SignedInfo xmlns:ds=\"{DS}\"><ds:CanonicalizationMethod Algorithm=\"{EXC_C14N}\"/>\
         <ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"/>"
    );
    for id in SIGNED {
        let digest = digest::digest(&digest::SHA256, &canonical_of(document, id)?);
        text.push_str(&format!(
            "<ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"{EXC_C14N}\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{SHA256}\"/><ds:DigestValue>{}</ds:DigestValue></ds:Reference>",
            encoded(digest.as_ref())
        ));
    }
    text.push_str("</ds:SignedInfo>");
    let canonical = bergshamra_c14n::canonicalize::<&str>(&text, C14nMode::Exclusive, None, &[]);
    canonical.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(SignerError::Envelope)
}

/// The canonical bytes of the one element with an id.
fn canonical_of(document: &Document<'_>, id: &str) -> Result<Vec<u8>, SignerError> {
    let has_id = |node| document.element(node).and_then(|element| element.get_attribute_ns(WSU, "Id")) == Some(id);
    let mut found = document.descendants(document.root()).into_iter().filter(|node| has_id(*node));
    let (Some(node), None) = (found.next(), found.next()) else { return Err(SignerError::Envelope) };
    let nodes = NodeSet::tree_without_comments(node, document);
    canonicalize_doc::<&str>(document, C14nMode::Exclusive, Some(&nodes), &[]).map_err(|_| SignerError::Envelope)
}

//! One XML signature: its bytes verified with a certificate, then what they say read off them.
//!
//! The forms are those of the binding: exclusive canonicalization, RSA with SHA-256, digests of SHA-256; a reference by
//! id, with one of three lists of transforms. There is nothing else that could be chosen.

use bergshamra_xml::uppsala::NodeId;
use cpr_wire::xml::Element;
use ring::digest;
use rustls_pki_types::CertificateDer;

use crate::bytes::{decoded, optional, required, tree};
use crate::message::Message;
use crate::names::{DS, ENVELOPED, EXC_C14N, RSA_SHA256, SHA256, STR_TRANSFORM, WSSE};
use crate::refusal::Refusal;

/// References of one signature.
const MOST_REFERENCES: usize = 24;
/// Prefixes that a transform keeps though nothing uses them.
const MOST_PREFIXES: usize = 24;

/// What a signature says of an element.
pub(crate) struct Reference {
    /// The id of the element.
    pub(crate) id: String,
    /// What is done to it before it is digested.
    pub(crate) transforms: Transforms,
    /// Prefixes that the canonical form keeps though nothing uses them.
    pub(crate) prefixes: Vec<String>,
    digest: Vec<u8>,
}

/// The lists of transforms, each ending with exclusive canonicalization.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transforms {
    /// Nothing before.
    Canonical,
    /// The signature itself is left out.
    Enveloped,
    /// The token that is referred to takes the place of the reference.
    Token,
}

impl Reference {
    /// That these bytes were signed.
    pub(crate) fn covers(&self, bytes: &[u8]) -> bool {
        digest::digest(&digest::SHA256, bytes).as_ref() == self.digest
    }
}

/// Verifies a signature with any of the certificates, and gives its references.
///
/// # Errors
/// `failed` when none of them verifies it; others for a form that the binding does not have.
pub(crate) fn verify(
    message: &Message<'_>,
    signature: NodeId,
    certificates: &[CertificateDer<'_>],
    failed: Refusal,
) -> Result<Vec<Reference>, Refusal> {
    let parts = message.elements(signature);
    let (signed_info, value) = match parts[..] {
        [signed_info, value] | [signed_info, value, _] => (signed_info, value),
        _ => return Err(Refusal::Form("Signature")),
    };
    let named = |node, name| message.is(node, DS, name);
    let key_info = parts.get(2).is_none_or(|node| named(*node, "KeyInfo"));
    if !(named(signed_info, "SignedInfo") && named(value, "SignatureValue") && key_info) {
        return Err(Refusal::Form("Signature"));
    }
    // The one thing that must be known before anything is verified: which prefixes the canonical form keeps.
    let method = message.elements(signed_info).first().copied().ok_or(Refusal::Missing("CanonicalizationMethod"))?;
    let method_bytes = message.canonical(method, None, &[], "CanonicalizationMethod")?;
    let prefixes = prefixes_of(tree(&method_bytes, "CanonicalizationMethod")?.root(), "CanonicalizationMethod")?;
    let canonical = message.canonical(signed_info, None, &prefixes, "SignedInfo")?;
    let value = decoded(&message.text(value, "SignatureValue")?, "SignatureValue")?;
    if !certificates.iter().any(|certificate| has_signed(certificate, &canonical, &value)) {
        return Err(failed);
    }
    references(tree(&canonical, "SignedInfo")?.root())
}

/// That the key of a certificate has signed these bytes: RSA of 2048 to 8192 bits, PKCS #1 1.5, SHA-256.
fn has_signed(certificate: &CertificateDer<'_>, bytes: &[u8], signature: &[u8]) -> bool {
    let certificate = webpki::EndEntityCert::try_from(certificate);
    certificate.is_ok_and(|certificate| {
        certificate.verify_signature(webpki::ring::RSA_PKCS1_2048_8192_SHA256, bytes, signature).is_ok()
    })
}

/// The references of a `SignedInfo` that was verified.
fn references(signed_info: Element<'_>) -> Result<Vec<Reference>, Refusal> {
    let mut parts = signed_info.children();
    let (Some(canonicalization), Some(method)) = (parts.next(), parts.next()) else {
        return Err(Refusal::Form("SignedInfo"));
    };
    if !signed_info.is(DS, "SignedInfo") || !canonicalization.is(DS, "CanonicalizationMethod") {
        return Err(Refusal::Form("SignedInfo"));
    }
    prefixes_of(canonicalization, "CanonicalizationMethod")?;
    expect_method(method, "SignatureMethod", RSA_SHA256)?;
    let references: Vec<Reference> = parts.take(MOST_REFERENCES + 1).map(reference).collect::<Result<_, _>>()?;
    if references.is_empty() || references.len() > MOST_REFERENCES {
        Err(Refusal::Form("SignedInfo"))
    } else {
        Ok(references)
    }
}

fn reference(element: Element<'_>) -> Result<Reference, Refusal> {
    let id = element.attribute("URI").and_then(|uri| uri.strip_prefix('#')).filter(|id| !id.is_empty());
    let mut parts = element.children();
    let (Some(list), Some(method), Some(value), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::Form("Reference"));
    };
    if !(element.is(DS, "Reference") && list.is(DS, "Transforms") && value.is(DS, "DigestValue")) {
        return Err(Refusal::Form("Reference"));
    }
    expect_method(method, "DigestMethod", SHA256)?;
    let (transforms, prefixes) = transforms(list)?;
    let digest = decoded(value.text(), "DigestValue")?;
    Ok(Reference { id: id.ok_or(Refusal::Form("Reference"))?.to_owned(), transforms, prefixes, digest })
}

fn transforms(list: Element<'_>) -> Result<(Transforms, Vec<String>), Refusal> {
    const WHAT: &str = "Transforms";
    let steps: Vec<Element<'_>> = list.children().take(3).collect();
    if !steps.iter().all(|step| step.is(DS, "Transform")) {
        return Err(Refusal::Form(WHAT));
    }
    let algorithm = |step: &Element<'_>| step.attribute("Algorithm").unwrap_or_default().to_owned();
    let algorithms: Vec<String> = steps.iter().map(algorithm).collect();
    match algorithms.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [EXC_C14N] => Ok((Transforms::Canonical, prefixes_of(steps[0], WHAT)?)),
        [ENVELOPED, EXC_C14N] if steps[0].children().next().is_none() => {
            Ok((Transforms::Enveloped, prefixes_of(steps[1], WHAT)?))
        }
        [STR_TRANSFORM] => {
            let parameters = required(steps[0], WSSE, "TransformationParameters")?;
            let method = required(parameters, DS, "CanonicalizationMethod")?;
            if steps[0].children().count() != 1 || parameters.children().count() != 1 {
                return Err(Refusal::Form(WHAT));
            }
            Ok((Transforms::Token, prefixes_of(method, WHAT)?))
        }
        _ => Err(Refusal::Algorithm(WHAT)),
    }
}

/// Refuses every method but the one of this name and algorithm, without parameters.
fn expect_method(element: Element<'_>, name: &'static str, algorithm: &str) -> Result<(), Refusal> {
    if !element.is(DS, name) || element.children().next().is_some() {
        return Err(Refusal::Form(name));
    }
    if element.attribute("Algorithm") == Some(algorithm) { Ok(()) } else { Err(Refusal::Algorithm(name)) }
}

/// The prefixes that an exclusive canonicalization keeps though nothing uses them.
fn prefixes_of(method: Element<'_>, what: &'static str) -> Result<Vec<String>, Refusal> {
    if method.attribute("Algorithm") != Some(EXC_C14N) {
        return Err(Refusal::Algorithm(what));
    }
    let Some(kept) = optional(method, EXC_C14N, "InclusiveNamespaces")? else {
        return if method.children().next().is_none() { Ok(Vec::new()) } else { Err(Refusal::Form(what)) };
    };
    if method.children().count() != 1 || kept.children().next().is_some() {
        return Err(Refusal::Form(what));
    }
    let list = kept.attribute("PrefixList").unwrap_or_default();
    let prefixes: Vec<String> = list.split_ascii_whitespace().take(MOST_PREFIXES + 1).map(str::to_owned).collect();
    if prefixes.len() > MOST_PREFIXES { Err(Refusal::Form(what)) } else { Ok(prefixes) }
}

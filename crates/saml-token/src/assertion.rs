//! The assertion: signed by a token service that is trusted, for this service, now, and bound to one key.

use cpr_wire::Cvr;
use cpr_wire::xml::Element;
use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;

use crate::bytes::{decoded, optional, required, tree};
use crate::message::Message;
use crate::names::{ASSURANCE, CVR, DS, HOLDER_OF_KEY, PRIVILEGE_LIST, SAML, SPECIFICATION};
use crate::privilege::has_privilege;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::signature::{self, Transforms};

/// How far the clock of the token service may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
const LEAST_ASSURANCE: u8 = 3;
const VERSION: &str = "DK-SAML-2.0";

/// What is believed of an assertion.
pub(crate) struct Assertion {
    pub(crate) id: String,
    /// The certificate whose key signs the message.
    pub(crate) holder: CertificateDer<'static>,
    attributes: Vec<(String, String)>,
}

impl Assertion {
    /// The assertion of a message, when its signature is that of a trusted token service and it is meant for this
    /// service now. Everything is read off the bytes that were signed.
    pub(crate) fn verified(message: &Message<'_>, settings: &Settings, now: Timestamp) -> Result<Assertion, Refusal> {
        let node = message.assertion;
        let signature = message.assertion_signature;
        let references =
            signature::verify(message, signature, &settings.issuer_certificates, Refusal::AssertionSignature)?;
        let id = message.attribute(node, "ID").ok_or(Refusal::Form("Assertion"))?;
        let [reference] = &references[..] else { return Err(Refusal::Form("SignedInfo")) };
        if reference.transforms != Transforms::Enveloped {
            return Err(Refusal::Algorithm("Transforms"));
        }
        if reference.id != id {
            return Err(Refusal::NotSigned("Assertion"));
        }
        let canonical = message.canonical(node, Some(signature), &reference.prefixes, "Assertion")?;
        if !reference.covers(&canonical) {
            return Err(Refusal::Digest("Assertion"));
        }
        let tree = tree(&canonical, "Assertion")?;
        read(tree.root(), settings, now)
    }

    /// The authority that calls. The token service says that its system is known well enough.
    pub(crate) fn cvr(&self) -> Result<Cvr, Refusal> {
        if self.attribute(SPECIFICATION) != Some(VERSION) {
            return Err(Refusal::Attribute("SpecVer"));
        }
        let assurance = self.attribute(ASSURANCE).and_then(|level| level.parse().ok());
        if assurance.is_none_or(|level: u8| level < LEAST_ASSURANCE) {
            return Err(Refusal::Attribute("AssuranceLevel"));
        }
        self.attribute(CVR).and_then(Cvr::parse).ok_or(Refusal::Attribute("CvrNumberIdentifier"))
    }

    /// Refuses an authority without the privilege that the service demands.
    pub(crate) fn require(&self, privilege: &str, cvr: Cvr) -> Result<(), Refusal> {
        let list = self.attribute(PRIVILEGE_LIST).ok_or(Refusal::Privilege)?;
        if has_privilege(list, privilege, cvr)? { Ok(()) } else { Err(Refusal::Privilege) }
    }

    /// The value of an attribute; none when there are several, or it has several values.
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(known, _)| known == name);
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.as_str())
    }
}

fn read(assertion: Element<'_>, settings: &Settings, now: Timestamp) -> Result<Assertion, Refusal> {
    if !assertion.is(SAML, "Assertion") || assertion.attribute("Version") != Some("2.0") {
        return Err(Refusal::Form("Assertion"));
    }
    if required(assertion, SAML, "Issuer")?.trimmed() != settings.issuer {
        return Err(Refusal::Issuer);
    }
    let conditions = required(assertion, SAML, "Conditions")?;
    holds(conditions, now)?;
    if conditions.attribute("NotBefore").is_none() || conditions.attribute("NotOnOrAfter").is_none() {
        return Err(Refusal::Form("Conditions"));
    }
    for_us(conditions, &settings.audience)?;
    let holder = holder(required(assertion, SAML, "Subject")?, settings, now)?;
    let id = assertion.attribute("ID").ok_or(Refusal::Form("Assertion"))?;
    Ok(Assertion { id: id.to_owned(), holder, attributes: attributes(assertion) })
}

/// Refuses what does not hold at this moment, by `NotBefore` and `NotOnOrAfter` as far as they are there.
fn holds(element: Element<'_>, now: Timestamp) -> Result<(), Refusal> {
    let at = |name: &'static str| {
        let value = element.attribute(name).map(|value| value.trim().parse::<Timestamp>());
        value.transpose().map_err(|_| Refusal::Form(name))
    };
    if at("NotBefore")?.is_some_and(|from| from > now.saturating_add(AHEAD).unwrap_or(now)) {
        return Err(Refusal::Early);
    }
    if at("NotOnOrAfter")?.is_some_and(|to| to <= now) { Err(Refusal::Expired) } else { Ok(()) }
}

/// Every restriction of the audience has this service, and there are no conditions but those: one that is not known
/// cannot be met.
fn for_us(conditions: Element<'_>, audience: &str) -> Result<(), Refusal> {
    let mut restrictions = conditions.children().peekable();
    if restrictions.peek().is_none() {
        return Err(Refusal::Audience);
    }
    for restriction in restrictions {
        if !restriction.is(SAML, "AudienceRestriction") {
            return Err(Refusal::Form("Conditions"));
        }
        let is_ours = |found: Element<'_>| found.is(SAML, "Audience") && found.trimmed() == audience;
        if !restriction.children().any(is_ours) {
            return Err(Refusal::Audience);
        }
    }
    Ok(())
}

/// The certificate of the one holder of the key.
fn holder(subject: Element<'_>, settings: &Settings, now: Timestamp) -> Result<CertificateDer<'static>, Refusal> {
    let confirmation = match required(subject, SAML, "SubjectConfirmation") {
        Ok(found) if found.attribute("Method") == Some(HOLDER_OF_KEY) => found,
        _ => return Err(Refusal::Confirmation),
    };
    let data = required(confirmation, SAML, "SubjectConfirmationData").map_err(|_| Refusal::Confirmation)?;
    holds(data, now)?;
    if data.attribute("Recipient").is_some_and(|recipient| recipient != settings.audience) {
        return Err(Refusal::Audience);
    }
    let certificate = required(data, DS, "KeyInfo")
        .and_then(|keys| required(keys, DS, "X509Data"))
        .and_then(|keys| required(keys, DS, "X509Certificate"))
        .map_err(|_| Refusal::Confirmation)?;
    Ok(decoded(certificate.text(), "X509Certificate")?.into())
}

/// Attributes with one value each.
fn attributes(assertion: Element<'_>) -> Vec<(String, String)> {
    let statements = assertion.children().filter(|child| child.is(SAML, "AttributeStatement"));
    let attributes = statements.flat_map(Element::children).filter(|child| child.is(SAML, "Attribute"));
    let value = |attribute: Element<'_>| {
        let name = attribute.attribute("Name")?;
        // Several values are none that could be relied on: they stand as an empty one, which no check accepts.
        let value = optional(attribute, SAML, "AttributeValue").ok().flatten();
        Some((name.to_owned(), value.map(|value| value.trimmed().to_owned()).unwrap_or_default()))
    };
    attributes.filter_map(value).collect()
}

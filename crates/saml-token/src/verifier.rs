//! The checks in their order, from the bytes of a message to who calls and what is asked.

use std::fmt;

use bergshamra_xml::uppsala::NodeId;
use cpr_wire::xml::Element;
use cpr_wire::{Cvr, SoapVersion};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{self, SHA256};

use crate::assertion::Assertion;
use crate::bytes::{optional, required, tree};
use crate::message::{self, Message};
use crate::names::{BASIC_PROFILE, DS, LIBERTY, LIBERTY_PROFILE, SAML_ID, WSA, WSSE, WSU};
use crate::refusal::Refusal;
use crate::seen::{MessageKey, SeenMessages};
use crate::settings::{Settings, SettingsError};
use crate::signature::{self, Reference, Transforms};

/// How far from now a message may have been made.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_TEXT: usize = 1_024;

/// Verifies messages.
#[derive(Debug)]
pub struct Verifier {
    settings: Settings,
}

/// A message that passed every check. `Debug` does not repeat it.
pub struct Verified {
    /// The authority that calls.
    pub cvr: Cvr,
    /// SHA-256 of the certificate of the assertion's holder.
    pub holder: [u8; 32],
    /// `wsa:MessageID`, to which an answer relates.
    pub message_id: String,
    /// `wsa:Action`.
    pub action: String,
    /// The version of the envelope.
    pub version: SoapVersion,
    /// The canonical `Body`, which is what was signed.
    body: String,
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(..)")
    }
}

impl Verified {
    /// An envelope around the signed body, and nothing but it.
    pub fn envelope(&self) -> String {
        format!("<e:Envelope xmlns:e=\"{}\">{}</e:Envelope>", self.version.namespace(), self.body)
    }
}

impl Verifier {
    /// One of these settings.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: Settings) -> Result<Verifier, SettingsError> {
        if settings.issuer_certificates.is_empty() {
            return Err(SettingsError::NoIssuer);
        }
        if settings.audience.is_empty() || settings.issuer.is_empty() || settings.privilege.as_deref() == Some("") {
            return Err(SettingsError::EmptyName);
        }
        let is_certificate = |der| webpki::EndEntityCert::try_from(der).is_ok();
        if !settings.issuer_certificates.iter().all(is_certificate) {
            return Err(SettingsError::Certificate);
        }
        Ok(Verifier { settings })
    }

    /// Who sends these bytes and what they ask. `charset` is what HTTP says of them.
    ///
    /// # Errors
    /// [`Refusal`], by the first check that is not passed: limits and form, places, the assertion's signature, its
    /// time, issuer, audience and holder, the message's signature, what it covers, framework and timestamp, whether
    /// the message was `seen` before, authority and privilege.
    pub fn verify(
        &self,
        bytes: &[u8],
        charset: Option<&str>,
        now: Timestamp,
        seen: &dyn SeenMessages,
    ) -> Result<Verified, Refusal> {
        let text = message::text(bytes, charset, &self.settings.limits)?;
        let message = Message::of(&text)?;
        let assertion = Assertion::verified(&message, &self.settings, now)?;
        let holder = std::slice::from_ref(&assertion.holder);
        let references = signature::verify(&message, message.signature, holder, Refusal::MessageSignature)?;
        let parts = Parts::verified(&message, &assertion, &references)?;
        parts.framework()?;
        let made = parts.made(now)?;
        let message_id = parts.header("MessageID")?;
        let holder: [u8; 32] = sha256(&[&assertion.holder]);
        let until = made.saturating_add(WINDOW).unwrap_or(made).as_second() + 1;
        let key: MessageKey = sha256(&[&holder, message_id.as_bytes()]);
        if !seen.is_first(&key, until, now.as_second()).map_err(|_| Refusal::Memory)? {
            return Err(Refusal::Replayed);
        }
        let cvr = assertion.cvr()?;
        if let Some(privilege) = &self.settings.privilege {
            assertion.require(privilege, cvr)?;
        }
        let action = parts.header("Action")?;
        let body = String::from_utf8(parts.body).map_err(|_| Refusal::Canonicalization("Body"))?;
        Ok(Verified { cvr, holder, message_id, action, version: message.version, body })
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The canonical bytes of what the message's signature covers, each verified.
struct Parts {
    body: Vec<u8>,
    timestamp: Vec<u8>,
    framework: Vec<u8>,
    addressing: Vec<Vec<u8>>,
}

impl Parts {
    /// Every reference of the signature is to an element that may be signed, in its place, and says what stands there;
    /// everything that must be signed is.
    fn verified(message: &Message<'_>, assertion: &Assertion, references: &[Reference]) -> Result<Parts, Refusal> {
        names_token(message, message.signature, assertion)?;
        let framework = message.one(LIBERTY, "Framework", message.header)?;
        let addressing = message.addressing();
        let signed: Vec<(NodeId, Vec<u8>)> = references
            .iter()
            .filter(|reference| reference.transforms == Transforms::Canonical)
            .map(|reference| part(message, reference))
            .collect::<Result<_, _>>()?;
        let mut tokens = references.iter().filter(|reference| reference.transforms != Transforms::Canonical);
        let (Some(token), None) = (tokens.next(), tokens.next()) else { return Err(Refusal::NotSigned("Assertion")) };
        token_is_signed(message, assertion, token)?;
        let of = |node: NodeId, what| {
            let mut found = signed.iter().filter(|(of, _)| *of == node);
            let first = found.next().ok_or(Refusal::NotSigned(what))?;
            if found.next().is_some() { Err(Refusal::Repeated(what)) } else { Ok(first.1.clone()) }
        };
        Ok(Parts {
            body: of(message.body, "Body")?,
            timestamp: of(message.timestamp, "Timestamp")?,
            framework: of(framework, "Framework")?,
            addressing: addressing.into_iter().map(|node| of(node, "a header")).collect::<Result<_, _>>()?,
        })
    }

    /// Refuses another framework than the binding's.
    fn framework(&self) -> Result<(), Refusal> {
        let tree = tree(&self.framework, "Framework")?;
        let framework = tree.root();
        let is_basic = |profile: &str| profile == BASIC_PROFILE;
        let profile = framework.attribute_of(LIBERTY_PROFILE, "profile").or_else(|| framework.attribute("profile"));
        let is_ours = framework.is(LIBERTY, "Framework") && framework.attribute("version") == Some("2.0");
        if is_ours && profile.is_none_or(is_basic) { Ok(()) } else { Err(Refusal::Framework) }
    }

    /// When the message was made, within five minutes of now.
    fn made(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        let tree = tree(&self.timestamp, "Timestamp")?;
        if !tree.root().is(WSU, "Timestamp") {
            return Err(Refusal::Form("Timestamp"));
        }
        let at = |name| {
            let text = required(tree.root(), WSU, name)?.trimmed();
            text.parse::<Timestamp>().map_err(|_| Refusal::Form("Timestamp"))
        };
        let (made, expires) = (at("Created")?, at("Expires")?);
        let is_near = now.duration_since(made).abs() <= WINDOW;
        if is_near && made < expires && now < expires { Ok(made) } else { Err(Refusal::Stale) }
    }

    /// The text of the one header of WS-Addressing of this name.
    fn header(&self, name: &'static str) -> Result<String, Refusal> {
        let mut found = Vec::new();
        for canonical in &self.addressing {
            let tree = tree(canonical, name)?;
            if tree.root().is(WSA, name) {
                found.push(tree.root().trimmed().to_owned());
            }
        }
        match (found.pop(), found.is_empty()) {
            (None, _) => Err(Refusal::Missing(name)),
            (Some(_), false) => Err(Refusal::Repeated(name)),
            (Some(text), true) if text.is_empty() || text.len() > LONGEST_TEXT => Err(Refusal::Form(name)),
            (Some(text), true) => Ok(text),
        }
    }
}

/// The element of a reference with its canonical bytes, which are what was signed. Signed may be the body, whole
/// headers, and the timestamp; nothing within them, and nothing elsewhere.
fn part(message: &Message<'_>, reference: &Reference) -> Result<(NodeId, Vec<u8>), Refusal> {
    let headers = message.elements(message.header).into_iter().filter(|node| *node != message.security);
    let mut places = headers.chain([message.body, message.timestamp]);
    let node = places.find(|node| message.id(*node) == Some(&reference.id)).ok_or(Refusal::Misplaced("Reference"))?;
    let what = what_is(message, node);
    let canonical = message.canonical(node, None, &reference.prefixes, what)?;
    if reference.covers(&canonical) { Ok((node, canonical)) } else { Err(Refusal::Digest(what)) }
}

fn what_is(message: &Message<'_>, node: NodeId) -> &'static str {
    match node {
        node if node == message.body => "Body",
        node if node == message.timestamp => "Timestamp",
        node if message.is(node, LIBERTY, "Framework") => "Framework",
        _ => "a header",
    }
}

/// The reference to the assertion goes through a `SecurityTokenReference`, in whose place the assertion is digested:
/// in its canonical form, or in that with `xmlns=""` on its first tag where no default namespace is declared there,
/// as the transform's specification has it and WSS4J does.
fn token_is_signed(message: &Message<'_>, assertion: &Assertion, reference: &Reference) -> Result<(), Refusal> {
    const WHAT: &str = "Assertion";
    if reference.transforms != Transforms::Token {
        return Err(Refusal::Algorithm("Transforms"));
    }
    let keys = message.elements(message.signature).into_iter().filter(|node| message.is(*node, DS, "KeyInfo"));
    let within = keys.chain([message.security]).flat_map(|node| message.elements(node));
    let mut places = within.filter(|node| message.is(*node, WSSE, "SecurityTokenReference"));
    let node = places.find(|node| message.id(*node) == Some(&reference.id)).ok_or(Refusal::Misplaced("Reference"))?;
    is_of_token(message, node, assertion)?;
    let canonical = message.canonical(message.assertion, None, &reference.prefixes, WHAT)?;
    if reference.covers(&canonical) || with_empty_default(&canonical).is_some_and(|form| reference.covers(&form)) {
        Ok(())
    } else {
        Err(Refusal::Digest(WHAT))
    }
}

/// Canonical bytes with `xmlns=""` on the first tag; none where a default namespace is declared there, which in
/// canonical form follows the name.
fn with_empty_default(canonical: &[u8]) -> Option<Vec<u8>> {
    let name = canonical.iter().position(|byte| matches!(byte, b' ' | b'>'))?;
    let (before, rest) = canonical.split_at(name);
    if rest.starts_with(b" xmlns=") { None } else { Some([before, b" xmlns=\"\"", rest].concat()) }
}

/// The signature of the message says that its key is the assertion's, by a token reference and nothing else.
fn names_token(message: &Message<'_>, signature: NodeId, assertion: &Assertion) -> Result<(), Refusal> {
    let keys = message.elements(signature).into_iter().find(|node| message.is(*node, DS, "KeyInfo"));
    let keys = message.elements(keys.ok_or(Refusal::Missing("KeyInfo"))?);
    match keys[..] {
        [reference] if message.is(reference, WSSE, "SecurityTokenReference") => {
            is_of_token(message, reference, assertion)
        }
        _ => Err(Refusal::Token),
    }
}

/// Refuses a token reference to anything but the assertion.
fn is_of_token(message: &Message<'_>, reference: NodeId, assertion: &Assertion) -> Result<(), Refusal> {
    let canonical = message.canonical(reference, None, &[], "SecurityTokenReference")?;
    let tree = tree(&canonical, "SecurityTokenReference")?;
    if tree.root().children().count() != 1 {
        return Err(Refusal::Token);
    }
    let by_id = |found: Element<'_>| found.attribute("ValueType") == Some(SAML_ID) && found.trimmed() == assertion.id;
    let by_uri = |found: Element<'_>| {
        found.attribute("URI").and_then(|uri| uri.strip_prefix('#')) == Some(assertion.id.as_str())
    };
    let is_ours = optional(tree.root(), WSSE, "KeyIdentifier")?.is_some_and(by_id)
        || optional(tree.root(), WSSE, "Reference")?.is_some_and(by_uri);
    if is_ours { Ok(()) } else { Err(Refusal::Token) }
}

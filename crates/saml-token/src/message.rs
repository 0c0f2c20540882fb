//! A message as it was received: read within limits, each element that counts in its place and there alone, and the
//! canonical bytes of any of them.
//!
//! The tree here says where something stands. What it *says* is read off its canonical bytes, once their digest has
//! been verified ([`crate::bytes::tree`]).

use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;
use bergshamra_xml::uppsala::{Document, Element, NodeId, NodeKind, Parser};
use cpr_wire::{Limit, Limits, SoapVersion, charset, xml};

use crate::names::{DS, LIBERTY, SAML, WSA, WSSE, WSU};
use crate::refusal::Refusal;

/// More than the depth that is read of any message: the parser's own bound never decides.
const DEPTH: u32 = 128;

/// The text of a message, once it has been read within limits: no document type, no instruction, no id twice. Line
/// ends are one character, as XML has them for whoever reads on, and nothing stands before the root.
pub(crate) fn text(bytes: &[u8], charset: Option<&str>, limits: &Limits) -> Result<String, Refusal> {
    if bytes.len() > limits.bytes {
        return Err(cpr_wire::Error::Limit { limit: Limit::Bytes, most: limits.bytes }.into());
    }
    let text = charset::text(bytes, charset)?;
    xml::Document::parse(&text, &Limits { bytes: text.len(), ..*limits })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let declared = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let text = declared.map_or(text, |(_, rest)| rest);
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// A message and the places in it that count.
pub(crate) struct Message<'t> {
    document: Document<'t>,
    pub(crate) version: SoapVersion,
    pub(crate) header: NodeId,
    pub(crate) body: NodeId,
    pub(crate) security: NodeId,
    pub(crate) timestamp: NodeId,
    pub(crate) assertion: NodeId,
    /// The signature of the assertion, within it.
    pub(crate) assertion_signature: NodeId,
    /// The signature of the message.
    pub(crate) signature: NodeId,
}

impl<'t> Message<'t> {
    /// The message of a [`text`].
    pub(crate) fn of(text: &'t str) -> Result<Message<'t>, Refusal> {
        let parser = Parser::new().with_max_depth(DEPTH).with_forbid_dtd(true).with_forbid_entities(true);
        let document = parser.parse(text).map_err(|_| cpr_wire::Error::NotWellFormed { at: 0 })?;
        if document.descendants(document.root()).into_iter().any(|node| is_comment(document.node_kind(node))) {
            return Err(Refusal::Comment);
        }
        let root = document.document_element().ok_or(cpr_wire::Error::NotAnEnvelope)?;
        let is_envelope = |version: &SoapVersion| is(&document, root, version.namespace(), "Envelope");
        let version = SoapVersion::ALL.into_iter().find(is_envelope).ok_or(cpr_wire::Error::NotAnEnvelope)?;
        // Of neither version may there be another envelope, header or body, wherever it stands.
        for (other, name) in SoapVersion::ALL.iter().flat_map(|version| PARTS.map(|name| (version.namespace(), name))) {
            let most = usize::from(other == version.namespace());
            if document.get_elements_by_tag_name_ns(other, name).len() > most {
                return Err(Refusal::Repeated(name));
            }
        }
        let places = Places { document: &document };
        let header = places.one(version.namespace(), "Header", root)?;
        let body = places.one(version.namespace(), "Body", root)?;
        if elements(&document, root) != [header, body] {
            return Err(Refusal::Form("Envelope"));
        }
        let security = places.one(WSSE, "Security", header)?;
        let timestamp = places.one(WSU, "Timestamp", security)?;
        let assertion = places.one(SAML, "Assertion", security)?;
        let (assertion_signature, signature) = places.signatures(assertion, security)?;
        places.only(
            security,
            "Security",
            &[(WSU, "Timestamp"), (SAML, "Assertion"), (DS, "Signature"), (WSSE, "SecurityTokenReference")],
        )?;
        places.understood(header, version)?;
        Ok(Message { version, header, body, security, timestamp, assertion, assertion_signature, signature, document })
    }

    /// The element of this name, which stands in its place alone and once in all of the message.
    pub(crate) fn one(&self, namespace: &str, name: &'static str, parent: NodeId) -> Result<NodeId, Refusal> {
        Places { document: &self.document }.one(namespace, name, parent)
    }

    /// The elements within an element, in order.
    pub(crate) fn elements(&self, node: NodeId) -> Vec<NodeId> {
        elements(&self.document, node)
    }

    /// True for an element of this name.
    pub(crate) fn is(&self, node: NodeId, namespace: &str, name: &str) -> bool {
        is(&self.document, node, namespace, name)
    }

    /// The headers of WS-Addressing.
    pub(crate) fn addressing(&self) -> Vec<NodeId> {
        let of =
            |node: &NodeId| self.element(*node).is_some_and(|found| found.name.namespace_uri.as_deref() == Some(WSA));
        self.elements(self.header).into_iter().filter(of).collect()
    }

    /// The value of an attribute without a namespace.
    pub(crate) fn attribute(&self, node: NodeId, name: &str) -> Option<&str> {
        let found = self.element(node)?.attributes.iter().find(|found| found.name.matches(None, name));
        found.map(|found| &*found.value)
    }

    /// The id by which a signature refers to an element of SOAP or WS-Security.
    pub(crate) fn id(&self, node: NodeId) -> Option<&str> {
        self.element(node)?.get_attribute_ns(WSU, "Id")
    }

    /// The text within an element that holds nothing else.
    pub(crate) fn text(&self, node: NodeId, what: &'static str) -> Result<String, Refusal> {
        let mut text = String::new();
        for child in self.document.children(node) {
            text.push_str(self.document.text_content(child).ok_or(Refusal::Form(what))?);
        }
        Ok(text)
    }

    /// The exclusive canonical bytes of an element, without one that stands in it, if any is named.
    pub(crate) fn canonical(
        &self,
        node: NodeId,
        without: Option<NodeId>,
        prefixes: &[String],
        what: &'static str,
    ) -> Result<Vec<u8>, Refusal> {
        let mut nodes = NodeSet::tree_without_comments(node, &self.document);
        if let Some(without) = without {
            nodes = nodes.subtract(&NodeSet::tree_without_comments(without, &self.document));
        }
        canonicalize_doc(&self.document, C14nMode::Exclusive, Some(&nodes), prefixes)
            .map_err(|_| Refusal::Canonicalization(what))
    }

    fn element(&self, node: NodeId) -> Option<&Element<'t>> {
        self.document.element(node)
    }
}

const PARTS: [&str; 3] = ["Envelope", "Header", "Body"];

fn is_comment(kind: Option<&NodeKind<'_>>) -> bool {
    matches!(kind, Some(NodeKind::Comment(_) | NodeKind::ProcessingInstruction(_)))
}

fn is(document: &Document<'_>, node: NodeId, namespace: &str, name: &str) -> bool {
    document.element(node).is_some_and(|element| element.matches_name_ns(namespace, name))
}

fn elements(document: &Document<'_>, node: NodeId) -> Vec<NodeId> {
    document.children_iter(node).filter(|child| document.element(*child).is_some()).collect()
}

/// Where elements stand.
struct Places<'d, 't> {
    document: &'d Document<'t>,
}

impl Places<'_, '_> {
    fn one(&self, namespace: &str, name: &'static str, parent: NodeId) -> Result<NodeId, Refusal> {
        match self.document.get_elements_by_tag_name_ns(namespace, name)[..] {
            [] => Err(Refusal::Missing(name)),
            [found] if self.document.parent(found) == Some(parent) => Ok(found),
            [_] => Err(Refusal::Misplaced(name)),
            _ => Err(Refusal::Repeated(name)),
        }
    }

    /// The two signatures that a message has: of the assertion, and of the message.
    fn signatures(&self, assertion: NodeId, security: NodeId) -> Result<(NodeId, NodeId), Refusal> {
        let found = self.document.get_elements_by_tag_name_ns(DS, "Signature");
        let of = |parent| found.iter().copied().find(|node| self.document.parent(*node) == Some(parent));
        match (of(assertion), of(security), found.len()) {
            (Some(inner), Some(outer), 2) => Ok((inner, outer)),
            (_, _, 3..) => Err(Refusal::Repeated("Signature")),
            (_, _, 2) => Err(Refusal::Misplaced("Signature")),
            _ => Err(Refusal::Missing("Signature")),
        }
    }

    /// Refuses other elements than these within an element.
    fn only(&self, node: NodeId, what: &'static str, allowed: &[(&str, &str)]) -> Result<(), Refusal> {
        let is_allowed = |child: &NodeId| allowed.iter().any(|(space, name)| is(self.document, *child, space, name));
        if elements(self.document, node).iter().all(is_allowed) { Ok(()) } else { Err(Refusal::Form(what)) }
    }

    /// Refuses a header that must be understood and is none of the binding's.
    fn understood(&self, header: NodeId, version: SoapVersion) -> Result<(), Refusal> {
        for node in elements(self.document, header) {
            let Some(element) = self.document.element(node) else { continue };
            let is_ours = matches!(element.name.namespace_uri.as_deref(), Some(WSA | WSSE | LIBERTY));
            let must = element.get_attribute_ns(version.namespace(), "mustUnderstand");
            if !is_ours && must.is_some_and(|must| must != "0" && must != "false") {
                return Err(cpr_wire::Error::MustUnderstand.into());
            }
        }
        Ok(())
    }
}

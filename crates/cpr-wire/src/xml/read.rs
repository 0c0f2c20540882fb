//! Reads a document into its tree, within limits.

use std::collections::HashSet;
use std::sync::Arc;

use quick_xml::Error as XmlError;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceError, PrefixDeclaration, QName, ResolveResult};
use quick_xml::reader::NsReader;

use super::document::{Attribute, Document, Node};
use crate::error::Error;
use crate::limits::{Limit, Limits};

impl Document {
    /// Reads a document that is text already; see [`crate::charset::text`].
    ///
    /// # Errors
    /// What is not well-formed, too much of something, or not wanted in any message; see [`Error`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Document, Error> {
        document(text, limits)
    }
}

fn document(text: &str, limits: &Limits) -> Result<Document, Error> {
    within(Limit::Bytes, text.len(), limits.bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some((at, _)) = text.char_indices().find(|(_, c)| !is_char(*c)) {
        return Err(Error::Character { at: at as u64 });
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    reader.resolver_mut().set_max_namespace_bindings(limits.namespaces);
    let mut building = Building::new(limits);
    let mut is_first = true;
    loop {
        building.at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| building.refusal(&error))?;
        match event {
            Event::Eof => return building.finish(),
            Event::Start(tag) => building.open(&tag, &reader)?,
            Event::Empty(tag) => {
                building.open(&tag, &reader)?;
                building.close()?;
            }
            Event::End(_) => building.close()?,
            Event::Text(text) => {
                let is_ended_section = text.contains("]]>");
                building.text(&text.xml10_content(), !is_ended_section)?;
            }
            Event::CData(text) => building.text(&text.xml10_content(), !building.open.is_empty())?,
            Event::GeneralRef(reference) => {
                let character = building.resolve(&reference)?;
                building.text(character.encode_utf8(&mut [0; 4]), !building.open.is_empty())?;
            }
            Event::Comment(_) => {}
            Event::Decl(declaration) => {
                let is_sound = is_first && declaration.version().is_ok_and(|version| version == "1.0");
                building.well_formed(is_sound)?;
            }
            Event::PI(_) => return Err(Error::Instruction { at: building.at }),
            Event::DocType(_) => return Err(Error::DocumentType { at: building.at }),
        }
        is_first = false;
    }
}

fn within(limit: Limit, found: usize, most: usize) -> Result<(), Error> {
    if found > most { Err(Error::Limit { limit, most }) } else { Ok(()) }
}

/// A tree that is being built.
struct Building<'l> {
    limits: &'l Limits,
    nodes: Vec<Node>,
    /// The elements that are open, the innermost last, each with its last child so far.
    open: Vec<(usize, Option<usize>)>,
    ids: HashSet<String>,
    /// The names of all namespaces, each once.
    namespaces: HashSet<Arc<str>>,
    /// Where the event that is being read begins.
    at: u64,
}

impl<'l> Building<'l> {
    fn new(limits: &'l Limits) -> Building<'l> {
        Building { limits, nodes: Vec::new(), open: Vec::new(), ids: HashSet::new(), namespaces: HashSet::new(), at: 0 }
    }

    fn well_formed(&self, holds: bool) -> Result<(), Error> {
        if holds { Ok(()) } else { Err(Error::NotWellFormed { at: self.at }) }
    }

    /// What an error of the parser says without the words of the document, which it repeats.
    fn refusal(&self, error: &XmlError) -> Error {
        match error {
            XmlError::Namespace(NamespaceError::TooManyBindings(most)) => {
                Error::Limit { limit: Limit::Namespaces, most: *most }
            }
            _ => Error::NotWellFormed { at: self.at },
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>, reader: &NsReader<&[u8]>) -> Result<(), Error> {
        within(Limit::Depth, self.open.len() + 1, self.limits.depth)?;
        within(Limit::Elements, self.nodes.len() + 1, self.limits.elements)?;
        self.well_formed(is_name(tag.name()) && (self.nodes.is_empty() || !self.open.is_empty()))?;
        let attributes = self.attributes(tag, reader)?;
        let (namespace, local) = reader.resolver().resolve_element(tag.name());
        let namespace = self.namespace(namespace)?;
        let node = self.nodes.len();
        if let Some((parent, last_child)) = self.open.last_mut() {
            match last_child.replace(node) {
                Some(before) => self.nodes[before].next_sibling = Some(node),
                None => self.nodes[*parent].first_child = Some(node),
            }
        }
        let local = local.as_ref().to_owned();
        let text = String::new();
        self.nodes.push(Node { local, namespace, attributes, text, first_child: None, next_sibling: None });
        self.open.push((node, None));
        Ok(())
    }

    fn namespace(&mut self, found: ResolveResult<'_>) -> Result<Option<Arc<str>>, Error> {
        let name = match found {
            ResolveResult::Bound(namespace) => namespace.0,
            ResolveResult::Unbound => return Ok(None),
            ResolveResult::Unknown(_) => return Err(Error::NotWellFormed { at: self.at }),
        };
        within(Limit::NamespaceBytes, name.len(), self.limits.namespace_bytes)?;
        if let Some(known) = self.namespaces.get(name) {
            return Ok(Some(Arc::clone(known)));
        }
        let name: Arc<str> = Arc::from(name);
        self.namespaces.insert(Arc::clone(&name));
        Ok(Some(name))
    }

    fn attributes(&mut self, tag: &BytesStart<'_>, reader: &NsReader<&[u8]>) -> Result<Vec<Attribute>, Error> {
        let mut attributes: Vec<Attribute> = Vec::new();
        for (number, attribute) in tag.attributes().enumerate() {
            within(Limit::Attributes, number + 1, self.limits.attributes)?;
            let attribute = attribute.map_err(|_| Error::NotWellFormed { at: self.at })?;
            self.well_formed(is_name(attribute.key) && !attribute.value.contains('<'))?;
            if let Some(declared) = attribute.key.as_namespace_binding() {
                // The parser takes the name of a namespace as it stands: one with a reference in it would be two names.
                let is_undeclared_prefix = attribute.value.is_empty() && declared != PrefixDeclaration::Default;
                self.well_formed(!attribute.value.contains('&') && !is_undeclared_prefix)?;
                continue;
            }
            let value = self.value(&attribute.value)?;
            let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
            let namespace = self.namespace(namespace)?;
            let local = local.as_ref().to_owned();
            let is_repeated = attributes.iter().any(|other| other.local == local && other.namespace == namespace);
            self.well_formed(!is_repeated)?;
            if local.eq_ignore_ascii_case("id") && !self.ids.insert(value.clone()) {
                return Err(Error::RepeatedId { at: self.at });
            }
            attributes.push(Attribute { local, namespace, value });
        }
        Ok(attributes)
    }

    /// The value of an attribute: its references resolved, and a blank for each line end and tab that is written as one.
    fn value(&self, raw: &str) -> Result<String, Error> {
        let blank = |text: &str| text.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
        let mut parts = raw.split('&');
        let mut value = blank(parts.next().unwrap_or_default());
        for part in parts {
            let (reference, rest) = part.split_once(';').ok_or(Error::NotWellFormed { at: self.at })?;
            value.push(self.resolve(&BytesRef::new(reference))?);
            value.push_str(&blank(rest));
        }
        Ok(value)
    }

    /// The character that a reference stands for.
    fn resolve(&self, reference: &BytesRef<'_>) -> Result<char, Error> {
        match reference.resolve_char_ref() {
            Ok(Some(character)) if is_char(character) => return Ok(character),
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Err(Error::Character { at: self.at }),
        }
        match &**reference {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(Error::Entity { at: self.at }),
        }
    }

    /// Text of the innermost element; outside the root only blanks and line ends may stand.
    fn text(&mut self, text: &str, is_sound: bool) -> Result<(), Error> {
        let is_blank = text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.well_formed(is_sound && (!self.open.is_empty() || is_blank))?;
        if let Some((innermost, _)) = self.open.last() {
            self.nodes[*innermost].text.push_str(text);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let closed = self.open.pop();
        self.well_formed(closed.is_some())
    }

    fn finish(self) -> Result<Document, Error> {
        self.well_formed(self.open.is_empty() && !self.nodes.is_empty())?;
        Ok(Document { nodes: self.nodes })
    }
}

/// XML 1.0, production 2.
pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// A name with at most one prefix (Namespaces in XML 1.0, production 7).
fn is_name(name: QName<'_>) -> bool {
    let mut parts = name.0.split(':');
    let (Some(first), second, None) = (parts.next(), parts.next(), parts.next()) else { return false };
    is_name_part(first) && second.is_none_or(is_name_part)
}

/// XML 1.0, production 5, without the colon.
fn is_name_part(part: &str) -> bool {
    let starts = |c: char| {
        matches!(c,
            'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let goes_on = |c: char| {
        starts(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
    };
    part.chars().next().is_some_and(starts) && part.chars().all(goes_on)
}

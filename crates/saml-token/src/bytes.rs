//! Canonical bytes as a tree, and base64: the one way in which values come out of a message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cpr_wire::Limits;
use cpr_wire::xml::{Document, Element};

use crate::refusal::Refusal;

/// The tree of canonical bytes. They come from a message that was read within its limits; in canonical form a
/// declaration may stand at more places, so that bytes are not held against them again.
pub(crate) fn tree(canonical: &[u8], what: &'static str) -> Result<Document, Refusal> {
    let text = str::from_utf8(canonical).map_err(|_| Refusal::Canonicalization(what))?;
    Ok(Document::parse(text, &Limits { bytes: text.len(), ..Limits::REQUEST })?)
}

/// The one child of this name, if any.
pub(crate) fn optional<'d>(
    element: Element<'d>,
    namespace: &str,
    name: &'static str,
) -> Result<Option<Element<'d>>, Refusal> {
    let mut found = element.children().filter(|child| child.is(namespace, name));
    let first = found.next();
    if found.next().is_some() { Err(Refusal::Repeated(name)) } else { Ok(first) }
}

/// The one child of this name.
pub(crate) fn required<'d>(element: Element<'d>, namespace: &str, name: &'static str) -> Result<Element<'d>, Refusal> {
    optional(element, namespace, name)?.ok_or(Refusal::Missing(name))
}

/// Base64 with blanks and line ends anywhere in it.
pub(crate) fn decoded(text: &str, what: &'static str) -> Result<Vec<u8>, Refusal> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    STANDARD.decode(digits).map_err(|_| Refusal::Form(what))
}

/// Base64 in one line.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

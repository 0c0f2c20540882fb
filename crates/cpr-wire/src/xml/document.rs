//! The tree of a document: elements with namespaces, their attributes and their own text.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;

/// A document that was read; see [`Document::parse`]. It holds personal data: `Debug` tells how large it is.
pub struct Document {
    pub(super) nodes: Vec<Node>,
}

/// An element in the order of the document. The root is the first.
pub(super) struct Node {
    pub(super) local: String,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) attributes: Vec<Attribute>,
    /// What stands between its tags and within no other element.
    pub(super) text: String,
    pub(super) first_child: Option<usize>,
    pub(super) next_sibling: Option<usize>,
}

pub(super) struct Attribute {
    pub(super) local: String,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) value: String,
}

/// An element of a [`Document`].
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    node: &'d Node,
}

impl Document {
    /// The root.
    pub fn root(&self) -> Element<'_> {
        Element { document: self, node: self.nodes.first().expect("a document that was read has a root") }
    }
}

impl<'d> Element<'d> {
    /// The name without its prefix.
    pub fn name(self) -> &'d str {
        &self.node.local
    }

    /// The namespace, if any.
    pub fn namespace(self) -> Option<&'d str> {
        self.node.namespace.as_deref()
    }

    /// True for this name in this namespace.
    pub fn is(self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == Some(namespace)
    }

    /// The elements within, in order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        let at = |at: Option<usize>| at.map(|at| Element { document, node: &document.nodes[at] });
        std::iter::successors(at(self.node.first_child), move |element| at(element.node.next_sibling))
    }

    /// The text within, that of elements within not among it.
    pub fn text(self) -> &'d str {
        &self.node.text
    }

    /// The text without the blanks and line ends around it.
    pub fn trimmed(self) -> &'d str {
        self.text().trim_matches([' ', '\t', '\r', '\n'])
    }

    /// The value of an attribute without a namespace.
    pub fn attribute(self, name: &str) -> Option<&'d str> {
        let found = self.node.attributes.iter().find(|found| found.namespace.is_none() && found.local == name);
        found.map(|found| found.value.as_str())
    }

    /// The value of an attribute of a namespace.
    pub fn attribute_of(self, namespace: &str, name: &str) -> Option<&'d str> {
        let is = |found: &&Attribute| found.namespace.as_deref() == Some(namespace) && found.local == name;
        self.node.attributes.iter().find(is).map(|found| found.value.as_str())
    }

    /// The one child of this name, whatever its namespace: clients are known to put children into another one than
    /// their contract.
    pub(crate) fn optional(self, name: &'static str) -> Result<Option<Element<'d>>, Error> {
        let mut found = self.children().filter(|child| child.name() == name);
        let first = found.next();
        if found.next().is_some() { Err(Error::Repeated { element: name }) } else { Ok(first) }
    }

    /// The same for a child that must be there.
    pub(crate) fn required(self, name: &'static str) -> Result<Element<'d>, Error> {
        self.optional(name)?.ok_or(Error::Missing { element: name })
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} elements)", self.nodes.len())
    }
}

/// Says nothing: even a name may be anybody's.
impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Element(..)")
    }
}

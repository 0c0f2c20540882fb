//! How much of a document is read before it is refused.

/// The bounds of a document. Time and memory of reading grow with its bytes, and none of these is ever passed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes as received.
    pub bytes: usize,
    /// Elements within elements.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
    /// Attributes of one element, declarations of namespaces among them.
    pub attributes: usize,
    /// Declarations of namespaces that hold at one place.
    pub namespaces: usize,
    /// Bytes of the name of a namespace.
    pub namespace_bytes: usize,
}

impl Limits {
    /// For requests of the national services, of which the longest that is known has less than two thousand bytes.
    pub const REQUEST: Limits =
        Limits { bytes: 262_144, depth: 48, elements: 4_096, attributes: 64, namespaces: 64, namespace_bytes: 512 };
}

/// One of the [`Limits`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// Bytes as received.
    Bytes,
    /// Elements within elements.
    Depth,
    /// Elements in all.
    Elements,
    /// Attributes of one element.
    Attributes,
    /// Declarations of namespaces that hold at one place.
    Namespaces,
    /// Bytes of the name of a namespace.
    NamespaceBytes,
}

impl Limit {
    /// The word for it in an error.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Bytes => "bytes",
            Limit::Depth => "elements within elements",
            Limit::Elements => "elements",
            Limit::Attributes => "attributes of one element",
            Limit::Namespaces => "namespaces at one place",
            Limit::NamespaceBytes => "bytes in the name of a namespace",
        }
    }
}

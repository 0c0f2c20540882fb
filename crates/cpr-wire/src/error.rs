//! Why bytes are no request: what is wrong and where, never what they said.

use cpr_subscription::FilterError;

use crate::limits::Limit;

/// Why something cannot be read. Elements are named by the contract, never by the document; places are bytes of its
/// text in UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More than is read of any document.
    #[error("more than {most} {}", limit.name())]
    Limit {
        /// What there is too much of.
        limit: Limit,
        /// How much of it is read.
        most: usize,
    },
    /// Neither UTF-8 nor ISO 8859-1, or not what it declares to be.
    #[error("the text is neither UTF-8 nor ISO 8859-1, or not in the encoding that it declares")]
    Encoding,
    /// A document type declaration, which no message may have.
    #[error("byte {at}: a document type declaration")]
    DocumentType {
        /// Where.
        at: u64,
    },
    /// A processing instruction, which no message may have.
    #[error("byte {at}: a processing instruction")]
    Instruction {
        /// Where.
        at: u64,
    },
    /// An entity other than `lt`, `gt`, `amp`, `quot`, `apos`.
    #[error("byte {at}: an entity that XML does not define itself")]
    Entity {
        /// Where.
        at: u64,
    },
    /// A character that XML cannot carry, plain or as a reference.
    #[error("byte {at}: a character that XML does not have")]
    Character {
        /// Where.
        at: u64,
    },
    /// The same id a second time.
    #[error("byte {at}: an id for the second time")]
    RepeatedId {
        /// Where.
        at: u64,
    },
    /// Not well-formed XML with namespaces.
    #[error("byte {at}: not well-formed XML")]
    NotWellFormed {
        /// Where.
        at: u64,
    },
    /// Well-formed, and no envelope of SOAP 1.1 or 1.2.
    #[error("not an envelope of SOAP 1.1 or 1.2")]
    NotAnEnvelope,
    /// A header that must be understood, and is not.
    #[error("a header that must be understood is not")]
    MustUnderstand,
    /// The body holds no request that this path serves.
    #[error("not a request of this service")]
    UnknownOperation,
    /// An element that the contract requires is not there.
    #[error("{element} is missing")]
    Missing {
        /// Its name in the contract.
        element: &'static str,
    },
    /// An element that may be there once is there twice.
    #[error("{element} is there more than once")]
    Repeated {
        /// Its name in the contract.
        element: &'static str,
    },
    /// An element has a value that the contract does not allow.
    #[error("{element} cannot have this value")]
    Value {
        /// Its name in the contract.
        element: &'static str,
    },
    /// Not a personnummer.
    #[error("not a personnummer")]
    NotAPnr,
    /// Not a filter of its kind.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A marking that this version of SF1525 does not have.
    #[error("this version has no {marking}")]
    Marking {
        /// Its name in the contract.
        marking: &'static str,
    },
    /// A marking that no version of SF1525 has.
    #[error("a marking that no version has")]
    UnknownMarking,
}

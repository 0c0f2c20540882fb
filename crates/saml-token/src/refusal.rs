//! Why a message is refused: which check it did not pass, never what it said.

/// Why a message is refused. The caller is told no more than that it is; the log has [`Refusal::name`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Too large, too deep, with a document type or an id twice, or no XML.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] cpr_wire::Error),
    /// A comment, which a signature does not cover.
    #[error("a comment")]
    Comment,
    /// An element that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element that may be there once is there more often.
    #[error("{0} is there more than once")]
    Repeated(&'static str),
    /// An element that counts stands elsewhere than in its place.
    #[error("{0} stands in another place than its own")]
    Misplaced(&'static str),
    /// An element, or a form of it, that this place does not have.
    #[error("{0} has another form than the binding prescribes")]
    Form(&'static str),
    /// An algorithm or a transform that the binding does not prescribe.
    #[error("{0} has another algorithm than the binding prescribes")]
    Algorithm(&'static str),
    /// The canonical form cannot be made.
    #[error("{0} cannot be canonicalized")]
    Canonicalization(&'static str),
    /// What is there is not what was signed.
    #[error("{0} is not what was signed")]
    Digest(&'static str),
    /// No configured certificate has signed the assertion.
    #[error("the assertion is not signed by a token service that is trusted")]
    AssertionSignature,
    /// The message is not signed with the key of the assertion's holder.
    #[error("the message is not signed with the key of the assertion's holder")]
    MessageSignature,
    /// An element that must be signed is not.
    #[error("{0} is not signed")]
    NotSigned(&'static str),
    /// The assertion names another issuer.
    #[error("another issuer")]
    Issuer,
    /// The assertion does not hold yet.
    #[error("the assertion does not hold yet")]
    Early,
    /// The assertion does not hold any longer.
    #[error("the assertion does not hold any longer")]
    Expired,
    /// The assertion is for another service.
    #[error("the assertion is for another service")]
    Audience,
    /// The assertion is not bound to the key of one holder.
    #[error("the assertion is not bound to the key of one holder")]
    Confirmation,
    /// The key of the message is told to be that of another token.
    #[error("the signature names another token than the assertion")]
    Token,
    /// The framework of the binding is another one.
    #[error("another framework than Liberty Basic SOAP Binding 2.0")]
    Framework,
    /// The message was made more than five minutes away from now, or says that it holds no longer.
    #[error("the message is too old, or not yet made")]
    Stale,
    /// The same message a second time.
    #[error("the message was received before")]
    Replayed,
    /// An attribute of the assertion is missing, repeated, or has a value that is not accepted.
    #[error("the assertion's {0} is not accepted")]
    Attribute(&'static str),
    /// The authority does not have the privilege that the service demands.
    #[error("the assertion does not have the privilege that is demanded")]
    Privilege,
    /// It cannot be known whether the message was received before.
    #[error("the memory of messages is not available")]
    Memory,
}

impl Refusal {
    /// The word in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Unreadable(_) => "token_unreadable",
            Refusal::Comment => "token_comment",
            Refusal::Missing(_) => "token_missing",
            Refusal::Repeated(_) => "token_repeated",
            Refusal::Misplaced(_) => "token_misplaced",
            Refusal::Form(_) => "token_form",
            Refusal::Algorithm(_) => "token_algorithm",
            Refusal::Canonicalization(_) => "token_canonicalization",
            Refusal::Digest(_) => "token_digest",
            Refusal::AssertionSignature => "token_issuer_signature",
            Refusal::MessageSignature => "token_signature",
            Refusal::NotSigned(_) => "token_not_signed",
            Refusal::Issuer => "token_issuer",
            Refusal::Early => "token_early",
            Refusal::Expired => "token_expired",
            Refusal::Audience => "token_audience",
            Refusal::Confirmation => "token_confirmation",
            Refusal::Token => "token_other",
            Refusal::Framework => "token_framework",
            Refusal::Stale => "token_stale",
            Refusal::Replayed => "token_replayed",
            Refusal::Attribute(_) => "token_attribute",
            Refusal::Privilege => "token_privilege",
            Refusal::Memory => "token_memory",
        }
    }
}

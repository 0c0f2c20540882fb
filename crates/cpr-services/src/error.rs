//! Why an answer could not be built or written; never whom it is about.

/// What went wrong. A number that the replica does not hold is no error: see [`crate::Lookup`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine's reason: there is no such delivery, or the store is damaged.
    #[error(transparent)]
    Engine(#[from] cpr_replika::Error),
    /// The person is protected, and the host has such questions refused.
    #[error("the person's name and address are protected")]
    Protected,
    /// The answer is not in the access log, and must not leave.
    #[error(transparent)]
    NotLogged(#[from] access_log::NotLogged),
    /// The version of the service does not have this marking.
    #[error("version 1.0 has no {marking}")]
    Marking {
        /// The marking's name in the contract.
        marking: &'static str,
    },
    /// The answer does not go into XML.
    #[error("writing the answer as XML failed")]
    Xml,
}

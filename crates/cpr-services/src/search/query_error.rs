//! Why a search string cannot be read: by its place, never by what stands there.

/// Why a search string cannot be read. It says where, in bytes from the start of the query, not what stands there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The query does not follow Lucene's syntax, or uses a part of it that is not supported.
    #[error("the query cannot be read at byte {at}: expected {wanted}")]
    Syntax {
        /// Where.
        at: usize,
        /// What was expected.
        wanted: &'static str,
    },
    /// There is no such field.
    #[error("the query names an unknown field at byte {at} (docs/search.md lists the fields)")]
    Field {
        /// Where.
        at: usize,
    },
    /// The field cannot have such a value, or not in this form.
    #[error("the query asks at byte {at} for what {field} cannot be: expected {wanted}")]
    Value {
        /// Where.
        at: usize,
        /// The field.
        field: &'static str,
        /// What it can be.
        wanted: &'static str,
    },
    /// A parameter beside the query has a value it cannot have.
    #[error("parameter {name} cannot have this value")]
    Parameter {
        /// Which.
        name: &'static str,
    },
}

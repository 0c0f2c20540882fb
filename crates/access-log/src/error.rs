//! Why a log cannot be opened, and why a question could not be logged; never whom it was about.

use std::io;

/// The question is not in the log, so its answer must not leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotLogged {
    /// The line could not be written: the disk is full, or out of order.
    #[error("the access log cannot be written: {0}")]
    Write(io::ErrorKind),
    /// Lines wait faster than they are written (mode *beside*), or have for as long as writing fails.
    #[error("the access log is as far behind as it may be")]
    Behind,
    /// The log was closed.
    #[error("the access log is closed")]
    Closed,
    /// Who stands in the answer cannot be read off it.
    #[error("who stands in the answer cannot be told to the access log")]
    Unaccountable,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process writes it.
    #[error("another process writes this access log")]
    Locked,
    /// The end does not follow from what stands before it: another key, or somebody changed it. Checking the whole log
    /// says more.
    #[error("the end of the access log was changed, or it has another key")]
    Broken,
    /// A key is 32 bytes.
    #[error("the key of an access log is a file of 32 bytes")]
    Key,
    /// The key lies in the folder of the log: whoever took the one would have the other.
    #[error("the key of an access log must lie outside its folder")]
    KeyInside,
    /// The folder or a file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

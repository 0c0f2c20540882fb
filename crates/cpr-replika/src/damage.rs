//! What the block file refuses, and the first thing that went wrong with an open file.
//!
//! redb takes an `io::Error` from its storage and gives it back as it is; after one, every later call of that handle is
//! only told that there was an earlier failure. So a [`BlockError`] travels inside the `io::Error`, and the [`Latch`]
//! keeps the first, which is what later calls are told. Neither holds stored bytes.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Where in the file of a store something does not fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// The file as a whole: its length.
    File,
    /// One of the two copies of the store's own header, counted from 0.
    StoreHeader(u8),
    /// One of the two copies of the root, counted from 0.
    Root(u8),
    /// The checks of one group of blocks, counted from 0.
    Checks(u64),
    /// A block, as pages are counted; the file's first block of data is 1.
    Block(u64),
    /// What the pages say to each other, all of which check.
    Pages,
    /// A byte of a pack, counted from the start of the file.
    Pack(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File => f.write_str("the file"),
            Place::StoreHeader(copy) => write!(f, "the store's header, copy {}", copy + 1),
            Place::Root(copy) => write!(f, "the root, copy {}", copy + 1),
            Place::Checks(group) => write!(f, "the checks of group {group}"),
            Place::Block(block) => write!(f, "block {block}"),
            Place::Pages => f.write_str("the pages"),
            Place::Pack(at) => write!(f, "the pack at byte {at}"),
        }
    }
}

/// One thing in the file that does not fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Damage {
    pub(crate) place: Place,
    pub(crate) what: &'static str,
}

/// What the block file refuses.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum BlockError {
    #[error("{}: {}", .0.place, .0.what)]
    Damaged(Damage),
    #[error("not a block file")]
    NotAStore,
    #[error("a creation that was never finished")]
    Unfinished,
    #[error("a store is there already")]
    Exists,
    #[error("block file layout {found}, known is {supported}")]
    Newer { found: u16, supported: u16 },
    #[error("the store is encrypted: its key is needed")]
    KeyNeeded,
    #[cfg(feature = "encryption")]
    #[error("the key is not the one of the store")]
    WrongKey,
    #[error("a key was given, and the store is not encrypted")]
    NotEncrypted,
    #[cfg(not(feature = "encryption"))]
    #[error("this build does not encrypt (feature `encryption`)")]
    NoEncryption,
    /// The source of the key does not give it.
    #[cfg(feature = "encryption")]
    #[error("{0}")]
    NoKey(String),
    #[cfg(feature = "encryption")]
    #[error("2^32 blocks were sealed under the store's data key: write the store anew under a fresh one")]
    KeySpent,
    /// The storage engine asked for something it is not known to ask for.
    #[error("{0}")]
    Unforeseen(&'static str),
    /// The storage engine panicked over what it found.
    #[error("the storage engine could not make sense of what it found")]
    Panicked,
    /// The file at the path is not the one that was opened.
    #[error("the store's file is gone or was replaced by another")]
    Replaced,
}

impl BlockError {
    pub(crate) fn damaged(place: Place, what: &'static str) -> BlockError {
        BlockError::Damaged(Damage { place, what })
    }

    /// The refusal inside an error that came back through the storage engine.
    pub(crate) fn inside(error: &io::Error) -> Option<BlockError> {
        error.get_ref()?.downcast_ref::<BlockError>().cloned()
    }
}

impl From<BlockError> for io::Error {
    fn from(error: BlockError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// The first failure of an open file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latch(Arc<Latched>);

#[derive(Debug, Default)]
struct Latched {
    first: OnceLock<FirstFailure>,
    /// Nothing is written to the file any more.
    is_frozen: AtomicBool,
}

impl From<FirstFailure> for io::Error {
    fn from(first: FirstFailure) -> io::Error {
        match first {
            FirstFailure::Block(refusal) => refusal.into(),
            FirstFailure::System(_, Some(code)) => io::Error::from_raw_os_error(code),
            FirstFailure::System(kind, None) => kind.into(),
            FirstFailure::Panicked => BlockError::Panicked.into(),
        }
    }
}

/// What the first failure was: ours, or the system's.
#[derive(Clone, Debug)]
pub(crate) enum FirstFailure {
    Block(BlockError),
    System(io::ErrorKind, Option<i32>),
    /// The storage engine panicked: what it holds in memory is not to be trusted any more.
    Panicked,
}

impl Latch {
    /// Notes the failure of an operation, when it is the first, and passes the result on.
    pub(crate) fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            let first = match BlockError::inside(error) {
                Some(refusal) => FirstFailure::Block(refusal),
                None => FirstFailure::System(error.kind(), error.raw_os_error()),
            };
            self.0.first.get_or_init(|| first);
        }
        result
    }

    /// Notes that the storage engine panicked.
    pub(crate) fn note_panic(&self) {
        self.0.first.get_or_init(|| FirstFailure::Panicked);
    }

    /// Whether the first failure was a panic of the storage engine.
    #[inline]
    pub(crate) fn has_panicked(&self) -> bool {
        matches!(self.0.first.get(), Some(FirstFailure::Panicked))
    }

    /// The first failure, when there was one.
    pub(crate) fn first(&self) -> Option<FirstFailure> {
        self.0.first.get().cloned()
    }

    /// Has the file stay as the last durable commit left it: nothing is written to it any more. What the storage engine
    /// has committed without making it durable it would else make durable when it is closed.
    pub(crate) fn freeze(&self) {
        self.0.is_frozen.store(true, Ordering::Release);
    }

    /// Whether the file may still be written to.
    #[inline]
    pub(crate) fn check_writable(&self) -> io::Result<()> {
        match self.0.is_frozen.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(BlockError::damaged(Place::File, NOT_UNDONE).into()),
        }
    }
}

/// What is wrong with a file that is frozen.
pub(crate) const NOT_UNDONE: &str = "what was not committed is still there";

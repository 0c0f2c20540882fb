//! Faults that can be planted in the engine, so that the simulator is known to find what it looks for.
//!
//! Only a build with the feature `planted` has them, which nothing but `fuzz/` asks for, and there they lie dormant
//! until one is planted. In every other build [`is`] is `false` where the compiler sees it.

/// A fault. Each stands in one place of the code, which asks for it by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A block that does not fit its check is taken for sound.
    BlockCheckSkipped,
    /// A commit does not wait for the disk.
    CommitNotDurable,
    /// The ledger says that a delivery is there before its rows are.
    LedgerBeforeRows,
    /// The secondary indexes are read off the rows of before the delivery.
    IndexOfOldRows,
    /// Filters are held against the rows of before the delivery.
    MatchOfOldRows,
    /// A subscriber's stream moves on before the file has been taken.
    StreamMovesEarly,
    /// The reader of events is put behind the delivery after the one it has read.
    CursorMovesEarly,
    /// A folder says that packs are current before they are there.
    CurrentBeforePacks,
    /// A restored store is written under its own name.
    RestoredInPlace,
    /// An erase bars nobody.
    BarsForgotten,
    /// A stage of a load is durable before the load is.
    StagesDurable,
    /// The numbers of a human being are told as they are now, as of whatever delivery is asked.
    NumbersOfNow,
    /// Who goes, since nobody needs them, is not remembered as left out.
    WentForgotten,
    /// A store that took the place of another is told as done before its name is durable.
    NameNotAwaited,
    /// A key is used before its file is durable.
    #[cfg(any(feature = "encryption", feature = "planted"))]
    KeyNotAwaited,
}

/// Every fault, and what it is in words.
#[cfg(feature = "planted")]
pub const ALL: [(Fault, &str); 15] = [
    (Fault::BlockCheckSkipped, "a block that does not fit its check is taken for sound"),
    (Fault::CommitNotDurable, "a commit does not wait for the disk"),
    (Fault::LedgerBeforeRows, "the ledger is written before the rows"),
    (Fault::IndexOfOldRows, "the indexes are read off the rows of before"),
    (Fault::MatchOfOldRows, "filters are held against the rows of before"),
    (Fault::StreamMovesEarly, "a subscriber's stream moves on before its file is there"),
    (Fault::CursorMovesEarly, "a reader of events is put behind what it has not read"),
    (Fault::CurrentBeforePacks, "packs are current before they are there"),
    (Fault::RestoredInPlace, "a restored store is written under its own name"),
    (Fault::BarsForgotten, "an erase bars nobody"),
    (Fault::StagesDurable, "a stage of a load is durable before the load is"),
    (Fault::NumbersOfNow, "the numbers of a human being are told as they are now"),
    (Fault::WentForgotten, "who goes is not remembered as left out"),
    (Fault::NameNotAwaited, "a store that was replaced is told as done before its name is durable"),
    (Fault::KeyNotAwaited, "a key is used before its file is durable"),
];

#[cfg(feature = "planted")]
static PLANTED: std::sync::Mutex<Option<Fault>> = std::sync::Mutex::new(None);

/// Has the engine of this process do this wrong from now on.
#[cfg(feature = "planted")]
pub fn plant(fault: Option<Fault>) {
    *PLANTED.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = fault;
}

/// Whether the engine is to do this wrong.
#[cfg(feature = "planted")]
pub(crate) fn is(fault: Fault) -> bool {
    *PLANTED.lock().unwrap_or_else(std::sync::PoisonError::into_inner) == Some(fault)
}

/// Nothing is planted here.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub(crate) const fn is(_: Fault) -> bool {
    false
}

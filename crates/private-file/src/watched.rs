//! What a thread makes durable, for tests: short of a power cut nothing tells whether a name is.
//!
//! Only a build with the feature `watched` has this, which nothing but tests asks for.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

thread_local! {
    static SYNCED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// Does some work, and tells which files and folders this crate synced for it in this thread, in their order.
pub fn synced<T>(work: impl FnOnce() -> T) -> (T, Vec<PathBuf>) {
    SYNCED.take();
    let done = work();
    (done, SYNCED.take())
}

pub(crate) fn note(path: &Path) {
    SYNCED.with_borrow_mut(|synced| synced.push(path.to_owned()));
}

//! Panics, told as what was found.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A panic is a difference, too.
pub fn guarded<T>(what: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|_| Err("a panic".to_owned()))
}

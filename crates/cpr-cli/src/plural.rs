//! Counted things, as people say them.

/// `1 person`, `2 persons`.
pub(crate) fn persons(count: u64) -> String {
    format!("{count} person{}", if count == 1 { "" } else { "s" })
}

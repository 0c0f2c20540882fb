//! The name under which a store is written anew, and what a rewriting that was cut off has left there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The name under which the new file of a store is written; none for a path without a name.
pub(super) fn temporary_path(path: &Path) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name()?);
    name.push(".new");
    Some(path.with_file_name(name))
}

/// Removes what a rewriting that was cut off has left beside a store.
pub(super) fn remove_leftover(path: &Path) -> io::Result<()> {
    let Some(left) = temporary_path(path) else { return Ok(()) };
    match fs::remove_file(left) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

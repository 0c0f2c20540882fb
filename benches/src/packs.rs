//! Folders of packs of the benchmarks: how they are opened.

use std::path::Path;

use cpr_replika::Packed;
use cpr_replika::cpr_pack::{self, Checks, Pack};

/// Opens a folder of packs as maps of its files.
pub fn open_mapped(folder: &Path, checks: Checks) -> Packed {
    Packed::open_with(folder, move |path| map(path, checks)).expect("packs")
}

/// Maps one pack.
///
/// # Errors
/// As [`Pack::map`].
#[allow(unsafe_code)]
pub fn map(path: &Path, checks: Checks) -> Result<Pack, cpr_pack::Error> {
    // SAFETY: the benchmarks' own folders, on a disk of this machine; their packs are replaced by rename alone.
    unsafe { Pack::map(path, checks) }
}

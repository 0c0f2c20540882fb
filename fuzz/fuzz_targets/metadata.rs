//! Any bytes as the metadata of a file: refused, or read back from what is written of them, and no name leads out of
//! its folder.
#![no_main]

use std::path::{Component, Path};

use cpr_wire::{FileMetadata, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(metadata) = FileMetadata::parse(bytes, &Limits::REQUEST) else { return };
    let mut components = Path::new(&metadata.file_name).components();
    assert!(matches!((components.next(), components.next()), (Some(Component::Normal(_)), None)));
    let roomy = Limits { bytes: 10_000_000, ..Limits::REQUEST };
    assert!(FileMetadata::parse(metadata.to_xml().as_bytes(), &roomy) == Ok(metadata), "not as it was written");
});

//! The one `unsafe` of the libraries: a pack as a memory map of its file.
//!
//! Mapping is `unsafe` since safe code may take it for granted that the bytes behind a `&[u8]` do not change, and a
//! file is anybody's to change. No check can replace the promise: bytes can change after they were checked. All that
//! the crate does with a map is what it does with memory ([`Pack::from_bytes`] is the safe twin of [`Pack::map`], and
//! the tests hold both to the same answers); the measure that pays for it is the `pack` benchmark.
#![allow(unsafe_code)]

use std::fs::File;
use std::path::Path;

use memmap2::{Mmap, MmapOptions};

use crate::contents::Opening;
use crate::error::Error;
use crate::pack::Pack;
use crate::space::{Bytes, Checks};

impl Pack {
    /// Maps a pack: as fast as [`Pack::read`], with memory that all processes share, and ready at once.
    ///
    /// ```
    /// # use cpr_pack::{Checks, Description, Keys, Kind, Pack, Writer};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("base.pack");
    /// # let description = Description { store: [7; 16], kind: Kind::Base, delivery: 1, rows_version: 1, digest: [0; 32] };
    /// let mut writer = Writer::create(&path, &description)?;
    /// writer.table("persons", Keys::Numbers)?;
    /// writer.row(7, b"seven")?;
    /// writer.publish()?;
    ///
    /// // SAFETY: packs are replaced by rename alone, and the file lies on a disk of this machine.
    /// let pack = unsafe { Pack::map(&path, Checks::AtFirstTouch)? };
    /// assert_eq!(pack.table("persons", Keys::Numbers)?.get(7)?.as_deref(), Some(&b"seven"[..]));
    /// # Ok(()) }
    /// ```
    ///
    /// # Safety
    ///
    /// While the pack is held, **nobody may change or shorten the file**:
    ///
    /// * Packs are published by rename ([`Writer::publish`](crate::Writer::publish) does so, and makes the file
    ///   read-only) and removed by unlinking; never copied over, truncated or written in place. Tools that write in
    ///   place, as `cp` onto a standing file and `rsync --inplace`, must write under another name.
    /// * The file does not lie on a network file system, where another machine may change it, nor on a removable disk.
    ///
    /// Bytes that change behind the map are undefined behaviour. Where the file was cut short, or its disk fails,
    /// reading ends the process with `SIGBUS`; [`Pack::open`] and [`Pack::read`] return an error instead.
    ///
    /// # Errors
    ///
    /// As [`Pack::from_bytes`], and [`Error::Io`]; [`Error::Encrypted`] for an encrypted pack, whose bytes are nothing
    /// to be read where they stand.
    pub unsafe fn map(path: &Path, checks: Checks) -> Result<Pack, Error> {
        let file = File::open(path).map_err(Error::io("opening a pack"))?;
        // SAFETY: the caller promises that nobody changes or shortens the file while the map is held.
        let map = unsafe { MmapOptions::new().map(&file) }.map_err(Error::io("mapping a pack"))?;
        advise_random(&map);
        Pack::of(Bytes::Mapped(map), Opening::Plain(checks))
    }
}

/// Gets read single pages, so reading ahead would only fill memory with others.
fn advise_random(map: &Mmap) {
    // Advice that is not taken changes the speed alone.
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Random);
    #[cfg(not(unix))]
    let _ = map;
}

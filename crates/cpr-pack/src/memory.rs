//! Memory that a pack, or its hash sections, are read into: in huge pages where the system has them, which spares a get
//! its way through the page tables.

use std::fs::File;

use crate::error::Error;

/// Memory of a pack's own.
pub(crate) struct Memory(Kind);

enum Kind {
    Plain(Vec<u8>),
    #[cfg(all(target_os = "linux", not(miri)))]
    Anonymous(memmap2::Mmap),
}

/// From here on memory is asked for in huge pages.
#[cfg(all(target_os = "linux", not(miri)))]
const HUGE_BYTES: usize = 4 << 20;

impl Memory {
    pub(crate) fn of(bytes: Vec<u8>) -> Memory {
        Memory(Kind::Plain(bytes))
    }

    /// Reads a part of a file.
    pub(crate) fn read(file: &File, at: u64, bytes: u64) -> Result<Memory, Error> {
        let length = usize::try_from(bytes).map_err(|_| Error::Unwritable { why: "it is larger than memory" })?;
        #[cfg(all(target_os = "linux", not(miri)))]
        if length >= HUGE_BYTES {
            let mut map = memmap2::MmapMut::map_anon(length).map_err(Error::io("getting memory"))?;
            // Without huge pages it is as good, only slower.
            let _ = map.advise(memmap2::Advice::HugePage);
            read_exactly(file, at, &mut map)?;
            let map = map.make_read_only().map_err(Error::io("protecting memory"))?;
            return Ok(Memory(Kind::Anonymous(map)));
        }
        let mut memory = vec![0; length];
        read_exactly(file, at, &mut memory)?;
        Ok(Memory(Kind::Plain(memory)))
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Kind::Plain(bytes) => bytes,
            #[cfg(all(target_os = "linux", not(miri)))]
            Kind::Anonymous(map) => map,
        }
    }

    /// The bytes, to be changed.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Kind::Plain(bytes) => bytes,
            #[cfg(all(target_os = "linux", not(miri)))]
            Kind::Anonymous(map) => map.to_vec(),
        }
    }
}

/// Fills a buffer from a place in a file, without moving anybody's position in it.
pub(crate) fn read_exactly(file: &File, at: u64, buffer: &mut [u8]) -> Result<(), Error> {
    use std::os::unix::fs::FileExt;
    file.read_exact_at(buffer, at).map_err(Error::io("reading a pack"))
}

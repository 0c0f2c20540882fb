//! A pack that is being written to disk: under another name until it is whole, synchronised and read-only.

use std::fs::Permissions;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use private_file::PartFile;

use crate::error::Error;

/// Only the owner may read a pack, and nobody may write it.
const MODE: u32 = 0o400;

/// Where [`Writer::create`](crate::Writer::create) writes: `.NAME.part` beside the pack's own name. It vanishes unless
/// it is published; a writer that was killed leaves its file.
#[derive(Debug)]
pub struct NewFile(PartFile);

impl NewFile {
    pub(crate) fn create(path: &Path) -> Result<NewFile, Error> {
        PartFile::create(path).map(NewFile).map_err(Error::io("creating a pack"))
    }

    /// Makes the file durable, and then the one under its name.
    pub(crate) fn publish(self) -> Result<(), Error> {
        let permissions = Permissions::from_mode(MODE);
        self.0.file().set_permissions(permissions).map_err(Error::io("making a pack read-only"))?;
        self.0.publish().map_err(Error::io("publishing a pack"))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.file().seek(to)
    }
}

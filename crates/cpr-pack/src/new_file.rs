//! A pack that is being written to disk: under another name until it is whole, synchronised and read-only.

use std::fs::{File, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Error;

/// How the names of unfinished packs begin. They vanish when their writer is dropped; one that was killed leaves its
/// file.
pub const UNFINISHED: &str = ".unfinished-pack-";

/// Only the owner may read a pack, and nobody may write it.
const MODE: u32 = 0o400;

/// Where [`Writer::create`](crate::Writer::create) writes; vanishes unless it is published.
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    pub(crate) fn create(path: &Path) -> Result<NewFile, Error> {
        // Its own mode is 0600 from the start.
        let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder_of(path));
        Ok(NewFile { file: file.map_err(Error::io("creating a pack"))?, path: path.to_owned() })
    }

    /// Makes the file durable, and then the one under its name.
    pub(crate) fn publish(self) -> Result<(), Error> {
        let NewFile { file, path } = self;
        let permissions = Permissions::from_mode(MODE);
        file.as_file().set_permissions(permissions).map_err(Error::io("making a pack read-only"))?;
        file.as_file().sync_all().map_err(Error::io("synchronising a pack"))?;
        file.persist(&path).map_err(|failed| Error::Io { doing: "renaming a pack", source: failed.error })?;
        let folder = File::open(folder_of(&path)).map_err(Error::io("opening a pack's folder"))?;
        folder.sync_all().map_err(Error::io("synchronising a pack's folder"))
    }
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_file_mut().seek(to)
    }
}

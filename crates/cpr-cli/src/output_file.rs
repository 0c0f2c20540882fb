//! Files that are whole or not there: written under another name beside their own, and renamed once they are durable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes `folder/name` in a folder that is there. Until it is durable the file is called `.name.part`; what a
/// crash left behind under that name is replaced by the next run. The folder is durable with the file.
///
/// # Errors
/// Those of `write`, and of the file system as the same type; the file is then as before.
pub(crate) fn write<T, E: From<io::Error>>(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut Synced) -> Result<T, E>,
) -> Result<T, E> {
    let temporary = folder.join(format!(".{name}.part"));
    let written = write_part(&temporary, write).and_then(|written| {
        fs::rename(&temporary, folder.join(name))?;
        File::open(folder)?.sync_all()?;
        Ok(written)
    });
    if written.is_err() {
        fs::remove_file(&temporary).ok();
    }
    written
}

/// Folder and name of a path that the caller gave for a file.
pub(crate) fn place(path: &Path) -> Option<(PathBuf, String)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some((folder.to_owned(), path.file_name()?.to_string_lossy().into_owned()))
}

fn write_part<T, E: From<io::Error>>(
    temporary: &Path,
    write: impl FnOnce(&mut Synced) -> Result<T, E>,
) -> Result<T, E> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // Never through a link that someone with a key to the folder has put there.
    let file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    let mut out = Synced(BufWriter::with_capacity(1024 * 1024, file));
    let written = write(&mut out)?;
    out.flush()?;
    Ok(written)
}

/// Makes the folders that are missing, each durable in the one above it.
pub(crate) fn folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    self::folder(above)?;
    fs::create_dir(folder)?;
    File::open(above)?.sync_all()
}

/// A file whose bytes are on the disk once it is flushed.
pub(crate) struct Synced(BufWriter<File>);

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        self.0.get_ref().sync_all()
    }
}

//! The files of a night in folders: `FOLDER/SUBSCRIBER/DYYMMDD.LTASK`, each whole or not there, and for its owner alone.
//!
//! A file is written as `.NAME.part` beside its own name, made durable, and renamed. What a killed run left is replaced
//! by the next one; a file that is there with other bytes is never replaced. Collecting the files is left to whoever
//! reads the folder.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::subscriptions::deliver::{OutgoingFile, Sink};

/// Bytes that are written, and compared, at once.
const BUFFER: usize = 1024 * 1024;

/// Puts each file into a folder of its subscriber's name; see the example at [`crate::Replika::deliver`] for a sink.
///
/// Folders and files are for their owner alone (0700 and 0600 on Unix), whatever the umask. A file with the same bytes
/// may be there already; one with others is an error (`AlreadyExists`) and stays.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderSink {
    /// The folder that holds a folder for each subscriber; made when it is missing.
    pub folder: PathBuf,
    /// A file also for a subscriber that the night has nothing for.
    pub empty_files: bool,
}

impl FolderSink {
    /// Puts files into this folder, none for a subscriber that the night has nothing for.
    pub fn new(folder: impl Into<PathBuf>) -> FolderSink {
        FolderSink { folder: folder.into(), empty_files: false }
    }

    /// Where a file is put.
    pub fn path_of(&self, file: &OutgoingFile) -> PathBuf {
        self.folder.join(file.subscriber.as_str()).join(&file.name)
    }
}

impl Sink for FolderSink {
    fn take(&mut self, file: &OutgoingFile, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        make_folder(&self.folder)?;
        let own = self.folder.join(file.subscriber.as_str());
        make_folder(&own)?;
        access::make_private_folder(&own)?;
        write_whole(&own, &file.name, write)
    }

    fn takes_empty_files(&self) -> bool {
        self.empty_files
    }
}

/// Writes `folder/name`, durable with its name; what is there with other bytes stays.
fn write_whole(folder: &Path, name: &str, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let temporary = folder.join(format!(".{name}.part"));
    let file = create_part(&temporary)?;
    let written = write_part(&file, write).and_then(|()| {
        let whole = folder.join(name);
        if !is_equal_if_there(&whole, &temporary)? {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file with other contents is there"));
        }
        // Another process may have taken the name over in the moment before this one had locked it.
        if !access::is_same_file(&temporary, &file)? {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        fs::rename(&temporary, whole)?;
        sync_folder(folder)
    });
    if written.is_err() && access::is_same_file(&temporary, &file).unwrap_or(false) {
        fs::remove_file(&temporary).ok();
    }
    written
}

/// A file for its owner alone, locked for as long as it is open, in the place of what a killed run has left.
fn create_part(temporary: &Path) -> io::Result<File> {
    if fs::symlink_metadata(temporary).is_ok_and(|found| found.is_file()) {
        lock(&File::open(temporary)?)?;
    }
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Never through a link that someone with a key to the folder has put there.
    let mut options = OpenOptions::new();
    let file = access::private_file(options.read(true).write(true).create_new(true)).open(temporary)?;
    lock(&file)?;
    access::make_private_file(&file)?;
    Ok(file)
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::new(io::ErrorKind::ResourceBusy, "another process is writing it"),
        TryLockError::Error(error) => error,
    })
}

fn write_part(file: &File, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, file);
    write(&mut out)?;
    out.flush()?;
    file.sync_all()
}

/// True when nothing is there, or a file with the same bytes.
fn is_equal_if_there(path: &Path, other: &Path) -> io::Result<bool> {
    let mut one = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        file => file?,
    };
    let mut other = File::open(other)?;
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

/// Makes the folders that are missing, each for its owner alone and durable in the one above it. A folder that is there
/// and empty is made private too; one that holds something already is somebody's, and keeps its mode.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    if folder.is_dir() {
        let is_empty = fs::read_dir(folder)?.next().is_none();
        return if is_empty { access::make_private_folder(folder) } else { Ok(()) };
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !above.is_dir() {
        make_folder(above)?;
    }
    access::private_folder(&mut DirBuilder::new()).create(folder)?;
    access::make_private_folder(folder)?;
    sync_folder(above)
}

/// Makes the names in a folder durable, where the system opens folders.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Who may read: the owner alone.
#[cfg(unix)]
mod access {
    use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    const PRIVATE_FILE: u32 = 0o600;
    const PRIVATE_FOLDER: u32 = 0o700;

    pub(super) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(PRIVATE_FILE)
    }

    pub(super) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
        builder.mode(PRIVATE_FOLDER)
    }

    /// Whatever the umask.
    pub(super) fn make_private_file(file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))
    }

    pub(super) fn make_private_folder(folder: &Path) -> io::Result<()> {
        let mode = fs::metadata(folder)?.mode() & 0o777;
        if mode == PRIVATE_FOLDER {
            Ok(())
        } else {
            fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER))
        }
    }

    pub(super) fn is_same_file(path: &Path, file: &File) -> io::Result<bool> {
        let (at, open) = (fs::symlink_metadata(path)?, file.metadata()?);
        Ok((at.dev(), at.ino()) == (open.dev(), open.ino()))
    }
}

/// Elsewhere a folder's own rights hold for what is made in it.
#[cfg(not(unix))]
mod access {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(super) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(super) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
        builder
    }

    pub(super) fn make_private_file(_: &File) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn make_private_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn is_same_file(path: &Path, _: &File) -> io::Result<bool> {
        path.try_exists()
    }
}

//! Files that a command writes: private, whole or not there, and never in the place of something else.
//!
//! A file is written under another name beside its own (`.NAME.part`) and renamed once it is durable. It is for its
//! owner alone (0600), whatever the umask and whatever stood there before; folders made for it are too (0700). What a
//! killed run left behind is replaced by the next one. A pipe or a device is written to as it is; a link, and the
//! store that is being read, are never replaced, and another file only where that is asked for.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::Error;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::visible;

/// For their owner alone.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;

/// The options of a command whose answer is an extract.
#[derive(Args, Debug)]
pub(crate) struct OutputOptions {
    /// The file to write, for its owner alone; `-` for standard output. A pipe or a device is written to as it is.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace a file that is there already.
    #[arg(long)]
    force: bool,
}

impl OutputOptions {
    pub(crate) fn is_screen(&self) -> bool {
        self.output == Path::new("-")
    }

    pub(crate) fn shown(&self) -> String {
        visible::path(&self.output)
    }

    /// Lets `write` write the answer, to where the caller wants it.
    pub(crate) fn write<T>(
        &self,
        globals: &Globals,
        screen: &mut Screen,
        write: impl FnOnce(&mut dyn Write) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let meter = Meter::open_ended("writing");
        if self.is_screen() {
            let written = write(&mut meter.count(screen.latin1()));
            return written.map_err(|error| match error {
                Error::Output(error) => Failure::Output(error),
                error => error.into(),
            });
        }
        let target = Target::at(&self.output, self.force, globals.named_store())?;
        let written: Result<T, WriteError> = match target {
            Target::Whole { folder, name } => self::write(&folder, &name, |out| Ok(write(&mut meter.count(out))?)),
            Target::Stream(file) => write_stream(file, |out| Ok(write(&mut meter.count(out))?)),
        };
        written.map_err(|error| error.at(&self.output))
    }
}

/// Why a file could not be written: the file system, or what was to be written.
pub(crate) enum WriteError {
    File(io::Error),
    Engine(Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> WriteError {
        WriteError::File(error)
    }
}

impl From<Error> for WriteError {
    fn from(error: Error) -> WriteError {
        match error {
            Error::Output(error) => WriteError::File(error),
            error => WriteError::Engine(error),
        }
    }
}

impl WriteError {
    pub(crate) fn at(self, path: &Path) -> Failure {
        match self {
            WriteError::File(error) => Failure::Writing(visible::path(path), error),
            WriteError::Engine(error) => error.into(),
        }
    }
}

/// Where an answer goes that the caller has named a file for.
#[derive(Debug)]
enum Target {
    /// A file of its own, in a folder that is there.
    Whole {
        /// The folder.
        folder: PathBuf,
        /// The name in it.
        name: OsString,
    },
    /// A pipe or a device, open.
    Stream(File),
}

impl Target {
    /// Looks at what is at the path. `store` is the one that is read.
    fn at(path: &Path, force: bool, store: Option<&Path>) -> Result<Target, Failure> {
        let shown = visible::path(path);
        let failed = |error| Failure::Writing(shown.clone(), error);
        let found = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map_err(failed)?),
        };
        // `>(command)` of a shell, and /dev/stdout, are links to a pipe or a terminal.
        let kind = fs::metadata(path).map(|target| target.file_type());
        if kind.is_ok_and(|kind| kind.is_fifo() || kind.is_char_device()) {
            return OpenOptions::new().write(true).open(path).map(Target::Stream).map_err(failed);
        }
        if let Some(found) = found {
            refuse_to_replace(&shown, &found, force, store)?;
        }
        let name = path.file_name().ok_or(Failure::Usage("the file to write must have a name"))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Target::Whole { folder: folder.to_owned(), name: name.to_owned() })
    }
}

/// A link, the store that is read and what is no file are not replaced, and a file only when that is asked for.
fn refuse_to_replace(shown: &str, found: &fs::Metadata, force: bool, store: Option<&Path>) -> Result<(), Failure> {
    let refused = |why| Err(Failure::NotReplaced(shown.to_owned(), why));
    if found.is_symlink() {
        return refused("a link is not replaced; name the file itself");
    }
    if !found.is_file() {
        return refused("what stands there is no file, and is not replaced");
    }
    if store.is_some_and(|store| is_same_file(store, found)) {
        return refused("that is the store itself");
    }
    if !force {
        return refused("a file is there already; --force replaces it");
    }
    Ok(())
}

/// Writes `folder/name`, a file of the caller's choice of name: another that is there is replaced only by force.
pub(crate) fn write_new<T>(
    globals: &Globals,
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut Synced) -> Result<T, WriteError>,
) -> Result<T, Failure> {
    let written = match Target::at(path, force, globals.named_store())? {
        Target::Whole { folder, name } => self::write(&folder, &name, write),
        Target::Stream(file) => write_stream(file, write),
    };
    written.map_err(|error| error.at(path))
}

fn write_stream<T, E: From<io::Error>>(file: File, write: impl FnOnce(&mut Synced) -> Result<T, E>) -> Result<T, E> {
    let mut out = Synced { file: BufWriter::with_capacity(BUFFER, file), durable: false };
    let written = write(&mut out)?;
    out.flush()?;
    Ok(written)
}

fn is_same_file(path: &Path, found: &fs::Metadata) -> bool {
    fs::metadata(path).is_ok_and(|of| (of.dev(), of.ino()) == (found.dev(), found.ino()))
}

const BUFFER: usize = 1024 * 1024;

/// Writes `folder/name` in a folder that is there. The folder is durable with the file.
///
/// # Errors
/// Those of `write`, and of the file system as the same type; the file is then as before.
pub(crate) fn write<T, E: From<io::Error>>(
    folder: &Path,
    name: &OsStr,
    write: impl FnOnce(&mut Synced) -> Result<T, E>,
) -> Result<T, E> {
    let temporary = folder.join(part_name(name));
    let file = create_part(&temporary)?;
    let written = write_part(&file, write).and_then(|written| {
        // Another process may have taken the name over in the moment before this one had locked it.
        if !is_same_file(&temporary, &file.metadata()?) {
            return Err(io::Error::from(io::ErrorKind::ResourceBusy).into());
        }
        fs::rename(&temporary, folder.join(name))?;
        File::open(folder)?.sync_all()?;
        Ok(written)
    });
    if written.is_err() && file.metadata().is_ok_and(|ours| is_same_file(&temporary, &ours)) {
        fs::remove_file(&temporary).ok();
    }
    written
}

/// The name under which a file is written.
pub(crate) fn part_name(name: &OsStr) -> OsString {
    let mut part = OsString::from(".");
    part.push(name);
    part.push(".part");
    part
}

/// A file for its owner alone, locked for as long as it is open, in the place of what a killed run has left.
pub(crate) fn create_part(temporary: &Path) -> io::Result<File> {
    if fs::symlink_metadata(temporary).is_ok_and(|found| found.is_file()) {
        lock(&File::open(temporary)?)?;
    }
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Never through a link that someone with a key to the folder has put there.
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(PRIVATE_FILE).open(temporary)?;
    lock(&file)?;
    // Whatever the umask.
    file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
    Ok(file)
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::new(io::ErrorKind::ResourceBusy, "another process is writing it"),
        TryLockError::Error(error) => error,
    })
}

fn write_part<T, E: From<io::Error>>(file: &File, write: impl FnOnce(&mut Synced) -> Result<T, E>) -> Result<T, E> {
    let mut out = Synced { file: BufWriter::with_capacity(BUFFER, file.try_clone()?), durable: true };
    let written = write(&mut out)?;
    out.flush()?;
    Ok(written)
}

/// Makes the folders that are missing, each for its owner alone and durable in the one above it. A folder that is there
/// and empty is made private too; one that holds something already is somebody's, and keeps its mode.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    if folder.is_dir() {
        return match fs::read_dir(folder)?.next() {
            None => tighten_folder(folder),
            Some(_) => Ok(()),
        };
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folders_above(above)?;
    DirBuilder::new().mode(PRIVATE_FOLDER).create(folder)?;
    tighten_folder(folder)?;
    File::open(above)?.sync_all()
}

fn make_folders_above(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { Ok(()) } else { make_folder(folder) }
}

/// Makes the name of a file in its folder durable.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn tighten_folder(folder: &Path) -> io::Result<()> {
    let mode = fs::metadata(folder)?.mode() & 0o777;
    if mode == PRIVATE_FOLDER { Ok(()) } else { fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER)) }
}

/// A file whose bytes are on the disk once it is flushed; or a pipe, which has no disk.
pub(crate) struct Synced {
    file: BufWriter<File>,
    durable: bool,
}

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if self.durable { self.file.get_ref().sync_all() } else { Ok(()) }
    }
}

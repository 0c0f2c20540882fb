//! Files that a command writes: private, whole or not there, and never in the place of something else.
//!
//! A file is written under another name beside its own (`.NAME.part`) and renamed once it is durable. It is for its
//! owner alone (0600), whatever the umask and whatever stood there before; folders made for it are too (0700). What a
//! killed run left behind is replaced by the next one. A pipe or a device is written to as it is; a link, and the
//! store that is being read, are never replaced, and another file only where that is asked for, also one that comes to
//! stand there while this one is written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use clap::Args;
use cpr_replika::Error;
use private_file::PartFile;

use crate::context::Globals;
use crate::failure::Failure;
use crate::progress::Meter;
use crate::screen::Screen;
use crate::visible;

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
            Target::Whole => write_whole(&self.output, self.force, |out| Ok(write(&mut meter.count(out))?)),
            Target::Stream(file) => buffered(&file, |out| Ok(write(&mut meter.count(out))?)),
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
            WriteError::File(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Failure::NotReplaced(visible::path(path), IS_THERE)
            }
            WriteError::File(error) => Failure::Writing(visible::path(path), error),
            WriteError::Engine(error) => error.into(),
        }
    }
}

/// Where an answer goes that the caller has named a file for.
#[derive(Debug)]
enum Target {
    /// A file of its own, in a folder that is there.
    Whole,
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
        path.file_name().ok_or(Failure::Usage("the file to write must have a name"))?;
        Ok(Target::Whole)
    }
}

const IS_THERE: &str = "a file is there already; --force replaces it";

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
        return refused(IS_THERE);
    }
    Ok(())
}

/// Writes `folder/name`, a file of the caller's choice of name: another that is there is replaced only by force.
pub(crate) fn write_new<T>(
    globals: &Globals,
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut Buffered<'_>) -> Result<T, WriteError>,
) -> Result<T, Failure> {
    let written = match Target::at(path, force, globals.named_store())? {
        Target::Whole => write_whole(path, force, write),
        Target::Stream(file) => buffered(&file, write),
    };
    written.map_err(|error| error.at(path))
}

fn is_same_file(path: &Path, found: &fs::Metadata) -> bool {
    fs::metadata(path).is_ok_and(|of| (of.dev(), of.ino()) == (found.dev(), found.ino()))
}

const BUFFER: usize = 1024 * 1024;

/// A file or a pipe that is being written.
pub(crate) type Buffered<'f> = BufWriter<&'f File>;

/// Writes a file in a folder that is there, in the place of another only by force. The folder is durable with the file.
fn write_whole<T, E: From<io::Error>>(
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut Buffered<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let part = PartFile::create(path)?;
    let written = buffered(part.file(), write)?;
    if force { part.publish() } else { part.publish_new() }?;
    Ok(written)
}

fn buffered<T, E: From<io::Error>>(file: &File, write: impl FnOnce(&mut Buffered<'_>) -> Result<T, E>) -> Result<T, E> {
    let mut out = BufWriter::with_capacity(BUFFER, file);
    let written = write(&mut out)?;
    out.flush()?;
    Ok(written)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_comes_to_stand_there_while_it_is_written_is_replaced_by_force_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("extract");
        let write = |force| {
            let written = write_whole(&path, force, |out| {
                fs::write(&path, "of another")?;
                Ok::<_, WriteError>(out.write_all(b"ours")?)
            });
            (written.map_err(|error| error.at(&path)), fs::read(&path).unwrap())
        };
        let (written, found) = write(false);
        assert!(matches!(written, Err(Failure::NotReplaced(_, IS_THERE))));
        assert_eq!(found, b"of another");
        let (written, found) = write(true);
        assert!(written.is_ok());
        assert_eq!(found, b"ours");
    }
}

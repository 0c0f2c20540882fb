//! The files of a night in folders: `FOLDER/SUBSCRIBER/DYYMMDD.LTASK`, each whole or not there, and for its owner
//! alone.
//!
//! A file is written as `.NAME.part` beside its own name, made durable, and renamed. What a killed run left is replaced
//! by the next one; a file that is there with other bytes is never replaced. Collecting the files is left to whoever
//! reads the folder.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use private_file::PartFile;

use super::{OutgoingFile, Sink};

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
        private_file::make_folder(&self.folder)?;
        let path = self.path_of(file);
        private_file::make_own_folder(private_file::folder_of(&path))?;
        write_whole(&path, write)
    }

    fn takes_empty_files(&self) -> bool {
        self.empty_files
    }
}

/// Writes a file, durable with its name; what is there with other bytes stays.
fn write_whole(path: &Path, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let part = PartFile::create(path)?;
    let mut out = BufWriter::with_capacity(BUFFER, part.file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    let found = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return part.publish_new(),
        found => found?,
    };
    match is_equal(found, File::open(part.part())?)? {
        true => part.publish(),
        false => Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file with other contents is there")),
    }
}

fn is_equal(mut one: File, mut other: File) -> io::Result<bool> {
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

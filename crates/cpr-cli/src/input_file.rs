//! Extracts that a command reads: a file, standard input as `-`, or a pipe.
//!
//! An extract is read more than once (checked whole, then taken), which a pipe cannot be: what comes from one is first
//! put away in a temporary file that has no name, so that only this process can read it and nothing is left of it
//! afterwards, however the process ends.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::visible;

/// The most that is taken from a pipe: more than five times the extract of the whole country.
pub(crate) const MOST_SPOOLED_BYTES: u64 = 64 << 30;

/// The most that is taken from a pipe whose first bytes are those of no extract, as from `/dev/zero`.
const MOST_OF_ANYTHING_BYTES: u64 = 1 << 20;

/// What every extract begins with: the start record.
const FIRST_RECORD: &[u8] = b"000";

/// An extract, open at its beginning.
#[derive(Debug)]
pub(crate) struct InputFile {
    pub(crate) file: File,
    /// How it is named in messages.
    pub(crate) shown: String,
    /// How it is named in the ledger.
    pub(crate) name: String,
    /// Where it is, unless it came through a pipe and is nowhere.
    pub(crate) path: Option<PathBuf>,
}

impl InputFile {
    pub(crate) fn open(path: &Path) -> Result<InputFile, Failure> {
        if path == Path::new("-") {
            let shown = "standard input".to_owned();
            let file = spool(&mut io::stdin().lock(), &shown, MOST_SPOOLED_BYTES)?;
            return Ok(InputFile { file, name: shown.clone(), shown, path: None });
        }
        let shown = visible::path(path);
        let failed = |error| Failure::Reading(shown.clone(), error);
        let mut file = File::open(path).map_err(failed)?;
        let kind = file.metadata().map_err(failed)?.file_type();
        if kind.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if kind.is_file() {
            return Ok(InputFile { file, shown, name, path: Some(path.to_owned()) });
        }
        let file = spool(&mut file, &shown, MOST_SPOOLED_BYTES)?;
        Ok(InputFile { file, shown, name, path: None })
    }

    /// A second handle at the beginning.
    pub(crate) fn reopen(&self) -> Result<File, Failure> {
        let again = self.file.try_clone().and_then(|mut file| file.rewind().map(|()| file));
        again.map_err(|error| Failure::Reading(self.shown.clone(), error))
    }
}

fn spool(from: &mut impl Read, shown: &str, most: u64) -> Result<File, Failure> {
    let kept = |error| Failure::Writing("a temporary file".to_owned(), error);
    let mut file = tempfile::tempfile().map_err(kept)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut bytes, mut start) = (0, Vec::<u8>::new());
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Reading(shown.to_owned(), error)),
        };
        bytes += read as u64;
        start.extend(buffer[..read].iter().take(FIRST_RECORD.len() - start.len()));
        if bytes > MOST_OF_ANYTHING_BYTES && start != FIRST_RECORD {
            let what = "it does not begin as an extract does, with record 000: after 1 MiB no more of it is read";
            return Err(Failure::Reading(shown.to_owned(), io::Error::new(io::ErrorKind::InvalidData, what)));
        }
        if bytes > most {
            let error = io::Error::new(io::ErrorKind::FileTooLarge, "more than 64 GiB come through the pipe");
            return Err(Failure::Reading(shown.to_owned(), error));
        }
        io::Write::write_all(&mut file, &buffer[..read]).map_err(kept)?;
    }
    file.rewind().map_err(kept)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::spool;

    #[test]
    fn no_more_than_the_limit_is_put_away() {
        assert!(spool(&mut &b"1234567890"[..], "a pipe", 10).is_ok());
        assert!(spool(&mut &b"12345678901"[..], "a pipe", 10).is_err());
    }
}

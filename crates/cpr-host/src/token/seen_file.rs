//! The memory of messages in a file, so that a restart forgets none of them: appended to and made durable before a
//! message is answered, written anew when most of it is over.
//!
//! Sixteen bytes say what the file is; then each message has forty: the second until which it is kept (eight bytes, the
//! highest first), and its key. An end that a power cut tore off is of a message that was not answered.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use private_file::PartFile;
use saml_token::{MessageKey, Seen, SeenMessages, Unavailable};

const HEAD: &[u8; 16] = b"replika seen 1\r\n";
const RECORD: usize = 40;
/// Records that are over and stay in the file until it is worth while to write it anew.
const SPARE: usize = 10_000;

/// The messages of the last minutes.
pub(super) struct SeenFile {
    open: Mutex<Open>,
}

struct Open {
    path: PathBuf,
    seen: Seen,
    file: Arc<File>,
    records: usize,
}

impl SeenFile {
    /// Opens the file, or makes it, for its owner alone. What is over is left out.
    ///
    /// # Errors
    /// `InvalidData` when something else stands there; those of the file system.
    pub(super) fn open(path: &Path, now: i64) -> io::Result<SeenFile> {
        let mut seen = Seen::default();
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(mut file) => drop(file.read_to_end(&mut bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => bytes.extend_from_slice(HEAD),
            Err(error) => return Err(error),
        }
        let records = bytes.strip_prefix(HEAD.as_slice()).ok_or(io::ErrorKind::InvalidData)?;
        for record in records.chunks_exact(RECORD) {
            let (until, key) = record.split_at(8);
            let until = i64::from_be_bytes(until.try_into().expect("eight bytes"));
            if until >= now {
                let key: MessageKey = key.try_into().expect("thirty-two bytes");
                seen.insert(key, until, now).map_err(io::Error::other)?;
            }
        }
        let (file, records) = write_anew(path, &seen)?;
        Ok(SeenFile { open: Mutex::new(Open { path: path.to_owned(), seen, file, records }) })
    }
}

impl SeenMessages for SeenFile {
    fn is_first(&self, key: &MessageKey, until: i64, now: i64) -> Result<bool, Unavailable> {
        let file = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if !open.seen.insert(*key, until, now)? {
                return Ok(false);
            }
            open.append(key, until, now).map_err(|_| Unavailable)?;
            open.file.clone()
        };
        // Beside the lock, so that messages that come at once are made durable at once.
        file.sync_data().map_err(|_| Unavailable)?;
        Ok(true)
    }
}

impl Open {
    /// A record that was written in part would put all that follow it out of step: the file is written anew then.
    fn append(&mut self, key: &MessageKey, until: i64, now: i64) -> io::Result<()> {
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&until.to_be_bytes());
        record[8..].copy_from_slice(key);
        let is_crowded = self.records > 2 * self.seen.len() + SPARE;
        if !is_crowded && (&*self.file).write_all(&record).is_ok() {
            self.records += 1;
            return Ok(());
        }
        self.seen.forget(now);
        (self.file, self.records) = write_anew(&self.path, &self.seen)?;
        Ok(())
    }
}

/// Writes the whole file, and opens it to append to.
fn write_anew(path: &Path, seen: &Seen) -> io::Result<(Arc<File>, usize)> {
    let mut bytes = HEAD.to_vec();
    for (key, until) in seen.keys() {
        bytes.extend_from_slice(&until.to_be_bytes());
        bytes.extend_from_slice(key);
    }
    let part = PartFile::create(path)?;
    part.file().write_all(&bytes)?;
    part.publish()?;
    Ok((Arc::new(OpenOptions::new().append(true).open(path)?), seen.len()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_restart_forgets_no_message_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        let seen = SeenFile::open(&path, 100).unwrap();
        assert_eq!((seen.is_first(&[1; 32], 200, 100), seen.is_first(&[1; 32], 200, 100)), (Ok(true), Ok(false)));
        assert_eq!(seen.is_first(&[2; 32], 150, 100), Ok(true));
        drop(seen);
        let seen = SeenFile::open(&path, 160).unwrap();
        assert_eq!((seen.is_first(&[1; 32], 200, 160), seen.is_first(&[2; 32], 300, 160)), (Ok(false), Ok(true)));
    }

    #[test]
    fn a_torn_end_is_passed_over_and_what_follows_is_in_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        SeenFile::open(&path, 0).unwrap().is_first(&[1; 32], 200, 0).unwrap();
        let whole = fs::read(&path).unwrap();
        for torn in 1..RECORD {
            fs::write(&path, [&whole[..], &[7; RECORD][..torn]].concat()).unwrap();
            SeenFile::open(&path, 0).unwrap().is_first(&[3; 32], 200, 0).unwrap();
            let seen = SeenFile::open(&path, 0).unwrap();
            assert_eq!((seen.is_first(&[1; 32], 200, 0), seen.is_first(&[3; 32], 200, 0)), (Ok(false), Ok(false)));
        }
    }

    #[test]
    fn another_file_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "a key").unwrap();
        assert_eq!(SeenFile::open(&path, 0).err().unwrap().kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read(&path).unwrap(), b"a key");
    }

    #[test]
    fn the_file_does_not_grow_with_what_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        let seen = SeenFile::open(&path, 0).unwrap();
        {
            let mut open = seen.open.lock().unwrap();
            open.records = SPARE + 3;
        }
        for second in 0..10 {
            seen.is_first(&[second as u8; 32], second, second).unwrap();
        }
        assert!(seen.open.lock().unwrap().records <= 10);
        assert_eq!(
            fs::metadata(&path).unwrap().len() as usize,
            HEAD.len() + RECORD * seen.open.lock().unwrap().records
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        SeenFile::open(&path, 0).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

//! A file that is read from a place of the reader's own.
//!
//! Of an extract the engine reads one line here and one there (the addresses that stand behind all persons): ten
//! million of a whole country. Going elsewhere is a number here, and no call of the system.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

/// A file, and the byte that is read next.
#[derive(Debug)]
pub(crate) struct PlacedFile {
    file: File,
    at: u64,
}

impl PlacedFile {
    /// Reads from the beginning, wherever the file stood.
    pub(crate) fn new(file: File) -> PlacedFile {
        PlacedFile { file, at: 0 }
    }
}

impl Read for PlacedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for PlacedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn it_reads_what_the_file_itself_reads_wherever_it_goes() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut placed = PlacedFile::new(file.try_clone().unwrap());
        file.rewind().unwrap();
        let places = [SeekFrom::Start(3), SeekFrom::Current(-1), SeekFrom::End(-2), SeekFrom::Current(5)];
        for to in places {
            assert_eq!(placed.seek(to).unwrap(), file.seek(to).unwrap());
            let (mut one, mut other) = ([0; 4], [0; 4]);
            assert_eq!(placed.read(&mut one).unwrap(), file.read(&mut other).unwrap());
            assert_eq!(one, other);
        }
        assert!(placed.seek(SeekFrom::Current(-100)).is_err() && placed.stream_position().unwrap() == 15);
    }
}

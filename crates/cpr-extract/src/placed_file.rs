//! A file that is read from a place of the reader's own.
//!
//! Of an extract [`crate::Groups`] reads one line here and one there (the addresses that stand behind all persons, in an
//! order of their own): ten million of a whole country. Going elsewhere is a number here, and no call of the system.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

/// A file, and the byte that is read next: what to hand over in the place of a [`File`] wherever an extract is read.
///
/// ```no_run
/// use std::fs::File;
///
/// use cpr_extract::{CheckOptions, Family, PlacedFile, Waive, check};
///
/// let family = Family::named("std").expect("a family");
/// let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 20, waive: Waive::default() };
/// let checked = check(PlacedFile::new(File::open("D260105.L123401")?), options)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PlacedFile {
    file: File,
    at: u64,
}

impl PlacedFile {
    /// Reads from the beginning, wherever the file stood; where it stands is left as it is.
    pub fn new(file: File) -> PlacedFile {
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
    use super::*;

    #[test]
    fn it_reads_what_the_file_itself_reads_wherever_it_goes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/layouts/families.csv");
        let (mut file, mut placed) = (File::open(path).unwrap(), PlacedFile::new(File::open(path).unwrap()));
        let places = [SeekFrom::Start(3), SeekFrom::Current(-1), SeekFrom::End(-2), SeekFrom::Current(5)];
        for to in places {
            assert_eq!(placed.seek(to).unwrap(), file.seek(to).unwrap());
            let (mut one, mut other) = ([0; 4], [0; 4]);
            assert_eq!(placed.read(&mut one).unwrap(), file.read(&mut other).unwrap());
            assert_eq!(one, other);
        }
        let at = file.stream_position().unwrap();
        assert!(placed.seek(SeekFrom::Current(-100_000)).is_err() && placed.stream_position().unwrap() == at);
    }
}

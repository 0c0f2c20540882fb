//! Persons put in the order of their pseudonyms without holding them all: they fall into buckets by the first bits, and
//! each bucket is sorted by itself.
//!
//! What no longer fits in memory goes to files without a name in the folder of the lake, which nobody else can open and
//! which are gone with the process. A nightly delivery stays in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// How many buckets there are: of ten million persons one takes some 60 MB.
pub(crate) const BUCKETS: usize = 64;

/// What one thread holds of a bucket before it goes to the file.
const FULL_BYTES: usize = 1024 * 1024;

/// The bucket of a pseudonym: by the first six of its 63 bits, so that buckets are in the order of pseudonyms.
pub(crate) fn bucket_of(pseudonym: i64) -> usize {
    (pseudonym >> 57) as usize & (BUCKETS - 1)
}

/// The buckets, filled by several threads, then emptied one after the other.
pub(crate) struct Buckets {
    folder: PathBuf,
    filled: [Mutex<Bucket>; BUCKETS],
}

#[derive(Default)]
struct Bucket {
    file: Option<File>,
    rest: Vec<u8>,
}

impl Buckets {
    pub(crate) fn new(folder: &Path) -> Buckets {
        Buckets { folder: folder.to_owned(), filled: std::array::from_fn(|_| Mutex::default()) }
    }

    /// What a thread adds through.
    pub(crate) fn filler(&self) -> Filler<'_> {
        Filler { of: self, held: std::array::from_fn(|_| Vec::new()) }
    }

    /// Everything in a bucket, which is empty afterwards.
    pub(crate) fn take(&self, at: usize) -> Result<Vec<u8>, Error> {
        let bucket = std::mem::take(&mut *self.filled[at].lock().unwrap_or_else(PoisonError::into_inner));
        let Some(mut file) = bucket.file else { return Ok(bucket.rest) };
        let mut read = || -> io::Result<Vec<u8>> {
            let length = file.seek(SeekFrom::End(0))? as usize;
            let mut bytes = Vec::with_capacity(length + bucket.rest.len());
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let mut bytes = read().map_err(Error::Temporary)?;
        bytes.extend_from_slice(&bucket.rest);
        Ok(bytes)
    }

    fn spill(&self, at: usize, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let mut bucket = self.filled[at].lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut bucket.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder).map_err(Error::Temporary)?),
        };
        file.write_all(bytes).map_err(Error::Temporary)?;
        bytes.clear();
        Ok(())
    }
}

/// Adds to the buckets for one thread.
pub(crate) struct Filler<'b> {
    of: &'b Buckets,
    held: [Vec<u8>; BUCKETS],
}

impl Filler<'_> {
    /// Lets `add` write to the bucket of a pseudonym.
    pub(crate) fn add<T>(&mut self, pseudonym: i64, add: impl FnOnce(&mut Vec<u8>) -> T) -> Result<T, Error> {
        let at = bucket_of(pseudonym);
        let added = add(&mut self.held[at]);
        if self.held[at].len() >= FULL_BYTES {
            self.of.spill(at, &mut self.held[at])?;
        }
        Ok(added)
    }

    /// Hands over what is left.
    pub(crate) fn finish(self) {
        for (bucket, held) in self.of.filled.iter().zip(self.held) {
            bucket.lock().unwrap_or_else(PoisonError::into_inner).rest.extend(held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_through_a_file_comes_back_whole_beside_what_did_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let buckets = Buckets::new(folder.path());
        let mut filler = buckets.filler();
        let (low, high) = (1_i64, i64::MAX);
        filler.add(high, |bytes| bytes.extend(vec![7; FULL_BYTES])).expect("room");
        filler.add(high, |bytes| bytes.push(8)).expect("room");
        filler.add(low, |bytes| bytes.push(9)).expect("room");
        filler.finish();
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "files have no name");
        let high = buckets.take(bucket_of(high)).expect("whole");
        assert_eq!((high.len(), high.last()), (FULL_BYTES + 1, Some(&8)));
        assert_eq!(buckets.take(bucket_of(low)).expect("whole"), [9]);
        assert_eq!((bucket_of(i64::MAX), bucket_of(1)), (BUCKETS - 1, 0));
    }
}

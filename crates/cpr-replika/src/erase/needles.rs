//! Stored documents and pasts by how they begin, looked for in the blocks of a file.
//!
//! A sealed section begins with a header that holds its length and a checksum over row and payload: with the first
//! bytes of the payload that is told apart from any other. A section is therefore found by its beginning, wherever it
//! stands.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use rustc_hash::FxBuildHasher;

/// Bytes that are looked through at a time.
const BLOCK: u64 = 4096;
/// Bytes by which a section is known: its header, and as many of the payload.
const NEEDLE: usize = 24;
/// Bytes of a header that few sections differ in.
const HEAD: usize = 4;
/// Where length and checksum stand in a header: no two sections have both.
const TELLING: std::ops::Range<usize> = 4..12;

/// What is looked for, and what was found.
#[derive(Default)]
pub(crate) struct Needles {
    /// How those that are looked for begin: schema and number of sections, so there are few.
    heads: Vec<[u8; HEAD]>,
    known: HashMap<u64, HashSet<[u8; NEEDLE], FxBuildHasher>, FxBuildHasher>,
    /// How many sections are looked for.
    pub(crate) sought: u64,
    /// The end of the block before, and the block.
    seen: Vec<u8>,
    /// Blocks looked through.
    pub(crate) blocks: u64,
    /// Places where one was found.
    pub(crate) found: u64,
}

impl Needles {
    /// Looks for a stored value from now on: for each of its sections.
    pub(crate) fn add(&mut self, value: &[u8]) {
        for section in [value, crate::store::sealed::after_first(value)] {
            let Some(needle) = section.first_chunk::<NEEDLE>() else { continue };
            self.sought += 1;
            let head = needle.first_chunk().expect("a needle is longer");
            if !self.heads.contains(head) {
                self.heads.push(*head);
            }
            self.known.entry(telling(needle)).or_default().insert(*needle);
        }
    }

    /// Looks through a file, block by block.
    pub(crate) fn look_through(&mut self, file: &Path) -> io::Result<()> {
        self.seen.clear();
        let mut file = BufReader::with_capacity(1 << 20, File::open(file)?);
        let mut block = Vec::with_capacity(BLOCK as usize);
        while file.by_ref().take(BLOCK).read_to_end(&mut block)? > 0 {
            self.look(&block);
            block.clear();
        }
        self.seen.clear();
        Ok(())
    }

    /// Looks through the next block of a file.
    pub(crate) fn look(&mut self, block: &[u8]) {
        self.blocks += 1;
        let kept = self.seen.len().min(NEEDLE - 1);
        self.seen.drain(..self.seen.len() - kept);
        self.seen.extend_from_slice(block);
        for window in self.seen.windows(NEEDLE) {
            let Some(window) = window.first_chunk::<NEEDLE>() else { continue };
            if !self.heads.iter().any(|head| window.starts_with(head)) {
                continue;
            }
            if self.known.get(&telling(window)).is_some_and(|needles| needles.contains(window)) {
                self.found += 1;
            }
        }
    }
}

fn telling(needle: &[u8; NEEDLE]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&needle[TELLING]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sealed::{seal, seal_second};

    #[test]
    fn a_section_is_found_wherever_it_stands_also_across_two_blocks() {
        let (mut value, mut other) = (Vec::new(), Vec::new());
        seal((7, 0), b"a document of some length, made up", &mut value);
        seal_second((7, u32::MAX), b"a past of some length, made up too", &mut value);
        seal((8, 0), b"a document of some length, made up", &mut other);
        let mut needles = Needles::default();
        needles.add(&value);
        assert_eq!(needles.sought, 2);
        for at in [0, 1, 100, 4090, 4096 - 12, 5000] {
            let mut file = vec![0u8; 3 * 4096];
            file[at..at + value.len()].copy_from_slice(&value);
            needles.found = 0;
            file.chunks(4096).for_each(|block| needles.look(block));
            assert_eq!(needles.found, 2, "at {at}");
        }
        needles.found = 0;
        needles.look(&other);
        assert_eq!(needles.found, 0, "equal text of another person");
    }
}

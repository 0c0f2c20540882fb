//! Persons who stand in a file more than once. CPR's guide announces it for a number that was deleted as a double
//! (P02), to customers who have both numbers: groups that are equal are one person. Whether they are takes another
//! reading, which only a file with such persons pays for.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use cpr_model::PersonKey;
use twox_hash::XxHash3_128;

use crate::family::Family;
use crate::fault::Fault;
use crate::lines::{Lines, What};
use crate::record::{key_digits, key_of};
use crate::source::Checksums;

/// A later 001 of a person.
#[derive(Clone, Copy)]
pub(crate) struct Repeated {
    pub(crate) key: u32,
    /// What it is when the groups are not equal.
    pub(crate) fault: Fault,
}

/// What the second reading finds about repeated persons.
pub(crate) struct Comparison {
    persons: HashMap<u32, Compared>,
    /// The group that is read, when it is of one of them.
    open: Option<(u32, [u8; 10])>,
    /// Its lines, each after its length.
    lines: Vec<u8>,
}

/// What one person's groups have in common.
#[derive(Clone, Copy, Default)]
struct Compared {
    first_group: Option<u128>,
    first_formatted: Option<u128>,
    is_unequal: bool,
    /// A 003 stands in the first group.
    has_formatted: bool,
}

impl Comparison {
    /// Reads the file again. Groups are equal line by line and byte by byte, and so are all 003 of the person, in the
    /// groups or behind all persons.
    pub(crate) fn read(
        mut source: impl Read + Seek,
        family: &'static Family,
        ignored: &[u16],
        checksums: &[u64],
        repeated: &[Repeated],
    ) -> io::Result<Comparison> {
        source.seek(SeekFrom::Start(0))?;
        let mut lines = Lines::new(source, family, ignored, Checksums::Compared(checksums));
        let persons = repeated.iter().map(|repeated| (repeated.key, Compared::default())).collect();
        let mut comparison = Comparison { persons, open: None, lines: Vec::new() };
        while let Some(line) = lines.next_line()? {
            let What::Record(layout) = line.what else { continue };
            let key = if layout.has_key { key_of(line.bytes).map(PersonKey::as_u32) } else { None };
            if layout.opens_person() {
                comparison.close();
                let key = key.filter(|key| comparison.persons.contains_key(key));
                comparison.open = key.zip(key_digits(line.bytes));
            }
            if layout.is_formatted_address() {
                comparison.formatted(key, line.bytes);
            } else if comparison.open.is_some_and(|(_, digits)| key_digits(line.bytes) == Some(digits)) {
                comparison.lines.extend_from_slice(&line.bytes.len().to_le_bytes());
                comparison.lines.extend_from_slice(line.bytes);
            }
        }
        comparison.close();
        Ok(comparison)
    }

    /// True when the groups of this person are not all the same.
    pub(crate) fn is_unequal(&self, key: u32) -> bool {
        self.persons.get(&key).is_some_and(|compared| compared.is_unequal)
    }

    /// True when the 003 stands in the first group, so that none behind belongs to it.
    pub(crate) fn has_formatted(&self, key: u32) -> bool {
        self.persons.get(&key).is_some_and(|compared| compared.has_formatted)
    }

    fn formatted(&mut self, key: Option<u32>, line: &[u8]) {
        let Some((key, compared)) = key.and_then(|key| Some((key, self.persons.get_mut(&key)?))) else {
            // Somebody else's: from here on rows stand behind.
            self.close();
            return;
        };
        let digest = XxHash3_128::oneshot(line);
        compared.is_unequal |= *compared.first_formatted.get_or_insert(digest) != digest;
        let is_in_group = self.open.is_some_and(|(open, _)| open == key);
        compared.has_formatted |= is_in_group && compared.first_group.is_none();
    }

    fn close(&mut self) {
        let Some((key, _)) = self.open.take() else { return };
        let digest = XxHash3_128::oneshot(&self.lines);
        self.lines.clear();
        if let Some(compared) = self.persons.get_mut(&key) {
            compared.is_unequal |= *compared.first_group.get_or_insert(digest) != digest;
        }
    }
}

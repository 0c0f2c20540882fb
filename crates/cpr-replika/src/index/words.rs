//! The words of names: who bears or bore a word in a name, as known now.
//!
//! The words of a person are the folded words ([`cpr_model::Folder`]) of given, middle and surname and of the
//! addressing name, in the name records and in 003. With each person stand the parts of the name that have
//! the word in current rows, and those in historic ones; marked rows never were true and count for nothing. A row holds
//! the persons of one word whose numbers are of the same sixteen years, so that a delivery rewrites little however
//! common a name is; who only moves changes no row.

use std::collections::HashMap;
use std::ops::{ControlFlow, RangeInclusive};

use cpr_model::{Aspect, CurrentRows, Field, Folder, Value};
use redb::WriteTransaction;
use rustc_hash::FxBuildHasher;

use crate::error::Error;
use crate::index::collected::Collected;
use crate::index::distances;
use crate::index::keys::{YEARS_OF_WORDS, year_of};
use crate::index::name_part::NamePart;
use crate::store::sealed;
use crate::store::tables::{Tables, WORDS, WordKey, name};

/// A person under a word: the key, and in the lowest byte where the word stands, see [`bits`].
pub(crate) type Entry = u64;

/// Where a word stands: the bits of parts of current names, and four higher those of former ones.
pub(crate) fn bits(part: NamePart) -> u8 {
    match part {
        NamePart::Given => 1,
        NamePart::Middle => 2,
        NamePart::Surname => 4,
        NamePart::Addressing => 8,
        NamePart::Any => 15,
    }
}

/// How far the bits of former names stand from those of current ones.
pub(crate) const FORMER: u8 = 4;

/// The person of an entry.
pub(crate) fn key_of(entry: Entry) -> u32 {
    (entry >> 8) as u32
}

/// The part of a word's rows that persons of these years stand in.
pub(crate) fn chunks(years: RangeInclusive<u16>) -> RangeInclusive<u8> {
    let chunk = |year: u16| (year / YEARS_OF_WORDS).min(u8::MAX.into()) as u8;
    chunk(*years.start())..=chunk(*years.end())
}

fn chunk_of(entry: Entry) -> u8 {
    (year_of(key_of(entry)) / YEARS_OF_WORDS) as u8
}

/// Calls `name` with every text of a name that counts, and the bit of where it stands. A current name beside the one
/// that counts is a former one.
fn names<'a>(rows: &CurrentRows<'a>, mut name: impl FnMut(u8, &'a [u8])) {
    for fact in rows.facts() {
        match fact.aspect() {
            Aspect::Name if fact.mark().is_none() => {
                let shift = if rows.is_answer(fact) { 0 } else { FORMER };
                for (field, value) in fact.values().iter() {
                    let part = match field {
                        Field::GivenNames => NamePart::Given,
                        Field::MiddleNames => NamePart::Middle,
                        Field::Surname => NamePart::Surname,
                        Field::AddressingName => NamePart::Addressing,
                        _ => continue,
                    };
                    if let Value::Text(text) = value {
                        name(bits(part) << shift, text.latin1());
                    }
                }
            }
            Aspect::FormattedAddress if rows.is_answer(fact) => {
                name(bits(NamePart::Addressing), fact.values().text(Field::AddressingName).latin1());
            }
            _ => {}
        }
    }
}

/// Reads the words of a person, sorted, each once: what `id` makes of the word, less than 2^56, and in the lowest byte
/// all places where it stands.
fn read_words(rows: &CurrentRows<'_>, folder: &mut Folder, words: &mut Vec<u64>, mut id: impl FnMut(&[u8]) -> u64) {
    words.clear();
    // The addressing name stands in the name record and in 003, mostly the same.
    let mut last: (u8, &[u8]) = (0, &[]);
    names(rows, |bit, text| {
        if last == (bit, text) {
            return;
        }
        last = (bit, text);
        folder.words(text, |word| words.push(id(word) << 8 | u64::from(bit)));
    });
    words.sort_unstable();
    words.dedup_by(|again, word| {
        let same = *again >> 8 == *word >> 8;
        *word |= if same { *again & 0xFF } else { 0 };
        same
    });
}

/// Reads of stored persons what rows they stand in.
#[derive(Default)]
pub(crate) struct WordReader {
    folder: Folder,
    words: Vec<u64>,
}

impl WordReader {
    /// Calls `each` with the rows and entries of a person; `id` makes a number below 2^56 of a word, which stands for
    /// it.
    pub(crate) fn read(
        &mut self,
        key: u32,
        person: &CurrentRows<'_>,
        id: impl FnMut(&[u8]) -> u64,
        mut each: impl FnMut((u64, u8), Entry),
    ) {
        read_words(person, &mut self.folder, &mut self.words, id);
        for word in &self.words {
            let entry = u64::from(key) << 8 | word & 0xFF;
            each((word >> 8, chunk_of(entry)), entry);
        }
    }
}

/// The persons who came under a word and went from it.
#[derive(Default)]
struct Changes {
    added: Collected,
    removed: Vec<Entry>,
}

/// The changes that a delivery makes to the words, collected person by person and written once.
#[derive(Default)]
pub(crate) struct Words {
    ids: HashMap<Box<[u8]>, u32, FxBuildHasher>,
    /// By number of the word.
    changes: Vec<Changes>,
    folder: Folder,
    /// Words of one person: number, and in the lowest byte where the word stands.
    before: Vec<u64>,
    after: Vec<u64>,
    /// Names as they stand, to see that nothing changed without folding them.
    names_before: Vec<u8>,
    names_after: Vec<u8>,
}

impl Words {
    /// Collects what words a person comes under after a delivery, and no longer; who is not held has no facts.
    pub(crate) fn change(&mut self, key: u32, before: &CurrentRows<'_>, after: &CurrentRows<'_>) {
        self.before.clear();
        if !before.is_empty() {
            self.names_before.clear();
            self.names_after.clear();
            names(before, |bit, text| write_name(&mut self.names_before, bit, text));
            names(after, |bit, text| write_name(&mut self.names_after, bit, text));
            if self.names_before == self.names_after {
                return;
            }
            self.read(before);
            std::mem::swap(&mut self.before, &mut self.after);
        }
        self.read(after);
        self.collect_changes(key);
    }

    /// How often a person comes under a word, or goes from it.
    pub(crate) fn count(&self) -> usize {
        self.changes.iter().map(|changes| changes.added.len() + changes.removed.len()).sum()
    }

    /// Reads the words of a person into `after`, by their numbers.
    fn read(&mut self, rows: &CurrentRows<'_>) {
        let Words { ids, changes, folder, after, .. } = self;
        read_words(rows, folder, after, |word| match ids.get(word) {
            Some(id) => u64::from(*id),
            None => {
                let id = changes.len() as u32;
                ids.insert(word.into(), id);
                changes.push(Changes::default());
                id.into()
            }
        });
    }

    fn collect_changes(&mut self, key: u32) {
        let Words { changes, before, after, .. } = self;
        let entry = |word: u64| ((word >> 8) as usize, u64::from(key) << 8 | word & 0xFF);
        for &word in after.iter().filter(|word| before.binary_search(word).is_err()) {
            let (id, entry) = entry(word);
            changes[id].added.push(entry);
        }
        for &word in before.iter().filter(|word| after.binary_search(word).is_err()) {
            let (id, entry) = entry(word);
            changes[id].removed.push(entry);
        }
    }

    /// Writes every row that changes, in the order of their keys, over those of the state before.
    pub(crate) fn write(self, write: &WriteTransaction, before: Option<&Tables>) -> Result<(), Error> {
        let mut table = write.open_table(WORDS)?;
        let held = before.map(|tables| &tables.words);
        let (mut payload, mut sealed, mut entries, mut added) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (word, changes) in self.sorted() {
            changes.added.sort_into(&mut added);
            for (chunk, came, went) in chunks_of(&added, &changes.removed) {
                entries.clear();
                let mut change = Change { came, went };
                if let Some(stored) = held.map(|held| held.get((&*word, chunk))).transpose()?.flatten() {
                    read_row((&word, chunk), stored.value(), |entry| change.pass(entry, &mut entries))?;
                }
                entries.extend_from_slice(change.came);
                if entries.is_empty() {
                    table.remove((&*word, chunk))?;
                    continue;
                }
                payload.clear();
                distances::write(entries.iter().copied(), &mut payload);
                sealed::seal(sealing((&word, chunk)), &payload, &mut sealed);
                table.insert((&*word, chunk), sealed.as_slice())?;
            }
        }
        Ok(())
    }

    /// Words that have changes, in their order, with the changes in theirs.
    fn sorted(mut self) -> Vec<(Box<[u8]>, Changes)> {
        let mut words = Vec::with_capacity(self.ids.len());
        for (word, id) in self.ids {
            let mut changes = std::mem::take(&mut self.changes[id as usize]);
            if changes.added.is_empty() && changes.removed.is_empty() {
                continue;
            }
            changes.removed.sort_unstable();
            words.push((word, changes));
        }
        words.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        words
    }
}

/// What comes to a row and goes from it, as far as the row has not passed it, both ascending.
struct Change<'e> {
    came: &'e [Entry],
    went: &'e [Entry],
}

impl Change<'_> {
    /// Takes the next entry of a row over, unless it goes, behind those that came before it.
    fn pass(&mut self, entry: Entry, entries: &mut Vec<Entry>) {
        while let Some((&first, rest)) = self.came.split_first()
            && first < entry
        {
            entries.push(first);
            self.came = rest;
        }
        while let Some((&first, rest)) = self.went.split_first()
            && first <= entry
        {
            self.went = rest;
            if first == entry {
                return;
            }
        }
        entries.push(entry);
    }
}

/// The changes of each chunk that has any, of what came and what went, both ascending.
fn chunks_of<'e>(mut came: &'e [Entry], mut went: &'e [Entry]) -> impl Iterator<Item = (u8, &'e [Entry], &'e [Entry])> {
    std::iter::from_fn(move || {
        let chunk = came.first().into_iter().chain(went.first()).map(|&entry| chunk_of(entry)).min()?;
        let cut = |entries: &[Entry]| entries.partition_point(|&entry| chunk_of(entry) == chunk);
        let (added_here, added_after) = came.split_at(cut(came));
        let (removed_here, removed_after) = went.split_at(cut(went));
        (came, went) = (added_after, removed_after);
        Some((chunk, added_here, removed_here))
    })
}

/// A name so that different ones never look the same end to end.
fn write_name(names: &mut Vec<u8>, bit: u8, text: &[u8]) {
    names.extend([bit, u8::try_from(text.len()).expect("no text of a record has more than 255 bytes")]);
    names.extend_from_slice(text);
}

/// A row of these entries in its seal; none when there are none.
pub(crate) fn seal_row(key: WordKey<'_>, entries: &[Entry]) -> Option<Vec<u8>> {
    if entries.is_empty() {
        return None;
    }
    let (mut payload, mut sealed) = (Vec::new(), Vec::new());
    distances::write(entries.iter().copied(), &mut payload);
    sealed::seal(sealing(key), &payload, &mut sealed);
    Some(sealed)
}

/// Calls `each` with the entries of a stored row, ascending.
pub(crate) fn read_row(key: WordKey<'_>, sealed: &[u8], each: impl FnMut(Entry)) -> Result<(), Error> {
    let payload = sealed::open(name::WORDS, sealing(key), sealed)?;
    distances::read(payload, 40, each).map_err(|what| Error::Corrupt { table: name::WORDS, what })
}

/// As [`read_row`], for as long as `each` wants more of them.
pub(crate) fn read_row_while(
    key: WordKey<'_>,
    sealed: &[u8],
    each: impl FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), Error> {
    let payload = sealed::open(name::WORDS, sealing(key), sealed)?;
    distances::read_while(payload, 40, each).map_err(|what| Error::Corrupt { table: name::WORDS, what })
}

/// What the checksum of a row starts from.
fn sealing((word, chunk): WordKey<'_>) -> sealed::Row {
    (crc32fast::hash(word), u32::from(chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_stands_in_its_order_and_what_goes_is_left_out() {
        let changed = |row: &[Entry], came: &[Entry], went: &[Entry]| {
            let (mut change, mut entries) = (Change { came, went }, Vec::new());
            row.iter().for_each(|&entry| change.pass(entry, &mut entries));
            entries.extend_from_slice(change.came);
            entries
        };
        assert_eq!(changed(&[2, 4, 6], &[1, 3, 7], &[4]), [1, 2, 3, 6, 7]);
        assert_eq!(changed(&[2, 4, 6], &[], &[1, 2, 3, 6, 9]), [4]);
        // Another part of the name: the same person goes with one entry and comes with another.
        assert_eq!(changed(&[0x101, 0x201], &[0x104, 0x204], &[0x101, 0x201]), [0x104, 0x204]);
        assert_eq!(changed(&[], &[5], &[4]), [5]);
    }
}

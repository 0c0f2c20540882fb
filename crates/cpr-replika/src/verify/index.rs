//! Rechecks what persons are found by, the words of names and the sets, against the documents.
//!
//! The index of a country takes gigabytes to build a second time. So what the documents call for and what the rows hold
//! are each added up, entry by entry and in any order, and the sums are compared. Only where they differ are rows built
//! and compared one by one: those of the parts that differ.

use std::collections::HashMap;

use cpr_model::{CurrentRows, PersonKey};
use rustc_hash::FxBuildHasher;
use twox_hash::XxHash3_128;

use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::left_out;
use crate::index::sets::{Row, Term, each_entry};
use crate::index::words::{WordReader, read_row};
use crate::snapshot::Snapshot;
use crate::store::tables::{RowKey, name};
use crate::verify::{Known, VerifyReport};

/// Into how many parts the rows of a table are put.
const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 12;

/// The two tables, as positions.
const WORDS: usize = 0;
const SETS: usize = 1;
const NAMES: [&str; 2] = [name::WORDS, name::SETS];

/// Tells rows and entries as numbers; the seed is new for each verification, so that nobody can make up rows whose
/// numbers are alike.
#[derive(Clone, Copy)]
struct Numbering(u64);

impl Numbering {
    fn number(self, bytes: &[u8]) -> u128 {
        XxHash3_128::oneshot_with_seed(self.0, bytes)
    }

    /// Of a word; less than 2^56.
    fn word(self, word: &[u8]) -> u64 {
        self.number(word) as u64 >> 8
    }

    fn row_of_words(self, (word, chunk): (u64, u8)) -> u64 {
        (word << 8 | u64::from(chunk)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn row_of_sets(self, (kind, value, year): RowKey) -> u64 {
        let key = u64::from(kind) << 48 | u64::from(value) << 16 | u64::from(year);
        self.number(&key.to_le_bytes()) as u64
    }
}

/// The sums over the entries of a table, a part of the rows at a time.
struct Sums {
    numbering: Numbering,
    parts: Vec<u128>,
}

impl Sums {
    fn new(numbering: Numbering) -> Sums {
        Sums { numbering, parts: vec![0; PARTS] }
    }

    #[inline]
    fn add(&mut self, row: u64, entry: u64) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&row.to_le_bytes());
        bytes[8..].copy_from_slice(&entry.to_le_bytes());
        let part = &mut self.parts[part_of(row)];
        *part = part.wrapping_add(self.numbering.number(&bytes));
    }

    /// Makes the part of a row differ.
    fn spoil(&mut self, row: u64) {
        let part = &mut self.parts[part_of(row)];
        *part = part.wrapping_add(1);
    }

    /// The parts in which the sums differ; none when there are none.
    fn differing(&self, other: &Sums) -> Option<Vec<bool>> {
        let differing: Vec<bool> = self.parts.iter().zip(&other.parts).map(|(one, other)| one != other).collect();
        differing.contains(&true).then_some(differing)
    }
}

fn part_of(row: u64) -> usize {
    (row >> (u64::BITS - PART_BITS)) as usize
}

/// What the documents call for, added up.
pub(super) struct IndexOfDocuments {
    reader: EntryReader,
    sums: [Sums; 2],
}

impl IndexOfDocuments {
    /// With the sets that rows of this state have.
    pub(super) fn new(snapshot: &Snapshot) -> Result<IndexOfDocuments, Error> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|error| Error::Random(error.into()))?;
        let numbering = Numbering(u64::from_le_bytes(seed));
        let sums = [Sums::new(numbering), Sums::new(numbering)];
        let without = (!snapshot.has_protection_ends()).then_some(SetKind::ProtectionEnd as u8);
        let reader = EntryReader { numbering, words: WordReader::default(), terms: Vec::new(), without };
        Ok(IndexOfDocuments { reader, sums })
    }

    pub(super) fn add(&mut self, key: PersonKey, person: &CurrentRows<'_>) {
        let IndexOfDocuments { reader, sums } = self;
        reader.read(key, person, |table, row, entry| sums[table].add(row, entry));
    }
}

/// Reads which entries a person has in which rows of the two tables.
struct EntryReader {
    numbering: Numbering,
    words: WordReader,
    terms: Vec<Term>,
    /// The kind of sets that the format of the rows does not have.
    without: Option<u8>,
}

impl EntryReader {
    fn read(&mut self, key: PersonKey, person: &CurrentRows<'_>, mut each: impl FnMut(usize, u64, u64)) {
        let (numbering, without) = (self.numbering, self.without);
        each_entry(key, person, &mut self.terms, |row, entry| {
            if Some(row.0) != without {
                each(SETS, numbering.row_of_sets(row), number_of(entry));
            }
        });
        self.words.read(
            key.as_u32(),
            person,
            |word| numbering.word(word),
            |row, entry| each(WORDS, numbering.row_of_words(row), entry),
        );
    }
}

/// The entry of a set as a number.
fn number_of((house, key): (u32, u32)) -> u64 {
    u64::from(house) << 32 | u64::from(key)
}

/// Takes a row and what is in it, in the order in which it stands there.
type EachRow<'e> = &'e mut dyn FnMut(u64, Result<&[u64], Error>) -> Result<(), Error>;

impl Snapshot {
    /// Every row of the two tables is what the documents say, and there is no other.
    pub(super) fn verify_index(&self, report: &mut VerifyReport, index: IndexOfDocuments) -> Result<(), Error> {
        let IndexOfDocuments { mut reader, sums } = index;
        for (table, documents) in sums.iter().enumerate() {
            let verified = self.verify_rows_of_index(report, &mut reader, table, documents);
            report.sound(verified)?;
        }
        Ok(())
    }

    /// Without all documents, rows can only be opened.
    pub(super) fn open_index(&self, report: &mut VerifyReport) -> Result<(), Error> {
        for table in [WORDS, SETS] {
            let opened =
                self.each_row_of_index(table, Numbering(0), &mut |_, entries| report.sound(entries).map(|_| ()));
            report.sound(opened)?;
        }
        Ok(())
    }

    fn verify_rows_of_index(
        &self,
        report: &mut VerifyReport,
        reader: &mut EntryReader,
        table: usize,
        documents: &Sums,
    ) -> Result<(), Error> {
        let numbering = reader.numbering;
        let mut found = Sums::new(numbering);
        self.each_row_of_index(table, numbering, &mut |row, entries| {
            let Some(entries) = report.sound(entries)? else {
                found.spoil(row);
                return Ok(());
            };
            if entries.is_empty() || !entries.is_sorted_by(|one, next| one < next) {
                found.spoil(row);
            }
            entries.iter().for_each(|&entry| found.add(row, entry));
            Ok(())
        })?;
        match documents.differing(&found) {
            None => Ok(()),
            Some(parts) => self.compare_rows_of_index(report, reader, table, &parts),
        }
    }

    /// Tells each row of these parts that is not as the documents say.
    fn compare_rows_of_index(
        &self,
        report: &mut VerifyReport,
        reader: &mut EntryReader,
        table: usize,
        parts: &[bool],
    ) -> Result<(), Error> {
        let mut expected: HashMap<u64, Vec<u64>, FxBuildHasher> = HashMap::default();
        for row in self.tables().persons.range::<u32>(..)? {
            let (key, sealed) = row?;
            let Some(key) = PersonKey::from_u32(key.value()) else { continue };
            // What does not open has been told.
            let Ok(person) = crate::person::image::Person::open(key.as_u32(), sealed) else { continue };
            reader.read(key, &CurrentRows::read(person.archived().facts(), None), |of, row, entry| {
                if of == table && parts[part_of(row)] {
                    expected.entry(row).or_default().push(entry);
                }
            });
        }
        self.each_row_of_index(table, reader.numbering, &mut |row, entries| {
            if !parts[part_of(row)] {
                return Ok(());
            }
            let expected = expected.remove(&row);
            let Ok(found) = entries else { return Ok(()) };
            let Some(mut expected) = expected else {
                report.fault(NAMES[table], "a row that no document calls for");
                return Ok(());
            };
            expected.sort_unstable();
            report.expect(found == expected, NAMES[table], "a row that is not what the documents say");
            Ok(())
        })?;
        expected.iter().for_each(|_| report.fault(NAMES[table], "a row is missing"));
        Ok(())
    }

    fn each_row_of_index(&self, table: usize, numbering: Numbering, each: EachRow<'_>) -> Result<(), Error> {
        let mut entries = Vec::new();
        if table == WORDS {
            for row in self.tables().words.iter()? {
                let (key, sealed) = row?;
                let (word, chunk) = key.value();
                entries.clear();
                let read = read_row((word, chunk), sealed.value(), |entry| entries.push(entry));
                each(numbering.row_of_words((numbering.word(word), chunk)), read.map(|()| &*entries))?;
            }
            return Ok(());
        }
        for row in self.tables().sets.iter()? {
            let (key, sealed) = row?;
            let key = key.value();
            if key.0 == left_out::KIND {
                continue;
            }
            entries.clear();
            let read = Row::open(key, sealed.value()).map(|row| entries.extend(row.entries().map(number_of)));
            each(numbering.row_of_sets(key), read.map(|()| &*entries))?;
        }
        Ok(())
    }

    /// Numbers that were left out stand in their rows, and nobody of them is held.
    pub(super) fn verify_left_out(&self, report: &mut VerifyReport, known: &Known) -> Result<(), Error> {
        for row in self.tables().sets.range((left_out::KIND, 0, 0)..=(left_out::KIND, u32::MAX, u16::MAX))? {
            let (key, sealed) = row?;
            let Some(Row::Set(numbers)) = report.sound(Row::open(key.value(), sealed.value()))? else { continue };
            let is_held = known.held.as_ref().is_some_and(|held| !numbers.is_disjoint(held));
            report.expect(!is_held, name::SETS, "a number left out that is held");
            let is_of_row = |number| left_out::row_of(number) == key.value() && PersonKey::from_u32(number).is_some();
            report.expect(!numbers.is_empty() && numbers.iter().all(is_of_row), name::SETS, "no number of its row");
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;

//! Rows on their way from one store to another: asked about, written, counted and digested.
//!
//! [`super::tables::Tables`] goes through its tables and hands each to a [`Copier`], or to a [`Digester`] that only
//! reads.

use std::hash::Hasher;
use std::ops::Bound;

use redb::{Key, MultimapTableDefinition, TableDefinition};
use twox_hash::XxHash3_64;

use super::column::Column;
use super::guard::Guard;
use super::read_table::{Many, One};
use super::staged_write::StagedWrite;
use crate::error::Error;

/// Rows between two calls of whoever wants to know how far it is.
const ROWS_A_REPORT: u64 = 4096;

/// Rows that are written before a stage may end.
const ROWS_A_TURN: usize = 4096;

/// Called with the rows so far; an error ends the work.
pub(super) type Tell<'a> = dyn FnMut(u64) -> Result<(), Error> + 'a;

/// What becomes of one row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Keep,
    Drop,
    /// The value, as the table stores it.
    Replace(Vec<u8>),
}

/// How many rows a sequence of tables has, and a hash of what they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct RowDigest {
    tables: Vec<(&'static str, u64, u64)>,
}

impl RowDigest {
    /// The rows of all tables.
    pub(super) fn rows(&self) -> u64 {
        self.tables.iter().map(|&(_, rows, _)| rows).sum()
    }

    fn add(&mut self, table: &'static str, digest: TableDigest) {
        self.tables.push((table, digest.rows, digest.hasher.finish()));
    }
}

#[derive(Default)]
struct TableDigest {
    rows: u64,
    hasher: XxHash3_64,
}

impl TableDigest {
    /// Adds a row, and says how many bytes it has.
    fn row(&mut self, key: &[u8], value: &[u8]) -> usize {
        self.rows += 1;
        for bytes in [key, value] {
            self.hasher.write(&(bytes.len() as u64).to_le_bytes());
            self.hasher.write(bytes);
        }
        key.len() + value.len()
    }
}

/// Counts the rows that pass, and tells of them now and then.
struct Pace<'a> {
    rows: u64,
    tell: &'a mut Tell<'a>,
}

impl Pace<'_> {
    fn step(&mut self) -> Result<(), Error> {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_A_REPORT) { (self.tell)(self.rows) } else { Ok(()) }
    }
}

/// Writes rows into tables, and digests what it writes.
pub(super) struct Copier<'a> {
    pace: Pace<'a>,
    written: RowDigest,
}

impl<'a> Copier<'a> {
    pub(super) fn new(tell: &'a mut Tell<'a>) -> Copier<'a> {
        Copier { pace: Pace { rows: 0, tell }, written: RowDigest::default() }
    }

    /// What was written.
    pub(super) fn finish(self) -> RowDigest {
        self.written
    }

    /// Copies a table with one value a key, into one that is empty.
    pub(super) fn one<K: Key + Column, V: Column>(
        &mut self,
        name: &'static str,
        from: &One<K, V>,
        (write, into): (&mut StagedWrite<'_>, TableDefinition<'static, K, V>),
        mut judge: impl FnMut(&Guard<'_, K>, &Guard<'_, V>) -> Result<Fate, Error>,
    ) -> Result<(), Error> {
        let mut digest = TableDigest::default();
        let mut rows = from.iter()?.peekable();
        while rows.peek().is_some() {
            let mut table = write.transaction().open_table(into)?;
            let mut end = table.upper_bound_mut(Bound::<K::SelfType<'_>>::Unbounded)?;
            let mut bytes = 0;
            for row in rows.by_ref().take(ROWS_A_TURN) {
                let (key, value) = row?;
                self.pace.step()?;
                let replaced = match judge(&key, &value)? {
                    Fate::Keep => None,
                    Fate::Drop => continue,
                    Fate::Replace(bytes) => Some(bytes),
                };
                let new = replaced.as_deref().map_or_else(|| value.value(), V::from_bytes);
                bytes += digest.row(K::as_bytes(&key.value()).as_ref(), V::as_bytes(&new).as_ref());
                end.insert_before(key.value(), new)?;
            }
            end.close()?;
            drop(table);
            write.wrote(bytes)?;
        }
        self.written.add(name, digest);
        Ok(())
    }

    /// Copies a table with several values a key.
    pub(super) fn many(
        &mut self,
        name: &'static str,
        from: &Many,
        (write, into): (&mut StagedWrite<'_>, MultimapTableDefinition<'static, u32, u32>),
        mut judge: impl FnMut(u32, u32) -> Result<Fate, Error>,
    ) -> Result<(), Error> {
        let mut digest = TableDigest::default();
        let mut pairs = from.iter()?.peekable();
        while pairs.peek().is_some() {
            let mut table = write.transaction().open_multimap_table(into)?;
            let mut bytes = 0;
            for pair in pairs.by_ref().take(ROWS_A_TURN) {
                let (key, value) = pair?;
                self.pace.step()?;
                match judge(key, value)? {
                    Fate::Keep => {}
                    Fate::Drop => continue,
                    Fate::Replace(_) => return Err(Error::Config("a value among several is kept or dropped")),
                }
                bytes += digest.row(&key.to_le_bytes(), &value.to_le_bytes());
                table.insert(key, value)?;
            }
            drop(table);
            write.wrote(bytes)?;
        }
        self.written.add(name, digest);
        Ok(())
    }
}

/// Reads rows and digests them.
pub(super) struct Digester<'a> {
    pace: Pace<'a>,
    read: RowDigest,
}

impl<'a> Digester<'a> {
    pub(super) fn new(tell: &'a mut Tell<'a>) -> Digester<'a> {
        Digester { pace: Pace { rows: 0, tell }, read: RowDigest::default() }
    }

    /// What was read.
    pub(super) fn finish(self) -> RowDigest {
        self.read
    }

    pub(super) fn one<K: Key + Column, V: Column>(
        &mut self,
        name: &'static str,
        table: &One<K, V>,
    ) -> Result<(), Error> {
        let mut digest = TableDigest::default();
        for row in table.iter()? {
            let (key, value) = row?;
            self.pace.step()?;
            digest.row(K::as_bytes(&key.value()).as_ref(), V::as_bytes(&value.value()).as_ref());
        }
        self.read.add(name, digest);
        Ok(())
    }

    pub(super) fn many(&mut self, name: &'static str, table: &Many) -> Result<(), Error> {
        let mut digest = TableDigest::default();
        for pair in table.iter()? {
            let (key, value) = pair?;
            self.pace.step()?;
            digest.row(&key.to_le_bytes(), &value.to_le_bytes());
        }
        self.read.add(name, digest);
        Ok(())
    }
}

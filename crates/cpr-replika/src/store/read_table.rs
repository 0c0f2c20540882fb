//! A table as it is read, behind which nothing of redb's gets out: no type, no panic, and no "there was an earlier
//! failure".
//!
//! redb checks what it reads less than a register needs. Its blocks are checked before it sees them, so it panics only
//! over blocks that were put back together with their checks; that panic ends here, and the file is not read any more.
//! The first failure of a file is what every later call is told, by its place.

use std::borrow::Borrow;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::RangeBounds;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cpr_pack::Packs;
use redb::{
    AccessGuard, Key, MultimapRange, MultimapTableDefinition, MultimapValue, Range, ReadOnlyMultimapTable,
    ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, StorageError, TableDefinition, TableError,
    Value,
};

use crate::damage::{BlockError, Latch};
use crate::error::Error;
use crate::store::column::Column;
use crate::store::guard::{Guard, Row};
use crate::store::pack_table::{PackRows, PackTable};
use crate::store::rows_read;

impl Latch {
    /// Runs one call of redb's: what it is told when it panics, or has failed before, is the first failure.
    #[inline]
    pub(crate) fn sound<T, E: From<StorageError> + Told>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if self.has_panicked() {
            return Err(storage_error(BlockError::Panicked.into()).into());
        }
        // An answer is large: put where it is taken from, it is not moved out of what catches the panic.
        let mut answer = None;
        match catch_unwind(AssertUnwindSafe(|| answer = Some(call()))) {
            Ok(()) => answer.expect("a call that came back has answered").map_err(|error| self.explain(error)),
            Err(_) => {
                self.note_panic();
                Err(storage_error(BlockError::Panicked.into()).into())
            }
        }
    }

    /// As [`Latch::sound`], for a call that calls the caller's own code: a panic of that is passed on.
    pub(crate) fn sound_outside<T>(&self, call: impl FnOnce(&Outside) -> Result<T, Error>) -> Result<T, Error> {
        let outside = Outside::default();
        match self.sound(|| match catch_unwind(AssertUnwindSafe(|| call(&outside))) {
            Err(panic) if outside.is_in() => Ok(Err(panic)),
            Err(panic) => resume_unwind(panic),
            Ok(answer) => answer.map(Ok),
        })? {
            Ok(answer) => Ok(answer),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// The first failure in the place of "there was an earlier failure".
    #[cold]
    fn explain<E: From<StorageError> + Told>(&self, error: E) -> E {
        match self.first() {
            Some(first) if error.is_earlier_failure() => storage_error(first.into()).into(),
            _ => error,
        }
    }
}

/// Whether the caller's own code is what runs.
#[derive(Debug, Default)]
pub(crate) struct Outside(AtomicBool);

impl Outside {
    /// Runs code of the caller.
    pub(crate) fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        self.0.store(true, Ordering::Relaxed);
        let answer = call();
        self.0.store(false, Ordering::Relaxed);
        answer
    }

    fn is_in(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A source of the caller's, read from within.
pub(crate) struct OutsideSource<'o, R> {
    pub(crate) source: R,
    pub(crate) outside: &'o Outside,
}

impl<R: Read> Read for OutsideSource<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.outside.run(|| self.source.read(into))
    }
}

impl<R: Seek> Seek for OutsideSource<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.outside.run(|| self.source.seek(to))
    }
}

fn storage_error(error: std::io::Error) -> StorageError {
    StorageError::Io(error)
}

/// An error that may only say that there was an earlier one.
pub(crate) trait Told {
    fn is_earlier_failure(&self) -> bool;
}

impl Told for StorageError {
    fn is_earlier_failure(&self) -> bool {
        matches!(self, StorageError::PreviousIo)
    }
}

impl Told for TableError {
    fn is_earlier_failure(&self) -> bool {
        matches!(self, TableError::Storage(StorageError::PreviousIo))
    }
}

impl Told for Error {
    fn is_earlier_failure(&self) -> bool {
        matches!(self, Error::Storage(failure) if failure.is_earlier_failure())
    }
}

fn guarded<'t, K: Key + 'static, V: Value + 'static>((key, value): Guards<'t, K, V>) -> Row<'t, K, V> {
    (Guard::Store(key), Guard::Store(value))
}

/// A key and its value, as redb has them.
type Guards<'t, K, V> = (AccessGuard<'t, K>, AccessGuard<'t, V>);

/// What reads a table with one value a key: the same in a snapshot and in a write transaction.
pub(crate) trait ReadRows<K: Key + 'static, V: Value + 'static> {
    /// The rows between two keys, in order.
    fn rows_in<'a, KR>(
        &self,
        range: impl RangeBounds<KR> + 'a,
    ) -> Result<impl Iterator<Item = Result<Row<'_, K, V>, Error>>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a;
}

impl<K: Key + 'static, V: Value + 'static, T: ReadableTable<K, V>> ReadRows<K, V> for T {
    fn rows_in<'a, KR>(
        &self,
        range: impl RangeBounds<KR> + 'a,
    ) -> Result<impl Iterator<Item = Result<Row<'_, K, V>, Error>>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        Ok(self.range(range)?.map(|row| Ok(guarded(row?))))
    }
}

impl<K: Key + Column, V: Column> ReadRows<K, V> for One<K, V> {
    fn rows_in<'a, KR>(
        &self,
        range: impl RangeBounds<KR> + 'a,
    ) -> Result<impl Iterator<Item = Result<Row<'_, K, V>, Error>>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        self.range(range)
    }
}

/// A table with one value a key.
pub(crate) enum One<K: Key + 'static, V: Value + 'static> {
    Store { table: ReadOnlyTable<K, V>, latch: Latch },
    Pack(PackTable<K, V>),
}

impl<K: Key + Column, V: Column> One<K, V> {
    pub(crate) fn open(
        read: &ReadTransaction,
        definition: TableDefinition<'static, K, V>,
        latch: &Latch,
    ) -> Result<One<K, V>, Error> {
        let table = latch.sound(|| read.open_table(definition))?;
        Ok(One::Store { table, latch: latch.clone() })
    }

    pub(crate) fn open_packed(packs: &Arc<Packs>, name: &'static str) -> Result<One<K, V>, Error> {
        PackTable::open(packs, name).map(One::Pack)
    }

    #[inline]
    pub(crate) fn get<'a>(&self, key: impl Borrow<K::SelfType<'a>>) -> Result<Option<Guard<'_, V>>, Error> {
        self.get_with(key, Ok)
    }

    /// As [`One::get`], handed to `open` where it is found: a guard is large, and moving it takes as long as looking at
    /// what it guards.
    #[inline]
    pub(crate) fn get_with<'t, 'a, T>(
        &'t self,
        key: impl Borrow<K::SelfType<'a>>,
        open: impl FnOnce(Guard<'t, V>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        rows_read::note(1);
        match self {
            One::Store { table, latch } => match latch.sound(|| ReadableTable::get(table, key))? {
                Some(guard) => open(Guard::Store(guard)).map(Some),
                None => Ok(None),
            },
            One::Pack(table) => match table.get(key.borrow())? {
                Some(guard) => open(guard).map(Some),
                None => Ok(None),
            },
        }
    }

    pub(crate) fn range<'a, KR>(&self, range: impl RangeBounds<KR> + 'a) -> Result<Rows<'_, K, V>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        match self {
            One::Store { table, latch } => {
                let rows = latch.sound(|| ReadableTable::range(table, range))?;
                Ok(Rows::Store { rows, latch: latch.clone() })
            }
            One::Pack(table) => Ok(Rows::Pack(table.range(&range)?)),
        }
    }

    pub(crate) fn iter(&self) -> Result<Rows<'_, K, V>, Error> {
        self.range::<K::SelfType<'_>>(..)
    }

    pub(crate) fn last(&self) -> Result<Option<Row<'_, K, V>>, Error> {
        self.iter()?.next_back().transpose()
    }

    pub(crate) fn len(&self) -> Result<u64, Error> {
        match self {
            One::Store { table, latch } => Ok(latch.sound(|| table.len())?),
            One::Pack(table) => table.len(),
        }
    }
}

impl<V: Column> One<u32, V> {
    /// Goes through the values of many numbers, in the order of the numbers.
    pub(crate) fn get_many<'t>(
        &'t self,
        numbers: &[u32],
        mut act: impl FnMut(u32, Option<Guard<'t, V>>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            One::Store { .. } => numbers.iter().try_for_each(|&number| act(number, self.get(number)?)),
            One::Pack(table) => table.get_many(numbers, act),
        }
    }
}

/// Rows of a table, from both ends.
pub(crate) enum Rows<'t, K: Key + 'static, V: Value + 'static> {
    Store { rows: Range<'t, K, V>, latch: Latch },
    Pack(PackRows<'t, K, V>),
}

impl<'t, K: Key + Column, V: Column> Iterator for Rows<'t, K, V> {
    type Item = Result<Row<'t, K, V>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        rows_read::note(1);
        match self {
            Rows::Store { rows, latch } => {
                let row = latch.sound(|| rows.next().transpose());
                row.map(|row| row.map(guarded)).map_err(Error::from).transpose()
            }
            Rows::Pack(rows) => rows.next(),
        }
    }
}

impl<K: Key + Column, V: Column> DoubleEndedIterator for Rows<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Rows::Store { rows, latch } => {
                let row = latch.sound(|| rows.next_back().transpose());
                row.map(|row| row.map(guarded)).map_err(Error::from).transpose()
            }
            Rows::Pack(rows) => rows.next_back(),
        }
    }
}

/// A table with several values a key, both of them numbers. A pack has a row for each pair, with nothing in it.
pub(crate) enum Many {
    Store { table: ReadOnlyMultimapTable<u32, u32>, latch: Latch },
    Pack(PackTable<(u32, u32), &'static [u8]>),
}

impl Many {
    pub(crate) fn open(
        read: &ReadTransaction,
        definition: MultimapTableDefinition<'static, u32, u32>,
        latch: &Latch,
    ) -> Result<Many, Error> {
        let table = latch.sound(|| read.open_multimap_table(definition))?;
        Ok(Many::Store { table, latch: latch.clone() })
    }

    pub(crate) fn open_packed(packs: &Arc<Packs>, name: &'static str) -> Result<Many, Error> {
        PackTable::open(packs, name).map(Many::Pack)
    }

    /// The values of a key, in order.
    pub(crate) fn get(&self, key: u32) -> Result<Vec<u32>, Error> {
        let values: Vec<u32> = match self {
            Many::Store { table, latch } => latch.sound(|| values_of(table.get(key)?))?,
            Many::Pack(table) => {
                let rows = table.range(&((key, 0)..=(key, u32::MAX)))?;
                rows.map(|row| row.map(|(pair, _)| pair.value().1)).collect::<Result<_, Error>>()?
            }
        };
        rows_read::note(1 + values.len());
        Ok(values)
    }

    /// Every key with each of its values, in order.
    pub(crate) fn iter(&self) -> Result<Pairs<'_>, Error> {
        match self {
            Many::Store { table, latch } => {
                let keys = latch.sound(|| table.range::<u32>(..))?;
                Ok(Pairs::Store { keys, key: 0, values: Vec::new().into_iter(), latch })
            }
            Many::Pack(table) => Ok(Pairs::Pack(table.range::<(u32, u32)>(&..)?)),
        }
    }

    /// Pairs of key and value.
    pub(crate) fn len(&self) -> Result<u64, Error> {
        match self {
            Many::Store { table, latch } => Ok(latch.sound(|| table.len())?),
            Many::Pack(table) => table.len(),
        }
    }
}

fn values_of(values: MultimapValue<'_, u32>) -> Result<Vec<u32>, Error> {
    values.map(|value| Ok(value?.value())).collect()
}

/// Keys, each with every one of its values.
pub(crate) enum Pairs<'t> {
    Store { keys: MultimapRange<'static, u32, u32>, key: u32, values: std::vec::IntoIter<u32>, latch: &'t Latch },
    Pack(PackRows<'t, (u32, u32), &'static [u8]>),
}

impl Iterator for Pairs<'_> {
    type Item = Result<(u32, u32), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (keys, key, values, latch) = match self {
            Pairs::Store { keys, key, values, latch } => (keys, key, values, *latch),
            Pairs::Pack(rows) => return rows.next().map(|row| row.map(|(pair, _)| pair.value())),
        };
        loop {
            if let Some(value) = values.next() {
                return Some(Ok((*key, value)));
            }
            let next = latch.sound(|| {
                let Some((key, values)) = keys.next().transpose()? else { return Ok(None) };
                Ok(Some((key.value(), values_of(values)?)))
            });
            match next {
                Ok(Some(row)) => (*key, *values) = (row.0, row.1.into_iter()),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

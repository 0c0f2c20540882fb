//! A table as of one read transaction, behind which nothing of redb's gets out: no panic, and no "there was an earlier failure".
//!
//! redb checks what it reads less than a register needs. Its blocks are checked before it sees them, so it panics only over
//! blocks that were put back together with their checks; that panic ends here, and the file is not read any more. The
//! first failure of a file is what every later call is told, by its place.

use std::borrow::Borrow;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::RangeBounds;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{
    AccessGuard, Key, MultimapRange, MultimapTableDefinition, MultimapValue, Range, ReadOnlyMultimapTable,
    ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, StorageError, TableDefinition, TableError,
    TableStats, Value,
};

use crate::damage::{BlockError, FirstFailure, Latch};
use crate::error::Error;

impl Latch {
    /// Runs one call of redb's: what it is told when it panics, or has failed before, is the first failure.
    #[inline]
    pub(crate) fn sound<T, E: From<StorageError> + Told>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(FirstFailure::Panicked) = self.first() {
            return Err(storage_error(BlockError::Panicked.into()).into());
        }
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.explain(error)),
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

/// A key and its value.
type Row<'t, K, V> = (AccessGuard<'t, K>, AccessGuard<'t, V>);

/// A table with one value a key.
pub(crate) struct One<K: Key + 'static, V: Value + 'static> {
    table: ReadOnlyTable<K, V>,
    latch: Latch,
}

impl<K: Key + 'static, V: Value + 'static> One<K, V> {
    pub(crate) fn open(
        read: &ReadTransaction,
        definition: TableDefinition<'static, K, V>,
        latch: &Latch,
    ) -> Result<One<K, V>, Error> {
        let table = latch.sound(|| read.open_table(definition))?;
        Ok(One { table, latch: latch.clone() })
    }

    #[inline]
    pub(crate) fn get<'a>(&self, key: impl Borrow<K::SelfType<'a>>) -> Result<Option<AccessGuard<'_, V>>, Error> {
        Ok(self.latch.sound(|| ReadableTable::get(&self.table, key))?)
    }

    pub(crate) fn range<'a, KR>(&self, range: impl RangeBounds<KR> + 'a) -> Result<Rows<Range<'static, K, V>>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        let rows = self.latch.sound(|| self.table.range(range))?;
        Ok(Rows { rows, latch: self.latch.clone() })
    }

    pub(crate) fn iter(&self) -> Result<Rows<Range<'static, K, V>>, Error> {
        self.range::<K::SelfType<'_>>(..)
    }

    pub(crate) fn last(&self) -> Result<Option<Row<'_, K, V>>, Error> {
        Ok(self.latch.sound(|| ReadableTable::last(&self.table))?)
    }

    pub(crate) fn len(&self) -> Result<u64, Error> {
        Ok(self.latch.sound(|| self.table.len())?)
    }
}

/// For what reads a table in a snapshot and in a write transaction alike.
impl<K: Key + 'static, V: Value + 'static> ReadableTable<K, V> for One<K, V> {
    fn get<'a>(&self, key: impl Borrow<K::SelfType<'a>>) -> Result<Option<AccessGuard<'_, V>>, StorageError> {
        self.latch.sound(|| ReadableTable::get(&self.table, key))
    }

    fn range<'a, KR>(&self, range: impl RangeBounds<KR> + 'a) -> Result<Range<'_, K, V>, StorageError>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        self.latch.sound(|| ReadableTable::range(&self.table, range))
    }

    fn first(&self) -> Result<Option<Row<'_, K, V>>, StorageError> {
        self.latch.sound(|| ReadableTable::first(&self.table))
    }

    fn last(&self) -> Result<Option<Row<'_, K, V>>, StorageError> {
        self.latch.sound(|| ReadableTable::last(&self.table))
    }
}

impl<K: Key + 'static, V: Value + 'static> ReadableTableMetadata for One<K, V> {
    fn stats(&self) -> Result<TableStats, StorageError> {
        self.latch.sound(|| self.table.stats())
    }

    fn len(&self) -> Result<u64, StorageError> {
        self.latch.sound(|| self.table.len())
    }
}

/// A table with several values a key.
pub(crate) struct Many<K: Key + 'static, V: Key + 'static> {
    table: ReadOnlyMultimapTable<K, V>,
    latch: Latch,
}

impl<K: Key + 'static, V: Key + 'static> Many<K, V> {
    pub(crate) fn open(
        read: &ReadTransaction,
        definition: MultimapTableDefinition<'static, K, V>,
        latch: &Latch,
    ) -> Result<Many<K, V>, Error> {
        let table = latch.sound(|| read.open_multimap_table(definition))?;
        Ok(Many { table, latch: latch.clone() })
    }

    pub(crate) fn get<'a>(&self, key: impl Borrow<K::SelfType<'a>>) -> Result<Rows<MultimapValue<'static, V>>, Error> {
        let rows = self.latch.sound(|| self.table.get(key))?;
        Ok(Rows { rows, latch: self.latch.clone() })
    }

    pub(crate) fn range<'a, KR>(
        &self,
        range: impl RangeBounds<KR> + 'a,
    ) -> Result<Rows<MultimapRange<'static, K, V>>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        let rows = self.latch.sound(|| self.table.range(range))?;
        Ok(Rows { rows, latch: self.latch.clone() })
    }

    pub(crate) fn len(&self) -> Result<u64, Error> {
        Ok(self.latch.sound(|| self.table.len())?)
    }
}

/// Rows, one after the other.
pub(crate) struct Rows<R> {
    rows: R,
    latch: Latch,
}

impl<R: Iterator<Item = Result<T, StorageError>>, T> Iterator for Rows<R> {
    type Item = Result<T, Error>;

    #[inline]
    fn next(&mut self) -> Option<Result<T, Error>> {
        self.latch.sound(|| self.rows.next().transpose()).map_err(Error::from).transpose()
    }
}

impl<R: DoubleEndedIterator<Item = Result<T, StorageError>>, T> DoubleEndedIterator for Rows<R> {
    fn next_back(&mut self) -> Option<Result<T, Error>> {
        self.latch.sound(|| self.rows.next_back().transpose()).map_err(Error::from).transpose()
    }
}

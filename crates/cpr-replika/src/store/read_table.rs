//! A table as it is read, behind which nothing of redb's gets out: no type, no panic, and no "there was an earlier failure".
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
    Value,
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

/// A key or a value, for as long as what holds it is held.
pub(crate) struct Guard<'t, V: Value + 'static>(AccessGuard<'t, V>);

impl<V: Value + 'static> Guard<'_, V> {
    #[inline]
    pub(crate) fn value(&self) -> V::SelfType<'_> {
        self.0.value()
    }
}

/// A key and its value.
pub(crate) type Row<'t, K, V> = (Guard<'t, K>, Guard<'t, V>);

fn guarded<'t, K: Key + 'static, V: Value + 'static>((key, value): Guards<'t, K, V>) -> Row<'t, K, V> {
    (Guard(key), Guard(value))
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

impl<K: Key + 'static, V: Value + 'static> ReadRows<K, V> for One<K, V> {
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
    pub(crate) fn get<'a>(&self, key: impl Borrow<K::SelfType<'a>>) -> Result<Option<Guard<'_, V>>, Error> {
        Ok(self.latch.sound(|| ReadableTable::get(&self.table, key))?.map(Guard))
    }

    pub(crate) fn range<'a, KR>(&self, range: impl RangeBounds<KR> + 'a) -> Result<Rows<'_, K, V>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        let rows = self.latch.sound(|| ReadableTable::range(&self.table, range))?;
        Ok(Rows { rows, latch: self.latch.clone() })
    }

    pub(crate) fn iter(&self) -> Result<Rows<'_, K, V>, Error> {
        self.range::<K::SelfType<'_>>(..)
    }

    pub(crate) fn last(&self) -> Result<Option<Row<'_, K, V>>, Error> {
        Ok(self.latch.sound(|| ReadableTable::last(&self.table))?.map(guarded))
    }

    pub(crate) fn len(&self) -> Result<u64, Error> {
        Ok(self.latch.sound(|| self.table.len())?)
    }
}

/// Rows of a table, from both ends.
pub(crate) struct Rows<'t, K: Key + 'static, V: Value + 'static> {
    rows: Range<'t, K, V>,
    latch: Latch,
}

impl<'t, K: Key + 'static, V: Value + 'static> Iterator for Rows<'t, K, V> {
    type Item = Result<Row<'t, K, V>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.latch.sound(|| self.rows.next().transpose()).map(|row| row.map(guarded)).map_err(Error::from).transpose()
    }
}

impl<K: Key + 'static, V: Value + 'static> DoubleEndedIterator for Rows<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let row = self.latch.sound(|| self.rows.next_back().transpose());
        row.map(|row| row.map(guarded)).map_err(Error::from).transpose()
    }
}

/// A table with several values a key, both of them numbers.
pub(crate) struct Many {
    table: ReadOnlyMultimapTable<u32, u32>,
    latch: Latch,
}

impl Many {
    pub(crate) fn open(
        read: &ReadTransaction,
        definition: MultimapTableDefinition<'static, u32, u32>,
        latch: &Latch,
    ) -> Result<Many, Error> {
        let table = latch.sound(|| read.open_multimap_table(definition))?;
        Ok(Many { table, latch: latch.clone() })
    }

    /// The values of a key, in order.
    pub(crate) fn get(&self, key: u32) -> Result<Values<'_>, Error> {
        let values = self.latch.sound(|| self.table.get(key))?;
        Ok(Values { values, latch: &self.latch })
    }

    /// Every key with each of its values, in order.
    pub(crate) fn iter(&self) -> Result<Pairs<'_>, Error> {
        let keys = self.latch.sound(|| self.table.range::<u32>(..))?;
        Ok(Pairs { keys, values: None, latch: &self.latch })
    }

    /// Pairs of key and value.
    pub(crate) fn len(&self) -> Result<u64, Error> {
        Ok(self.latch.sound(|| self.table.len())?)
    }
}

/// The values of one key.
pub(crate) struct Values<'t> {
    values: MultimapValue<'static, u32>,
    latch: &'t Latch,
}

impl Iterator for Values<'_> {
    type Item = Result<u32, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let value = self.latch.sound(|| self.values.next().transpose());
        value.map(|value| value.map(|value| value.value())).map_err(Error::from).transpose()
    }
}

/// Keys, each with every one of its values.
pub(crate) struct Pairs<'t> {
    keys: MultimapRange<'static, u32, u32>,
    values: Option<(u32, Values<'t>)>,
    latch: &'t Latch,
}

impl Iterator for Pairs<'_> {
    type Item = Result<(u32, u32), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, values)) = &mut self.values
                && let Some(value) = values.next()
            {
                return Some(value.map(|value| (*key, value)));
            }
            match self.latch.sound(|| self.keys.next().transpose()) {
                Ok(Some((key, values))) => self.values = Some((key.value(), Values { values, latch: self.latch })),
                Ok(None) => return None,
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

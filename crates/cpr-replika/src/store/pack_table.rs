//! A table of packs: the same keys and values as in a store, as bytes that sort.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::ops::RangeBounds;
use std::sync::Arc;

use cpr_pack::{Keys, Packs, TablePlace};

use crate::error::Error;
use crate::store::column::Column;
use crate::store::guard::{Guard, Row};

/// One table of a base and its overlay.
pub(crate) struct PackTable<K, V> {
    packs: Arc<Packs>,
    place: TablePlace,
    name: &'static str,
    is_checked: bool,
    columns: PhantomData<fn() -> (K, V)>,
}

impl<K: Column, V: Column> PackTable<K, V> {
    pub(crate) fn open(packs: &Arc<Packs>, name: &'static str) -> Result<PackTable<K, V>, Error> {
        let place = packs.find(name, K::KEYS)?;
        Ok(PackTable { packs: Arc::clone(packs), place, name, is_checked: packs.are_checked(), columns: PhantomData })
    }

    #[inline]
    fn table(&self) -> cpr_pack::Table<'_> {
        self.packs.table_at(self.place)
    }

    #[inline]
    pub(crate) fn get(&self, key: &K::SelfType<'_>) -> Result<Option<Guard<'_, V>>, Error> {
        let value = match K::number(key) {
            Some(number) => self.table().get(number)?,
            None => self.table().get(&encoded::<K>(key)[..])?,
        };
        value.map(|value| Guard::packed(value, self.is_checked, self.name)).transpose()
    }

    pub(crate) fn range<'a, KR>(&self, range: &impl RangeBounds<KR>) -> Result<PackRows<'_, K, V>, Error>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        let rows = match K::KEYS {
            Keys::Numbers => {
                let number = |key: &KR| K::number(key.borrow()).expect("the keys are numbers");
                self.table().range((range.start_bound().map(number), range.end_bound().map(number)))?
            }
            Keys::Bytes => {
                let bytes = |key: &KR| encoded::<K>(key.borrow());
                let (from, to) = (range.start_bound().map(bytes), range.end_bound().map(bytes));
                self.table().range::<&[u8]>((from.as_ref().map(Vec::as_slice), to.as_ref().map(Vec::as_slice)))?
            }
        };
        Ok(PackRows { rows, name: self.name, is_checked: self.is_checked, columns: PhantomData })
    }

    pub(crate) fn len(&self) -> Result<u64, Error> {
        Ok(self.table().len()?)
    }
}

impl<V: Column> PackTable<u32, V> {
    /// Goes through the values of many numbers, in the order of the numbers.
    pub(crate) fn get_many<'t>(
        &'t self,
        numbers: &[u32],
        mut act: impl FnMut(u32, Option<Guard<'t, V>>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.table().get_many(numbers, |number, value| {
            // Without a result of an option on the way: values are moved as seldom as can be.
            match value {
                Some(value) => act(number, Some(Guard::packed(value, self.is_checked, self.name)?)),
                None => act(number, None),
            }
        })
    }
}

fn encoded<K: Column>(key: &K::SelfType<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    K::encode(key, &mut bytes);
    bytes
}

/// Rows of packs, from both ends.
pub(crate) struct PackRows<'t, K, V> {
    rows: cpr_pack::Range<'t>,
    name: &'static str,
    is_checked: bool,
    columns: PhantomData<fn() -> (K, V)>,
}

impl<'t, K: Column, V: Column> PackRows<'t, K, V> {
    fn row(&self, row: cpr_pack::Row<'t>) -> Result<Row<'t, K, V>, Error> {
        let (key, value) = row.into_parts();
        let (name, is_checked) = (self.name, self.is_checked);
        Ok((Guard::packed(key, is_checked, name)?, Guard::packed(value, is_checked, name)?))
    }
}

impl<'t, K: Column, V: Column> Iterator for PackRows<'t, K, V> {
    type Item = Result<Row<'t, K, V>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        Some(row.map_err(Error::from).and_then(|row| self.row(row)))
    }
}

impl<K: Column, V: Column> DoubleEndedIterator for PackRows<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let row = self.rows.next_back()?;
        Some(row.map_err(Error::from).and_then(|row| self.row(row)))
    }
}

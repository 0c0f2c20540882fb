//! Writes tables to packs: all rows, or those that differ from the same table of a base.

use std::io::{Seek, Write};

use cpr_pack::{Keys, Writer};
use redb::Key;
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::store::column::Column;
use crate::store::read_table::{Many, One};
use crate::store::sealed;
use crate::store::tables::{OPEN_SEGMENT, name};

/// With more than one person in so many touched, whole tables are compared: scanning them is faster than asking.
const FEW: u64 = 8;

/// A row as a pack has it.
type Packed = (Vec<u8>, Vec<u8>);

/// The table that is being written.
struct Output<'w, S> {
    pack: &'w mut Writer<S>,
    keys: Keys,
    are_persons: bool,
}

impl<'w, S: Write + Seek> Output<'w, S> {
    fn begin(pack: &'w mut Writer<S>, name: &str, keys: Keys) -> Result<Output<'w, S>, Error> {
        pack.table(name, keys)?;
        Ok(Output { pack, keys, are_persons: name == name::PERSONS })
    }

    /// Adds a row, or says that one is gone. The seals of a person are opened: who reads the pack goes by its own
    /// checks, so that what it holds must be right.
    fn put(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        let number = u32::decode(key).filter(|_| self.keys == Keys::Numbers);
        if let (true, Some(number), Some(value)) = (self.are_persons, number, value) {
            sealed::check_sections(name::PERSONS, [(number, 0), (number, OPEN_SEGMENT)], value)?;
        }
        match (number, value) {
            (Some(number), Some(value)) => self.pack.row(number, value)?,
            (Some(number), None) => self.pack.gone(number)?,
            (None, Some(value)) => self.pack.row(key, value)?,
            (None, None) => self.pack.gone(key)?,
        }
        Ok(())
    }

    /// Adds what differs, of rows in the order of their keys.
    fn put_changes(
        &mut self,
        now: impl IntoIterator<Item = Result<Packed, Error>>,
        below: impl IntoIterator<Item = Result<Packed, Error>>,
    ) -> Result<(), Error> {
        let mut below = below.into_iter();
        let mut old = below.next().transpose()?;
        for row in now {
            let (key, value) = row?;
            while let Some((gone, _)) = old.take_if(|(old, _)| *old < key) {
                self.put(&gone, None)?;
                old = below.next().transpose()?;
            }
            match old.take_if(|(old, _)| *old == key) {
                Some((_, same)) => {
                    if same != value {
                        self.put(&key, Some(&value))?;
                    }
                    old = below.next().transpose()?;
                }
                None => self.put(&key, Some(&value))?,
            }
        }
        while let Some((gone, _)) = old {
            self.put(&gone, None)?;
            old = below.next().transpose()?;
        }
        Ok(())
    }
}

fn encoded<C: Column>(value: &C::SelfType<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    C::encode(value, &mut bytes);
    bytes
}

impl<K: Key + Column, V: Column> One<K, V> {
    /// Writes all rows to a table of a pack.
    pub(crate) fn write_all<S: Write + Seek>(&self, name: &str, pack: &mut Writer<S>) -> Result<(), Error> {
        let mut out = Output::begin(pack, name, K::KEYS)?;
        let (mut key_bytes, mut value_bytes) = (Vec::new(), Vec::new());
        for row in self.iter()? {
            let (key, value) = row?;
            key_bytes.clear();
            value_bytes.clear();
            K::encode(&key.value(), &mut key_bytes);
            V::encode(&value.value(), &mut value_bytes);
            out.put(&key_bytes, Some(&value_bytes))?;
        }
        Ok(())
    }

    /// Writes what differs from the same table of a base. Of a table whose keys begin with a person, only rows of the
    /// persons who were touched can.
    pub(crate) fn write_changes<S: Write + Seek>(
        &self,
        name: &str,
        below: &One<K, V>,
        touched: Option<&RoaringBitmap>,
        pack: &mut Writer<S>,
    ) -> Result<(), Error> {
        let mut out = Output::begin(pack, name, K::KEYS)?;
        match touched {
            Some(touched) if touched.len() * FEW < self.len()? => {
                touched.iter().try_for_each(|person| out.put_changes(self.packed_of(person)?, below.packed_of(person)?))
            }
            _ => out.put_changes(self.packed()?, below.packed()?),
        }
    }

    fn packed(&self) -> Result<impl Iterator<Item = Result<Packed, Error>>, Error> {
        Ok(self.iter()?.map(|row| {
            let (key, value) = row?;
            Ok((encoded::<K>(&key.value()), encoded::<V>(&value.value())))
        }))
    }

    /// The rows of one person.
    fn packed_of(&self, person: u32) -> Result<Vec<Result<Packed, Error>>, Error> {
        let keys = K::of_person(person).expect("the keys begin with a person");
        if K::KEYS == Keys::Numbers {
            let value = self.get(keys.start())?;
            let row = value.map(|value| Ok((encoded::<K>(keys.start()), encoded::<V>(&value.value()))));
            return Ok(row.into_iter().collect());
        }
        let rows = self.range(keys)?.map(|row| {
            let (key, value) = row?;
            Ok((encoded::<K>(&key.value()), encoded::<V>(&value.value())))
        });
        Ok(rows.collect())
    }
}

impl Many {
    /// Writes all pairs to a table of a pack.
    pub(crate) fn write_all<S: Write + Seek>(&self, name: &str, pack: &mut Writer<S>) -> Result<(), Error> {
        let mut out = Output::begin(pack, name, <(u32, u32)>::KEYS)?;
        self.packed()?.try_for_each(|row| out.put(&row?.0, Some(&[])))
    }

    /// Writes what differs from the same table of a base.
    pub(crate) fn write_changes<S: Write + Seek>(
        &self,
        name: &str,
        below: &Many,
        pack: &mut Writer<S>,
    ) -> Result<(), Error> {
        let mut out = Output::begin(pack, name, <(u32, u32)>::KEYS)?;
        out.put_changes(self.packed()?, below.packed()?)
    }

    fn packed(&self) -> Result<impl Iterator<Item = Result<Packed, Error>>, Error> {
        Ok(self.iter()?.map(|pair| Ok((encoded::<(u32, u32)>(&pair?), Vec::new()))))
    }
}

//! The payload of a row that is a set of persons: how many, and who, in the shorter of two forms.
//!
//! The persons of one year who share a municipality are few, and far apart: as distances they take two bytes each, and
//! are put at the end of a larger set without a look at it. Those of a year and a status stand close together: a
//! roaring bitmap holds and joins them by the ten thousand. How many they are stands in front, so that counting reads
//! no person.

use roaring::RoaringBitmap;

use super::distances;

/// Up to so many persons for each container of a roaring bitmap, distances are the shorter form.
const FEW: u64 = 32;

/// A set as it stands in its row.
#[derive(Clone, Copy)]
pub(crate) struct StoredSet<'a> {
    /// How many persons.
    pub(crate) len: u64,
    is_bitmap: bool,
    body: &'a [u8],
}

impl<'a> StoredSet<'a> {
    /// Reads the front of a payload.
    ///
    /// # Errors
    /// What is wrong with it.
    #[inline]
    pub(crate) fn open(payload: &'a [u8]) -> Result<StoredSet<'a>, &'static str> {
        let (head, body) = payload.split_first_chunk::<4>().ok_or("a set without its length")?;
        let head = u32::from_le_bytes(*head);
        Ok(StoredSet { len: u64::from(head >> 1), is_bitmap: head & 1 == 1, body })
    }

    /// Puts its persons into a set, fast when they stand behind all that are in it.
    ///
    /// # Errors
    /// What is wrong with the payload.
    pub(crate) fn add_to(&self, all: &mut RoaringBitmap) -> Result<(), &'static str> {
        if self.is_bitmap {
            let set = RoaringBitmap::deserialize_from(self.body).map_err(|_| "not a bitmap")?;
            if set.len() != self.len {
                return Err("a set of another length than it says");
            }
            *all |= set;
            return Ok(());
        }
        let mut count = 0;
        distances::read(self.body, 32, |key| {
            let key = key as u32;
            if all.try_push(key).is_err() {
                all.insert(key);
            }
            count += 1;
        })?;
        if count == self.len { Ok(()) } else { Err("a set of another length than it says") }
    }

    /// Puts its persons behind those of a list, ascending, where it stands as distances; false where it is a bitmap.
    ///
    /// # Errors
    /// As [`StoredSet::add_to`].
    pub(crate) fn read_few(&self, persons: &mut Vec<u32>) -> Result<bool, &'static str> {
        if self.is_bitmap {
            return Ok(false);
        }
        let before = persons.len();
        distances::read(self.body, 32, |key| persons.push(key as u32))?;
        let is_whole = (persons.len() - before) as u64 == self.len;
        if is_whole { Ok(true) } else { Err("a set of another length than it says") }
    }

    /// The persons as a set of their own.
    ///
    /// # Errors
    /// As [`StoredSet::add_to`].
    pub(crate) fn to_bitmap(self) -> Result<RoaringBitmap, &'static str> {
        let mut set = RoaringBitmap::new();
        self.add_to(&mut set)?;
        Ok(set)
    }
}

/// Writes a set, less than 2^31 persons, as [`StoredSet`] reads it.
pub(crate) fn write(set: &RoaringBitmap, payload: &mut Vec<u8>) {
    let containers = set.statistics().n_containers;
    let is_bitmap = set.len() > FEW * u64::from(containers);
    let len = u32::try_from(set.len()).ok().filter(|len| *len < 1 << 31).expect("numbers of persons have 31 bits");
    payload.extend((len << 1 | u32::from(is_bitmap)).to_le_bytes());
    if is_bitmap {
        set.serialize_into(payload).expect("memory takes what is written");
    } else {
        distances::write(set.iter().map(u64::from), payload);
    }
}

/// As [`write`], of persons in ascending order, each once; most sets have few, and need no bitmap for it.
pub(crate) fn write_ascending(keys: impl ExactSizeIterator<Item = u32> + Clone, payload: &mut Vec<u8>) {
    let (mut containers, mut last) = (0, None);
    for key in keys.clone() {
        containers += u64::from(last.replace(key >> 16) != Some(key >> 16));
    }
    if keys.len() as u64 > FEW * containers {
        return write(&RoaringBitmap::from_sorted_iter(keys).expect("the caller gives them in order"), payload);
    }
    payload.extend(((keys.len() as u32) << 1).to_le_bytes());
    distances::write(keys.map(u64::from), payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_order_are_written_as_a_set_of_them_is() {
        for step in [1, 7, 100, 5_000, 70_000] {
            for count in [0, 1, 2, 10, FEW as u32, FEW as u32 + 1, 1_000, 20_000] {
                let keys = (0..count).map(|at| 60_000 + at * step);
                let (mut one, mut other) = (Vec::new(), Vec::new());
                write(&keys.clone().collect(), &mut one);
                write_ascending(keys, &mut other);
                assert_eq!(one, other, "{count} keys, {step} apart");
            }
        }
    }

    #[test]
    fn a_set_of_few_and_one_of_many_come_back_and_join() {
        let few: RoaringBitmap = (0..50).map(|at| at * 40_000).collect();
        let many: RoaringBitmap = (2_000_000..2_010_000).collect();
        let mut all = RoaringBitmap::new();
        for (set, is_bitmap) in [(&many, true), (&few, false), (&RoaringBitmap::new(), false)] {
            let mut payload = Vec::new();
            write(set, &mut payload);
            let stored = StoredSet::open(&payload).expect("a set");
            assert_eq!((stored.len, stored.is_bitmap), (set.len(), is_bitmap));
            assert_eq!(stored.to_bitmap().as_ref(), Ok(set));
            let mut persons = vec![7];
            assert_eq!(stored.read_few(&mut persons), Ok(!is_bitmap));
            assert!(is_bitmap || persons[1..].iter().copied().eq(set));
            stored.add_to(&mut all).expect("a set");
        }
        assert_eq!(all, few | many);
    }

    #[test]
    fn a_set_that_is_not_as_long_as_it_says_is_told() {
        for set in [RoaringBitmap::from([5, 90_000]), RoaringBitmap::from_iter(0..1000)] {
            let mut payload = Vec::new();
            write(&set, &mut payload);
            payload[0] ^= 2;
            let stored = StoredSet::open(&payload).expect("a set");
            assert!(stored.to_bitmap().is_err());
            assert!(stored.is_bitmap || stored.read_few(&mut Vec::new()).is_err());
        }
        assert!(StoredSet::open(&[1, 2, 3]).is_err());
    }
}

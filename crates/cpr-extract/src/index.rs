//! Where the 003 stand that CPR puts behind all persons: all that is kept of a file while it is read a second time.

use std::collections::HashMap;

use roaring::RoaringBitmap;

use crate::fault::{Fault, Reason};
use crate::record::Record;
use crate::source::line_checksum;

/// 003 of one person, with it and behind all persons: an export has all of them behind.
pub(crate) const MOST_FORMATTED: usize = 500;

/// A 003 behind the persons: 16 bytes, since the whole country has ten million.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Formatted {
    /// The person.
    pub(crate) key: u32,
    /// Offset, record number and length; ordered by offset.
    place: u64,
    /// The checksum of the line, which is read again out of order.
    pub(crate) checksum: u32,
}

/// No line that fits is longer than the buffer looks ahead: 8192 bytes.
const LENGTH_BITS: u32 = 14;
/// Record numbers have three digits.
const NUMBER_BITS: u32 = 10;

impl Formatted {
    /// The byte where the line starts; below 2^40, since no more of a file is read.
    pub(crate) fn offset(self) -> u64 {
        self.place >> (LENGTH_BITS + NUMBER_BITS)
    }

    /// The byte behind the line, without its end.
    pub(crate) fn end(self) -> u64 {
        self.offset() + self.length() as u64
    }

    /// The record number.
    pub(crate) fn number(self) -> u16 {
        (self.place >> LENGTH_BITS) as u16 & ((1 << NUMBER_BITS) - 1)
    }

    /// Bytes of the line, without its end.
    pub(crate) fn length(self) -> usize {
        (self.place & ((1 << LENGTH_BITS) - 1)) as usize
    }
}

/// The 003 behind the persons. While the file is read for the first time in the order of the file, then by person.
#[derive(Clone, Default)]
pub(crate) struct FormattedIndex {
    entries: Vec<Formatted>,
    /// Up to here the persons are known to be in the file, but for those of `orphans`.
    settled: usize,
    orphans: Vec<u64>,
    /// From which entry on lines follow one another, and the line of that entry: for the faults.
    runs: Vec<(usize, u64)>,
    last_line: u64,
    /// Persons with whom one 003 stands, and how many stand with each of the others.
    with_one: RoaringBitmap,
    with_more: HashMap<u32, usize>,
}

impl FormattedIndex {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn add(&mut self, key: u32, record: &Record<'_>) {
        if self.last_line + 1 != record.line || self.runs.is_empty() {
            self.runs.push((self.entries.len(), record.line));
        }
        self.last_line = record.line;
        let number = u64::from(record.layout.number) << LENGTH_BITS;
        let place = record.offset << (LENGTH_BITS + NUMBER_BITS) | number | record.bytes.len() as u64;
        self.entries.push(Formatted { key, place, checksum: line_checksum(record.bytes) });
    }

    /// Notes that so many 003 stand with a person.
    pub(crate) fn stand_with(&mut self, key: u32, rows: usize) {
        match rows {
            1 => _ = self.with_one.insert(key),
            _ => _ = self.with_more.insert(key, rows),
        }
    }

    /// How many more may stand behind.
    fn room_behind(&self, key: u32) -> usize {
        let one = || usize::from(self.with_one.contains(key));
        MOST_FORMATTED.saturating_sub(self.with_more.get(&key).copied().unwrap_or_else(one))
    }

    /// Holds the entries that were added since against the persons that were read before them.
    pub(crate) fn settle(&mut self, seen: &RoaringBitmap) {
        let pending = &mut self.entries[self.settled..];
        // Sorted, neighbours are found beside one another.
        pending.sort_unstable();
        self.orphans.extend(pending.iter().filter(|entry| !seen.contains(entry.key)).map(|entry| entry.place));
        self.settled = self.entries.len();
    }

    /// Sorts the index by person. The faults are the entries of persons who have no 001, which are left out, and those
    /// beyond as many as one person may have.
    pub(crate) fn finish(&mut self, seen: &RoaringBitmap) -> Vec<Fault> {
        self.settle(seen);
        self.entries.sort_unstable();
        let of_one = self.entries.chunk_by(|one, other| one.key == other.key);
        let mut faulty: Vec<(u64, Reason)> = of_one
            .flat_map(|of_one| of_one.iter().skip(self.room_behind(of_one[0].key)))
            .map(|entry| (entry.place, Reason::TooManyRows))
            .collect();
        (self.with_one, self.with_more) = Default::default();
        faulty.extend(self.orphans.iter().map(|place| (*place, Reason::NoPerson)));
        if faulty.is_empty() {
            return Vec::new();
        }
        let mut places: Vec<u64> = self.entries.iter().map(|entry| entry.place).collect();
        places.sort_unstable();
        self.orphans.sort_unstable();
        self.entries.retain(|entry| self.orphans.binary_search(&entry.place).is_err());
        faulty.into_iter().map(|(place, reason)| self.fault(place, reason, &places)).collect()
    }

    /// `places` are those of all entries, in the order of the file.
    fn fault(&self, place: u64, reason: Reason, places: &[u64]) -> Fault {
        let at = places.partition_point(|before| *before < place);
        let run = self.runs.partition_point(|(first, _)| *first <= at).saturating_sub(1);
        let line = self.runs.get(run).map_or(1, |(first, line)| line + (at - first) as u64);
        let entry = Formatted { key: 0, place, checksum: 0 };
        Fault::at(line, entry.offset(), Some(entry.number()), None, reason)
    }

    /// Those of one person, in the order of the file, once the index is sorted. They are looked for from `from` on, where
    /// those of the person before stood, and `from` goes to behind them: whoever asks in the order of the persons finds
    /// them beside one another, however large the index is.
    pub(crate) fn of(&self, key: u32, from: &mut usize) -> &[Formatted] {
        let is_before = |entry: &Formatted| entry.key < key;
        if !self.entries[..*from].last().is_none_or(is_before) {
            *from = 0;
        }
        let ahead = &self.entries[*from..];
        let mut reach = 1;
        while ahead.get(reach - 1).is_some_and(is_before) {
            reach *= 2;
        }
        *from += ahead[..reach.min(ahead.len())].partition_point(is_before);
        let rest = &self.entries[*from..];
        // One, as a rule.
        let count = rest.iter().take_while(|entry| entry.key == key).count();
        *from += count;
        &rest[..count]
    }

    /// True when a line that starts here is one of these.
    pub(crate) fn has(&self, key: u32, offset: u64) -> bool {
        self.entries.binary_search_by_key(&(key, offset), |entry| (entry.key, entry.offset())).is_ok()
    }

    /// Of persons whose groups are equal leaves out all entries but the first, or all.
    pub(crate) fn keep_first_of(&mut self, is_repeated: impl Fn(u32) -> bool, is_superfluous: impl Fn(u32) -> bool) {
        self.entries.dedup_by(|later, first| later.key == first.key && is_repeated(first.key));
        self.entries.retain(|entry| !(is_repeated(entry.key) && is_superfluous(entry.key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_whatever_order_persons_are_asked_for_each_has_its_own_rows() {
        // Key 30 has three rows, every other multiple of 10 has one, but for 70.
        let keys = [10, 20, 30, 30, 30, 40, 50, 60, 80, 90];
        let entries = (0..).zip(keys).map(|(place, key)| Formatted { key, place, checksum: 0 });
        let index = FormattedIndex { entries: entries.collect(), ..FormattedIndex::default() };
        let orders: [&[u32]; 4] =
            [&[10, 20, 30, 40, 50, 60, 70, 80, 90, 91], &[0, 5, 30, 85], &[90, 30, 10, 70], &[30, 30, 70, 70, 20]];
        for order in orders {
            let mut from = 0;
            for &key in order {
                let found = index.of(key, &mut from);
                assert_eq!(found.len(), keys.iter().filter(|of| **of == key).count(), "of {key} in {order:?}");
                assert!(found.iter().all(|entry| entry.key == key));
            }
        }
    }
}

//! The hash section: where the row of a number stands, in lines of 64 bytes, of which a number may stand in two.
//!
//! A line is eight numbers and eight places. A number stands in its first line unless that one was full when it came; a
//! line that was ever full stays so. So most gets read one line, and a number that is not there is told by one line
//! too. At a load of six in eight there is always room (by moving a few numbers to their other line), and it is found
//! at once.
//!
//! The seed of the two choices stands in the trailer. The section is written from what [`Places`] kept of the rows: a
//! few bytes a row, so that writing needs little memory beside the section itself.

use crate::header::u32_at;
use crate::row::UNIT_BYTES;

/// A line is what the processor fetches at once.
pub(crate) const LINE_BYTES: usize = 64;

const SLOTS: usize = 8;

/// How many slots of a line are used, on average.
const LOAD: u64 = 6;

/// The place that says that a slot is empty; places are in units of eight bytes, so rows can take 32 GiB.
const EMPTY: u32 = u32::MAX;

/// Whether so many bytes of rows leave each row a place: 32 GiB do not.
pub(crate) fn can_be_placed(rows_bytes: u64) -> bool {
    rows_bytes / UNIT_BYTES <= u64::from(EMPTY)
}

/// How often a number may push another one out before another seed is tried.
const MOVES: u32 = 500;

/// The two lines in which a number may stand, of `lines` (at least one).
#[inline]
pub(crate) fn choices(number: u32, seed: u32, lines: u32) -> [u32; 2] {
    // The finish of SplitMix64: other numbers give other results, and every bit of them depends on every bit of the
    // number.
    let mut mixed = u64::from(seed) << 32 | u64::from(number);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    [mixed >> 32, mixed & 0xFFFF_FFFF].map(|half| ((half * u64::from(lines)) >> 32) as u32)
}

/// What a line says of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// Its row stands here, in units of eight bytes.
    At(u32),
    /// The other line must be asked.
    Full,
    /// It is not in the table.
    Nowhere,
}

/// Looks a number up in a line.
#[inline]
pub(crate) fn search(line: &[u8; LINE_BYTES], number: u32) -> Found {
    let mut hits = 0;
    for slot in 0..SLOTS {
        hits |= u32::from(u32_at(line, slot * 4) == number) << slot;
    }
    // Slots are filled from the first on, so an empty one (of number 0) never hides a number.
    if hits != 0 {
        let place = u32_at(line, 32 + hits.trailing_zeros() as usize % SLOTS * 4);
        if place != EMPTY {
            return Found::At(place);
        }
    }
    if u32_at(line, 60) == EMPTY { Found::Nowhere } else { Found::Full }
}

/// Numbers and the places of their rows, both ascending, as the distances from one to the next.
#[derive(Default)]
pub(crate) struct Places {
    bytes: Vec<u8>,
    count: u64,
    last: (u32, u32),
}

impl Places {
    /// Adds the next row.
    pub(crate) fn push(&mut self, number: u32, place: u32) {
        let (last_number, last_place) = self.last;
        for mut distance in [number.wrapping_sub(last_number), place.wrapping_sub(last_place)] {
            while distance >= 0x80 {
                self.bytes.push(distance as u8 | 0x80);
                distance >>= 7;
            }
            self.bytes.push(distance as u8);
        }
        self.last = (number, place);
        self.count += 1;
    }

    fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        let mut bytes = self.bytes.iter();
        let mut distance = move || {
            let (mut value, mut shift) = (0, 0);
            loop {
                let byte = *bytes.next()?;
                value |= u32::from(byte & 0x7F) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    return Some(value);
                }
            }
        };
        let mut last = (0u32, 0u32);
        std::iter::from_fn(move || {
            last = (last.0.wrapping_add(distance()?), last.1.wrapping_add(distance()?));
            Some(last)
        })
    }
}

/// A hash section that is being made.
pub(crate) struct Lines {
    lines: Vec<[u32; 2 * SLOTS]>,
    pub(crate) seed: u32,
}

impl Lines {
    /// The section for these rows; of no line when there is no row. None when there are too many.
    pub(crate) fn of(places: &Places) -> Option<Lines> {
        let mut count = u32::try_from(places.count.div_ceil(LOAD)).ok()?;
        for seed in 0.. {
            let mut lines = Lines { lines: vec![Self::EMPTY_LINE; count as usize], seed };
            if places.iter().all(|(number, place)| lines.insert(number, place)) {
                return Some(lines);
            }
            count = count.checked_add(count / 16)?;
        }
        None
    }

    const EMPTY_LINE: [u32; 2 * SLOTS] = {
        let mut line = [0; 2 * SLOTS];
        let mut slot = 0;
        while slot < SLOTS {
            line[SLOTS + slot] = EMPTY;
            slot += 1;
        }
        line
    };

    fn insert(&mut self, number: u32, place: u32) -> bool {
        let (mut number, mut place) = (number, place);
        let count = self.count();
        for step in 0..MOVES {
            let choices = choices(number, self.seed, count);
            for line in choices.map(|line| line as usize) {
                let line = &mut self.lines[line];
                if let Some(slot) = (0..SLOTS).find(|slot| line[SLOTS + slot] == EMPTY) {
                    (line[slot], line[SLOTS + slot]) = (number, place);
                    return true;
                }
            }
            // Both are full: it takes the slot of another one, which goes to its other line.
            let line = &mut self.lines[choices[step as usize % 2] as usize];
            let slot = (number.wrapping_add(step).wrapping_mul(0x9E37_79B1) >> 29) as usize % SLOTS;
            std::mem::swap(&mut line[slot], &mut number);
            std::mem::swap(&mut line[SLOTS + slot], &mut place);
        }
        false
    }

    pub(crate) fn count(&self) -> u32 {
        self.lines.len() as u32
    }

    /// The bytes of the section, line by line.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = [u8; LINE_BYTES]> {
        self.lines.iter().map(|line| {
            let mut bytes = [0; LINE_BYTES];
            bytes.chunks_exact_mut(4).zip(line).for_each(|(to, word)| to.copy_from_slice(&word.to_le_bytes()));
            bytes
        })
    }
}

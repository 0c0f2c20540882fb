//! Numbers that are collected by the ten million before they are written.
//!
//! Each is held as the distance from the one before, up or down, seven bits to a byte: two or three bytes where persons
//! come in the order of some file, in the place of eight.

/// Numbers in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected {
    distances: Vec<u8>,
    len: usize,
    last: u64,
    /// Some number is not above the one before it.
    has_fallen: bool,
}

impl Collected {
    /// Adds a number below 2^63.
    #[inline]
    pub(crate) fn push(&mut self, number: u64) {
        self.has_fallen |= number <= self.last && self.len > 0;
        let distance = number.wrapping_sub(self.last) as i64;
        // Small whichever way it goes: the sign is the lowest bit.
        let mut rest = ((distance << 1) ^ (distance >> 63)) as u64;
        while rest >= 0x80 {
            self.distances.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.distances.push(rest as u8);
        (self.last, self.len) = (number, self.len + 1);
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether each number is above the one before it.
    pub(crate) fn is_ascending(&self) -> bool {
        !self.has_fallen
    }

    pub(crate) fn iter(&self) -> Numbers<'_> {
        Numbers { distances: &self.distances, left: self.len, last: 0 }
    }

    /// Puts the numbers, ascending, in the place of what a buffer holds.
    pub(crate) fn sort_into(&self, sorted: &mut Vec<u64>) {
        sorted.clear();
        sorted.extend(self.iter());
        if self.has_fallen {
            sorted.sort_unstable();
        }
    }
}

/// The numbers of a [`Collected`].
#[derive(Clone, Debug)]
pub(crate) struct Numbers<'a> {
    distances: &'a [u8],
    left: usize,
    last: u64,
}

impl Iterator for Numbers<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        let (mut bits, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = self.distances.split_first()?;
            self.distances = rest;
            bits |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        let distance = (bits >> 1) as i64 ^ -((bits & 1) as i64);
        self.last = self.last.wrapping_add(distance as u64);
        self.left -= 1;
        Some(self.last)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Numbers<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_in_the_order_in_which_they_came_and_in_theirs() {
        let cases: [(&[u64], bool); 6] = [
            (&[], true),
            (&[0], true),
            (&[0, 0], false),
            (&[3, 64, 65, 9_000, 1 << 40, (1 << 63) - 1], true),
            (&[1 << 40, 5, 4, (1 << 63) - 1, 0, 700], false),
            (&[7, 7, 8], false),
        ];
        for (numbers, is_ascending) in cases {
            let mut collected = Collected::default();
            numbers.iter().for_each(|&number| collected.push(number));
            assert_eq!((collected.len(), collected.is_empty()), (numbers.len(), numbers.is_empty()));
            assert_eq!(collected.is_ascending(), is_ascending, "{numbers:?}");
            let mut rest = collected.iter();
            let left: Vec<_> = std::iter::from_fn(|| Some((rest.len(), rest.next()?).0)).collect();
            assert_eq!(left, (1..=numbers.len()).rev().collect::<Vec<_>>(), "how many are left, one after another");
            assert_eq!(collected.iter().collect::<Vec<_>>(), numbers);
            let (mut sorted, mut expected) = (vec![1, 2, 3], numbers.to_vec());
            collected.sort_into(&mut sorted);
            expected.sort_unstable();
            assert_eq!(sorted, expected);
        }
    }
}

//! For which deliveries a filter counted: spans that are opened and closed, and never overlap.

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::store::tables::name;

/// The deliveries for which a filter counted: behind the first number, up to the second; all ones while it does.
#[derive(Default)]
pub(crate) struct Spans(Vec<(u32, u32)>);

/// The end of a span that has none.
const STILL: u32 = u32::MAX;

impl Spans {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Spans, Error> {
        let (pairs, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Error::Corrupt { table: name::FILTERS, what: "half a span" });
        }
        let number = |pair: &[u8; 8], at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| pair[at + byte]));
        Ok(Spans(pairs.iter().map(|pair| (number(pair, 0), number(pair, 4))).collect()))
    }

    /// True when the filter never counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(from, to)| [from.to_le_bytes(), to.to_le_bytes()]).flatten().collect()
    }

    /// The spans: behind which delivery each begins, and with which it ends, or none.
    pub(crate) fn deliveries(&self) -> Vec<(DeliveryNumber, Option<DeliveryNumber>)> {
        let end = |to| (to != STILL).then_some(DeliveryNumber(to));
        self.0.iter().map(|&(from, to)| (DeliveryNumber(from), end(to))).collect()
    }

    /// Begins a span behind this delivery; false when the filter counts already.
    pub(crate) fn open(&mut self, known: u32) -> bool {
        match self.0.last_mut() {
            Some((_, to)) if *to == STILL => return false,
            // Removed and added between two deliveries: it never ceased to count.
            Some((_, to)) if *to == known => *to = STILL,
            _ => self.0.push((known, STILL)),
        }
        true
    }

    /// Ends the span with this delivery; false when the filter does not count.
    pub(crate) fn close(&mut self, known: u32) -> bool {
        match self.0.last_mut() {
            Some((from, to)) if *to == STILL => {
                *to = known;
                // Added and removed between two deliveries: it never counted.
                if *from == known {
                    self.0.pop();
                }
                true
            }
            _ => false,
        }
    }

    /// Has everything that was said after this delivery be said right after it.
    pub(crate) fn say_by(&mut self, known: u32) {
        let mut said: Vec<(u32, u32)> = Vec::with_capacity(self.0.len());
        for &(from, to) in &self.0 {
            let (from, to) = (from.min(known), if to == STILL { STILL } else { to.min(known) });
            match said.last_mut() {
                _ if from == to => {}
                Some((_, end)) if *end == from => *end = to,
                _ => said.push((from, to)),
            }
        }
        self.0 = said;
    }

    /// Has these count as well.
    pub(crate) fn unite(&mut self, others: &Spans) {
        let mut all: Vec<(u32, u32)> = self.0.iter().chain(&others.0).copied().collect();
        all.sort_unstable();
        self.0.clear();
        for (from, to) in all {
            match self.0.last_mut() {
                Some((_, end)) if *end >= from => *end = to.max(*end),
                _ => self.0.push((from, to)),
            }
        }
    }

    pub(crate) fn contains(&self, delivery: u32) -> bool {
        self.0.iter().any(|&(from, to)| from < delivery && delivery <= to)
    }

    pub(crate) fn counts_now(&self) -> bool {
        self.0.last().is_some_and(|(_, to)| *to == STILL)
    }

    /// True of spans that these methods can have made: at least one, none empty, apart and in order, and only the last
    /// without an end.
    pub(crate) fn is_sound(&self, known: u32) -> bool {
        let of_deliveries = |&(from, to): &(u32, u32)| from < to && from <= known && (to <= known || to == STILL);
        !self.0.is_empty() && self.0.iter().all(of_deliveries) && self.0.windows(2).all(|pair| pair[0].1 < pair[1].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_are_united_count_wherever_one_did() {
        let all = [&[][..], &[(0, 2)], &[(1, 3), (5, 6)], &[(2, 4)], &[(0, 1), (3, STILL)], &[(7, 9)]];
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            let [one, other] = [one, other].map(|spans| Spans(spans.to_vec()));
            let mut united = Spans(one.0.clone());
            united.unite(&other);
            assert!(united.is_empty() || united.is_sound(9), "{:?}", united.0);
            assert_eq!(united.counts_now(), one.counts_now() || other.counts_now());
            assert!((0..12).all(|at| united.contains(at) == (one.contains(at) || other.contains(at))));
        }
    }

    #[test]
    fn what_was_said_later_is_said_right_after_the_delivery() {
        type Pairs = &'static [(u32, u32)];
        let cases: [(Pairs, Pairs); 6] = [
            (&[(0, 1), (2, STILL)], &[(0, 1), (2, STILL)]),
            (&[(1, 3)], &[(1, 2)]),
            (&[(1, 3), (5, STILL)], &[(1, STILL)]),
            (&[(0, 1), (5, STILL)], &[(0, 1), (2, STILL)]),
            (&[(0, 1), (3, 5)], &[(0, 1)]),
            (&[(3, 5), (6, 7)], &[]),
        ];
        for (spans, expected) in cases {
            let mut said = Spans(spans.to_vec());
            said.say_by(2);
            assert_eq!(said.0, expected, "{spans:?}");
            assert!(said.is_empty() || said.is_sound(2), "{spans:?}");
        }
    }
}

//! Years of numbers: the part of a row's key by which a reader leaves rows alone that cannot hold whom it looks for.

use std::ops::RangeInclusive;

use super::keys::{YEARS_OF_WORDS, numbers_of, year_of};

/// A set of years of numbers, as spans that are apart and ascending.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Years(Vec<RangeInclusive<u16>>);

impl Years {
    /// Every year.
    pub(crate) fn all() -> Years {
        Years(vec![0..=u16::MAX])
    }

    /// No year.
    pub(crate) fn none() -> Years {
        Years(Vec::new())
    }

    /// The years of the numbers between two keys.
    pub(crate) fn of_keys(keys: RangeInclusive<u32>) -> Years {
        Years(vec![year_of(*keys.start())..=year_of(*keys.end())])
    }

    /// The years of the numbers from this key on, in pieces that grow, for whoever may have enough with the first ones.
    /// A piece begins where rows of words begin.
    pub(crate) fn pieces(from: u32) -> impl Iterator<Item = Years> {
        let first = year_of(from) / YEARS_OF_WORDS * YEARS_OF_WORDS;
        let ends = [1, 2, 4, 8].map(|rows| first + rows * YEARS_OF_WORDS - 1).into_iter().chain([u16::MAX]);
        let mut next = first;
        ends.map(move |end| Years(vec![std::mem::replace(&mut next, end.saturating_add(1))..=end]))
    }

    /// From the first key of these years, or from this one if it is greater, to the last; none when there is none.
    pub(crate) fn keys_from(&self, from: u32) -> Option<RangeInclusive<u32>> {
        let years = self.bounds()?;
        let keys = numbers_of(*years.start()).start.max(from)..=numbers_of(*years.end()).end.saturating_sub(1);
        (!keys.is_empty()).then_some(keys)
    }

    /// From the first to the last; none when there is none.
    pub(crate) fn bounds(&self) -> Option<RangeInclusive<u16>> {
        Some(*self.0.first()?.start()..=*self.0.last()?.end())
    }

    pub(crate) fn spans(&self) -> &[RangeInclusive<u16>] {
        &self.0
    }

    /// The years of either.
    pub(crate) fn joined(mut self, other: Years) -> Years {
        self.0.extend(other.0);
        self.0.sort_unstable_by_key(|span| *span.start());
        let mut joined: Vec<RangeInclusive<u16>> = Vec::with_capacity(self.0.len());
        for span in self.0 {
            match joined.last_mut() {
                Some(last) if *span.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(span.end());
                }
                _ => joined.push(span),
            }
        }
        Years(joined)
    }

    /// The years of both.
    pub(crate) fn shared_with(&self, other: &Years) -> Years {
        let shared = self
            .0
            .iter()
            .flat_map(|one| other.0.iter().map(|span| *one.start().max(span.start())..=*one.end().min(span.end())));
        Years(shared.filter(|span| !span.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn years(spans: &[(u16, u16)]) -> Years {
        spans.iter().map(|&(first, last)| Years(vec![first..=last])).fold(Years::none(), Years::joined)
    }

    #[test]
    fn pieces_cover_all_years_from_a_key_on_once() {
        let key = 8_320_000 * 35 + 5;
        let pieces: Vec<Years> = Years::pieces(key).collect();
        assert_eq!(pieces[..2], [Years(vec![32..=47]), Years(vec![48..=63])]);
        let all = pieces.into_iter().fold(Years::none(), Years::joined);
        assert_eq!(all, Years(vec![32..=u16::MAX]));
    }

    #[test]
    fn years_join_and_are_shared() {
        let joined = years(&[(30, 40), (1, 3), (4, 4), (35, 50), (60, 60)]);
        assert_eq!(joined, Years(vec![1..=4, 30..=50, 60..=60]));
        assert_eq!(joined.shared_with(&Years::all()), joined);
        assert_eq!(joined.shared_with(&years(&[(3, 31), (55, 70)])), Years(vec![3..=4, 30..=31, 60..=60]));
        assert_eq!(joined.shared_with(&Years::none()), Years::none());
    }
}

//! What two states of one list have in common.

use std::collections::HashMap;
use std::hash::Hash;

/// Up to so many pairs are looked at one by one: a hash costs more.
const FEW_PAIRS: usize = 1024;

/// The comparison of two lists as multisets: which entries of `after` were there before, which went, which came.
///
/// The value is reused from one comparison to the next, so that a load of millions of small lists allocates nothing. Of
/// long lists the time grows as n log n.
///
/// ```
/// use bitemporal::Diff;
/// let (before, after) = (["a", "b", "c"], ["c", "d", "a"]);
/// let mut diff = Diff::default();
/// diff.run(before.len(), after.len(), |at| before[at], |at| after[at], |at| at);
/// assert_eq!(diff.kept(), [Some(2), None, Some(0)]);
/// assert_eq!((diff.gone(), diff.new_entries().collect::<Vec<_>>()), (&[1][..], vec![1]));
/// ```
#[derive(Debug, Default)]
pub struct Diff {
    kept: Vec<Option<usize>>,
    gone: Vec<usize>,
    taken: Vec<bool>,
}

impl Diff {
    /// Compares `before` and `after` entries, which are the same when `old` and `new` give equal values for them. Of
    /// several equal entries of `before` the one of the lowest rank is kept first: the oldest, say, so that what goes
    /// is what came last.
    pub fn run<T: Eq + Hash, R: Ord>(
        &mut self,
        before: usize,
        after: usize,
        old: impl Fn(usize) -> T,
        new: impl Fn(usize) -> T,
        rank: impl Fn(usize) -> R,
    ) {
        self.taken.clear();
        self.taken.resize(before, false);
        self.kept.clear();
        self.gone.clear();
        if before * after <= FEW_PAIRS {
            self.keep_by_looking(after, old, new, rank);
        } else {
            self.keep_by_hashes(after, old, new, rank);
        }
        self.gone.extend((0..before).filter(|&old| !self.taken[old]));
    }

    fn keep_by_looking<T: Eq, R: Ord>(
        &mut self,
        after: usize,
        old: impl Fn(usize) -> T,
        new: impl Fn(usize) -> T,
        rank: impl Fn(usize) -> R,
    ) {
        for at in 0..after {
            let new = new(at);
            let equal = (0..self.taken.len()).filter(|&at| !self.taken[at] && old(at) == new);
            let kept = equal.min_by_key(|&at| rank(at));
            if let Some(at) = kept {
                self.taken[at] = true;
            }
            self.kept.push(kept);
        }
    }

    fn keep_by_hashes<T: Eq + Hash, R: Ord>(
        &mut self,
        after: usize,
        old: impl Fn(usize) -> T,
        new: impl Fn(usize) -> T,
        rank: impl Fn(usize) -> R,
    ) {
        let mut by_rank: Vec<usize> = (0..self.taken.len()).collect();
        by_rank.sort_by_cached_key(|&at| rank(at));
        // Equal entries in a chain, the lowest rank first; built from the end.
        let mut first: HashMap<T, usize> = HashMap::with_capacity(by_rank.len());
        let mut next: Vec<Option<usize>> = vec![None; by_rank.len()];
        for &at in by_rank.iter().rev() {
            next[at] = first.insert(old(at), at);
        }
        for at in 0..after {
            let key = new(at);
            let kept = match first.get_mut(&key) {
                None => None,
                Some(place) => {
                    let kept = *place;
                    match next[kept] {
                        Some(next) => *place = next,
                        None => _ = first.remove(&key),
                    }
                    Some(kept)
                }
            };
            if let Some(at) = kept {
                self.taken[at] = true;
            }
            self.kept.push(kept);
        }
    }

    /// For each entry of `after`: the entry of `before` that it keeps, or none when it is new.
    pub fn kept(&self) -> &[Option<usize>] {
        &self.kept
    }

    /// The entries of `before` that `after` no longer holds, ascending.
    pub fn gone(&self) -> &[usize] {
        &self.gone
    }

    /// The entries of `after` that `before` did not hold, ascending.
    pub fn new_entries(&self) -> impl Iterator<Item = usize> + '_ {
        self.kept.iter().enumerate().filter(|(_, old)| old.is_none()).map(|(new, _)| new)
    }
}

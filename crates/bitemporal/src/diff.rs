//! What two states of one list have in common.

/// The comparison of two lists as multisets: which entries of `after` were there before, which went, which came.
///
/// The value is reused from one comparison to the next, so that a load of millions of small lists allocates nothing.
#[derive(Debug, Default)]
pub struct Diff {
    kept: Vec<Option<usize>>,
    gone: Vec<usize>,
    taken: Vec<bool>,
}

impl Diff {
    /// Compares `before` and `after` entries, told apart by `same(before, after)`. Of several equal entries of `before`
    /// the one of the lowest rank is kept first: the oldest, say, so that what goes is what came last.
    pub fn run<R: Ord>(
        &mut self,
        before: usize,
        after: usize,
        same: impl Fn(usize, usize) -> bool,
        rank: impl Fn(usize) -> R,
    ) {
        self.taken.clear();
        self.taken.resize(before, false);
        self.kept.clear();
        self.gone.clear();
        for new in 0..after {
            let equal = (0..before).filter(|&old| !self.taken[old] && same(old, new));
            let old = equal.min_by_key(|&old| rank(old));
            if let Some(old) = old {
                self.taken[old] = true;
            }
            self.kept.push(old);
        }
        self.gone.extend((0..before).filter(|&old| !self.taken[old]));
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

//! What two states of one list have in common.

/// The comparison of two lists as multisets: which entries of `after` were there before, which went, which came.
///
/// The value is reused from one comparison to the next, so that a load of millions of small lists allocates nothing.
/// Equal entries are paired in order: the first of `before` with the first of `after`.
#[derive(Debug, Default)]
pub struct Diff {
    kept: Vec<Option<usize>>,
    gone: Vec<usize>,
    taken: Vec<bool>,
}

impl Diff {
    /// Compares `before` and `after` entries, told apart by `same(before, after)`.
    pub fn run(&mut self, before: usize, after: usize, same: impl Fn(usize, usize) -> bool) {
        self.taken.clear();
        self.taken.resize(before, false);
        self.kept.clear();
        self.gone.clear();
        // Most lists are redelivered in the same order, so the search starts where the last match stood.
        let mut next = 0;
        for new in 0..after {
            let old = (next..before).chain(0..next).find(|&old| !self.taken[old] && same(old, new));
            if let Some(old) = old {
                self.taken[old] = true;
                next = old + 1;
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

    /// True when both lists hold the same entries, in whatever order.
    pub fn is_same(&self) -> bool {
        self.gone.is_empty() && self.kept.iter().all(Option::is_some)
    }
}

//! Half-open periods of valid time, and the joining of neighbours.

/// A period `[from, to)`: `from` is in, `to` is out.
///
/// No `from` means since before anyone wrote it down, no `to` means until further notice. A period whose end is not
/// after its start (a corrected row, or plain bad data) is kept as it is and contains nothing: [`Period::is_empty`].
///
/// ```
/// use bitemporal::Period;
/// let period = Period { from: Some(2001), to: Some(2005) };
/// assert!(period.contains(2001) && !period.contains(2005));
/// assert!(period.meets(&Period::since(2005)));
/// assert!(Period { from: Some(2005), to: Some(2001) }.is_inverted());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Period<T> {
    /// The first moment in the period.
    pub from: Option<T>,
    /// The first moment after it.
    pub to: Option<T>,
}

impl<T: Ord + Copy> Period<T> {
    /// The period from `from` until further notice.
    pub fn since(from: T) -> Self {
        Period { from: Some(from), to: None }
    }

    /// True when no moment lies in the period: the end is at or before the start.
    pub fn is_empty(&self) -> bool {
        matches!((self.from, self.to), (Some(from), Some(to)) if to <= from)
    }

    /// True when the end lies before the start, which is damage in the source rather than a way to say "no length".
    pub fn is_inverted(&self) -> bool {
        matches!((self.from, self.to), (Some(from), Some(to)) if to < from)
    }

    /// True when `at` lies in the period.
    #[inline]
    pub fn contains(&self, at: T) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    /// True when this period ends exactly where `next` starts.
    pub fn meets(&self, next: &Self) -> bool {
        self.to.is_some() && self.to == next.from
    }
}

/// Joins neighbours that meet and say the same, after sorting by start; empty periods are dropped.
///
/// Overlaps are left as they are: two rows that claim the same day are a finding, not something to repair.
///
/// ```
/// use bitemporal::{Period, coalesce};
/// let rows = vec![(Period::since(5), 'a'), (Period { from: Some(1), to: Some(5) }, 'a')];
/// assert_eq!(coalesce(rows, |one, other| one == other), [(Period::since(1), 'a')]);
/// ```
pub fn coalesce<T: Ord + Copy, V>(mut rows: Vec<(Period<T>, V)>, same: impl Fn(&V, &V) -> bool) -> Vec<(Period<T>, V)> {
    rows.retain(|(period, _)| !period.is_empty());
    rows.sort_by_key(|(period, _)| (period.from, period.to.is_none(), period.to));
    let mut joined: Vec<(Period<T>, V)> = Vec::with_capacity(rows.len());
    for (period, value) in rows {
        match joined.last_mut() {
            Some((last, held)) if last.meets(&period) && same(held, &value) => last.to = period.to,
            _ => joined.push((period, value)),
        }
    }
    joined
}

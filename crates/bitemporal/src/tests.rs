//! The arithmetic, against the definitions without cleverness.

use std::cell::Cell;
use std::hash::{Hash, Hasher};

use proptest::prelude::*;

use crate::{Diff, Known, Period, coalesce};

fn period(from: Option<i32>, to: Option<i32>) -> Period<i32> {
    Period { from, to }
}

#[test]
fn a_period_holds_its_start_and_not_its_end() {
    let p = period(Some(3), Some(5));
    assert_eq!([2, 3, 4, 5].map(|at| p.contains(at)), [false, true, true, false]);
    assert!(period(None, Some(5)).contains(i32::MIN) && period(Some(3), None).contains(i32::MAX));
}

#[test]
fn what_holds_until_further_notice_holds_from_its_start_on_and_meets_nothing_behind_it() {
    let since = Period::since(3);
    assert_eq!(since, period(Some(3), None));
    assert!(!since.contains(2) && since.contains(3) && since.contains(i32::MAX));
    assert!(period(Some(1), Some(3)).meets(&since) && !period(Some(1), Some(2)).meets(&since));
    // Two open sides are no common moment.
    assert!(!since.meets(&period(None, Some(3))) && !since.is_empty() && !since.is_inverted());
}

#[test]
fn an_end_at_or_before_the_start_is_kept_and_contains_nothing() {
    for p in [period(Some(5), Some(5)), period(Some(5), Some(3))] {
        assert!(p.is_empty());
        assert!((0..9).all(|at| !p.contains(at)));
    }
    assert!(period(Some(5), Some(3)).is_inverted() && !period(Some(5), Some(5)).is_inverted());
}

#[test]
fn neighbours_that_say_the_same_are_joined() {
    let rows = vec![
        (period(Some(5), None), "B"),
        (period(Some(1), Some(3)), "A"),
        (period(Some(3), Some(5)), "A"),
        (period(Some(4), Some(4)), "C"),
    ];
    let joined = coalesce(rows, |a, b| a == b);
    assert_eq!(joined, [(period(Some(1), Some(5)), "A"), (period(Some(5), None), "B")]);
}

/// A value that counts how often it is compared or hashed.
struct Counted<'a>(u32, &'a Cell<usize>);

impl PartialEq for Counted<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.1.set(self.1.get() + 1);
        self.0 == other.0
    }
}

impl Eq for Counted<'_> {}

impl Hash for Counted<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.1.set(self.1.get() + 1);
        self.0.hash(state);
    }
}

#[test]
fn twice_the_entries_cost_twice_the_looks_however_many_are_equal() {
    for values in [1, 7, u32::MAX] {
        let looks = [5_000, 10_000, 20_000].map(|entries: usize| {
            let count = Cell::new(0);
            let value = |at: usize| Counted(at as u32 % values, &count);
            Diff::default().run(entries, entries, value, value, |at| at);
            count.get()
        });
        assert!(looks.is_sorted_by(|less, more| more * 10 <= less * 24), "{values} values: {looks:?}");
    }
}

proptest! {
    #[test]
    fn a_diff_loses_and_invents_nothing(before in prop::collection::vec(0u8..6, 0..12), after in prop::collection::vec(0u8..6, 0..12)) {
        let mut diff = Diff::default();
        diff.run(before.len(), after.len(), |b| before[b], |a| after[a], std::cmp::Reverse);
        // Of equal entries the one of the lowest rank is kept: here the last.
        for gone in diff.gone() {
            let later_kept = diff.kept().iter().flatten().filter(|&&old| before[old] == before[*gone]);
            prop_assert!(later_kept.into_iter().all(|old| old > gone));
        }
        let mut kept: Vec<usize> = diff.kept().iter().flatten().copied().collect();
        for (new, old) in diff.kept().iter().enumerate() {
            if let Some(old) = old {
                prop_assert_eq!(before[*old], after[new]);
            }
        }
        // Kept and gone together are `before`, each once; what is kept is the multiset intersection.
        let common: usize = (0..6u8)
            .map(|v| before.iter().filter(|&&b| b == v).count().min(after.iter().filter(|&&a| a == v).count()))
            .sum();
        prop_assert_eq!(kept.len(), common);
        kept.extend(diff.gone());
        kept.sort_unstable();
        prop_assert_eq!(kept, (0..before.len()).collect::<Vec<_>>());
        prop_assert_eq!(diff.new_entries().count(), after.len() - common);
    }

    #[test]
    fn long_lists_are_compared_as_short_ones_are(
        before in prop::collection::vec((0u8..20, 0u8..3), 30..60),
        after in prop::collection::vec(0u8..20, 40..60),
    ) {
        let mut diff = Diff::default();
        diff.run(before.len(), after.len(), |b| before[b].0, |a| after[a], |b| before[b].1);
        let mut taken = vec![false; before.len()];
        let expected: Vec<Option<usize>> = after
            .iter()
            .map(|new| {
                let equal = (0..before.len()).filter(|&old| !taken[old] && before[old].0 == *new);
                let kept = equal.min_by_key(|&old| before[old].1);
                kept.inspect(|&old| taken[old] = true)
            })
            .collect();
        prop_assert_eq!(diff.kept(), expected);
        prop_assert_eq!(diff.gone(), (0..before.len()).filter(|&old| !taken[old]).collect::<Vec<_>>());
    }

    #[test]
    fn coalescing_changes_no_instant(rows in prop::collection::vec((0i32..20, 0i32..20, 0u8..3), 0..10), at in 0i32..20) {
        let rows: Vec<_> = rows.into_iter().map(|(from, to, v)| (period(Some(from), Some(to)), v)).collect();
        let holds = |rows: &[(Period<i32>, u8)]| {
            let mut held: Vec<u8> = rows.iter().filter(|(p, _)| p.contains(at)).map(|(_, v)| *v).collect();
            held.sort_unstable();
            held
        };
        let before = holds(&rows);
        prop_assert_eq!(holds(&coalesce(rows, |a, b| a == b)), before);
    }

    #[test]
    fn known_spans_follow_their_definition(from in 1u32..9, length in 0u32..9, open: bool, at in 0u32..20) {
        let known = Known { from, to: (!open).then_some(from + length) };
        prop_assert_eq!(known.contains(at), at >= from && (open || at < from + length));
    }
}

//! The arithmetic, against the definitions without cleverness.

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

proptest! {
    #[test]
    fn a_diff_loses_and_invents_nothing(before in prop::collection::vec(0u8..6, 0..12), after in prop::collection::vec(0u8..6, 0..12)) {
        let mut diff = Diff::default();
        diff.run(before.len(), after.len(), |b, a| before[b] == after[a], std::cmp::Reverse);
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

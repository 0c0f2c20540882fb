//! Looking up keys that ascend in rows that do.

/// The first row at or behind `at` that is not before what is looked for, in rows that ascend: twice as far each time,
/// and then by halves. Near neighbours cost little, and far ones not much more.
pub(crate) fn advance<T>(rows: &[T], at: usize, is_before: impl Fn(&T) -> bool) -> usize {
    let (mut at, mut step) = (at.min(rows.len()), 1);
    while rows.get(at + step).is_some_and(&is_before) {
        at += step;
        step *= 2;
    }
    let end = rows.len().min(at + step + 1);
    at + rows[at..end].partition_point(is_before)
}

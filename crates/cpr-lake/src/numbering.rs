//! The facts of one person, numbered: by what a fact is known when it is closed, and which of those that began together
//! counts.
//!
//! Both numbers are functions of what was ever believed up to the delivery that opened the fact, so that they come out
//! the same whenever they are computed: a lake that grew night by night is the one that is written at once.

use std::cmp::Ordering;

use cpr_replika::cpr_model::{Aspect, Fact, Timestamp};

use crate::moment::Calendar;

/// One fact of a person and its numbers.
#[derive(Clone, Copy)]
pub(crate) struct Numbered<'a> {
    pub(crate) fact: Fact<'a>,
    /// Which of the facts of its aspect that its delivery opened.
    pub(crate) number: u32,
    /// Where it stands among facts of its aspect that begin at the same place of the calendar; 0 but for a tie.
    pub(crate) tie_rank: f64,
}

/// Numbers the facts of a person.
pub(crate) fn number_facts<'a>(facts: impl Iterator<Item = Fact<'a>>, calendar: &mut Calendar) -> Vec<Numbered<'a>> {
    let mut all: Vec<Numbered<'a>> = facts.map(|fact| Numbered { fact, number: 0, tie_rank: 0.0 }).collect();
    all.sort_unstable_by(|a, b| in_order(&a.fact, &b.fact));
    for at in 1..all.len() {
        let (before, this) = (all[at - 1].fact, all[at].fact);
        if before.aspect() == this.aspect() && before.known().from == this.known().from {
            all[at].number = all[at - 1].number + 1;
        }
    }
    for rows in all.chunk_by_mut(|a, b| a.fact.aspect() == b.fact.aspect()) {
        if rows.len() > 1 && has_one_that_counts(rows[0].fact.aspect()) {
            rank_ties(rows, calendar);
        }
    }
    all
}

/// By aspect and delivery; within them by what the line says. Of equal lines the one that was closed first comes first,
/// so that the others keep their numbers.
fn in_order(a: &Fact<'_>, b: &Fact<'_>) -> Ordering {
    let key = |fact: &Fact<'_>| (fact.aspect(), fact.known().from, fact.record(), fact.kind());
    let closed = |fact: &Fact<'_>| fact.known().to.unwrap_or(u32::MAX);
    let by_line = || a.values().bytes().cmp(b.values().bytes());
    key(a).cmp(&key(b)).then_with(by_line).then_with(|| closed(a).cmp(&closed(b)))
}

/// True for what a person has once at a time, so that of several one is the answer.
fn has_one_that_counts(aspect: Aspect) -> bool {
    aspect.slot().is_none()
}

/// Ranks facts that begin at one place of the calendar and are believed together: in the order of their digits, then of
/// their bytes, which is how the engine tells which one counts. A fact that comes later is put between those that are
/// there, whose ranks are known already.
fn rank_ties(rows: &mut [Numbered<'_>], calendar: &mut Calendar) {
    let mut starts: Vec<(Option<i64>, usize)> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let from = row.fact.valid().from;
        starts.push((from.and_then(|from| calendar.bound(from)), at));
    }
    starts.sort_unstable();
    for together in starts.chunk_by(|a, b| a.0 == b.0).filter(|together| together.len() > 1) {
        // Ascending positions are ascending deliveries.
        for (count, &(_, at)) in together.iter().enumerate() {
            let this = rows[at].fact;
            let (mut below, mut above): (Option<f64>, Option<f64>) = (None, None);
            for &(_, other) in &together[..count] {
                let (fact, rank) = (rows[other].fact, rows[other].tie_rank);
                if fact.known().to.is_some_and(|to| to <= this.known().from) {
                    continue;
                }
                match counts_before(&fact, &this) {
                    Ordering::Greater => above = Some(above.map_or(rank, |found| found.min(rank))),
                    Ordering::Less => below = Some(below.map_or(rank, |found| found.max(rank))),
                    Ordering::Equal => (below, above) = (Some(rank), Some(rank)),
                }
            }
            rows[at].tie_rank = match (below, above) {
                (None, None) => 0.0,
                (Some(below), None) => below + 1.0,
                (None, Some(above)) => above - 1.0,
                (Some(below), Some(above)) => (below + above) / 2.0,
            };
        }
    }
}

fn counts_before(a: &Fact<'_>, b: &Fact<'_>) -> Ordering {
    let key = |fact: &Fact<'_>| -> Option<Timestamp> { fact.valid().from };
    key(a).cmp(&key(b)).then_with(|| a.values().bytes().cmp(b.values().bytes()))
}

#[cfg(test)]
mod tests {
    use cpr_replika::bitemporal::Known;
    use cpr_replika::cpr_model::{Field, RowKind, Values, ValuesWriter};

    use super::*;

    /// An address of 1980-01-01 with this house number, believed from one delivery to another.
    fn address<'a>(house: &str, known: (u32, Option<u32>), packed: &'a mut Vec<u8>) -> Fact<'a> {
        let mut writer = ValuesWriter(packed);
        writer.digits(Field::MovedIn, 1980_01_01_12_00);
        writer.text(Field::HouseNumber, house.as_bytes());
        let known = Known { from: known.0, to: known.1 };
        Fact::new(2, RowKind::new(Aspect::Address, false), known, Values::new(packed)).expect("an aspect")
    }

    fn numbers(rows: &[(&str, (u32, Option<u32>))]) -> Vec<(String, u32, u32, f64)> {
        let mut packed = vec![Vec::new(); rows.len()];
        let facts: Vec<Fact<'_>> =
            rows.iter().zip(&mut packed).map(|((house, known), to)| address(house, *known, to)).collect();
        let numbered = number_facts(facts.into_iter(), &mut Calendar::default());
        let house = |row: &Numbered<'_>| row.fact.values().text(Field::HouseNumber).reveal().into_owned();
        numbered.iter().map(|row| (house(row), row.fact.known().from, row.number, row.tie_rank)).collect()
    }

    #[test]
    fn numbers_stay_when_later_deliveries_come_and_when_facts_are_closed() {
        let early = numbers(&[("B", (1, None)), ("A", (1, None)), ("A", (1, None))]);
        assert_eq!(early.iter().map(|row| row.2).collect::<Vec<_>>(), [0, 1, 2]);
        let later = numbers(&[("A", (1, Some(3))), ("C", (2, None)), ("B", (1, Some(2))), ("A", (1, None))]);
        assert_eq!(
            later[..3].iter().map(|row| (&row.0, row.2)).collect::<Vec<_>>(),
            early.iter().map(|row| (&row.0, row.2)).collect::<Vec<_>>()
        );
        assert_eq!(later[3].2, 0, "the first of its delivery");
    }

    #[test]
    fn facts_that_began_together_rank_by_their_bytes_and_keep_their_ranks() {
        let early = numbers(&[("C", (1, None)), ("A", (1, None))]);
        let later = numbers(&[("C", (1, None)), ("A", (1, None)), ("B", (2, None)), ("D", (3, None))]);
        assert_eq!(early[..], later[..2]);
        let mut by_rank = later;
        by_rank.sort_by(|a, b| a.3.total_cmp(&b.3));
        assert_eq!(by_rank.iter().map(|row| row.0.as_str()).collect::<String>(), "ABCD");
    }

    #[test]
    fn what_is_no_longer_believed_is_in_nobodys_way() {
        assert!(numbers(&[("C", (1, Some(2))), ("A", (2, None))]).iter().all(|row| row.3 == 0.0));
    }
}

//! What rows claim of valid time, so that history which CPR no longer sends can be held against it.
//!
//! Behind the customer's window a historic row stops coming and stays known. When a row comes that holds at the same
//! time and of the same thing (an earlier start of the current address, say), both cannot be true, and the one that CPR
//! states now is the one to keep. Only new claims count: rows that overlapped when they came stay as CPR sent them, but
//! a row does not speak for another one in its own place.

use std::collections::HashMap;

use crate::change::Fact;
use crate::{Aspect, Timestamp, Value};

/// What can be so once at a time: an aspect, or the residence line of three, and the slot where there are several.
type Line<'a> = (Aspect, Option<Value<'a>>);

/// Periods that rows claim, by line.
#[derive(Debug, Default)]
pub(super) struct Claims<'a> {
    /// Starts, ascending, each with the latest end of the periods up to it.
    of: HashMap<Line<'a>, Vec<(Timestamp, Timestamp)>>,
    /// Starts of rows before from which a row that came holds too.
    restated: HashMap<(Line<'a>, Timestamp), Restated>,
}

/// What was and what is said from one start of one line.
#[derive(Debug)]
struct Restated {
    /// The latest ends of two rows before; the start where there is but one.
    before: [Timestamp; 2],
    /// The latest end of a row that came; the start where none did.
    came: Timestamp,
}

impl<'a> Claims<'a> {
    /// The periods of the rows that came, as far as no row before claimed them from the same start.
    pub(super) fn read<'r>(before: &'r [Fact<'a>], came: impl Iterator<Item = &'r Fact<'a>>) -> Claims<'a>
    where
        'a: 'r,
    {
        let mut restated: HashMap<(Line<'a>, Timestamp), Restated> = HashMap::new();
        for (line, from, to) in before.iter().filter_map(period) {
            let said = restated.entry((line, from)).or_insert(Restated { before: [from; 2], came: from });
            let [first, second] = said.before;
            said.before = [first.max(to), second.max(first.min(to))];
        }
        let mut of: HashMap<Line<'a>, Vec<(Timestamp, Timestamp)>> = HashMap::new();
        for (line, from, to) in came.filter_map(period) {
            let said = restated.get_mut(&(line, from));
            let from = said.map_or(from, |said| {
                said.came = said.came.max(to);
                said.before[0]
            });
            if from < to {
                of.entry(line).or_default().push((from, to));
            }
        }
        for periods in of.values_mut() {
            periods.sort_unstable();
            let mut latest = periods[0].1;
            for (_, to) in periods {
                latest = latest.max(*to);
                *to = latest;
            }
        }
        Claims { of, restated }
    }

    /// True when a claim and a row of before cannot both be true.
    pub(super) fn contradict(&self, fact: &Fact<'_>) -> bool {
        let Some((line, from, to)) = period(fact) else { return false };
        // What the row itself said from its start does not speak for a row that now says it otherwise.
        if let Some(said) = self.restated.get(&(line, from)) {
            let by_others = if said.before[0] == to { said.before[1] } else { said.before[0] };
            if by_others < said.came.min(to) {
                return true;
            }
        }
        let Some(periods) = self.of.get(&line) else { return false };
        let begun = periods.partition_point(|(start, _)| *start < to);
        begun.checked_sub(1).is_some_and(|last| periods[last].1 > from)
    }
}

/// Where and when a row holds; none for one that is marked, has no start or no length.
fn period<'a>(fact: &Fact<'a>) -> Option<(Line<'a>, Timestamp, Timestamp)> {
    let period = fact.valid();
    let from = period.from?;
    let to = period.to.unwrap_or(Timestamp::LAST);
    if from >= to || fact.disproof().is_some() {
        return None;
    }
    let slot = fact.aspect.slot().and_then(|slot| fact.values.get(slot));
    let line = if fact.aspect.is_residence() { Aspect::Address } else { fact.aspect };
    Some(((line, slot), from, to))
}

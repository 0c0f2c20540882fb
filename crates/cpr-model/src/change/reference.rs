//! The classification as its rules tell it, without cleverness: every row that came against every one that is gone.

use super::{ChangeClass, Classified, Fact, Situation, has_aged_out, numbers};
use crate::{Aspect, CorrectionMark, Field, Status, Timestamp};

pub(super) fn classify(
    before: &[Fact<'_>],
    after: &[Fact<'_>],
    gone: &[usize],
    came: &[usize],
    situation: Situation,
) -> Vec<Classified> {
    let rules = Rules {
        before,
        after,
        marked: came.iter().copied().filter(|&new| after[new].disproof().is_some()).collect(),
        renumbered: situation.held_before && numbers(before, situation.window) != numbers(after, situation.window),
        came,
        situation,
    };
    let mut pairing = Pairing { gone: gone.to_vec(), came: came.to_vec(), changes: Vec::new() };
    if !rules.marked.is_empty() {
        // The version that a new K or Æ row disproves, with the row that now holds its place: first one of the same
        // start.
        pairing.pair(|old, new| rules.heir(old, new, |old, new| new.start() == old.start()));
        pairing.pair(|old, new| rules.heir(old, new, |old, new| old.follows(new)));
        // The marked row itself, with the row that it disproves, unless that one has its heir.
        pairing.pair(|old, new| rules.disproved_by(old, new));
    }
    // A current row that became history, and history that became current again.
    pairing.pair(|old, new| rules.turned(old, new));
    // Other values in the same place, and the same values with other bounds.
    pairing.pair(|old, new| rules.replaced(old, new));
    pairing.pair(|old, new| rules.moved_bounds(old, new));
    // Text without dates of its own goes with what it spells out, so it is judged last.
    let (texts, rest): (Vec<_>, Vec<_>) =
        pairing.came.iter().partition(|&&new| after[new].aspect == Aspect::FormattedAddress);
    pairing.changes.extend(rest.into_iter().map(|new| Classified {
        class: rules.came(new),
        before: None,
        after: Some(new),
    }));
    pairing.came = texts;
    let coded = rules.class_of_coded_change(&pairing.changes);
    pairing.pair(|old, new| (before[old].aspect == after[new].aspect).then_some(coded));
    let texts = pairing.came.iter().map(|&new| Classified { class: rules.came(new), before: None, after: Some(new) });
    pairing.changes.extend(texts);
    let left = pairing.gone.iter().map(|&old| Classified { class: rules.went(old), before: Some(old), after: None });
    pairing.changes.extend(left);
    let mut changes = pairing.changes;
    changes.sort_by_key(|change| {
        let fact = change.after.map(|new| &after[new]).or(change.before.map(|old| &before[old]));
        (fact.map(|fact| (fact.aspect, fact.historic)), change.after, change.before)
    });
    changes
}

/// The rows that are not yet part of a change.
struct Pairing {
    gone: Vec<usize>,
    came: Vec<usize>,
    changes: Vec<Classified>,
}

impl Pairing {
    /// Pairs each row that came with the first that is gone for which the rule gives a class.
    fn pair(&mut self, rule: impl Fn(usize, usize) -> Option<ChangeClass>) {
        let Pairing { gone, came, changes } = self;
        came.retain(|&new| {
            let found = gone.iter().enumerate().find_map(|(at, &old)| Some((at, old, rule(old, new)?)));
            let Some((at, old, class)) = found else { return true };
            gone.remove(at);
            changes.push(Classified { class, before: Some(old), after: Some(new) });
            false
        });
    }
}

/// What the rules look at.
struct Rules<'a> {
    before: &'a [Fact<'a>],
    after: &'a [Fact<'a>],
    /// The rows that came with a mark.
    marked: Vec<usize>,
    /// The numbers that the person is tied to are others than before.
    renumbered: bool,
    came: &'a [usize],
    situation: Situation,
}

impl Rules<'_> {
    /// The right version of a row that a new K or Æ row disproves. An A row has no heir: what it disproves never was.
    fn heir(&self, old: usize, new: usize, in_place: fn(&Fact<'_>, &Fact<'_>) -> bool) -> Option<ChangeClass> {
        let (old, new) = (&self.before[old], &self.after[new]);
        if new.disproof().is_some() || old.disproof().is_some() || !new.same_slot(old) || !in_place(old, new) {
            return None;
        }
        let mark = self
            .marked
            .iter()
            .find(|&&row| self.after[row].repeats(old))
            .and_then(|&row| self.after[row].disproof())?;
        (mark != CorrectionMark::Annulled).then_some(ChangeClass::of_mark(mark))
    }

    fn disproved_by(&self, old: usize, new: usize) -> Option<ChangeClass> {
        let (old, new) = (&self.before[old], &self.after[new]);
        let mark = new.disproof()?;
        (old.disproof().is_none() && new.repeats(old)).then_some(ChangeClass::of_mark(mark))
    }

    fn turned(&self, old: usize, new: usize) -> Option<ChangeClass> {
        let (old, new) = (&self.before[old], &self.after[new]);
        let turns = old.aspect == new.aspect && old.historic != new.historic;
        if !turns || old.disproof().is_some() || new.disproof().is_some() {
            return None;
        }
        if new.historic {
            // The residence of a number given up ends with the number, not with a move.
            let class =
                if self.renumbered && self.is_given_up() { ChangeClass::MovedNumber } else { ChangeClass::Ended };
            return new.repeats(old).then_some(class);
        }
        let class = match (self.renumbered, self.is_annulled(new.aspect)) {
            (_, true) => ChangeClass::Annulled,
            (true, false) => ChangeClass::MovedNumber,
            (false, false) => ChangeClass::Rewritten,
        };
        old.repeats(new).then_some(class)
    }

    fn replaced(&self, old: usize, new: usize) -> Option<ChangeClass> {
        let (old, new) = (&self.before[old], &self.after[new]);
        let same_place =
            new.historic == old.historic && new.same_slot(old) && (!new.historic || new.start() == old.start());
        let is_text = new.aspect == Aspect::FormattedAddress;
        if !same_place || is_text || old.disproof().is_some() != new.disproof().is_some() {
            return None;
        }
        let status = |fact: &Fact<'_>| fact.values.number(Field::Status);
        Some(match new.aspect {
            Aspect::Person if self.renumbered => ChangeClass::MovedNumber,
            Aspect::Person if status(new) != status(old) => ChangeClass::New,
            _ if new.start() != old.start() => self.start_class(new),
            _ => ChangeClass::Rewritten,
        })
    }

    /// History whose start moved and which says the same: a repair, or a neighbour's correction.
    fn moved_bounds(&self, old: usize, new: usize) -> Option<ChangeClass> {
        let (old, new) = (&self.before[old], &self.after[new]);
        if !(old.historic && new.historic && old.aspect == new.aspect) {
            return None;
        }
        let unmarked = old.disproof().is_none() && new.disproof().is_none() && !self.stays_known(old);
        (unmarked && new.same_slot(old) && new.says(old) && old.says(new)).then_some(ChangeClass::Rewritten)
    }

    /// The class of a row that came and has no partner.
    fn came(&self, new: usize) -> ChangeClass {
        let fact = &self.after[new];
        let is_old = self.starts_before_the_last_delivery(fact);
        match fact.disproof() {
            _ if !self.situation.held_before => ChangeClass::New,
            Some(mark) => ChangeClass::of_mark(mark),
            _ if self.renumbered && (fact.historic || is_old || fact.start().is_none()) => ChangeClass::MovedNumber,
            _ if self.is_annulled(fact.aspect) && !fact.historic && (is_old || fact.start().is_none()) => {
                ChangeClass::Annulled
            }
            _ => self.start_class(fact),
        }
    }

    /// The class of a row that went and has no partner.
    fn went(&self, old: usize) -> ChangeClass {
        let fact = &self.before[old];
        if self.stays_known(fact) {
            ChangeClass::AgedOut
        } else if self.renumbered {
            ChangeClass::MovedNumber
        } else if fact.historic {
            ChangeClass::Rewritten
        } else {
            ChangeClass::Ended
        }
    }

    /// The class that the text of an address (003) shares: that of the current residence, else of the name, else
    /// rewritten.
    fn class_of_coded_change(&self, changes: &[Classified]) -> ChangeClass {
        let current = |change: &&Classified, wanted: &dyn Fn(Aspect) -> bool| {
            let fact = change.after.map(|new| &self.after[new]);
            fact.is_some_and(|fact| !fact.historic && wanted(fact.aspect))
        };
        let of = |wanted: &dyn Fn(Aspect) -> bool| {
            changes.iter().find(|change| current(change, wanted)).map(|change| change.class)
        };
        let ended = changes.iter().any(|change| {
            change.before.is_some_and(|old| !self.before[old].historic && self.before[old].aspect.is_residence())
        });
        let status = of(&|aspect| aspect == Aspect::Person).filter(|_| ended);
        of(&Aspect::is_residence).or(of(&|aspect| aspect == Aspect::Name)).or(status).unwrap_or(ChangeClass::Rewritten)
    }

    /// New, or late when the fact began before the delivery that came before this one.
    fn start_class(&self, fact: &Fact<'_>) -> ChangeClass {
        let late = self.situation.held_before && self.starts_before_the_last_delivery(fact);
        if late { ChangeClass::LateReport } else { ChangeClass::New }
    }

    fn starts_before_the_last_delivery(&self, fact: &Fact<'_>) -> bool {
        self.situation.previous_production.is_some_and(|date| fact.start().is_some_and(|start| start.date() < date))
    }

    /// True when CPR annulled the version of this aspect that was believed.
    fn is_annulled(&self, aspect: Aspect) -> bool {
        self.marked.iter().any(|&new| {
            let row = &self.after[new];
            row.aspect == aspect && row.disproof() == Some(CorrectionMark::Annulled)
        })
    }

    /// True when the person's number is no longer the one in force.
    fn is_given_up(&self) -> bool {
        let status = self.after.iter().find(|fact| fact.aspect == Aspect::Person);
        status.and_then(|fact| fact.values.number(Field::Status)).is_some_and(|code| Status(code as u8).is_replaced())
    }

    /// True for history that ended before the customer's window and that no row that came contradicts.
    fn stays_known(&self, fact: &Fact<'_>) -> bool {
        has_aged_out(fact, self.situation.window)
            && !self.came.iter().any(|&new| self.contradicts(&self.after[new], fact))
    }

    /// True when both hold at one moment at which no other row of before held from the start of the new one.
    fn contradicts(&self, new: &Fact<'_>, old: &Fact<'_>) -> bool {
        let line = |fact: &Fact<'_>| if fact.aspect.is_residence() { Aspect::Address } else { fact.aspect };
        let is_dated = |fact: &Fact<'_>| {
            let period = fact.valid();
            fact.disproof().is_none() && period.from.is_some() && !period.is_empty()
        };
        let holds = |fact: &Fact<'_>, at| is_dated(fact) && fact.valid().contains(at);
        let same_line =
            |other: &Fact<'_>| line(other) == line(new) && (other.aspect != new.aspect || other.same_slot(new));
        let is_another = |row: &Fact<'_>| !std::ptr::eq(row, old);
        let from = new.valid().from;
        let said = |at| {
            let mut others = self.before.iter().filter(|row| is_another(row) && same_line(row));
            others.any(|row| row.valid().from == from && holds(row, at))
        };
        // Every bound of the rows of the tests: minutes of a day, or days.
        let moments =
            (0..8).chain((1..8).map(|day| day * 10_000)).filter_map(|at| Timestamp::from_digits(190_001_010_000 + at));
        same_line(old) && moments.into_iter().any(|at| holds(new, at) && holds(old, at) && !said(at))
    }
}

//! What kind of change a difference between two states of one person is.
//!
//! CPR sends states, not changes, so the class is read off the rows: their marks, their starts and ends, and what stood
//! in their place before. The rules are those of "Udtræksvejledning for offentlige brugere", told in docs/changes.md.

use std::fmt;

use crate::change::claims::Claims;
use crate::change::pairing::{By, FEW_PAIRS, Pairing};
use crate::{Aspect, CorrectionMark, Date, Fact, Field, RelatedPnr, Status, Timestamp, Value};

#[cfg(test)]
mod cases;
mod claims;
mod contents;
mod pairing;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

/// The class of one change.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
#[non_exhaustive]
pub enum ChangeClass {
    /// The fact began since the previous delivery, or the person was not held before.
    New,
    /// The fact began before the previous delivery and is told only now.
    LateReport,
    /// A current fact came to its end: it is history now, or it no longer comes.
    Ended,
    /// CPR marked a version as wrong (K) and holds the right one.
    Corrected,
    /// CPR marked a row as never true (A), and what stood before it may stand again.
    Annulled,
    /// Reshaped by a technical change (Æ).
    Technical,
    /// Other values than before with no mark and no new start: a neighbour's date, a repair, a text.
    Rewritten,
    /// A historic row that fell out of the customer's history window. It stays known.
    AgedOut,
    /// The fact went to, or came from, another number of the same person.
    MovedNumber,
}

impl ChangeClass {
    /// Every class, in the order of their numbers.
    pub const ALL: [ChangeClass; 9] = [
        ChangeClass::New,
        ChangeClass::LateReport,
        ChangeClass::Ended,
        ChangeClass::Corrected,
        ChangeClass::Annulled,
        ChangeClass::Technical,
        ChangeClass::Rewritten,
        ChangeClass::AgedOut,
        ChangeClass::MovedNumber,
    ];

    /// The name in snake case, stable.
    pub fn name(self) -> &'static str {
        match self {
            ChangeClass::New => "new",
            ChangeClass::LateReport => "late_report",
            ChangeClass::Ended => "ended",
            ChangeClass::Corrected => "corrected",
            ChangeClass::Annulled => "annulled",
            ChangeClass::Technical => "technical",
            ChangeClass::Rewritten => "silently_rewritten",
            ChangeClass::AgedOut => "aged_out",
            ChangeClass::MovedNumber => "moved_number",
        }
    }

    fn of_mark(mark: CorrectionMark) -> ChangeClass {
        match mark {
            CorrectionMark::Corrected => ChangeClass::Corrected,
            CorrectionMark::Annulled => ChangeClass::Annulled,
            CorrectionMark::Technical => ChangeClass::Technical,
        }
    }
}

impl fmt::Display for ChangeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Fact<'_> {
    /// CPR's mark, if the row has one. A historic church row has no field for it: one without length is a corrected
    /// one.
    fn disproof(&self) -> Option<CorrectionMark> {
        let wrong_church = self.aspect == Aspect::Church && self.historic && self.valid().is_empty();
        let mark = self.mark();
        mark.or(wrong_church.then_some(CorrectionMark::Corrected))
    }

    fn start(&self) -> Option<Timestamp> {
        self.aspect.start().and_then(|field| self.values.timestamp(field))
    }

    /// True when `self`, a historic row, holds the values of `other` from the same start.
    fn repeats(&self, other: &Fact<'_>) -> bool {
        self.aspect == other.aspect && self.start() == other.start() && self.says(other)
    }

    /// True when every value of `self` is one of `other`: all but the bounds, the mark and the registration.
    fn says(&self, other: &Fact<'_>) -> bool {
        self.content().all(|(field, value)| other.values.get(field) == Some(value))
    }

    /// The values that say something of the world: all but the bounds, the mark and the registration.
    fn content(&self) -> impl Iterator<Item = (Field, Value<'_>)> {
        let bounds = [self.aspect.start(), self.aspect.end(), Some(Field::CorrectionMark)];
        self.values.iter().filter(move |(field, _)| {
            // A historic stay abroad adds its immigration half to the row that was current.
            let added = END_MARKS.contains(field) || *field == Field::ImmigrationCountryCode;
            !bounds.contains(&Some(*field)) && !added && !field.is_registration()
        })
    }

    /// True when both are about the same thing: the aspect, and the kind, child or note where a person has several.
    fn same_slot(&self, other: &Fact<'_>) -> bool {
        self.aspect == other.aspect
            && self.aspect.slot().is_none_or(|slot| self.values.get(slot) == other.values.get(slot))
    }

    /// True when `new` stands where this row stood: current for current, or history with one bound in common.
    fn follows(&self, new: &Fact<'_>) -> bool {
        let shares_end = new.valid().to.is_some() && new.valid().to == self.valid().to;
        new.historic == self.historic && (!new.historic || new.start() == self.start() || shares_end)
    }
}

/// Marks of uncertainty that belong to an end and are therefore no part of what the row said while it was current.
const END_MARKS: [Field; 9] = [
    Field::NameEndUncertain,
    Field::CitizenshipEndUncertain,
    Field::CivilStatusEndUncertain,
    Field::MovedOutUncertain,
    Field::ImmigratedUncertain,
    Field::FoundAgainUncertain,
    Field::ChurchMembershipEndUncertain,
    Field::SeparationEndUncertain,
    Field::PnrEndDateUncertain,
];

/// What the classification must know beside the rows.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The person was held before.
    pub held_before: bool,
    /// The production date of the delivery before: what began earlier is a late report.
    pub previous_production: Option<Date>,
    /// Historic rows that end at this moment or before it need no longer be delivered.
    pub window: Option<Timestamp>,
}

/// One classified change: positions in the two lists that were compared. Each row that went or came is in exactly one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Classified {
    /// The class.
    pub class: ChangeClass,
    /// The row that ceased, if one did.
    pub before: Option<usize>,
    /// The row that came, if one did.
    pub after: Option<usize>,
}

/// Classifies the difference between two states of one person: `gone` are the positions in `before` without an equal
/// row in `after`, `came` those in `after` without one in `before`.
///
/// Rows are paired by a sequence of rules, the most telling first (docs/changes.md); what no rule pairs stands alone.
/// Time grows with the rows, also where all of them changed: `pairing` finds partners by what a rule asks to be equal.
pub fn classify(
    before: &[Fact<'_>],
    after: &[Fact<'_>],
    gone: &[usize],
    came: &[usize],
    situation: Situation,
) -> Vec<Classified> {
    let pairing = Pairing::new(before, after, gone, came, FEW_PAIRS);
    classify_open(Rules::new(before, after, came, situation), pairing).0
}

/// The changes, and how often one row was held against another or looked up by a key.
fn classify_open<'a>(rules: Rules<'a>, mut pairing: Pairing<'a>) -> (Vec<Classified>, usize) {
    let any = |_: &Fact<'_>| true;
    let is_stated = |old: &Fact<'_>| !rules.stays_known(old);
    if pairing.has_marks() {
        // The version that a new K or Æ row disproves, with the row that now holds its place: first one of the same
        // start.
        pairing.find_disproved();
        pairing.pair(By::HeirOfStart, any, |old, new, mark| {
            rules.heir(old, new, mark, |old, new| new.start() == old.start())
        });
        pairing.pair(By::HeirInPlace, any, |old, new, mark| rules.heir(old, new, mark, |old, new| old.follows(new)));
        // The marked row itself, with the row that it disproves, unless that one has its heir.
        pairing.pair(By::Disproof, any, |old, new, _| rules.disproved_by(old, new));
    }
    // A current row that became history, and history that became current again.
    pairing.pair(By::Turn, any, |old, new, _| rules.turned(old, new));
    // Other values in the same place, and the same values with other bounds.
    pairing.pair(By::Place, any, |old, new, _| rules.replaced(old, new));
    pairing.pair(By::Content, is_stated, |old, new, _| rules.moved_bounds(old, new));
    // Text without dates of its own goes with what it spells out, so it is judged last.
    pairing.settle_new(|new| (new.aspect != Aspect::FormattedAddress).then(|| rules.came(new)));
    let coded = rules.class_of_coded_change(&pairing.changes);
    pairing.pair(By::Aspect, any, |old, new, _| (old.aspect == new.aspect).then_some(coded));
    pairing.settle_new(|new| Some(rules.came(new)));
    pairing.settle_gone(|old| rules.went(old));
    let Pairing { mut changes, looks, .. } = pairing;
    changes.sort_by_key(|change| {
        let fact = change.after.map(|new| &rules.after[new]).or(change.before.map(|old| &rules.before[old]));
        (fact.map(|fact| (fact.aspect, fact.historic)), change.after, change.before)
    });
    (changes, looks)
}

/// What the rules look at, as far as it is not one row against another.
struct Rules<'a> {
    before: &'a [Fact<'a>],
    after: &'a [Fact<'a>],
    /// The aspects of which CPR annulled the version that was believed, by their numbers.
    annulled: u64,
    /// The numbers that the person is tied to are others than before.
    renumbered: bool,
    /// The person's number is no longer the one in force.
    given_up: bool,
    situation: Situation,
    /// What the rows that came claim of valid time.
    claims: Claims<'a>,
}

impl<'a> Rules<'a> {
    fn new(before: &'a [Fact<'a>], after: &'a [Fact<'a>], came: &[usize], situation: Situation) -> Rules<'a> {
        let marked_annulled = came.iter().filter(|&&new| after[new].disproof() == Some(CorrectionMark::Annulled));
        let status = after.iter().find(|fact| fact.aspect == Aspect::Person);
        let status = status.and_then(|fact| fact.values.number(Field::Status));
        let claims = situation.window.map(|_| Claims::read(before, came.iter().map(|&new| &after[new])));
        let numbers = |facts| numbers(facts, situation.window);
        Rules {
            before,
            after,
            annulled: marked_annulled.fold(0, |set, &new| set | 1 << after[new].aspect.number()),
            renumbered: situation.held_before && numbers(before) != numbers(after),
            given_up: status.is_some_and(|code| Status(code as u8).is_replaced()),
            situation,
            claims: claims.unwrap_or_default(),
        }
    }
}

impl Rules<'_> {
    /// The right version of a row that a new K or Æ row disproves: `mark` is that of the row that repeats the old one.
    /// An A row has no heir: what it disproves never was.
    fn heir(
        &self,
        old: &Fact<'_>,
        new: &Fact<'_>,
        mark: Option<CorrectionMark>,
        in_place: fn(&Fact<'_>, &Fact<'_>) -> bool,
    ) -> Option<ChangeClass> {
        if new.disproof().is_some() || old.disproof().is_some() || !new.same_slot(old) || !in_place(old, new) {
            return None;
        }
        mark.filter(|mark| *mark != CorrectionMark::Annulled).map(ChangeClass::of_mark)
    }

    fn disproved_by(&self, old: &Fact<'_>, new: &Fact<'_>) -> Option<ChangeClass> {
        let mark = new.disproof()?;
        (old.disproof().is_none() && new.repeats(old)).then_some(ChangeClass::of_mark(mark))
    }

    fn turned(&self, old: &Fact<'_>, new: &Fact<'_>) -> Option<ChangeClass> {
        let turns = old.aspect == new.aspect && old.historic != new.historic;
        if !turns || old.disproof().is_some() || new.disproof().is_some() {
            return None;
        }
        if new.historic {
            // The residence of a number given up ends with the number, not with a move.
            let moved = self.renumbered && self.given_up;
            let class = if moved { ChangeClass::MovedNumber } else { ChangeClass::Ended };
            return new.repeats(old).then_some(class);
        }
        let class = match (self.renumbered, self.is_annulled(new.aspect)) {
            (_, true) => ChangeClass::Annulled,
            (true, false) => ChangeClass::MovedNumber,
            (false, false) => ChangeClass::Rewritten,
        };
        old.repeats(new).then_some(class)
    }

    fn replaced(&self, old: &Fact<'_>, new: &Fact<'_>) -> Option<ChangeClass> {
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
    fn moved_bounds(&self, old: &Fact<'_>, new: &Fact<'_>) -> Option<ChangeClass> {
        if !(old.historic && new.historic && old.aspect == new.aspect) {
            return None;
        }
        let unmarked = old.disproof().is_none() && new.disproof().is_none() && !self.stays_known(old);
        (unmarked && new.same_slot(old) && new.says(old) && old.says(new)).then_some(ChangeClass::Rewritten)
    }

    /// The class of a row that came and has no partner.
    fn came(&self, fact: &Fact<'_>) -> ChangeClass {
        let is_old = self.starts_before_the_last_delivery(fact);
        if !self.situation.held_before {
            return ChangeClass::New;
        }
        match fact.disproof() {
            Some(mark) => ChangeClass::of_mark(mark),
            _ if self.renumbered && (fact.historic || is_old || fact.start().is_none()) => ChangeClass::MovedNumber,
            _ if self.is_annulled(fact.aspect) && !fact.historic && (is_old || fact.start().is_none()) => {
                ChangeClass::Annulled
            }
            _ => self.start_class(fact),
        }
    }

    /// The class of a row that went and has no partner.
    fn went(&self, fact: &Fact<'_>) -> ChangeClass {
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
        self.annulled >> aspect.number() & 1 == 1
    }

    /// True for history that ended before the customer's window, unless a row that came says otherwise of its time:
    /// that one takes its place, since CPR no longer states the old one.
    fn stays_known(&self, fact: &Fact<'_>) -> bool {
        has_aged_out(fact, self.situation.window) && !self.claims.contradict(fact)
    }
}

/// True for history that ended before the customer's window.
fn has_aged_out(fact: &Fact<'_>, window: Option<Timestamp>) -> bool {
    let end = fact.valid().to;
    fact.historic && window.is_some_and(|window| end.is_some_and(|end| end <= window))
}

/// What ties a person to other numbers: the number in force and the numbers given up, but for those given up before the
/// customer's window, which do not come whether they are tied or not.
fn numbers<'a>(facts: &[Fact<'a>], window: Option<Timestamp>) -> Vec<Option<RelatedPnr>> {
    let field = |fact: &Fact<'a>| match fact.aspect {
        Aspect::Person => Some(fact.values.pnr(Field::CurrentPnr)),
        Aspect::FormerNumber => Some(fact.values.pnr(Field::FormerPnr)),
        _ => None,
    };
    let mut numbers: Vec<_> = facts.iter().filter(|fact| !has_aged_out(fact, window)).filter_map(field).collect();
    numbers.sort_by_key(|number| match number {
        Some(RelatedPnr::Known(pnr)) => Some(*pnr),
        _ => None,
    });
    numbers
}

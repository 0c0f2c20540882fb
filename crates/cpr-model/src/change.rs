//! What kind of change a difference between two states of one person is.
//!
//! CPR sends states, not changes, so the class is read off the rows: their marks, their starts and ends, and what stood
//! in their place before. The rules are those of "Udtræksvejledning for offentlige brugere", told in docs/changes.md.

use std::fmt;

use bitemporal::Period;

use crate::{Aspect, CorrectionMark, Date, Field, RelatedPnr, Timestamp, Values};

/// The class of one change.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
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

/// A fact as the classification sees it.
#[derive(Clone, Copy, Debug)]
pub struct FactRef<'a> {
    /// What it is about.
    pub aspect: Aspect,
    /// True for a historic record.
    pub historic: bool,
    /// Its packed values.
    pub values: Values<'a>,
}

impl FactRef<'_> {
    /// CPR's mark, if the row has one.
    pub fn mark(&self) -> Option<CorrectionMark> {
        self.values.flag(Field::CorrectionMark).and_then(CorrectionMark::from_latin1)
    }

    /// The period in the row, marks not looked at.
    pub fn period(&self) -> Period<Timestamp> {
        self.aspect.period(self.values, self.historic)
    }

    fn start(&self) -> Option<Timestamp> {
        self.aspect.start().and_then(|field| self.values.timestamp(field))
    }

    fn unmarked(&self) -> bool {
        self.mark().is_none()
    }

    /// True when `self`, a historic row, holds the values of `other`: all but the end, the mark and the registration.
    fn repeats(&self, other: &FactRef<'_>) -> bool {
        let end = self.aspect.end();
        self.aspect == other.aspect
            && self.start() == other.start()
            && self
                .values
                .iter()
                .filter(|(field, _)| {
                    Some(*field) != end
                        && *field != Field::CorrectionMark
                        && !field.is_registration()
                        && !END_MARKS.contains(field)
                })
                .all(|(field, value)| {
                    // A historic stay abroad adds its immigration half to the row that was current.
                    let added = matches!(field, Field::ImmigrationCountryCode);
                    added || other.values.get(field) == Some(value)
                })
    }

    /// True when both rows stand in the same place: the same current row, or history from the same start.
    fn replaces(&self, other: &FactRef<'_>) -> bool {
        self.aspect == other.aspect
            && self.historic == other.historic
            && self.aspect.slot().is_none_or(|slot| self.values.get(slot) == other.values.get(slot))
            && (!self.historic || self.start() == other.start())
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
pub fn classify(
    before: &[FactRef<'_>],
    after: &[FactRef<'_>],
    gone: &[usize],
    came: &[usize],
    situation: Situation,
) -> Vec<Classified> {
    let renumbered = situation.held_before && numbers(before) != numbers(after);
    let mut gone: Vec<usize> = gone.to_vec();
    let mut came: Vec<usize> = came.to_vec();
    let mut changes = Vec::with_capacity(gone.len() + came.len());
    let mut take =
        |gone: &mut Vec<usize>, came: &mut Vec<usize>, class_of: &dyn Fn(usize, usize) -> Option<ChangeClass>| {
            came.retain(|&new| {
                let found = gone.iter().enumerate().find_map(|(at, &old)| Some((at, old, class_of(old, new)?)));
                if let Some((at, old, class)) = found {
                    gone.remove(at);
                    changes.push(Classified { class, before: Some(old), after: Some(new) });
                }
                found.is_none()
            });
        };
    let marked: Vec<usize> = came.iter().copied().filter(|&new| !after[new].unmarked()).collect();
    // The version that a new K or Æ row holds, against the row that now stands in its place; an A row has no heir.
    let disproved = |old: usize| {
        let old = &before[old];
        let mark =
            marked.iter().find(|&&new| old.unmarked() && after[new].repeats(old)).and_then(|&new| after[new].mark());
        mark.map(ChangeClass::of_mark)
    };
    take(&mut gone, &mut came, &|old, new| {
        let class = disproved(old).filter(|&class| class != ChangeClass::Annulled)?;
        (after[new].unmarked() && heir(&after[new], &before[old])).then_some(class)
    });
    // The marked row itself, against the row that it disproves, unless that one has its heir.
    take(&mut gone, &mut came, &|old, new| {
        let mark = after[new].mark()?;
        (before[old].unmarked() && after[new].repeats(&before[old])).then_some(ChangeClass::of_mark(mark))
    });
    // A current row that became history; history that became current again, as an annulment leaves it.
    let annulled = |aspect: Aspect| {
        marked.iter().any(|&new| after[new].aspect == aspect && after[new].mark() == Some(CorrectionMark::Annulled))
    };
    take(&mut gone, &mut came, &|old, new| {
        let (old, new) = (&before[old], &after[new]);
        if !old.unmarked() || !new.unmarked() || old.historic == new.historic {
            None
        } else if new.historic {
            new.repeats(old).then_some(ChangeClass::Ended)
        } else {
            let class = if annulled(new.aspect) { ChangeClass::Annulled } else { ChangeClass::Rewritten };
            old.repeats(new).then_some(class)
        }
    });
    // Other values in the same place, from the same start: rewritten. From another start: a new fact took the place.
    let moved = came.iter().any(|&new| after[new].aspect.is_residence() || after[new].aspect == Aspect::Name)
        || gone.iter().any(|&old| before[old].aspect.is_residence() || before[old].aspect == Aspect::Name)
        || changes_residence(before, after);
    let aged = |old: &FactRef<'_>| {
        let (historic, end) = (old.historic, old.period().to);
        historic && situation.window.is_some_and(|window| end.is_some_and(|end| end <= window))
    };
    take(&mut gone, &mut came, &|old, new| {
        let (old, new) = (&before[old], &after[new]);
        if !new.replaces(old) || old.unmarked() != new.unmarked() || aged(old) {
            return None;
        }
        let status_changed = new.aspect == Aspect::Person && status(new) != status(old);
        Some(match new.aspect {
            Aspect::Person if renumbered => ChangeClass::MovedNumber,
            Aspect::Person if status_changed => ChangeClass::New,
            Aspect::FormattedAddress if moved => ChangeClass::New,
            _ if new.start() != old.start() => start_class(new, situation),
            _ => ChangeClass::Rewritten,
        })
    });
    for new in came {
        let fact = &after[new];
        let class = match fact.mark() {
            Some(mark) if situation.held_before => ChangeClass::of_mark(mark),
            _ if renumbered && (fact.historic || fact.aspect == Aspect::FormerNumber) => ChangeClass::MovedNumber,
            _ => start_class(fact, situation),
        };
        changes.push(Classified { class, before: None, after: Some(new) });
    }
    for old in gone {
        let fact = &before[old];
        let class = if aged(fact) {
            ChangeClass::AgedOut
        } else if renumbered {
            ChangeClass::MovedNumber
        } else if fact.historic {
            ChangeClass::Rewritten
        } else {
            ChangeClass::Ended
        };
        changes.push(Classified { class, before: Some(old), after: None });
    }
    changes.sort_by_key(|change| {
        let fact = change.after.map(|new| &after[new]).or(change.before.map(|old| &before[old]));
        (fact.map(|fact| (fact.aspect, fact.historic)), change.after, change.before)
    });
    changes
}

/// New, or late when the fact began before the delivery that came before this one.
fn start_class(fact: &FactRef<'_>, situation: Situation) -> ChangeClass {
    let late = situation.previous_production.is_some_and(|date| fact.start().is_some_and(|start| start.date() < date));
    if situation.held_before && late { ChangeClass::LateReport } else { ChangeClass::New }
}

/// True when `new` is the right version of the row `old`: it stands in the same place, or, for history, overlaps it.
fn heir(new: &FactRef<'_>, old: &FactRef<'_>) -> bool {
    let slot_matches = new.aspect.slot().is_none_or(|slot| new.values.get(slot) == old.values.get(slot));
    new.aspect == old.aspect
        && slot_matches
        && new.historic == old.historic
        && (!new.historic || new.start() == old.start() || new.period().to == old.period().to)
}

/// What ties a person to other numbers: the number in force and the numbers given up.
fn numbers<'a>(facts: &[FactRef<'a>]) -> Vec<Option<RelatedPnr>> {
    let field = |fact: &FactRef<'a>| match fact.aspect {
        Aspect::Person => Some(fact.values.pnr(Field::CurrentPnr)),
        Aspect::FormerNumber => Some(fact.values.pnr(Field::FormerPnr)),
        _ => None,
    };
    let mut numbers: Vec<_> = facts.iter().filter_map(field).collect();
    numbers.sort_by_key(|number| match number {
        Some(RelatedPnr::Known(pnr)) => Some(*pnr),
        _ => None,
    });
    numbers
}

fn status(fact: &FactRef<'_>) -> Option<u16> {
    fact.values.number(Field::Status)
}

/// True when the current rows of the residence line or of the name differ.
fn changes_residence(before: &[FactRef<'_>], after: &[FactRef<'_>]) -> bool {
    let current = |fact: &&FactRef<'_>| !fact.historic && (fact.aspect.is_residence() || fact.aspect == Aspect::Name);
    !before.iter().filter(current).map(|f| f.values).eq(after.iter().filter(current).map(|f| f.values))
}

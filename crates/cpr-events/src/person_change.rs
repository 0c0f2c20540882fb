//! One person in one delivery: what stood before, what stands after, and the records that say why.

use std::collections::{BTreeMap, BTreeSet};

use cpr_model::{
    Aspect, ChangeClass, CurrentRows, Date, Fact, Field, MunicipalityCode, PersonKey, Pnr, ProtectionKind, RelatedPnr,
    Situation, Status, Timestamp, Value, classify, facts,
};

use crate::aspect_set::AspectSet;
use crate::cause::Cause;
use crate::kind::EventKind;

/// What the rules look at of one side: the rows that count, and what they compare of them.
pub(crate) struct State<'a> {
    rows: CurrentRows<'a>,
    pub(crate) status: Option<Status>,
    /// BESKYTTYPE of each protection, ascending.
    pub(crate) protections: Vec<ProtectionKind>,
    pub(crate) children: Vec<Pnr>,
    /// Mother and father, each with the date of the relation.
    pub(crate) parents: [(Option<RelatedPnr>, Option<Date>); 2],
    /// PNRGAELD and the numbers given up, ascending. When a number change is undone, the two swap.
    pub(crate) numbers: (Option<Pnr>, Vec<Pnr>),
}

fn known(number: Option<RelatedPnr>) -> Option<Pnr> {
    match number {
        Some(RelatedPnr::Known(pnr)) => Some(pnr),
        _ => None,
    }
}

impl<'a> State<'a> {
    fn read(facts: &[Fact<'a>]) -> State<'a> {
        let rows = CurrentRows::read(facts.iter().copied(), None);
        let of = rows.row(Aspect::Parents).or_else(|| rows.row(Aspect::Person));
        let parent = |number, since| {
            let values = of?.values();
            values.pnr(number).map(|number| (Some(number), values.date(since)))
        };
        State {
            status: rows.status(),
            protections: rows.protection_kinds(),
            children: rows.children(),
            parents: [
                parent(Field::MotherPnr, Field::MotherRelationDate).unwrap_or_default(),
                parent(Field::FatherPnr, Field::FatherRelationDate).unwrap_or_default(),
            ],
            numbers: (rows.stated_current_pnr(), rows.former_numbers()),
            rows,
        }
    }

    /// FOED_DT.
    fn birth_date(&self) -> Option<Date> {
        self.rows.birth_date()
    }

    /// Where the person lives or lived last.
    pub(crate) fn address(&self) -> Option<facts::Address<'a>> {
        self.rows.last_known_address()
    }

    /// Where the person lives.
    pub(crate) fn municipality(&self) -> Option<MunicipalityCode> {
        self.rows.municipality()
    }

    pub(crate) fn civil_status(&self) -> Option<Fact<'a>> {
        self.rows.row(Aspect::CivilStatus)
    }

    pub(crate) fn has_status(&self, status: u8) -> bool {
        self.status == Some(Status(status))
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status.is_some_and(Status::is_active)
    }

    /// CIVST.
    pub(crate) fn civil_letter(&self) -> Option<u8> {
        self.civil_status()?.values().text(Field::CivilStatus).latin1().first().copied()
    }

    /// True when there is a name that is not the blank one of a newborn.
    pub(crate) fn is_named(&self) -> bool {
        let name = self.rows.row(Aspect::Name);
        let filled = |field| name.is_some_and(|name| !name.values().text(field).is_empty());
        filled(Field::GivenNames) || filled(Field::Surname)
    }

    pub(crate) fn has_parent(&self) -> bool {
        self.parents.iter().any(|(number, _)| number.is_some())
    }
}

/// One change with its class and its sides.
pub(crate) struct FactChange<'a> {
    pub(crate) class: ChangeClass,
    pub(crate) before: Option<Fact<'a>>,
    pub(crate) after: Option<Fact<'a>>,
}

impl FactChange<'_> {
    fn aspect(&self) -> Option<Aspect> {
        self.after.or(self.before).map(|fact| fact.aspect())
    }
}

/// One person in one delivery.
pub struct PersonChange<'a> {
    /// The person was held before the delivery.
    pub(crate) held_before: bool,
    /// Before the delivery nobody was held.
    pub(crate) is_first: bool,
    /// FOED_DT; the date that the number says where there is none.
    pub(crate) birth_date: Date,
    /// FOED_DT of children that came, as far as they are held.
    pub child_births: BTreeMap<Pnr, Date>,
    pub(crate) production_date: Date,
    pub(crate) before: State<'a>,
    pub(crate) after: State<'a>,
    pub(crate) changes: Vec<FactChange<'a>>,
    pub(crate) changed: AspectSet,
    /// Aspects that changed because the number did, and in which nothing began.
    pub(crate) renumbered: AspectSet,
    /// What an event of a changed number explains: no row of it came or went for another reason.
    pub(crate) renumbering: AspectSet,
    /// What the rules so far have explained.
    pub(crate) consumed: AspectSet,
    /// The event records of the delivery, in the order of the lines.
    pub(crate) causes: Vec<Cause>,
}

/// What is the same for every person of a delivery.
#[derive(Clone, Copy)]
pub struct DeliveryContext {
    /// Its number, the known time of what it brought.
    pub number: u32,
    /// Its production date.
    pub production_date: Date,
    /// The production date of the delivery before; none for the first.
    pub previous_production: Option<Date>,
    /// Historic rows that end at this moment or before it need no longer come.
    pub window: Option<Timestamp>,
}

impl<'a> PersonChange<'a> {
    /// Reads what changed off what was believed before a delivery and after it; `causes` are the event records that the
    /// delivery brought, in the order of its lines.
    pub fn read(
        before: &[Fact<'a>],
        after: &[Fact<'a>],
        causes: Vec<Cause>,
        key: PersonKey,
        context: DeliveryContext,
    ) -> PersonChange<'a> {
        let number = context.number;
        let place = |facts: &[Fact<'a>], is_it: &dyn Fn(&Fact<'a>) -> bool| -> Vec<usize> {
            (0..facts.len()).filter(|&at| is_it(&facts[at])).collect()
        };
        let gone = place(before, &|fact| fact.known().to == Some(number));
        let came = place(after, &|fact| fact.known().from == number);
        let situation = Situation {
            held_before: !before.is_empty(),
            previous_production: context.previous_production,
            window: context.window,
        };
        let mut changes = Vec::new();
        if !gone.is_empty() || !came.is_empty() {
            let classified = classify(before, after, &gone, &came, situation);
            changes.extend(classified.into_iter().map(|change| FactChange {
                class: change.class,
                before: change.before.map(|at| before[at]),
                after: change.after.map(|at| after[at]),
            }));
        }
        let of = |wanted: &dyn Fn(&FactChange<'a>) -> bool| {
            let aspects: Vec<Aspect> =
                changes.iter().filter(|side| wanted(side)).filter_map(FactChange::aspect).collect();
            AspectSet::of(&aspects)
        };
        let moved = of(&|side| side.class == ChangeClass::MovedNumber);
        let besides = |side: &FactChange<'a>| {
            !matches!(side.class, ChangeClass::MovedNumber | ChangeClass::Rewritten | ChangeClass::Ended)
        };
        let changed = of(&|_| true);
        let quiet = changed.without(of(&besides));
        let (before, after) = (State::read(before), State::read(after));
        // A number that was given up loses rows, or what they say, in aspects that moved to the other number.
        let given_up = after.status.is_some_and(Status::is_replaced);
        PersonChange {
            held_before: situation.held_before,
            is_first: context.previous_production.is_none(),
            birth_date: after.birth_date().unwrap_or_else(|| key.date()),
            child_births: BTreeMap::new(),
            production_date: context.production_date,
            before,
            after,
            changes,
            changed,
            renumbered: if given_up { quiet } else { quiet & moved },
            renumbering: AspectSet::default(),
            consumed: AspectSet::default(),
            causes,
        }
    }

    /// True when the aspect changed and no rule has explained it yet.
    pub(crate) fn is_open(&self, aspect: Aspect) -> bool {
        self.changed.without(self.consumed).has(aspect)
    }

    /// True when a current row of the aspect came that began anew, told in time or late.
    pub(crate) fn is_fresh(&self, aspect: Aspect) -> bool {
        self.changes.iter().any(|side| {
            let current = side.after.is_some_and(|fact| fact.aspect() == aspect && !fact.is_historic());
            current && matches!(side.class, ChangeClass::New | ChangeClass::LateReport)
        })
    }

    /// True when CPR marked a version of the aspect as wrong or never true.
    pub(crate) fn is_corrected(&self, aspect: Aspect) -> bool {
        let marked = |side: &FactChange<'_>| matches!(side.class, ChangeClass::Corrected | ChangeClass::Annulled);
        self.changes.iter().any(|side| side.aspect() == Some(aspect) && marked(side))
    }

    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.causes.iter().any(|cause| cause.is_one_of(codes))
    }

    /// Children that came and children that went.
    pub fn children(&self) -> (Vec<Pnr>, Vec<Pnr>) {
        let not_in = |these: &[Pnr], those: &[Pnr]| -> Vec<Pnr> {
            these.iter().copied().filter(|child| those.binary_search(child).is_err()).collect()
        };
        let (before, after) = (&self.before.children, &self.after.children);
        (not_in(after, before), not_in(before, after))
    }

    /// The birth date of a child that came: as recorded when the child is held, else as its number says.
    pub(crate) fn birth_of(&self, child: Pnr) -> Option<Date> {
        self.child_births.get(&child).copied().or_else(|| child.key().map(PersonKey::date))
    }

    /// True when a change of numbers explains what changed in an aspect. Rows of custody and of guardians must say the
    /// same but for the number of the other; in the other relations the number is what tells the rows apart.
    pub(crate) fn only_numbers_differ(&self, aspect: Aspect) -> bool {
        if !matches!(aspect, Aspect::Custody | Aspect::Guardianship) {
            return true;
        }
        fn says(fact: Fact<'_>) -> impl Iterator<Item = (Field, Value<'_>)> {
            let all = fact.values().iter();
            all.filter(|(field, value)| !matches!(value, Value::Pnr(_)) && !field.is_registration())
        }
        let mut changes = self.changes.iter().filter(|side| side.aspect() == Some(aspect));
        changes.all(|side| side.before.zip(side.after).is_some_and(|(before, after)| says(before).eq(says(after))))
    }

    /// True for a birth date within a year before the delivery.
    pub(crate) fn is_newborn(&self, birth: Date) -> bool {
        birth <= self.production_date && birth > self.production_date.years_before(1)
    }

    /// The other numbers in the rows that changed: those that came or went; when none did, those that stand in them.
    pub(crate) fn related(&self, aspects: AspectSet, kind: EventKind) -> Vec<Pnr> {
        let numbers = |side: &dyn Fn(&FactChange<'a>) -> Option<Fact<'a>>| -> BTreeSet<Pnr> {
            let rows = self.changes.iter().filter_map(side).filter(|fact| aspects.has(fact.aspect()));
            rows.flat_map(|fact| {
                // The person's row of the full-table product names the parents too.
                let of_parents = matches!(kind, EventKind::ChildBorn | EventKind::ParentRecorded);
                let all = fact.aspect() != Aspect::Person || of_parents;
                fact.values().iter().filter_map(move |(field, value)| match value {
                    Value::Pnr(number) if all || field == Field::CurrentPnr => known(Some(number)),
                    _ => None,
                })
            })
            .collect()
        };
        let (before, after) = (numbers(&|side| side.before), numbers(&|side| side.after));
        let apart: Vec<Pnr> = before.symmetric_difference(&after).copied().collect();
        if apart.is_empty() { before.union(&after).copied().collect() } else { apart }
    }

    /// The start of the current row that came, of the first of these aspects that has one; else the end of a row that
    /// became history.
    pub(crate) fn valid_from(&self, kind: EventKind, aspects: &[Aspect]) -> Option<Timestamp> {
        // CPR tells no day on which somebody turned out to live; the rows that stand again are as old as they were.
        if kind == EventKind::DeathUndone {
            return None;
        }
        let came = |aspect: Aspect, historic: bool| {
            let rows = self.changes.iter().filter_map(|side| side.after);
            rows.filter(move |fact| fact.aspect() == aspect && fact.is_historic() == historic && fact.mark().is_none())
        };
        let start = |fact: Fact<'_>| {
            let date = |field| fact.values().timestamp(field);
            match (kind, fact.aspect()) {
                (EventKind::NumberChanged, Aspect::Person) => date(Field::PnrEndDate).or(date(Field::PnrStartDate)),
                // The relation is as old as it was; only the number in it is new.
                (EventKind::NumberChanged, _) => None,
                (_, Aspect::Person) => date(Field::StatusDate),
                _ => fact.valid().from,
            }
        };
        let began = aspects.iter().find_map(|&aspect| came(aspect, false).filter_map(start).max());
        let ended = |aspect| came(aspect, true).filter_map(|fact| fact.valid().to).max();
        began.or_else(|| aspects.iter().find_map(|&aspect| ended(aspect)))
    }
}

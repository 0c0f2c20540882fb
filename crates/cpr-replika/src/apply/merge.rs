//! One person against one group: what stays, what came, what went, and the sections to write.

use bitemporal::Diff;
use cpr_extract::{Group, Padding};
use cpr_model::stored::v2::{self, ArchivedPast, ArchivedPerson, Fact, Past, Person};
use cpr_model::{Aspect, ChangeClass, Classified, FactRef, PersonKey, Situation, Values, classify};
use rkyv::util::AlignedVec;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::delivery::Counts;
use crate::person::mentions::mentioned;
use crate::store::sealed;

/// What a merge tells beside the sections it leaves in [`Merge`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Held with the same facts, in the same lines: the document stays as it is.
    Same,
    /// The same facts in lines of another shape.
    Reshaped,
    /// Not held before.
    New,
    /// A fact came or went.
    Changed,
}

/// The sections that one merge leaves behind; its buffers are reused from person to person.
#[derive(Default)]
pub(crate) struct Merge {
    diff: Diff,
    /// Positions among the held facts of those that went, and of those that left the window and stay known; both
    /// ascend.
    gone: Vec<usize>,
    aged: Vec<usize>,
    /// Positions among the group's rows of those that came.
    came: Vec<usize>,
    document: Person,
    past: Past,
    /// Archive of the new document.
    pub(crate) person: AlignedVec,
    /// Archive of what has happened to the person; empty when nothing has.
    pub(crate) history: AlignedVec,
    /// Numbers that the new facts mention.
    pub(crate) mentions: Vec<PersonKey>,
}

/// Where what happens is written.
#[derive(Clone, Copy)]
pub(crate) enum OpenPast<'a> {
    /// To a past that has room.
    AddTo(&'a ArchivedPast),
    /// To a new one, after one that ended with this delivery; 0 when it is the first.
    After(u32),
}

/// The delivery that is being applied, as far as one person is concerned.
#[derive(Clone, Copy)]
pub(crate) struct Delivering {
    pub(crate) number: DeliveryNumber,
    pub(crate) padding: Padding,
    pub(crate) situation: Situation,
}

impl Merge {
    /// Merges a group into what is held. `same_style` says whether the delivery that the held lines came with spelled its
    /// lines as this one does.
    ///
    /// Unless nothing happened at all, the new past stands in `history`; unless the verdict is [`Verdict::Same`], the new
    /// document stands in `person`.
    pub(crate) fn run(
        &mut self,
        held: Option<&ArchivedPerson>,
        past: OpenPast<'_>,
        group: &Group,
        delivering: Delivering,
        same_style: impl Fn(DeliveryNumber) -> bool,
        counts: &mut Counts,
    ) -> Result<Verdict, Error> {
        self.mentions.clear();
        self.take_past(past);
        let verdict = match held {
            None => {
                self.first(group, delivering, counts);
                Verdict::New
            }
            Some(held) => {
                let verdict = self.compare(held, group, delivering, same_style, counts);
                if verdict != Verdict::Same {
                    self.compose(held, group, delivering)?;
                    self.bury(held, delivering);
                }
                verdict
            }
        };
        for (row, values) in group.events() {
            self.past.push_event(delivering.number.0, row.record, values);
            counts.events += 1;
        }
        self.history.clear();
        if !self.past.is_empty() {
            sealed::archive(&self.past, &mut self.history);
        }
        Ok(verdict)
    }

    fn take_past(&mut self, past: OpenPast<'_>) {
        match past {
            OpenPast::AddTo(past) => self.past.copy_from(past),
            OpenPast::After(since) => {
                self.past.clear();
                self.past.since = since;
            }
        }
    }

    /// Finds out what went and what came, and of which kind it is.
    fn compare(
        &mut self,
        held: &ArchivedPerson,
        group: &Group,
        delivering: Delivering,
        same_style: impl Fn(DeliveryNumber) -> bool,
        counts: &mut Counts,
    ) -> Verdict {
        let before = |at: usize| held.fact(at).expect("a position below the number of facts");
        let held_row = |at: usize| {
            let (fact, values) = before(at);
            (u16::from(fact.record), fact.shape, values)
        };
        let new_row = |at: usize| {
            let (row, values) = group.row(at);
            (row.record, row.shape, values)
        };
        let rows = group.rows().len();
        self.diff.run(held.facts.len(), rows, held_row, new_row, |old| before(old).0.known_from);
        let in_group = held.in_group.to_native() as usize;
        // Rows that had aged out and still do not come are compared too: what came may contradict them.
        self.gone.clear();
        self.gone.extend_from_slice(self.diff.gone());
        self.came.clear();
        self.came.extend(self.diff.new_entries());
        self.aged.clear();
        counts.facts_kept += (rows - self.came.len()) as u64;
        if self.came.is_empty() && self.gone.iter().all(|&old| old >= in_group) {
            counts.persons_unchanged += 1;
            self.aged.extend_from_slice(&self.gone);
            let in_order = rows == in_group && self.diff.kept().iter().enumerate().all(|(new, old)| *old == Some(new));
            let widths = held.widths.iter().map(v2::ArchivedWidth::native);
            let delivered = DeliveryNumber(held.delivered.to_native());
            let as_before = in_order && widths.eq(group.widths().iter().copied()) && same_style(delivered);
            return if as_before { Verdict::Same } else { Verdict::Reshaped };
        }
        self.count_classes(held, in_group, group, delivering.situation, counts);
        counts.facts_new += self.came.len() as u64;
        counts.facts_superseded += (self.gone.len() - self.aged.len()) as u64;
        for &new in &self.came {
            let (row, values) = group.row(new);
            counts.inverted_periods += u64::from(is_inverted(row.shape, values));
            self.mentions.extend(mentioned(row.shape, values));
        }
        counts.persons_changed += 1;
        Verdict::Changed
    }

    /// Writes the new document: the group's rows, each with the known time and the id it had, then the rows that aged out.
    fn compose(&mut self, held: &ArchivedPerson, group: &Group, delivering: Delivering) -> Result<(), Error> {
        let (kept, aged) = (self.diff.kept(), &self.aged);
        let stays_aged = |old: usize| aged.binary_search(&old).is_ok();
        let mut ids = FreeIds::default();
        if !self.came.is_empty() {
            let kept = kept.iter().flatten().copied();
            let stays = kept.chain((0..held.facts.len()).filter(|&old| stays_aged(old)));
            ids = FreeIds::new(stays.filter_map(|old| held.fact(old)).map(|(fact, _)| fact.id));
        }
        let document = &mut self.document;
        document.facts.clear();
        document.values.clear();
        for ((row, values), old) in group.rows().zip(kept) {
            let (known_from, id) = match old.and_then(|old| held.fact(old)) {
                Some((fact, _)) => (fact.known_from, fact.id),
                None => (delivering.number.0, ids.next().ok_or(Error::TooManyFacts)?),
            };
            // Families number their records of persons below 256.
            let (record, shape) = (row.record as u8, row.shape);
            document.values.extend_from_slice(values.bytes());
            let end = document.values.len() as u32;
            document.facts.push(Fact { known_from, end, id, record, shape });
        }
        for (old, (fact, values)) in held.facts().enumerate() {
            if stays_aged(old) {
                document.values.extend_from_slice(values.bytes());
                document.facts.push(Fact { end: document.values.len() as u32, ..fact });
            }
        }
        document.delivered = delivering.number.0;
        document.in_group = group.rows().len() as u32;
        document.widths.clear();
        document.widths.extend_from_slice(group.widths());
        sealed::archive(document, &mut self.person);
        Ok(())
    }

    /// Adds the lines that were replaced, and the facts that went, to the past.
    fn bury(&mut self, held: &ArchivedPerson, delivering: Delivering) {
        let known_to = delivering.number.0;
        let lines = held.facts.iter().take(held.in_group.to_native() as usize);
        let order = lines.map(|fact| fact.id.to_native());
        let widths = held.widths.iter().map(v2::ArchivedWidth::native);
        self.past.push_group(held.delivered.to_native(), known_to, order, widths);
        for old in self.gone.iter().filter(|old| self.aged.binary_search(old).is_err()) {
            let (fact, values) = held.fact(*old).expect("what went was held");
            self.past.push_fact(fact, values, known_to);
        }
    }

    /// A person not held before: every fact is new.
    fn first(&mut self, group: &Group, delivering: Delivering, counts: &mut Counts) {
        let document = &mut self.document;
        document.delivered = delivering.number.0;
        document.facts.clear();
        for (at, (row, _)) in group.rows().enumerate() {
            // The check refuses groups of more rows than ids, and families number their records below 256.
            let (id, record) = (at as u16, row.record as u8);
            document.facts.push(Fact { known_from: delivering.number.0, end: row.end, id, record, shape: row.shape });
        }
        document.in_group = document.facts.len() as u32;
        document.values.clear();
        document.values.extend_from_slice(group.values());
        document.widths.clear();
        document.widths.extend_from_slice(group.widths());
        sealed::archive(document, &mut self.person);
        for (row, values) in group.rows() {
            counts.inverted_periods += u64::from(is_inverted(row.shape, values));
            self.mentions.extend(mentioned(row.shape, values));
        }
        let facts = group.rows().len() as u64;
        counts.persons_new += 1;
        counts.facts_new += facts;
        counts.classes[ChangeClass::New as usize] += facts;
    }

    /// Counts the classes, and notes which of the rows that are gone have aged out of the window and stay known.
    fn count_classes(
        &mut self,
        held: &ArchivedPerson,
        in_group: usize,
        group: &Group,
        situation: Situation,
        counts: &mut Counts,
    ) {
        let fact = |shape: u8, values| {
            let (aspect, historic) = v2::aspect(shape).unwrap_or((Aspect::Person, false));
            FactRef { aspect, historic, values }
        };
        let before: Vec<FactRef<'_>> = held.facts().map(|(row, values)| fact(row.shape, values)).collect();
        let after: Vec<FactRef<'_>> = group.rows().map(|(row, values)| fact(row.shape, values)).collect();
        let changes = classify(&before, &after, &self.gone, &self.came, Situation { held_before: true, ..situation });
        // What had aged out before and stays known is no change.
        let stays_aged = |change: &Classified| {
            change.class == ChangeClass::AgedOut && change.before.is_some_and(|old| old >= in_group)
        };
        for change in changes.iter().filter(|change| !stays_aged(change)) {
            counts.classes[change.class as usize] += 1;
        }
        let aged = changes.iter().filter(|change| change.class == ChangeClass::AgedOut);
        self.aged.extend(aged.filter_map(|change| change.before));
        self.aged.sort_unstable();
    }
}

fn is_inverted(shape: u8, values: Values<'_>) -> bool {
    v2::aspect(shape).is_some_and(|(aspect, historic)| historic && aspect.period(values, historic).is_inverted())
}

/// Ids that no fact of the person has among those believed at once, from the lowest on.
#[derive(Default)]
struct FreeIds {
    taken: Vec<u16>,
    next: u32,
}

impl FreeIds {
    fn new(taken: impl Iterator<Item = u16>) -> Self {
        let mut taken: Vec<u16> = taken.collect();
        taken.sort_unstable_by(|a, b| b.cmp(a));
        FreeIds { taken, next: 0 }
    }

    fn next(&mut self) -> Option<u16> {
        while self.taken.last().is_some_and(|&id| u32::from(id) == self.next) {
            self.taken.pop();
            self.next += 1;
        }
        let id = u16::try_from(self.next).ok()?;
        self.next += 1;
        Some(id)
    }
}

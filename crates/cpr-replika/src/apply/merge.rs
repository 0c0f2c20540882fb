//! One person against one group: what stays, what came, what went, and the sections to write.

use bitemporal::Diff;
use cpr_extract::{Group, LineWidth, Padding};
use cpr_model::{
    ChangeClass, Classified, CurrentRows, Fact, PersonKey, RowKind, RowsBuffer, Situation, Values, classify,
};
use rkyv::util::AlignedVec;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::delivery::Counts;
use crate::ledger::state_digest::{PersonSum, StateSum};
use crate::person::mentions::mentioned;
use crate::person::stored::v2::{self, ArchivedDocument, ArchivedPast, Document, FactHeader, Past};
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
    removed: Vec<usize>,
    aged: Vec<usize>,
    /// Positions among the group's rows of those that came.
    added: Vec<usize>,
    group_rows: RowsBuffer,
    document: Document,
    past: Past,
    /// Archive of the new document.
    pub(crate) person: AlignedVec,
    /// Archive of what has happened to the person; empty when nothing has.
    pub(crate) history: AlignedVec,
    /// Numbers that the new facts mention.
    pub(crate) mentions: Vec<PersonKey>,
    /// What all persons merged so far have brought to the digest of the state, and taken from it.
    pub(crate) state: StateSum,
    hashed: Vec<u8>,
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
    /// Merges a group into what is held: the document that `before` was read from. `same_style` says whether the
    /// delivery that the held lines came with spelled its lines as this one does.
    ///
    /// Unless nothing happened at all, the new past stands in `history`; unless the verdict is [`Verdict::Same`], the
    /// new document stands in `person`.
    #[expect(clippy::too_many_arguments, reason = "the person as stored and as read, and the delivery")]
    pub(crate) fn run(
        &mut self,
        held: Option<&ArchivedDocument>,
        before: &CurrentRows<'_>,
        past: OpenPast<'_>,
        group: &Group,
        delivering: Delivering,
        same_style: impl Fn(DeliveryNumber) -> bool,
        counts: &mut Counts,
    ) -> Result<Verdict, Error> {
        self.mentions.clear();
        self.load_past(past);
        let verdict = match held {
            None => {
                self.insert(group, delivering, counts);
                Verdict::New
            }
            Some(held) => {
                let rows = std::mem::take(&mut self.group_rows);
                let rows = CurrentRows::read_into(rows, group.facts(delivering.number.0), None);
                let verdict = self.compare(held, before.facts(), rows.facts(), group, delivering, same_style, counts);
                self.group_rows = rows.recycle();
                if verdict != Verdict::Same {
                    self.write_document(held, group, delivering)?;
                    self.supersede(held, delivering);
                }
                verdict
            }
        };
        let mut hashed = std::mem::take(&mut self.hashed);
        let mut sum = PersonSum::new(group.key().as_u32(), &mut hashed);
        self.sum_up(verdict, held, group, delivering.number.0, &mut sum);
        for (record, values) in group.events() {
            self.past.push_event(delivering.number.0, record, values);
            sum.add_event(record, values, delivering.number.0);
            counts.events += 1;
        }
        self.state.add(sum.sum);
        self.hashed = hashed;
        self.history.clear();
        if !self.past.is_empty() {
            sealed::archive(&self.past, &mut self.history);
        }
        Ok(verdict)
    }

    /// The facts of the person as they are known from this delivery on, unless the verdict was [`Verdict::Same`].
    pub(crate) fn merged(&self) -> impl Iterator<Item = Fact<'_>> {
        self.document.facts()
    }

    /// Adds what came and takes what went; what is held still, or has aged out, adds nothing.
    fn sum_up(
        &self,
        verdict: Verdict,
        held: Option<&ArchivedDocument>,
        group: &Group,
        number: u32,
        sum: &mut PersonSum<'_>,
    ) {
        let mut add = |fact: Fact<'_>| {
            let (record, kind, values) = fact.line();
            sum.add_fact(record.into(), kind, values, (number, None));
        };
        match (verdict, held) {
            (Verdict::New, _) => group.facts(number).for_each(add),
            (Verdict::Changed, Some(held)) => {
                let mut added = self.added.iter().peekable();
                for (_, fact) in group.facts(number).enumerate().filter(|(at, _)| added.next_if_eq(&at).is_some()) {
                    add(fact);
                }
                for (fact, values) in self.gone(held) {
                    sum.end_fact(fact.record.into(), RowKind(fact.kind), values, (fact.known_from, number));
                }
            }
            (Verdict::Changed, None) | (Verdict::Same | Verdict::Reshaped, _) => {}
        }
    }

    /// The facts that are no longer stated, and have not aged out.
    fn gone<'h>(&self, held: &'h ArchivedDocument) -> impl Iterator<Item = (FactHeader, Values<'h>)> {
        let gone = self.removed.iter().filter(|old| self.aged.binary_search(old).is_err());
        gone.map(|old| held.row(*old).expect("what was removed was held"))
    }

    fn load_past(&mut self, past: OpenPast<'_>) {
        match past {
            OpenPast::AddTo(past) => self.past.copy_from(past),
            OpenPast::After(since) => {
                self.past.clear();
                self.past.since = since;
            }
        }
    }

    /// Finds out what went and what came, and of which kind it is.
    #[expect(clippy::too_many_arguments, reason = "both sides, each as stored and as read")]
    fn compare(
        &mut self,
        held: &ArchivedDocument,
        before: &[Fact<'_>],
        after: &[Fact<'_>],
        group: &Group,
        delivering: Delivering,
        same_style: impl Fn(DeliveryNumber) -> bool,
        counts: &mut Counts,
    ) -> Verdict {
        let known_from = |old: usize| before[old].known().from;
        self.diff.run(before.len(), after.len(), |old| before[old].line(), |new| after[new].line(), known_from);
        let in_group = held.in_group.to_native() as usize;
        // Rows that had aged out and still do not come are compared too: what came may contradict them.
        self.removed.clear();
        self.removed.extend_from_slice(self.diff.gone());
        self.added.clear();
        self.added.extend(self.diff.new_entries());
        self.aged.clear();
        counts.facts_kept += (after.len() - self.added.len()) as u64;
        if self.added.is_empty() && self.removed.iter().all(|&old| old >= in_group) {
            counts.persons_unchanged += 1;
            self.aged.extend_from_slice(&self.removed);
            let kept = self.diff.kept().iter().enumerate();
            let in_order = after.len() == in_group && kept.into_iter().all(|(new, old)| *old == Some(new));
            let delivered = DeliveryNumber(held.delivered.to_native());
            let as_wide = held.widths.iter().map(v2::ArchivedLineWidth::native).eq(widths(group));
            return if in_order && as_wide && same_style(delivered) { Verdict::Same } else { Verdict::Reshaped };
        }
        self.count_classes(before, after, in_group, delivering.situation, counts);
        counts.facts_new += self.added.len() as u64;
        counts.facts_superseded += (self.removed.len() - self.aged.len()) as u64;
        for new in self.added.iter().map(|&new| &after[new]) {
            counts.inverted_periods += u64::from(is_inverted(new));
            self.mentions.extend(mentioned(new));
        }
        counts.persons_changed += 1;
        Verdict::Changed
    }

    /// Writes the new document: the group's rows, each with the known time and the id it had, then the rows that aged
    /// out.
    fn write_document(&mut self, held: &ArchivedDocument, group: &Group, delivering: Delivering) -> Result<(), Error> {
        let (kept, aged) = (self.diff.kept(), &self.aged);
        let stays_aged = |old: usize| aged.binary_search(&old).is_ok();
        let mut ids = FreeIds::default();
        if !self.added.is_empty() {
            let kept = kept.iter().flatten().copied();
            let stays = kept.chain((0..held.facts.len()).filter(|&old| stays_aged(old)));
            ids = FreeIds::new(stays.filter_map(|old| held.row(old)).map(|(header, _)| header.id));
        }
        let document = &mut self.document;
        document.facts.clear();
        document.values.clear();
        for (fact, old) in group.facts(delivering.number.0).zip(kept) {
            let (known_from, id) = match old.and_then(|old| held.row(old)) {
                Some((header, _)) => (header.known_from, header.id),
                None => (delivering.number.0, ids.next().ok_or(Error::TooManyFacts)?),
            };
            let (record, kind, values) = fact.line();
            document.values.extend_from_slice(values.bytes());
            let end = document.values.len() as u32;
            document.facts.push(FactHeader { known_from, end, id, record, kind: kind.0 });
        }
        document.in_group = document.facts.len() as u32;
        for (old, (header, values)) in held.rows().enumerate() {
            if stays_aged(old) {
                document.values.extend_from_slice(values.bytes());
                document.facts.push(FactHeader { end: document.values.len() as u32, ..header });
            }
        }
        document.delivered = delivering.number.0;
        document.widths.clear();
        document.widths.extend(widths(group));
        sealed::archive(document, &mut self.person);
        Ok(())
    }

    /// Adds the lines that were replaced, and the facts that are no longer stated, to the past.
    fn supersede(&mut self, held: &ArchivedDocument, delivering: Delivering) {
        let known_to = delivering.number.0;
        let lines = held.facts.iter().take(held.in_group.to_native() as usize);
        let order = lines.map(|header| header.id.to_native());
        let widths = held.widths.iter().map(v2::ArchivedLineWidth::native);
        self.past.push_group(held.delivered.to_native(), known_to, order, widths);
        let mut past = std::mem::take(&mut self.past);
        self.gone(held).for_each(|(header, values)| past.push_fact(header, values, known_to));
        self.past = past;
    }

    /// A person not held before: every fact is new.
    fn insert(&mut self, group: &Group, delivering: Delivering, counts: &mut Counts) {
        let known_from = delivering.number.0;
        let document = &mut self.document;
        document.delivered = known_from;
        document.facts.clear();
        let mut end = 0;
        for (at, fact) in group.facts(known_from).enumerate() {
            let (record, kind, values) = fact.line();
            end += values.bytes().len() as u32;
            // The check refuses groups of more rows than ids.
            document.facts.push(FactHeader { known_from, end, id: at as u16, record, kind: kind.0 });
            counts.inverted_periods += u64::from(is_inverted(&fact));
            self.mentions.extend(mentioned(&fact));
        }
        document.in_group = document.facts.len() as u32;
        document.values.clear();
        document.values.extend_from_slice(group.values());
        document.widths.clear();
        document.widths.extend(widths(group));
        sealed::archive(document, &mut self.person);
        let facts = u64::from(document.in_group);
        counts.persons_new += 1;
        counts.facts_new += facts;
        counts.classes[ChangeClass::New as usize] += facts;
    }

    /// Counts the classes, and notes which of the rows that are no longer stated have aged out of the window and stay
    /// known.
    fn count_classes(
        &mut self,
        before: &[Fact<'_>],
        after: &[Fact<'_>],
        in_group: usize,
        situation: Situation,
        counts: &mut Counts,
    ) {
        let situation = Situation { held_before: true, ..situation };
        let changes = classify(before, after, &self.removed, &self.added, situation);
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

fn is_inverted(fact: &Fact<'_>) -> bool {
    fact.is_historic() && fact.valid().is_inverted()
}

/// The odd widths of a group, as they are stored.
fn widths(group: &Group) -> impl Iterator<Item = v2::LineWidth> {
    group.widths().iter().map(|&LineWidth { line, bytes }| v2::LineWidth { line, bytes })
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

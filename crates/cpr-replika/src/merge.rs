//! One person against one group: what stays, what came, what went, and the rows to write.

use bitemporal::Diff;
use cpr_extract::{Group, Padding};
use cpr_model::stored::v1::{self, ArchivedPast, ArchivedPerson, Fact, Past, Person};
use cpr_model::{Aspect, ChangeClass, FactRef, Field, PersonKey, RelatedPnr, Situation, Values, classify};

use crate::delivery::{Counts, DeliveryNumber};
use crate::envelope;
use crate::error::Error;

/// What a merge tells beside the rows it leaves in [`Merge`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Held with the same facts, in the same lines: nothing to write.
    Same,
    /// The same facts in lines of another shape.
    Reshaped,
    /// Not held before.
    New,
    /// A fact came or went.
    Changed,
}

/// The rows that one merge leaves behind; its buffers are reused from person to person.
#[derive(Default)]
pub(crate) struct Merge {
    diff: Diff,
    document: Person,
    /// Archive of the new document.
    pub(crate) person: rkyv::util::AlignedVec,
    /// Archive of what ceased to be believed: the open row of the table of superseded facts.
    pub(crate) superseded: rkyv::util::AlignedVec,
    past: Past,
    /// Numbers that the new facts mention.
    pub(crate) mentions: Vec<PersonKey>,
}

/// Where the facts that go are written.
#[derive(Clone, Copy)]
pub(crate) enum OpenPast<'a> {
    /// To a row that is open.
    AddTo(&'a ArchivedPast),
    /// To a new row, after one that ended with this delivery; 0 when it is the first.
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
        let Some(held) = held else {
            self.first(group, delivering, counts);
            return Ok(Verdict::New);
        };
        let before: Vec<(Fact, Values<'_>)> = held.facts().collect();
        let after: Vec<(u8, u8, Values<'_>)> =
            group.rows().map(|(row, values)| (row.record as u8, row.shape, values)).collect();
        let same = |old: usize, new: usize| {
            let (fact, values): &(Fact, Values<'_>) = &before[old];
            (fact.record, fact.shape, *values) == after[new]
        };
        self.diff.run(before.len(), after.len(), same, |old| before[old].0.known_from);
        let in_group = held.in_group.to_native() as usize;
        // A row that had aged out and still does not come is neither gone nor changed.
        let gone: Vec<usize> = self.diff.gone().iter().copied().filter(|&old| old < in_group).collect();
        let came: Vec<usize> = self.diff.new_entries().collect();
        let in_order =
            after.len() == in_group && self.diff.kept().iter().enumerate().all(|(new, old)| *old == Some(new));
        counts.facts_kept += (after.len() - came.len()) as u64;
        if gone.is_empty() && came.is_empty() {
            counts.persons_unchanged += 1;
            let widths = held.widths.iter().map(v1::ArchivedWidth::native);
            let delivered = DeliveryNumber(held.delivered.to_native());
            if in_order && widths.eq(group.widths().iter().copied()) && same_style(delivered) {
                return Ok(Verdict::Same);
            }
        }
        let aged = self.count_classes(&before, &after, &gone, &came, delivering.situation, counts);
        let stays_aged =
            |old: usize| aged.contains(&old) || (old >= in_group && !self.diff.kept().contains(&Some(old)));
        let mut free = FreeIds::new(
            before
                .iter()
                .enumerate()
                .filter(|(old, _)| stays_aged(*old) || self.diff.kept().contains(&Some(*old)))
                .map(|(_, (fact, _))| fact.id),
        );
        self.document.facts.clear();
        self.document.values.clear();
        for (new, old) in self.diff.kept().iter().enumerate() {
            let (record, shape, values) = after[new];
            let (known_from, id) = match old {
                Some(old) => (before[*old].0.known_from, before[*old].0.id),
                None => (delivering.number.0, free.next().ok_or(Error::TooManyFacts)?),
            };
            self.document.values.extend_from_slice(values.bytes());
            let end = self.document.values.len() as u32;
            self.document.facts.push(Fact { known_from, end, id, record, shape });
        }
        for (old, (fact, values)) in before.iter().enumerate().filter(|(old, _)| stays_aged(*old)) {
            debug_assert!(!self.diff.kept().contains(&Some(old)));
            self.document.values.extend_from_slice(values.bytes());
            self.document.facts.push(Fact { end: self.document.values.len() as u32, ..*fact });
        }
        self.document.delivered = delivering.number.0;
        self.document.in_group = after.len() as u32;
        self.document.widths = group.widths().to_vec();
        self.person = envelope::archive(&self.document);

        match past {
            OpenPast::AddTo(past) => self.past.copy_from(past),
            OpenPast::After(since) => {
                self.past.clear();
                self.past.since = since;
            }
        }
        let known_to = delivering.number.0;
        let order = before[..in_group.min(before.len())].iter().map(|(fact, _)| fact.id);
        let widths = held.widths.iter().map(v1::ArchivedWidth::native);
        self.past.push_group(held.delivered.to_native(), known_to, order, widths);
        for old in gone.iter().filter(|old| !aged.contains(old)) {
            let (fact, values) = before[*old];
            self.past.push_fact(fact, values, known_to);
        }
        self.superseded = envelope::archive(&self.past);
        counts.facts_new += came.len() as u64;
        counts.facts_superseded += (gone.len() - aged.len()) as u64;
        for new in &came {
            let (_, shape, values) = after[*new];
            counts.inverted_periods += u64::from(is_inverted(shape, values));
            self.mention(shape, values);
        }
        if gone.is_empty() && came.is_empty() {
            return Ok(Verdict::Reshaped);
        }
        counts.persons_changed += 1;
        Ok(Verdict::Changed)
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
        self.person = envelope::archive(document);
        for (row, values) in group.rows() {
            counts.inverted_periods += u64::from(is_inverted(row.shape, values));
            self.mention(row.shape, values);
        }
        let facts = group.rows().len() as u64;
        counts.persons_new += 1;
        counts.facts_new += facts;
        counts.classes[ChangeClass::New as usize] += facts;
    }

    /// Counts the classes, and says which of the rows that are gone aged out of the window.
    fn count_classes(
        &self,
        before: &[(Fact, Values<'_>)],
        after: &[(u8, u8, Values<'_>)],
        gone: &[usize],
        came: &[usize],
        situation: Situation,
        counts: &mut Counts,
    ) -> Vec<usize> {
        if gone.is_empty() && came.is_empty() {
            return Vec::new();
        }
        let fact = |shape: u8, values| {
            let (aspect, historic) = v1::aspect(shape).unwrap_or((Aspect::Person, false));
            FactRef { aspect, historic, values }
        };
        let before: Vec<FactRef<'_>> = before.iter().map(|(row, values)| fact(row.shape, *values)).collect();
        let after: Vec<FactRef<'_>> = after.iter().map(|(_, shape, values)| fact(*shape, *values)).collect();
        let changes = classify(&before, &after, gone, came, Situation { held_before: true, ..situation });
        for change in &changes {
            counts.classes[change.class as usize] += 1;
        }
        changes
            .iter()
            .filter(|change| change.class == ChangeClass::AgedOut)
            .filter_map(|change| change.before)
            .collect()
    }

    /// Notes the other numbers of the same person that a new fact names.
    fn mention(&mut self, shape: u8, values: Values<'_>) {
        let field = match v1::aspect(shape) {
            Some((Aspect::Person, _)) => Field::CurrentPnr,
            Some((Aspect::FormerNumber, _)) => Field::FormerPnr,
            _ => return,
        };
        if let Some(RelatedPnr::Known(pnr)) = values.pnr(field) {
            self.mentions.extend(pnr.key());
        }
    }
}

fn is_inverted(shape: u8, values: Values<'_>) -> bool {
    v1::aspect(shape).is_some_and(|(aspect, historic)| historic && aspect.period(values, historic).is_inverted())
}

/// Ids that no fact of the person has among those believed at once, from the lowest on.
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

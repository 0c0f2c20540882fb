//! Merges the persons of an extract into what is held of them, a chunk at a time: what is to be written of each, and
//! what is collected beside it. It has no table, so that it can run beside whoever writes.

use std::collections::BTreeMap;

use cpr_extract::Group;
use cpr_model::{CurrentRows, Field, RowsBuffer};
use roaring::RoaringBitmap;

use crate::apply::merge::{Delivering, Merge, OpenPast, Verdict};
use crate::apply::read_ahead::Chunk;
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::sets::Index;
use crate::ledger::delivery::Counts;
use crate::person::stored::v2::ArchivedDocument;
use crate::person::value::{StoredPerson, seal_document, seal_past, seal_segment};
use crate::snapshot::Snapshot;
use crate::store::sealed::Held;
use crate::store::tables::Tables;
use crate::subscriptions::matching::MatchInput;

/// Whom of the extract is not merged.
pub(crate) struct PassedOver {
    /// Who was erased.
    pub(crate) barred: RoaringBitmap,
    /// Who is not needed.
    pub(crate) left_out: RoaringBitmap,
    /// Who is held, where only others are to be taken.
    pub(crate) held: RoaringBitmap,
}

/// What is to be written of the persons of a chunk. Made to be reused.
#[derive(Default)]
pub(super) struct Batch {
    /// How many persons the chunk had.
    pub(super) groups: u64,
    /// Values of persons, in the order of their keys: key, and where the value ends in `values`.
    pub(super) persons: Vec<(u32, usize)>,
    pub(super) values: Vec<u8>,
    /// Pasts that are put away.
    pub(super) segments: Vec<((u32, u32), Vec<u8>)>,
    /// Numbers that are mentioned, each with who mentions it.
    pub(super) mentions: Vec<(u32, u32)>,
}

impl Batch {
    fn begin(&mut self, chunk: &Chunk) {
        self.groups = chunk.groups().len() as u64;
        self.persons.clear();
        self.values.clear();
        self.segments.clear();
        self.mentions.clear();
    }
}

/// The persons that are held before an extract.
pub(super) struct HeldPersons<'s> {
    /// All that is held.
    pub(super) tables: &'s Tables,
    /// The last of them; none when there are none.
    pub(super) up_to: Option<u32>,
}

impl<'s> HeldPersons<'s> {
    pub(super) fn of(snapshot: &'s Snapshot) -> Result<HeldPersons<'s>, Error> {
        let tables = snapshot.tables();
        Ok(HeldPersons { tables, up_to: tables.persons.last()?.map(|(key, _)| key.value()) })
    }

    fn get(&self, key: u32) -> Result<Option<Held<'s>>, Error> {
        match self.up_to {
            Some(last) if key <= last => Ok(self.tables.persons.get(key)?.map(Held::new)),
            _ => Ok(None),
        }
    }
}

/// What is the same for all persons of an extract.
pub(super) struct Extract<'e> {
    pub(super) held: HeldPersons<'e>,
    pub(super) passed_over: &'e PassedOver,
    pub(super) delivering: Delivering,
    /// Whether the lines of an earlier delivery were spelled as those of this one are.
    pub(super) same_style: &'e (dyn Fn(DeliveryNumber) -> bool + Sync),
}

/// What becomes of the persons beside what is written of each, and buffers that are reused from person to person.
#[derive(Default)]
pub(super) struct Merger {
    pub(super) changed: RoaringBitmap,
    pub(super) redelivered: RoaringBitmap,
    /// Whom an event of this code is about.
    pub(super) by_code: BTreeMap<Vec<u8>, RoaringBitmap>,
    pub(super) index: Index,
    /// What subscribers' filters are held against; none when nobody asks.
    pub(super) match_input: Option<MatchInput>,
    pub(super) merge: Merge,
    pub(super) counts: Counts,
    rows_before: RowsBuffer,
    rows_after: RowsBuffer,
    sealed: Vec<u8>,
}

impl Merger {
    /// With what has been counted so far.
    pub(super) fn new(match_input: Option<MatchInput>, counts: Counts) -> Merger {
        Merger { match_input, counts, ..Merger::default() }
    }

    /// Merges the persons of a chunk, but for those who are passed over.
    pub(super) fn merge_chunk(&mut self, chunk: &Chunk, extract: &Extract<'_>, batch: &mut Batch) -> Result<(), Error> {
        batch.begin(chunk);
        for group in chunk.groups() {
            let key = group.key().as_u32();
            if extract.passed_over.barred.contains(key) {
                self.counts.persons_barred += 1;
            } else if extract.passed_over.left_out.contains(key) {
                self.counts.persons_left_out += 1;
            } else if !extract.passed_over.held.contains(key) {
                self.merge_person(group, extract, batch)?;
            }
        }
        Ok(())
    }

    fn merge_person(&mut self, group: &Group, extract: &Extract<'_>, batch: &mut Batch) -> Result<(), Error> {
        let key = group.key().as_u32();
        let held = extract.held.get(key)?;
        let held = StoredPerson::open(key, held.as_ref().map_or(&[], Held::bytes))?;
        let full = held.full_past(key)?;
        let add_to = held.past.filter(|_| full.is_none());
        let add_to = add_to.map_or(OpenPast::After(full.map_or(0, |(last, _)| last)), OpenPast::AddTo);

        let facts = held.document.into_iter().flat_map(ArchivedDocument::facts);
        let before = CurrentRows::read_into(std::mem::take(&mut self.rows_before), facts, None);
        let Extract { delivering, same_style, .. } = *extract;
        let verdict =
            self.merge.run(held.document, &before, add_to, group, delivering, same_style, &mut self.counts)?;
        self.collect(verdict, before, group);
        if verdict == Verdict::Same && group.events().len() == 0 {
            return Ok(());
        }
        let sealed = &mut self.sealed;
        if let Some((last, past)) = full {
            seal_segment(key, last, past, sealed);
            batch.segments.push(((key, last), sealed.clone()));
        }
        if verdict == Verdict::Same {
            sealed.clear();
            sealed.extend_from_slice(held.sealed_document());
        } else {
            seal_document(key, &self.merge.person, sealed);
        }
        if !self.merge.history.is_empty() {
            seal_past(key, &self.merge.history, sealed);
        }
        batch.values.extend_from_slice(sealed);
        batch.persons.push((key, batch.values.len()));
        batch.mentions.extend(self.merge.mentions.iter().map(|mentioned| (mentioned.as_u32(), key)));
        Ok(())
    }

    /// Collects what a person is found and matched by, as held before and as merged.
    fn collect(&mut self, verdict: Verdict, before: CurrentRows<'_>, group: &Group) {
        let key = group.key().as_u32();
        if verdict == Verdict::Same {
            self.redelivered.insert(key);
            if let Some(match_input) = &mut self.match_input {
                match_input.add(&before, &before, group);
            }
        } else {
            // What persons are found by is read off the merged document: rows that left the window are still known.
            let after = CurrentRows::read_into(std::mem::take(&mut self.rows_after), self.merge.merged(), None);
            if matches!(verdict, Verdict::New | Verdict::Changed) {
                self.changed.insert(key);
                self.index.change(group.key(), &before, &after);
            } else {
                self.redelivered.insert(key);
            }
            if let Some(match_input) = &mut self.match_input {
                match_input.add(&before, &after, group);
            }
            self.rows_after = after.recycle();
        }
        self.rows_before = before.recycle();
        for (_, values) in group.events() {
            let code = values.text(Field::EventCode).latin1();
            match self.by_code.get_mut(code) {
                Some(set) => _ = set.insert(key),
                None => _ = self.by_code.insert(code.to_vec(), RoaringBitmap::from_iter([key])),
            }
        }
    }
}

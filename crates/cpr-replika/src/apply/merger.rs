//! The persons of an extract into the tables, a chunk at a time, in key order within the chunk.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::ops::Bound;

use cpr_extract::{Group, Groups};
use cpr_model::{CurrentRows, Field, RowsBuffer};
use redb::{MultimapTable, ReadableTable, Table, WriteTransaction};
use rkyv::util::AlignedVec;
use roaring::RoaringBitmap;

use crate::apply::merge::{Delivering, Merge, OpenPast, Verdict};
use crate::apply::options::{ApplyOptions, Progress};
use crate::apply::read_ahead::{ChunkOrder, for_each_chunk};
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::sets::Index;
use crate::ledger::delivery::Counts;
use crate::ledger::state_digest::StateSum;
use crate::person::stored::v2::ArchivedDocument;
use crate::person::value::{StoredPerson, seal_document, seal_past, seal_segment};
use crate::store::bitmap::seal_set;
use crate::store::staged_write::StagedWrite;
use crate::store::tables::{CHANGED, CHANGED_BY, NUMBERS, PERSONS, REDELIVERED, SUPERSEDED};
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

/// Merges every person of the extract but those who are passed over, a chunk at a time, in key order within the chunk.
/// Returned are what subscribers are matched against, and what the digest of the state is carried on by.
pub(crate) fn merge_all(
    write: &mut StagedWrite<'_>,
    (groups, passed_over): (Groups<'_, impl Read + Seek + Send>, &PassedOver),
    delivering: Delivering,
    match_input: Option<MatchInput>,
    same_style: &dyn Fn(DeliveryNumber) -> bool,
    (options, of): (&ApplyOptions<'_>, u64),
    counts: &mut Counts,
) -> Result<(Option<MatchInput>, StateSum), Error> {
    let last = write.transaction().open_table(PERSONS)?.last()?.map(|(key, _)| key.value());
    let mut merger = Merger { last, match_input, ..Merger::default() };
    let (mut done, number) = (0, delivering.number.0);
    for_each_chunk(groups, ChunkOrder::ByKey, |chunk| {
        let mut tables = MergeTables::open(write.transaction())?;
        for group in chunk {
            let key = group.key().as_u32();
            if passed_over.barred.contains(key) {
                counts.persons_barred += 1;
                continue;
            }
            if passed_over.left_out.contains(key) {
                counts.persons_left_out += 1;
                continue;
            }
            if passed_over.held.contains(key) {
                continue;
            }
            merger.merge_person(&mut tables, group, delivering, same_style, counts)?;
        }
        merger.append(&mut tables)?;
        drop(tables);
        write.wrote(std::mem::take(&mut merger.written))?;
        done += chunk.len() as u64;
        options.report(Progress::Merging { done, of })
    })?;
    if done != of {
        return Err(Error::Changed);
    }
    let write = write.transaction();
    let Merger { changed, redelivered, by_code, index, match_input, merge, mut sealed, .. } = merger;
    seal_set((number, 0), &changed, &mut sealed)?;
    write.open_table(CHANGED)?.insert(number, sealed.as_slice())?;
    seal_set((number, 0), &redelivered, &mut sealed)?;
    write.open_table(REDELIVERED)?.insert(number, sealed.as_slice())?;
    let mut table = write.open_table(CHANGED_BY)?;
    for (code, set) in &by_code {
        seal_set((number, 0), set, &mut sealed)?;
        table.insert((number, code.as_slice()), sealed.as_slice())?;
    }
    drop(table);
    index.write(write)?;
    Ok((match_input, merge.state))
}

/// The tables that persons are merged into.
struct MergeTables<'t> {
    persons: Table<'t, u32, &'static [u8]>,
    superseded: Table<'t, (u32, u32), &'static [u8]>,
    numbers: MultimapTable<'t, u32, u32>,
}

impl<'t> MergeTables<'t> {
    fn open(write: &'t WriteTransaction) -> Result<MergeTables<'t>, Error> {
        Ok(MergeTables {
            persons: write.open_table(PERSONS)?,
            superseded: write.open_table(SUPERSEDED)?,
            numbers: write.open_multimap_table(NUMBERS)?,
        })
    }
}

/// What becomes of the persons beside what is written of each, and buffers that are reused from person to person.
#[derive(Default)]
struct Merger {
    /// The largest key among the persons, those to be appended included.
    last: Option<u32>,
    /// New persons behind all others, as a load brings them: written together, without a search for each. Key, and
    /// where the sealed value ends in `appended_values`.
    appended: Vec<(u32, usize)>,
    appended_values: Vec<u8>,
    changed: RoaringBitmap,
    redelivered: RoaringBitmap,
    /// Whom an event of this code is about.
    by_code: BTreeMap<Vec<u8>, RoaringBitmap>,
    index: Index,
    /// What subscribers' filters are held against; none when nobody asks.
    match_input: Option<MatchInput>,
    merge: Merge,
    rows_before: RowsBuffer,
    rows_after: RowsBuffer,
    sealed: Vec<u8>,
    held: AlignedVec<4>,
    /// Bytes of values written since somebody took account of them.
    written: usize,
}

impl Merger {
    fn merge_person(
        &mut self,
        tables: &mut MergeTables<'_>,
        group: &Group,
        delivering: Delivering,
        same_style: &dyn Fn(DeliveryNumber) -> bool,
        counts: &mut Counts,
    ) -> Result<(), Error> {
        let key = group.key().as_u32();
        let is_behind_all = self.last.is_none_or(|last| key > last);
        if !is_behind_all {
            self.append(tables)?;
        }
        self.held.clear();
        if !is_behind_all && let Some(stored) = tables.persons.get(key)? {
            self.held.extend_from_slice(stored.value());
        }
        let held = StoredPerson::open(key, &self.held)?;
        let full = held.full_past(key)?;
        let add_to = held.past.filter(|_| full.is_none());
        let add_to = add_to.map_or(OpenPast::After(full.map_or(0, |(last, _)| last)), OpenPast::AddTo);

        let facts = held.document.into_iter().flat_map(ArchivedDocument::facts);
        let before = CurrentRows::read_into(std::mem::take(&mut self.rows_before), facts, None);
        let verdict = self.merge.run(held.document, &before, add_to, group, delivering, same_style, counts)?;
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
        if verdict == Verdict::Same && group.events().len() == 0 {
            return Ok(());
        }
        let sealed = &mut self.sealed;
        if let Some((last, past)) = full {
            seal_segment(key, last, past, sealed);
            tables.superseded.insert((key, last), sealed.as_slice())?;
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
        self.written += sealed.len();
        if is_behind_all {
            self.appended_values.extend_from_slice(sealed);
            self.appended.push((key, self.appended_values.len()));
            self.last = Some(key);
        } else {
            tables.persons.insert(key, sealed.as_slice())?;
        }
        for mentioned in &self.merge.mentions {
            tables.numbers.insert(mentioned.as_u32(), key)?;
        }
        Ok(())
    }

    /// Writes the persons that stand behind all others, in key order.
    fn append(&mut self, tables: &mut MergeTables<'_>) -> Result<(), Error> {
        if self.appended.is_empty() {
            return Ok(());
        }
        let mut cursor = tables.persons.upper_bound_mut(Bound::<u32>::Unbounded)?;
        let mut start = 0;
        for &(key, end) in &self.appended {
            cursor.insert_before(key, &self.appended_values[start..end])?;
            start = end;
        }
        cursor.close()?;
        self.appended.clear();
        self.appended_values.clear();
        Ok(())
    }
}

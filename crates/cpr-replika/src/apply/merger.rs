//! The persons of an extract into the tables, a chunk at a time, in key order within the chunk.
//!
//! The next chunk is read and packed meanwhile, on a thread of its own.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use std::ops::Bound;
use std::sync::mpsc;

use cpr_extract::{Group, Groups};
use cpr_model::Field;
use cpr_model::stored::v2::{ArchivedPast, ArchivedPerson};
use redb::{MultimapTable, ReadableTable, Table, WriteTransaction};
use rkyv::util::AlignedVec;
use roaring::RoaringBitmap;

use crate::apply::merge::{Delivering, Merge, OpenPast, Verdict};
use crate::apply::options::{ApplyOptions, Progress};
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::sets::Index;
use crate::ledger::delivery::Counts;
use crate::person::image::open_past;
use crate::store::bitmap::seal_set;
use crate::store::sealed;
use crate::store::tables::{CHANGED, CHANGED_BY, NUMBERS, OPEN_SEGMENT, PERSONS, REDELIVERED, SUPERSEDED, name};
use crate::subscriptions::matching::Noted;

/// A past that has grown to this many bytes is put away from the person's value, and a new one begun.
const FULL_BYTES: usize = 3 * 1024;

/// Persons that are read, sorted and written at a time.
const CHUNK: usize = 8 * 1024;

/// Merges every person of the extract, a chunk at a time, in key order within the chunk. The next chunk is read and packed
/// meanwhile, on a thread of its own.
pub(crate) fn merge_all(
    write: &WriteTransaction,
    mut groups: Groups<'_, impl Read + Seek + Send>,
    delivering: Delivering,
    noted: Option<Noted>,
    same_style: &dyn Fn(DeliveryNumber) -> bool,
    (options, of): (&ApplyOptions<'_>, u64),
    counts: &mut Counts,
) -> Result<Option<Noted>, Error> {
    let persons = write.open_table(PERSONS)?;
    let last = persons.last()?.map(|(key, _)| key.value());
    let mut merger = Merger {
        last,
        appended: Vec::new(),
        appended_values: Vec::new(),
        persons,
        superseded: write.open_table(SUPERSEDED)?,
        numbers: write.open_multimap_table(NUMBERS)?,
        changed: RoaringBitmap::new(),
        redelivered: RoaringBitmap::new(),
        by_code: BTreeMap::new(),
        index: Index::default(),
        noted,
        merge: Merge::default(),
        sealed: Vec::new(),
        held: AlignedVec::new(),
    };
    let (mut done, number) = (0, delivering.number.0);
    std::thread::scope(|scope| {
        let (read, chunks) = mpsc::sync_channel::<io::Result<(Vec<Group>, usize)>>(1);
        let (spent, reused) = mpsc::channel::<Vec<Group>>();
        scope.spawn(move || {
            loop {
                let mut chunk = reused.try_recv().unwrap_or_default();
                let next = groups.next_chunk(&mut chunk, CHUNK).map(|count| {
                    chunk[..count].sort_by_key(Group::key);
                    (chunk, count)
                });
                let last = !matches!(next, Ok((_, 1..)));
                if read.send(next).is_err() || last {
                    break;
                }
            }
        });
        for chunk in chunks {
            let (chunk, count) = chunk.map_err(Error::of_source)?;
            for group in &chunk[..count] {
                merger.person(group, delivering, same_style, counts)?;
            }
            merger.append()?;
            done += count as u64;
            options.report(Progress::Merging { done, of })?;
            // The reader may be done and gone.
            spent.send(chunk).ok();
        }
        Ok::<(), Error>(())
    })?;
    if done != of {
        return Err(Error::Changed);
    }
    let Merger { changed, redelivered, by_code, index, noted, mut sealed, .. } = merger;
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
    Ok(noted)
}

/// The tables that persons are merged into, and buffers that are reused from person to person.
struct Merger<'t> {
    persons: Table<'t, u32, &'static [u8]>,
    /// The largest key among the persons, those to be appended included.
    last: Option<u32>,
    /// New persons behind all others, as a load brings them: written together, without a search for each. Key, and where
    /// the sealed value ends in `appended_values`.
    appended: Vec<(u32, usize)>,
    appended_values: Vec<u8>,
    superseded: Table<'t, (u32, u32), &'static [u8]>,
    numbers: MultimapTable<'t, u32, u32>,
    changed: RoaringBitmap,
    redelivered: RoaringBitmap,
    /// Whom an event of this code is about.
    by_code: BTreeMap<Vec<u8>, RoaringBitmap>,
    index: Index,
    /// What subscribers' filters are held against; none when nobody asks.
    noted: Option<Noted>,
    merge: Merge,
    sealed: Vec<u8>,
    held: AlignedVec<4>,
}

impl Merger<'_> {
    fn person(
        &mut self,
        group: &Group,
        delivering: Delivering,
        same_style: &dyn Fn(DeliveryNumber) -> bool,
        counts: &mut Counts,
    ) -> Result<(), Error> {
        let key = group.key().as_u32();
        let is_behind_all = self.last.is_none_or(|last| key > last);
        if !is_behind_all {
            self.append()?;
        }
        self.held.clear();
        if !is_behind_all && let Some(stored) = self.persons.get(key)? {
            self.held.extend_from_slice(stored.value());
        }
        let (held, past, document) = sections(key, &self.held)?;
        let full = past.filter(|_| self.held.len() - document >= FULL_BYTES).map(ArchivedPast::last);
        let add_to = past.filter(|_| full.is_none());
        let add_to = add_to.map_or(OpenPast::After(full.unwrap_or(0)), OpenPast::AddTo);

        let verdict = self.merge.run(held, add_to, group, delivering, same_style, counts)?;
        if matches!(verdict, Verdict::New | Verdict::Changed) {
            self.changed.insert(key);
            self.index.person(group.key(), held, group);
        } else {
            self.redelivered.insert(key);
        }
        if let Some(noted) = &mut self.noted {
            noted.add(held, group);
        }
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
        if let Some(last) = full {
            let past = sealed::open(name::PERSONS, (key, OPEN_SEGMENT), &self.held[document..])?;
            sealed::seal((key, last), past, sealed);
            self.superseded.insert((key, last), sealed.as_slice())?;
        }
        if verdict == Verdict::Same {
            sealed.clear();
            sealed.extend_from_slice(&self.held[..document]);
        } else {
            sealed::seal((key, 0), &self.merge.person, sealed);
        }
        if !self.merge.history.is_empty() {
            sealed::seal_second((key, OPEN_SEGMENT), &self.merge.history, sealed);
        }
        if is_behind_all {
            self.appended_values.extend_from_slice(sealed);
            self.appended.push((key, self.appended_values.len()));
            self.last = Some(key);
        } else {
            self.persons.insert(key, sealed.as_slice())?;
        }
        for mentioned in &self.merge.mentions {
            self.numbers.insert(mentioned.as_u32(), key)?;
        }
        Ok(())
    }
}

/// What is held of a person, validated: the document, the past that is still added to, and where its section begins.
fn sections(key: u32, held: &[u8]) -> Result<(Option<&ArchivedPerson>, Option<&ArchivedPast>, usize), Error> {
    if held.is_empty() {
        return Ok((None, None, 0));
    }
    let (document, section) = sealed::open_first(name::PERSONS, (key, 0), held)?;
    let document = sealed::access::<ArchivedPerson>(name::PERSONS, document)?;
    Ok((Some(document), open_past(key, section)?, held.len() - section.len()))
}

impl Merger<'_> {
    /// Writes the persons that stand behind all others, in key order.
    fn append(&mut self) -> Result<(), Error> {
        if self.appended.is_empty() {
            return Ok(());
        }
        let mut cursor = self.persons.upper_bound_mut(Bound::<u32>::Unbounded)?;
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

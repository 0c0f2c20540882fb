//! The persons of an extract into the tables, a chunk at a time, in key order within the chunk: read on one thread,
//! merged on a second, written on this one, which alone has the transaction.

use std::io::{self, Read, Seek};
use std::ops::Bound;
use std::panic::resume_unwind;
use std::sync::mpsc;

use cpr_extract::Groups;
use redb::{ReadableTable, WriteTransaction};

use crate::apply::merger::{Batch, Extract, Merger, PassedOver};
use crate::apply::options::{ApplyOptions, Progress};
use crate::apply::read_ahead::{Chunk, ChunkOrder, read_chunks};
use crate::error::Error;
use crate::ledger::delivery::Counts;
use crate::ledger::state_digest::StateSum;
use crate::store::bitmap::seal_set;
use crate::store::staged_write::StagedWrite;
use crate::store::tables::{CHANGED, CHANGED_BY, NUMBERS, PERSONS, REDELIVERED, SUPERSEDED};
use crate::subscriptions::matching::MatchInput;

/// What there is to do next on the thread that writes.
enum Step {
    /// Persons were read: what is held of them is to be looked up. None are the end of the file.
    Read(io::Result<Chunk>),
    /// Persons were merged, and are to be written.
    Merged(Result<Box<Batch>, Error>),
}

/// Merges every person of the extract but those who are passed over. Returned are what subscribers are matched against,
/// and what the digest of the state is carried on by.
pub(crate) fn merge_all(
    write: &mut StagedWrite<'_>,
    groups: Groups<'_, impl Read + Seek + Send>,
    extract: &Extract<'_>,
    match_input: Option<MatchInput>,
    (options, of): (&ApplyOptions<'_>, u64),
    counts: &mut Counts,
) -> Result<(Option<MatchInput>, StateSum), Error> {
    let merger = Merger::new(match_input, std::mem::take(counts));
    let merger = merge_chunks(write, groups, extract, merger, (options, of))?;
    *counts = merger.counts;
    let (write, number) = (write.transaction(), extract.delivering.number.0);
    let mut sealed = Vec::new();
    seal_set((number, 0), &merger.changed, &mut sealed)?;
    write.open_table(CHANGED)?.insert(number, sealed.as_slice())?;
    seal_set((number, 0), &merger.redelivered, &mut sealed)?;
    write.open_table(REDELIVERED)?.insert(number, sealed.as_slice())?;
    let mut table = write.open_table(CHANGED_BY)?;
    for (code, set) in &merger.by_code {
        seal_set((number, 0), set, &mut sealed)?;
        table.insert((number, code.as_slice()), sealed.as_slice())?;
    }
    drop(table);
    merger.index.write(write)?;
    Ok((merger.match_input, merger.merge.state))
}

fn merge_chunks(
    write: &mut StagedWrite<'_>,
    groups: Groups<'_, impl Read + Seek + Send>,
    extract: &Extract<'_>,
    mut merger: Merger,
    (options, of): (&ApplyOptions<'_>, u64),
) -> Result<Merger, Error> {
    let held_up_to = write.transaction().open_table(PERSONS)?.last()?.map(|(key, _)| key.value());
    let (mut done, mut last) = (0, held_up_to);
    let merger = std::thread::scope(|scope| -> Result<Merger, Error> {
        let (step, steps) = mpsc::channel();
        let read = step.clone();
        let spent = read_chunks(scope, groups, ChunkOrder::ByKey, move |chunk| read.send(Step::Read(chunk)).is_ok());
        let (hold, held) = mpsc::channel::<Box<Batch>>();
        let merging = scope.spawn(move || {
            for mut batch in held {
                let merged = merger.merge_batch(&mut batch, extract).map(|()| batch);
                if step.send(Step::Merged(merged)).is_err() {
                    break;
                }
            }
            merger
        });
        // There are as many as there are chunks.
        let mut batches: Vec<Box<Batch>> = Vec::new();
        let mut hold = Some(hold);
        for step in steps {
            match step {
                Step::Read(chunk) => {
                    let mut batch = batches.pop().unwrap_or_default();
                    batch.begin(chunk.map_err(Error::of_source)?);
                    if batch.chunk.groups().is_empty() {
                        hold = None;
                    }
                    look_up(write.transaction(), &mut batch, held_up_to, extract.passed_over)?;
                    if let Some(hold) = &hold {
                        // Whoever merges is there until nothing more comes, unless it panics.
                        hold.send(batch).ok();
                    }
                }
                Step::Merged(batch) => {
                    let mut batch = batch?;
                    write_batch(write.transaction(), &batch, &mut last)?;
                    write.wrote(batch.values.len())?;
                    done += batch.chunk.groups().len() as u64;
                    options.report(Progress::Merging { done, of })?;
                    // The reader may be done and gone.
                    spent.send(std::mem::take(&mut batch.chunk)).ok();
                    batches.push(batch);
                }
            }
        }
        merging.join().or_else(|panic| resume_unwind(panic))
    })?;
    if done == of { Ok(merger) } else { Err(Error::Changed) }
}

/// Looks up what is held of the persons of a chunk who are merged; nobody is behind `held_up_to`.
fn look_up(
    write: &WriteTransaction,
    batch: &mut Batch,
    held_up_to: Option<u32>,
    passed_over: &PassedOver,
) -> Result<(), Error> {
    let keys = batch.chunk.groups().iter().map(|group| group.key().as_u32()).enumerate();
    let may_be_held = |key| held_up_to.is_some_and(|last| key <= last) && !passed_over.contains(key);
    let mut keys = keys.filter(|(_, key)| may_be_held(*key)).peekable();
    if keys.peek().is_none() {
        return Ok(());
    }
    let persons = write.open_table(PERSONS)?;
    for (at, key) in keys {
        if let Some(stored) = persons.get(key)? {
            batch.held.push(at, stored.value());
        }
    }
    Ok(())
}

/// Writes what became of the persons of a chunk. `last` is the largest key of the table.
fn write_batch(write: &WriteTransaction, batch: &Batch, last: &mut Option<u32>) -> Result<(), Error> {
    let mut persons = write.open_table(PERSONS)?;
    let behind = batch.persons.partition_point(|(key, _)| last.is_some_and(|last| *key <= last));
    let (between, behind) = batch.persons.split_at(behind);
    let mut start = 0;
    for &(key, end) in between {
        persons.insert(key, &batch.values[start..end])?;
        start = end;
    }
    if let Some((key, _)) = behind.last() {
        *last = Some(*key);
        // A load brings nothing else: written together, without a search for each.
        let mut cursor = persons.upper_bound_mut(Bound::<u32>::Unbounded)?;
        for &(key, end) in behind {
            cursor.insert_before(key, &batch.values[start..end])?;
            start = end;
        }
        cursor.close()?;
    }
    drop(persons);
    if !batch.segments.is_empty() {
        let mut superseded = write.open_table(SUPERSEDED)?;
        for (row, past) in &batch.segments {
            superseded.insert(row, past.as_slice())?;
        }
    }
    if !batch.mentions.is_empty() {
        let mut numbers = write.open_multimap_table(NUMBERS)?;
        for (mentioned, key) in &batch.mentions {
            numbers.insert(mentioned, key)?;
        }
    }
    Ok(())
}

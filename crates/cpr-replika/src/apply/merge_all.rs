//! The persons of an extract into the tables, a chunk at a time, in key order within the chunk: read on one thread,
//! looked up and merged on a second, written on this one, which alone has the transaction.
//!
//! What is held of them is read from the snapshot that the delivery follows on. Nothing else writes, and an extract has
//! a person once, so it is what the transaction would find; and whoever writes then finds the pages in memory.

use std::io::{Read, Seek};
use std::ops::Bound;
use std::panic::resume_unwind;
use std::sync::mpsc;

use cpr_extract::Groups;
use redb::WriteTransaction;

use crate::apply::merger::{Batch, Extract, Merger};
use crate::apply::options::{ApplyOptions, Progress};
use crate::apply::read_ahead::{ChunkOrder, persons_at_a_time, read_chunks};
use crate::error::Error;
use crate::ledger::delivery::Counts;
use crate::ledger::state_digest::StateSum;
use crate::store::bitmap::seal_set;
use crate::store::staged_write::StagedWrite;
use crate::store::tables::{CHANGED, CHANGED_BY, NUMBERS, PERSONS, REDELIVERED, SUPERSEDED};
use crate::subscriptions::matching::MatchInput;

/// Chunks that are merged and wait to be written, or are being written.
const BATCHES: usize = 3;

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
    merger.index.write(write, Some(extract.held.tables))?;
    Ok((merger.match_input, merger.merge.state))
}

fn merge_chunks(
    write: &mut StagedWrite<'_>,
    groups: Groups<'_, impl Read + Seek + Send>,
    extract: &Extract<'_>,
    mut merger: Merger,
    (options, of): (&ApplyOptions<'_>, u64),
) -> Result<Merger, Error> {
    let (mut done, mut last) = (0, extract.held.up_to);
    let merger = std::thread::scope(|scope| -> Result<Merger, Error> {
        let (read, chunks) = mpsc::channel();
        let most = persons_at_a_time(of);
        let spent = read_chunks(scope, groups, ChunkOrder::ByKey, most, move |chunk| read.send(chunk).is_ok());
        let (hand_over, merged) = mpsc::channel();
        let (give_back, batches) = mpsc::channel::<Box<Batch>>();
        for _ in 0..BATCHES {
            give_back.send(Box::default()).expect("its receiver stands above");
        }
        let merging = scope.spawn(move || {
            // Behind the last chunk, and when nobody takes batches any more, one of the two ends.
            for (chunk, mut batch) in chunks.iter().zip(&batches) {
                let merged = chunk.map_err(Error::of_source).and_then(|chunk| {
                    merger.merge_chunk(&chunk, extract, &mut batch)?;
                    // The reader may be done and gone.
                    spent.send(chunk).ok();
                    Ok(batch)
                });
                if hand_over.send(merged).is_err() {
                    break;
                }
            }
            merger
        });
        for batch in merged {
            let batch = batch?;
            write_batch(write.transaction(), &batch, &mut last)?;
            write.wrote(batch.values.len())?;
            done += batch.groups;
            options.report(Progress::Merging { done, of })?;
            // Whoever merges may be done and gone.
            give_back.send(batch).ok();
        }
        merging.join().or_else(|panic| resume_unwind(panic))
    })?;
    if done == of { Ok(merger) } else { Err(Error::Changed) }
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

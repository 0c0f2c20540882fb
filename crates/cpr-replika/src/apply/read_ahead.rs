//! The persons of an extract, a chunk at a time; the next chunk is read and packed meanwhile, on a thread of its own.

use std::io::{self, Read, Seek};
use std::sync::mpsc;

use cpr_extract::{Group, Groups};

use crate::error::Error;

/// Persons that are read, and handed over, at a time; the few of a test take several turns, too.
const CHUNK: usize = if cfg!(test) { 64 } else { 8 * 1024 };

/// In which order the persons of a chunk are handed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ChunkOrder {
    /// As they stand in the file.
    AsRead,
    /// By key.
    ByKey,
}

/// Calls `take` with each chunk of persons, in the order of the file.
///
/// # Errors
/// What the source or `take` fails with.
pub(super) fn for_each_chunk(
    mut groups: Groups<'_, impl Read + Seek + Send>,
    order: ChunkOrder,
    mut take: impl FnMut(&[Group]) -> Result<(), Error>,
) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let (read, chunks) = mpsc::sync_channel::<io::Result<(Vec<Group>, usize)>>(1);
        let (spent, reused) = mpsc::channel::<Vec<Group>>();
        scope.spawn(move || {
            loop {
                let mut chunk = reused.try_recv().unwrap_or_default();
                let next = groups.next_chunk(&mut chunk, CHUNK).map(|count| {
                    if order == ChunkOrder::ByKey {
                        chunk[..count].sort_by_key(Group::key);
                    }
                    (chunk, count)
                });
                let is_last = !matches!(next, Ok((_, 1..)));
                if read.send(next).is_err() || is_last {
                    break;
                }
            }
        });
        for chunk in chunks {
            let (chunk, count) = chunk.map_err(Error::of_source)?;
            take(&chunk[..count])?;
            // The reader may be done and gone.
            spent.send(chunk).ok();
        }
        Ok(())
    })
}

//! The persons of an extract, a chunk at a time, read and packed ahead on a thread of its own.

use std::io::{self, Read, Seek};
use std::sync::mpsc;
use std::thread::Scope;

use cpr_extract::{Group, Groups};

use crate::error::Error;

/// Persons that are read, and handed over, at most at a time; the few of a test take several turns, too.
const MOST: usize = if cfg!(test) { 64 } else { 4 * 1024 };
/// Fewer are not worth a turn.
const LEAST: usize = MOST / 16;

/// How many of so many persons are handed over at a time: of a small extract a part, too, so that one is written while
/// the next is read.
pub(super) fn persons_at_a_time(of: u64) -> usize {
    usize::try_from(of / 16).unwrap_or(MOST).clamp(LEAST, MOST)
}

/// Chunks that are read, waited for and used at once; more persons than those of so many are not held in memory.
const CHUNKS: usize = 4;

/// In which order the persons of a chunk are handed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ChunkOrder {
    /// As they stand in the file.
    AsRead,
    /// By key.
    ByKey,
}

/// Some persons of an extract; none behind the last.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Those that were read, and behind them memory for others.
    groups: Vec<Group>,
    count: usize,
}

impl Chunk {
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups[..self.count]
    }
}

/// Reads on a thread of its own, and has `hand_over` take each chunk in the order of the file, the last of them empty,
/// until it is told that nobody takes any more. Reading goes on as far as chunks come back to what is returned. A
/// chunk has so many persons at most.
pub(super) fn read_chunks<'scope>(
    scope: &'scope Scope<'scope, '_>,
    mut groups: Groups<'scope, impl Read + Seek + Send + 'scope>,
    order: ChunkOrder,
    most: usize,
    hand_over: impl Fn(io::Result<Chunk>) -> bool + Send + 'scope,
) -> mpsc::Sender<Chunk> {
    let (spent, reused) = mpsc::channel::<Chunk>();
    for _ in 0..CHUNKS {
        spent.send(Chunk::default()).expect("its receiver stands above");
    }
    scope.spawn(move || {
        for mut chunk in reused {
            let next = groups.next_chunk(&mut chunk.groups, most).map(|count| {
                chunk.count = count;
                if order == ChunkOrder::ByKey {
                    chunk.groups[..count].sort_by_key(Group::key);
                }
                chunk
            });
            let is_last = !matches!(&next, Ok(Chunk { count: 1.., .. }));
            if !hand_over(next) || is_last {
                break;
            }
        }
    });
    spent
}

/// Calls `take` with each chunk of persons, in the order of the file.
///
/// # Errors
/// What the source or `take` fails with.
pub(super) fn for_each_chunk(
    groups: Groups<'_, impl Read + Seek + Send>,
    order: ChunkOrder,
    mut take: impl FnMut(&[Group]) -> Result<(), Error>,
) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let (read, chunks) = mpsc::channel();
        let spent = read_chunks(scope, groups, order, MOST, move |chunk| read.send(chunk).is_ok());
        for chunk in chunks {
            let chunk = chunk.map_err(Error::of_source)?;
            take(chunk.groups())?;
            // The reader may be done and gone.
            spent.send(chunk).ok();
        }
        Ok(())
    })
}

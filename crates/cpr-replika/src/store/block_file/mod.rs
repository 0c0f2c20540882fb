//! The block file: what redb reads and writes as its file, in blocks of 4096 bytes with a check for each.
//!
//! Nothing that a disk or a hand changed reaches redb: every block is checked when it is read, under its place and its
//! store, and one that does not check is an error that says where. A power cut at any moment, with writes torn between
//! sectors and in any order, leaves all that was synced as it was: blocks of a committed state are never written over
//! before the next is synced (redb's promise), their checks do not change while their neighbours' do ([`checks`]), and
//! redb's header, which it writes in place, is kept twice ([`root`]).
//!
//! redb 4.6 asks for runs of whole blocks, the 320 bytes of its header at 0, 9 bytes at 0 when it opens, and lengths of
//! whole blocks; anything else is refused. Locks are those of the storage below. The file is read first when redb asks
//! for its length, which it does under its lock. docs/format.md draws the bytes.

mod checks;
#[cfg(feature = "encryption")]
pub(super) mod cipher;
mod geometry;
pub(super) mod header;
pub(crate) mod overlay;
mod root;
pub(crate) mod scan;
pub(crate) mod scrub;
mod seal;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use redb::{BackendError, StorageBackend};

use crate::damage::{BlockError, Latch, Place};
use crate::planted::{self, Fault};
use checks::Checks;
use geometry::{BLOCK, BLOCK_BYTES, Geometry, Run, SHORTEST, StoreId};
use header::StoreHeader;
use root::{ENGINE_HEADER, Roots};
use seal::Seal;

use super::key::KeySource;

pub(crate) use header::is_magic;

/// Bytes of the storage engine's header that say that it is one.
const ENGINE_MAGIC: usize = 9;

/// How a block file is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Opening {
    /// A new store, where no file or an empty one is.
    Create,
    /// A store that is there.
    Existing,
    /// Either.
    Any,
}

/// A block file over a storage.
pub(crate) struct BlockFile<S> {
    storage: S,
    opening: Opening,
    key: Option<Arc<dyn KeySource>>,
    state: BlockState,
    /// Held while the state is read.
    reading: Mutex<()>,
    latch: Latch,
}

/// What is known of a block file once it was read, shared with whoever looks at the file beside the storage engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockState(Arc<OnceLock<State>>);

impl BlockState {
    /// What stands in the last header of the storage engine of its last commit: other bytes after each. None before the
    /// file was read.
    pub(crate) fn last_commit(&self) -> Option<Commit> {
        let engine_header = self.0.get()?.roots().current.engine_header;
        let at = COMMITS_AT + size_of::<Commit>() * usize::from(engine_header[FLAGS] & PRIMARY);
        engine_header[at..at + size_of::<Commit>()].try_into().ok()
    }
}

/// Of the engine's header, the byte of flags, and the one that says which of the two commits behind is the last.
const FLAGS: usize = ENGINE_MAGIC;
const PRIMARY: u8 = 1;
/// Where the commits stand.
const COMMITS_AT: usize = 64;

/// A commit, as the storage engine writes it into its header.
pub(crate) type Commit = [u8; 128];

/// What is known of the file once it was read.
#[derive(Debug)]
struct State {
    id: StoreId,
    seal: Seal,
    geometry: Geometry,
    checks: Checks,
    /// Blocks in the file, block 0 among them.
    blocks: AtomicU64,
    roots: Mutex<Roots>,
    header_faults: Vec<BlockError>,
    /// Whoever had the file open before did not close it.
    was_cut_off: bool,
    /// Held while a block and its check change, or the length of the file: whoever doubts a block reads it again then.
    changing: Mutex<()>,
}

/// Says nothing of the content.
impl<S> fmt::Debug for BlockFile<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockFile")
    }
}

impl<S: StorageBackend> BlockFile<S> {
    /// A block file over a storage, which is not touched before redb does.
    pub(crate) fn new(storage: S, opening: Opening, key: Option<Arc<dyn KeySource>>, latch: Latch) -> BlockFile<S> {
        BlockFile { storage, opening, key, state: BlockState::default(), reading: Mutex::new(()), latch }
    }

    /// What is known of the file, read on the first call.
    fn state(&self) -> io::Result<&State> {
        if let Some(state) = self.state.0.get() {
            return Ok(state);
        }
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if self.state.0.get().is_none() {
            let state = State::read(&self.storage, self.opening, self.key.as_deref())?;
            self.state.0.get_or_init(|| state);
        }
        Ok(self.state.0.get().expect("set above"))
    }

    /// What is known of the file, to be read beside.
    pub(crate) fn shared_state(&self) -> BlockState {
        self.state.clone()
    }

    fn read_blocks(&self, state: &State, first: u64, out: &mut [u8]) -> io::Result<()> {
        let mut rest = out;
        for run in state.geometry.runs(first, (rest.len() / BLOCK) as u64) {
            let (piece, behind) = rest.split_at_mut(run.blocks * BLOCK);
            self.read_run(state, run, piece)?;
            rest = behind;
        }
        Ok(())
    }

    fn read_run(&self, state: &State, run: Run, out: &mut [u8]) -> io::Result<()> {
        let width = state.seal.check_bytes();
        let mut checks = [0; BLOCK];
        let checks = if run.blocks == 1 { &mut checks[..width] } else { &mut checks[..run.blocks * width] };
        state.checks.read(&self.storage, run.group, run.first, checks)?;
        self.storage.read(state.geometry.run_at(run), out)?;
        for (number, (block, check)) in (run.number..).zip(out.chunks_exact_mut(BLOCK).zip(checks.chunks_exact(width)))
        {
            if is_zero(check) {
                return Err(BlockError::damaged(Place::Block(number), "it was never written").into());
            }
            if !state.seal.open(number, block, check) && !planted::is(Fault::BlockCheckSkipped) {
                return Err(BlockError::damaged(Place::Block(number), "it does not fit its check").into());
            }
        }
        Ok(())
    }

    fn write_blocks(&self, state: &State, first: u64, data: &[u8]) -> io::Result<()> {
        let width = state.seal.check_bytes();
        let mut rest = data;
        let mut sealed = Vec::new();
        for run in state.geometry.runs(first, (data.len() / BLOCK) as u64) {
            let (piece, behind) = rest.split_at(run.blocks * BLOCK);
            rest = behind;
            let mut checks = [0; BLOCK];
            let checks = &mut checks[..run.blocks * width];
            let stands = state.seal.seal_run(run.number, piece, &mut sealed, checks)?;
            let _changing = state.changing();
            state.checks.write(&self.storage, run.group, run.first, checks)?;
            self.storage.write(state.geometry.run_at(run), stands)?;
        }
        Ok(())
    }

    /// Which blocks a request of whole blocks is about.
    fn blocks_asked(&self, state: &State, offset: u64, bytes: usize) -> io::Result<u64> {
        let refused = |what| Err(BlockError::Unforeseen(what).into());
        if offset < BLOCK_BYTES || !offset.is_multiple_of(BLOCK_BYTES) || !bytes.is_multiple_of(BLOCK) || bytes == 0 {
            return refused("the storage engine asked for something other than whole blocks");
        }
        let first = offset / BLOCK_BYTES;
        if first + (bytes / BLOCK) as u64 > state.blocks.load(Ordering::Acquire) {
            return Err(BlockError::damaged(Place::Block(first), "it lies behind the end of the file").into());
        }
        Ok(first)
    }
}

impl State {
    fn read(storage: &impl StorageBackend, opening: Opening, source: Option<&dyn KeySource>) -> io::Result<State> {
        let bytes = storage.len()?;
        match opening {
            Opening::Create if bytes > 0 => return Err(BlockError::Exists.into()),
            Opening::Existing if bytes == 0 => return Err(BlockError::NotAStore.into()),
            Opening::Create | Opening::Any if bytes == 0 => return State::create(storage, source),
            _ => {}
        }
        if bytes < SHORTEST {
            let mut magic = [0; 8];
            return match storage.read(0, &mut magic) {
                Ok(()) if is_magic(&magic) => Err(BlockError::damaged(Place::File, "it was cut short").into()),
                _ => Err(BlockError::NotAStore.into()),
            };
        }
        State::read_blocks_of(storage, bytes, opening, source).map_err(|error| match BlockError::inside(&error) {
            // No block is in a file of this length: its creation was cut off, and left headers or roots torn.
            Some(BlockError::Damaged(_)) if bytes == SHORTEST => BlockError::Unfinished.into(),
            _ => error,
        })
    }

    /// As [`State::read`], of a file that is as long as a store is.
    fn read_blocks_of(
        storage: &impl StorageBackend,
        bytes: u64,
        opening: Opening,
        source: Option<&dyn KeySource>,
    ) -> io::Result<State> {
        let (header, header_faults) = StoreHeader::read(storage)?;
        let seal = header.unseal(source)?;
        let roots = Roots::read(storage, &header.id, &seal)?;
        seal.count_seals_from(roots.current.seals);
        let not_whole = || BlockError::damaged(Place::File, "its length is not one of whole blocks");
        let blocks = seal.geometry().blocks(bytes).ok_or_else(not_whole)?;
        // The engine's magic is the last that it writes of a new file.
        let is_begun = blocks == 0 || is_zero(&roots.current.engine_header[..ENGINE_MAGIC]);
        if is_begun && opening == Opening::Existing {
            return Err(BlockError::Unfinished.into());
        }
        Ok(State::of(header, seal, roots, blocks, header_faults))
    }

    /// Makes the headers and roots of a new store durable.
    fn create(storage: &impl StorageBackend, source: Option<&dyn KeySource>) -> io::Result<State> {
        let (header, seal) = StoreHeader::create(source)?;
        storage.set_len(SHORTEST)?;
        header.write(storage)?;
        let roots = Roots::create(storage, &header.id, &seal)?;
        storage.sync_data()?;
        Ok(State::of(header, seal, roots, 0, Vec::new()))
    }

    fn of(header: StoreHeader, seal: Seal, roots: Roots, blocks: u64, header_faults: Vec<BlockError>) -> State {
        let geometry = seal.geometry();
        let checks = Checks::new(geometry, seal.check_bytes(), blocks);
        let was_cut_off = roots.current.is_open();
        State {
            id: header.id,
            seal,
            geometry,
            checks,
            blocks: AtomicU64::new(blocks),
            roots: Mutex::new(roots),
            header_faults,
            was_cut_off,
            changing: Mutex::new(()),
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roots(&self) -> MutexGuard<'_, Roots> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: StorageBackend> StorageBackend for BlockFile<S> {
    fn len(&self) -> io::Result<u64> {
        self.latch.note(self.state().map(|state| state.blocks.load(Ordering::Acquire) * BLOCK_BYTES))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.latch.note(self.state().and_then(|state| {
            if offset == 0 && out.len() <= ENGINE_HEADER {
                out.copy_from_slice(&state.roots().current.engine_header[..out.len()]);
                return Ok(());
            }
            let first = self.blocks_asked(state, offset, out.len())?;
            self.read_blocks(state, first, out)
        }))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.latch.check_writable()?;
        self.latch.note(self.state().and_then(|state| {
            let blocks = len / BLOCK_BYTES;
            let bytes = state.geometry.file_bytes(blocks);
            let (Some(bytes), true) = (bytes, len.is_multiple_of(BLOCK_BYTES) && blocks >= 2) else {
                return Err(BlockError::Unforeseen("the storage engine asked for a length of no whole blocks").into());
            };
            let _changing = state.changing();
            let now = state.blocks.load(Ordering::Acquire);
            if blocks < now {
                self.storage.set_len(bytes)?;
                state.checks.resize(&self.storage, now, blocks)?;
            } else {
                state.checks.resize(&self.storage, now, blocks)?;
                self.storage.set_len(bytes)?;
            }
            state.blocks.store(blocks, Ordering::Release);
            Ok(())
        }))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.latch.check_writable()?;
        self.latch.note(self.state().and_then(|state| {
            state.checks.flush(&self.storage)?;
            self.storage.sync_data()?;
            state.roots().synced(&self.storage, &state.id, &state.seal)
        }))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.latch.check_writable()?;
        self.latch.note(self.state().and_then(|state| {
            if offset == 0
                && let Ok(engine_header) = data.try_into()
            {
                let blocks = state.blocks.load(Ordering::Acquire);
                return state.roots().write(&self.storage, &state.id, &state.seal, |root| {
                    root.seals = state.seal.seals();
                    root.cut_off |= state.was_cut_off;
                    root.blocks = blocks;
                    root.engine_header = engine_header;
                });
            }
            let first = self.blocks_asked(state, offset, data.len())?;
            self.write_blocks(state, first, data)
        }))
    }

    fn close(&self) -> io::Result<()> {
        // The second copy of the root reaches the disk, too: from here on, a copy that does not check is damage.
        let closed = match self.state.0.get() {
            Some(state) if state.roots().is_closed_here() => self.storage.sync_data(),
            _ => Ok(()),
        };
        self.latch.note(self.storage.close().and(closed))
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.storage.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.storage.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.storage.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.storage.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.storage.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.storage.query_lock_range(start, end)
    }
}

/// Writes a store's header anew, with its data key wrapped by the key of another source.
#[cfg(feature = "encryption")]
pub(crate) fn rewrap(storage: &impl StorageBackend, from: &dyn KeySource, to: &dyn KeySource) -> io::Result<()> {
    if storage.len()? < SHORTEST {
        return Err(BlockError::NotAStore.into());
    }
    StoreHeader::read(storage)?.0.rewrapped(from, to)?.write(storage)
}

/// Whether all bytes are zeros: the check of a block that was never written.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

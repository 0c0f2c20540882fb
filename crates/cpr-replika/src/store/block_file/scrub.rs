//! Blocks tried against their checks beside a storage engine that reads and writes the same file.
//!
//! Nobody waits for it as long as everything fits: what is read is held against the checks as the writer has them. What
//! does not fit may be a write that was halfway, so it is read again while nothing changes; what does not fit then is
//! damage, or was left by a write that was cut off. The checks on the disk are held against those in memory, too. Blocks
//! that the system has in its own memory are not read from the disk for it.

use std::io;
use std::sync::atomic::Ordering;

use redb::StorageBackend;

use super::geometry::BLOCK;
use super::header::StoreHeader;
use super::root::Roots;
use super::{BlockState, State, is_zero};
use crate::damage::{BlockError, Damage, Place};

/// What trying some blocks came to.
#[derive(Debug, Default)]
pub(crate) struct Scrubbed {
    /// The block to go on with; [`Scrubbed::of`] when none is left.
    pub(crate) next: u64,
    /// Blocks in the file now, the one of the root among them.
    pub(crate) of: u64,
    /// Blocks that were ever written, and fit.
    pub(crate) written: u64,
    /// Blocks that do not, and checks.
    pub(crate) faults: Vec<Damage>,
}

impl BlockState {
    /// Tries blocks from `first` on, at most so many and none behind their group. None where `is_sound` says that the
    /// file has failed meanwhile: what is known of it here is not what it holds then.
    ///
    /// # Errors
    /// Failures of the storage.
    pub(crate) fn scrub(
        &self,
        storage: &impl StorageBackend,
        first: u64,
        most: u64,
        buffer: &mut Vec<u8>,
        is_sound: &dyn Fn() -> bool,
    ) -> io::Result<Option<Scrubbed>> {
        let Some(state) = self.0.get() else { return Ok(None) };
        if let Ok(scrubbed) = try_blocks(state, storage, first, most, buffer)
            && scrubbed.faults.is_empty()
        {
            return Ok(Some(scrubbed));
        }
        let changing = state.changing();
        let again = try_blocks(state, storage, first, most, buffer);
        drop(changing);
        if is_sound() { again.map(Some) } else { Ok(None) }
    }

    /// Tries both copies of the store's header and of the root; and whether a copy of the root, or a block that is not
    /// in use, may be what a write that was cut off has left.
    ///
    /// # Errors
    /// Failures of the storage.
    pub(crate) fn scrub_roots(&self, storage: &impl StorageBackend) -> io::Result<Option<(Vec<Damage>, bool)>> {
        let Some(state) = self.0.get() else { return Ok(None) };
        // Roots are written by who holds this.
        let roots = state.roots();
        let header = StoreHeader::read(storage).map(|(_, faults)| faults);
        let of_roots = Roots::read(storage, &state.id, &state.seal).map(|read| read.faults);
        let mut faults = Vec::new();
        let torn_roots = if state.was_cut_off { Ok(Vec::new()) } else { of_roots };
        for read in [header, torn_roots] {
            let found = match read {
                Ok(found) => found,
                Err(error) => vec![BlockError::inside(&error).ok_or(error)?],
            };
            faults.extend(found.into_iter().map(|fault| match fault {
                BlockError::Damaged(damage) => damage,
                _ => Damage { place: Place::StoreHeader(0), what: "it is no header of a store" },
            }));
        }
        Ok(Some((faults, state.was_cut_off || roots.current.cut_off)))
    }
}

fn try_blocks(
    state: &State,
    storage: &impl StorageBackend,
    first: u64,
    most: u64,
    buffer: &mut Vec<u8>,
) -> io::Result<Scrubbed> {
    let of = state.blocks.load(Ordering::Acquire);
    let left = of.saturating_sub(first);
    let Some(run) = state.geometry.runs(first, left.min(most)).next() else {
        return Ok(Scrubbed { next: of, of, ..Scrubbed::default() });
    };
    let mut scrubbed = Scrubbed { next: run.number + run.blocks as u64, of, ..Scrubbed::default() };
    let width = state.seal.check_bytes();
    let mut checks = [0; BLOCK];
    if !state.checks.look(storage, run.group, &mut checks)? {
        let what = "they are not those that were written";
        scrubbed.faults.push(Damage { place: Place::Checks(run.group), what });
    }
    buffer.resize(run.blocks * BLOCK, 0);
    storage.read(state.geometry.run_at(run), buffer)?;
    let checks = checks[run.first * width..].chunks_exact(width);
    for (number, (block, check)) in (run.number..).zip(buffer.chunks_exact_mut(BLOCK).zip(checks)) {
        let what = match is_zero(check) {
            true if is_zero(block) => continue,
            true => "it has no check",
            false if state.seal.open(number, block, check) => {
                scrubbed.written += 1;
                continue;
            }
            false => "it does not fit its check",
        };
        scrubbed.faults.push(Damage { place: Place::Block(number), what });
    }
    Ok(scrubbed)
}

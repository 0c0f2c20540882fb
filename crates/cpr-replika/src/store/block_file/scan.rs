//! Every byte of the file against its check, without redb: what is in use and what is not.

use std::io;
use std::sync::atomic::Ordering;

use redb::StorageBackend;

use super::BlockFile;
use super::geometry::BLOCK;
use super::is_zero;
use crate::damage::{BlockError, Damage, Place};

/// What a scan found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Blocks that were ever written and stand in the file.
    pub(crate) written: u64,
    /// Faults in what every store needs: the second copies of headers and roots, and the length.
    pub(crate) in_use: Vec<Damage>,
    /// Copies of the root that are not whole in a file that was left without being closed: one may be.
    pub(crate) torn_roots: u64,
    /// Blocks that do not check, and checks of nothing. Whether a block is in use, redb knows.
    pub(crate) blocks: Vec<Damage>,
    /// The file was once left without being closed: blocks that were being written then may lie about, unused.
    pub(crate) was_cut_off: bool,
}

impl<S: StorageBackend> BlockFile<S> {
    /// Tries every block. Nothing is written. Every block that is in use and checks is shown, decrypted, in its order.
    ///
    /// # Errors
    /// What keeps a store from being opened at all, and failures of the storage.
    pub(crate) fn scan_each(&self, each: &mut dyn FnMut(&[u8])) -> io::Result<Scan> {
        let state = self.state()?;
        let mut scan = Scan::default();
        scan.was_cut_off = {
            let roots = state.roots();
            // A copy that is not whole is what a power cut leaves; after the store was closed, both are.
            let of_roots = roots.faults.iter().filter(|_| !state.was_cut_off);
            scan.torn_roots = roots.faults.len() as u64 * u64::from(state.was_cut_off);
            for fault in state.header_faults.iter().chain(of_roots) {
                if let BlockError::Damaged(damage) = fault {
                    scan.in_use.push(*damage);
                }
            }
            if let Some(copy) = roots.older.filter(|_| !state.was_cut_off) {
                scan.in_use.push(Damage { place: Place::Root(copy), what: "it is of an earlier state than the other" });
            }
            if !state.was_cut_off && roots.current.blocks != state.blocks.load(Ordering::Acquire) {
                scan.in_use.push(Damage { place: Place::File, what: "its length is not the one that its root says" });
            }
            state.was_cut_off || roots.current.cut_off
        };
        let blocks = state.blocks.load(Ordering::Acquire);
        let width = state.seal.check_bytes();
        let (mut checks, mut data) = ([0; BLOCK], vec![0; state.geometry.per_group() * BLOCK]);
        for run in state.geometry.runs(1, blocks.saturating_sub(1)) {
            self.storage.read(state.geometry.checks_at(run.group), &mut checks)?;
            let (of_blocks, behind) = checks.split_at(run.blocks * width);
            if !is_zero(behind) {
                scan.blocks
                    .push(Damage { place: Place::Checks(run.group), what: "checks of blocks that are not there" });
            }
            let data = &mut data[..run.blocks * BLOCK];
            self.storage.read(state.geometry.run_at(run), data)?;
            for (number, (block, check)) in
                (run.number..).zip(data.chunks_exact_mut(BLOCK).zip(of_blocks.chunks_exact(width)))
            {
                let what = match is_zero(check) {
                    true if is_zero(block) => continue,
                    true => "it has no check",
                    false if state.seal.open(number, block, check) => {
                        scan.written += 1;
                        each(block);
                        continue;
                    }
                    false => "it does not fit its check",
                };
                scan.blocks.push(Damage { place: Place::Block(number), what });
            }
        }
        Ok(scan)
    }
}

//! Where blocks stand in the file, and how long a file of so many blocks is. Arithmetic only.
//!
//! ```text
//! file block  0, 1   the store's header, twice
//!             2, 3   the root: block 0, twice
//!             4      checks of group 0
//!             5 …    the blocks of group 0: block 1, 2, … as many as checks fit in a block
//!                    checks of group 1, its blocks, and so on
//! ```

/// Random bytes that tell a store from every other: part of the place that a check is bound to.
pub(crate) type StoreId = [u8; 16];

/// Bytes of a block, and of a page of the storage engine.
pub(crate) const BLOCK: usize = 4096;
/// [`BLOCK`], for places in a file.
pub(super) const BLOCK_BYTES: u64 = BLOCK as u64;
/// Blocks before the first group.
const BEFORE_GROUPS: u64 = 4;
/// The shortest file: headers and roots.
pub(super) const SHORTEST: u64 = BEFORE_GROUPS * BLOCK_BYTES;

/// How many blocks share one block of checks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    per_group: u64,
}

/// Blocks that stand side by side in one group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Run {
    pub(super) group: u64,
    /// The place of the first in its group.
    pub(super) first: usize,
    pub(super) blocks: usize,
    /// The number of the first.
    pub(super) number: u64,
}

impl Geometry {
    /// The geometry for checks of so many bytes each.
    pub(crate) const fn new(check_bytes: usize) -> Geometry {
        Geometry { per_group: (BLOCK / check_bytes) as u64 }
    }

    /// How many groups hold blocks 1 up to, not including, `blocks`.
    pub(super) fn groups(self, blocks: u64) -> u64 {
        blocks.saturating_sub(1).div_ceil(self.per_group)
    }

    /// Group and place in it of a block from 1 on.
    pub(super) fn place(self, block: u64) -> (u64, usize) {
        ((block - 1) / self.per_group, ((block - 1) % self.per_group) as usize)
    }

    /// Where in the file the checks of a group begin.
    pub(super) fn checks_at(self, group: u64) -> u64 {
        (BEFORE_GROUPS + group * (self.per_group + 1)) * BLOCK_BYTES
    }

    /// Where in the file a run begins.
    pub(super) fn run_at(self, run: Run) -> u64 {
        self.checks_at(run.group) + (1 + run.first as u64) * BLOCK_BYTES
    }

    /// Bytes of a file that holds blocks 0 up to, not including, `blocks`; none when no file can.
    pub(super) fn file_bytes(self, blocks: u64) -> Option<u64> {
        let data = blocks.saturating_sub(1);
        BEFORE_GROUPS.checked_add(data)?.checked_add(self.groups(blocks))?.checked_mul(BLOCK_BYTES)
    }

    /// How many blocks, block 0 among them, a file of so many bytes holds; 0 for one that holds none yet, and none when
    /// no number of blocks makes such a file.
    pub(super) fn blocks(self, file_bytes: u64) -> Option<u64> {
        if !file_bytes.is_multiple_of(BLOCK_BYTES) {
            return None;
        }
        let in_groups = (file_bytes / BLOCK_BYTES).checked_sub(BEFORE_GROUPS)?;
        let (whole, rest) = (in_groups / (self.per_group + 1), in_groups % (self.per_group + 1));
        match (in_groups, rest) {
            (0, _) => Some(0),
            (_, 1) => None,
            _ => Some(1 + whole * self.per_group + rest.saturating_sub(1)),
        }
    }

    /// The runs that blocks from `first` on fall into.
    pub(super) fn runs(self, first: u64, blocks: u64) -> impl Iterator<Item = Run> {
        let end = first + blocks;
        let mut number = first;
        std::iter::from_fn(move || {
            if number >= end {
                return None;
            }
            let (group, place) = self.place(number);
            let count = (self.per_group - place as u64).min(end - number);
            let run = Run { group, first: place, blocks: count as usize, number };
            number += count;
            Some(run)
        })
    }

    /// How many blocks a group holds.
    pub(super) fn per_group(self) -> usize {
        self.per_group as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_length_says_how_many_blocks_it_holds() {
        for check_bytes in [16, 32] {
            let geometry = Geometry::new(check_bytes);
            assert_eq!(geometry.blocks(SHORTEST), Some(0));
            let mut last = SHORTEST;
            for blocks in 2..2000 {
                let bytes = geometry.file_bytes(blocks).unwrap();
                assert!(bytes > last);
                assert_eq!(geometry.blocks(bytes), Some(blocks));
                assert_eq!(geometry.blocks(bytes + 1), None);
                last = bytes;
            }
            assert_eq!(geometry.blocks(SHORTEST + BLOCK_BYTES), None, "checks of nothing");
        }
    }

    #[test]
    fn blocks_neither_meet_each_other_nor_the_checks() {
        let geometry = Geometry::new(16);
        let mut taken = std::collections::BTreeSet::from([0, BLOCK_BYTES, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES]);
        for group in 0..4 {
            assert!(taken.insert(geometry.checks_at(group)));
        }
        for run in geometry.runs(1, 1000) {
            for at in 0..run.blocks as u64 {
                assert_eq!(geometry.place(run.number + at), (run.group, run.first + at as usize));
                assert!(taken.insert(geometry.run_at(run) + at * BLOCK_BYTES));
            }
        }
        assert_eq!(taken.len(), 4 + 4 + 1000);
        assert_eq!(taken.last().copied(), Some(geometry.file_bytes(1001).unwrap() - BLOCK_BYTES));
    }
}

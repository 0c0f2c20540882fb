//! The checks of all blocks, as far as they were needed: one block of checks for each group of blocks.
//!
//! They stand apart from what they check, so a write of a block that never reached the disk is found too. A block of
//! checks holds those of committed blocks beside those of blocks being written; it may be torn between sectors when the
//! power goes, and no harm is done: a check does not straddle a sector, and those of committed blocks are the same
//! before and after. What was read or written stays in memory (a 256th of the file, a 128th of an encrypted one);
//! changes reach the disk with the next sync.

use std::io;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::StorageBackend;

use super::geometry::{BLOCK, Geometry};
use super::seal::Page;

/// The checks of the groups of one file.
#[derive(Debug)]
pub(super) struct Checks {
    geometry: Geometry,
    check_bytes: usize,
    groups: RwLock<Vec<Option<Group>>>,
}

#[derive(Debug)]
struct Group {
    page: Box<Page>,
    /// Changed since the last sync.
    changed: bool,
}

impl Checks {
    pub(super) fn new(geometry: Geometry, check_bytes: usize, blocks: u64) -> Checks {
        let mut groups = Vec::new();
        groups.resize_with(geometry.groups(blocks) as usize, || None);
        Checks { geometry, check_bytes, groups: RwLock::new(groups) }
    }

    fn held(&self) -> RwLockReadGuard<'_, Vec<Option<Group>>> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Vec<Option<Group>>> {
        self.groups.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the checks of blocks that stand side by side in a group to the front of `into`.
    pub(super) fn read(
        &self,
        storage: &impl StorageBackend,
        group: u64,
        first: usize,
        into: &mut [u8],
    ) -> io::Result<()> {
        self.load(storage, group)?;
        let range = first * self.check_bytes..first * self.check_bytes + into.len();
        let held = self.held();
        let page = &held.get(group as usize).and_then(Option::as_ref).ok_or(io::ErrorKind::UnexpectedEof)?.page;
        into.copy_from_slice(&page[range]);
        Ok(())
    }

    /// Copies the checks of a group as they are now, without keeping them; false when those on the disk are others,
    /// though all that changed was written there.
    pub(super) fn look(&self, storage: &impl StorageBackend, group: u64, into: &mut Page) -> io::Result<bool> {
        // Held while the disk is read: what changes meanwhile would look like damage.
        let held = self.held();
        storage.read(self.geometry.checks_at(group), into)?;
        let Some(Some(group)) = held.get(group as usize) else { return Ok(true) };
        let is_there = group.changed || *into == *group.page;
        *into = *group.page;
        Ok(is_there)
    }

    /// Changes the checks of a group, from its block at place `first` on.
    pub(super) fn write(
        &self,
        storage: &impl StorageBackend,
        group: u64,
        first: usize,
        checks: &[u8],
    ) -> io::Result<()> {
        self.load(storage, group)?;
        let mut groups = self.changing();
        let group = groups.get_mut(group as usize).and_then(Option::as_mut).ok_or(io::ErrorKind::UnexpectedEof)?;
        let at = first * self.check_bytes;
        group.page[at..at + checks.len()].copy_from_slice(checks);
        group.changed = true;
        Ok(())
    }

    /// Reads a group's checks, when they are not here. What is here may be newer than the file.
    fn load(&self, storage: &impl StorageBackend, group: u64) -> io::Result<()> {
        if self.held().get(group as usize).is_some_and(Option::is_some) {
            return Ok(());
        }
        let mut page: Box<Page> = Box::new([0; BLOCK]);
        storage.read(self.geometry.checks_at(group), &mut *page)?;
        if let Some(place) = self.changing().get_mut(group as usize) {
            place.get_or_insert(Group { page, changed: false });
        }
        Ok(())
    }

    /// The file is to hold blocks up to, not including, `blocks`: what lies behind has no checks.
    ///
    /// Called before a file grows and after it shrank. The checks of new groups are zeros in the file: it was extended.
    pub(super) fn resize(&self, storage: &impl StorageBackend, from: u64, blocks: u64) -> io::Result<()> {
        let end = from.min(blocks);
        let (group, first) = self.geometry.place(end.max(1));
        if first > 0 {
            self.load(storage, group)?;
        }
        let mut groups = self.changing();
        if first > 0
            && let Some(Some(partial)) = groups.get_mut(group as usize)
        {
            let behind = &mut partial.page[first * self.check_bytes..];
            if behind.iter().any(|&byte| byte != 0) {
                behind.fill(0);
                partial.changed = true;
            }
        }
        groups.truncate(self.geometry.groups(end) as usize);
        groups.resize_with(self.geometry.groups(blocks) as usize, || None);
        Ok(())
    }

    /// Writes what changed since the last sync. The caller syncs.
    pub(super) fn flush(&self, storage: &impl StorageBackend) -> io::Result<()> {
        for (number, group) in self.changing().iter_mut().enumerate() {
            if let Some(group) = group
                && group.changed
            {
                storage.write(self.geometry.checks_at(number as u64), &*group.page)?;
                group.changed = false;
            }
        }
        Ok(())
    }
}

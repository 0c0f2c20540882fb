//! Block 0 of the storage engine: its header of 320 bytes, which it writes in place, kept twice and written in turn.
//!
//! A write goes to the copy that does not hold the last synced state, and to the same again until the next sync: so
//! whatever a power cut leaves of it, the other copy is whole. Which of two whole copies counts, the generation says.
//! Once synced it is written to the other copy too, so that damage to either loses nothing.
//!
//! ```text
//! 0            8        16      24      32                48               368     4080    4096
//! +------------+--------+-------+-------+-----------------+----------------+-------+-------+
//! | generation | blocks | seals | flags | nonce, or zeros | redb's header  | zeros | check |
//! | u64        | u64    | u64   | u64   | 12 and zeros    | 320            |       | 16    |
//! +------------+--------+-------+-------+-----------------+----------------+-------+-------+
//! flags  1: the store was once left without being closed
//!        With a key, bytes 48 to 4064 are encrypted, and the tag stands in the 16 bytes before the check.
//! ```

use redb::StorageBackend;

use super::geometry::{BLOCK_BYTES, StoreId};
use super::seal::{Page, Seal, header_check};
use crate::damage::{BlockError, Place};

/// Bytes of redb's header.
pub(super) const ENGINE_HEADER: usize = 320;
/// Where the copies stand: behind those of the store's header.
const COPIES_AT: u64 = 2 * BLOCK_BYTES;
/// Of redb's header, the byte and the bit that say it was not closed.
pub(super) const NOT_CLOSED: (usize, u8) = (9, 2);
/// The flag of a root: the store was once left without being closed.
const CUT_OFF: u64 = 1;

/// What a copy says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Root {
    pub(super) generation: u64,
    /// Blocks in the file when this was written; the file may have grown or shrunk since.
    pub(super) blocks: u64,
    /// Blocks sealed under the store's key so far.
    pub(super) seals: u64,
    /// Once left without being closed: what was being written then may lie about, unused, and not check.
    pub(super) cut_off: bool,
    pub(super) engine_header: [u8; ENGINE_HEADER],
}

impl Root {
    /// The root of a file that the storage engine has not written to yet.
    pub(super) fn empty() -> Root {
        Root { generation: 1, blocks: 0, seals: 0, cut_off: false, engine_header: [0; _] }
    }

    /// True when whoever wrote this did not close the store, or has it open.
    pub(super) fn is_open(&self) -> bool {
        self.engine_header[NOT_CLOSED.0] & NOT_CLOSED.1 != 0
    }

    fn to_page(&self, copy: u8, id: &StoreId, seal: &Seal) -> std::io::Result<Box<Page>> {
        let mut page: Box<Page> = Box::new([0; _]);
        page[..8].copy_from_slice(&self.generation.to_le_bytes());
        page[8..16].copy_from_slice(&self.blocks.to_le_bytes());
        page[16..24].copy_from_slice(&self.seals.to_le_bytes());
        page[24] = if self.cut_off { CUT_OFF as u8 } else { 0 };
        page[48..48 + ENGINE_HEADER].copy_from_slice(&self.engine_header);
        seal.seal_root(copy, &mut page)?;
        let check = check(copy, id, &page[..4080]);
        page[4080..].copy_from_slice(&check);
        Ok(page)
    }

    fn from_page(copy: u8, id: &StoreId, seal: &Seal, page: &mut Page) -> Result<Root, BlockError> {
        if page[4080..] != check(copy, id, &page[..4080]) {
            return Err(BlockError::damaged(Place::Root(copy), "its check does not fit"));
        }
        if !seal.open_root(copy, page) {
            return Err(BlockError::damaged(Place::Root(copy), "it was not sealed under the store's key"));
        }
        let number = |at: usize| u64::from_le_bytes(page[at..at + 8].try_into().expect("eight bytes"));
        Ok(Root {
            generation: number(0),
            blocks: number(8),
            seals: number(16),
            cut_off: number(24) & CUT_OFF != 0,
            engine_header: page[48..48 + ENGINE_HEADER].try_into().expect("as many bytes"),
        })
    }

    fn write(&self, storage: &impl StorageBackend, id: &StoreId, seal: &Seal, copy: u8) -> std::io::Result<()> {
        storage.write(COPIES_AT + u64::from(copy) * BLOCK_BYTES, &*self.to_page(copy, id, seal)?)
    }
}

/// The check of a copy: of its bytes, its place and its store.
fn check(copy: u8, id: &StoreId, bytes: &[u8]) -> [u8; 16] {
    let own = u128::from_le_bytes(header_check(2 + copy, bytes));
    (own ^ u128::from_le_bytes(header_check(2 + copy, id))).to_le_bytes()
}

/// The two copies, and which is to be written next.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) current: Root,
    /// The copy that holds `current`.
    copy: u8,
    durability: Durability,
    /// What is wrong with the other copy.
    pub(super) faults: Vec<BlockError>,
    /// The other copy, when it is whole and of an earlier state. After a file was closed, both say the same.
    pub(super) older: Option<u8>,
}

/// What is known of the copy that was written last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Durability {
    /// It was there when the file was opened, and whoever wrote it may have had no time to sync.
    Unknown,
    Written,
    Synced,
}

impl Roots {
    /// Writes both copies of an empty root, one newer than the other.
    pub(super) fn create(storage: &impl StorageBackend, id: &StoreId, seal: &Seal) -> std::io::Result<Roots> {
        let mut current = Root::empty();
        current.write(storage, id, seal, 0)?;
        current.generation += 1;
        current.write(storage, id, seal, 1)?;
        Ok(Roots { current, copy: 1, durability: Durability::Unknown, faults: Vec::new(), older: None })
    }

    /// The newest copy that is whole.
    pub(super) fn read(storage: &impl StorageBackend, id: &StoreId, seal: &Seal) -> std::io::Result<Roots> {
        let mut newest: Option<(u8, Root)> = None;
        let mut faults = Vec::new();
        let mut older = None;
        for copy in 0..2 {
            let mut page: Box<Page> = Box::new([0; _]);
            storage.read(COPIES_AT + u64::from(copy) * BLOCK_BYTES, &mut *page)?;
            match Root::from_page(copy, id, seal, &mut page) {
                Ok(root) => match &newest {
                    Some((_, other)) if other.generation >= root.generation => older = (*other != root).then_some(copy),
                    other => {
                        older = other.as_ref().map(|(copy, _)| *copy);
                        newest = Some((copy, root));
                    }
                },
                Err(fault) => faults.push(fault),
            }
        }
        match newest {
            Some((copy, current)) => Ok(Roots { current, copy, durability: Durability::Unknown, faults, older }),
            None => Err(faults[0].clone().into()),
        }
    }

    /// Writes the storage engine's header as the next generation.
    pub(super) fn write(
        &mut self,
        storage: &impl StorageBackend,
        id: &StoreId,
        seal: &Seal,
        change: impl FnOnce(&mut Root),
    ) -> std::io::Result<()> {
        if self.durability == Durability::Unknown {
            storage.sync_data()?;
            self.durability = Durability::Synced;
        }
        let copy = if self.durability == Durability::Synced { 1 - self.copy } else { self.copy };
        let mut next = self.current.clone();
        next.generation += 1;
        change(&mut next);
        next.write(storage, id, seal, copy)?;
        (self.current, self.copy, self.durability) = (next, copy, Durability::Written);
        Ok(())
    }

    /// Everything written so far is on the disk: the other copy may follow.
    pub(super) fn synced(&mut self, storage: &impl StorageBackend, id: &StoreId, seal: &Seal) -> std::io::Result<()> {
        if self.durability == Durability::Written {
            self.durability = Durability::Synced;
            self.current.write(storage, id, seal, 1 - self.copy)?;
        }
        Ok(())
    }

    /// Whether a closed root was written and synced since the file was opened.
    pub(super) fn is_closed_here(&self) -> bool {
        self.durability == Durability::Synced && !self.current.is_open()
    }
}

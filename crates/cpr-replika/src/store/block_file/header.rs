//! The store's header: what kind of file this is. Written at creation, twice, and by nothing that a delivery does.
//!
//! ```text
//! 0     8      10     12     16           24        40     56              116     4080    4096
//! +-----+------+------+------+------------+---------+------+---------------+-------+-------+
//! |magic|layout| kind | 0    | generation | id      | salt | wrapped key   | zeros | check |
//! |8    |u16   | u16  |      | u64        | 16      | 16   | 12 + 16 + 32  |       | 16    |
//! +-----+------+------+------+------------+---------+------+---------------+-------+-------+
//! ```

use std::io;

use redb::StorageBackend;

#[cfg(feature = "encryption")]
use super::cipher::{self, Cipher};
use super::geometry::{BLOCK_BYTES, SHORTEST, StoreId};
use super::is_zero;
use super::seal::{Checksum, Page, Seal, header_check};
use crate::damage::{BlockError, Place};
#[cfg(feature = "encryption")]
use crate::planted::{self, Fault};
#[cfg(feature = "encryption")]
use crate::store::key::Key;
use crate::store::key::KeySource;

/// The first bytes of every store.
pub(super) const MAGIC: [u8; 8] = *b"REPLIKA\n";
/// The layout of the block file that is written and read here.
pub(super) const LAYOUT: u16 = 1;

/// Whether a file begins as a store does.
pub(crate) fn is_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// What the header says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct StoreHeader {
    pub(super) id: StoreId,
    pub(super) kind: Kind,
    /// Counts the rewritings: the valid copy with the higher one counts.
    pub(super) generation: u64,
}

/// What the blocks of a store are checked by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Plain,
    /// Encrypted, under a data key that is wrapped by the key of a key source.
    Encrypted {
        salt: [u8; 16],
        /// Nonce, tag, and the data key.
        wrapped: [u8; WRAPPED],
    },
}

/// Bytes of a wrapped data key.
pub(in crate::store) const WRAPPED: usize = 12 + 16 + 32;

#[cfg(feature = "encryption")]
impl Kind {
    fn wrap(data: &Key, id: StoreId, by: &dyn KeySource) -> io::Result<Kind> {
        let mut salt = [0; 16];
        fill_random(&mut salt)?;
        Ok(Kind::Encrypted { salt, wrapped: cipher::wrap(&wrapping_key_of(by, &salt)?, id, &salt, data)? })
    }
}

pub(in crate::store) fn fill_random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|_| io::Error::other("the system gives no random bytes"))
}

/// The key that a source gives; that it gives none is no failure of the storage.
#[cfg(feature = "encryption")]
pub(in crate::store) fn key_of(source: &dyn KeySource, salt: &[u8; 16]) -> io::Result<Key> {
    source.key(salt).map_err(no_key)
}

/// As [`key_of`], of a key that a data key is to be wrapped by: it is durable before anything is lost without it.
#[cfg(feature = "encryption")]
pub(in crate::store) fn wrapping_key_of(source: &dyn KeySource, salt: &[u8; 16]) -> io::Result<Key> {
    let key = key_of(source, salt)?;
    if !planted::is(Fault::KeyNotAwaited) {
        source.make_durable().map_err(no_key)?;
    }
    Ok(key)
}

#[cfg(feature = "encryption")]
fn no_key(error: io::Error) -> io::Error {
    BlockError::NoKey(error.to_string()).into()
}

impl StoreHeader {
    /// The header of a new store, and how its blocks are checked.
    pub(super) fn create(source: Option<&dyn KeySource>) -> io::Result<(StoreHeader, Seal)> {
        let mut id = StoreId::default();
        fill_random(&mut id)?;
        let plain = StoreHeader { id, kind: Kind::Plain, generation: 1 };
        let Some(source) = source else { return Ok((plain, Seal::Plain(Checksum::new(id)))) };
        #[cfg(feature = "encryption")]
        {
            let data = Key::random()?;
            let header = StoreHeader { kind: Kind::wrap(&data, id, source)?, ..plain };
            Ok((header, Seal::Encrypted(Box::new(Cipher::new(&data, id)))))
        }
        #[cfg(not(feature = "encryption"))]
        {
            let _ = source;
            Err(BlockError::NoEncryption.into())
        }
    }

    /// How the blocks of the store are checked, for who has its key.
    pub(super) fn unseal(&self, source: Option<&dyn KeySource>) -> io::Result<Seal> {
        match (&self.kind, source) {
            (Kind::Plain, None) => Ok(Seal::Plain(Checksum::new(self.id))),
            (Kind::Plain, Some(_)) => Err(BlockError::NotEncrypted.into()),
            (Kind::Encrypted { .. }, None) => Err(BlockError::KeyNeeded.into()),
            #[cfg(feature = "encryption")]
            (Kind::Encrypted { .. }, Some(source)) => {
                Ok(Seal::Encrypted(Box::new(Cipher::new(&self.data_key(source)?, self.id))))
            }
            #[cfg(not(feature = "encryption"))]
            (Kind::Encrypted { .. }, Some(_)) => Err(BlockError::NoEncryption.into()),
        }
    }

    #[cfg(feature = "encryption")]
    fn data_key(&self, source: &dyn KeySource) -> io::Result<Key> {
        match &self.kind {
            Kind::Plain => Err(BlockError::NotEncrypted.into()),
            Kind::Encrypted { salt, wrapped } => {
                let key = cipher::unwrap(&key_of(source, salt)?, self.id, salt, wrapped);
                key.ok_or(BlockError::WrongKey.into())
            }
        }
    }

    /// The header with the same data key, wrapped by the key of another source.
    #[cfg(feature = "encryption")]
    pub(super) fn rewrapped(&self, from: &dyn KeySource, to: &dyn KeySource) -> io::Result<StoreHeader> {
        let kind = Kind::wrap(&self.data_key(from)?, self.id, to)?;
        Ok(StoreHeader { id: self.id, kind, generation: self.generation + 1 })
    }

    /// The bytes of one copy.
    pub(super) fn to_page(&self, copy: u8) -> Box<Page> {
        let mut page: Box<Page> = Box::new([0; _]);
        page[..8].copy_from_slice(&MAGIC);
        page[8..10].copy_from_slice(&LAYOUT.to_le_bytes());
        match self.kind {
            Kind::Plain => {}
            Kind::Encrypted { salt, wrapped } => {
                page[10..12].copy_from_slice(&1_u16.to_le_bytes());
                page[40..56].copy_from_slice(&salt);
                page[56..56 + WRAPPED].copy_from_slice(&wrapped);
            }
        }
        page[16..24].copy_from_slice(&self.generation.to_le_bytes());
        page[24..40].copy_from_slice(&self.id);
        let check = header_check(copy, &page[..4080]);
        page[4080..].copy_from_slice(&check);
        page
    }

    /// Reads one copy back.
    fn from_page(copy: u8, page: &Page) -> Result<StoreHeader, BlockError> {
        let damaged = |what| BlockError::damaged(Place::StoreHeader(copy), what);
        let (bytes, check) = page.split_at(4080);
        if check != header_check(copy, bytes) {
            return Err(damaged("its check does not fit"));
        }
        let kind = match u16::from_le_bytes([page[10], page[11]]) {
            0 => Kind::Plain,
            1 => Kind::Encrypted {
                salt: page[40..56].try_into().expect("sixteen bytes"),
                wrapped: page[56..56 + WRAPPED].try_into().expect("as many bytes"),
            },
            _ => return Err(damaged("a kind of store this version does not know")),
        };
        let generation = u64::from_le_bytes(page[16..24].try_into().expect("eight bytes"));
        let id = page[24..40].try_into().expect("sixteen bytes");
        Ok(StoreHeader { id, kind, generation })
    }

    /// Writes both copies.
    pub(super) fn write(&self, storage: &impl StorageBackend) -> io::Result<()> {
        for copy in 0..2 {
            storage.write(u64::from(copy) * BLOCK_BYTES, &*self.to_page(copy))?;
            // One copy is whole at any moment.
            storage.sync_data()?;
        }
        Ok(())
    }

    /// Reads the header of a file that is at least as long as two of them: the newest copy that is whole, and what is
    /// wrong with either.
    pub(super) fn read(storage: &impl StorageBackend) -> io::Result<(StoreHeader, Vec<BlockError>)> {
        let mut pages: [Box<Page>; 2] = [Box::new([0; _]), Box::new([0; _])];
        for (copy, page) in pages.iter_mut().enumerate() {
            storage.read(copy as u64 * BLOCK_BYTES, &mut **page)?;
        }
        if pages.iter().all(|page| page[..8] != MAGIC) {
            // A new file gets its length first. Of a torn header its end may be there, and not its beginning.
            let is_begun = storage.len()? == SHORTEST && pages.iter().all(|page| is_zero(&page[..4080]));
            return Err(if is_begun { BlockError::Unfinished } else { BlockError::NotAStore }.into());
        }
        let layouts = pages.each_ref().map(|page| u16::from_le_bytes([page[8], page[9]]));
        if layouts[0] == layouts[1] && layouts[0] > LAYOUT {
            return Err(BlockError::Newer { found: layouts[0], supported: LAYOUT }.into());
        }
        let mut faults = Vec::new();
        let mut newest: Option<StoreHeader> = None;
        for (copy, page) in (0..).zip(&pages) {
            let header = match StoreHeader::from_page(copy, page) {
                Ok(header) => header,
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            };
            // Of another store, or left behind when a rekeying was cut off.
            if newest.as_ref().is_some_and(|other| *other != header) {
                faults
                    .push(BlockError::damaged(Place::StoreHeader(copy), "it says something else than the other copy"));
            }
            if newest.as_ref().is_none_or(|other| other.generation < header.generation) {
                newest = Some(header);
            }
        }
        match newest {
            Some(header) => Ok((header, faults)),
            None => Err(faults[0].clone().into()),
        }
    }
}

//! The peers: stores that take the same keys and the same bytes, each set up as its documentation recommends for this
//! use.
//!
//! A [`Peer`] keeps documents and nothing else: it knows neither what they say nor what they said before.
//! [`SqliteRows`] is the one peer that answers the engine's own questions: a normalised bitemporal schema, as a team
//! would build it by hand.

mod fjall;
mod lmdb;
mod redb;
mod sqlite_blobs;
mod sqlite_rows;

use std::path::Path;

pub use sqlite_rows::SqliteRows;

use crate::documents::{Document, Documents};
use crate::samples::Run;

/// Bytes of memory that a store may use for pages, where it has such a setting: as many as the engine's default.
const CACHE_BYTES: usize = 1024 * 1024 * 1024;

/// A store of documents by key.
pub trait Peer: Send + Sync {
    /// Takes ready documents in key order into an empty store; durable when it returns.
    fn load(&self, documents: &mut Documents);
    /// Replaces documents, in key order, in one durable commit.
    fn overwrite_durably(&self, documents: &[Document]);
    /// Takes what the store offers for a consistent view, and runs with an operation that gets one document by the
    /// position of its key and looks at it; 0 when it is not held.
    fn read(&self, keys: &[u32], look: Look, run: &mut Run<'_>);
}

/// What is done with a document's bytes.
pub type Look = fn(&[u8]) -> usize;

/// The least: how many they are, and the first of them.
pub fn handed_out(bytes: &[u8]) -> usize {
    bytes.len() + usize::from(bytes.first().copied().unwrap_or(0))
}

/// Every byte is read: CRC32, as the engine checks its values before it believes them.
pub fn checksummed(bytes: &[u8]) -> usize {
    crc32fast::hash(bytes) as usize
}

/// The names of the stores, as they stand in results: the engine's own in front.
pub const STORES: [&str; 7] = ["replika", PACKS, "redb", "lmdb", "sqlite rows", "sqlite blobs", "fjall"];

/// How many of [`STORES`] are the engine's: its store, and the packs that are written of it.
pub const OURS: usize = 2;

/// The engine's packs, mapped.
pub const PACKS: &str = "replika packs";

/// Opens or creates the peer with this name, in a folder of its own.
pub fn open(store: &str, folder: &Path) -> Option<Box<dyn Peer>> {
    Some(match store {
        "redb" => Box::new(redb::Redb::open(folder)),
        "lmdb" => Box::new(lmdb::Lmdb::open(folder)),
        "sqlite blobs" => Box::new(sqlite_blobs::SqliteBlobs::open(folder)),
        "fjall" => Box::new(fjall::Fjall::open(folder)),
        _ => return None,
    })
}

/// Name and version of a store, for a table's head.
pub fn title(store: &str) -> String {
    use crate::results::version_of;
    match store {
        "redb" => format!("redb {}", version_of("redb")),
        "lmdb" => format!("LMDB 0.9 (lmdb-rkv {})", version_of("lmdb-rkv")),
        "sqlite rows" => format!("SQLite {} rows", rusqlite::version()),
        "sqlite blobs" => format!("SQLite {} blobs", rusqlite::version()),
        "fjall" => format!("fjall {}", version_of("fjall")),
        PACKS => "its packs, mapped".to_owned(),
        _ => format!("replika {}", version_of("cpr-replika")),
    }
}

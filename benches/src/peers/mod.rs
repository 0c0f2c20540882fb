//! The peers: stores that take the same keys and the same bytes, each set up as its documentation recommends for this
//! use.
//!
//! A [`Peer`] keeps documents and nothing else: it knows neither what they say nor what they said before.
//! [`Rows`] are the peers that do the engine's own job: a normalised bitemporal schema, as a team would build it by
//! hand, in SQLite and in PostgreSQL.

mod cluster;
mod fjall;
mod lmdb;
mod postgresql_rows;
mod redb;
mod relational;
mod sqlite_blobs;
mod sqlite_rows;

use std::path::Path;

use cpr_replika::cpr_model::Aspect;

pub use self::lmdb::lmdb_for_gets;
pub use cluster::Cluster;
pub use postgresql_rows::{database_folder, read_counts};

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

/// A store that takes extracts, keeps both clocks and answers the engine's own questions.
pub trait Rows {
    /// Loads an extract into the empty store as delivery 1; durable when it returns.
    fn load(&mut self, extract: &Path);
    /// Applies a night's extract as the delivery of this number, in one durable commit.
    fn apply(&mut self, extract: &Path, delivery: u32);
    /// What is left to the hours in which nothing is asked.
    fn tidy(&mut self);
}

/// What is asked about one person; the answer is the number of rows, each column of which was decoded.
#[derive(Clone, Copy, Debug)]
pub enum Question {
    /// What is believed now.
    Now,
    /// What was believed as of a delivery, of a moment in the world (twelve digits).
    AsOf {
        /// The moment.
        valid: u64,
        /// The delivery.
        known: u32,
    },
    /// Every version of the addresses that was ever believed.
    AddressHistory,
}

impl Question {
    fn is_about(self, aspect: Aspect) -> bool {
        match self {
            Question::Now | Question::AsOf { .. } => aspect != Aspect::Event,
            Question::AddressHistory => aspect == Aspect::Address,
        }
    }
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

/// The engine's store.
pub const ENGINE: &str = "replika";

/// The engine's packs, mapped, that are written of its store.
pub const PACKS: &str = "replika packs";

/// The stores that do the engine's own job.
pub const ROWS: [&str; 2] = ["sqlite rows", POSTGRESQL];

/// The one that is a server.
pub const POSTGRESQL: &str = "postgresql";

/// The stores of ready values: a floor under the times, not a rival.
pub const DOCUMENTS: [&str; 4] = ["redb", "lmdb", "sqlite blobs", "fjall"];

/// All stores, as they stand in results: the engine's own in front.
pub const STORES: [&str; 8] = [ENGINE, PACKS, ROWS[0], ROWS[1], DOCUMENTS[0], DOCUMENTS[1], DOCUMENTS[2], DOCUMENTS[3]];

/// Opens or creates the store of rows with this name, in a folder of its own.
pub fn open_rows(store: &str, folder: &Path) -> Option<Box<dyn Rows>> {
    Some(match store {
        "sqlite rows" => Box::new(sqlite_rows::SqliteRows::open(folder)),
        POSTGRESQL => Box::new(postgresql_rows::PostgresqlRows::open(folder)),
        _ => return None,
    })
}

/// Holds a consistent view of a store of rows, and runs with an operation that asks about one person by the position of
/// its key.
pub fn read_rows(store: &str, folder: &Path, question: Question, keys: &[u32], run: &mut Run<'_>) {
    match store {
        POSTGRESQL => postgresql_rows::read(folder, question, keys, run),
        _ => sqlite_rows::read(folder, question, keys, run),
    }
}

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
        POSTGRESQL => format!("{} rows", cluster::version().unwrap_or_else(|| "PostgreSQL".to_owned())),
        PACKS => "its packs, mapped".to_owned(),
        _ => format!("replika {}", version_of("cpr-replika")),
    }
}

//! The sealed documents of a store, handed to the peers: the same keys, the same bytes.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use cpr_replika::raw;

/// A person's key and sealed document.
pub type Document = (u32, Vec<u8>);

/// Reads documents one after another from a file that [`write_all`] wrote.
pub struct Documents {
    source: BufReader<File>,
    bytes: Vec<u8>,
}

/// Says nothing of what it holds.
impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Documents")
    }
}

impl Documents {
    /// Opens the file.
    pub fn open(path: &Path) -> Documents {
        Documents { source: BufReader::new(File::open(path).expect("a file of documents")), bytes: Vec::new() }
    }

    /// The next document, in key order; none at the end.
    pub fn next_document(&mut self) -> Option<(u32, &[u8])> {
        let mut head = [0; 8];
        self.source.read_exact(&mut head).ok()?;
        let [k0, k1, k2, k3, l0, l1, l2, l3] = head;
        self.bytes.resize(u32::from_le_bytes([l0, l1, l2, l3]) as usize, 0);
        self.source.read_exact(&mut self.bytes).expect("a document as long as its head says");
        Some((u32::from_le_bytes([k0, k1, k2, k3]), &self.bytes))
    }
}

/// Writes every document of a store into a file and returns how many, and the bytes of their values.
pub fn write_all(store: &Path, out: &Path) -> (u64, u64) {
    let mut out = BufWriter::new(File::create(out).expect("a new file"));
    let (mut count, mut bytes) = (0, 0);
    raw::for_each_person(store, |key, value| {
        out.write_all(&key.to_le_bytes()).expect("a write");
        out.write_all(&(value.len() as u32).to_le_bytes()).expect("a write");
        out.write_all(value).expect("a write");
        count += 1;
        bytes += value.len() as u64;
    })
    .expect("the engine's store");
    out.flush().expect("a write");
    (count, bytes)
}

/// The documents of these persons, in key order; persons that are not held are left out.
pub fn of_keys(store: &Path, keys: &[u32]) -> Vec<Document> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let mut documents = Vec::with_capacity(keys.len());
    raw::for_each_person(store, |key, value| {
        if keys.binary_search(&key).is_ok() {
            documents.push((key, value.to_vec()));
        }
    })
    .expect("the engine's store");
    documents
}

/// Writes documents into a new redb file, as one table in one commit, and returns the open database.
pub fn into_redb(path: &Path, documents: &[Document], table: redb::TableDefinition<u32, &[u8]>) -> redb::Database {
    let database = redb::Database::create(path).expect("a new file");
    let write = database.begin_write().expect("a write");
    {
        let mut table = write.open_table(table).expect("a table");
        for (key, value) in documents {
            table.insert(key, value.as_slice()).expect("an insert");
        }
    }
    write.commit().expect("a commit");
    database
}

/// Every document of a store.
pub fn all(store: &Path) -> Vec<Document> {
    let mut documents = Vec::new();
    raw::for_each_person(store, |key, value| documents.push((key, value.to_vec()))).expect("the engine's store");
    documents
}

//! The sealed documents of a store, handed to the peers: the same keys, the same bytes.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition};

const PERSONS: TableDefinition<u32, &[u8]> = TableDefinition::new("persons/v2");

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
    with_table(store, |table| {
        for row in table.iter().expect("rows") {
            let (key, value) = row.expect("a row");
            let value = value.value();
            out.write_all(&key.value().to_le_bytes()).expect("a write");
            out.write_all(&(value.len() as u32).to_le_bytes()).expect("a write");
            out.write_all(value).expect("a write");
            count += 1;
            bytes += value.len() as u64;
        }
    });
    out.flush().expect("a write");
    (count, bytes)
}

/// The documents of these persons, in key order; persons that are not held are left out.
pub fn of_keys(store: &Path, keys: &[u32]) -> Vec<Document> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let mut documents = Vec::with_capacity(keys.len());
    with_table(store, |table| {
        for key in keys {
            let found = table.get(key).expect("a get");
            documents.extend(found.map(|value| (key, value.value().to_vec())));
        }
    });
    documents
}

fn with_table(store: &Path, read: impl FnOnce(&ReadOnlyTable<u32, &'static [u8]>)) {
    let database = Database::open(store).expect("the engine's store");
    let transaction = database.begin_read().expect("a read");
    read(&transaction.open_table(PERSONS).expect("the table of persons"));
}

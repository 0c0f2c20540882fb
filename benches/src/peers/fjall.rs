//! fjall: one keyspace, ingestion for the load, batches with `SyncAll`, reads through a snapshot; point reads are
//! expected to hit. Built without LZ4, so that values stand uncompressed as they do in every other store.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use super::{CACHE_BYTES, Look, Peer};
use crate::documents::{Document, Documents};
use crate::samples::Run;

pub(super) struct Fjall {
    database: Database,
    documents: Keyspace,
}

impl Fjall {
    pub(super) fn open(folder: &Path) -> Fjall {
        let database = Database::builder(folder).cache_size(CACHE_BYTES as u64).open().expect("a database");
        let options = || KeyspaceCreateOptions::default().expect_point_read_hits(true);
        let documents = database.keyspace("documents", options).expect("the keyspace");
        Fjall { database, documents }
    }
}

impl Peer for Fjall {
    fn load(&self, documents: &mut Documents) {
        let mut ingestion = self.documents.start_ingestion().expect("an ingestion");
        while let Some((key, bytes)) = documents.next_document() {
            ingestion.write(key.to_be_bytes(), bytes).expect("a write");
        }
        ingestion.finish().expect("an end of the ingestion");
        self.database.persist(PersistMode::SyncAll).expect("a sync");
    }

    fn overwrite_durably(&self, documents: &[Document]) {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        for (key, bytes) in documents {
            batch.insert(&self.documents, key.to_be_bytes(), bytes.as_slice());
        }
        batch.commit().expect("a commit");
    }

    fn read(&self, keys: &[u32], look: Look, run: &mut Run<'_>) {
        let snapshot = self.database.snapshot();
        run(&mut |at| {
            let found = snapshot.get(&self.documents, keys[at].to_be_bytes()).expect("a get");
            found.map_or(0, |value| look(&value))
        });
    }
}

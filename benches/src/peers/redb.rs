//! Plain redb: one table, commits as the engine makes them (durable, two phases, quick repair).

use std::path::Path;

use redb::{Builder, Database, ReadableDatabase, TableDefinition};

use super::{CACHE_BYTES, Look, Peer};
use crate::documents::{Document, Documents};
use crate::samples::Run;

const DOCUMENTS: TableDefinition<u32, &[u8]> = TableDefinition::new("documents");

pub(super) struct Redb {
    database: Database,
}

impl Redb {
    pub(super) fn open(folder: &Path) -> Redb {
        let database = Builder::new().set_cache_size(CACHE_BYTES).create(folder.join("store")).expect("a database");
        Redb { database }
    }

    fn insert(&self, mut next: impl FnMut(&mut dyn FnMut(u32, &[u8])) -> bool) {
        let mut write = self.database.begin_write().expect("a write");
        write.set_two_phase_commit(true);
        write.set_quick_repair(true);
        {
            let mut table = write.open_table(DOCUMENTS).expect("the table");
            while next(&mut |key, bytes| {
                table.insert(key, bytes).expect("an insert");
            }) {}
        }
        write.commit().expect("a commit");
    }
}

impl Peer for Redb {
    fn load(&self, documents: &mut Documents) {
        self.insert(|put| documents.next_document().map(|(key, bytes)| put(key, bytes)).is_some());
    }

    fn overwrite_durably(&self, documents: &[Document]) {
        let mut rows = documents.iter();
        self.insert(|put| rows.next().map(|(key, bytes)| put(*key, bytes)).is_some());
    }

    fn read(&self, keys: &[u32], look: Look, run: &mut Run<'_>) {
        let transaction = self.database.begin_read().expect("a read");
        let table = transaction.open_table(DOCUMENTS).expect("the table");
        run(&mut |at| table.get(keys[at]).expect("a get").map_or(0, |value| look(value.value())));
    }
}

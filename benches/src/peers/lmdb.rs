//! LMDB through lmdb-rkv, whose opening is safe code: an ample map, synchronous commits, appending in key order.

use std::path::Path;

use lmdb::{Database, DatabaseFlags, Environment, EnvironmentFlags, Transaction, WriteFlags};

use super::{Look, Peer};
use crate::documents::{Document, Documents};
use crate::samples::Run;

/// Address space for the map, more than any size needs.
const MAP_BYTES: usize = 64 * 1024 * 1024 * 1024;

pub(super) struct Lmdb {
    environment: Environment,
    database: Database,
}

impl Lmdb {
    pub(super) fn open(folder: &Path) -> Lmdb {
        let (environment, database) = open(folder, EnvironmentFlags::empty());
        Lmdb { environment, database }
    }
}

/// An environment and its unnamed database, for gets far apart: reading ahead would only be in their way.
pub fn lmdb_for_gets(folder: &Path) -> (Environment, Database) {
    open(folder, EnvironmentFlags::NO_READAHEAD)
}

fn open(folder: &Path, flags: EnvironmentFlags) -> (Environment, Database) {
    let mut environment = Environment::new();
    let environment = environment.set_map_size(MAP_BYTES).set_flags(flags).open(folder).expect("an environment");
    let database = environment.create_db(None, DatabaseFlags::empty()).expect("the unnamed database");
    (environment, database)
}

impl Peer for Lmdb {
    fn load(&self, documents: &mut Documents) {
        let mut write = self.environment.begin_rw_txn().expect("a write");
        while let Some((key, bytes)) = documents.next_document() {
            write.put(self.database, &key.to_be_bytes(), &bytes, WriteFlags::APPEND).expect("a put");
        }
        write.commit().expect("a commit");
    }

    fn overwrite_durably(&self, documents: &[Document]) {
        let mut write = self.environment.begin_rw_txn().expect("a write");
        for (key, bytes) in documents {
            write.put(self.database, &key.to_be_bytes(), bytes, WriteFlags::empty()).expect("a put");
        }
        write.commit().expect("a commit");
    }

    fn read(&self, keys: &[u32], look: Look, run: &mut Run<'_>) {
        let read = self.environment.begin_ro_txn().expect("a read");
        run(&mut |at| read.get(self.database, &keys[at].to_be_bytes()).map_or(0, look));
    }
}

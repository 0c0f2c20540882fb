//! SQLite as a store of documents: one table by integer key.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Look, Peer};
use crate::documents::{Document, Documents};
use crate::samples::Run;

pub(super) struct SqliteBlobs {
    path: PathBuf,
    writer: std::sync::Mutex<Connection>,
}

/// A connection as SQLite's documentation sets one up for many readers and durable commits: write-ahead log, full
/// synchronisation, reads through a memory map, 256 MB of pages.
pub(super) fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a database");
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA mmap_size = 2147418112;
        PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY;";
    connection.execute_batch(settings).expect("settings of SQLite");
    connection
}

/// Loads in one transaction without a journal, since a new file that is not whole is thrown away; synchronised at the
/// end.
pub(super) fn load_unjournaled(path: &Path, connection: &Connection, load: impl FnOnce()) {
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN IMMEDIATE")
        .expect("settings of SQLite");
    load();
    connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").expect("a commit");
    std::fs::File::open(path).and_then(|file| file.sync_all()).expect("a sync");
}

impl SqliteBlobs {
    pub(super) fn open(folder: &Path) -> SqliteBlobs {
        let path = folder.join("store");
        let writer = connect(&path);
        writer
            .execute_batch("CREATE TABLE IF NOT EXISTS document (person INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
            .expect("the table");
        SqliteBlobs { path, writer: std::sync::Mutex::new(writer) }
    }

    fn writer(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.writer.lock().expect("a writer that did not panic")
    }
}

impl Peer for SqliteBlobs {
    fn load(&self, documents: &mut Documents) {
        let connection = self.writer();
        load_unjournaled(&self.path, &connection, || {
            let mut insert = connection.prepare("INSERT INTO document VALUES (?1, ?2)").expect("a statement");
            while let Some((key, bytes)) = documents.next_document() {
                insert.execute(params![key, bytes]).expect("an insert");
            }
        });
    }

    fn overwrite_durably(&self, documents: &[Document]) {
        let connection = self.writer();
        connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        {
            let mut update = connection.prepare_cached("REPLACE INTO document VALUES (?1, ?2)").expect("a statement");
            for (key, bytes) in documents {
                update.execute(params![key, bytes]).expect("a replacement");
            }
        }
        connection.execute_batch("COMMIT").expect("a commit");
    }

    fn read(&self, keys: &[u32], look: Look, run: &mut Run<'_>) {
        let connection = connect(&self.path);
        connection.execute_batch("BEGIN").expect("a transaction");
        let mut select = connection.prepare("SELECT bytes FROM document WHERE person = ?1").expect("a statement");
        run(&mut |at| {
            let found = select.query_row([keys[at]], |row| Ok(row.get_ref(0)?.as_blob().map_or(0, look)));
            found.optional().expect("a select").unwrap_or(0)
        });
    }
}

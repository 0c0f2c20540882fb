//! SQLite as a team would build the replica by hand: one table per kind of fact, typed columns, both clocks.
//!
//! Each table is clustered by (person, known_to, n), so that what is believed now of one person stands together, and
//! what ceased to be believed stands before it. A delivery is merged row by row: a row that is still stated is left
//! alone, one that is not is closed with the delivery that dropped it.

use std::path::{Path, PathBuf};

use cpr_replika::cpr_extract::Group;
use cpr_replika::cpr_model::{Field, Kind, RelatedPnr, Timestamp, Value};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Statement, params_from_iter};

use super::relational::{self, Row, Table};
use super::sqlite_blobs::{connect, load_unjournaled};
use super::{Question, Rows};
use crate::samples::Run;

/// Known until further notice; the end of valid time likewise.
const OPEN: i64 = i64::MAX;

/// Columns before those of the facts: person, known_to, n, known_from, record, valid_from, valid_to, marked.
const FIXED: usize = 8;

/// The store.
pub(super) struct SqliteRows {
    path: PathBuf,
    connection: Connection,
    tables: Vec<Table>,
}

/// The table in SQLite's words, for rows clustered by person.
trait Statements {
    fn create(&self) -> String;
    fn insert(&self) -> String;
    fn select(&self, condition: &str) -> String;
    /// The cells of one row from `record` on: all that says whether two rows state the same.
    fn cells(&self, row: &Row<'_>) -> Vec<Cell>;
}

impl Statements for Table {
    fn create(&self) -> String {
        let kind = |field: &Field| match field.kind() {
            Kind::Text | Kind::Flag => "TEXT",
            _ => "INTEGER",
        };
        let columns: String =
            self.fields.iter().map(|field| format!(", \"{}\" {}", field.term(), kind(field))).collect();
        format!(
            "CREATE TABLE IF NOT EXISTS {} (person INTEGER NOT NULL, known_to INTEGER NOT NULL, n INTEGER NOT NULL,
             known_from INTEGER NOT NULL, record INTEGER NOT NULL, valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL,
             marked INTEGER NOT NULL{columns}, PRIMARY KEY (person, known_to, n)) WITHOUT ROWID",
            self.aspect.name()
        )
    }

    fn insert(&self) -> String {
        let places = ", ?".repeat(FIXED + self.fields.len() - 1);
        format!("INSERT INTO {} VALUES (?{places})", self.aspect.name())
    }

    fn select(&self, condition: &str) -> String {
        format!("SELECT * FROM {} WHERE person = ?1 AND {condition}", self.aspect.name())
    }

    fn cells(&self, row: &Row<'_>) -> Vec<Cell> {
        let digits = |at: Option<Timestamp>| at.map(|at| at.digits() as i64);
        let mut cells = vec![
            Cell::from(i64::from(row.record)),
            Cell::from(digits(row.valid_from).unwrap_or(0)),
            Cell::from(digits(row.valid_to).unwrap_or(OPEN)),
            Cell::from(i64::from(row.marked)),
        ];
        cells.extend(self.fields.iter().map(|field| row.values.get(*field).map_or(Cell::Null, cell)));
        cells
    }
}

fn cell(value: Value<'_>) -> Cell {
    match value {
        Value::Text(text) => Cell::from(text.reveal().into_owned()),
        Value::Number(number) => number.map_or(Cell::Null, |number| Cell::from(i64::from(number))),
        Value::Date(date) => Cell::from(i64::from(date.digits())),
        Value::Timestamp(time) => Cell::from(time.digits() as i64),
        Value::Flag(mark) => Cell::from(char::from(mark).to_string()),
        Value::Pnr(RelatedPnr::Unknown) => Cell::from(0),
        Value::Pnr(RelatedPnr::Known(pnr)) => Cell::from(pnr.reveal().parse::<i64>().unwrap_or(0)),
    }
}

/// What merging a delivery needs per table.
struct Merging<'c> {
    held: Statement<'c>,
    close: Statement<'c>,
    insert: Statement<'c>,
}

impl SqliteRows {
    /// Opens or creates the store, for extracts of family `std`.
    pub(super) fn open(folder: &Path) -> SqliteRows {
        let path = folder.join("store");
        let connection = connect(&path);
        let tables = Table::all();
        for table in &tables {
            connection.execute_batch(&table.create()).expect("a table");
        }
        SqliteRows { path, connection, tables }
    }

    fn deliver(&self, extract: &Path, delivery: u32) {
        let prepared = |text: &str| self.connection.prepare(text).expect("a statement");
        let mut merging: Vec<Merging<'_>> = self
            .tables
            .iter()
            .map(|table| Merging {
                held: prepared(&table.select("known_to = ?2")),
                close: prepared(&format!(
                    "UPDATE {} SET known_to = ?3 WHERE person = ?1 AND known_to = ?2 AND n = ?4",
                    table.aspect.name()
                )),
                insert: prepared(&table.insert()),
            })
            .collect();
        relational::read(extract, |groups| {
            for group in groups {
                self.merge(&mut merging, group, delivery);
            }
        });
    }

    fn merge(&self, merging: &mut [Merging<'_>], group: &Group, delivery: u32) {
        let person = i64::from(group.key().as_u32());
        for (table, statements) in self.tables.iter().zip(merging) {
            let rows: Vec<Vec<Cell>> = table.rows(group).iter().map(|row| table.cells(row)).collect();
            // The first delivery finds nothing.
            let mut held: Vec<(i64, Vec<Cell>)> =
                if table.accumulates() || delivery == 1 { Vec::new() } else { statements.held_rows(person) };
            for (n, cells) in rows.into_iter().enumerate() {
                if let Some(same) = held.iter().position(|(_, held)| *held == cells) {
                    held.swap_remove(same);
                    continue;
                }
                let n = i64::from(delivery) << 16 | n as i64;
                let fixed = [person, OPEN, n, i64::from(delivery)].map(Cell::from);
                statements.insert.execute(params_from_iter(fixed.into_iter().chain(cells))).expect("an insert");
            }
            for (n, _) in held {
                statements.close.execute([person, OPEN, i64::from(delivery), n]).expect("an update");
            }
        }
    }
}

impl Rows for SqliteRows {
    fn load(&mut self, extract: &Path) {
        load_unjournaled(&self.path, &self.connection, || self.deliver(extract, 1));
    }

    fn apply(&mut self, extract: &Path, delivery: u32) {
        self.connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        self.deliver(extract, delivery);
        self.connection.execute_batch("COMMIT").expect("a commit");
    }

    fn tidy(&mut self) {}
}

/// Holds a transaction and runs with an operation that asks about one person; the rows, every column of each decoded.
pub(super) fn read(folder: &Path, question: Question, keys: &[u32], run: &mut Run<'_>) {
    let (condition, asked): (_, &[i64]) = match question {
        Question::Now => ("known_to = 9223372036854775807", &[]),
        Question::AsOf { valid, known } => (
            "known_to > ?2 AND known_from <= ?2 AND valid_from <= ?3 AND valid_to > ?3 AND marked = 0",
            &[i64::from(known), valid as i64],
        ),
        Question::AddressHistory => ("true ORDER BY known_from, valid_from", &[]),
    };
    let connection = connect(&folder.join("store"));
    connection.execute_batch("BEGIN").expect("a transaction");
    // Tables without a row are left out: a customer gets the records it has chosen.
    let is_filled = |table: &Table| {
        let text = format!("SELECT EXISTS (SELECT 1 FROM {})", table.aspect.name());
        connection.query_row(&text, [], |row| row.get(0)).expect("a select")
    };
    let tables = Table::all();
    let tables = tables.iter().filter(|table| question.is_about(table.aspect) && is_filled(table));
    let mut statements: Vec<Statement<'_>> =
        tables.map(|table| connection.prepare(&table.select(condition)).expect("a statement")).collect();
    run(&mut |at| {
        let asked = std::iter::once(i64::from(keys[at])).chain(asked.iter().copied());
        statements.iter_mut().map(|statement| count_decoded(statement, params_from_iter(asked.clone()))).sum()
    });
}

impl Merging<'_> {
    /// The believed rows of a person: their `n`, and their cells from `record` on.
    fn held_rows(&mut self, person: i64) -> Vec<(i64, Vec<Cell>)> {
        let columns = self.held.column_count();
        let rows = self.held.query_map([person, OPEN], |row| {
            let cells = (4..columns).map(|at| row.get(at)).collect::<Result<_, _>>()?;
            Ok((row.get(2)?, cells))
        });
        rows.expect("a select").map(|row| row.expect("a row")).collect()
    }
}

/// Runs a select, decodes every column of every row, and returns the number of rows.
fn count_decoded(statement: &mut Statement<'_>, parameters: impl rusqlite::Params) -> usize {
    let columns = statement.column_count();
    let mut rows = statement.query(parameters).expect("a select");
    let mut count = 0;
    while let Some(row) = rows.next().expect("a row") {
        for at in 0..columns {
            match row.get_ref(at).expect("a column") {
                ValueRef::Text(text) => {
                    std::hint::black_box(str::from_utf8(text).expect("what was stored as text"));
                }
                other => {
                    std::hint::black_box(other.as_i64().unwrap_or(0));
                }
            }
        }
        count += 1;
    }
    count
}

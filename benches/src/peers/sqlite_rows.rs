//! SQLite as a team would build the replica by hand: one table per kind of fact, typed columns, both clocks.
//!
//! Each table is clustered by (person, known_to, n), so that what is believed now of one person stands together, and
//! what ceased to be believed stands before it. A delivery is merged row by row: a row that is still stated is left
//! alone, one that is not is closed with the delivery that dropped it. Files are read with the engine's own reader.

use std::fs::File;
use std::path::{Path, PathBuf};

use cpr_replika::cpr_extract::{CheckOptions, Family, Group, Groups, Role, Waive, check};
use cpr_replika::cpr_model::{Aspect, Field, Kind, RelatedPnr, Value, Values};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Statement, params_from_iter};

use super::sqlite_blobs::{connect, load_unjournaled};
use crate::samples::Run;

/// Known until further notice; the end of valid time likewise.
const OPEN: i64 = i64::MAX;

/// Columns before those of the facts: person, known_to, n, known_from, record, valid_from, valid_to, marked.
const FIXED: usize = 8;

/// Persons that are read at a time.
const CHUNK: usize = 8 * 1024;

/// The store.
pub struct SqliteRows {
    path: PathBuf,
    connection: Connection,
    tables: Vec<Table>,
}

impl std::fmt::Debug for SqliteRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqliteRows of {} tables", self.tables.len())
    }
}

/// One kind of fact.
struct Table {
    aspect: Aspect,
    fields: Vec<Field>,
}

impl Table {
    /// The tables of a family, one for each aspect and one for events; the dates of valid time have columns of their
    /// own.
    fn all(family: &Family) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        for record in family.records() {
            let aspect = match record.role {
                Role::Fact(aspect, _) => aspect,
                Role::Event => Aspect::Event,
                _ => continue,
            };
            let at = tables.iter().position(|table| table.aspect == aspect).unwrap_or(tables.len());
            if at == tables.len() {
                tables.push(Table { aspect, fields: Vec::new() });
            }
            let bounds = [aspect.start(), aspect.end()];
            for field in record.columns.iter().filter_map(|column| column.field) {
                if !bounds.contains(&Some(field)) && !tables[at].fields.contains(&field) {
                    tables[at].fields.push(field);
                }
            }
        }
        tables
    }

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

    /// The cells of one row from `record` on: all that says whether two rows state the same.
    fn cells(&self, record: u16, historic: bool, values: Values<'_>) -> Vec<Cell> {
        let period = self.aspect.period(values, historic);
        let digits = |at: Option<cpr_replika::cpr_model::Timestamp>| at.map(|at| at.digits() as i64);
        let mut cells = vec![
            Cell::from(i64::from(record)),
            Cell::from(digits(period.from).unwrap_or(0)),
            Cell::from(digits(period.to).unwrap_or(OPEN)),
            Cell::from(i64::from(self.aspect.mark(values).is_some())),
        ];
        cells.extend(self.fields.iter().map(|field| values.get(*field).map_or(Cell::Null, cell)));
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
    pub fn open(folder: &Path) -> SqliteRows {
        let path = folder.join("store");
        let connection = connect(&path);
        let tables = Table::all(Family::named("std").expect("the family is part of the product"));
        for table in &tables {
            connection.execute_batch(&table.create()).expect("a table");
        }
        SqliteRows { path, connection, tables }
    }

    /// Loads an extract into the empty store as delivery 1.
    pub fn load(&self, extract: &Path) {
        load_unjournaled(&self.path, &self.connection, |connection| self.deliver(connection, extract, 1));
    }

    /// Applies a night's extract as the delivery of this number, in one durable commit.
    pub fn apply(&self, extract: &Path, delivery: u32) {
        self.connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        self.deliver(&self.connection, extract, delivery);
        self.connection.execute_batch("COMMIT").expect("a commit");
    }

    fn deliver(&self, connection: &Connection, extract: &Path, delivery: u32) {
        let family = Family::named("std").expect("the family is part of the product");
        let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
        let checked = check(File::open(extract).expect("the extract"), options).expect("a file that can be read");
        assert!(checked.is_sound(), "{:?}", checked.faults);
        let prepared = |text: &str| connection.prepare(text).expect("a statement");
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
        let source = File::open(extract).expect("the extract");
        let mut reader = Groups::new(source, &checked, &[]).expect("a file that can be read");
        let mut groups = Vec::new();
        loop {
            let count = reader.next_chunk(&mut groups, CHUNK).expect("what was checked");
            if count == 0 {
                break;
            }
            for group in &groups[..count] {
                self.merge(&mut merging, group, delivery);
            }
        }
    }

    fn merge(&self, merging: &mut [Merging<'_>], group: &Group, delivery: u32) {
        let person = i64::from(group.key().as_u32());
        for (table, statements) in self.tables.iter().zip(merging) {
            let of_event = table.aspect == Aspect::Event;
            let rows: Vec<Vec<Cell>> = if of_event {
                group.events().map(|(record, values)| table.cells(record, false, values)).collect()
            } else {
                let rows = group.facts(delivery).filter(|fact| fact.aspect() == table.aspect);
                rows.map(|fact| table.cells(fact.record(), fact.is_historic(), fact.values())).collect()
            };
            // Events accumulate; and the first delivery finds nothing.
            let mut held: Vec<(i64, Vec<Cell>)> =
                if of_event || delivery == 1 { Vec::new() } else { statements.held_rows(person) };
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

    /// Holds a transaction and runs with person now: every column of every row that is believed, decoded; the rows.
    pub fn read_now(path: &Path, keys: &[u32], run: &mut Run<'_>) {
        SqliteRows::read(path, "known_to = 9223372036854775807", |_| true, &[], keys, run);
    }

    /// As [`SqliteRows::read_now`], as of a moment (twelve digits) and a delivery.
    pub fn read_as_of(path: &Path, (valid, known): (u64, u32), keys: &[u32], run: &mut Run<'_>) {
        let condition = "known_to > ?2 AND known_from <= ?2 AND valid_from <= ?3 AND valid_to > ?3 AND marked = 0";
        let asked = [i64::from(known), valid as i64];
        SqliteRows::read(path, condition, |_| true, &asked, keys, run);
    }

    /// As [`SqliteRows::read_now`], every version of the addresses that was ever believed.
    pub fn read_address_history(path: &Path, keys: &[u32], run: &mut Run<'_>) {
        let condition = "true ORDER BY known_from, valid_from";
        SqliteRows::read(path, condition, |aspect| aspect == Aspect::Address, &[], keys, run);
    }

    fn read(
        path: &Path,
        condition: &str,
        wanted: impl Fn(Aspect) -> bool,
        asked: &[i64],
        keys: &[u32],
        run: &mut Run<'_>,
    ) {
        let connection = connect(&path.join("store"));
        connection.execute_batch("BEGIN").expect("a transaction");
        let tables = Table::all(Family::named("std").expect("the family is part of the product"));
        // Tables without a row are left out: a customer gets the records it has chosen.
        let is_filled = |table: &Table| {
            let text = format!("SELECT EXISTS (SELECT 1 FROM {})", table.aspect.name());
            connection.query_row(&text, [], |row| row.get(0)).expect("a select")
        };
        let tables = tables.iter().filter(|table| table.aspect != Aspect::Event && wanted(table.aspect));
        let mut statements: Vec<Statement<'_>> = tables
            .filter(|table| is_filled(table))
            .map(|table| connection.prepare(&table.select(condition)).expect("a statement"))
            .collect();
        run(&mut |at| {
            let asked = std::iter::once(i64::from(keys[at])).chain(asked.iter().copied());
            statements.iter_mut().map(|statement| count_decoded(statement, params_from_iter(asked.clone()))).sum()
        });
    }
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

//! PostgreSQL as a team would build the replica by hand: one table per kind of fact, typed columns, a range for each of
//! the two clocks.
//!
//! What is believed now has an index of its own in each table, so that the past does not stand in its way; the past has
//! another. A person is read by one statement, whose columns are the tables. Moments are CPR's twelve digits, of which
//! some are no moments of PostgreSQL's. A delivery is compared with what is held as text, table by table: a row that is
//! still stated is left alone. How many live in a municipality, by their dates of birth, stands in a summary that each
//! delivery keeps right.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use cpr_replika::cpr_extract::Group;
use cpr_replika::cpr_model::{Aspect, Field, Kind, RelatedPnr, Timestamp, Value};
use postgres::types::{FromSql, ToSql, Type};
use postgres::{Client, Row as Answer};

use super::cluster::connect;
use super::relational::{self, Row, Table};
use super::{Question, Rows};
use crate::samples::Run;

/// The store.
pub(super) struct PostgresqlRows {
    folder: PathBuf,
    client: Client,
    tables: Vec<Table>,
}

/// Where who is believed to live now, and the date of birth; who has none has 0.
const RESIDENT: &str = "CREATE VIEW resident AS
    SELECT DISTINCT ON (address.person) address.person, \"KOMKOD\" AS municipality, coalesce(\"FOED_DT\", 0) AS born
    FROM address JOIN person ON person.person = address.person
    WHERE upper_inf(address.known) AND address.record = 2 AND NOT address.marked AND \"KOMKOD\" IS NOT NULL
        AND upper_inf(person.known) AND person.record = 1 AND NOT person.marked AND coalesce(\"STATUS\", 0) < 30
    ORDER BY address.person, lower(address.valid) DESC NULLS LAST";

/// How many of them there are; under -1 those of all dates.
const SUMMARY: &str = "CREATE TABLE residents (municipality smallint NOT NULL, born integer NOT NULL,
    persons bigint NOT NULL, PRIMARY KEY (municipality, born) INCLUDE (persons))";

/// Counts residents in or out.
fn count_residents(times: i32, whom: &str) -> String {
    format!(
        "INSERT INTO residents AS held
         SELECT municipality, coalesce(born, -1), {times} * count(*) FROM resident WHERE {whom}
         GROUP BY GROUPING SETS ((municipality, born), (municipality))
         ON CONFLICT (municipality, born) DO UPDATE SET persons = held.persons + excluded.persons"
    )
}

/// The table in PostgreSQL's words.
trait Statements {
    fn create(&self) -> String;
    fn indexes(&self) -> String;
    /// What a row states, as `COPY` writes it, from `record` on.
    fn said(&self, row: &Row<'_>) -> String;
    /// Every column of it, the same way.
    fn columns(&self) -> String;
}

impl Statements for Table {
    fn create(&self) -> String {
        let kind = |field: &Field| match field.kind() {
            Kind::Text | Kind::Flag => "text",
            Kind::Small | Kind::Code => "smallint",
            Kind::Date => "integer",
            Kind::Timestamp | Kind::Pnr => "bigint",
        };
        let columns: String =
            self.fields.iter().map(|field| format!(", \"{}\" {}", field.term(), kind(field))).collect();
        format!(
            "CREATE TABLE {} (person integer NOT NULL, known int4range NOT NULL, record smallint NOT NULL,
             marked boolean NOT NULL, valid int8range NOT NULL{columns})",
            self.aspect.name()
        )
    }

    fn indexes(&self) -> String {
        let name = self.aspect.name();
        format!(
            "CREATE INDEX {name}_now ON {name} (person) WHERE upper_inf(known);
             CREATE INDEX {name}_past ON {name} (person) WHERE NOT upper_inf(known)"
        )
    }

    fn said(&self, row: &Row<'_>) -> String {
        let mut line = format!("{}\t{}\t{}", row.record, if row.marked { 't' } else { 'f' }, valid(row));
        for field in &self.fields {
            line.push('\t');
            match row.values.get(*field) {
                None => line.push_str("\\N"),
                Some(value) => write_value(&mut line, value),
            }
        }
        line
    }

    fn columns(&self) -> String {
        let fields: String = self.fields.iter().map(|field| format!(", \"{}\"", field.term())).collect();
        format!("record, marked, valid{fields}")
    }
}

/// The range of valid time, as PostgreSQL writes it.
fn valid(row: &Row<'_>) -> String {
    let digits = |at: Option<Timestamp>| at.map(|at| at.digits());
    match (digits(row.valid_from), digits(row.valid_to)) {
        (Some(from), Some(to)) if from >= to => "empty".to_owned(),
        (from, to) => {
            let text = |at: Option<u64>| at.map_or(String::new(), |at| at.to_string());
            format!("{}{},{})", if from.is_some() { '[' } else { '(' }, text(from), text(to))
        }
    }
}

fn write_value(line: &mut String, value: Value<'_>) {
    match value {
        Value::Text(text) => text.reveal().chars().for_each(|character| {
            if character == '\\' {
                line.push('\\');
            }
            line.push(character);
        }),
        Value::Number(None) => line.push_str("\\N"),
        Value::Number(Some(number)) => write!(line, "{number}").expect("writing into memory"),
        Value::Date(date) => write!(line, "{}", date.digits()).expect("writing into memory"),
        Value::Timestamp(time) => write!(line, "{}", time.digits()).expect("writing into memory"),
        Value::Flag(mark) => line.push(char::from(mark)),
        Value::Pnr(RelatedPnr::Unknown) => line.push('0'),
        Value::Pnr(RelatedPnr::Known(pnr)) => {
            write!(line, "{}", pnr.reveal().parse::<i64>().unwrap_or(0)).expect("writing into memory");
        }
    }
}

impl PostgresqlRows {
    /// Connects to the database of the cluster in a folder, for extracts of family `std`.
    pub(super) fn open(folder: &Path) -> PostgresqlRows {
        PostgresqlRows { folder: folder.to_owned(), client: connect(folder), tables: Table::all() }
    }

    /// Merges some persons' rows into one table.
    fn merge(client: &mut Client, table: &Table, groups: &[Group], delivery: u32) {
        let name = table.aspect.name();
        let mut held = if table.accumulates() { HashMap::new() } else { held_rows(client, table, groups) };
        let mut added = String::new();
        for group in groups {
            let person = group.key().as_u32();
            let mut of_person = held.remove(&person).unwrap_or_default();
            for row in table.rows(group) {
                let said = table.said(&row);
                match of_person.iter().position(|(_, held)| *held == said) {
                    Some(same) => drop(of_person.swap_remove(same)),
                    None => writeln!(added, "{person}\t[{delivery},)\t{said}").expect("writing into memory"),
                }
            }
            if !of_person.is_empty() {
                held.insert(person, of_person);
            }
        }
        let gone: Vec<String> = held.into_values().flatten().map(|(place, _)| place).collect();
        if !gone.is_empty() {
            let close =
                format!("UPDATE {name} SET known = int4range(lower(known), $1) WHERE ctid = ANY ($2::text[]::tid[])");
            client.execute(&close, &[&(delivery as i32), &gone]).expect("an update");
        }
        if !added.is_empty() {
            let mut copy = client.copy_in(&format!("COPY {name} FROM STDIN")).expect("a copy");
            copy.write_all(added.as_bytes()).expect("a write");
            copy.finish().expect("a copy");
        }
    }
}

/// What is believed of some persons in a table: where each row stands, and what it says.
fn held_rows(client: &mut Client, table: &Table, groups: &[Group]) -> HashMap<u32, Vec<(String, String)>> {
    let persons: Vec<String> = groups.iter().map(|group| group.key().as_u32().to_string()).collect();
    let copy = format!(
        "COPY (SELECT person, ctid, {} FROM {} WHERE upper_inf(known) AND person = ANY ('{{{}}}')) TO STDOUT",
        table.columns(),
        table.aspect.name(),
        persons.join(",")
    );
    let mut text = String::new();
    client.copy_out(&copy).expect("a copy").read_to_string(&mut text).expect("a copy");
    let mut held: HashMap<u32, Vec<(String, String)>> = HashMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, '\t').map(str::to_owned);
        let (person, place, said) = (parts.next(), parts.next(), parts.next());
        let person = person.and_then(|person| person.parse().ok()).expect("a person");
        held.entry(person).or_default().extend(place.zip(said));
    }
    held
}

impl Rows for PostgresqlRows {
    /// Each table is filled and indexed by a connection of its own: new tables need no log, and the server uses all
    /// cores.
    fn load(&mut self, extract: &Path) {
        let mut clients: Vec<Client> = self.tables.iter().map(|_| connect(&self.folder)).collect();
        let copies = clients.iter_mut().zip(&self.tables).map(|(client, table)| {
            client.batch_execute(&format!("BEGIN; {}", table.create())).expect("a table");
            client.copy_in(&format!("COPY {} FROM STDIN (FREEZE)", table.aspect.name())).expect("a copy")
        });
        let mut copies: Vec<_> = copies.collect();
        relational::read(extract, |groups| {
            for (table, copy) in self.tables.iter().zip(&mut copies) {
                let mut lines = String::new();
                for group in groups {
                    let person = group.key().as_u32();
                    for row in table.rows(group) {
                        writeln!(lines, "{person}\t[1,)\t{}", table.said(&row)).expect("writing into memory");
                    }
                }
                copy.write_all(lines.as_bytes()).expect("a write");
            }
        });
        for copy in copies {
            copy.finish().expect("a copy");
        }
        std::thread::scope(|scope| {
            for (client, table) in clients.iter_mut().zip(&self.tables) {
                let name = table.aspect.name();
                let end = format!("{}; COMMIT; ANALYZE {name}", table.indexes());
                scope.spawn(move || client.batch_execute(&end).expect("indexes"));
            }
        });
        let residents = count_residents(1, "true");
        self.client
            .batch_execute(&format!("BEGIN; {RESIDENT}; {SUMMARY}; {residents}; COMMIT; ANALYZE residents"))
            .expect("the summary");
    }

    fn apply(&mut self, extract: &Path, delivery: u32) {
        let PostgresqlRows { client, tables, .. } = self;
        client.batch_execute("BEGIN").expect("a transaction");
        relational::read(extract, |groups| {
            let persons: Vec<i32> = groups.iter().map(|group| group.key().as_u32() as i32).collect();
            let count = |client: &mut Client, times| {
                client.execute(&count_residents(times, "person = ANY ($1)"), &[&persons]).expect("the summary")
            };
            count(client, -1);
            for table in tables.iter() {
                PostgresqlRows::merge(client, table, groups, delivery);
            }
            count(client, 1);
        });
        client.batch_execute("COMMIT").expect("a commit");
    }

    fn tidy(&mut self) {
        self.client.batch_execute("VACUUM (ANALYZE)").expect("a vacuum");
        self.client.batch_execute("CHECKPOINT").expect("a checkpoint");
    }
}

/// The folder that holds the database, and neither the server's log of changes nor its other databases.
pub fn database_folder(folder: &Path) -> PathBuf {
    let path: String =
        connect(folder).query_one("SELECT pg_relation_filepath('person')", &[]).expect("a select").get(0);
    folder.join("data").join(path).parent().expect("a file in a folder").to_owned()
}

/// A connection with a view that stays the same.
fn view(folder: &Path) -> Client {
    let mut client = connect(folder);
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").expect("a transaction");
    client
}

/// Holds a view and runs with an operation that asks about one person; the rows, every column of each decoded.
pub(super) fn read(folder: &Path, question: Question, keys: &[u32], run: &mut Run<'_>) {
    let mut client = view(folder);
    let valid_and_known = match question {
        Question::AsOf { valid, known } => Some((known as i32, valid as i64)),
        Question::Now | Question::AddressHistory => None,
    };
    // Tables without a row are left out: a customer gets the records it has chosen.
    let mut is_filled = |aspect: Aspect| -> bool {
        let text = format!("SELECT EXISTS (SELECT FROM {})", aspect.name());
        client.query_one(&text, &[]).expect("a select").get(0)
    };
    let tables = Table::all().into_iter().map(|table| table.aspect);
    let rows: Vec<String> = tables
        .filter(|aspect| question.is_about(*aspect) && is_filled(*aspect))
        .map(|aspect| format!("ARRAY({})", rows_of(question, aspect.name())))
        .collect();
    let statement = client.prepare(&format!("SELECT {}", rows.join(", "))).expect("a statement");
    run(&mut |at| {
        let person = keys[at] as i32;
        let mut asked: Vec<&(dyn ToSql + Sync)> = vec![&person];
        if let Some((known, valid)) = &valid_and_known {
            asked.extend([known as &(dyn ToSql + Sync), valid]);
        }
        decoded(&client.query_one(&statement, &asked).expect("a select"))
    });
}

/// The rows of one table, whole.
fn rows_of(question: Question, table: &str) -> String {
    let [now, past] =
        ["", "NOT "].map(|not| format!("SELECT t FROM {table} t WHERE person = $1 AND {not}upper_inf(known)"));
    match question {
        Question::Now => now,
        Question::AsOf { .. } => {
            let holds = "known @> $2::integer AND valid @> $3::bigint AND NOT marked";
            format!("{now} AND {holds} UNION ALL {past} AND {holds}")
        }
        Question::AddressHistory => {
            format!("SELECT t FROM ({now} UNION ALL {past}) both_of (t) ORDER BY lower((t).known), lower((t).valid)")
        }
    }
}

/// Holds a view and runs with an operation that counts who lives in one of some municipalities, by its position; only
/// those born between two dates (eight digits), when that is asked.
pub fn read_counts(folder: &Path, municipalities: &[u16], born: Option<RangeInclusive<u32>>, run: &mut Run<'_>) {
    let mut client = view(folder);
    let dates = born.map_or(-1..=-1, |born| *born.start() as i32..=*born.end() as i32);
    let count = "SELECT coalesce(sum(persons), 0)::bigint FROM residents
        WHERE municipality = $1 AND born BETWEEN $2 AND $3";
    let statement = client.prepare(count).expect("a statement");
    run(&mut |at| {
        let municipality = municipalities[at % municipalities.len()] as i16;
        let answer = client.query_one(&statement, &[&municipality, dates.start(), dates.end()]).expect("a select");
        answer.get::<_, i64>(0) as usize
    });
}

/// Decodes every column of every row in an answer whose columns are arrays of rows; how many rows there are.
fn decoded(answer: &Answer) -> usize {
    (0..answer.len()).map(|at| answer.get::<_, CountedRows>(at).0).sum()
}

/// An array of rows of any type, of which each value was decoded.
struct CountedRows(usize);

impl<'a> FromSql<'a> for CountedRows {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<CountedRows, Box<dyn std::error::Error + Sync + Send>> {
        let mut raw = raw;
        // Dimensions, whether there are nulls, the type; of each dimension how many and from where.
        let [dimensions, _, _] = [int(&mut raw)?, int(&mut raw)?, int(&mut raw)?];
        if dimensions == 0 {
            return Ok(CountedRows(0));
        }
        let [rows, _] = [int(&mut raw)?, int(&mut raw)?];
        for _ in 0..rows {
            let [_, columns] = [int(&mut raw)?, int(&mut raw)?];
            for _ in 0..columns {
                let of = int(&mut raw)? as u32;
                let length = int(&mut raw)?;
                let (value, rest) = raw.split_at_checked(length.max(0) as usize).ok_or("a row that is cut short")?;
                raw = rest;
                decode(of, value);
            }
        }
        Ok(CountedRows(rows as usize))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn int(raw: &mut &[u8]) -> Result<i32, &'static str> {
    let (bytes, rest) = raw.split_first_chunk().ok_or("an array that is cut short")?;
    *raw = rest;
    Ok(i32::from_be_bytes(*bytes))
}

fn decode(of: u32, value: &[u8]) {
    if of == Type::TEXT.oid() {
        std::hint::black_box(str::from_utf8(value).expect("what was stored as text"));
    } else {
        // Numbers, and ranges of numbers with the length of each bound: big-endian.
        let number = value.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        std::hint::black_box(number);
    }
}

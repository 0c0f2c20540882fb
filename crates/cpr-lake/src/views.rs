//! SQL that reads a lake: every version, what counts now, what counted as known at a delivery, as of (valid, known),
//! the Danish names, and one row a person; for DuckDB and for Spark. It is written from the columns that the lake has,
//! and says the same in both.

use std::fmt::Write as _;

use cpr_replika::cpr_model::Aspect;

use crate::ledger;
use crate::names::name_of;
use crate::profile::Profile;
use crate::schema::Table;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    DuckDb,
    Spark,
}

/// The text of the views.
pub(crate) fn views(dialect: Dialect, tables: &[Table], profile: &Profile) -> String {
    let mut sql = match dialect {
        Dialect::DuckDb => String::from(
            "-- Views on the lake for DuckDB. In its folder: duckdb -init views.sql. From elsewhere, first:\n\
             -- SET file_search_path = 'FOLDER';\n",
        ),
        Dialect::Spark => String::from(
            "-- Views on the lake for Spark 4. First: SET lake = FOLDER; times are on the clocks of Denmark.\n\
             -- Run one statement after the other, each up to its semicolon.\n",
        ),
    };
    let view = |sql: &mut String, name: &str, body: &str| {
        let temporary = if dialect == Dialect::Spark { "TEMPORARY " } else { "" };
        _ = writeln!(sql, "\nCREATE OR REPLACE {temporary}VIEW {name} AS\n{body};");
    };
    let ledger: Vec<String> = ledger::columns().into_iter().map(|column| column.name).collect();
    let from = dialect.read(ledger::DELIVERIES);
    view(&mut sql, "deliveries", &format!("SELECT {}\nFROM {from}\nWHERE delivery > 0", ledger.join(", ")));
    for table in tables {
        let (name, columns) = (table.name(), names(table));
        if table.aspect == Aspect::Event {
            let from = dialect.read(name);
            view(&mut sql, name, &format!("SELECT {}\nFROM {from}\nWHERE known_from <= {LAST}", columns.join(", ")));
            continue;
        }
        let all = columns.join(", ");
        let opened: Vec<String> = columns.iter().map(|column| format!("o.{column}")).collect();
        let versions = format!(
            "SELECT {}, c.known_to, c.known_to_production\nFROM {} o\nLEFT JOIN (SELECT * FROM {} WHERE known_to <= {LAST}) c\n\
             \x20 ON c.person = o.person AND c.known_from = o.known_from AND c.fact_number = o.fact_number\n\
             WHERE o.known_from <= {LAST}",
            opened.join(", "),
            dialect.read(&format!("{name}/opened")),
            dialect.read(&format!("{name}/closed")),
        );
        view(&mut sql, &format!("{name}_versions"), &versions);
        let now =
            format!("SELECT {all}\nFROM {name}_versions\nWHERE known_to IS NULL AND NOT historic AND mark IS NULL");
        view(&mut sql, &format!("{name}_now"), &now);
        let types: Vec<(&str, &str)> =
            table.columns.iter().map(|column| (column.name.as_str(), spark_type(column))).collect();
        let known =
            format!("SELECT {all}\nFROM {name}_versions\nWHERE {BELIEVED}\n  AND NOT historic AND mark IS NULL");
        dialect.function(&mut sql, &format!("{name}_known"), &[KNOWN], &types, &known);
        view(&mut sql, &format!("{name}_da"), &format!("SELECT {}\nFROM {name}_versions", danish(&columns).join(", ")));
        let as_of = format!(
            "SELECT {all}\nFROM {name}_versions\nWHERE {BELIEVED}\n  AND mark IS NULL\n\
             \x20 AND (valid_from IS NULL OR valid_from <= valid) AND (valid_to IS NULL OR valid < valid_to)"
        );
        dialect.function(&mut sql, &format!("{name}_as_of"), &[VALID, KNOWN], &types, &as_of);
    }
    write_people(dialect, &mut sql, tables, profile);
    sql
}

/// What was believed right after a delivery.
const BELIEVED: &str = "known_from <= known AND (known_to IS NULL OR known < known_to)";

/// The parameters of the functions, and their types.
const VALID: (&str, &str) = ("valid", "TIMESTAMP_NTZ");
const KNOWN: (&str, &str) = ("known", "INT");

/// The last delivery that is whole: what an unfinished run left does not count.
const LAST: &str = "(SELECT max(delivery) FROM deliveries)";

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

/// The columns, the four bounds by the names that Grunddata gives them.
fn danish(columns: &[&str]) -> Vec<String> {
    let renamed = |column: &&str| match *column {
        "valid_from" => "valid_from AS virkningFra".to_owned(),
        "valid_to" => "valid_to AS virkningTil".to_owned(),
        "known_from_production" => "known_from_production AS registreringFra".to_owned(),
        other => other.to_owned(),
    };
    let mut all: Vec<String> = columns.iter().map(renamed).collect();
    all.extend(["known_to".to_owned(), "known_to_production AS registreringTil".to_owned()]);
    all
}

impl Dialect {
    /// What reads all files of a table.
    fn read(self, table: &str) -> String {
        match self {
            Dialect::DuckDb => format!("read_parquet('{table}/*/*.parquet', hive_partitioning = false)"),
            Dialect::Spark => format!("parquet.`${{lake}}/{table}`"),
        }
    }

    /// A function that gives rows.
    fn function(self, sql: &mut String, name: &str, of: &[(&str, &str)], columns: &[(&str, &str)], body: &str) {
        let typed = |all: &[(&str, &str)]| {
            all.iter().map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
        };
        _ = match self {
            Dialect::DuckDb => {
                let names: Vec<&str> = of.iter().map(|(name, _)| *name).collect();
                writeln!(sql, "\nCREATE OR REPLACE MACRO {name}({}) AS TABLE\n{body};", names.join(", "))
            }
            Dialect::Spark => {
                let (of, columns) = (typed(of), typed(columns));
                writeln!(
                    sql,
                    "\nCREATE OR REPLACE TEMPORARY FUNCTION {name}({of})\nRETURNS TABLE({columns})\nRETURN\n{body};"
                )
            }
        };
    }
}

fn spark_type(column: &crate::schema::Column) -> &'static str {
    use crate::schema::Type as T;
    match column.kind {
        T::Long => "BIGINT",
        T::Int => "INT",
        T::Short => "SMALLINT",
        T::Double => "DOUBLE",
        T::Text => "STRING",
        T::Flag => "BOOLEAN",
        T::Day => "DATE",
        T::Moment => "TIMESTAMP_NTZ",
    }
}

/// What one row a person is made of: the table, and its columns as far as the lake has them.
const PARTS: [(Aspect, &[(&str, &str)]); 4] = [
    (Aspect::Person, &[("status", "SMALLINT"), ("koen", "STRING"), ("foed_dt", "DATE")]),
    (Aspect::Address, &[("komkod", "SMALLINT")]),
    (Aspect::Citizenship, &[("landekod", "SMALLINT")]),
    (Aspect::CivilStatus, &[("civst", "STRING")]),
];

/// One row a person: of facts that hold together, the one that began last; the municipality of who lives somewhere; age
/// in full years.
fn write_people(dialect: Dialect, sql: &mut String, tables: &[Table], profile: &Profile) {
    let has = |aspect: Aspect, column: &str| {
        tables.iter().any(|table| table.aspect == aspect && table.columns.iter().any(|found| found.name == column))
    };
    if !has(Aspect::Person, "status") || !has(Aspect::Person, "statushaenstart") {
        return;
    }
    let parts = |rows_of: &dyn Fn(&str) -> String, lives_later: &str| {
        let mut selected = vec!["person.person".to_owned()];
        let (mut with, mut joins) = (Vec::new(), Vec::new());
        for (aspect, columns) in PARTS {
            let name = name_of(aspect);
            let found: Vec<&str> =
                columns.iter().map(|(column, _)| *column).filter(|column| has(aspect, column)).collect();
            if found.is_empty() {
                continue;
            }
            with.push(format!(
                "{name} AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY person ORDER BY valid_from DESC NULLS \
                 LAST, coalesce(tie_rank, 0) DESC) AS place FROM {}) ranked WHERE place = 1)",
                rows_of(name)
            ));
            selected.extend(found.iter().map(|column| format!("{name}.{column}")));
            match aspect {
                Aspect::Person => joins.push("FROM person".to_owned()),
                Aspect::Address => joins.push(format!(
                    "LEFT JOIN address ON address.person = person.person\n  AND (person.status IS NULL OR person.status < 30{lives_later})"
                )),
                _ => joins.push(format!("LEFT JOIN {name} ON {name}.person = person.person")),
            }
        }
        (with.join(",\n"), selected, joins.join("\n"))
    };
    let mut types = vec![("person", "BIGINT")];
    let found = PARTS.iter().flat_map(|(aspect, columns)| columns.iter().filter(|column| has(*aspect, column.0)));
    types.extend(found.copied());
    let (with, mut selected, joins) =
        parts(&|name| format!("{name}_as_of(valid, known)"), " OR person.statushaenstart > valid");
    let without_ages = types.clone();
    if has(Aspect::Person, "foed_dt") {
        selected.push(format!("{} AS age", age("valid")));
        selected.push(format!("{} AS age_group", age_group(&age("valid"), &profile.age_groups)));
        types.extend([("age", "INT"), ("age_group", "STRING")]);
    }
    let body = format!("WITH {with}\nSELECT {}\n{joins}", selected.join(", "));
    dialect.function(sql, "people_as_of", &[VALID, KNOWN], &types, &body);
    let (with, selected, joins) = parts(&|name| format!("{name}_known(known)"), "");
    let body = format!("WITH {with}\nSELECT {}\n{joins}", selected.join(", "));
    dialect.function(sql, "people_known", &[KNOWN], &without_ages, &body);
    let (with, selected, joins) = parts(&|name| format!("{name}_now"), "");
    let temporary = if dialect == Dialect::Spark { "TEMPORARY " } else { "" };
    _ = writeln!(
        sql,
        "\nCREATE OR REPLACE {temporary}VIEW people_now AS\nWITH {with}\nSELECT {}\n{joins};",
        selected.join(", ")
    );
}

/// Full years at a moment, by the digits of the dates: who was born on 29 February has a birthday on 1 March.
fn age(at: &str) -> String {
    let digits = |date: &str| format!("year({date}) * 10000 + month({date}) * 100 + day({date})");
    let (at, born) = (digits(at), digits("person.foed_dt"));
    format!("CAST(CASE WHEN {at} >= {born} THEN floor((({at}) - ({born})) / 10000.0) END AS INT)")
}

fn age_group(age: &str, groups: &[u16]) -> String {
    let mut cases = String::from("CASE");
    for (first, next) in groups.iter().zip(groups.iter().skip(1)) {
        _ = write!(cases, " WHEN {age} < {next} THEN '{first}-{}'", next - 1);
    }
    if let Some(last) = groups.last() {
        _ = write!(cases, " WHEN {age} >= {last} THEN '{last}-'");
    }
    cases + " END"
}

//! Searches of a made-up Denmark beside SQLite with FTS5 and indexes, which holds the same persons and answers the
//! same.
//!
//! Persons are those of `cpr-population`, so that names, streets and birth dates recur as they do. Both stores are
//! asked for the same 500 things about persons drawn without locality, after a first pass that brings the pages into
//! memory. How many answers differ in their number is among the figures: the two fold differently. Figures go to
//! `target/bench-results/search.json`. Without `--bench` (as `cargo test --benches` starts it) it takes two thousand
//! persons and twenty questions.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use benches::results::{Results, target_folder};
use cpr_population::{Population, Product};
use cpr_replika::cpr_extract::Family;
use cpr_replika::cpr_model::{Aspect, Date, Field, MunicipalityCode, Pnr, StreetCode};
use cpr_replika::cpr_subscription::HouseNumber;
use cpr_replika::{AddressPattern, ApplyOptions, Config, NamePart, Policy, Query, Replika, Scope, Search, Snapshot};
use rusqlite::{Connection, ToSql, params};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A filter meant for another bench target.
    if arguments.iter().any(|argument| !argument.starts_with('-') && !"search".contains(argument.as_str())) {
        return;
    }
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let (of, asked) = if is_bench { (benches::persons(), 500) } else { (2000, 20) };
    let parent = target_folder().join("bench-data");
    std::fs::create_dir_all(&parent).expect("a place for the stores");
    let folder = tempfile::tempdir_in(parent).expect("a place for the stores");
    let mut results = Results::of("search", of);
    let replika = loaded(folder.path(), of, &mut results);
    let snapshot = replika.snapshot();
    let sqlite = sqlite(&folder.path().join("sqlite"), &snapshot);
    let drawn = drawn(&snapshot, of, asked);
    for question in QUESTIONS {
        let mut differ = 0;
        let count = |person: &Drawn| found(&snapshot, &(question.query)(person), question);
        let mut statement = sqlite.prepare(question.sql).expect("SQL");
        let mut rows = |person: &Drawn| {
            let values = (question.values)(person);
            let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
            let mut rows = statement.query(values.as_slice()).expect("a query");
            let mut found = 0;
            while let Some(row) = rows.next().expect("a row") {
                found = if question.count { row.get::<_, i64>(0).expect("a count") as u64 } else { found + 1 };
                std::hint::black_box(row.get_ref(0).expect("a column").as_bytes().ok());
            }
            found
        };
        for person in &drawn {
            differ += u32::from(count(person) != rows(person));
        }
        timed(&drawn, |person| count(person), question, "replika", &mut results);
        timed(&drawn, |person| rows(person), question, "SQLite", &mut results);
        results.add(question.name, "differ", "answers", differ.into());
    }
    if is_bench {
        results.write("search");
    }
}

/// Loads the population from a file, as CPR would have sent it.
fn loaded(folder: &Path, of: u32, results: &mut Results) -> Replika {
    let path = folder.join("extract");
    let product = Product { family: Family::named("std").expect("U12170-P"), task: "999901".to_owned() };
    let mut out = BufWriter::new(File::create(&path).expect("a file"));
    Population::new(1, of).full_extract(&mut out, &product).expect("a full extract");
    out.flush().expect("a file");
    let replika = Replika::create(folder.join("replika"), &Config::default()).expect("a new store");
    let start = Instant::now();
    replika.load(File::open(path).expect("the file"), &ApplyOptions::named("full")).expect("a sound extract");
    results.add("load, words and streets included", "replika", "1/s", f64::from(of) / start.elapsed().as_secs_f64());
    replika
}

/// What a question is asked about.
struct Drawn {
    given: String,
    surname: String,
    born: Date,
    municipality: u16,
    street: u16,
    house: String,
    street_name: String,
    postal_code: u16,
}

/// Every so-manyth person who lives somewhere and has a name of plain words.
fn drawn(snapshot: &Snapshot, of: u32, wanted: usize) -> Vec<Drawn> {
    let pnrs: Vec<Pnr> = snapshot.pnrs().expect("a read").map(|pnr| pnr.expect("a read")).collect();
    let step = 7919;
    let ranks = (0..of).map(|at| (u64::from(at) * step % u64::from(of)) as usize);
    ranks.filter_map(|rank| draw(snapshot, pnrs[rank])).take(wanted).collect()
}

fn draw(snapshot: &Snapshot, pnr: Pnr) -> Option<Drawn> {
    let row = Row::read(snapshot, pnr);
    let first =
        |text: &str| text.split(' ').next().filter(|word| word.chars().all(char::is_alphabetic)).map(str::to_owned);
    Some(Drawn {
        given: first(&row.given)?,
        surname: first(&row.surname).filter(|word| word.chars().count() >= 4)?,
        born: row.born?,
        municipality: row.municipality?,
        street: row.street?,
        house: row.house.clone()?,
        street_name: row.street_name.clone()?,
        postal_code: row.postal_code?,
    })
}

/// One question, for both.
struct Question {
    name: &'static str,
    count: bool,
    query: fn(&Drawn) -> Query,
    sql: &'static str,
    values: fn(&Drawn) -> Vec<String>,
}

fn digits(date: Date) -> String {
    date.digits().to_string()
}

fn prefix(person: &Drawn) -> String {
    person.surname.chars().take(3).collect()
}

fn at(person: &Drawn) -> AddressPattern {
    let house = HouseNumber::parse(person.house.as_bytes()).expect("a house number of the register");
    AddressPattern { houses: vec![house..=house], ..AddressPattern::default() }
}

const QUESTIONS: &[Question] = &[
    Question {
        name: "name and birth date",
        count: false,
        query: |person| {
            let name = Query::name(NamePart::Any, &format!("{} {}", person.given, person.surname));
            Query::And(vec![name, Query::Born(person.born..=person.born)])
        },
        sql: "SELECT person.pnr, person.addressing_name FROM person JOIN names ON names.rowid = person.pnr
            WHERE person.born = ?1 AND names MATCH ?2 ORDER BY person.pnr LIMIT 20",
        values: |person| vec![digits(person.born), format!("\"{}\" \"{}\"", person.given, person.surname)],
    },
    Question {
        name: "surname prefix and municipality, count",
        count: true,
        query: |person| {
            let address = AddressPattern {
                municipality: Some(MunicipalityCode(person.municipality)),
                ..AddressPattern::default()
            };
            Query::And(vec![Query::name(NamePart::Surname, &format!("{}*", prefix(person))), Query::Address(address)])
        },
        sql: "SELECT count(*) FROM names JOIN person ON person.pnr = names.rowid
            WHERE names MATCH ?1 AND person.municipality = ?2",
        values: |person| vec![format!("surname : \"{}\" *", prefix(person)), person.municipality.to_string()],
    },
    Question {
        name: "street code and house",
        count: false,
        query: |person| {
            Query::Address(AddressPattern {
                municipality: Some(MunicipalityCode(person.municipality)),
                street: Some(StreetCode(person.street)),
                ..at(person)
            })
        },
        sql: "SELECT pnr, addressing_name FROM person WHERE municipality = ?1 AND street = ?2 AND house = ?3
            ORDER BY pnr LIMIT 20",
        values: |person| vec![person.municipality.to_string(), person.street.to_string(), person.house.clone()],
    },
    Question {
        name: "street name, house and postal code",
        count: false,
        query: |person| {
            Query::Address(AddressPattern {
                street_name: AddressPattern::words(&person.street_name),
                postal_code: Some(person.postal_code..=person.postal_code),
                ..at(person)
            })
        },
        sql: "SELECT pnr, addressing_name FROM person WHERE street_name = ?1 AND house = ?2 AND postal_code = ?3
            ORDER BY pnr LIMIT 20",
        values: |person| vec![person.street_name.clone(), person.house.clone(), person.postal_code.to_string()],
    },
    Question {
        name: "surname, first 20",
        count: false,
        query: |person| Query::name(NamePart::Any, &person.surname),
        sql: "SELECT person.pnr, person.addressing_name FROM names JOIN person ON person.pnr = names.rowid
            WHERE names MATCH ?1 ORDER BY names.rowid LIMIT 20",
        values: |person| vec![format!("\"{}\"", person.surname)],
    },
];

fn found(snapshot: &Snapshot, query: &Query, question: &Question) -> u64 {
    let search = Search {
        query: query.clone(),
        scope: Scope::Now,
        after: None,
        limit: if question.count { 0 } else { 20 },
        count: question.count,
        policy: Policy::open(),
    };
    let hits = snapshot.search(&search).expect("an answer");
    hits.count.unwrap_or(hits.rows.len() as u64)
}

fn timed(drawn: &[Drawn], mut ask: impl FnMut(&Drawn) -> u64, question: &Question, store: &str, results: &mut Results) {
    let mut times: Vec<f64> = Vec::with_capacity(drawn.len());
    for person in drawn {
        let start = Instant::now();
        std::hint::black_box(ask(person));
        times.push(start.elapsed().as_secs_f64() * 1e9);
    }
    times.sort_by(f64::total_cmp);
    for (name, share) in [("p50", 50), ("p99", 99)] {
        results.add(&format!("{}, {name}", question.name), store, "ns", times[(times.len() - 1) * share / 100]);
    }
}

/// The columns that SQLite gets of a person.
#[derive(Default)]
struct Row {
    born: Option<Date>,
    given: String,
    middle: String,
    surname: String,
    addressing_name: String,
    municipality: Option<u16>,
    street: Option<u16>,
    house: Option<String>,
    street_name: Option<String>,
    postal_code: Option<u16>,
}

impl Row {
    fn read(snapshot: &Snapshot, pnr: Pnr) -> Row {
        let mut row = Row::default();
        let person = snapshot.person(pnr).expect("a read").expect("held");
        for fact in person.all_facts().filter(|fact| !fact.is_historic()) {
            let values = fact.values();
            let text = |field| values.text(field).reveal().into_owned();
            match fact.aspect() {
                Aspect::Person => row.born = values.date(Field::DateOfBirth),
                Aspect::Name => {
                    row.given = text(Field::GivenNames);
                    row.middle = text(Field::MiddleNames);
                    row.surname = text(Field::Surname);
                }
                Aspect::Address => {
                    row.municipality = values.number(Field::MunicipalityCode);
                    row.street = values.number(Field::StreetCode);
                    row.house = Some(text(Field::HouseNumber)).filter(|house| !house.is_empty());
                }
                Aspect::FormattedAddress => {
                    row.addressing_name = text(Field::AddressingName);
                    row.street_name = Some(text(Field::StreetAddressingName)).filter(|name| !name.is_empty());
                    row.postal_code = values.number(Field::PostalCode);
                }
                _ => {}
            }
        }
        row
    }
}

/// SQLite with a row for each person, an index for each question, and FTS5 over the names with prefixes of three
/// letters.
fn sqlite(path: &Path, snapshot: &Snapshot) -> Connection {
    let mut connection = Connection::open(path).expect("a new store");
    connection
        .execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; PRAGMA mmap_size = 2147483648;
            CREATE TABLE person (pnr INTEGER PRIMARY KEY, born INTEGER, addressing_name TEXT, municipality INTEGER,
                street INTEGER, house TEXT, street_name TEXT, postal_code INTEGER);
            CREATE VIRTUAL TABLE names USING fts5(given, middle, surname, addressing_name, content = '', prefix = '3',
                tokenize = 'unicode61 remove_diacritics 2');",
        )
        .expect("tables");
    let write = connection.transaction().expect("a transaction");
    {
        let mut person = write.prepare("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)").expect("SQL");
        let insert = "INSERT INTO names (rowid, given, middle, surname, addressing_name) VALUES (?, ?, ?, ?, ?)";
        let mut names = write.prepare(insert).expect("SQL");
        for pnr in snapshot.pnrs().expect("a read") {
            let pnr = pnr.expect("a read");
            let row = Row::read(snapshot, pnr);
            let key = pnr.key().expect("held under a key").as_u32();
            let born = row.born.map(|date| date.digits());
            let Row { addressing_name, municipality, street, house, street_name, postal_code, .. } = &row;
            person
                .execute(params![key, born, addressing_name, municipality, street, house, street_name, postal_code])
                .expect("a row");
            names.execute(params![key, row.given, row.middle, row.surname, addressing_name]).expect("a row");
        }
    }
    write.commit().expect("a commit");
    connection
        .execute_batch(
            "CREATE INDEX born ON person (born); CREATE INDEX at ON person (municipality, street, house);
            CREATE INDEX named ON person (street_name, house, postal_code);
            INSERT INTO names (names) VALUES ('optimize'); ANALYZE;",
        )
        .expect("indexes");
    connection
}

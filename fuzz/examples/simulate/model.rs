//! The naive model: what every answer must be, from a list of nights and nothing clever.
//!
//! A night is a map from number to rows. What a person's lines are as of a delivery is what stood in the last night up
//! to it that had the person; whoever was erased never was.

use std::collections::{BTreeMap, BTreeSet};

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::{Date, MunicipalityCode, Pnr};
use cpr_replika::{DeliveryNumber, OwnedFact, Query, Snapshot};

use crate::random::Random;

/// Numbers that no real person has: 60 is added to the day.
pub const PERSONS: [&str; 10] = [
    "6101801231",
    "6101801232",
    "6203814441",
    "7212554441",
    "7212554442",
    "9005019999",
    "9005019998",
    "8803154321",
    "7512695678",
    "6611222222",
];
pub const MUNICIPALITIES: [u16; 3] = [101, 751, 999];
pub const SUBSCRIBERS: [&str; 2] = ["desk", "school"];
const TASK: &str = "123401";

/// A row: record number and fields.
pub type Row = (u16, Vec<(&'static str, &'static str)>);
/// Whom a file brings, with their rows.
pub type Persons = BTreeMap<&'static str, Vec<Row>>;

/// The file of a night.
#[derive(Clone, Debug)]
pub struct File {
    pub persons: Persons,
    pub day: Date,
    pub previous: Date,
}

/// A delivery, as the store must have it.
#[derive(Clone, Debug)]
pub struct Night {
    /// As it came, for what is sent on.
    pub file: File,
    /// Without whom the store does not hold.
    pub persons: Persons,
    pub is_load: bool,
}

/// A filter, and between which deliveries it counts: from the one after the first, up to the second.
#[derive(Clone, Debug)]
pub struct Followed {
    pub filter: String,
    pub since: usize,
    pub until: Option<usize>,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub nights: Vec<Night>,
    pub barred: BTreeSet<&'static str>,
    pub erases: usize,
    pub followed: BTreeMap<&'static str, Vec<Followed>>,
    /// The dates of the files that a subscriber was given.
    pub given: BTreeMap<&'static str, Vec<Date>>,
    /// Deliveries behind which a reader of events stands.
    pub reader: Option<u32>,
}

pub fn pnr(text: &str) -> Pnr {
    Pnr::parse(text.as_bytes()).expect("ten digits")
}

pub fn family() -> &'static Family {
    Family::named("std").expect("a family there is")
}

fn style() -> Style {
    Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() }
}

/// The day of a night; 0 is the day before the first.
fn day(number: usize) -> Date {
    Date::from_digits(2026_01_01 + 100 * (number as u32 / 28) + number as u32 % 28).expect("a day")
}

fn extract<'a>(persons: impl Iterator<Item = (&'a &'static str, &'a Vec<Row>)>, day: Date, previous: Date) -> Vec<u8> {
    let writer = ExtractWriter::new(Vec::new(), family(), style(), TASK, day, previous);
    let mut writer = writer.expect("memory can be written");
    for (person, rows) in persons {
        for (record, fields) in rows {
            writer.record(*record, pnr(person), fields).expect("fields that fit");
        }
    }
    writer.finish().expect("memory can be written")
}

impl File {
    pub fn bytes(&self) -> Vec<u8> {
        extract(self.persons.iter(), self.day, self.previous)
    }
}

/// One person's rows: the status first, then some in any order.
fn rows(random: &mut Random) -> Vec<Row> {
    let status = *random.pick(&["01", "01", "01", "90", "70"]);
    let mut rows: Vec<Row> = vec![(1, vec![("STATUS", status), ("KOEN", "K")])];
    let pool: [&[(&str, &str)]; 3] = [
        &[("KOMKOD", "0101"), ("VEJKOD", "1188"), ("HUSNR", "012A"), ("TILFLYDTO", "200001011200")],
        &[("KOMKOD", "0751"), ("VEJKOD", "0042"), ("TILFLYDTO", "202003010000"), ("CONVN", "c/o Ørsted")],
        &[("KOMKOD", "0999"), ("VEJKOD", "0042"), ("HUSNR", "007"), ("TILFLYDTO", "201903010000")],
    ];
    if !random.one_in(4) {
        rows.push((2, random.pick(&pool).to_vec()));
    }
    let names: [&[(&str, &str)]; 3] = [
        &[("FORNVN", "Åse"), ("EFTERNVN", "Bæk"), ("NVNHAENSTART", "198001010000")],
        &[("FORNVN", "Åse"), ("EFTERNVN", "Dam"), ("NVNHAENSTART", "201505170000")],
        &[("FORNVN", "Bo"), ("EFTERNVN", "Opdigtet"), ("NVNHAENSTART", "201505170000")],
    ];
    rows.push((8, random.pick(&names).to_vec()));
    let others: [Row; 6] = [
        (12, vec![("CIVST", "U"), ("HAENSTART-CIVILSTAND", "198001010000")]),
        (12, vec![("CIVST", "G"), ("AEGTEPNR", "7212554441"), ("HAENSTART-CIVILSTAND", "201505170000")]),
        (4, vec![("BESKYTTYPE", "0001"), ("START_DT-BESKYTTELSE", "2020-02-29")]),
        (14, vec![("PNRBARN", "6101801232")]),
        (
            23,
            vec![("KOMKOD", "0101"), ("VEJKOD", "1188"), ("TILFLYDTO", "199900000000"), ("FRAFLYDTO", "200001011200")],
        ),
        (3, vec![("ADRNVN", "Opdigtet,Bo"), ("STANDARDADR", "Opdigtet Vej 7B"), ("POSTNR", "9999")]),
    ];
    let mut had = [false; 30];
    for (record, fields) in others {
        if !had[record as usize] && random.one_in(3) {
            had[record as usize] = true;
            rows.push((record, fields));
        }
    }
    if random.one_in(3) {
        rows.push((99, vec![("TIMESTAMPU", "202601011200"), ("HAENDELSE", *random.pick(&["A01", "A05", "A21"]))]));
    }
    rows
}

/// A person's line as it is received.
fn line(person: &str, (record, fields): &Row) -> Vec<u8> {
    let mut line = Vec::new();
    let layout = family().record(*record).expect("a record of the family");
    layout.compose(Some(pnr(person)), fields, &mut line).expect("fields that fit");
    line.truncate(line.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1));
    line
}

/// What is held of these rows: no events, and 003 last.
fn lines(person: &str, rows: &[Row]) -> Vec<Vec<u8>> {
    let held = rows.iter().filter(|(record, _)| *record != 99);
    let (last, first): (Vec<&Row>, Vec<&Row>) = held.partition(|(record, _)| *record == 3);
    first.into_iter().chain(last).map(|row| line(person, row)).collect()
}

/// The municipality in which a person lives.
fn municipality(rows: &[Row]) -> Option<u16> {
    let field = |record: u16, name: &str| {
        let fields = rows.iter().find(|(of, _)| *of == record)?.1.iter();
        fields.clone().find(|(of, _)| *of == name).map(|(_, text)| *text)
    };
    let lives = field(1, "STATUS")? < "30";
    field(2, "KOMKOD").filter(|_| lives).map(|code| code.parse().expect("digits"))
}

impl Model {
    pub fn known(&self) -> usize {
        self.nights.len()
    }

    /// A file that follows the last one, with some persons.
    pub fn next_file(&self, random: &mut Random, is_load: bool) -> File {
        let number = self.known() + 1;
        let mut persons = Persons::new();
        for person in PERSONS {
            if is_load || random.one_in(3) {
                // The same rows again now and then: redelivered, and nothing new.
                let before = self.rows(person, self.known()).filter(|_| random.one_in(4));
                persons.insert(person, before.map_or_else(|| rows(random), <[Row]>::to_vec));
            }
        }
        File { persons, day: day(number), previous: day(number - 1) }
    }

    pub fn take(&mut self, file: &File, is_load: bool) {
        let mut persons = file.persons.clone();
        persons.retain(|person, _| !self.barred.contains(person));
        self.nights.push(Night { file: file.clone(), persons, is_load });
    }

    pub fn erase(&mut self, persons: &[&'static str]) {
        self.erases += 1;
        for person in persons {
            self.barred.insert(person);
            self.nights.iter_mut().for_each(|night| _ = night.persons.remove(person));
            self.followed.values_mut().for_each(|all| all.retain(|followed| followed.filter != *person));
        }
    }

    pub fn follow(&mut self, subscriber: &'static str, filter: &str) {
        let (since, all) = (self.known(), self.followed.entry(subscriber).or_default());
        if !all.iter().any(|followed| followed.filter == filter && followed.until.is_none()) {
            all.push(Followed { filter: filter.to_owned(), since, until: None });
        }
    }

    pub fn unfollow(&mut self, subscriber: &'static str, filter: &str) {
        let (until, all) = (self.known(), self.followed.entry(subscriber).or_default());
        let of_filter = all.iter_mut().filter(|followed| followed.filter == filter && followed.until.is_none());
        of_filter.for_each(|followed| followed.until = Some(until));
    }

    fn rows(&self, person: &str, known: usize) -> Option<&[Row]> {
        self.nights[..known].iter().rev().find_map(|night| night.persons.get(person)).map(Vec::as_slice)
    }

    /// Whom a delivery had for a subscriber.
    pub fn matched(&self, delivery: usize, subscriber: &str) -> Vec<&'static str> {
        let night = &self.nights[delivery - 1];
        let Some(all) = self.followed.get(subscriber).filter(|_| !night.is_load) else { return Vec::new() };
        let counts =
            |followed: &&Followed| followed.since < delivery && followed.until.is_none_or(|until| delivery <= until);
        let holds = |followed: &Followed, person: &str, rows: &[Row]| match followed.filter.as_str() {
            "everything" => true,
            filter if filter.len() == 10 => filter == person,
            code => municipality(rows) == Some(code.parse().expect("a municipality")),
        };
        let persons = night.persons.iter();
        let found = persons.filter(|(person, rows)| all.iter().filter(counts).any(|one| holds(one, person, rows)));
        let mut found: Vec<&str> = found.map(|(person, _)| *person).collect();
        found.sort_by_key(|person| pnr(person).key());
        found
    }

    /// The file that a subscriber is sent of a delivery, with its name; none when it has nobody.
    pub fn file_for(&self, delivery: usize, subscriber: &'static str) -> Option<(String, Vec<u8>)> {
        let matched = self.matched(delivery, subscriber);
        let file = &self.nights[delivery - 1].file;
        let mut given = self.given.get(subscriber).into_iter().flatten();
        let previous = given.rfind(|given| **given < file.day).copied().unwrap_or(file.previous);
        let persons = file.persons.iter().filter(|(person, _)| matched.contains(person));
        let name = format!("{subscriber}/D{:06}.L{TASK}", file.day.digits() % 1_000_000);
        (!matched.is_empty()).then(|| (name, extract(persons, file.day, previous)))
    }

    /// Holds a snapshot against the model.
    pub fn check(&self, snapshot: &Snapshot) -> Result<(), String> {
        let told = |error: cpr_replika::Error| format!("an answer is refused: {}", error.kind());
        let number = |known: usize| DeliveryNumber(known as u32);
        same("the last delivery", snapshot.known(), number(self.known()))?;
        for person in PERSONS {
            for known in 1..=self.known() {
                let group = snapshot.group(pnr(person), Some(number(known))).map_err(told)?;
                let found = group.map(|group| group.reveal().map(<[u8]>::to_vec).collect::<Vec<_>>());
                let expected = self.rows(person, known).map(|rows| lines(person, rows));
                same("the lines of a person", found, expected)?;
                self.check_diff(snapshot, person, known)?;
            }
        }
        for code in MUNICIPALITIES {
            let found = snapshot.find(&Query::municipality(MunicipalityCode(code))).map_err(told)?;
            let lives = |person: &&&str| self.rows(person, self.known()).and_then(municipality) == Some(code);
            let mut expected: Vec<_> = PERSONS.iter().filter(lives).filter_map(|person| pnr(person).key()).collect();
            expected.sort_unstable();
            same("who lives in a municipality", found.iter().collect::<Vec<_>>(), expected)?;
        }
        for subscriber in self.followed.keys() {
            for delivery in 1..=self.known() {
                let name = subscriber.parse().expect("a name");
                let found = snapshot.matched(number(delivery), &name).map_err(told)?;
                let found: Vec<_> = found.iter().map(|key| key.pnr().reveal().to_owned()).collect();
                same("whom a delivery had for a subscriber", found, self.matched(delivery, subscriber))?;
            }
        }
        same("the receipts of erases", snapshot.erase_receipts().map_err(told)?.len(), self.erases)?;
        same("how many are barred", snapshot.barred().map_err(told)?, self.barred.len() as u64)?;
        let verified = snapshot.verify().map_err(told)?;
        same("what a verification finds", format!("{:?}", verified.faults), "[]".to_owned())
    }

    /// What came and went with a delivery.
    fn check_diff(&self, snapshot: &Snapshot, person: &str, known: usize) -> Result<(), String> {
        let [from, to] = [known - 1, known];
        let changes = snapshot.diff(pnr(person), DeliveryNumber(from as u32), DeliveryNumber(to as u32));
        let changes = changes.map_err(|error| format!("a difference is refused: {}", error.kind()))?;
        let [before, after] = [from, to].map(|at| self.rows(person, at).map_or(Vec::new(), |rows| lines(person, rows)));
        let render = |fact: &OwnedFact| {
            let (fact, mut line) = (fact.as_fact(), Vec::new());
            let layout = family().record(fact.record()).expect("a record of the family");
            layout.render(Some(pnr(person)), fact.values(), &mut line);
            line.truncate(line.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1));
            line
        };
        let gone = changes.iter().filter_map(|change| change.before.as_ref()).map(render).collect();
        let came = changes.iter().filter_map(|change| change.after.as_ref()).map(render).collect();
        same("what went", sorted(gone), without(&before, &after))?;
        same("what came", sorted(came), without(&after, &before))
    }
}

fn sorted(mut lines: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    lines.sort();
    lines
}

/// `one` without `other`, as often as a line stands there.
fn without(one: &[Vec<u8>], other: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut rest = one.to_vec();
    for line in other {
        if let Some(at) = rest.iter().position(|found| found == line) {
            rest.remove(at);
        }
    }
    sorted(rest)
}

/// An error that says what differs; the persons are made up, so it may say how.
pub fn same<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug>(
    what: &str,
    found: A,
    expected: B,
) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: {found:?}, and {expected:?} is right")),
    }
}

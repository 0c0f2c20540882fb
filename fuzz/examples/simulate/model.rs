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
pub const PERSONS: [&str; 13] = [
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
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
];
/// Those of them who have one number all their lives.
pub const SINGLE: usize = PERSONS.len() - NUMBERS.len();
/// The numbers of one human being, one at a time: where one is erased, all are.
pub const NUMBERS: [&str; 3] = ["6809771111", "6809771112", "6809781113"];
pub const MUNICIPALITIES: [u16; 3] = [101, 751, 999];
pub const SUBSCRIBERS: [&str; 2] = ["desk", "school"];
const TASK: &str = "123401";

/// A row: record number and fields.
pub type Row = (u16, Vec<(&'static str, &'static str)>);
/// Whom a file brings, with their rows.
pub type Persons = BTreeMap<&'static str, Vec<Row>>;

/// Which number of [`NUMBERS`] is in force, and which ever were.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    pub at: usize,
    pub former: BTreeSet<usize>,
}

/// The number in force, and each of a chain: whether it is held, and when it ended.
type Chain = (&'static str, Vec<(&'static str, bool, Option<u32>)>);

/// The file of a night.
#[derive(Clone, Debug)]
pub struct File {
    pub persons: Persons,
    pub in_force: InForce,
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
    pub in_force: InForce,
    pub barred: BTreeSet<&'static str>,
    pub erases: usize,
    pub followed: BTreeMap<&'static str, Vec<Followed>>,
    /// The dates of the files that a subscriber was given.
    pub given: BTreeMap<&'static str, Vec<Date>>,
    /// Who is kept, by filters; none: everybody.
    pub keep: Option<Vec<String>>,
    /// Whom CPR has, and the store does not keep.
    pub left_out: BTreeSet<&'static str>,
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

/// Of a number of [`NUMBERS`], what stands under the one in force.
fn former_number(at: usize) -> Vec<(&'static str, &'static str)> {
    let ends = ["1999-01-01", "2004-02-29", "2011-12-31"];
    vec![("PNR", NUMBERS[at]), ("START_DT-PERSON", "1977-00-00"), ("SLUT_DT-PERSON", ends[at])]
}

fn former_end(at: usize) -> u32 {
    [1999_01_01, 2004_02_29, 2011_12_31][at]
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

/// Whether a filter asks for a person who has these rows.
fn holds(filter: &str, person: &str, rows: &[Row]) -> bool {
    match filter {
        "everything" => true,
        filter if filter.len() == 10 => filter == person,
        code => municipality(rows) == Some(code.parse().expect("a municipality")),
    }
}

/// All numbers of a human being.
fn numbers_of(person: &str) -> Vec<&str> {
    if NUMBERS.contains(&person) { NUMBERS.to_vec() } else { vec![person] }
}

impl Model {
    pub fn known(&self) -> usize {
        self.nights.len()
    }

    /// A file that follows the last one, with some persons.
    pub fn next_file(&self, random: &mut Random, is_load: bool) -> File {
        let number = self.known() + 1;
        let mut persons = Persons::new();
        for person in &PERSONS[..SINGLE] {
            if is_load || random.one_in(3) {
                // The same rows again now and then: redelivered, and nothing new.
                let before = self.rows(person, self.known()).filter(|_| random.one_in(4));
                persons.insert(person, before.map_or_else(|| rows(random), <[Row]>::to_vec));
            }
        }
        let in_force = self.change_number(random, is_load, &mut persons);
        File { persons, in_force, day: day(number), previous: day(number - 1) }
    }

    /// The human being of several numbers: one comes into force, for the first time or again, and the others name it.
    fn change_number(&self, random: &mut Random, is_load: bool, persons: &mut Persons) -> InForce {
        let mut now = self.in_force.clone();
        if !is_load && !random.one_in(2) {
            return now;
        }
        let at = if is_load { 0 } else { random.below(NUMBERS.len() as u64) as usize };
        let is_changed = at != now.at;
        if is_changed {
            now.former.insert(now.at);
            now.former.remove(&at);
            now.at = at;
        }
        let mut own = rows(random);
        own.extend(now.former.iter().map(|&former| (22, former_number(former))));
        persons.insert(NUMBERS[at], own);
        // Former numbers come when what they say has changed, and now and then.
        for &former in now.former.iter().filter(|_| is_changed || random.one_in(3)) {
            let gone = vec![("PNRGAELD", NUMBERS[at]), ("STATUS", "60"), ("KOEN", "K")];
            persons.insert(NUMBERS[former], vec![(1, gone)]);
        }
        now
    }

    /// The chain of a number as of a delivery: the number in force, and each with whether it is held and when it ended.
    fn chain(&self, person: &'static str, known: usize) -> Option<Chain> {
        if !NUMBERS.contains(&person) {
            return self.rows(person, known).map(|_| (person, vec![(person, true, None)]));
        }
        let current = NUMBERS.iter().copied().find(|number| {
            self.rows(number, known).is_some_and(|rows| rows[0].1.iter().all(|field| *field != ("STATUS", "60")))
        })?;
        let rows = self.rows(current, known)?;
        let ended = |number: usize| rows.iter().any(|row| *row == (22, former_number(number)));
        let of_chain = |at: &usize| NUMBERS[*at] == current || ended(*at);
        let one = |at: usize| (NUMBERS[at], self.rows(NUMBERS[at], known).is_some(), ended(at).then(|| former_end(at)));
        let chain: Vec<_> = (0..NUMBERS.len()).filter(of_chain).map(one).collect();
        chain.iter().any(|(number, ..)| *number == person).then_some((current, chain))
    }

    fn check_chain(&self, snapshot: &Snapshot, person: &'static str, known: usize) -> Result<(), String> {
        let found = snapshot.numbers(pnr(person), Some(DeliveryNumber(known as u32)));
        let found = found.map_err(|error| format!("a chain of numbers is refused: {}", error.kind()))?;
        let found = found.map(|chain| {
            let mut numbers: Vec<_> = chain.numbers.iter().map(|one| (one.pnr, one.held, one.to)).collect();
            numbers.sort_by_key(|(pnr, ..)| pnr.key());
            (chain.current, numbers)
        });
        let expected = self.chain(person, known).map(|(current, chain)| {
            let mut numbers: Vec<_> = chain
                .into_iter()
                .map(|(number, held, to)| (pnr(number), held, to.map(|to| Date::from_digits(to).expect("a day"))))
                .collect();
            numbers.sort_by_key(|(pnr, ..)| pnr.key());
            (Some(pnr(current)), numbers)
        });
        same("the numbers of a human being", found, expected)
    }

    pub fn take(&mut self, file: &File, is_load: bool) {
        let mut persons = file.persons.clone();
        persons.retain(|person, _| !self.barred.contains(person));
        let is_kept = |person: &str| self.is_kept(person, &persons);
        let (kept, left_out): (Vec<_>, Vec<_>) = persons.keys().copied().partition(|person| is_kept(person));
        persons.retain(|person, _| kept.contains(person));
        self.left_out.extend(left_out);
        self.left_out.retain(|person| !kept.contains(person));
        self.in_force = file.in_force.clone();
        self.nights.push(Night { file: file.clone(), persons, is_load });
    }

    /// Whom a file brings is kept who is needed, under one of the numbers, or held already.
    fn is_kept(&self, person: &str, file: &Persons) -> bool {
        let own = |number: &str| {
            let rows = file.get(number).map(Vec::as_slice);
            rows.is_some_and(|rows| self.is_needed(number, rows)) || self.rows(number, self.known()).is_some()
        };
        numbers_of(person).into_iter().any(own)
    }

    /// Whether a filter asks for a person who has these rows: one of those who are kept, or of a subscriber.
    fn is_needed(&self, person: &str, rows: &[Row]) -> bool {
        let Some(keep) = &self.keep else { return true };
        let followed = self.followed.values().flatten().filter(|followed| followed.until.is_none());
        keep.iter().chain(followed.map(|followed| &followed.filter)).any(|filter| holds(filter, person, rows))
    }

    /// Those go who are held and whom nobody needs: how many human beings they are.
    pub fn tidy(&mut self) {
        let held = |person: &&&str| self.rows(person, self.known()).is_some();
        let needed = |person: &str| {
            let own = |number: &&str| self.rows(number, self.known()).is_some_and(|rows| self.is_needed(number, rows));
            numbers_of(person).iter().any(own)
        };
        let gone: Vec<&str> = PERSONS.iter().filter(held).copied().filter(|person| !needed(person)).collect();
        self.erases += usize::from(!gone.is_empty());
        for person in gone {
            self.left_out.insert(person);
            self.nights.iter_mut().for_each(|night| _ = night.persons.remove(person));
        }
    }

    pub fn erase(&mut self, persons: &[&'static str]) {
        self.erases += 1;
        for person in persons {
            self.barred.insert(person);
            self.left_out.remove(person);
            self.keep.iter_mut().for_each(|filters| filters.retain(|filter| filter != person));
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
        let persons = night.persons.iter();
        let found =
            persons.filter(|(person, rows)| all.iter().filter(counts).any(|one| holds(&one.filter, person, rows)));
        let mut found: Vec<&str> = found.map(|(person, _)| *person).collect();
        found.sort_by_key(|person| pnr(person).key());
        found
    }

    /// The file that a subscriber is sent of a delivery, with its name; none when it has nobody. Its previous date is
    /// that of the last one that was given of an earlier day.
    pub fn file_for(&self, delivery: usize, subscriber: &'static str) -> Option<(String, Vec<u8>)> {
        let matched = self.matched(delivery, subscriber);
        let file = &self.nights[delivery - 1].file;
        let mut given = self.given.get(subscriber).into_iter().flatten();
        let previous = given.rfind(|given| **given < file.day).copied().unwrap_or(file.previous);
        let persons = file.persons.iter().filter(|(person, _)| matched.contains(person));
        let name = format!("D{:06}.L{TASK}", file.day.digits() % 1_000_000);
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
                self.check_chain(snapshot, person, known)?;
            }
            let is_left_out = snapshot.is_left_out(pnr(person)).map_err(told)?;
            same("whether a number is left out", is_left_out, self.left_out.contains(person))?;
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

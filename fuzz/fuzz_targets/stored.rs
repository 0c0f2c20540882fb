//! One stored value of a store, changed in any way: an error or the same answer, never a panic and never another
//! person.
//!
//! With the seal put right after the change, the store may answer differently (the checksum is no signature), but still
//! must not panic.
#![no_main]

use std::cell::RefCell;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use cpr_extract::{LineEnd, Padding};
use cpr_model::{Aspect, Date, PersonKey, Pnr, Timestamp};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Error, Fact, GroupLines, Image, Replika, Snapshot, raw};
use libfuzzer_sys::fuzz_target;
use replika_fuzz::made_up::{self, Ending, NUMBERS, style};
use tempfile::TempDir;

/// What the seal of a section starts from: the person, and 0 for the document or all ones for the past.
type Row = (u32, u32);
const PAST: u32 = u32::MAX;

/// Schema, zero, length, checksum: see docs/format.md.
const HEADER: usize = 12;

fuzz_target!(|input: &[u8]| {
    let Some(change) = Change::parse(input) else { return };
    thread_local!(static STORE: RefCell<Prepared> = RefCell::new(Prepared::new()));
    STORE.with_borrow(|store| try_out(store, &change));
});

/// What is done to which section of whose value.
struct Change<'a> {
    past: bool,
    row: usize,
    /// 0 xor, 1 truncate, 2 extend, 3 overwrite, 4 another person's value; any other: all of it is replaced.
    how: u8,
    resealed: bool,
    at: usize,
    pattern: &'a [u8],
}

impl<'a> Change<'a> {
    fn parse(input: &'a [u8]) -> Option<Change<'a>> {
        let ([table, row, how, low, high], pattern) = input.split_first_chunk::<5>()?;
        Some(Change {
            past: table % 2 == 1,
            row: usize::from(*row),
            how: how & 0x7F,
            resealed: how & 0x80 != 0,
            at: usize::from(u16::from_le_bytes([*low, *high])),
            pattern,
        })
    }

    /// The changed bytes of this section.
    fn of(&self, row: Row, value: &[u8], others: &[Sections]) -> Vec<u8> {
        let mut changed = value.to_vec();
        let at = self.at % value.len();
        match self.how % 6 {
            0 => changed[at..].iter_mut().zip(self.pattern).for_each(|(byte, pattern)| *byte ^= pattern),
            1 => changed.truncate(at),
            2 => changed.extend_from_slice(self.pattern),
            3 => changed[at..].iter_mut().zip(self.pattern).for_each(|(byte, pattern)| *byte = *pattern),
            4 => {
                let another = others.iter().find(|other| other.key != row.0);
                changed = another.map_or(changed, |other| other.document.clone());
            }
            _ => changed = self.pattern.to_vec(),
        }
        if self.resealed {
            reseal(row, &mut changed);
        }
        changed
    }
}

/// Makes length and checksum say what the bytes are.
fn reseal(row: Row, sealed: &mut Vec<u8>) {
    if sealed.len() < HEADER {
        sealed.resize(HEADER, 0);
    }
    let (header, payload) = sealed.split_at_mut(HEADER);
    header[..4].copy_from_slice(&[2, 0, 0, 0]);
    header[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[8..].copy_from_slice(&checksum(row, payload).to_le_bytes());
}

/// True when the seal is right: then the value is not damaged but another one, which no checksum can tell.
fn is_sealed(row: Row, sealed: &[u8]) -> bool {
    let Some((header, rest)) = sealed.split_at_checked(HEADER) else { return false };
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    rest.get(..number(4) as usize).is_some_and(|payload| checksum(row, payload) == number(8))
}

fn checksum((first, second): Row, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new_with_initial(first ^ second.wrapping_mul(0x9E37_79B1));
    crc.update(payload);
    crc.finalize()
}

/// A person's value: the sealed document and the sealed past, which is empty for some.
struct Sections {
    key: u32,
    document: Vec<u8>,
    past: Vec<u8>,
}

/// A store of two deliveries, kept as the bytes of its file, and what it answers.
struct Prepared {
    _folder: TempDir,
    path: PathBuf,
    file: Vec<u8>,
    persons: Vec<Sections>,
    answers: Vec<Vec<u8>>,
    delta: Vec<u8>,
}

impl Prepared {
    fn new() -> Prepared {
        // Memory where there is some in the shape of a folder: the store is written anew for every input.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder for the store");
        let path = folder.path().join("store");
        let lf = || style(LineEnd::Lf, Padding::Cut, b"");
        let replika = Replika::create(&path, &Config::default()).expect("a new store");
        for extract in [made_up::std_first(lf(), Ending::Plain), made_up::std_second(lf())] {
            replika.apply(Cursor::new(extract), &ApplyOptions::named("made-up")).expect("a sound extract");
        }
        let snapshot = replika.snapshot();
        let answers = questions(&snapshot).map(|answer| answer.expect("a sound store")).collect();
        assert!(snapshot.verify().expect("a sound store").is_clean());
        drop(snapshot);
        drop(replika);
        let persons = rows(&path);
        assert!(persons.len() == NUMBERS.len() && persons.iter().any(|person| !person.past.is_empty()));
        let file = std::fs::read(&path).expect("the store's file");
        let delta = made_up::std_first(style(LineEnd::CrLf, Padding::Full, b""), Ending::Plain);
        Prepared { _folder: folder, path, file, persons, answers, delta }
    }
}

fn rows(path: &Path) -> Vec<Sections> {
    let mut persons = Vec::new();
    raw::for_each_person(path, |key, value| {
        let (document, past) = value.split_at(sealed_bytes(value));
        persons.push(Sections { key, document: document.to_vec(), past: past.to_vec() });
    })
    .expect("a store");
    persons
}

/// The bytes of the first section: header, payload, zeros to a multiple of four.
fn sealed_bytes(value: &[u8]) -> usize {
    (HEADER + u32::from_le_bytes([value[4], value[5], value[6], value[7]]) as usize).next_multiple_of(4)
}

fn try_out(store: &Prepared, change: &Change<'_>) {
    std::fs::write(&store.path, &store.file).expect("the store's file");
    let may_differ = damage(store, change);
    let replika = Replika::open(&store.path).expect("the tables are whole");
    let snapshot = replika.snapshot();
    let mut corrupt = false;
    for (at, (answer, sound)) in questions(&snapshot).zip(&store.answers).enumerate() {
        match answer {
            Ok(answer) => assert!(may_differ || answer == *sound, "question {at}: another answer"),
            Err(Error::Corrupt { .. }) => corrupt = true,
            Err(error) => assert!(may_differ, "question {at}: {}", error.kind()),
        }
    }
    let verified = snapshot.verify().expect("the storage does not fail");
    assert!(may_differ || verified.is_clean() != corrupt, "a verification that does not agree with the reads");
    drop(snapshot);
    let options = ApplyOptions::named("made-up");
    let allow = cpr_replika::Allow { gap: true, older: true, reload: true, ..options.allow };
    match replika.apply(Cursor::new(&store.delta), &ApplyOptions { allow, ..options }) {
        Ok(_) => {}
        Err(Error::Corrupt { .. }) => assert!(may_differ || corrupt),
        Err(error) => assert!(may_differ, "a sound extract: {}", error.kind()),
    }
}

/// Changes one section of one value in the file; true when the seal is right and the payload another.
fn damage(store: &Prepared, change: &Change<'_>) -> bool {
    let with_past: Vec<&Sections> =
        store.persons.iter().filter(|person| !change.past || !person.past.is_empty()).collect();
    let person = with_past[change.row % with_past.len()];
    let row = (person.key, if change.past { PAST } else { 0 });
    let before = if change.past { &person.past } else { &person.document };
    let after = change.of(row, before, &store.persons);
    let value = if change.past { [&person.document, &after] } else { [&after, &person.past] }.map(|part| &part[..]);
    raw::write_person(&store.path, person.key, &value.concat()).expect("a row");
    let payload = |sealed: &[u8]| {
        let length = u32::from_le_bytes([sealed[4], sealed[5], sealed[6], sealed[7]]) as usize;
        sealed[HEADER..HEADER + length].to_vec()
    };
    is_sealed(row, &after) && payload(&after) != payload(before)
}

/// Every question to the store, answered in bytes that can be compared.
fn questions(snapshot: &Snapshot) -> impl Iterator<Item = Result<Vec<u8>, Error>> {
    let moments = [None, Some(20100101), Some(20260104)];
    let moments = moments.map(|digits| digits.and_then(Date::from_digits).map(Timestamp::end_of));
    let deliveries = [DeliveryNumber(1), DeliveryNumber(2)];
    let mut answers = Vec::new();
    for pnr in NUMBERS.map(|digits| Pnr::parse(digits).expect("ten digits")) {
        assert!(pnr.key().and_then(|key| PersonKey::from_u32(key.as_u32())).is_some());
        answers.push(snapshot.person(pnr).map(|person| {
            person.map_or(Vec::new(), |person| {
                let _ = format!("{person:?}");
                let mut told = person.delivered().0.to_le_bytes().to_vec();
                told.extend(facts(person.facts()));
                told
            })
        }));
        for known in deliveries {
            answers.push(snapshot.group(pnr, Some(known)).map(|group| group.map_or(Vec::new(), lines)));
            for moment in moments {
                let image = snapshot.as_of(pnr, moment, Some(known));
                answers.push(image.map(|image| image.map_or(Vec::new(), |image| self::image(&image, moment))));
            }
            answers.push(snapshot.numbers(pnr, Some(known)).map(|chain| format!("{chain:?}").into_bytes()));
            let changes = snapshot.diff(pnr, DeliveryNumber(known.0 - 1), known);
            answers.push(changes.map(|changes| {
                let sides = changes.iter().flat_map(|change| change.before.iter().chain(&change.after));
                let mut told = format!("{changes:?}").into_bytes();
                told.extend(facts(sides.map(cpr_replika::OwnedFact::as_fact)));
                told
            }));
        }
        for aspect in Aspect::all() {
            let history = snapshot.history(pnr, aspect);
            answers.push(history.map(|history| facts(history.iter().map(cpr_replika::OwnedFact::as_fact))));
            let timeline = snapshot.timeline(pnr, aspect, None);
            answers.push(timeline.map(|timeline| facts(timeline.iter().map(|(_, fact)| fact.as_fact()))));
        }
        answers.push(snapshot.events(pnr).map(|events| format!("{events:?}").into_bytes()));
    }
    for known in deliveries {
        let mut exported = Vec::new();
        answers.push(snapshot.export(Some(known), &mut exported).map(|_| exported));
    }
    answers.into_iter()
}

fn lines(group: GroupLines) -> Vec<u8> {
    let mut told = group.delivered.0.to_le_bytes().to_vec();
    for line in group.reveal() {
        told.extend_from_slice(line);
        told.push(b'\n');
    }
    told
}

fn image(image: &Image<'_>, moment: Option<Timestamp>) -> Vec<u8> {
    let residence = moment.map(|at| format!("{:?}", image.residence(at)));
    let mut told = residence.unwrap_or_default().into_bytes();
    told.extend(facts(image.facts()));
    told.extend(facts(image.all_facts()));
    told
}

fn facts<'a>(facts: impl Iterator<Item = Fact<'a>>) -> Vec<u8> {
    let mut told = Vec::new();
    for fact in facts {
        told.extend(format!("{fact:?} {:?} {:?} ", fact.mark(), fact.valid()).into_bytes());
        told.push(u8::from(fact.is_historic()));
        told.extend((fact.values().bytes().len() as u32).to_le_bytes());
        told.extend_from_slice(fact.values().bytes());
    }
    told
}

//! What one delivery opened and closed, from the store to the files of its tables.
//!
//! Persons are read in the order of their numbers by a few threads, numbered, and put into [`Buckets`]; the buckets are
//! then sorted and written, each part of them by one thread into files of its own. So memory is bounded by a few
//! buckets and the row groups that are being encoded, however many persons there are.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cpr_replika::cpr_model::{Aspect, CurrentRows, Fact, PersonKey, Pnr};
use cpr_replika::{Delivery, Snapshot, Versions};

use crate::batch::{Context, Whose};
use crate::buckets::{BUCKETS, Buckets, Filler};
use crate::bundle::{self, Bundle, Row};
use crate::error::Error;
use crate::files::{TableFile, WholeFile};
use crate::moment::Calendar;
use crate::numbering::number_facts;
use crate::pseudonym::PseudonymKey;
use crate::schema::{Table, closed_columns};

/// BESKYTTYPE of name and address protection.
const NAME_AND_ADDRESS: u16 = 1;

/// Persons that a thread reads before it asks for more.
const CHUNK: usize = 1024;

/// From this many persons on a delivery is written as several files for each table, side by side.
const MANY_PERSONS: usize = 250_000;
const PARTS: usize = 4;
const _: () = assert!(BUCKETS.is_multiple_of(PARTS), "every bucket is in a part");

/// What is carried out of the store, and to where.
pub(crate) struct Job<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) folder: &'a Path,
    pub(crate) tables: &'a [Table],
    pub(crate) key: &'a PseudonymKey,
    pub(crate) threads: usize,
}

/// The side of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Opened,
    Closed,
}

/// The folder of what a delivery did to a table.
pub(crate) fn folder_of(lake: &Path, table: &Table, side: Side, delivery: u32) -> PathBuf {
    let folder = lake.join(table.name());
    let folder = match (table.aspect, side) {
        (Aspect::Event, _) => folder,
        (_, Side::Opened) => folder.join("opened"),
        (_, Side::Closed) => folder.join("closed"),
    };
    folder.join(format!("delivery={delivery}"))
}

/// The files of one delivery, and the rows in them.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) files: Vec<WholeFile>,
    pub(crate) rows: u64,
}

/// Writes what a delivery opened and closed; nothing is published yet.
pub(crate) fn write_delivery(job: &Job<'_>, delivery: &Delivery) -> Result<Written, Error> {
    let persons: Vec<PersonKey> = job.snapshot.concerned_by(delivery.number)?.iter().collect();
    let buckets = Buckets::new(job.folder);
    let next = AtomicUsize::new(0);
    in_threads(job.threads, || {
        let mut reading = Reading { job, delivery: delivery.number.0, calendar: Calendar::default() };
        let mut filler = buckets.filler();
        while let Some(chunk) = persons.chunks(CHUNK).nth(next.fetch_add(1, Ordering::Relaxed)) {
            for key in chunk {
                reading.read_person(*key, &mut filler)?;
            }
        }
        filler.finish();
        Ok(())
    })?;
    let parts = if persons.len() < MANY_PERSONS { 1 } else { PARTS };
    drop(persons);
    let (next, written) = (AtomicUsize::new(0), Mutex::new(Written::default()));
    in_threads(job.threads.min(parts), || {
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return Ok(());
            }
            let of_part = write_part(job, delivery, &buckets, part, parts)?;
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.files.extend(of_part.files);
            written.rows += of_part.rows;
        }
    })?;
    Ok(written.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Runs the same work in several threads; the first error is the answer.
fn in_threads(threads: usize, work: impl Fn() -> Result<(), Error> + Sync) -> Result<(), Error> {
    if threads <= 1 {
        return work();
    }
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        all.into_iter().try_for_each(|one| one.join().expect("a thread that does not panic"))
    })
}

/// Reads persons for one thread.
struct Reading<'a> {
    job: &'a Job<'a>,
    delivery: u32,
    calendar: Calendar,
}

impl Reading<'_> {
    fn read_person(&mut self, key: PersonKey, filler: &mut Filler<'_>) -> Result<(), Error> {
        let pnr = key.pnr();
        // Who was erased since the delivery is no longer there.
        let Some(versions) = self.job.snapshot.versions(pnr)? else { return Ok(()) };
        let pseudonym = self.job.key.pseudonym(pnr);
        let is_protected = is_protected(&versions, self.delivery);
        filler.add(pseudonym, |bytes| {
            let start = bundle::begin(bytes, pseudonym, key, is_protected);
            self.push_rows(&versions, bytes);
            bundle::end(bytes, start);
        })
    }

    fn push_rows(&mut self, versions: &Versions<'_>, bytes: &mut Vec<u8>) {
        let is_wanted = |aspect: Aspect| self.job.tables.iter().any(|table| table.aspect == aspect);
        // What later deliveries brought has no part in what this one did.
        let known = versions.facts().filter(|fact| fact.known().from <= self.delivery && is_wanted(fact.aspect()));
        for row in number_facts(known, &mut self.calendar) {
            let known = row.fact.known();
            if known.from == self.delivery {
                bundle::push(bytes, Row::Opened { fact: row.fact, number: row.number, tie_rank: row.tie_rank });
            }
            if known.to == Some(self.delivery) {
                let (kind, known_from) = (row.fact.kind(), known.from);
                bundle::push(bytes, Row::Closed { kind, known_from, number: row.number });
            }
        }
        if is_wanted(Aspect::Event) {
            let brought = versions.events().filter(|(delivery, ..)| delivery.0 == self.delivery);
            for (number, (_, record, event)) in brought.enumerate() {
                bundle::push(bytes, Row::Event { record, number: number as u32, values: event.values() });
            }
        }
    }
}

/// Whether name and address protection is on record as of a delivery. CPR holds it to be there as long as its row
/// comes, in force or not.
fn is_protected(versions: &Versions<'_>, known: u32) -> bool {
    let protections = versions.facts().filter(|fact| fact.aspect() == Aspect::Protection);
    let believed = protections.filter(|fact: &Fact<'_>| fact.known().contains(known));
    CurrentRows::read(believed, None).protection_kinds().iter().any(|kind| kind.0 == NAME_AND_ADDRESS)
}

/// Writes the persons of some buckets.
fn write_part(
    job: &Job<'_>,
    delivery: &Delivery,
    buckets: &Buckets,
    part: usize,
    parts: usize,
) -> Result<Written, Error> {
    let number = delivery.number.0;
    let mut calendar = Calendar::default();
    let production = calendar.day(delivery.production_date).map(|day| day.at);
    let mut writing = Writing { tables: job.tables, files: Vec::new(), by_aspect: [None; 256], rows: 0 };
    for (at, table) in job.tables.iter().enumerate() {
        let path = |side| folder_of(job.folder, table, side, number).join(format!("part-{part:04}.parquet"));
        let opened = TableFile::new(path(Side::Opened), &table.columns);
        let closed = TableFile::new(path(Side::Closed), &closed_columns());
        writing.files.push([opened, closed]);
        writing.by_aspect[usize::from(table.aspect.number())] = Some(at);
    }
    let mut context = Context { key: job.key, calendar: &mut calendar, delivery: number, production };
    for at in (0..BUCKETS).skip(part * (BUCKETS / parts)).take(BUCKETS / parts) {
        let bytes = buckets.take(at)?;
        let mut persons = bundle::read_all(&bytes).ok_or_else(not_as_written)?;
        persons.sort_unstable_by_key(|person| person.pseudonym);
        if persons.windows(2).any(|two| two[0].pseudonym == two[1].pseudonym) {
            return Err(Error::Collision);
        }
        for person in persons {
            writing.write_person(&person, &mut context)?;
        }
    }
    let mut written = Written { files: Vec::new(), rows: writing.rows };
    for file in writing.files.into_iter().flatten() {
        written.files.extend(file.finish()?);
    }
    Ok(written)
}

fn not_as_written() -> Error {
    Error::Temporary(std::io::Error::new(std::io::ErrorKind::InvalidData, "it does not hold what was written to it"))
}

/// The files that one thread writes.
struct Writing<'a> {
    tables: &'a [Table],
    /// By table: what was opened, what was closed.
    files: Vec<[TableFile; 2]>,
    /// By number of the aspect: the table.
    by_aspect: [Option<usize>; 256],
    rows: u64,
}

impl Writing<'_> {
    fn write_person(&mut self, person: &Bundle<'_>, context: &mut Context<'_>) -> Result<(), Error> {
        let pnr: Option<Pnr> = person.pnr();
        let whose = Whose { pseudonym: person.pseudonym, pnr, is_protected: person.is_protected };
        for row in person.rows() {
            self.rows += 1;
            self.write_row(row.ok_or_else(not_as_written)?, whose, context)?;
        }
        Ok(())
    }

    fn write_row(&mut self, row: Row<'_>, whose: Whose, context: &mut Context<'_>) -> Result<(), Error> {
        let aspect = match row {
            Row::Opened { fact, .. } => fact.aspect(),
            Row::Closed { kind, .. } => kind.decode().ok_or_else(not_as_written)?.0,
            Row::Event { .. } => Aspect::Event,
        };
        let at = self.by_aspect[usize::from(aspect.number())].ok_or_else(not_as_written)?;
        let (table, [opened, closed]) = (&self.tables[at], &mut self.files[at]);
        match row {
            Row::Opened { fact, number, tie_rank } => {
                opened.add(|batch| batch.push_fact(table, whose, (fact, number, tie_rank), context))
            }
            Row::Event { record, number, values } => {
                opened.add(|batch| batch.push_event(table, whose, (record, number, values), context))
            }
            Row::Closed { known_from, number, .. } => {
                closed.add(|batch| batch.push_closed(whose, known_from, number, context))
            }
        }
    }
}

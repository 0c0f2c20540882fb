//! One extract, one transaction: checked whole, merged person by person, committed, published.

mod merge;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Bound;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use cpr_extract::{
    CheckOptions, Checked, FIRST_LINES, Family, Group, Groups, Header, Waive, check, find_family, fits_family,
};
use cpr_model::stored::v2::{ArchivedPast, ArchivedPerson};
use cpr_model::{Date, Field, Situation};
use redb::{MultimapTable, ReadableTable, Table, WriteTransaction};
use rkyv::util::AlignedVec;
use roaring::RoaringBitmap;
use sha2::{Digest, Sha256};

use crate::apply::merge::{Delivering, Merge, OpenPast, Verdict};
use crate::error::Error;
use crate::index::sets::Index;
use crate::ledger::delivery::{Counts, Delivery, DeliveryKind, DeliveryNumber, Outcome, Report};
use crate::person::image::{PERSONS_TABLE, open_past};
use crate::replika::{Replika, write_config};
use crate::snapshot::window_end;
use crate::store::config::Config;
use crate::store::sealed;
use crate::store::tables::{CHANGED, CHANGED_BY, DELIVERIES, DIGESTS, NUMBERS, OPEN, PERSONS, REDELIVERED, SUPERSEDED};
use crate::subscriptions::matching::{self, Noted};

/// A past that has grown to this many bytes is put away from the person's value, and a new one begun.
const FULL_BYTES: usize = 3 * 1024;

/// Persons that are read, sorted and written at a time.
const CHUNK: usize = 8 * 1024;

/// What a caller accepts by name that is refused otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Allow {
    /// A counter (999 TAELLER) that does not fit.
    pub wrong_count: bool,
    /// Rows of persons without a 001; they are left out.
    pub rows_without_person: bool,
    /// A file whose previous production date is not the last one applied.
    pub gap: bool,
    /// A file not newer than the last one applied.
    pub older: bool,
    /// A file made for another customer.
    pub other_customer: bool,
    /// A load into a store that has deliveries.
    pub reload: bool,
}

/// How [`Replika::apply`] and [`Replika::load`] treat one extract.
#[derive(Clone, Copy)]
pub struct ApplyOptions<'a> {
    /// The name that the ledger keeps.
    pub file_name: &'a str,
    /// When it is applied, in seconds since 1970 UTC; the engine never looks at the clock of the day.
    pub applied_at: Option<i64>,
    /// The layout family of the file, for a store that does not know its own yet. None: found out from the file.
    pub family: Option<&'static Family>,
    /// Do everything but store.
    pub dry_run: bool,
    /// What is accepted that is refused otherwise.
    pub allow: Allow,
    /// How many faults of a damaged extract are told; all are counted.
    pub fault_limit: usize,
    /// Called now and then with how far it is.
    pub progress: Option<&'a dyn Fn(Progress)>,
}

impl std::fmt::Debug for ApplyOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplyOptions")
            .field("dry_run", &self.dry_run)
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

impl<'a> ApplyOptions<'a> {
    /// Nothing out of the ordinary: strict, stored, family found out where the store does not know it.
    pub fn named(file_name: &'a str) -> Self {
        ApplyOptions {
            file_name,
            applied_at: None,
            family: None,
            dry_run: false,
            allow: Allow::default(),
            fault_limit: 20,
            progress: None,
        }
    }
}

/// How far an extract is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// The file is checked; these are the bytes so far.
    Checking {
        /// Bytes read.
        bytes: u64,
    },
    /// Persons are merged.
    Merging {
        /// Persons done.
        done: u64,
        /// Persons in the file.
        of: u64,
    },
    /// The transaction is being committed.
    Committing,
}

impl Replika {
    /// Applies a change extract as the next delivery, in one durable transaction.
    ///
    /// The first extract of an empty store is a starting point whatever it is. After it, a file must follow the last one
    /// (its previous production date is the last one's production date) and come from the same customer. The very same
    /// file again changes nothing and returns the report of then.
    ///
    /// # Errors
    /// A damaged, foreign or out-of-order extract is refused whole with the reason ([`Error::is_refusal`]); after any
    /// error the store is as before.
    pub fn apply(&self, extract: impl Read + Seek + Send, options: &ApplyOptions<'_>) -> Result<Report, Error> {
        self.deliver(extract, options, DeliveryKind::Delta)
    }

    /// Loads an extract of any kind (full, establishment, delta) as the starting point of the store.
    ///
    /// # Errors
    /// As [`Replika::apply`], and [`Error::NotEmpty`] when there are deliveries already.
    pub fn load(&self, extract: impl Read + Seek + Send, options: &ApplyOptions<'_>) -> Result<Report, Error> {
        self.deliver(extract, options, DeliveryKind::Load)
    }

    fn deliver(
        &self,
        mut extract: impl Read + Seek + Send,
        options: &ApplyOptions<'_>,
        kind: DeliveryKind,
    ) -> Result<Report, Error> {
        let started = Instant::now();
        // Taken first: from here on the last delivery stays the last.
        let _turn = self.turn();
        let write = self.begin_write()?;
        let snapshot = self.snapshot();
        let config = snapshot.config().clone();
        let settled = config.family.or(options.family);
        let mut family = match settled {
            Some(family) => family,
            None => found_family(&mut extract, &config, FIRST_LINES)?,
        };
        let (mut checked, digest) = check_extract(&mut extract, family, &config, options)?;
        if settled.is_none() && !checked.is_sound() {
            // What does not fit may be a variant whose own records come late.
            let second = found_family(&mut extract, &config, u64::MAX)?;
            if second != family {
                family = second;
                (checked, _) = check_extract(&mut extract, family, &config, options)?;
            }
        }
        if let Some(known) = snapshot.digests().get(&digest)? {
            let delivery = snapshot.delivery(DeliveryNumber(known.value()))?;
            return Ok(Report { outcome: Outcome::AlreadyApplied, delivery });
        }
        let header = match &checked.header {
            Some(header) if checked.is_sound() => header.clone(),
            _ => return Err(self.refuse(&mut extract, &config, checked)),
        };
        let last = snapshot.last_delivery();
        check_order(&header, last, options.allow, kind)?;

        let number = DeliveryNumber(snapshot.known().0 + 1);
        let unbroken = last.filter(|last| last.production_date == header.previous_production_date);
        let mut delivery = Delivery {
            number,
            kind,
            task: header.task.clone(),
            production_date: header.production_date,
            previous_production_date: header.previous_production_date,
            events_complete_since: match (kind, unbroken) {
                (DeliveryKind::Load, _) => header.production_date,
                (DeliveryKind::Delta, Some(last)) => last.events_complete_since,
                (DeliveryKind::Delta, None) => header.previous_production_date,
            },
            digest,
            file_name: options.file_name.to_owned(),
            applied_at: options.applied_at,
            style: checked.style.clone(),
            counts: Counts {
                receipts: checked.receipts,
                input_errors: checked.input_errors.clone(),
                odd_characters: checked.odd_characters,
                waived: checked.waived,
                bytes: checked.bytes,
                ..Counts::default()
            },
        };
        let delivering = Delivering {
            number,
            padding: checked.style.padding,
            situation: Situation {
                held_before: true,
                previous_production: last.map(|last| last.production_date),
                window: window_end(&config, header.production_date),
            },
        };
        let same_style = |delivered: DeliveryNumber| {
            let then = snapshot.delivery(delivered);
            then.is_ok_and(|then| {
                then.style.padding == delivering.padding && then.style.line_end == checked.style.line_end
            })
        };
        let groups = Groups::new(&mut extract, &checked, &config.ignored).map_err(Error::Input)?;
        // Loads are silent.
        let noted = match kind {
            DeliveryKind::Delta => Noted::when_wanted(&write)?,
            DeliveryKind::Load => None,
        };
        let of = checked.persons;
        let noted = merge_all(&write, groups, delivering, noted, &same_style, (options, of), &mut delivery.counts)?;
        // As precise as it is stored, so that a repeat gives the very same report.
        delivery.counts.duration = Duration::from_micros(started.elapsed().as_micros() as u64);
        if options.dry_run {
            write.abort()?;
            return Ok(Report { outcome: Outcome::DryRun, delivery });
        }
        if let Some(progress) = options.progress {
            progress(Progress::Committing);
        }
        if let Some(noted) = noted {
            matching::write(&write, number.0, header.production_date, noted)?;
        }
        write_delivery(&write, &delivery)?;
        if config.family.is_none() {
            write_config(&write, &Config { family: Some(family), ..config })?;
        }
        write.commit()?;
        self.publish()?;
        Ok(Report { outcome: Outcome::Applied, delivery })
    }

    /// The reason to refuse a damaged extract; one that fits another family than the store's is told as that.
    fn refuse(&self, extract: &mut (impl Read + Seek), config: &Config, checked: Checked) -> Error {
        // Only a file that does not fit the store's family and does fit another one is of that other one.
        let mut fits = |family| fits_family(extract, family, &config.ignored).unwrap_or(false);
        if let Some(store) = config.family
            && !fits(store)
            && let Some(found) = Family::all().iter().find(|family| fits(family))
        {
            return Error::OtherFamily { store: store.name, found: found.name };
        }
        Error::Extract { faults: checked.faults, count: checked.fault_count }
    }
}

fn found_family(extract: &mut (impl Read + Seek), config: &Config, lines: u64) -> Result<&'static Family, Error> {
    let found = find_family(extract, &config.ignored, lines).map_err(Error::Input)?;
    found.map_err(|families| Error::AmbiguousFamily { families })
}

/// Reads the whole extract once: faults, index, and the digest of its bytes, which is taken on a thread of its own.
fn check_extract(
    extract: &mut (impl Read + Seek),
    family: &'static Family,
    config: &Config,
    options: &ApplyOptions<'_>,
) -> Result<(Checked, [u8; 32]), Error> {
    extract.seek(SeekFrom::Start(0)).map_err(Error::Input)?;
    let waive =
        Waive { wrong_count: options.allow.wrong_count, rows_without_person: options.allow.rows_without_person };
    let check_options = CheckOptions {
        family,
        chosen: config.chosen.as_deref(),
        ignored: &config.ignored,
        fault_limit: options.fault_limit,
        waive,
    };
    std::thread::scope(|scope| {
        let (pass, passed) = mpsc::sync_channel::<Vec<u8>>(DIGESTED_AHEAD);
        let (spent, reused) = mpsc::channel::<Vec<u8>>();
        let digest = scope.spawn(move || {
            let mut digest = Sha256::new();
            for bytes in passed {
                digest.update(&bytes);
                // The reader may be done and gone.
                spent.send(bytes).ok();
            }
            digest.finalize().into()
        });
        let mut source = Passing { source: extract, pass, reused, bytes: 0, progress: options.progress };
        let checked = check(&mut source, check_options).map_err(Error::Input);
        drop(source);
        let digest = digest.join().expect("digesting cannot fail");
        checked.map(|checked| (checked, digest))
    })
}

/// Reads of the extract that may wait to be digested.
const DIGESTED_AHEAD: usize = 16;

/// Hands a copy of everything that is read to another thread.
struct Passing<'a, R> {
    source: R,
    pass: mpsc::SyncSender<Vec<u8>>,
    reused: mpsc::Receiver<Vec<u8>>,
    bytes: u64,
    progress: Option<&'a dyn Fn(Progress)>,
}

impl<R: Read> Read for Passing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let mut copy = self.reused.try_recv().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(&buffer[..read]);
        self.pass.send(copy).expect("the digesting thread ends with its sender");
        self.bytes += read as u64;
        if let Some(progress) = self.progress {
            progress(Progress::Checking { bytes: self.bytes });
        }
        Ok(read)
    }
}

/// The order rules: same customer, no gap, nothing older; a load only into an empty store.
fn check_order(header: &Header, last: Option<&Delivery>, allow: Allow, kind: DeliveryKind) -> Result<(), Error> {
    let Some(last) = last else { return Ok(()) };
    if kind == DeliveryKind::Load && !allow.reload {
        return Err(Error::NotEmpty { deliveries: last.number.0 });
    }
    let customer = |task: &str| task.get(..4).unwrap_or(task).to_owned();
    if header.customer() != customer(&last.task) && !allow.other_customer {
        return Err(Error::OtherCustomer { store: customer(&last.task), found: header.customer().to_owned() });
    }
    let last: Date = last.production_date;
    if header.production_date <= last && !allow.older {
        return Err(Error::Older { found: header.production_date, last });
    }
    let follows = header.previous_production_date == last || kind == DeliveryKind::Load;
    let accepted = allow.gap || allow.older && header.production_date <= last;
    if !follows && !accepted {
        return Err(Error::SequenceGap { previous: header.previous_production_date, last });
    }
    Ok(())
}

/// Merges every person of the extract, a chunk at a time, in key order within the chunk. The next chunk is read and packed
/// meanwhile, on a thread of its own.
fn merge_all(
    write: &WriteTransaction,
    mut groups: Groups<'_, impl Read + Seek + Send>,
    delivering: Delivering,
    noted: Option<Noted>,
    same_style: &dyn Fn(DeliveryNumber) -> bool,
    (options, of): (&ApplyOptions<'_>, u64),
    counts: &mut Counts,
) -> Result<Option<Noted>, Error> {
    let persons = write.open_table(PERSONS)?;
    let last = persons.last()?.map(|(key, _)| key.value());
    let mut merger = Merger {
        last,
        appended: Vec::new(),
        appended_values: Vec::new(),
        persons,
        superseded: write.open_table(SUPERSEDED)?,
        numbers: write.open_multimap_table(NUMBERS)?,
        changed: RoaringBitmap::new(),
        redelivered: RoaringBitmap::new(),
        by_code: BTreeMap::new(),
        index: Index::default(),
        noted,
        merge: Merge::default(),
        sealed: Vec::new(),
        held: AlignedVec::new(),
    };
    let (mut done, number) = (0, delivering.number.0);
    std::thread::scope(|scope| {
        let (read, chunks) = mpsc::sync_channel::<io::Result<(Vec<Group>, usize)>>(1);
        let (spent, reused) = mpsc::channel::<Vec<Group>>();
        scope.spawn(move || {
            loop {
                let mut chunk = reused.try_recv().unwrap_or_default();
                let next = groups.next_chunk(&mut chunk, CHUNK).map(|count| {
                    chunk[..count].sort_by_key(Group::key);
                    (chunk, count)
                });
                let last = !matches!(next, Ok((_, 1..)));
                if read.send(next).is_err() || last {
                    break;
                }
            }
        });
        for chunk in chunks {
            let (chunk, count) = chunk.map_err(Error::Input)?;
            for group in &chunk[..count] {
                merger.person(group, delivering, same_style, counts)?;
            }
            merger.append()?;
            done += count as u64;
            if let Some(progress) = options.progress {
                progress(Progress::Merging { done, of });
            }
            // The reader may be done and gone.
            spent.send(chunk).ok();
        }
        Ok::<(), Error>(())
    })?;
    if done != of {
        let what = io::Error::new(io::ErrorKind::InvalidData, "the extract changed while it was read");
        return Err(Error::Input(what));
    }
    let Merger { changed, redelivered, by_code, index, noted, mut sealed, .. } = merger;
    write_set((number, 0), &changed, &mut sealed)?;
    write.open_table(CHANGED)?.insert(number, sealed.as_slice())?;
    write_set((number, 0), &redelivered, &mut sealed)?;
    write.open_table(REDELIVERED)?.insert(number, sealed.as_slice())?;
    let mut table = write.open_table(CHANGED_BY)?;
    for (code, set) in &by_code {
        write_set((number, 0), set, &mut sealed)?;
        table.insert((number, code.as_slice()), sealed.as_slice())?;
    }
    drop(table);
    index.write(write)?;
    Ok(noted)
}

/// A set of persons, ready to insert.
fn write_set(row: sealed::Row, set: &RoaringBitmap, sealed: &mut Vec<u8>) -> Result<(), Error> {
    let mut bitmap = Vec::with_capacity(set.serialized_size());
    set.serialize_into(&mut bitmap).map_err(Error::Output)?;
    sealed::seal(row, &bitmap, sealed);
    Ok(())
}

/// The tables that persons are merged into, and buffers that are reused from person to person.
struct Merger<'t> {
    persons: Table<'t, u32, &'static [u8]>,
    /// The largest key among the persons, those to be appended included.
    last: Option<u32>,
    /// New persons behind all others, as a load brings them: written together, without a search for each. Key, and where
    /// the sealed value ends in `appended_values`.
    appended: Vec<(u32, usize)>,
    appended_values: Vec<u8>,
    superseded: Table<'t, (u32, u32), &'static [u8]>,
    numbers: MultimapTable<'t, u32, u32>,
    changed: RoaringBitmap,
    redelivered: RoaringBitmap,
    /// Whom an event of this code is about.
    by_code: BTreeMap<Vec<u8>, RoaringBitmap>,
    index: Index,
    /// What subscribers' filters are held against; none when nobody asks.
    noted: Option<Noted>,
    merge: Merge,
    sealed: Vec<u8>,
    held: AlignedVec<4>,
}

impl Merger<'_> {
    fn person(
        &mut self,
        group: &Group,
        delivering: Delivering,
        same_style: &dyn Fn(DeliveryNumber) -> bool,
        counts: &mut Counts,
    ) -> Result<(), Error> {
        let key = group.key().as_u32();
        let is_behind_all = self.last.is_none_or(|last| key > last);
        if !is_behind_all {
            self.append()?;
        }
        self.held.clear();
        if !is_behind_all && let Some(stored) = self.persons.get(key)? {
            self.held.extend_from_slice(stored.value());
        }
        let (held, past, document) = sections(key, &self.held)?;
        let full = past.filter(|_| self.held.len() - document >= FULL_BYTES).map(ArchivedPast::last);
        let add_to = past.filter(|_| full.is_none());
        let add_to = add_to.map_or(OpenPast::After(full.unwrap_or(0)), OpenPast::AddTo);

        let verdict = self.merge.run(held, add_to, group, delivering, same_style, counts)?;
        if matches!(verdict, Verdict::New | Verdict::Changed) {
            self.changed.insert(key);
            self.index.person(group.key(), held, group);
        } else {
            self.redelivered.insert(key);
        }
        if let Some(noted) = &mut self.noted {
            noted.add(held, group);
        }
        for (_, values) in group.events() {
            let code = values.text(Field::EventCode).latin1();
            match self.by_code.get_mut(code) {
                Some(set) => _ = set.insert(key),
                None => _ = self.by_code.insert(code.to_vec(), RoaringBitmap::from_iter([key])),
            }
        }
        if verdict == Verdict::Same && group.events().len() == 0 {
            return Ok(());
        }
        let sealed = &mut self.sealed;
        if let Some(last) = full {
            let past = sealed::open(PERSONS_TABLE, (key, OPEN), &self.held[document..])?;
            sealed::seal((key, last), past, sealed);
            self.superseded.insert((key, last), sealed.as_slice())?;
        }
        if verdict == Verdict::Same {
            sealed.clear();
            sealed.extend_from_slice(&self.held[..document]);
        } else {
            sealed::seal((key, 0), &self.merge.person, sealed);
        }
        if !self.merge.history.is_empty() {
            sealed::seal_second((key, OPEN), &self.merge.history, sealed);
        }
        if is_behind_all {
            self.appended_values.extend_from_slice(sealed);
            self.appended.push((key, self.appended_values.len()));
            self.last = Some(key);
        } else {
            self.persons.insert(key, sealed.as_slice())?;
        }
        for mentioned in &self.merge.mentions {
            self.numbers.insert(mentioned.as_u32(), key)?;
        }
        Ok(())
    }
}

/// What is held of a person, validated: the document, the past that is still added to, and where its section begins.
fn sections(key: u32, held: &[u8]) -> Result<(Option<&ArchivedPerson>, Option<&ArchivedPast>, usize), Error> {
    if held.is_empty() {
        return Ok((None, None, 0));
    }
    let (document, section) = sealed::open_first(PERSONS_TABLE, (key, 0), held)?;
    let document = sealed::access::<ArchivedPerson>(PERSONS_TABLE, document)?;
    Ok((Some(document), open_past(key, section)?, held.len() - section.len()))
}

impl Merger<'_> {
    /// Writes the persons that stand behind all others, in key order.
    fn append(&mut self) -> Result<(), Error> {
        if self.appended.is_empty() {
            return Ok(());
        }
        let mut cursor = self.persons.upper_bound_mut(Bound::<u32>::Unbounded)?;
        let mut start = 0;
        for &(key, end) in &self.appended {
            cursor.insert_before(key, &self.appended_values[start..end])?;
            start = end;
        }
        cursor.close()?;
        self.appended.clear();
        self.appended_values.clear();
        Ok(())
    }
}

fn write_delivery(write: &WriteTransaction, delivery: &Delivery) -> Result<(), Error> {
    let mut sealed = Vec::new();
    delivery.seal(&mut sealed);
    write.open_table(DELIVERIES)?.insert(delivery.number.0, sealed.as_slice())?;
    write.open_table(DIGESTS)?.insert(&delivery.digest, delivery.number.0)?;
    Ok(())
}

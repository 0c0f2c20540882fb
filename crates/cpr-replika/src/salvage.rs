//! What still opens of a damaged store, as a full extract, and what is missing from it.
//!
//! The trees of pages are read without the storage engine, which would end at the first fault. Of persons the documents
//! are written, as last known; indexes, history and subscribers stay behind and are counted. Nothing is guessed: a
//! value that does not fit its check is not written, and where a page is lost, it is told between which numbers persons
//! may be missing. Where the lost page named others, those are looked for among all pages of the file; what stands on
//! them proves itself by its check. Memory grows with the persons that have a 003, as that of an export does, and with
//! the faults told.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Bound;
use std::path::Path;

use cpr_extract::{Family, Style};
use cpr_model::{Date, PersonKey, Pnr};
use redb::StorageBackend;
use roaring::RoaringBitmap;

use crate::damage::{Damage, Place};
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::delivery::Delivery;
use crate::person::stored::v2::ArchivedDocument;
use crate::person::value::with_document;
use crate::read::export::{AddressOrder, Writer, start_record};
use crate::read::lines::LineLayout;
use crate::replika::Replika;
use crate::store::bitmap::open_set;
use crate::store::config::Config;
use crate::store::file::{Options, storage_failed, with_blocks};
use crate::store::page_tree::{Found, PageNumber, Pages, Tree};
use crate::store::tables::name;

/// What is told of a store that does not say it itself any more.
#[derive(Clone, Copy, Debug, Default)]
pub struct SalvageOptions {
    /// The layout family, for a store whose settings do not open.
    pub family: Option<&'static Family>,
    /// The production date that the extract bears, for a store of whose ledger no row opens.
    pub production_date: Option<Date>,
}

/// What was saved, and what was not.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SalvageReport {
    /// Persons written.
    pub persons: u64,
    /// Those of them that were on pages which no other page names any more: a page above them is lost. Written is the
    /// latest of each that was found.
    pub persons_loose: u64,
    /// Those of the loose whose last page is lost, too: what is written is of before a delivery that changed them.
    pub persons_outdated: u64,
    /// Those of the loose of whom that cannot be told: the sets of whom the deliveries since then changed are not all
    /// there.
    pub persons_undecided: u64,
    /// Persons that the store counts and that were not written; none when the count is lost.
    pub persons_missing: Option<u64>,
    /// Those of them whose page is there and whose value does not open.
    pub persons_unreadable: u64,
    /// The last delivery whose row of the ledger opens; the extract bears its production date.
    pub ledger: Option<DeliveryNumber>,
    /// The last delivery that any person written was changed by. When it is later than `ledger`, the extract is of a
    /// later day than it says.
    pub last_change: DeliveryNumber,
    /// Each table: how many rows there were, and how many are still there.
    pub tables: Vec<SalvagedTable>,
    /// Between which numbers persons are missing: the first of them.
    pub gaps: Vec<SalvageGap>,
    /// How many such gaps there are.
    pub gap_count: u64,
    /// Where the file is damaged, of what was read: the first places.
    pub places: Vec<Place>,
}

/// How much of a table is left.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SalvagedTable {
    /// The name, with the version of its layout.
    pub name: String,
    /// Rows that the store counts; where a key has several values, each of them is one.
    pub rows: u64,
    /// Rows that are still there.
    pub found: u64,
}

/// A page of persons that is lost. Its bounds are numbers of persons: whoever prints them says who they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SalvageGap {
    /// Persons behind this number, which is not missing; from the first where there is none.
    pub after: Option<Pnr>,
    /// Up to this number, and that itself; to the last where there is none.
    pub up_to: Option<Pnr>,
}

/// How many gaps and places are told.
const TOLD: usize = 100;

impl SalvageReport {
    /// True when nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.places.is_empty()
            && self.persons_missing == Some(0)
            && self.persons_unreadable == 0
            && self.tables.iter().all(|table| table.rows == table.found)
    }

    fn lost(&mut self, damage: Damage) {
        if self.places.len() < TOLD && !self.places.contains(&damage.place) {
            self.places.push(damage.place);
        }
    }
}

impl Replika {
    /// Writes what still opens of a store, damaged or not, as a full extract of persons as last known, and tells what
    /// is missing. The file is not changed. Nobody may be writing to it.
    ///
    /// # Errors
    /// [`Error::Damaged`] when both copies of a header, or the list of tables, are lost; [`Error::Config`] where the
    /// store does not say what [`SalvageOptions`] can; [`Error::Output`] from the writer; those of opening a file.
    pub fn salvage(
        path: impl AsRef<Path>,
        options: &Options,
        told: &SalvageOptions,
        out: &mut impl Write,
    ) -> Result<SalvageReport, Error> {
        with_blocks(path.as_ref(), options, |file| salvage_from(&Pages::open(file).map_err(storage_failed)?, told, out))
    }
}

/// An error on the way through a tree: the walk's own, or one of what was done with the rows.
struct Ended(Error);

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Ended {
        Ended(storage_failed(error))
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Ended {
        Ended(error)
    }
}

fn salvage_from<S: StorageBackend>(
    pages: &Pages<'_, S>,
    told: &SalvageOptions,
    out: &mut impl Write,
) -> Result<SalvageReport, Error> {
    let mut report = SalvageReport::default();
    let (tables, lost) = pages.tables().map_err(storage_failed)?;
    lost.into_iter().for_each(|damage| report.lost(damage));
    let family = read_family(pages, tables.get(name::META), &mut report)?.or(told.family);
    let family =
        family.ok_or(Error::Config("the settings of the store do not open: say which layout family it is of"))?;
    let mut last = read_last_delivery(pages, tables.get(name::DELIVERIES), &mut report)?;
    let persons = tables.get(name::PERSONS).copied();
    let lost = persons.map_or(Ok(Lost::all()), |persons| Lost::find(pages, persons))?;
    let loose = lost.look_for(pages, family, &mut last)?;
    let changes = Changes::read(pages, tables.get(name::CHANGED).copied(), &loose)?;
    report.ledger = last.as_ref().map(|last| last.number);
    let (task, date, style) = match last {
        Some(last) => (last.task, Some(last.production_date), last.style),
        None => (String::new(), told.production_date, Style::default()),
    };
    let date =
        date.ok_or(Error::Config("no row of the ledger opens: say which production date the extract is to bear"))?;
    let writer = Writer::new(out, &style);
    let mut saving = Saving { pages, family, loose, changes, writer, formatted: Vec::new(), report };
    saving.writer.frame(&start_record(&task, date))?;
    saving.write_persons(persons)?;
    saving.write_formatted()?;
    saving.writer.finish()?;
    let mut report = saving.report;
    for (name, tree) in tables {
        let found = pages.count(tree, &mut |damage| report.lost(damage)).map_err(storage_failed)?;
        report.tables.push(SalvagedTable { name, rows: tree.rows, found });
    }
    report.persons_missing = persons.map(|persons| persons.rows.saturating_sub(report.persons));
    Ok(report)
}

/// Where a search for loose pages is worth it: where pages are lost that named others.
struct Lost {
    /// Behind one key, up to another.
    ranges: Vec<(Option<u32>, Option<u32>)>,
    /// Whether the ledger may be among what nothing names any more.
    is_all: bool,
}

/// Persons on loose pages: the latest of each, and where it is.
type Loose = BTreeMap<u32, (DeliveryNumber, PageNumber)>;

impl Lost {
    fn all() -> Lost {
        Lost { ranges: vec![(None, None)], is_all: true }
    }

    /// A lost leaf held its rows itself, and what is found of them elsewhere is older; a lost page above the leaves
    /// held none.
    fn find<S: StorageBackend>(pages: &Pages<'_, S>, persons: Tree) -> Result<Lost, Error> {
        let (mut ranges, mut leaves) = (Vec::new(), None);
        let walked = pages.walk(persons, &mut |found| {
            match found {
                Found::Row { level, .. } => leaves = Some(level),
                Found::Lost { after, up_to, level, .. } => {
                    ranges.push((level, after.and_then(row), up_to.and_then(row)))
                }
            }
            Ok::<(), Ended>(())
        });
        walked.map_err(|ended| ended.0)?;
        ranges.retain(|(level, ..)| leaves.is_none_or(|leaves| *level < leaves));
        Ok(Lost { ranges: ranges.into_iter().map(|(_, after, up_to)| (after, up_to)).collect(), is_all: false })
    }

    /// Looks through all pages for persons in the ranges, and for the ledger when nothing says where that is.
    fn look_for<S: StorageBackend>(
        &self,
        pages: &Pages<'_, S>,
        family: &Family,
        last: &mut Option<Delivery>,
    ) -> Result<Loose, Error> {
        let mut loose = Loose::new();
        if self.ranges.is_empty() {
            return Ok(loose);
        }
        let searched = pages.loose_leaves(&mut |page, key, value| {
            let Some(row) = row(key) else { return Ok::<(), Ended>(()) };
            let is_lost = self
                .ranges
                .iter()
                .any(|(after, up_to)| after.is_none_or(|it| row > it) && up_to.is_none_or(|it| row <= it));
            let key = PersonKey::from_u32(row).filter(|_| is_lost);
            if let Some(delivered) = key.and_then(|key| with_lines(family, key, value, |lines| lines.delivered)) {
                let latest = loose.entry(row).or_insert((delivered, page));
                *latest = (*latest).max((delivered, page));
            }
            if self.is_all
                && last.as_ref().is_none_or(|last| row > last.number.0)
                && let Ok(delivery) = Delivery::open(DeliveryNumber(row), value)
            {
                *last = Some(delivery);
            }
            Ok(())
        });
        searched.map_err(|ended| ended.0)?;
        Ok(loose)
    }
}

/// Which delivery changed persons on loose pages last, as far as the sets of whom deliveries changed can be read.
#[derive(Default)]
struct Changes {
    latest: BTreeMap<u32, u32>,
    /// The last delivery whose set cannot be read; none when all can.
    unread: Option<u32>,
}

impl Changes {
    fn read<S: StorageBackend>(pages: &Pages<'_, S>, changed: Option<Tree>, loose: &Loose) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        if loose.is_empty() {
            return Ok(changes);
        }
        let Some(changed) = changed else { return Ok(Changes { unread: Some(u32::MAX), ..changes }) };
        let looked_for: RoaringBitmap = loose.keys().copied().collect();
        let mut read = RoaringBitmap::new();
        let walked = pages.walk(changed, &mut |found| {
            if let Found::Row { key, value, .. } = found
                && let Some(delivery) = row(key)
                && let Ok(set) = open_set(name::CHANGED, (delivery, 0), value)
            {
                read.insert(delivery);
                changes.latest.extend((set & &looked_for).into_iter().map(|key| (key, delivery)));
            }
            Ok::<(), Ended>(())
        });
        walked.map_err(|ended| ended.0)?;
        // Deliveries are numbered from 1, and each has a set.
        let last = u32::try_from(changed.rows).unwrap_or(u32::MAX);
        changes.unread = (1..=last).rev().find(|delivery| !read.contains(*delivery));
        Ok(changes)
    }

    /// Counts a person that is written as of this delivery.
    fn judge(&self, key: u32, written: DeliveryNumber, report: &mut SalvageReport) {
        if self.latest.get(&key).is_some_and(|latest| *latest > written.0) {
            report.persons_outdated += 1;
        } else if self.unread.is_some_and(|unread| unread > written.0) {
            report.persons_undecided += 1;
        }
    }
}

/// The writing of what is saved.
struct Saving<'s, 'f, S, W> {
    pages: &'s Pages<'f, S>,
    family: &'static Family,
    loose: Loose,
    changes: Changes,
    writer: Writer<'s, W>,
    /// Who has 003 lines, which stand behind all others in the order of addresses.
    formatted: Vec<(AddressOrder, PersonKey, PageNumber)>,
    report: SalvageReport,
}

impl<S: StorageBackend, W: Write> Saving<'_, '_, S, W> {
    /// Writes every person that opens, in the order of numbers: all lines but 003.
    fn write_persons(&mut self, persons: Option<Tree>) -> Result<(), Error> {
        let Some(persons) = persons else { return self.write_loose(None, None) };
        let pages = self.pages;
        let walked = pages.walk(persons, &mut |found| {
            match found {
                Found::Row { key, value, page, .. } => _ = self.write_person(key, value, page)?,
                Found::Lost { after, up_to, damage, .. } => {
                    self.report.lost(damage);
                    self.write_loose(after.and_then(row), up_to.and_then(row))?;
                }
            }
            Ok::<(), Ended>(())
        });
        walked.map_err(|ended| ended.0)
    }

    fn write_person(&mut self, key: &[u8], value: &[u8], page: PageNumber) -> Result<bool, Error> {
        let key = row(key).and_then(PersonKey::from_u32);
        let (family, writer, formatted) = (self.family, &mut self.writer, &mut self.formatted);
        let written = key.and_then(|key| {
            with_lines(family, key, value, |lines| {
                if lines.has_formatted() {
                    formatted.push((AddressOrder::of(key.pnr(), lines), key, page));
                }
                writer.person(family, key, lines, false).map(|()| lines.delivered)
            })
        });
        let Some(delivered) = written.transpose()? else {
            self.report.persons_unreadable += 1;
            return Ok(false);
        };
        self.report.persons += 1;
        self.report.last_change = self.report.last_change.max(delivered);
        Ok(true)
    }

    /// Writes who was found on loose pages behind one key up to another, and tells of the gap.
    fn write_loose(&mut self, after: Option<u32>, up_to: Option<u32>) -> Result<(), Error> {
        let bounds = (after.map_or(Bound::Unbounded, Bound::Excluded), up_to.map_or(Bound::Unbounded, Bound::Included));
        // A page that makes no sense may name its keys in no order.
        let is_range = !matches!((after, up_to), (Some(after), Some(up_to)) if after >= up_to);
        let found: Vec<(u32, (DeliveryNumber, PageNumber))> = match is_range {
            true => self.loose.range(bounds).map(|(&row, &found)| (row, found)).collect(),
            false => Vec::new(),
        };
        for (row, (delivered, page)) in found {
            if let Some(value) = self.pages.value_in(page, row).map_err(storage_failed)?
                && self.write_person(&row.to_le_bytes(), &value, page)?
            {
                self.report.persons_loose += 1;
                self.changes.judge(row, delivered, &mut self.report);
            }
        }
        self.report.gap_count += 1;
        if self.report.gaps.len() < TOLD {
            let pnr = |row: Option<u32>| row.and_then(PersonKey::from_u32).map(PersonKey::pnr);
            self.report.gaps.push(SalvageGap { after: pnr(after), up_to: pnr(up_to) });
        }
        Ok(())
    }

    /// Writes the 003 lines of those who have them.
    fn write_formatted(&mut self) -> Result<(), Error> {
        let mut formatted = std::mem::take(&mut self.formatted);
        formatted.sort_unstable();
        for (_, key, page) in formatted {
            let value = self.pages.value_in(page, key.as_u32()).map_err(storage_failed)?;
            let write = |lines: &LineLayout<'_>| self.writer.person(self.family, key, lines, true);
            value.and_then(|value| with_lines(self.family, key, &value, write)).transpose()?;
        }
        Ok(())
    }
}

/// A key of four bytes.
fn row(key: &[u8]) -> Option<u32> {
    key.try_into().ok().map(u32::from_le_bytes)
}

/// Hands on the lines of a person, when all that the value holds can be read.
fn with_lines<T>(
    family: &Family,
    key: PersonKey,
    value: &[u8],
    hand_on: impl FnOnce(&LineLayout<'_>) -> T,
) -> Option<T> {
    let whole = |document: &ArchivedDocument| {
        let is_whole = document
            .rows()
            .all(|(header, values)| values.is_whole() && family.record(u16::from(header.record)).is_some());
        is_whole.then(|| hand_on(&LineLayout::of_document(document)))
    };
    with_document(key.as_u32(), value, whole).ok().flatten()
}

fn read_family<S: StorageBackend>(
    pages: &Pages<'_, S>,
    meta: Option<&Tree>,
    report: &mut SalvageReport,
) -> Result<Option<&'static Family>, Error> {
    let mut settings = BTreeMap::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(&meta) = meta {
        let walked = pages.walk(meta, &mut |found| {
            match found {
                Found::Row { key, value, .. } => _ = settings.insert(text(key), text(value)),
                Found::Lost { damage, .. } => report.lost(damage),
            }
            Ok::<(), Ended>(())
        });
        walked.map_err(|ended| ended.0)?;
    }
    Ok(Config::from_entries(|key| Ok(settings.get(key).cloned())).ok().and_then(|config| config.family))
}

fn read_last_delivery<S: StorageBackend>(
    pages: &Pages<'_, S>,
    ledger: Option<&Tree>,
    report: &mut SalvageReport,
) -> Result<Option<Delivery>, Error> {
    let mut last = None;
    if let Some(&ledger) = ledger {
        let walked = pages.walk(ledger, &mut |found| {
            match found {
                Found::Row { key, value, .. } => {
                    let number = row(key).unwrap_or_default();
                    last = Delivery::open(DeliveryNumber(number), value).ok().or(last.take());
                }
                Found::Lost { damage, .. } => report.lost(damage),
            }
            Ok::<(), Ended>(())
        });
        walked.map_err(|ended| ended.0)?;
    }
    Ok(last)
}

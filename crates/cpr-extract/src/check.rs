//! Reads a whole extract once and says whether it may be applied: complete, in order, every field sound.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use cpr_model::{Date, Pnr};
use roaring::RoaringBitmap;

use crate::family::{Family, RecordLayout, Role};
use crate::fault::{Fault, Reason};
use crate::lines::{Item, records};
use crate::record::Record;
use crate::style::{Style, StyleVotes};
use crate::writer::end_counter;

/// How [`check`] reads an extract.
#[derive(Clone, Copy, Debug)]
pub struct CheckOptions<'a> {
    /// The layout family of the file: CPR reuses record numbers across its products.
    pub family: &'static Family,
    /// The record types the customer has chosen; another one in the file is a fault. None: all of the family.
    pub chosen: Option<&'a [u16]>,
    /// Record numbers that are known and passed over.
    pub ignored: &'a [u16],
    /// How many faults are kept; all are counted.
    pub fault_limit: usize,
    /// Faults that the caller accepts: TAELLER that does not fit ([`Reason::WrongCount`]), rows without a 001
    /// ([`Reason::NoPerson`]; they are left out). They are counted apart, in [`Checked::waived`].
    pub waive: Waive,
}

/// Faults that a caller may accept by name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waive {
    /// Accept [`Reason::WrongCount`].
    pub wrong_count: bool,
    /// Accept [`Reason::NoPerson`].
    pub rows_without_person: bool,
}

impl Waive {
    fn covers(self, reason: Reason) -> bool {
        match reason {
            Reason::WrongCount { .. } => self.wrong_count,
            Reason::NoPerson => self.rows_without_person,
            _ => false,
        }
    }
}

/// What the start record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// OPGAVENR: customer number (four digits) and running number (two).
    pub task: String,
    /// PRODDTO: the date of this run.
    pub production_date: Date,
    /// PRODDTOFORRIG: the date of the run before; equal to `production_date` in an establishment extract.
    pub previous_production_date: Date,
}

impl Header {
    /// The customer number: the first four digits of the task. An establishment and its deltas differ in the last two.
    pub fn customer(&self) -> &str {
        self.task.get(..4).unwrap_or(&self.task)
    }
}

/// An error record (910): CPR's answer to a line the customer sent. It says nothing about a person's data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InputError {
    /// FEJLNR, 8451-8496.
    pub number: u16,
    /// FEJLTXT.
    pub text: String,
}

/// What a whole extract looks like.
#[derive(Clone)]
pub struct Checked {
    /// The family it was read as.
    pub family: &'static Family,
    /// The start record, when there is a sound one.
    pub header: Option<Header>,
    /// Records by number, the frame included.
    pub records: BTreeMap<u16, u64>,
    /// Persons: 001 records.
    pub persons: u64,
    /// How the file spells its lines.
    pub style: Style,
    /// Receipts for deleted subscriptions (997).
    pub receipts: u64,
    /// Error records (910).
    pub input_errors: Vec<InputError>,
    /// Records with a character that CPR's set does not have. They are kept as they are.
    pub odd_characters: u64,
    /// The faults, up to the limit: of the whole file first, then by line.
    pub faults: Vec<Fault>,
    /// How many there are in all.
    pub fault_count: u64,
    /// Faults that the caller had accepted beforehand.
    pub waived: u64,
    /// Lines read.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Where each 003 that stands behind the persons starts: person key and byte, ascending.
    pub(crate) formatted: Vec<(u32, u64)>,
    /// The byte where the person records end and only 003 and the end follow.
    pub(crate) persons_end: u64,
}

/// Says how much there is; the index names persons.
impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Checked");
        shown.field("family", &self.family.name).field("header", &self.header).field("records", &self.records);
        shown.field("fault_count", &self.fault_count).field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl Checked {
    /// True when the extract is whole and every record fits.
    pub fn is_sound(&self) -> bool {
        self.fault_count == 0
    }
}

/// Reads the source once, from its current position, and checks everything that does not need the store.
///
/// # Errors
/// Those of reading the source. What is wrong with the extract stands in [`Checked::faults`].
pub fn check<R: Read>(source: R, options: CheckOptions<'_>) -> io::Result<Checked> {
    let mut check = Check::new(options);
    let mut lines = records(source, options.family, options.ignored);
    loop {
        let before = (lines.line() + 1, lines.offset());
        match lines.next_item()? {
            None => break,
            Some(Item::Record(record)) => check.record(&record),
            Some(Item::Fault(fault, bytes)) => check.misfit(fault, bytes),
            Some(Item::Ignored(number, _)) => check.count(number, before),
        }
    }
    let (line, offset) = (lines.line(), lines.offset());
    let trailer = lines.trailer().to_vec();
    Ok(check.finish(line, offset, trailer))
}

/// Finds the one family that every line fits, reading the source from its start for each candidate.
///
/// Only the first `lines` lines are looked at ([`FIRST_LINES`], or `u64::MAX` for all). What rules a family out stands in
/// the first lines of a file as a rule, and [`check`] holds all lines against the one that is found; a variant whose own
/// records come later is found by looking at all. A variant is tried only where the family that it extends does not fit.
/// When no family fits, the answer is the one that the fewest lines misfit: [`check`] tells what is wrong with it.
///
/// # Errors
/// Those of the source; the inner error names the families that fit equally well.
pub fn find_family<R: Read + Seek>(
    source: &mut R,
    ignored: &[u16],
    lines: u64,
) -> io::Result<Result<&'static Family, Vec<&'static str>>> {
    if source.seek(SeekFrom::End(0))? == 0 {
        // An empty file fits them all; any of them tells that it is empty.
        return Ok(Ok(&Family::all()[0]));
    }
    let mut fitting: Vec<&'static Family> = Vec::new();
    for family in Family::all() {
        let is_covered = fitting.iter().any(|other| family.is_variant_of(other));
        if !is_covered && misfits(source, family, ignored, lines, 1)? == 0 {
            fitting.push(family);
        }
    }
    if fitting.is_empty() {
        let mut closest = (u64::MAX, &Family::all()[0]);
        for family in Family::all() {
            let count = misfits(source, family, ignored, lines.min(FIRST_LINES), u64::MAX)?;
            if count < closest.0 {
                closest = (count, family);
            }
        }
        return Ok(Ok(closest.1));
    }
    Ok(match fitting.as_slice() {
        [one] => Ok(one),
        several => Err(several.iter().map(|family| family.name).collect()),
    })
}

/// True when every line of the source is a record of the family; an empty source is of none.
///
/// # Errors
/// Those of the source.
pub fn fits_family<R: Read + Seek>(source: &mut R, family: &'static Family, ignored: &[u16]) -> io::Result<bool> {
    Ok(source.seek(SeekFrom::End(0))? > 0 && misfits(source, family, ignored, u64::MAX, 1)? == 0)
}

/// Lines by which [`find_family`] tells the families apart as a rule.
pub const FIRST_LINES: u64 = 10_000;

/// How many of the first lines are no records of the family; counting stops at `enough`.
fn misfits<R: Read + Seek>(
    source: &mut R,
    family: &'static Family,
    ignored: &[u16],
    first_lines: u64,
    enough: u64,
) -> io::Result<u64> {
    source.seek(SeekFrom::Start(0))?;
    let mut lines = records(source, family, ignored);
    let mut count = 0;
    while count < enough
        && lines.line() < first_lines
        && let Some(item) = lines.next_item()?
    {
        count += u64::from(matches!(item, Item::Fault(..)));
    }
    Ok(count)
}

#[derive(PartialEq)]
enum Stage {
    Start,
    Body,
    Ended,
}

/// Rows of one person, and 003 of one person behind all persons: together fewer than 16 bits can number.
const MOST_ROWS: u32 = 65_000;
const MOST_BEHIND: u32 = 500;

struct Check<'a> {
    options: CheckOptions<'a>,
    stage: Stage,
    seen: RoaringBitmap,
    /// The digits of the person whose rows are read.
    current: Option<[u8; 10]>,
    rows: u32,
    counted: u64,
    /// The counter, when it could be read, and where it stands.
    stated: Option<(Option<u64>, u64, u64)>,
    votes: StyleVotes,
    behind: bool,
    /// Persons with a 003 behind, and how many those have that have several.
    behind_seen: RoaringBitmap,
    behind_again: HashMap<u32, u32>,
    /// Records by number.
    records: Box<[u64; 1000]>,
    result: Checked,
}

impl<'a> Check<'a> {
    fn new(options: CheckOptions<'a>) -> Self {
        let result = Checked {
            family: options.family,
            header: None,
            records: BTreeMap::new(),
            persons: 0,
            style: Style::default(),
            receipts: 0,
            input_errors: Vec::new(),
            odd_characters: 0,
            faults: Vec::new(),
            fault_count: 0,
            waived: 0,
            lines: 0,
            bytes: 0,
            formatted: Vec::new(),
            persons_end: 0,
        };
        Check {
            options,
            stage: Stage::Start,
            seen: RoaringBitmap::new(),
            current: None,
            rows: 0,
            counted: 0,
            stated: None,
            votes: StyleVotes::default(),
            behind: false,
            behind_seen: RoaringBitmap::new(),
            behind_again: HashMap::new(),
            records: Box::new([0; 1000]),
            result,
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.options.waive.covers(fault.reason) {
            self.result.waived += 1;
            return;
        }
        self.result.fault_count += 1;
        if self.result.faults.len() < self.options.fault_limit {
            self.result.faults.push(fault);
        }
    }

    /// A line that does not fit is still a record that was sent: it counts, and its number still says whose rows follow,
    /// so that one bad field is one fault.
    fn misfit(&mut self, fault: Fault, bytes: &[u8]) {
        let layout = self.options.family.layout_of(bytes);
        if self.stage == Stage::Start && layout.is_none_or(|layout| layout.role != Role::Start) {
            self.fault(Fault { line: 1, offset: 0, record: None, field: None, reason: Reason::NoStart });
        }
        self.stage = if self.stage == Stage::Ended { Stage::Ended } else { Stage::Body };
        self.fault(fault);
        match layout.map(|layout| layout.role) {
            Some(Role::Start | Role::InputError) => {}
            Some(Role::End) => {
                self.stage = Stage::Ended;
                // Its own fault says what is wrong with the counter.
                self.stated = Some((None, fault.line, fault.offset));
            }
            _ if fault.reason == Reason::EmptyLine => {}
            _ => self.counted += 1,
        }
        let digits: Option<[u8; 10]> = bytes.get(3..13).and_then(|digits| digits.try_into().ok());
        let key = digits.and_then(|digits| Pnr::parse(&digits)).and_then(|pnr| pnr.key());
        if let (Some(layout), Some(key)) = (layout, key)
            && layout.opens_person()
        {
            self.current = digits;
            self.seen.insert(key.as_u32());
        }
    }

    fn refuse(&mut self, record: &Record<'_>, reason: Reason) {
        let number = Some(record.layout.number);
        self.fault(Fault { line: record.line, offset: record.offset, record: number, field: None, reason });
    }

    fn count(&mut self, number: u16, (line, offset): (u64, u64)) {
        self.records[usize::from(number).min(999)] += 1;
        self.counted += 1;
        if self.stage == Stage::Ended {
            self.fault(Fault { line, offset, record: Some(number), field: None, reason: Reason::AfterEnd });
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        let layout = record.layout;
        self.records[usize::from(layout.number)] += 1;
        self.votes.line(record.bytes, layout.length, record.end);
        self.result.odd_characters += u64::from(has_odd_character(record.bytes));
        if self.stage == Stage::Ended && layout.role != Role::InputError {
            return self.refuse(record, Reason::AfterEnd);
        }
        if self.stage == Stage::Start && layout.role != Role::Start {
            // Told once; what follows is still checked.
            self.stage = Stage::Body;
            self.fault(Fault { line: 1, offset: 0, record: None, field: None, reason: Reason::NoStart });
        }
        match layout.role {
            Role::Start if self.stage == Stage::Start => {
                self.stage = Stage::Body;
                self.result.header = header(record);
            }
            Role::Start => self.refuse(record, Reason::SecondStart),
            Role::End => {
                self.stage = Stage::Ended;
                if !self.behind {
                    self.result.persons_end = record.offset;
                }
                let stated = record.text("TAELLER").and_then(|text| text.reveal().parse().ok());
                self.stated = Some((stated, record.line, record.offset));
            }
            Role::InputError => {
                let text = |name| record.text(name).map(|text| text.reveal().into_owned()).unwrap_or_default();
                let number = text("FEJLNR").parse().unwrap_or(0);
                // Kept in memory, so not without end; they answer lines the customer sent.
                if self.result.input_errors.len() < 100_000 {
                    self.result.input_errors.push(InputError { number, text: text("FEJLTXT-UDTRÆK") });
                }
            }
            Role::Receipt => {
                self.counted += 1;
                self.result.receipts += 1;
            }
            Role::Fact(..) | Role::Event => {
                self.counted += 1;
                self.person_row(record, layout);
            }
        }
    }

    fn person_row(&mut self, record: &Record<'_>, layout: &RecordLayout) {
        let chosen = self.options.chosen.is_none_or(|chosen| chosen.contains(&layout.number));
        if !chosen {
            return self.refuse(record, Reason::NotChosen);
        }
        // Most rows belong to the person before them: ten bytes to compare.
        if !layout.opens_person() && !self.behind && self.current.is_some() && self.current == record.key_digits() {
            self.rows += 1;
            if self.rows > MOST_ROWS {
                self.refuse(record, Reason::TooManyRows);
            }
            return;
        }
        let Some(key) = record.pnr().and_then(|pnr| pnr.key()) else {
            return self.refuse(record, Reason::NotAPerson);
        };
        if layout.opens_person() {
            self.current = record.key_digits();
            self.rows = 1;
            self.behind = false;
            self.result.persons += 1;
            if !self.seen.insert(key.as_u32()) {
                self.refuse(record, Reason::RepeatedPerson);
            }
        } else if !self.seen.contains(key.as_u32()) {
            self.refuse(record, Reason::NoPerson);
        } else if layout.is_formatted_address() {
            if !self.behind {
                self.behind = true;
                self.result.persons_end = record.offset;
            }
            self.result.formatted.push((key.as_u32(), record.offset));
            if !self.behind_seen.insert(key.as_u32()) {
                let more = self.behind_again.entry(key.as_u32()).or_insert(1);
                *more += 1;
                if *more > MOST_BEHIND {
                    self.refuse(record, Reason::TooManyRows);
                }
            }
        } else {
            self.refuse(record, Reason::ScatteredPerson);
        }
    }

    fn finish(mut self, lines: u64, bytes: u64, trailer: Vec<u8>) -> Checked {
        let at_end = |reason| Fault { line: lines.max(1), offset: bytes, record: None, field: None, reason };
        let whole = match self.stated {
            _ if bytes == 0 => Some(at_end(Reason::Empty)),
            None => Some(at_end(Reason::Truncated)),
            Some((Some(stated), line, offset)) if stated != end_counter(self.counted) => Some(Fault {
                line,
                offset,
                record: Some(999),
                field: Some("TAELLER"),
                reason: Reason::WrongCount { stated, found: self.counted },
            }),
            Some(_) => None,
        };
        let waived = whole.is_some_and(|fault| self.options.waive.covers(fault.reason));
        self.result.waived += u64::from(waived);
        if let Some(fault) = whole.filter(|_| !waived) {
            // A file that is not whole is the first thing to know: other faults may follow from it. Only an end record
            // in the middle is told first, since it is why the count does not fit.
            let first = self
                .result
                .faults
                .iter()
                .position(|other| other.reason != Reason::AfterEnd)
                .unwrap_or(self.result.faults.len());
            self.result.fault_count += 1;
            self.result.faults.insert(first, fault);
            self.result.faults.truncate(self.options.fault_limit.max(1));
        }
        if self.stated.is_none() && !self.behind {
            self.result.persons_end = bytes;
        }
        let counted = self.records.iter().enumerate().filter(|(_, count)| **count > 0);
        self.result.records = counted.map(|(number, count)| (number as u16, *count)).collect();
        self.result.style = self.votes.style(trailer);
        self.result.formatted.sort_unstable();
        self.result.lines = lines;
        self.result.bytes = bytes;
        self.result
    }
}

fn header(record: &Record<'_>) -> Option<Header> {
    let date = |name| record.text(name).and_then(|text| Date::parse(&text.reveal()));
    Some(Header {
        task: record.text("OPGAVENR")?.reveal().into_owned(),
        production_date: date("PRODDTO")?,
        previous_production_date: date("PRODDTOFORRIG")?,
    })
}

/// True when a line holds a character outside CPR's subset of ISO 8859-1: a control character, or anything between 7F
/// and BF. (CPR also leaves out a few printable ones; none of them hints at damage.) Without an early exit, so that many
/// bytes are tested at once.
fn has_odd_character(line: &[u8]) -> bool {
    line.iter().fold(false, |odd, &byte| odd | (byte < 0x20) | ((0x7F..0xC0).contains(&byte)))
}

//! Reads a whole extract once and says whether it may be applied: complete, in order, every field sound.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use cpr_model::Date;
use roaring::RoaringBitmap;

use crate::checker::Checker;
use crate::family::Family;
use crate::fault::{Fault, Reason};
use crate::index::FormattedIndex;
use crate::lines::{Item, records};
use crate::repeated::Comparison;
use crate::style::Style;

/// How [`check`] reads an extract.
#[derive(Clone, Copy, Debug)]
pub struct CheckOptions<'a> {
    /// The layout family of the file: CPR reuses record numbers across its products.
    pub family: &'static Family,
    /// The record types the customer has chosen; another one in the file is a fault. None: all of the family.
    pub chosen: Option<&'a [u16]>,
    /// Record numbers that are known and passed over.
    pub ignored: &'a [u16],
    /// How many different faults are kept; all are counted. Equal ones (record, field, reason) are one.
    pub fault_limit: usize,
    /// Faults that the caller accepts. They are counted apart, in [`Checked::waived`].
    pub waive: Waive,
}

/// Faults that a caller may accept by name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waive {
    /// Accept [`Reason::WrongCount`]: a TAELLER that does not fit.
    pub wrong_count: bool,
    /// Accept [`Reason::NoPerson`]: rows without a 001. They are left out.
    pub rows_without_person: bool,
    /// Accept [`Reason::CodePage`]: letters of a DOS or Windows code page. They are kept as they are, as control characters of
    /// ISO 8859-1.
    pub code_page: bool,
}

impl Waive {
    pub(crate) fn covers(self, reason: Reason) -> bool {
        match reason {
            Reason::CodePage => self.code_page,
            Reason::WrongCount { .. } => self.wrong_count,
            Reason::NoPerson => self.rows_without_person,
            _ => false,
        }
    }
}

/// What the start record says.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Checked {
    /// The family it was read as.
    pub family: &'static Family,
    /// The start record, when there is a sound one.
    pub header: Option<Header>,
    /// Records by number, the frame included.
    pub records: BTreeMap<u16, u64>,
    /// Persons who have a 001, each once.
    pub persons: u64,
    /// Groups left out because they are equal to an earlier one of the same person.
    pub repeated_persons: u64,
    /// Current rows of a kind that a person has once (002, 008, 010, 011, 012, …) beside another one of the kind.
    pub doubled_rows: u64,
    /// How the file spells its lines.
    pub style: Style,
    /// Receipts for deleted subscriptions (997).
    pub receipts: u64,
    /// Error records (910).
    pub input_errors: Vec<InputError>,
    /// Records with a character that CPR's set does not have. They are kept as they are.
    pub odd_characters: u64,
    /// The faults, equal ones once, up to the limit: of the whole file first, then by line.
    pub faults: Vec<Fault>,
    /// How many there are in all, on however many lines.
    pub fault_count: u64,
    /// Faults that the caller had accepted beforehand.
    pub waived: u64,
    /// Lines read.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The 003 that stand behind the persons.
    pub(crate) index: FormattedIndex,
    /// The byte where the person records end and only 003 and the end follow.
    pub(crate) persons_end: u64,
    /// Of each chunk of the file.
    pub(crate) checksums: Vec<u64>,
    /// Persons with several equal groups.
    pub(crate) repeated: RoaringBitmap,
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

/// Reads the source from its start to its end, and checks everything that does not need the store. Persons who stand in the file
/// more than once take a second reading, in which their groups are compared.
///
/// Time is linear in the bytes. Memory is an index of 16 bytes for each 003 that stands behind the persons.
///
/// # Errors
/// Those of reading the source, `FileTooLarge` beyond 256 GiB, and `InvalidData` when it changes between two readings. What is
/// wrong with the extract stands in [`Checked::faults`].
///
/// ```
/// use std::io::Cursor;
///
/// use cpr_extract::{CheckOptions, Family, Reason, Waive, check};
///
/// let extract = "00000000000001234012026010520260102\n\
///                0016101801234          01000000000000 K\n\
///                0106101801234510019910320129\n\
///                999999999999900000002\n";
/// let family = Family::named("std").expect("a family");
/// let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 20, waive: Waive::default() };
/// let checked = check(Cursor::new(extract), options)?;
/// assert_eq!(checked.persons, 1);
/// let fault = checked.faults[0];
/// assert_eq!((fault.line, fault.record, fault.field), (3, Some(10), Some("HAENSTART-STATSBORGERSKAB")));
/// assert_eq!(fault.reason, Reason::NotATimestamp);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn check<R: Read + Seek>(mut source: R, options: CheckOptions<'_>) -> io::Result<Checked> {
    source.seek(SeekFrom::Start(0))?;
    let mut checker = Checker::new(options);
    let mut lines = records(&mut source, options.family, options.ignored);
    while !checker.has_ended() {
        let before = (lines.line() + 1, lines.offset());
        match lines.next_item()? {
            None => break,
            Some(Item::Record(record)) => checker.record(&record),
            Some(Item::Fault(fault, bytes)) => checker.misfit(fault, bytes),
            Some(Item::Ignored(number, _)) => checker.ignored(number, before),
        }
    }
    let (line, offset) = (lines.line(), lines.offset());
    let (trailer, checksums) = lines.into_trailer_and_checksums();
    checker.end_reading();
    let repeated = checker.take_repeated();
    if !repeated.is_empty() {
        let compared = Comparison::read(source, options.family, options.ignored, &checksums, &repeated)?;
        checker.compared(&repeated, &compared);
    }
    Ok(checker.finish(line, offset, trailer, checksums))
}

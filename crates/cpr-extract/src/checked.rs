//! How an extract is to be checked, and what was found in it.

use std::collections::BTreeMap;
use std::fmt;

use cpr_model::Date;
use roaring::RoaringBitmap;

use crate::family::Family;
use crate::fault::{Fault, Reason};
use crate::index::FormattedIndex;
use crate::style::Style;

/// How [`check`](crate::check()) reads an extract.
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
    /// Accept [`Reason::CodePage`]: letters of a DOS or Windows code page. They are kept as they are, as control
    /// characters of ISO 8859-1.
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
    /// FEJLNR, 8451-8496; 0 where it is blank.
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
    /// Error records (910): the first 100 000.
    pub input_errors: Vec<InputError>,
    /// Error records behind those, which are counted alone.
    pub input_errors_beyond: u64,
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

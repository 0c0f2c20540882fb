//! What is wrong with an extract, and where; never what the data said.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

/// Why a line or a file is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The first record is not 000.
    #[error("the file does not begin with a start record (000)")]
    NoStart,
    /// A start record that is not the first.
    #[error("a second start record")]
    SecondStart,
    /// The file ends before 999.
    #[error("the file ends without an end record (999): it is not whole")]
    Truncated,
    /// TAELLER does not say how many records there are.
    #[error("the end record counts {stated} records, the file holds {found}")]
    WrongCount {
        /// The number in the end record.
        stated: u64,
        /// Records without 000, 999 and 910.
        found: u64,
    },
    /// Something other than 910 after 999.
    #[error("data after the end record")]
    AfterEnd,
    /// The first three bytes name no record of the family.
    #[error("no record of this family begins so")]
    UnknownRecord,
    /// A record type that is not among those the customer has chosen.
    #[error("a record type that is not among the chosen ones")]
    NotChosen,
    /// An empty line before the end.
    #[error("an empty line inside the file")]
    EmptyLine,
    /// More data than the record holds.
    #[error("the line is longer than its record")]
    TooLong,
    /// A numeric field that is cut off or holds something else.
    #[error("not a zero-filled number")]
    NotANumber,
    /// Neither blank nor `YYYY-MM-DD`; in the start record, no day of the calendar.
    #[error("neither blank nor a date")]
    NotADate,
    /// Not twelve digits (nor blank where the layout allows it).
    #[error("not a timestamp of twelve digits")]
    NotATimestamp,
    /// A character that no mark has.
    #[error("not a mark")]
    NotAFlag,
    /// Neither blank nor ten digits.
    #[error("neither blank nor ten digits")]
    NotAPnr,
    /// The number of the person is not one: not ten digits, all zeros, or an impossible day or month.
    #[error("not a personnummer")]
    NotAPerson,
    /// A pair of bytes that only UTF-8 writes.
    #[error("the file has been turned into UTF-8; CPR writes ISO 8859-1")]
    Utf8,
    /// Bytes 80-9F, which are no letters of ISO 8859-1. DOS code pages 850 and 865 have `æ`, `ø`, `å` there, and
    /// Windows-1252 its quotes.
    #[error("letters of a DOS or Windows code page; CPR writes ISO 8859-1")]
    CodePage,
    /// EF BB BF at the start.
    #[error("the file begins with a byte order mark: it has been turned into UTF-8; CPR writes ISO 8859-1")]
    ByteOrderMark,
    /// Two bytes a character.
    #[error("the file is in UTF-16; CPR writes ISO 8859-1")]
    Utf16,
    /// The character set of CPR's own machine.
    #[error("the file is in EBCDIC; it is to be had in ISO 8859-1")]
    Ebcdic,
    /// The bytes of a compressed file.
    #[error("the file is {by}-compressed; unpack it first")]
    Compressed {
        /// `gzip`, `zip`, `bzip2`, `xz`, `7z` or `zstd`.
        by: &'static str,
    },
    /// A line that goes on and on.
    #[error("the line does not end within 1 MiB; what follows was not read")]
    EndlessLine,
    /// Reading on would tell nothing new.
    #[error("more than 100 000 faults; what follows was not read")]
    TooManyFaults,
    /// Rows of a person whose 001 is not in the file.
    #[error("rows of a person without a 001")]
    NoPerson,
    /// A person with two 001 whose rows are not the same. (Two groups that are equal are one person.)
    #[error("a second 001 of the same person, with other rows")]
    RepeatedPerson,
    /// Rows of a person away from its 001.
    #[error("rows of a person that do not stand with its 001")]
    ScatteredPerson,
    /// More rows of one person than the store can number.
    #[error("more than 65 000 rows, or more than 500 addressing rows (003), of one person")]
    TooManyRows,
}

impl Reason {
    /// A stable word for programs (`wrong_count`).
    pub fn name(&self) -> &'static str {
        match self {
            Reason::Empty => "empty",
            Reason::NoStart => "no_start_record",
            Reason::SecondStart => "second_start_record",
            Reason::Truncated => "truncated",
            Reason::WrongCount { .. } => "wrong_count",
            Reason::AfterEnd => "data_after_end",
            Reason::UnknownRecord => "unknown_record",
            Reason::NotChosen => "record_not_chosen",
            Reason::EmptyLine => "empty_line",
            Reason::TooLong => "line_too_long",
            Reason::NotANumber => "not_a_number",
            Reason::NotADate => "not_a_date",
            Reason::NotATimestamp => "not_a_timestamp",
            Reason::NotAFlag => "not_a_mark",
            Reason::NotAPnr => "not_a_related_pnr",
            Reason::NotAPerson => "not_a_pnr",
            Reason::Utf8 => "utf8",
            Reason::CodePage => "code_page",
            Reason::ByteOrderMark => "byte_order_mark",
            Reason::Utf16 => "utf16",
            Reason::Ebcdic => "ebcdic",
            Reason::Compressed { .. } => "compressed",
            Reason::EndlessLine => "endless_line",
            Reason::TooManyFaults => "too_many_faults",
            Reason::NoPerson => "no_person_record",
            Reason::RepeatedPerson => "repeated_person",
            Reason::ScatteredPerson => "scattered_person",
            Reason::TooManyRows => "too_many_rows",
        }
    }
}

impl Reason {
    /// True for a file in another format, of which nothing else can be said.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Reason::ByteOrderMark | Reason::Utf16 | Reason::Ebcdic | Reason::Compressed { .. })
    }

    /// True for faults behind which nothing is read.
    pub fn ends_reading(&self) -> bool {
        self.is_foreign() || matches!(self, Reason::EndlessLine | Reason::TooManyFaults)
    }
}

/// A located refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The line, from 1; in a file without line ends, the record.
    pub line: u64,
    /// The byte where the line starts, from 0.
    pub offset: u64,
    /// The record number, when the line has one that is known.
    pub record: Option<u16>,
    /// CPR's name of the field.
    pub field: Option<&'static str>,
    /// What is wrong.
    pub reason: Reason,
    /// How many more lines have the same fault: record, field and reason. The others say where the first of them
    /// stands.
    pub more: u64,
    /// The last of them; without more, the line itself.
    pub last_line: u64,
}

impl Fault {
    /// The first line that has the fault, without how many more there are.
    pub fn alone(self) -> Fault {
        Fault { more: 0, last_line: self.line, ..self }
    }

    pub(crate) fn at(
        line: u64,
        offset: u64,
        record: Option<u16>,
        field: Option<&'static str>,
        reason: Reason,
    ) -> Fault {
        Fault { line, offset, record, field, reason, more: 0, last_line: line }
    }
}

/// Where, what, and how often; never what the data said.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} (byte {})", self.line, self.offset)?;
        if let Some(record) = self.record {
            write!(f, ", record {record:03}")?;
        }
        if let Some(field) = self.field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {}", self.reason)?;
        if self.more > 0 {
            write!(f, " (and {} more of this kind, the last in line {})", self.more, self.last_line)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// Record, field and reason.
type FaultKind = (Option<u16>, Option<&'static str>, &'static str);

/// The faults of a file, equal ones once: as many as there are kinds, however many lines have them.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// The first of each kind, and how many faults there were before it.
    kinds: HashMap<FaultKind, (Fault, u64)>,
    count: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let kind = (fault.record, fault.field, fault.reason.name());
        match self.kinds.entry(kind) {
            Entry::Vacant(entry) => _ = entry.insert((fault, self.count)),
            Entry::Occupied(mut entry) => {
                let (told, _) = entry.get_mut();
                let (more, last_line) = (told.more + 1, told.last_line.max(fault.line));
                let first = if fault.line < told.line { fault } else { *told };
                *told = Fault { more, last_line, ..first };
            }
        }
        self.count += 1;
    }

    /// How many lines have a fault.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The first of each kind, by line.
    pub(crate) fn into_sorted(self) -> Vec<Fault> {
        let mut faults: Vec<(Fault, u64)> = self.kinds.into_values().collect();
        faults.sort_unstable_by_key(|(fault, before)| (fault.line, *before));
        faults.into_iter().map(|(fault, _)| fault).collect()
    }
}

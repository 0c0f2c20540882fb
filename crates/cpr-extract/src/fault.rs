//! What is wrong with an extract, and where; never what the data said.

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
    /// Neither blank nor `YYYY-MM-DD`.
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
    /// Rows of a person whose 001 is not in the file.
    #[error("rows of a person without a 001")]
    NoPerson,
    /// A person with two 001.
    #[error("a second 001 of the same person")]
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
            Reason::NoPerson => "no_person_record",
            Reason::RepeatedPerson => "repeated_person",
            Reason::ScatteredPerson => "scattered_person",
            Reason::TooManyRows => "too_many_rows",
        }
    }
}

/// A located refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} (byte {})", self.line, self.offset)?;
        if let Some(record) = self.record {
            write!(f, ", record {record:03}")?;
        }
        if let Some(field) = self.field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Fault {}

//! One field of a record: where it stands in the line, and what it may hold.

use cpr_model::Field;

/// What kind of content a column may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Zero-filled digits.
    Number,
    /// Zero-filled digits, or blank.
    NumberOrBlank,
    /// Left-aligned text.
    Text,
    /// `YYYY-MM-DD`, or blank.
    Date,
    /// `YYYYMMDD`.
    PlainDate,
    /// Twelve digits.
    Timestamp,
    /// Twelve digits, or blank.
    TimestampOrBlank,
    /// One of `*`, `+`, `=`, `K`, `A`, `Æ`, or blank.
    Flag,
    /// Ten digits, or blank.
    Pnr,
    /// The number of the person the record is about: ten digits that can be one.
    Key,
}

impl Format {
    /// An empty field of this format is zeros, and not blank.
    pub(crate) fn is_empty_as_zeros(self) -> bool {
        matches!(self, Format::Number | Format::NumberOrBlank | Format::Timestamp | Format::PlainDate)
    }

    pub(crate) fn from_code(code: &str) -> Option<Format> {
        Some(match code {
            "N" => Format::Number,
            "N?" => Format::NumberOrBlank,
            "A" => Format::Text,
            "D" => Format::Date,
            "D8" => Format::PlainDate,
            "T" => Format::Timestamp,
            "TA" => Format::TimestampOrBlank,
            "F" => Format::Flag,
            "P" => Format::Pnr,
            "K" => Format::Key,
            _ => return None,
        })
    }
}

/// One field of a record.
#[derive(Clone, Debug)]
pub struct Column {
    /// CPR's name in this product.
    pub name: &'static str,
    /// The field it means; none for the key and for the fields of the frame records.
    pub field: Option<Field>,
    /// First byte in the line, from 0.
    pub start: usize,
    /// Bytes.
    pub length: usize,
    /// What it may hold.
    pub format: Format,
}

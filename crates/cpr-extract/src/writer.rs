//! Writes extracts: records from named fields, the frame around them, the counter at the end.

use std::io::{self, Write};

use cpr_model::{Date, Pnr, Values};

use crate::column::Format;
use crate::family::{Family, RecordLayout};
use crate::style::{Line, Style};

/// What the end record of a file with so many records says (TAELLER): eight digits, so that of a hundred million
/// records and more, as a full extract of the whole register has, the last eight are told.
pub fn end_counter(records: u64) -> u64 {
    records % 100_000_000
}

/// A field that cannot be written as asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ComposeError {
    /// The record has no field of this name.
    #[error("record {record:03} has no such field")]
    UnknownField {
        /// The record.
        record: u16,
    },
    /// The text is longer than the field, or a character that ISO 8859-1 does not have.
    #[error("record {record:03}, {field}: the text does not fit")]
    DoesNotFit {
        /// The record.
        record: u16,
        /// CPR's name of the field.
        field: &'static str,
    },
}

impl RecordLayout {
    /// Writes a record from named fields into `line`, at full length; fields not named are empty in their usual way.
    ///
    /// Numbers are filled with zeros at the left, everything else with blanks at the right.
    ///
    /// # Errors
    /// A name that the record does not have, or a text that its field cannot hold.
    pub fn compose(&self, pnr: Option<Pnr>, fields: &[(&str, &str)], line: &mut Vec<u8>) -> Result<(), ComposeError> {
        self.render(pnr, Values::new(&[]), line);
        for (name, text) in fields {
            let column = self.column(name).ok_or(ComposeError::UnknownField { record: self.number })?;
            let refused = ComposeError::DoesNotFit { record: self.number, field: column.name };
            let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            let latin1 = latin1.filter(|latin1| latin1.len() <= column.length).ok_or(refused)?;
            let cell = &mut line[column.start..column.start + column.length];
            let (fill, at) = match column.format {
                Format::Number | Format::NumberOrBlank => (b'0', column.length - latin1.len()),
                _ => (b' ', 0),
            };
            cell.fill(fill);
            cell[at..at + latin1.len()].copy_from_slice(&latin1);
        }
        Ok(())
    }
}

/// Writes one extract, record by record: start record first, counter last, 003 after all persons.
///
/// ```
/// use cpr_extract::{ExtractWriter, Family, Style};
///
/// let family = Family::named("std").expect("a family");
/// let (today, before) = ("2026-01-05".parse().expect("a date"), "2026-01-02".parse().expect("a date"));
/// let mut writer = ExtractWriter::new(Vec::new(), family, Style::default(), "123401", today, before)?;
/// writer.record(1, "6101801234".parse().expect("ten digits"), &[("STATUS", "01"), ("KOEN", "K")])?;
/// let lines = String::from_utf8(writer.finish()?).expect("ASCII");
/// assert_eq!(lines.lines().nth(1), Some("0016101801234          01000000000000 K"));
/// assert_eq!(lines.lines().last(), Some("999999999999900000001"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ExtractWriter<W> {
    out: W,
    family: &'static Family,
    style: Style,
    count: u64,
    line: Vec<u8>,
    behind: Vec<Vec<u8>>,
}

/// Says how far it has written.
impl<W> std::fmt::Debug for ExtractWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExtractWriter of family {} with {} records", self.family.name, self.count)
    }
}

impl<W: Write> ExtractWriter<W> {
    /// Begins an extract: `task` is OPGAVENR (six digits), the dates are PRODDTO and PRODDTOFORRIG.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(
        out: W,
        family: &'static Family,
        style: Style,
        task: &str,
        production_date: Date,
        previous_production_date: Date,
    ) -> io::Result<Self> {
        let mut writer = ExtractWriter { out, family, style, count: 0, line: Vec::new(), behind: Vec::new() };
        let dates = [production_date, previous_production_date].map(|date| format!("{:08}", date.digits()));
        let fields =
            [("SORTFELT-10", "0000000000"), ("OPGAVENR", task), ("PRODDTO", &dates[0]), ("PRODDTOFORRIG", &dates[1])];
        writer.compose(0, None, &fields)?;
        writer.put()?;
        Ok(writer)
    }

    /// Writes a record from named fields. A 003 is kept until the end, where CPR puts it, in the order given.
    ///
    /// # Errors
    /// Those of the writer; `InvalidInput` when the family has no such record or a field does not fit.
    pub fn record(&mut self, number: u16, pnr: Pnr, fields: &[(&str, &str)]) -> io::Result<()> {
        self.compose(number, Some(pnr), fields)?;
        self.count += 1;
        if self.family.record(number).is_some_and(RecordLayout::is_formatted_address) {
            self.behind.push(self.line.clone());
            return Ok(());
        }
        self.put()
    }

    /// Writes a line as it is, which counts as a record.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.count += 1;
        Line { content: line, width: line.len(), end: self.style.line_end }.write(&mut self.out)
    }

    /// Writes the 003 records and the end record, and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        for line in std::mem::take(&mut self.behind) {
            self.line = line;
            self.put()?;
        }
        let count = end_counter(self.count).to_string();
        self.compose(999, None, &[("SORTFELT-10", "9999999999"), ("TAELLER", &count)])?;
        self.put()?;
        self.out.write_all(&self.style.trailer)?;
        Ok(self.out)
    }

    fn compose(&mut self, number: u16, pnr: Option<Pnr>, fields: &[(&str, &str)]) -> io::Result<()> {
        let invalid = |what: ComposeError| io::Error::new(io::ErrorKind::InvalidInput, what);
        let layout =
            self.family.record(number).ok_or(ComposeError::UnknownField { record: number }).map_err(invalid)?;
        layout.compose(pnr, fields, &mut self.line).map_err(invalid)
    }

    fn put(&mut self) -> io::Result<()> {
        let used = self.line.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
        let width = self.style.padding.width(used, self.line.len());
        Line { content: &self.line, width, end: self.style.line_end }.write(&mut self.out)
    }
}

//! One record: its line, checked field by field, and the packed values it becomes.

use cpr_model::{Field, Pnr, Text, Value, Values, ValuesWriter};

use crate::family::{Column, Family, Format, RecordLayout};
use crate::fault::Reason;
use crate::style::LineEnd;

/// A record as received: every field holds what its format allows.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Where its fields stand.
    pub layout: &'static RecordLayout,
    /// The line, from 1.
    pub line: u64,
    /// The byte where it starts, from 0.
    pub offset: u64,
    /// What ended it.
    pub end: LineEnd,
    pub(crate) bytes: &'a [u8],
}

/// Says which record, not what it holds.
impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record {:03} at line {}", self.layout.number, self.line)
    }
}

impl<'a> Record<'a> {
    /// The line as received, without its end.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The number of the person the record is about; none for the frame records and for 910 and 997.
    pub fn pnr(&self) -> Option<Pnr> {
        let column = self.layout.columns.first().filter(|column| column.format == Format::Key)?;
        Pnr::parse(cell(self.bytes, column))
    }

    /// The digits of [`Record::pnr`], unread.
    pub(crate) fn key_digits(&self) -> Option<[u8; 10]> {
        self.bytes.get(3..13)?.try_into().ok()
    }

    /// A field by CPR's name, trailing blanks cut; none when the record has no such field.
    pub fn text(&self, name: &str) -> Option<Text<'a>> {
        self.layout.column(name).map(|column| Text::new(cell(self.bytes, column)))
    }

    /// Appends the packed values to a buffer.
    pub fn pack(&self, buffer: &mut Vec<u8>) {
        let mut values = ValuesWriter(buffer);
        for &at in &self.layout.packing {
            let column = &self.layout.columns[at];
            let field = column.field.expect("packing lists columns with a field");
            pack_cell(&mut values, field, column.format, cell(self.bytes, column));
        }
    }
}

/// The bytes of a column that the line has; a line whose trailing blanks are cut has fewer, or none.
fn cell<'a>(line: &'a [u8], column: &Column) -> &'a [u8] {
    let end = line.len().min(column.start + column.length);
    line.get(column.start..end).unwrap_or_default()
}

fn pack_cell(values: &mut ValuesWriter<'_>, field: Field, format: Format, cell: &[u8]) {
    match format {
        Format::Text => {
            let text = Text::new(cell);
            if !text.is_empty() {
                values.text(field, text.latin1());
            }
        }
        Format::Number | Format::NumberOrBlank => match number(cell) {
            Some(0) => {}
            found => values.number(field, found.map(|n| n as u16)),
        },
        Format::Date => {
            if let [y1, y2, y3, y4, _, m1, m2, _, d1, d2] = *cell
                && y1 != b' '
            {
                let digits = [y1, y2, y3, y4, m1, m2, d1, d2];
                values.date(field, number(&digits).unwrap_or(0) as u32);
            }
        }
        Format::PlainDate => values.date(field, number(cell).unwrap_or(0) as u32),
        // Zeros are the usual "none" of this format, blanks of the next.
        Format::Timestamp => {
            if let Some(digits) = number(cell).filter(|&digits| digits != 0) {
                values.digits(field, digits);
            }
        }
        Format::TimestampOrBlank | Format::Pnr => {
            if let Some(digits) = number(cell) {
                values.digits(field, digits);
            }
        }
        Format::Flag => {
            if let Some(&mark) = cell.first().filter(|&&mark| mark != b' ') {
                values.flag(field, mark);
            }
        }
        Format::Key => {}
    }
}

/// The number in a cell of digits; none when it is not all digits (that is, blank: the line was checked).
fn number(cell: &[u8]) -> Option<u64> {
    (!cell.is_empty() && all_digits(cell))
        .then(|| cell.iter().fold(0u64, |sum, &digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))))
}

/// Without an early exit, so that the compiler can test many bytes at once.
fn all_digits(cell: &[u8]) -> bool {
    cell.iter().fold(true, |all, byte| all & byte.is_ascii_digit())
}

fn all_blank(cell: &[u8]) -> bool {
    cell.iter().fold(true, |all, &byte| all & (byte == b' '))
}

/// Checks every field of a line; the first that does not fit is named.
pub(crate) fn check_fields(layout: &RecordLayout, line: &[u8]) -> Result<(), (&'static str, Reason)> {
    for column in &layout.columns {
        if column.format == Format::Text {
            continue;
        }
        let cell = cell(line, column);
        let whole = cell.len() == column.length;
        let fits = match column.format {
            Format::Text => true,
            Format::Number | Format::PlainDate | Format::Timestamp => whole && all_digits(cell),
            Format::NumberOrBlank | Format::TimestampOrBlank | Format::Pnr => {
                all_blank(cell) || whole && all_digits(cell)
            }
            Format::Date => {
                all_blank(cell)
                    || match *cell {
                        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => all_digits(&[y1, y2, y3, y4, m1, m2, d1, d2]),
                        _ => false,
                    }
            }
            Format::Flag => matches!(cell, [] | [b' ' | b'*' | b'+' | b'=' | b'K' | b'A' | 0xC6]),
            Format::Key => Pnr::parse(cell).is_some_and(|pnr| pnr.key().is_some() && pnr.reveal() != "0000000000"),
        };
        if !fits {
            let reason = match column.format {
                Format::Number | Format::NumberOrBlank | Format::Text => Reason::NotANumber,
                Format::PlainDate | Format::Date => Reason::NotADate,
                Format::Timestamp | Format::TimestampOrBlank => Reason::NotATimestamp,
                Format::Flag => Reason::NotAFlag,
                Format::Pnr => Reason::NotAPnr,
                Format::Key => Reason::NotAPerson,
            };
            return Err((column.name, reason));
        }
    }
    Ok(())
}

/// True when the line holds a pair of bytes that UTF-8 writes for a letter of ISO 8859-1, and CPR never does: its
/// character set has nothing between 80 and BF.
pub(crate) fn is_utf8(line: &[u8]) -> bool {
    line.windows(2).any(|pair| matches!(pair, [0xC2 | 0xC3, 0x80..=0xBF]))
}

impl RecordLayout {
    /// The content of the record's line with these packed values, at full length; the buffer is cleared first.
    ///
    /// Exactly the line that [`Record::pack`] took apart, but for its width (see [`crate::Padding`]).
    pub fn render(&self, pnr: Option<Pnr>, values: Values<'_>, line: &mut Vec<u8>) {
        line.clear();
        line.resize(self.length, b' ');
        put_number(&mut line[..3], u64::from(self.number));
        for column in &self.columns {
            let cell = &mut line[column.start..column.start + column.length];
            match (column.format, pnr) {
                (Format::Number | Format::Timestamp | Format::PlainDate, _) => cell.fill(b'0'),
                (Format::NumberOrBlank, _) => cell.fill(b'0'),
                (Format::Key, Some(pnr)) => cell.copy_from_slice(pnr.reveal().as_bytes()),
                _ => {}
            }
        }
        for (field, value) in values.iter() {
            if let Some(column) = self.columns.iter().find(|column| column.field == Some(field)) {
                render_cell(&mut line[column.start..column.start + column.length], value);
            }
        }
    }

    /// Every field of the record with its text as received, trailing blanks cut; the line is at full length.
    pub fn texts<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = (&'static str, Text<'a>)> {
        self.columns.iter().map(|column| (column.name, Text::new(cell(line, column))))
    }
}

fn render_cell(cell: &mut [u8], value: Value<'_>) {
    match value {
        Value::Text(text) => {
            let text = &text.latin1()[..text.latin1().len().min(cell.len())];
            cell[..text.len()].copy_from_slice(text);
        }
        Value::Number(Some(number)) => put_number(cell, u64::from(number)),
        Value::Number(None) => cell.fill(b' '),
        Value::Date(date) if cell.len() == 10 => cell.copy_from_slice(date.to_string().as_bytes()),
        Value::Date(date) => put_number(cell, u64::from(date.digits())),
        Value::Timestamp(time) => put_number(cell, time.digits()),
        Value::Flag(mark) => cell.fill(mark),
        Value::Pnr(cpr_model::RelatedPnr::Unknown) => cell.fill(b'0'),
        Value::Pnr(cpr_model::RelatedPnr::Known(pnr)) if cell.len() == 10 => {
            cell.copy_from_slice(pnr.reveal().as_bytes());
        }
        Value::Pnr(_) => {}
    }
}

/// Zero-filled digits; what does not fit is cut at the left, which checked values never need.
fn put_number(cell: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in cell.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// Checks a line against its layout and its characters.
pub(crate) fn check_line(
    family: &Family,
    line: &[u8],
) -> Result<&'static RecordLayout, (Option<u16>, Option<&'static str>, Reason)> {
    let layout = family.layout_of(line).ok_or((None, None, Reason::UnknownRecord))?;
    if !line.is_ascii() && is_utf8(line) {
        return Err((Some(layout.number), None, Reason::Utf8));
    }
    check_fields(layout, line).map_err(|(field, reason)| (Some(layout.number), Some(field), reason))?;
    Ok(layout)
}

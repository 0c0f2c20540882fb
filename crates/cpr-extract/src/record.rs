//! One record: its line, checked field by field, and the packed values it becomes.

use cpr_model::{PersonKey, Pnr, Text, Value, Values, ValuesWriter};

use crate::column::{Column, Format};
use crate::family::{Packed, RecordLayout, put_number};
use crate::fault::Reason;
use crate::style::LineEnd;
use crate::template::is_odd;

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
    /// A character outside CPR's subset of ISO 8859-1.
    pub(crate) has_odd_character: bool,
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
        self.layout.has_key.then(|| Pnr::parse(&self.key_digits()?))?
    }

    /// The digits of [`Record::pnr`], unread.
    pub(crate) fn key_digits(&self) -> Option<[u8; 10]> {
        key_digits(self.bytes)
    }

    /// A field by CPR's name, trailing blanks cut; none when the record has no such field.
    pub fn text(&self, name: &str) -> Option<Text<'a>> {
        self.layout.column(name).map(|column| Text::new(cell(self.bytes, column)))
    }

    /// Appends the packed values to a buffer.
    pub fn pack(&self, buffer: &mut Vec<u8>) {
        pack(self.layout, self.bytes, buffer);
    }
}

/// Appends the packed values of a line that fits its layout. Of a line that does not, they are of no use, but they are
/// there.
pub(crate) fn pack(layout: &RecordLayout, line: &[u8], buffer: &mut Vec<u8>) {
    let mut values = ValuesWriter(buffer);
    for packed in &layout.packing {
        match line.get(packed.start..packed.end) {
            Some(cell) => pack_cell(&mut values, packed, cell),
            None if packed.start >= line.len() && !packed.tells_blank => {}
            None => pack_cut_off(&mut values, packed, line.get(packed.start..).unwrap_or_default()),
        }
    }
}

/// A cell that is cut off is blank, but for text: a line that fits is not cut inside digits.
#[cold]
fn pack_cut_off(values: &mut ValuesWriter<'_>, packed: &Packed, cell: &[u8]) {
    match packed.format {
        Format::Text if !Text::new(cell).is_empty() => values.text(packed.field, Text::new(cell).latin1()),
        Format::Number | Format::NumberOrBlank => values.number(packed.field, None),
        Format::PlainDate => values.date(packed.field, 0),
        _ => {}
    }
}

#[inline(always)]
fn pack_cell(values: &mut ValuesWriter<'_>, packed: &Packed, cell: &[u8]) {
    let (field, is_blank) = (packed.field, cell.first() == Some(&b' '));
    match packed.format {
        Format::Text => {
            let text = Text::new(cell);
            if !text.is_empty() {
                values.text(field, text.latin1());
            }
        }
        Format::Number | Format::NumberOrBlank if is_blank => values.number(field, None),
        Format::PlainDate if is_blank => values.date(field, 0),
        _ if is_blank => {}
        Format::Number | Format::NumberOrBlank => match number(cell) {
            0 => {}
            number => values.number(field, Some(number as u16)),
        },
        Format::PlainDate => values.date(field, number(cell) as u32),
        Format::Date => {
            if let [y1, y2, y3, y4, _, m1, m2, _, d1, d2] = *cell {
                values.date(field, eight([y1, y2, y3, y4, m1, m2, d1, d2]));
            }
        }
        // Zeros are the usual "none" of this format, blanks of the next.
        Format::Timestamp => match number(cell) {
            0 => {}
            digits => values.digits(field, digits),
        },
        Format::TimestampOrBlank | Format::Pnr => values.digits(field, number(cell)),
        Format::Flag => values.flag(field, cell[0]),
        Format::Key => {}
    }
}

/// The number in a cell of digits; eight digits are read at once, and four.
#[inline]
fn number(cell: &[u8]) -> u64 {
    let mut number = 0u64;
    let mut rest = cell;
    if let Some((first, after)) = rest.split_first_chunk::<8>() {
        (number, rest) = (u64::from(eight(*first)), after);
    }
    if let Some((first, after)) = rest.split_first_chunk::<4>() {
        (number, rest) = (number.wrapping_mul(10_000).wrapping_add(u64::from(four(*first))), after);
    }
    for &digit in rest {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')));
    }
    number
}

/// The number that eight digits write: neighbours are joined to pairs, pairs to fours, fours to eight.
#[inline]
fn eight(digits: [u8; 8]) -> u32 {
    let ones = u64::from_le_bytes(digits).wrapping_sub(0x3030_3030_3030_3030);
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) as u32
}

/// As [`eight`], of four.
#[inline]
fn four(digits: [u8; 4]) -> u32 {
    let ones = u32::from_le_bytes(digits).wrapping_sub(0x3030_3030);
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00FF_00FF;
    pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0xFFFF
}

/// The bytes where a record about a person has its number.
#[inline]
pub(crate) fn key_digits(line: &[u8]) -> Option<[u8; 10]> {
    line.get(3..)?.first_chunk().copied()
}

/// The person whose number stands there.
#[inline]
pub(crate) fn key_of(line: &[u8]) -> Option<PersonKey> {
    Pnr::parse(&key_digits(line)?)?.key()
}

/// The bytes of a column that the line has; a line whose trailing blanks are cut has fewer, or none.
fn cell<'a>(line: &'a [u8], column: &Column) -> &'a [u8] {
    let end = line.len().min(column.start + column.length);
    line.get(column.start..end).unwrap_or_default()
}

/// Eight bytes at a time where there are as many: dates, timestamps and numbers are most of an extract.
fn all_digits(cell: &[u8]) -> bool {
    match (cell.first_chunk::<8>(), cell.last_chunk::<8>()) {
        (Some(first), Some(last)) if cell.len() <= 16 => eight_digits(*first) && eight_digits(*last),
        _ => cell.iter().fold(true, |all, byte| all & byte.is_ascii_digit()),
    }
}

/// A digit is 3x with x at most 9: its high half is 3, and still is with 6 added.
fn eight_digits(bytes: [u8; 8]) -> bool {
    const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    let value = u64::from_le_bytes(bytes);
    let with_six = value.wrapping_add(0x0606_0606_0606_0606);
    (value & HIGH) | ((with_six & HIGH) >> 4) == 0x3333_3333_3333_3333
}

/// What the first byte says: one look decides how the rest is read.
fn is_blank(cell: &[u8]) -> bool {
    matches!(cell, [] | [b' ', ..])
}

fn all_blank(cell: &[u8]) -> bool {
    cell.iter().fold(true, |all, &byte| all & (byte == b' '))
}

/// Checks every field of a line; the first that does not fit is named. `person` holds the digits of a number known to
/// be sound, and is replaced by the line's own.
fn check_fields(
    layout: &RecordLayout,
    line: &[u8],
    person: &mut Option<[u8; 10]>,
) -> Result<(), (&'static str, Reason)> {
    for &at in &layout.checked {
        let column = &layout.columns[at];
        let cell = cell(line, column);
        let whole = cell.len() == column.length;
        let reason = match column.format {
            Format::Text => continue,
            Format::Number if whole && all_digits(cell) => continue,
            Format::Timestamp | Format::PlainDate if whole && all_digits(cell) => continue,
            Format::NumberOrBlank | Format::TimestampOrBlank | Format::Pnr
                if if is_blank(cell) { all_blank(cell) } else { whole && all_digits(cell) } =>
            {
                continue;
            }
            Format::Date if if is_blank(cell) { all_blank(cell) } else { is_date(cell) } => continue,
            Format::Flag if matches!(cell, [] | [b' ' | b'*' | b'+' | b'=' | b'K' | b'A' | 0xC6]) => continue,
            Format::Key if is_person(cell, person) => continue,
            Format::Number | Format::NumberOrBlank => Reason::NotANumber,
            Format::PlainDate | Format::Date => Reason::NotADate,
            Format::Timestamp | Format::TimestampOrBlank => Reason::NotATimestamp,
            Format::Flag => Reason::NotAFlag,
            Format::Pnr => Reason::NotAPnr,
            Format::Key => Reason::NotAPerson,
        };
        return Err((column.name, reason));
    }
    Ok(())
}

/// Ten bytes with hyphens where a date has them, and digits elsewhere.
fn is_date(cell: &[u8]) -> bool {
    match *cell {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => eight_digits([y1, y2, y3, y4, m1, m2, d1, d2]),
        _ => false,
    }
}

/// True for a number that can be a person's, which is then remembered.
fn is_person(cell: &[u8], person: &mut Option<[u8; 10]>) -> bool {
    if person.as_ref().is_some_and(|person| cell == person) {
        return true;
    }
    let sound = cell != b"0000000000" && Pnr::parse(cell).is_some_and(|pnr| pnr.key().is_some());
    if let Some(digits) = cell.first_chunk::<10>().filter(|_| sound) {
        *person = Some(*digits);
    }
    sound
}

/// True when the line holds a pair of bytes that UTF-8 writes for a letter of ISO 8859-1, and CPR never does: its
/// character set has nothing between 80 and BF.
pub(crate) fn is_utf8(line: &[u8]) -> bool {
    memchr::memchr2_iter(0xC2, 0xC3, line).any(|at| matches!(line.get(at + 1), Some(0x80..=0xBF)))
}

impl RecordLayout {
    /// The content of the record's line with these packed values, at full length; the buffer is cleared first.
    ///
    /// Exactly the line that [`Record::pack`] took apart, but for its width (see [`crate::Padding`]).
    pub fn render(&self, pnr: Option<Pnr>, values: Values<'_>, line: &mut Vec<u8>) {
        line.clear();
        line.extend_from_slice(&self.empty);
        if let Some(pnr) = pnr.filter(|_| self.has_key) {
            line[3..13].copy_from_slice(pnr.reveal_digits());
        }
        // Values stand in the order in which they were packed, so that each is looked for behind the one before.
        let mut next = 0;
        for (field, value) in values.iter() {
            let mut order = (next..self.packing.len()).chain(0..next);
            if let Some(at) = order.find(|&at| self.packing[at].field == field) {
                let Packed { start, end, .. } = self.packing[at];
                render_cell(&mut line[start..end], value);
                next = at + 1;
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
        Value::Date(date) if cell.len() == 10 => {
            put_number(&mut cell[8..], u64::from(date.digits() % 100));
            put_number(&mut cell[5..7], u64::from(date.digits() / 100 % 100));
            put_number(&mut cell[..4], u64::from(date.digits() / 10_000));
            (cell[4], cell[7]) = (b'-', b'-');
        }
        Value::Date(date) => put_number(cell, u64::from(date.digits())),
        Value::Timestamp(time) => put_number(cell, time.digits()),
        Value::Flag(mark) => cell.fill(mark),
        Value::Pnr(cpr_model::RelatedPnr::Unknown) => cell.fill(b'0'),
        Value::Pnr(cpr_model::RelatedPnr::Known(pnr)) if cell.len() == 10 => {
            cell.copy_from_slice(pnr.reveal_digits());
        }
        Value::Pnr(_) => {}
    }
}

/// Where a line does not fit: field and reason.
pub(crate) type Misfit = (Option<&'static str>, Reason);

/// What is found out about a line that fits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Sound {
    /// A character outside CPR's subset of ISO 8859-1.
    pub(crate) has_odd_character: bool,
    /// True when the line has the number of the person that was remembered; false leaves it open.
    pub(crate) has_same_person: bool,
}

/// Checks a line against its layout and its characters. `person` is remembered from line to line.
#[inline]
pub(crate) fn check_line(layout: &RecordLayout, line: &[u8], person: &mut Option<[u8; 10]>) -> Result<Sound, Misfit> {
    // Blanks may stand behind the record.
    if layout.template.fits(&line[..line.len().min(layout.length)]) {
        let has_same_person = layout.has_key && person.is_some() && key_digits(line) == *person;
        if has_same_person || !layout.has_key || is_person(&line[3..13], person) {
            return Ok(Sound { has_odd_character: false, has_same_person });
        }
    }
    let has_odd_character = check_by_field(layout, line, person)?;
    Ok(Sound { has_odd_character, has_same_person: false })
}

/// The long way: which field does not fit, if one does not, and otherwise whether there is an odd character.
pub(crate) fn check_by_field(
    layout: &RecordLayout,
    line: &[u8],
    person: &mut Option<[u8; 10]>,
) -> Result<bool, Misfit> {
    let has_odd_character = line.iter().take(layout.length).copied().any(is_odd);
    // What UTF-8 writes behind C2 and C3 is odd.
    if has_odd_character && is_utf8(line) {
        return Err((None, Reason::Utf8));
    }
    check_fields(layout, line, person).map_err(|(field, reason)| (Some(field), reason))?;
    Ok(has_odd_character)
}

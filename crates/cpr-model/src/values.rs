//! Packed values: the fields of one record without the blanks, as bytes that can be compared and stored.
//!
//! A sequence of entries, a tag and a payload each; docs/format.md draws them. A field that is empty in the usual way
//! of its format (zeros for numbers, blanks for text) has no entry, so equal bytes mean equal records and the record's
//! line can be written back exactly. Reading is total: bytes that are no entry end the sequence.

use std::fmt;

use crate::field::FIELDS;
use crate::{Date, Field, Kind, Pnr, RelatedPnr, Text, Timestamp};

/// Tags from here on take a second byte.
const TWO_BYTES: u16 = 240;

/// One value as received.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Value<'a> {
    /// Text, trailing blanks cut.
    Text(Text<'a>),
    /// A number of at most four digits; none is a numeric field that came blank.
    Number(Option<u16>),
    /// A date.
    Date(Date),
    /// A timestamp; all digits zero only where the format's usual "none" is blank.
    Timestamp(Timestamp),
    /// One character, ISO 8859-1.
    Flag(u8),
    /// A related person's number.
    Pnr(RelatedPnr),
}

/// The packed fields of one record. `Debug` says how many bytes, not what they are.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// Packed values in these bytes.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Values<'a> {
        Values(bytes)
    }

    /// The packed bytes.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The entries in the order they were packed; stops at bytes that are no entry.
    pub fn iter(self) -> impl Iterator<Item = (Field, Value<'a>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (field, value, after) = entry(rest)?;
            rest = after;
            Some((field, value))
        })
    }

    /// The value of a field, or none when the record leaves it empty.
    pub fn get(self, field: Field) -> Option<Value<'a>> {
        let mut rest = self.0;
        while !begins_with(rest, field) {
            rest = behind_first(rest)?;
        }
        entry(rest).map(|(_, value, _)| value)
    }

    /// Start, end and correction mark of the row, of the fields that the aspect names: they are packed before all
    /// others, in this order and each under a tag of one byte, so that an as-of read looks at a few bytes of each row.
    #[inline]
    pub(crate) fn bounds(self, start: Option<Field>, end: Option<Field>) -> Bounds {
        let mut rest = self.0;
        let from = start.and_then(|field| moment(&mut rest, field));
        let to = end.and_then(|field| moment(&mut rest, field));
        let mark = match *rest {
            [tag, mark, ..] if tag == Field::CorrectionMark as u8 => Some(mark),
            _ => None,
        };
        Bounds { from, to, mark }
    }

    /// True when the bytes are entries from first to last.
    pub fn is_whole(self) -> bool {
        let mut rest = self.0;
        while let Some((_, _, after)) = entry(rest) {
            rest = after;
        }
        rest.is_empty()
    }

    /// A text field; blank when the record leaves it empty.
    pub fn text(self, field: Field) -> Text<'a> {
        match self.get(field) {
            Some(Value::Text(text)) => text,
            _ => Text::new(&[]),
        }
    }

    /// A numeric field, or none when zero or blank.
    pub fn number(self, field: Field) -> Option<u16> {
        match self.get(field) {
            Some(Value::Number(number)) => number,
            _ => None,
        }
    }

    /// A date, or none when blank or all zeros.
    pub fn date(self, field: Field) -> Option<Date> {
        match self.get(field) {
            Some(Value::Date(date)) if date.digits() != 0 => Some(date),
            _ => None,
        }
    }

    /// A timestamp, or none when zeros or blank. A date field gives the start of its day.
    pub fn timestamp(self, field: Field) -> Option<Timestamp> {
        match self.get(field) {
            Some(Value::Timestamp(time)) if time.digits() != 0 => Some(time),
            Some(Value::Date(date)) if date.digits() != 0 => Some(Timestamp::start_of(date)),
            _ => None,
        }
    }

    /// A flag's character (ISO 8859-1), or none when blank.
    pub fn flag(self, field: Field) -> Option<u8> {
        match self.get(field) {
            Some(Value::Flag(flag)) => Some(flag),
            _ => None,
        }
    }

    /// A related person's number, or none when blank.
    pub fn pnr(self, field: Field) -> Option<RelatedPnr> {
        match self.get(field) {
            Some(Value::Pnr(pnr)) => Some(pnr),
            _ => None,
        }
    }
}

/// What stands first in the packed values of a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) mark: Option<u8>,
}

/// The date or timestamp of this field when the bytes begin with it, and steps over it; none also when all zeros.
#[inline]
fn moment(bytes: &mut &[u8], field: Field) -> Option<Timestamp> {
    debug_assert!(field.number() < TWO_BYTES && matches!(field.kind(), Kind::Date | Kind::Timestamp));
    let (time, after) = match **bytes {
        [tag, y0, y1, y2, y3, ref after @ ..] if tag == field.number() as u8 && field.kind() == Kind::Date => {
            (Timestamp::start_of(Date::from_digits(u32::from_le_bytes([y0, y1, y2, y3]))?), after)
        }
        [tag, t0, t1, t2, t3, t4, ref after @ ..] if tag == field.number() as u8 => {
            (Timestamp::from_digits(u64::from_le_bytes([t0, t1, t2, t3, t4, 0, 0, 0]))?, after)
        }
        _ => return None,
    };
    *bytes = after;
    (time.digits() != 0).then_some(time)
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values({} bytes)", self.0.len())
    }
}

/// By the first byte of an entry: its bytes, or one of the two below.
const ENTRY_BYTES: [u8; 256] = {
    let mut bytes = [ASK_HEAD; 256];
    let mut at = 0;
    while at < FIELDS.len() && FIELDS[at].0.number() < TWO_BYTES {
        let (field, _, kind) = FIELDS[at];
        bytes[field as usize] = match kind {
            Kind::Text => OF_TEXT,
            Kind::Small | Kind::Flag => 2,
            Kind::Code => 3,
            Kind::Date => 5,
            Kind::Timestamp | Kind::Pnr => 6,
        };
        at += 1;
    }
    bytes
};

/// A tag of two bytes, or none.
const ASK_HEAD: u8 = 0;

/// A text, whose length stands behind the tag.
const OF_TEXT: u8 = 1;

/// True when the first entry is of this field.
#[inline]
fn begins_with(bytes: &[u8], field: Field) -> bool {
    match field.number() {
        number @ 0..TWO_BYTES => bytes.first() == Some(&(number as u8)),
        _ => head(bytes).is_some_and(|(found, _, _)| found == field),
    }
}

/// What stands behind the first entry, by its first byte alone where that is enough; none when the bytes are no entry.
#[inline]
fn behind_first(bytes: &[u8]) -> Option<&[u8]> {
    let length = match ENTRY_BYTES[usize::from(*bytes.first()?)] {
        ASK_HEAD => head(bytes).map(|(_, length, at)| at + length)?,
        OF_TEXT => 2 + usize::from(*bytes.get(1)?),
        length => usize::from(length),
    };
    bytes.get(length..)
}

/// Field, payload length and payload start of the first entry; none when the bytes are not one.
fn head(bytes: &[u8]) -> Option<(Field, usize, usize)> {
    let first = u16::from(*bytes.first()?);
    let (number, mut at) = match first {
        0..TWO_BYTES => (first, 1),
        _ => (TWO_BYTES + (first - TWO_BYTES) * 256 + u16::from(*bytes.get(1)?), 2),
    };
    let field = Field::from_number(number)?;
    let length = match field.kind() {
        Kind::Text => {
            at += 1;
            usize::from(*bytes.get(at - 1)?)
        }
        Kind::Small | Kind::Flag => 1,
        Kind::Code => 2,
        Kind::Date => 4,
        Kind::Timestamp | Kind::Pnr => 5,
    };
    (bytes.len() >= at + length).then_some((field, length, at))
}

fn entry(bytes: &[u8]) -> Option<(Field, Value<'_>, &[u8])> {
    let (field, length, at) = head(bytes)?;
    let (payload, after) = bytes[at..].split_at(length);
    let value = match (field.kind(), payload) {
        (Kind::Text, text) => Value::Text(Text::new(text)),
        (Kind::Flag, &[mark]) => Value::Flag(mark),
        (Kind::Small, &[number]) => Value::Number((number != u8::MAX).then_some(u16::from(number))),
        (Kind::Code, &[low, high]) => {
            Value::Number(Some(u16::from_le_bytes([low, high])).filter(|&number| number != u16::MAX))
        }
        (Kind::Date, &[a, b, c, d]) => Value::Date(Date::from_digits(u32::from_le_bytes([a, b, c, d]))?),
        (Kind::Timestamp, &[a, b, c, d, e]) => {
            Value::Timestamp(Timestamp::from_digits(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]))?)
        }
        (Kind::Pnr, &[a, b, c, d, e]) => Value::Pnr(match u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]) {
            0 => RelatedPnr::Unknown,
            digits => RelatedPnr::Known(Pnr::from_number(digits)?),
        }),
        _ => return None,
    };
    Some((field, value, after))
}

/// Packs the fields of one record, appended to a buffer that the caller keeps and reuses.
///
/// ```
/// use cpr_model::{Field, MunicipalityCode, Values, ValuesWriter, facts::Address};
/// let mut packed = Vec::new();
/// let mut writer = ValuesWriter(&mut packed);
/// writer.digits(Field::MovedIn, 2020_01_01_12_00);
/// writer.number(Field::MunicipalityCode, Some(751));
/// let address = Address::new(Values::new(&packed));
/// assert_eq!(address.municipality_code(), Some(MunicipalityCode(751)));
/// assert_eq!(address.moved_in().map(|moved| moved.value.to_string()).as_deref(), Some("2020-01-01 12:00"));
/// assert!(address.care_of().is_empty());
/// ```
///
/// The caller leaves out fields that are empty in the usual way, and gives numbers within their width.
pub struct ValuesWriter<'a>(pub &'a mut Vec<u8>);

impl fmt::Debug for ValuesWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValuesWriter({} bytes)", self.0.len())
    }
}

impl ValuesWriter<'_> {
    /// Tag and payload, the payload in the low bytes, at most five.
    #[inline]
    fn put<const PAYLOAD_BYTES: usize>(&mut self, field: Field, payload: u64) {
        let number = field.number();
        if number < TWO_BYTES {
            let entry = (payload << 8) | u64::from(number);
            self.0.extend_from_slice(&entry.to_le_bytes()[..1 + PAYLOAD_BYTES]);
        } else {
            let over = u64::from(number - TWO_BYTES);
            let entry = (payload << 16) | ((over % 256) << 8) | (u64::from(TWO_BYTES) + over / 256);
            self.0.extend_from_slice(&entry.to_le_bytes()[..2 + PAYLOAD_BYTES]);
        }
    }

    /// A text of at most 255 bytes, trailing blanks cut by the caller.
    ///
    /// # Panics
    /// When it is longer: no column of CPR's is, and what follows a length that was cut would be read as other fields.
    #[inline]
    pub fn text(&mut self, field: Field, latin1: &[u8]) {
        debug_assert!(field.kind() == Kind::Text);
        let length = u8::try_from(latin1.len()).expect("a text of at most 255 bytes");
        self.put::<1>(field, u64::from(length));
        self.0.extend_from_slice(latin1);
    }

    /// A number of at most four digits, of at most two in a small field; none is a numeric field that came blank. Of
    /// one that has more digits, which the layouts of CPR have no column for, the low bits are kept.
    #[inline]
    pub fn number(&mut self, field: Field, number: Option<u16>) {
        if field.kind() == Kind::Small {
            self.put::<1>(field, u64::from(number.map_or(u8::MAX, |n| n as u8)));
        } else {
            self.put::<2>(field, u64::from(number.unwrap_or(u16::MAX)));
        }
    }

    /// A date of eight digits.
    #[inline]
    pub fn date(&mut self, field: Field, digits: u32) {
        self.put::<4>(field, u64::from(digits));
    }

    /// A timestamp of twelve digits, or a personnummer of ten: five bytes of it are kept.
    #[inline]
    pub fn digits(&mut self, field: Field, digits: u64) {
        self.put::<5>(field, digits & 0xFF_FFFF_FFFF);
    }

    /// One character.
    #[inline]
    pub fn flag(&mut self, field: Field, character: u8) {
        self.put::<1>(field, u64::from(character));
    }
}

//! What one delivery did to one person, as bytes on their way to the person's place in the order of pseudonyms.
//!
//! Persons are read in the order of their numbers, which is birth order, and written in that of their pseudonyms, which
//! says nothing. Between the two they lie in [`crate::buckets`]. The bytes are for this process alone.

use cpr_replika::bitemporal::Known;
use cpr_replika::cpr_model::{Fact, PersonKey, Pnr, RowKind, Values};

/// One row to write.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    /// A fact that the delivery opened.
    Opened { fact: Fact<'a>, number: u32, tie_rank: f64 },
    /// A fact that it closed.
    Closed { kind: RowKind, known_from: u32, number: u32 },
    /// An event that it brought.
    Event { record: u16, number: u32, values: Values<'a> },
}

const OPENED: u8 = 1;
const CLOSED: u8 = 2;
const EVENT: u8 = 3;

/// Begins a person; returns where, for [`end`].
pub(crate) fn begin(bytes: &mut Vec<u8>, pseudonym: i64, key: PersonKey, is_protected: bool) -> usize {
    let start = bytes.len();
    bytes.extend(pseudonym.to_le_bytes());
    bytes.extend(key.as_u32().to_le_bytes());
    bytes.push(u8::from(is_protected));
    bytes.extend([0; 4]);
    start
}

/// Ends a person; false, and nothing is left of it, when there is no row.
pub(crate) fn end(bytes: &mut Vec<u8>, start: usize) -> bool {
    let length = bytes.len() - start - HEAD;
    if length == 0 {
        bytes.truncate(start);
        return false;
    }
    let length = u32::try_from(length).expect("the rows of one person take less than 4 GiB");
    bytes[start + HEAD - 4..start + HEAD].copy_from_slice(&length.to_le_bytes());
    true
}

const HEAD: usize = 8 + 4 + 1 + 4;

/// Adds a row to the person that was begun last.
pub(crate) fn push(bytes: &mut Vec<u8>, row: Row<'_>) {
    match row {
        Row::Opened { fact, number, tie_rank } => {
            let (record, kind, values) = fact.line();
            bytes.extend([OPENED, record, kind.0]);
            bytes.extend(fact.known().from.to_le_bytes());
            bytes.extend(number.to_le_bytes());
            bytes.extend(tie_rank.to_le_bytes());
            push_values(bytes, values);
        }
        Row::Closed { kind, known_from, number } => {
            bytes.extend([CLOSED, kind.0]);
            bytes.extend(known_from.to_le_bytes());
            bytes.extend(number.to_le_bytes());
        }
        Row::Event { record, number, values } => {
            bytes.push(EVENT);
            bytes.extend(record.to_le_bytes());
            bytes.extend(number.to_le_bytes());
            push_values(bytes, values);
        }
    }
}

fn push_values(bytes: &mut Vec<u8>, values: Values<'_>) {
    let length = u32::try_from(values.bytes().len()).expect("a row is shorter than 4 GiB");
    bytes.extend(length.to_le_bytes());
    bytes.extend_from_slice(values.bytes());
}

/// One person as it was begun, with its rows.
#[derive(Clone, Copy)]
pub(crate) struct Bundle<'a> {
    pub(crate) pseudonym: i64,
    pub(crate) key: u32,
    pub(crate) is_protected: bool,
    rows: &'a [u8],
}

impl<'a> Bundle<'a> {
    /// Whose rows they are.
    pub(crate) fn pnr(&self) -> Option<Pnr> {
        PersonKey::from_u32(self.key).map(PersonKey::pnr)
    }

    /// The rows; none where the bytes are none that were written here.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Option<Row<'a>>> + use<'a> {
        let mut rest = Reader(self.rows);
        std::iter::from_fn(move || {
            if rest.0.is_empty() {
                return None;
            }
            let row = read_row(&mut rest);
            if row.is_none() {
                rest.0 = &[];
            }
            Some(row)
        })
    }
}

/// The persons in these bytes, in the order in which they were written; none when they are others.
pub(crate) fn read_all(bytes: &[u8]) -> Option<Vec<Bundle<'_>>> {
    let (mut rest, mut all) = (Reader(bytes), Vec::new());
    while !rest.0.is_empty() {
        let pseudonym = i64::from_le_bytes(rest.array()?);
        let (key, is_protected) = (rest.number()?, rest.byte()? != 0);
        let length = rest.number()? as usize;
        all.push(Bundle { pseudonym, key, is_protected, rows: rest.take(length)? });
    }
    Some(all)
}

fn read_row<'a>(rest: &mut Reader<'a>) -> Option<Row<'a>> {
    Some(match rest.byte()? {
        OPENED => {
            let (record, kind) = (rest.byte()?, RowKind(rest.byte()?));
            let (known_from, number) = (rest.number()?, rest.number()?);
            let tie_rank = f64::from_le_bytes(rest.array()?);
            let known = Known { from: known_from, to: None };
            Row::Opened { fact: Fact::new(record, kind, known, rest.values()?)?, number, tie_rank }
        }
        CLOSED => Row::Closed { kind: RowKind(rest.byte()?), known_from: rest.number()?, number: rest.number()? },
        EVENT => {
            let record = u16::from_le_bytes(rest.array()?);
            Row::Event { record, number: rest.number()?, values: rest.values()? }
        }
        _ => return None,
    })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn values(&mut self) -> Option<Values<'a>> {
        let length = self.number()? as usize;
        self.take(length).map(Values::new)
    }
}

//! What each byte of a record's line may be, so that a whole line is looked at sixteen bytes at a time.
//!
//! Most lines fit, and [`Template::fits`] says so without going from field to field; a line that it does not pass is
//! read field by field, which names the one that does not fit, or finds that it fits after all (a mark other than `*`,
//! a character outside CPR's set). It never passes a line that the reading by field would refuse or find something in;
//! a property test holds the two together.

use crate::column::{Column, Format};

/// Bytes looked at together.
const LANES: usize = 16;

/// No record is longer than so many parts.
const MOST_PARTS: usize = 32;

/// Tables by byte of the line.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: [Part; MOST_PARTS],
    /// Bytes that a line must have: no field before here may be cut off.
    required: usize,
}

/// What [`LANES`] bytes may be; behind the record anything goes that is a character.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// A byte is content when it is at least this, …
    low: [u8; LANES],
    /// … and at most so much more.
    span: [u8; LANES],
    /// All bits where a blank is as good.
    optional: [u8; LANES],
    /// All bits where this byte and the next are of one field that is all content or all blank.
    joined: [u8; LANES],
}

impl Template {
    pub(crate) fn new(columns: &[Column], length: usize) -> Template {
        assert!(length <= MOST_PARTS * LANES, "layouts/records.csv: a record longer than a template");
        let any = Part { low: [b' '; LANES], span: [u8::MAX - b' '; LANES], optional: [0; LANES], joined: [0; LANES] };
        let mut template = Template { parts: [any; MOST_PARTS], required: 0 };
        for column in columns {
            let end = column.start + column.length;
            let is_optional = match column.format {
                Format::Text => continue,
                Format::Number | Format::Timestamp | Format::PlainDate | Format::Key => false,
                Format::NumberOrBlank | Format::TimestampOrBlank | Format::Pnr | Format::Date | Format::Flag => true,
            };
            for at in column.start..end {
                let (part, lane) = (&mut template.parts[at / LANES], at % LANES);
                (part.low[lane], part.span[lane]) = match (column.format, at - column.start) {
                    (Format::Flag, _) => (b'*', 0),
                    (Format::Date, 4 | 7) => (b'-', 0),
                    _ => (b'0', 9),
                };
                part.optional[lane] = all_bits(is_optional);
                part.joined[lane] = all_bits(is_optional && at + 1 < end);
            }
            if !is_optional {
                template.required = end;
            }
        }
        template
    }

    /// True when every byte of a line is what its field allows, and no character is odd ([`is_odd`]); false leaves it
    /// open. The line is not longer than its record at full length. The digits of the person (`Format::Key`) are only
    /// seen to be digits.
    #[inline]
    pub(crate) fn fits(&self, line: &[u8]) -> bool {
        if line.len() < self.required {
            return false;
        }
        let mut misfit = [0u8; LANES];
        let mut parts = self.parts.iter();
        // Each part with the byte behind it; at least one byte is left for the last part.
        let mut rest = line;
        while let Some((bytes, behind)) = rest.split_first_chunk::<LANES>().filter(|(_, behind)| !behind.is_empty()) {
            let (Some(next), Some(part)) = (rest[1..].first_chunk(), parts.next()) else { return false };
            part.look(bytes, next, &mut misfit);
            rest = behind;
        }
        let Some(part) = parts.next() else { return false };
        let last = with_blanks(line, rest.len());
        let next = last >> 8 | BLANKS << (8 * (LANES - 1));
        part.look(&last.to_le_bytes(), &next.to_le_bytes(), &mut misfit);
        misfit == [0; LANES]
    }
}

/// A part of a line that is all blank.
const BLANKS: u128 = u128::from_le_bytes([b' '; LANES]);

/// The last bytes of a line, at most [`LANES`], and the blanks that stand for what was cut off behind them.
#[inline(always)]
fn with_blanks(line: &[u8], bytes: usize) -> u128 {
    let missing = LANES.saturating_sub(bytes) as u32;
    match line.last_chunk() {
        // No branch on how many they are, and no copy of a length that is known only then.
        Some(last) => {
            let behind = BLANKS.checked_shl(8 * bytes as u32).unwrap_or(0);
            u128::from_le_bytes(*last).checked_shr(8 * missing).unwrap_or(0) | behind
        }
        None => {
            let mut filled = [b' '; LANES];
            filled[..line.len()].copy_from_slice(line);
            u128::from_le_bytes(filled)
        }
    }
}

impl Part {
    /// Sets bits of lanes whose byte is not what its field allows. Without a branch, so that all lanes are looked at at
    /// once; each byte with the one after it.
    #[inline(always)]
    fn look(&self, bytes: &[u8; LANES], next: &[u8; LANES], misfit: &mut [u8; LANES]) {
        for lane in 0..LANES {
            let byte = bytes[lane];
            let content = all_bits(byte.wrapping_sub(self.low[lane]) <= self.span[lane]);
            let blank = all_bits(byte == b' ');
            let differs = blank ^ all_bits(next[lane] == b' ');
            // Control characters are nowhere content.
            let odd = all_bits((0x80..=0xBF).contains(&byte)) | all_bits(byte == 0x7F);
            misfit[lane] |= !(content | blank & self.optional[lane]) | differs & self.joined[lane] | odd;
        }
    }
}

#[inline(always)]
fn all_bits(set: bool) -> u8 {
    0u8.wrapping_sub(u8::from(set))
}

/// True for a character outside CPR's subset of ISO 8859-1: a control character, or anything between 7F and BF. (CPR
/// also leaves out a few printable ones; none of them hints at damage.)
#[inline]
pub(crate) fn is_odd(byte: u8) -> bool {
    (byte < 0x20) | (byte.wrapping_sub(0x7F) <= 0xBF - 0x7F)
}

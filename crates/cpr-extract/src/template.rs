//! What each byte of a record's line may be, so that a whole line is looked at sixteen bytes at a time.
//!
//! Most lines fit, and [`Template::fits`] says so without going from field to field; a line that it does not pass is
//! read field by field, which names the one that does not fit, or finds that it fits after all (a mark other than `*`).
//! It never passes a line that the reading by field would refuse; a property test holds the two together.

use crate::column::{Column, Format};

/// Bytes looked at together.
const LANES: usize = 16;

/// No record is longer, with [`LANES`] to spare.
const MOST_BYTES: usize = 512;

/// Tables by byte of the line; behind the record anything goes.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// A byte is content when it is at least this, …
    low: [u8; MOST_BYTES],
    /// … and at most so much more.
    span: [u8; MOST_BYTES],
    /// All bits where a blank is as good.
    optional: [u8; MOST_BYTES],
    /// All bits where this byte and the next are of one field that is all content or all blank.
    joined: [u8; MOST_BYTES],
    /// Bytes that a line must have: no field before here may be cut off.
    required: usize,
}

/// What one look at a line finds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    /// True when every byte is what its field allows. False leaves it open.
    pub(crate) fits: bool,
    /// True when there is a character outside CPR's subset of ISO 8859-1: a control character, or anything between 7F
    /// and BF. (CPR also leaves out a few printable ones; none of them hints at damage.)
    pub(crate) odd: bool,
}

impl Template {
    pub(crate) fn new(columns: &[Column], length: usize) -> Template {
        assert!(length + LANES < MOST_BYTES, "layouts/records.csv: a record longer than a template");
        let mut template = Template {
            low: [0; MOST_BYTES],
            span: [u8::MAX; MOST_BYTES],
            optional: [0; MOST_BYTES],
            joined: [0; MOST_BYTES],
            required: 0,
        };
        for column in columns {
            let end = column.start + column.length;
            let is_optional = match column.format {
                Format::Text => continue,
                Format::Number | Format::Timestamp | Format::PlainDate | Format::Key => false,
                Format::NumberOrBlank | Format::TimestampOrBlank | Format::Pnr | Format::Date | Format::Flag => true,
            };
            for at in column.start..end {
                (template.low[at], template.span[at]) = match (column.format, at - column.start) {
                    (Format::Flag, _) => (b'*', 0),
                    (Format::Date, 4 | 7) => (b'-', 0),
                    _ => (b'0', 9),
                };
                template.optional[at] = all_bits(is_optional);
                template.joined[at] = all_bits(is_optional && at + 1 < end);
            }
            if !is_optional {
                template.required = end;
            }
        }
        template
    }

    /// Looks at a line that is not longer than its record at full length. The digits of the person (`Format::Key`) are
    /// only seen to be digits.
    #[inline]
    pub(crate) fn glance(&self, line: &[u8]) -> Glance {
        let is_long_enough = line.len() >= self.required;
        if line.len() > LANES {
            return self.look(line, is_long_enough);
        }
        // Blanks stand for what was cut off.
        let mut filled = [b' '; LANES + 1];
        filled[..line.len()].copy_from_slice(line);
        self.look(&filled, is_long_enough)
    }

    /// `line` has more than [`LANES`] bytes.
    fn look(&self, line: &[u8], is_long_enough: bool) -> Glance {
        let last = line.len() - 1;
        let (mut misfit, mut odd) = ([0u8; LANES], [0u8; LANES]);
        let mut at = 0;
        loop {
            // The last lanes overlap those before them: bytes are looked at twice, none beyond the line.
            let start = at.min(last - LANES);
            let (bytes, next) = (part(line, start), part(line, start + 1));
            let (low, span) = (part(&self.low, start), part(&self.span, start));
            let (optional, joined) = (part(&self.optional, start), part(&self.joined, start));
            // Without a branch, so that all lanes are looked at at once; each byte with the one after it.
            for lane in 0..LANES {
                let byte = bytes[lane];
                let content = all_bits(byte.wrapping_sub(low[lane]) <= span[lane]);
                let blank = all_bits(byte == b' ');
                let differs = blank ^ all_bits(next[lane] == b' ');
                misfit[lane] |= !(content | blank & optional[lane]) | differs & joined[lane];
                odd[lane] |= all_bits(is_odd(byte));
            }
            at += LANES;
            if at >= last {
                break;
            }
        }
        let (byte, is_blank) = (line[last], line[last] == b' ');
        let is_content = byte.wrapping_sub(self.low[last]) <= self.span[last];
        // A field that goes on behind the end of the line has blanks there.
        let fits = (is_content && self.joined[last] == 0) || (is_blank && self.optional[last] != 0);
        let any = |lanes: [u8; LANES]| u128::from_le_bytes(lanes) != 0;
        Glance { fits: fits && is_long_enough && !any(misfit), odd: any(odd) || is_odd(byte) }
    }
}

#[inline(always)]
fn part(table: &[u8], start: usize) -> &[u8; LANES] {
    table[start..].first_chunk().expect("the caller keeps within the line, and a template is longer")
}

#[inline(always)]
fn all_bits(set: bool) -> u8 {
    0u8.wrapping_sub(u8::from(set))
}

#[inline(always)]
fn is_odd(byte: u8) -> bool {
    (byte < 0x20) | (byte.wrapping_sub(0x7F) <= 0xBF - 0x7F)
}

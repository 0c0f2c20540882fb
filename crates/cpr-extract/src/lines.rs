//! From bytes to checked records: one buffer, whatever the file's size, its line ends or the lack of them.

use std::fmt;
use std::io::{self, Read};

use crate::family::{Family, RecordLayout, record_number};
use crate::fault::{Fault, Reason};
use crate::foreign;
use crate::found::{Found, HEAD, Other, OtherLine};
use crate::record::{Record, Sound, check_line};
use crate::source::{Checksums, LOOKAHEAD, Source};
use crate::style::LineEnd;

/// More than this after the last record is not a final 1A or some empty lines.
const TRAILER_LIMIT: usize = 1024;
/// A line that goes on for so long is not looked for the end of: what follows is not read.
const MOST_LINE_BYTES: u64 = 1024 * 1024;

/// What stands next in an extract.
pub enum Item<'a> {
    /// A record whose every field fits.
    Record(Record<'a>),
    /// A line that does not fit, and as much of its bytes as shows which record it was meant to be.
    Fault(Fault, &'a [u8]),
    /// A line of a record type that the caller ignores: its number and its bytes.
    Ignored(u16, &'a [u8]),
}

/// Says which line it is, not what it holds.
impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Record(record) => record.fmt(f),
            Item::Fault(fault, _) => fault.fmt(f),
            Item::Ignored(number, bytes) => write!(f, "Ignored {number:03} of {} bytes", bytes.len()),
        }
    }
}

/// Reads an extract record by record; see [`records`].
pub struct Records<'f, R> {
    lines: Lines<'f, R>,
    /// The digits of the last person whose number was found sound: the next lines are mostly about the same one.
    person: Option<[u8; 10]>,
}

/// Says how far it has read.
impl<R> fmt::Debug for Records<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records of family {} at line {}", self.lines.family.name, self.lines.line)
    }
}

/// Reads the records of an extract of this family from its first byte on. Record numbers in `ignored` are passed over.
///
/// ```
/// use cpr_extract::{Family, Item, records};
///
/// let extract = b"00000000000001234012026010520260102\n\
///                 01061018012345100199103201299*\n\
///                 999999999999900000001\n";
/// let mut lines = records(&extract[..], Family::named("std").expect("a family"), &[]);
/// let mut found = Vec::new();
/// while let Some(item) = lines.next_item()? {
///     match item {
///         Item::Record(record) => found.push(record.layout.number),
///         Item::Fault(fault, _) => panic!("{fault}"),
///         Item::Ignored(..) => {}
///     }
/// }
/// assert_eq!(found, [0, 10, 999]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn records<'f, R: Read>(source: R, family: &'static Family, ignored: &'f [u16]) -> Records<'f, R> {
    Records { lines: Lines::new(source, family, ignored, Checksums::Ignored), person: None }
}

impl<R: Read> Records<'_, R> {
    /// The next record or fault; none at the end of the file, and behind a fault that ends the reading: a file in
    /// another format, a line without an end (see [`Reason::ends_reading`]).
    ///
    /// # Errors
    /// Those of reading the source, and `FileTooLarge` beyond 256 GiB. A line that does not fit is an [`Item::Fault`],
    /// and reading goes on behind it.
    #[inline]
    pub fn next_item(&mut self) -> io::Result<Option<Item<'_>>> {
        let Some(next) = self.lines.next_line()? else { return Ok(None) };
        let LocatedLine { line, offset, end, bytes, what } = next;
        Ok(Some(match what {
            What::Ignored(number) => Item::Ignored(number, bytes),
            What::Misfit(record, reason) => Item::Fault(Fault::at(line, offset, record, None, reason), bytes),
            What::Record(layout) => match check_line(layout, bytes, &mut self.person) {
                Ok(Sound { has_odd_character, .. }) => {
                    Item::Record(Record { layout, line, offset, end, bytes, has_odd_character })
                }
                Err((field, reason)) => {
                    let record = Some(layout.number);
                    Item::Fault(Fault::at(line, offset, record, field, reason), bytes)
                }
            },
        }))
    }

    /// The byte after the last record given, from 0.
    pub fn offset(&self) -> u64 {
        self.lines.offset()
    }

    /// The lines read so far.
    pub fn line(&self) -> u64 {
        self.lines.line
    }

    /// What stood after the last record: a final 1A, empty lines. Complete once the end is reached.
    pub fn trailer(&self) -> &[u8] {
        &self.lines.trailer
    }
}

/// A line and where it stands, not looked into.
pub(crate) struct LocatedLine<'a> {
    /// From 1.
    pub(crate) line: u64,
    /// Of its first byte, from 0.
    pub(crate) offset: u64,
    pub(crate) end: LineEnd,
    /// Without its end; of a misfit the first bytes.
    pub(crate) bytes: &'a [u8],
    pub(crate) what: What,
}

/// What a line is by its first three bytes and its length.
#[derive(Clone, Copy)]
pub(crate) enum What {
    /// A record, whose fields are not looked at.
    Record(&'static RecordLayout),
    /// Not a record as wide as its layout says; which record it was meant to be.
    Misfit(Option<u16>, Reason),
    /// Of a number that the caller ignores.
    Ignored(u16),
}

/// Cuts an extract into lines.
pub(crate) struct Lines<'f, R> {
    source: Source<'f, R>,
    family: &'static Family,
    ignored: &'f [u16],
    line: u64,
    trailer: Vec<u8>,
    /// The first bytes of a line that was passed over.
    head: [u8; HEAD],
    /// Nothing more is read.
    ended: bool,
}

impl<'f, R: Read> Lines<'f, R> {
    pub(crate) fn new(source: R, family: &'static Family, ignored: &'f [u16], checksums: Checksums<'f>) -> Self {
        let source = Source::new(source, checksums);
        Lines { source, family, ignored, line: 0, trailer: Vec::new(), head: [0; HEAD], ended: false }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.source.offset()
    }

    /// The lines read so far.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Passes over plain lines ([`Lines::plain`]), as many as are in the buffer, and gives each: the byte of the buffer
    /// where it starts, its record, its length and its end.
    #[inline]
    pub(crate) fn take_plain(&mut self, mut take: impl FnMut(usize, &'static RecordLayout, usize, LineEnd)) {
        let (bytes, start) = self.source.buffer();
        let (mut at, mut lines) = (start, 0);
        while let Some((layout, length, end)) = self.plain(&bytes[at..]) {
            take(at, layout, length, end);
            at += length + end.bytes().len();
            lines += 1;
        }
        self.source.consume(at - start);
        self.line += lines;
    }

    /// A line that needs no second look: its record, its length and its end. None leaves open what it is, as it does of
    /// the first line and the last ones of a file.
    #[inline(always)]
    fn plain(&self, rest: &[u8]) -> Option<(&'static RecordLayout, usize, LineEnd)> {
        let near = rest.get(..LOOKAHEAD).filter(|_| self.line > 0 && !self.ended)?;
        let layout = self.family.layout_of(near)?;
        // A longer line than the record's may be two, or have blanks behind it.
        let most = near.get(..layout.length + LineEnd::CrLf.bytes().len())?;
        let newline = memchr::memchr(b'\n', most)?;
        let is_crlf = most[..newline].last() == Some(&b'\r');
        let (length, end) = if is_crlf { (newline - 1, LineEnd::CrLf) } else { (newline, LineEnd::Lf) };
        let is_ignored = !self.ignored.is_empty() && self.ignored.contains(&layout.number);
        (length <= layout.length && !is_ignored).then_some((layout, length, end))
    }

    /// As [`Lines::next_line`], without the bytes, which stand in the buffer that is being read.
    pub(crate) fn next_found(&mut self) -> io::Result<Option<Found>> {
        let Some(LocatedLine { offset, end, bytes, what, .. }) = self.next_odd_line()? else { return Ok(None) };
        let what = match what {
            What::Record(layout) => return Ok(Some(Found::Record(layout, offset, bytes.len(), end))),
            What::Ignored(number) => OtherLine::Ignored(number),
            What::Misfit(record, reason) => {
                let (mut head, shown) = ([0; HEAD], bytes.len().min(HEAD));
                head[..shown].copy_from_slice(&bytes[..shown]);
                OtherLine::Misfit(record, reason, (head, shown))
            }
        };
        Ok(Some(Found::Other(Other { offset, behind: self.source.offset(), what })))
    }

    pub(crate) fn into_source_and_trailer(self) -> (Source<'f, R>, Vec<u8>) {
        (self.source, self.trailer)
    }

    pub(crate) fn source_mut(&mut self) -> &mut Source<'f, R> {
        &mut self.source
    }

    /// The next line; none at the end of the file, and behind a misfit that ends the reading.
    #[inline]
    pub(crate) fn next_line(&mut self) -> io::Result<Option<LocatedLine<'_>>> {
        if let Some((layout, length, end)) = self.plain(self.source.buffered()) {
            self.line += 1;
            let (line, offset, what) = (self.line, self.source.offset(), What::Record(layout));
            let bytes = &self.source.consume(length + end.bytes().len())[..length];
            return Ok(Some(LocatedLine { line, offset, end, bytes, what }));
        }
        self.next_odd_line()
    }

    /// As [`Lines::next_line`], of any line.
    fn next_odd_line(&mut self) -> io::Result<Option<LocatedLine<'_>>> {
        let rest = self.source.rest()?.len();
        if rest == 0 || self.ended || self.take_trailer() {
            return Ok(None);
        }
        self.line += 1;
        let (line, offset) = (self.line, self.source.offset());
        let rest = self.source.buffered();
        if line == 1
            && let Some(reason) = foreign::format_of(rest)
        {
            return Ok(Some(self.end_reading(line, offset, None, reason)));
        }
        let cut = cut(rest, self.source.is_at_end(), self.family);
        let ignored = self.ignored_number(&rest[..cut.length]);
        let (what, end) = match (ignored, cut.what) {
            (Some(number), _) => (What::Ignored(number), cut.end),
            (None, What::Misfit(record, reason)) => return self.pass_over(&cut, record, reason).map(Some),
            (None, what) => (what, cut.end),
        };
        let bytes = &self.source.consume(cut.length + cut.end.bytes().len())[..cut.length];
        Ok(Some(LocatedLine { line, offset, end, bytes, what }))
    }

    /// The record number of a line that the caller ignores.
    #[inline]
    fn ignored_number(&self, line: &[u8]) -> Option<u16> {
        if self.ignored.is_empty() {
            return None;
        }
        record_number(line).filter(|number| self.ignored.contains(number))
    }

    /// Passes over a line that is no record, whose end may be far behind the buffer.
    #[cold]
    fn pass_over(&mut self, cut: &Cut, record: Option<u16>, reason: Reason) -> io::Result<LocatedLine<'_>> {
        let (line, offset) = (self.line, self.source.offset());
        let consumed = self.source.consume(cut.length + cut.end.bytes().len());
        let shown = cut.length.min(HEAD);
        let mut head = [0; HEAD];
        head[..shown].copy_from_slice(&consumed[..shown]);
        self.head = head;
        if cut.end == LineEnd::None && !self.skip_line(offset)? {
            return Ok(self.end_reading(line, offset, record, Reason::EndlessLine));
        }
        let what = What::Misfit(record, reason);
        Ok(LocatedLine { line, offset, end: cut.end, bytes: &self.head[..shown], what })
    }

    /// Passes over the rest of a line that is longer than the buffer shows; false when it does not end.
    fn skip_line(&mut self, start: u64) -> io::Result<bool> {
        loop {
            let rest = self.source.rest()?;
            if rest.is_empty() {
                return Ok(true);
            }
            if let Some(at) = memchr::memchr(b'\n', rest) {
                self.source.consume(at + 1);
                return Ok(true);
            }
            let all = rest.len();
            self.source.consume(all);
            if self.source.offset() - start > MOST_LINE_BYTES {
                return Ok(false);
            }
        }
    }

    fn end_reading(&mut self, line: u64, offset: u64, record: Option<u16>, reason: Reason) -> LocatedLine<'_> {
        self.ended = true;
        LocatedLine { line, offset, end: LineEnd::None, bytes: &[], what: What::Misfit(record, reason) }
    }

    /// True when nothing but line ends, blanks and 1A stands between here and the end of the file.
    #[inline]
    fn take_trailer(&mut self) -> bool {
        let rest = self.source.buffered();
        if !self.source.is_at_end()
            || rest.len() > TRAILER_LIMIT
            || !rest.iter().all(|byte| b" \r\n\x1a".contains(byte))
        {
            return false;
        }
        self.trailer.extend_from_slice(rest);
        let all = rest.len();
        self.source.consume(all);
        true
    }
}

/// A line found in the buffer: how long, what ends it, what it is.
struct Cut {
    length: usize,
    end: LineEnd,
    what: What,
}

/// Finds the end of the line that starts here.
#[inline]
fn cut(rest: &[u8], at_end: bool, family: &'static Family) -> Cut {
    let near = &rest[..rest.len().min(LOOKAHEAD)];
    // That all of the file is there does not say that a line ends where the look does.
    let at_end = at_end && near.len() == rest.len();
    let newline = memchr::memchr(b'\n', near);
    let (length, end) = match newline {
        Some(at) if at > 0 && near[at - 1] == b'\r' => (at - 1, LineEnd::CrLf),
        Some(at) => (at, LineEnd::Lf),
        // The last line may stand without an end, before a final 1A.
        None => (near.len() - usize::from(at_end && near.last() == Some(&0x1A)), LineEnd::None),
    };
    let Some(layout) = family.layout_of(near) else {
        let reason = if length == 0 { Reason::EmptyLine } else { Reason::UnknownRecord };
        return Cut { length, end, what: What::Misfit(None, reason) };
    };
    let record = What::Record(layout);
    if length <= layout.length {
        return Cut { length, end, what: record };
    }
    let beyond = &near[layout.length..length];
    if family.layout_of(beyond).is_some() {
        return Cut { length: layout.length, end: LineEnd::None, what: record };
    }
    let blank = beyond.iter().all(|&byte| byte == b' ') && (newline.is_some() || at_end);
    let fits = blank && length <= usize::from(u16::MAX);
    Cut { length, end, what: if fits { record } else { What::Misfit(Some(layout.number), Reason::TooLong) } }
}

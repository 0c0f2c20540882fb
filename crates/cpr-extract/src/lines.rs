//! From bytes to checked records: one buffer, whatever the file's size, its line ends or the lack of them.

use std::fmt;
use std::io::{self, Read};

use crate::family::{Family, record_number};
use crate::fault::{Fault, Reason};
use crate::record::{Record, check_line};
use crate::style::LineEnd;

/// Bytes that are in the buffer beyond the start of a line, unless the file ends: no sound line is longer.
pub(crate) const LOOKAHEAD: usize = 8 * 1024;
const BUFFER: usize = 256 * 1024;
/// More than this after the last record is not a final 1A or some empty lines.
const TRAILER_LIMIT: usize = 1024;

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
    source: R,
    family: &'static Family,
    ignored: &'f [u16],
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    at_end: bool,
    offset: u64,
    line: u64,
    trailer: Vec<u8>,
    /// The first bytes of a line that was passed over.
    head: [u8; HEAD],
    /// The digits of the last person whose number was found sound: the next lines are mostly about the same one.
    person: Option<[u8; 10]>,
}

/// Record number and personnummer.
const HEAD: usize = 13;

/// Says how far it has read.
impl<R> fmt::Debug for Records<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records of family {} at line {}", self.family.name, self.line)
    }
}

/// Reads the records of an extract of this family from its first byte on. Record numbers in `ignored` are passed over.
pub fn records<'f, R: Read>(source: R, family: &'static Family, ignored: &'f [u16]) -> Records<'f, R> {
    Records {
        source,
        family,
        ignored,
        buffer: Vec::new(),
        at: 0,
        filled: 0,
        at_end: false,
        offset: 0,
        line: 0,
        trailer: Vec::new(),
        head: [0; HEAD],
        person: None,
    }
}

/// A line found in the buffer: how long, what ends it, what is wrong with its shape.
struct Cut {
    length: usize,
    end: LineEnd,
    fault: Option<Reason>,
}

impl<R: Read> Records<'_, R> {
    /// The next record or fault; none at the end of the file.
    ///
    /// # Errors
    /// Those of reading the source. A line that does not fit is an [`Item::Fault`], and reading goes on behind it.
    pub fn next_item(&mut self) -> io::Result<Option<Item<'_>>> {
        self.fill()?;
        if self.at == self.filled {
            return Ok(None);
        }
        if self.take_trailer()? {
            return Ok(None);
        }
        self.line += 1;
        let (start, offset, line) = (self.at, self.offset, self.line);
        let cut = self.cut();
        self.consume(cut.length + cut.end.bytes().len());
        let ignored = self.ignored_number(&self.buffer[start..start + cut.length]);
        if let Some(reason) = cut.fault.filter(|_| ignored.is_none()) {
            let meant = &self.buffer[start..start + cut.length];
            let record = self.family.layout_of(meant).map(|layout| layout.number);
            let fault = Fault { line, offset, record, field: None, reason };
            let mut head = [0; HEAD];
            let shown = cut.length.min(HEAD);
            head[..shown].copy_from_slice(&self.buffer[start..start + shown]);
            if cut.end == LineEnd::None {
                self.skip_line()?;
            }
            self.head = head;
            return Ok(Some(Item::Fault(fault, &self.head[..shown])));
        }
        let bytes = &self.buffer[start..start + cut.length];
        if let Some(number) = ignored {
            return Ok(Some(Item::Ignored(number, bytes)));
        }
        Ok(Some(match check_line(self.family, bytes, &mut self.person) {
            Ok(layout) => Item::Record(Record { layout, line, offset, end: cut.end, bytes }),
            Err((record, field, reason)) => Item::Fault(Fault { line, offset, record, field, reason }, bytes),
        }))
    }

    /// The byte after the last record given, from 0.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The lines read so far.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// What stood after the last record: a final 1A, empty lines. Complete once the end is reached.
    pub fn trailer(&self) -> &[u8] {
        &self.trailer
    }

    pub(crate) fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Where the source itself stands: after everything buffered.
    pub(crate) fn source_offset(&self) -> u64 {
        self.offset + (self.filled - self.at) as u64
    }

    fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.filled - self.at);
        self.at += bytes;
        self.offset += bytes as u64;
    }

    /// The record number of a line that the caller ignores.
    fn ignored_number(&self, line: &[u8]) -> Option<u16> {
        if self.ignored.is_empty() {
            return None;
        }
        record_number(line).filter(|number| self.ignored.contains(number))
    }

    /// Makes sure that `LOOKAHEAD` bytes stand in the buffer, or the rest of the file.
    fn fill(&mut self) -> io::Result<()> {
        if self.at_end || self.filled - self.at >= LOOKAHEAD {
            return Ok(());
        }
        if self.buffer.is_empty() {
            self.buffer.resize(BUFFER, 0);
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        while self.filled < LOOKAHEAD {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Finds the end of the line that starts here.
    fn cut(&self) -> Cut {
        let rest = &self.buffer[self.at..self.filled];
        let near = &rest[..rest.len().min(LOOKAHEAD)];
        let newline = memchr::memchr(b'\n', near);
        let (length, end) = match newline {
            Some(at) if at > 0 && near[at - 1] == b'\r' => (at - 1, LineEnd::CrLf),
            Some(at) => (at, LineEnd::Lf),
            // The last line may stand without an end, before a final 1A.
            None => (near.len() - usize::from(self.at_end && near.last() == Some(&0x1A)), LineEnd::None),
        };
        let Some(layout) = self.family.layout_of(near) else {
            let fault = if length == 0 { Reason::EmptyLine } else { Reason::UnknownRecord };
            return Cut { length, end, fault: Some(fault) };
        };
        if length <= layout.length {
            return Cut { length, end, fault: None };
        }
        let beyond = &near[layout.length..length];
        if self.family.layout_of(beyond).is_some() {
            return Cut { length: layout.length, end: LineEnd::None, fault: None };
        }
        let blank = beyond.iter().all(|&byte| byte == b' ') && (newline.is_some() || self.at_end);
        let fits = blank && length <= usize::from(u16::MAX);
        Cut { length, end, fault: (!fits).then_some(Reason::TooLong) }
    }

    /// Passes over the rest of a line that is longer than the buffer shows.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            self.fill()?;
            let rest = &self.buffer[self.at..self.filled];
            if rest.is_empty() {
                return Ok(());
            }
            if let Some(at) = memchr::memchr(b'\n', rest) {
                self.consume(at + 1);
                return Ok(());
            }
            let all = rest.len();
            self.consume(all);
        }
    }

    /// True when nothing but line ends, blanks and 1A stands between here and the end of the file.
    fn take_trailer(&mut self) -> io::Result<bool> {
        let rest = &self.buffer[self.at..self.filled];
        if !self.at_end || rest.len() > TRAILER_LIMIT || !rest.iter().all(|byte| b" \r\n\x1a".contains(byte)) {
            return Ok(false);
        }
        self.trailer.extend_from_slice(rest);
        let all = rest.len();
        self.consume(all);
        Ok(true)
    }
}

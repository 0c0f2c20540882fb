//! Reads a checked extract again, person by person, each with the 003 that stands far behind.

use std::io::{self, Read, Seek, SeekFrom};

use cpr_model::stored::v2::{Width, shape};
use cpr_model::{PersonKey, Values};

use crate::check::Checked;
use crate::family::{Family, Role};
use crate::lines::{Item, LOOKAHEAD, Records, records};
use crate::record::{Record, check_line};
use crate::style::Padding;

/// One packed row of a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// The record number.
    pub record: u16,
    /// Aspect and tense, as [`shape`] packs them.
    pub shape: u8,
    /// Where its packed values end.
    pub end: u32,
}

/// The rows of one person in an extract, packed, in the order of its lines. Made to be reused.
#[derive(Clone, Default)]
pub struct Group {
    key: Option<PersonKey>,
    rows: Vec<Row>,
    values: Vec<u8>,
    events: Vec<Row>,
    event_values: Vec<u8>,
    widths: Vec<Width>,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Group of {} rows and {} events", self.rows.len(), self.events.len())
    }
}

impl Group {
    /// The person.
    pub fn key(&self) -> PersonKey {
        self.key.expect("a group that was read has a key")
    }

    /// The rows that replace what was held: record, aspect and packed values, in the order of the lines.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (Row, Values<'_>)> {
        packed(&self.rows, &self.values)
    }

    /// One row by its position, as [`Group::rows`] gives it.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn row(&self, at: usize) -> (Row, Values<'_>) {
        let (row, start) = (self.rows[at], at.checked_sub(1).map_or(0, |before| self.rows[before].end));
        (row, Values::new(&self.values[start as usize..row.end as usize]))
    }

    /// The packed values of all rows, end to end.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// The events (099, 900), in the order of the lines.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (Row, Values<'_>)> {
        packed(&self.events, &self.event_values)
    }

    /// Lines that are not as wide as the file's style says.
    pub fn widths(&self) -> &[Width] {
        &self.widths
    }

    fn clear(&mut self) {
        self.key = None;
        self.rows.clear();
        self.values.clear();
        self.events.clear();
        self.event_values.clear();
        self.widths.clear();
    }

    fn add(&mut self, record: &Record<'_>, padding: Padding) {
        let number = record.layout.number;
        match record.layout.role {
            Role::Fact(aspect, historic) => {
                let used = record.bytes().iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
                if record.bytes().len() != padding.width(used, record.layout.length) {
                    // Rows and widths fit 16 bits: the check refuses more rows, the reader longer lines.
                    self.widths.push(Width { line: self.rows.len() as u16, bytes: record.bytes().len() as u16 });
                }
                record.pack(&mut self.values);
                self.rows.push(Row { record: number, shape: shape(aspect, historic), end: self.values.len() as u32 });
            }
            Role::Event => {
                record.pack(&mut self.event_values);
                self.events.push(Row { record: number, shape: 0, end: self.event_values.len() as u32 });
            }
            Role::Start | Role::End | Role::InputError | Role::Receipt => {}
        }
    }
}

fn packed<'a>(rows: &'a [Row], values: &'a [u8]) -> impl ExactSizeIterator<Item = (Row, Values<'a>)> {
    let mut start = 0;
    rows.iter().map(move |row| {
        let packed = &values[start..row.end as usize];
        start = row.end as usize;
        (*row, Values::new(packed))
    })
}

/// The persons of a checked extract, in the order of the file.
pub struct Groups<'c, R> {
    lines: Records<'c, R>,
    checked: &'c Checked,
    family: &'static Family,
    /// The 001 that ended the group before: it opens the next.
    opened: Option<Group>,
    done: bool,
    scratch: Vec<u8>,
}

/// Says how far it has read.
impl<R> std::fmt::Debug for Groups<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Groups of {:?}", self.lines)
    }
}

impl<'c, R: Read + Seek> Groups<'c, R> {
    /// Reads from the start of `source`, which must hold the bytes that were checked.
    ///
    /// # Errors
    /// Those of seeking.
    pub fn new(mut source: R, checked: &'c Checked, ignored: &'c [u16]) -> io::Result<Self> {
        source.seek(SeekFrom::Start(0))?;
        let lines = records(source, checked.family, ignored);
        Ok(Groups { lines, checked, family: checked.family, opened: None, done: false, scratch: Vec::new() })
    }

    /// Reads up to `limit` persons into `groups`, whose buffers are reused; how many is the answer, 0 at the end.
    ///
    /// Rows of a person without a 001 are left out: [`crate::check`] has told about them.
    ///
    /// # Errors
    /// Those of the source; `InvalidData` when it no longer holds what was checked.
    pub fn next_chunk(&mut self, groups: &mut Vec<Group>, limit: usize) -> io::Result<usize> {
        let mut count = 0;
        while count < limit {
            if groups.len() == count {
                groups.push(Group::default());
            }
            if !self.next_group(&mut groups[count])? {
                break;
            }
            count += 1;
        }
        self.attach_formatted(&mut groups[..count])?;
        Ok(count)
    }

    fn next_group(&mut self, group: &mut Group) -> io::Result<bool> {
        group.clear();
        if let Some(opened) = self.opened.as_mut() {
            std::mem::swap(group, opened);
        }
        if self.done {
            self.opened = None;
            return Ok(group.key.is_some());
        }
        let padding = self.checked.style.padding;
        // Rows of others between a person's own are 003 that stand behind: the index has them, and all that follow.
        let mut behind = false;
        loop {
            if self.lines.offset() >= self.checked.persons_end {
                self.done = true;
                self.opened = None;
                return Ok(group.key.is_some());
            }
            let record = match self.lines.next_item()? {
                None => return Err(changed()),
                Some(Item::Ignored(..)) => continue,
                Some(Item::Fault(..)) => return Err(changed()),
                Some(Item::Record(record)) => record,
            };
            if record.layout.opens_person() {
                let key = record.pnr().and_then(|pnr| pnr.key()).ok_or_else(changed)?;
                if group.key.is_none() {
                    group.key = Some(key);
                    group.add(&record, padding);
                } else {
                    let opened = self.opened.get_or_insert_default();
                    opened.clear();
                    opened.key = Some(key);
                    opened.add(&record, padding);
                    return Ok(true);
                }
            } else if group.key.is_some() && !behind && record.pnr().and_then(|pnr| pnr.key()) == group.key {
                group.add(&record, padding);
            } else if record.layout.is_formatted_address() && !behind {
                let key = record.pnr().and_then(|pnr| pnr.key()).map_or(0, |key| key.as_u32());
                behind = self.checked.formatted.binary_search(&(key, record.offset)).is_ok();
            }
        }
    }

    /// Reads the 003 of these persons, in the order in which they stand in the file, and returns to where it was.
    fn attach_formatted(&mut self, groups: &mut [Group]) -> io::Result<()> {
        let index = &self.checked.formatted;
        let mut wanted: Vec<(u64, usize)> = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let key = group.key().as_u32();
            let first = index.partition_point(|&(of, _)| of < key);
            wanted.extend(index[first..].iter().take_while(|&&(of, _)| of == key).map(|&(_, offset)| (offset, at)));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        wanted.sort_unstable();
        let (back, padding, family) = (self.lines.source_offset(), self.checked.style.padding, self.family);
        let mean_gap = (wanted[wanted.len() - 1].0 - wanted[0].0) / wanted.len() as u64;
        let mut window = Window::new(self.lines.source_mut(), &mut self.scratch, mean_gap);
        for (offset, at) in wanted {
            let bytes = window.line(offset, family)?;
            let layout = check_line(family, bytes, &mut None).map_err(|_| changed())?;
            let record = Record { layout, line: 0, offset, end: Default::default(), bytes };
            if record.pnr().and_then(|pnr| pnr.key()) != groups[at].key {
                return Err(changed());
            }
            groups[at].add(&record, padding);
        }
        self.lines.source_mut().seek(SeekFrom::Start(back))?;
        Ok(())
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the extract changed while it was read")
}

/// A part of the source held in memory, moved forward as lines are asked for.
struct Window<'a, R> {
    source: &'a mut R,
    bytes: &'a mut Vec<u8>,
    start: u64,
    /// How much is read at once: a lot where the wanted lines stand close together, a line where they do not.
    step: usize,
    at_end: bool,
}

impl<'a, R: Read + Seek> Window<'a, R> {
    fn new(source: &'a mut R, bytes: &'a mut Vec<u8>, mean_gap: u64) -> Self {
        bytes.clear();
        let step = if mean_gap < 4 * 1024 { 64 * 1024 } else { 512 };
        Window { source, bytes, start: 0, step, at_end: false }
    }

    /// The line that starts at `offset`, cut as [`Records`] cuts it.
    fn line(&mut self, offset: u64, family: &Family) -> io::Result<&[u8]> {
        let inside = offset.checked_sub(self.start).filter(|&at| at <= self.bytes.len() as u64);
        let Some(range) = inside.and_then(|at| self.whole_line(at as usize, family)) else {
            for bytes in [self.step, LOOKAHEAD] {
                self.read(offset, bytes)?;
                if let Some(range) = self.whole_line(0, family) {
                    return Ok(&self.bytes[range]);
                }
            }
            return Err(changed());
        };
        Ok(&self.bytes[range])
    }

    /// The line at this place in the window, or none when its end is not in the window.
    fn whole_line(&self, at: usize, family: &Family) -> Option<std::ops::Range<usize>> {
        let rest = &self.bytes[at..];
        let length = family.layout_of(rest)?.length;
        let (line, ended) = match memchr::memchr(b'\n', rest) {
            Some(end) if end > 0 && rest[end - 1] == b'\r' => (&rest[..end - 1], true),
            Some(end) => (&rest[..end], true),
            None => (rest, self.at_end),
        };
        if line.len() > length && family.layout_of(&line[length..]).is_some() {
            return Some(at..at + length);
        }
        ended.then_some(at..at + line.len())
    }

    fn read(&mut self, offset: u64, bytes: usize) -> io::Result<()> {
        self.source.seek(SeekFrom::Start(offset))?;
        self.bytes.resize(bytes, 0);
        let mut filled = 0;
        while filled < bytes {
            match self.source.read(&mut self.bytes[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        self.at_end = filled < bytes;
        self.bytes.truncate(filled);
        self.start = offset;
        Ok(())
    }
}

//! Reads a checked extract again, person by person, each with the 003 that stands far behind.

use std::io::{self, Read, Seek, SeekFrom};

use bitemporal::Known;
use cpr_model::{Fact, PersonKey, RowKind, Text, Values};
use roaring::RoaringBitmap;

use crate::checked::Checked;
use crate::family::{RecordLayout, Role};
use crate::index::Formatted;
use crate::lines::{Lines, What};
use crate::record::{key_digits, key_of, pack};
use crate::source::{Checksums, changed, line_checksum};
use crate::style::Padding;

/// One packed row of a group.
#[derive(Clone, Copy)]
struct Row {
    record: u16,
    kind: RowKind,
    /// Where its packed values end.
    end: u32,
}

/// A line with a width of its own: position in the group from 0, and received width in bytes without the line end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LineWidth {
    /// Position of the line among the person's rows.
    pub line: u16,
    /// Bytes as received.
    pub bytes: u16,
}

/// The rows of one person in an extract, packed, in the order of its lines. Made to be reused.
#[derive(Clone, Default)]
pub struct Group {
    key: Option<PersonKey>,
    rows: Vec<Row>,
    values: Vec<u8>,
    events: Vec<Row>,
    event_values: Vec<u8>,
    widths: Vec<LineWidth>,
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

    /// The rows that replace what was held, in the order of the lines, as the facts that they become when a delivery
    /// brings them.
    pub fn facts(&self, known_from: u32) -> impl ExactSizeIterator<Item = Fact<'_>> {
        packed(&self.rows, &self.values).map(move |(row, values)| fact(row, known_from, values))
    }

    /// One row by its position, as [`Group::facts`] gives it.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn fact(&self, at: usize, known_from: u32) -> Fact<'_> {
        let (row, start) = (self.rows[at], at.checked_sub(1).map_or(0, |before| self.rows[before].end));
        fact(row, known_from, Values::new(&self.values[start as usize..row.end as usize]))
    }

    /// The packed values of all rows, end to end.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// The events (099, 900) with their record numbers, in the order of the lines.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (u16, Values<'_>)> {
        packed(&self.events, &self.event_values).map(|(row, values)| (row.record, values))
    }

    /// Lines that are not as wide as the file's style says.
    pub fn widths(&self) -> &[LineWidth] {
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

    #[inline]
    fn add(&mut self, layout: &RecordLayout, line: &[u8], padding: Padding) {
        let record = layout.number;
        match layout.role {
            Role::Fact(aspect, historic) => {
                if line.len() != padding.width(Text::new(line).latin1().len(), layout.length) {
                    // Rows and widths fit 16 bits: the check refuses more rows, the reader longer lines.
                    self.widths.push(LineWidth { line: self.rows.len() as u16, bytes: line.len() as u16 });
                }
                pack(layout, line, &mut self.values);
                self.rows.push(Row { record, kind: RowKind::new(aspect, historic), end: self.values.len() as u32 });
            }
            Role::Event => {
                pack(layout, line, &mut self.event_values);
                self.events.push(Row { record, kind: RowKind(0), end: self.event_values.len() as u32 });
            }
            Role::Start | Role::End | Role::InputError | Role::Receipt => {}
        }
    }
}

fn fact(row: Row, known_from: u32, values: Values<'_>) -> Fact<'_> {
    let known = Known { from: known_from, to: None };
    // Families number their records of persons below 256.
    Fact::new(row.record as u8, row.kind, known, values).expect("the kind was made of an aspect")
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
///
/// Every byte is held against the checksums of the first reading: a file that has changed since is an error, at the
/// latest at the end.
///
/// ```
/// use std::io::Cursor;
///
/// use cpr_extract::{CheckOptions, Family, Groups, Waive, check};
/// use cpr_model::Field;
///
/// let extract = "00000000000001234012026010520260102\n\
///                0016101801234          01000000000000 K\n\
///                01061018012345100199103201299*\n\
///                999999999999900000002\n";
/// let family = Family::named("std").expect("a family");
/// let options = CheckOptions { family, chosen: None, ignored: &[], fault_limit: 20, waive: Waive::default() };
/// let checked = check(Cursor::new(extract), options)?;
/// let mut persons = Groups::new(Cursor::new(extract), &checked, &[])?;
/// let mut groups = Vec::new();
/// assert_eq!(persons.next_chunk(&mut groups, 100)?, 1);
/// assert_eq!(groups[0].key().pnr().reveal(), "6101801234");
/// let fact = groups[0].fact(1, 1);
/// assert_eq!((fact.record(), fact.values().number(Field::CitizenshipCountryCode)), (10, Some(5100)));
/// assert_eq!(persons.next_chunk(&mut groups, 100)?, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Groups<'c, R> {
    lines: Lines<'c, R>,
    checked: &'c Checked,
    /// The 001 that ended the group before: it opens the next.
    opened: Option<Group>,
    /// Persons with several equal groups, of whom one was given.
    given: RoaringBitmap,
    done: bool,
    /// Lines that were read together, and what stands between them.
    window: Vec<u8>,
    /// The 003 of a chunk, and which of its groups each belongs to.
    wanted: Vec<(Formatted, u32)>,
    /// Where in their index those of the next person are looked for.
    formatted_from: usize,
}

/// Says how far it has read.
impl<R> std::fmt::Debug for Groups<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Groups of an extract of family {}", self.checked.family.name)
    }
}

impl<'c, R: Read + Seek> Groups<'c, R> {
    /// Reads from the start of `source`, which must hold the bytes that were checked. `ignored` are the record numbers
    /// that were passed over then.
    ///
    /// # Errors
    /// Those of seeking.
    pub fn new(mut source: R, checked: &'c Checked, ignored: &'c [u16]) -> io::Result<Self> {
        source.seek(SeekFrom::Start(0))?;
        let lines = Lines::new(source, checked.family, ignored, Checksums::Compared(&checked.checksums));
        let (given, window, wanted) = (RoaringBitmap::new(), Vec::new(), Vec::new());
        Ok(Groups { lines, checked, opened: None, given, done: false, window, wanted, formatted_from: 0 })
    }

    /// Reads up to `limit` persons into `groups`, whose buffers are reused; how many is the answer, 0 at the end.
    ///
    /// Rows of a person without a 001 are left out: [`crate::check`] has told about them. Of a person with several
    /// equal groups the first is given.
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
        let (checked, padding) = (self.checked, self.checked.style.padding);
        let mut current = group.key.map(digits_of);
        // Rows of others between a person's own are 003 that stand behind: the index has them, and all that follow.
        let mut behind = false;
        loop {
            if self.lines.offset() >= checked.persons_end {
                // Read to the end all the same: what has changed there has changed.
                self.lines.source_mut().pass_over_rest()?;
                self.done = true;
                self.opened = None;
                return Ok(group.key.is_some());
            }
            let Some(line) = self.lines.next_line()? else { return Err(changed()) };
            let layout = match line.what {
                What::Ignored(_) => continue,
                What::Misfit(..) => return Err(changed()),
                What::Record(layout) => layout,
            };
            if layout.opens_person() {
                let key = key_of(line.bytes).ok_or_else(changed)?;
                if checked.repeated.contains(key.as_u32()) && !self.given.insert(key.as_u32()) {
                    behind = true;
                    continue;
                }
                if group.key.is_none() {
                    group.key = Some(key);
                    group.add(layout, line.bytes, padding);
                    current = key_digits(line.bytes);
                    behind = false;
                } else {
                    let opened = self.opened.get_or_insert_default();
                    opened.clear();
                    opened.key = Some(key);
                    opened.add(layout, line.bytes, padding);
                    return Ok(true);
                }
            } else if !behind && current.is_some() && key_digits(line.bytes) == current {
                group.add(layout, line.bytes, padding);
            } else if layout.is_formatted_address() && !behind {
                let key = key_of(line.bytes).map_or(0, |key| key.as_u32());
                behind = checked.index.has(key, line.offset);
            }
        }
    }

    /// Reads the 003 of these persons, in the order in which they stand in the file, and returns to where it was.
    fn attach_formatted(&mut self, groups: &mut [Group]) -> io::Result<()> {
        self.wanted.clear();
        for (at, group) in (0u32..).zip(groups.iter()) {
            let formatted = self.checked.index.of(group.key().as_u32(), &mut self.formatted_from);
            self.wanted.extend(formatted.iter().map(|entry| (*entry, at)));
        }
        self.wanted.sort_unstable_by_key(|(entry, _)| entry.offset());
        let source = self.lines.source_mut();
        let back = source.inner_offset();
        let mut rest = &self.wanted[..];
        while !rest.is_empty() {
            let (near, behind) = rest.split_at(read_together(rest));
            let (start, end) = (near[0].0.offset(), near[near.len() - 1].0.end());
            read_at(source.inner_mut(), start, (end - start) as usize, &mut self.window)?;
            for &(entry, at) in near {
                let from = (entry.offset() - start) as usize;
                let line = self.window.get(from..from + entry.length()).ok_or_else(changed)?;
                if line_checksum(line) != entry.checksum {
                    return Err(changed());
                }
                let layout = self.checked.family.record(entry.number()).ok_or_else(changed)?;
                groups[at as usize].add(layout, line, self.checked.style.padding);
            }
            rest = behind;
        }
        if !self.wanted.is_empty() {
            source.inner_mut().seek(SeekFrom::Start(back))?;
        }
        Ok(())
    }
}

/// Bytes between two lines that cost less to read than another call.
const MOST_BETWEEN: u64 = 8 * 1024;

/// Bytes that are read at once, but for a line that is longer.
const MOST_AT_ONCE: u64 = 128 * 1024;

/// How many of these lines, by place, stand so near the first that one reading is cheaper than several; at least one.
fn read_together(wanted: &[(Formatted, u32)]) -> usize {
    let start = wanted[0].0.offset();
    let is_near = |pair: &[(Formatted, u32)]| {
        let (before, next) = (pair[0].0, pair[1].0);
        next.offset().saturating_sub(before.end()) <= MOST_BETWEEN && next.end() - start <= MOST_AT_ONCE
    };
    1 + wanted.windows(2).take_while(|pair| is_near(pair)).count()
}

/// Reads so many bytes from here on, or those that there are.
fn read_at(source: &mut (impl Read + Seek), offset: u64, bytes: usize, into: &mut Vec<u8>) -> io::Result<()> {
    source.seek(SeekFrom::Start(offset))?;
    into.resize(bytes, 0);
    let mut filled = 0;
    while filled < bytes {
        match source.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    into.truncate(filled);
    Ok(())
}

fn digits_of(key: PersonKey) -> [u8; 10] {
    key.pnr().reveal().as_bytes().try_into().expect("ten digits")
}

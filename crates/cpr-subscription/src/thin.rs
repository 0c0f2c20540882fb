//! Copies a subscriber's persons out of a delivery's file: the same lines in the same order, to the byte.
//!
//! [`FileIndex`] is made in one pass and knows which bytes are whose. Thinning then copies ranges: it looks at no line
//! that it does not keep, and at no field of those it keeps. What is written anew is three fields: the task number
//! (when asked), the previous production date, which is that of the subscriber's own stream, and the counter.
//!
//! Rows, and the 003 behind all persons, go with their person. A receipt (997) goes to who follows its number. An error
//! record (910) echoes what the platform itself has sent in, and goes to nobody. Rows of a person without 001, which a
//! caller may have accepted, go to nobody either. What stands after the last record is copied as it is.

use std::fmt;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use cpr_extract::{Family, Fault, Item, Record, Role, end_counter, records};
use cpr_model::{Date, PersonKey, Pnr};

use crate::bits::positions;
use crate::sorted_rows::advance;

/// Why a file could not be indexed or thinned. Says where, never what the data said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThinError {
    /// Reading the source or writing an output failed.
    #[error("reading the extract or writing what is kept of it failed")]
    Io(#[from] io::Error),
    /// A line does not fit the family.
    #[error("the extract does not fit its family")]
    Misfit(#[source] Fault),
    /// Start or end record is missing, stands twice or in the middle.
    #[error("the extract is not whole: one start record first and one end record last")]
    NotWhole,
    /// The source is not the file that was indexed, or the selection is of another one.
    #[error("the extract changed since it was indexed")]
    Changed,
    /// The caller named an output that it did not give.
    #[error("there is no output {output} among the {outputs} given")]
    NoOutput {
        /// The output named, from 0.
        output: usize,
        /// How many there are.
        outputs: usize,
    },
}

/// OPGAVENR: customer number (four digits) and running number (two).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TaskNumber([u8; 6]);

impl TaskNumber {
    /// Reads six digits.
    pub fn parse(text: &str) -> Option<TaskNumber> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(TaskNumber(digits))
    }
}

/// What the start record of a subscriber's file says of its stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stream {
    /// PRODDTOFORRIG: the production date of the file that this subscriber was given before.
    pub previous_production_date: Date,
    /// OPGAVENR; none leaves the one in the file.
    pub task: Option<TaskNumber>,
}

/// Whose bytes a part of the file is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Owner {
    /// Rows of this person.
    Person(PersonKey),
    /// Receipts (997) for subscriptions on this number, which is mostly not among the persons.
    Receipt(PersonKey),
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum PartKind {
    /// Rows that begin with the 001.
    Opened,
    Rows,
    Receipt,
}

/// Lines of one owner that stand together.
#[derive(Clone, Copy)]
struct Part {
    start: u64,
    bytes: u32,
    lines: u32,
    owner: PersonKey,
    kind: PartKind,
}

impl Part {
    fn owner(&self) -> Owner {
        match self.kind {
            PartKind::Receipt => Owner::Receipt(self.owner),
            PartKind::Opened | PartKind::Rows => Owner::Person(self.owner),
        }
    }
}

impl Part {
    /// Holds the first line of the bytes against the owner.
    fn check_owner(&self, bytes: &[u8]) -> Result<(), ThinError> {
        if key_of(bytes) == Some(self.owner) { Ok(()) } else { Err(ThinError::Changed) }
    }
}

/// A line as received, and where the fields stand that are written anew.
#[derive(Clone)]
struct FrameRecord {
    line: Vec<u8>,
    fields: Vec<(&'static str, Range<usize>)>,
}

impl FrameRecord {
    fn new(record: &Record<'_>) -> FrameRecord {
        let line = [record.bytes(), record.end.bytes()].concat();
        let columns = record.layout.columns.iter();
        let fields = columns.map(|column| (column.name, column.start..column.start + column.length));
        FrameRecord { line, fields: fields.collect() }
    }

    /// Writes a number over a field of digits, which the check of the line has found whole.
    fn write_field(&mut self, name: &str, digits: &str) {
        let field = self.fields.iter().find(|(of, _)| *of == name).map(|(_, range)| range.clone());
        let field = field.expect("a field of the frame records");
        let width = field.len();
        self.line[field].copy_from_slice(format!("{digits:0>width$}").as_bytes());
    }
}

/// Which bytes of a file are whose.
#[derive(Clone)]
pub struct FileIndex {
    start: FrameRecord,
    end: FrameRecord,
    trailer: Vec<u8>,
    /// In the order of the file.
    parts: Vec<Part>,
    /// Owner and part, ascending.
    by_owner: Vec<(Owner, u32)>,
}

/// Says how many parts there are, not whose.
impl fmt::Debug for FileIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileIndex of {} parts", self.parts.len())
    }
}

/// Parts of a file that one subscriber is sent; see [`FileIndex::select`]. Made to be reused.
#[derive(Clone, Default)]
pub struct Selection {
    /// A bit for each part of the file.
    bit_words: Vec<u64>,
}

/// Says how many parts there are, not whose.
impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selection of {} parts", self.parts().count())
    }
}

impl Selection {
    /// The positions of the parts, ascending.
    fn parts(&self) -> impl Iterator<Item = usize> + '_ {
        positions(&self.bit_words)
    }
}

/// What a thinned file holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Thinned {
    /// Persons: 001 records.
    pub persons: u64,
    /// Records as the counter counts them: without start and end record.
    pub records: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// A file to write while many are written; see [`FileIndex::split`].
#[derive(Debug)]
pub struct Output<W> {
    /// What its start record says.
    pub stream: Stream,
    /// Where it goes.
    pub out: W,
}

impl FileIndex {
    /// Reads an extract of this family from its first byte to its last. Record numbers in `ignored` are not looked
    /// into: such a line goes with the person whose number stands where rows have it.
    ///
    /// The file is held to be checked ([`cpr_extract::check`]); here it must only be whole and every line fit.
    ///
    /// # Errors
    /// [`ThinError::Misfit`], [`ThinError::NotWhole`], and those of the source.
    pub fn read(source: impl Read, family: &'static Family, ignored: &[u16]) -> Result<FileIndex, ThinError> {
        let mut lines = records(source, family, ignored);
        let (mut start, mut end, mut parts): (_, _, Vec<Part>) = (None, None, Vec::new());
        loop {
            let offset = lines.offset();
            let line = match lines.next_item()? {
                None => break,
                Some(Item::Fault(fault, _)) => return Err(ThinError::Misfit(fault)),
                Some(Item::Ignored(_, bytes)) => key_of(bytes).map(|owner| (owner, PartKind::Rows)),
                Some(Item::Record(record)) => match record.layout.role {
                    Role::Start if offset == 0 => {
                        start = Some(FrameRecord::new(&record));
                        None
                    }
                    Role::End if end.is_none() => {
                        end = Some(FrameRecord::new(&record));
                        continue;
                    }
                    Role::Start | Role::End => return Err(ThinError::NotWhole),
                    Role::InputError => continue,
                    Role::Receipt => key_of(record.bytes()).map(|owner| (owner, PartKind::Receipt)),
                    Role::Fact(..) | Role::Event => {
                        let kind = if record.layout.opens_person() { PartKind::Opened } else { PartKind::Rows };
                        key_of(record.bytes()).map(|owner| (owner, kind))
                    }
                },
            };
            if end.is_some() || start.is_none() {
                return Err(ThinError::NotWhole);
            }
            if let Some((owner, kind)) = line {
                add_line(&mut parts, Part { start: offset, bytes: 0, lines: 0, owner, kind }, lines.offset());
            }
        }
        let (Some(start), Some(end)) = (start, end) else { return Err(ThinError::NotWhole) };
        let mut opened: Vec<PersonKey> = of_kind(&parts, PartKind::Opened).collect();
        opened.sort_unstable();
        parts.retain(|part| part.kind != PartKind::Rows || opened.binary_search(&part.owner).is_ok());
        let mut by_owner: Vec<(Owner, u32)> = (0u32..).zip(&parts).map(|(at, part)| (part.owner(), at)).collect();
        by_owner.sort_unstable();
        Ok(FileIndex { start, end, trailer: lines.trailer().to_vec(), parts, by_owner })
    }

    /// The numbers that the file has receipts (997) for, each once, ascending.
    pub fn receipts(&self) -> impl Iterator<Item = PersonKey> + use<> {
        let mut numbers: Vec<PersonKey> = of_kind(&self.parts, PartKind::Receipt).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter()
    }

    /// Replaces `selection` by the parts of these owners; one that the file does not hold has none.
    ///
    /// Persons in ascending order are found fastest.
    pub fn select(&self, owners: impl IntoIterator<Item = Owner>, selection: &mut Selection) {
        selection.bit_words.clear();
        selection.bit_words.resize(self.parts.len().div_ceil(64), 0);
        let mut at = 0;
        for owner in owners {
            if at > 0 && self.by_owner[at - 1].0 >= owner {
                at = 0;
            }
            at = advance(&self.by_owner, at, |(of, _)| *of < owner);
            while let Some((_, part)) = self.by_owner.get(at).filter(|(of, _)| *of == owner) {
                selection.bit_words[*part as usize / 64] |= 1 << (part % 64);
                at += 1;
            }
        }
    }

    /// Writes the file of one subscriber. `source` holds the bytes that were indexed; what is not kept is not read but
    /// for what its buffer brings along. The writer is not flushed.
    ///
    /// # Errors
    /// [`ThinError::Changed`] when the source is another file, and those of reading and writing. The output is then of
    /// no use.
    pub fn thin<S: BufRead + Seek>(
        &self,
        source: S,
        stream: &Stream,
        selection: &Selection,
        mut out: impl Write,
    ) -> Result<Thinned, ThinError> {
        let mut source = Source::new(source)?;
        let mut thinned = Thinned::default();
        self.write_start_record(stream, &mut out, &mut thinned)?;
        for part in selection.parts() {
            let part = self.parts.get(part).ok_or(ThinError::Changed)?;
            source.copy(part, |bytes| out.write_all(bytes))?;
            thinned.count_part(part);
        }
        self.write_end_record(&mut out, &mut thinned)?;
        Ok(thinned)
    }

    /// Writes the files of many subscribers in one pass over the source. For each owner, in the order of the file and
    /// perhaps more than once, `recipients` adds the positions of the outputs that get its lines. Writers are not
    /// flushed.
    ///
    /// # Errors
    /// Those of [`FileIndex::thin`], and [`ThinError::NoOutput`]. The outputs are then of no use.
    pub fn split<S: BufRead + Seek, W: Write>(
        &self,
        source: S,
        outputs: &mut [Output<W>],
        mut recipients: impl FnMut(Owner, &mut Vec<usize>),
    ) -> Result<Vec<Thinned>, ThinError> {
        let mut source = Source::new(source)?;
        let mut thinned = vec![Thinned::default(); outputs.len()];
        for (output, thinned) in outputs.iter_mut().zip(&mut thinned) {
            self.write_start_record(&output.stream, &mut output.out, thinned)?;
        }
        let mut targets = Vec::new();
        for part in &self.parts {
            targets.clear();
            recipients(part.owner(), &mut targets);
            targets.sort_unstable();
            targets.dedup();
            if let Some(&output) = targets.last().filter(|&&last| last >= outputs.len()) {
                return Err(ThinError::NoOutput { output, outputs: outputs.len() });
            }
            if !targets.is_empty() {
                source.copy(part, |bytes| targets.iter().try_for_each(|&at| outputs[at].out.write_all(bytes)))?;
                targets.iter().for_each(|&at| thinned[at].count_part(part));
            }
        }
        for (output, thinned) in outputs.iter_mut().zip(&mut thinned) {
            self.write_end_record(&mut output.out, thinned)?;
        }
        Ok(thinned)
    }

    fn write_start_record(
        &self,
        stream: &Stream,
        out: &mut impl Write,
        thinned: &mut Thinned,
    ) -> Result<(), ThinError> {
        let mut start = self.start.clone();
        start.write_field("PRODDTOFORRIG", &format!("{:08}", stream.previous_production_date.digits()));
        if let Some(task) = stream.task {
            start.write_field("OPGAVENR", str::from_utf8(&task.0).expect("six digits, checked by `parse`"));
        }
        out.write_all(&start.line)?;
        thinned.bytes = start.line.len() as u64;
        Ok(())
    }

    fn write_end_record(&self, out: &mut impl Write, thinned: &mut Thinned) -> Result<(), ThinError> {
        let mut end = self.end.clone();
        end.write_field("TAELLER", &end_counter(thinned.records).to_string());
        out.write_all(&end.line)?;
        out.write_all(&self.trailer)?;
        thinned.bytes += (end.line.len() + self.trailer.len()) as u64;
        Ok(())
    }
}

impl Thinned {
    fn count_part(&mut self, part: &Part) {
        self.persons += u64::from(part.kind == PartKind::Opened);
        self.records += u64::from(part.lines);
        self.bytes += u64::from(part.bytes);
    }
}

/// The number where rows and receipts have it; none when it is not one.
fn key_of(line: &[u8]) -> Option<PersonKey> {
    Pnr::parse(line.get(3..HEAD)?)?.key()
}

/// Record number and personnummer.
const HEAD: usize = 13;

/// Adds the line from `line.start` to `end`, to the part before it where it continues that.
fn add_line(parts: &mut Vec<Part>, line: Part, end: u64) {
    let continues = |last: &Part| {
        let is_same = line.kind == last.kind || (line.kind == PartKind::Rows && last.kind == PartKind::Opened);
        let fits = end - last.start <= u64::from(u32::MAX);
        last.owner == line.owner && is_same && last.start + u64::from(last.bytes) == line.start && fits
    };
    if !parts.last().is_some_and(continues) {
        parts.push(line);
    }
    let part = parts.last_mut().expect("pushed above when there was none");
    part.bytes = (end - part.start) as u32;
    part.lines += 1;
}

fn of_kind(parts: &[Part], kind: PartKind) -> impl Iterator<Item = PersonKey> + '_ {
    parts.iter().filter(move |part| part.kind == kind).map(|part| part.owner)
}

/// The source, and the byte where it stands.
struct Source<S> {
    source: S,
    at: u64,
}

impl<S: BufRead + Seek> Source<S> {
    fn new(mut source: S) -> io::Result<Source<S>> {
        source.seek(SeekFrom::Start(0))?;
        Ok(Source { source, at: 0 })
    }

    /// Gives the bytes of a part, in pieces, once its first line is seen to be its owner's.
    fn copy(&mut self, part: &Part, mut sink: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), ThinError> {
        self.go_to(part.start)?;
        self.at = part.start + u64::from(part.bytes);
        if let Some(whole) = self.source.fill_buf()?.get(..part.bytes as usize) {
            part.check_owner(whole)?;
            sink(whole)?;
            self.source.consume(part.bytes as usize);
            return Ok(());
        }
        let mut head = [0; HEAD];
        match self.source.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(ThinError::Changed),
            read => read?,
        }
        part.check_owner(&head)?;
        sink(&head)?;
        let mut missing = part.bytes as usize - HEAD;
        while missing > 0 {
            let buffered = self.source.fill_buf()?;
            if buffered.is_empty() {
                return Err(ThinError::Changed);
            }
            let now = buffered.len().min(missing);
            sink(&buffered[..now])?;
            self.source.consume(now);
            missing -= now;
        }
        Ok(())
    }

    /// Moves forward within the buffer where it reaches so far, and by seeking where it does not.
    fn go_to(&mut self, start: u64) -> io::Result<()> {
        let gap = start.wrapping_sub(self.at);
        if gap > 0 {
            let buffered = self.source.fill_buf()?.len() as u64;
            if gap <= buffered {
                self.source.consume(gap as usize);
            } else {
                self.source.seek(SeekFrom::Start(start))?;
            }
        }
        self.at = start;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_person_are_one_part_up_to_4_gib() {
        let owner = Pnr::parse(b"6101801234").and_then(|pnr| pnr.key()).expect("a key");
        let most = 100 + u64::from(u32::MAX);
        let mut parts = Vec::new();
        for (kind, start, end) in [
            (PartKind::Opened, 100, 149),
            (PartKind::Rows, 149, 178),
            (PartKind::Rows, 178, most),
            (PartKind::Rows, most, most + 29),
            (PartKind::Rows, most + 29, most + 58),
        ] {
            add_line(&mut parts, Part { start, bytes: 0, lines: 0, owner, kind }, end);
        }
        let parts: Vec<_> = parts.iter().map(|part| (part.start, part.bytes, part.lines)).collect();
        assert_eq!(parts, [(100, u32::MAX, 3), (most, 58, 2)]);
    }
}

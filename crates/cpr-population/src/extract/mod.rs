//! Writes a file CPR could have sent: persons as they come, and their addressing rows behind them in address order.
//!
//! CPR sorts the 003 of the whole file by address. To do so without holding them, they wait in a scratch file, in parts
//! by place; each part is then small enough to be sorted in memory.

pub(crate) mod record_template;
mod records;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::{Date, Pnr};

use self::record_template::{PersonLines, RecordTemplates};
use crate::person::{Address, PersonRows};
use crate::reference_data::places::Places;

/// How a file spells its lines: blanks at their end are cut, LF ends them, as in most files of CPR's.
const STYLE: Style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };

/// What a file is made for.
#[derive(Clone, Debug)]
pub struct Product {
    /// The layout family: `std` and its variants, or `full`.
    pub family: &'static Family,
    /// OPGAVENR: six digits, of which the first four are the customer.
    pub task: String,
}

/// Records about the customer's own orders: receipts, and what could not be done.
const RECEIPT: u16 = 997;
const INPUT_ERROR: u16 = 910;

/// How many parts the addressing rows wait in; at 10 million persons each takes some 7 MB.
const BUCKETS: usize = 256;
/// A part is put aside when it has grown to this many bytes.
const BUCKET_BYTES: usize = 64 * 1024;
/// The bytes of the place that an addressing row is sorted by.
const SORT_KEY_BYTES: usize = 26;

/// CPR's answer (910) to a line of input: the subscription asked for was not set.
pub(crate) struct Refusal {
    /// The number that was asked about.
    pub(crate) number: Pnr,
    /// FEJLNR and FEJLTXT.
    pub(crate) error: (u16, &'static str),
}

/// A file being written.
pub(crate) struct Extract<'a, W: Write> {
    writer: ExtractWriter<W>,
    family: &'static Family,
    task: &'a str,
    lines: PersonLines<'a>,
    places: &'a Places,
    buckets: Vec<Bucket>,
    scratch: Option<File>,
    scratch_bytes: u64,
}

#[derive(Default)]
struct Bucket {
    /// Entries: place, length of the line (two bytes), line.
    bytes: Vec<u8>,
    /// Where earlier bytes were put aside.
    spilled: Vec<(u64, usize)>,
}

impl<'a, W: Write> Extract<'a, W> {
    /// Begins the file with its start record.
    pub(crate) fn new(
        out: W,
        product: &'a Product,
        templates: &'a RecordTemplates,
        places: &'a Places,
        [production, previous]: [Date; 2],
    ) -> io::Result<Self> {
        let writer = ExtractWriter::new(out, product.family, STYLE, &product.task, production, previous)?;
        let buckets = (0..BUCKETS).map(|_| Bucket::default()).collect();
        let (family, task) = (product.family, product.task.as_str());
        Ok(Extract {
            writer,
            family,
            task,
            lines: PersonLines::new(templates),
            places,
            buckets,
            scratch: None,
            scratch_bytes: 0,
        })
    }

    /// Writes the receipt (997) for a subscription that ended at this moment; before any person. Families without it go
    /// without.
    pub(crate) fn write_receipt(&mut self, number: Pnr, at: u64) -> io::Result<()> {
        if self.family.record(RECEIPT).is_none() {
            return Ok(());
        }
        self.writer.record(RECEIPT, number, &[("TIMESTAMPU", &at.to_string()), ("HAENDELSE", "A45")])
    }

    /// Writes a person; persons come in any order, each once.
    pub(crate) fn write_person(&mut self, person: &PersonRows, number: Pnr) -> io::Result<()> {
        let formatted = records::write_person(&mut self.lines, person, number);
        for line in self.lines.finished_lines() {
            self.writer.line(line)?;
        }
        if let Some(line) = formatted {
            let address = person.last_address();
            let at = (self.places.share(address) * BUCKETS as f64) as usize;
            let bucket = &mut self.buckets[at];
            bucket.bytes.extend_from_slice(&sort_key(address, number));
            bucket.bytes.extend_from_slice(&(line.len() as u16).to_be_bytes());
            bucket.bytes.extend_from_slice(&line);
            if bucket.bytes.len() >= BUCKET_BYTES {
                self.spill(at)?;
            }
        }
        Ok(())
    }

    fn spill(&mut self, at: usize) -> io::Result<()> {
        let bucket = &mut self.buckets[at];
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(tempfile::tempfile()?),
        };
        scratch.write_all(&bucket.bytes)?;
        bucket.spilled.push((self.scratch_bytes, bucket.bytes.len()));
        self.scratch_bytes += bucket.bytes.len() as u64;
        bucket.bytes.clear();
        Ok(())
    }

    /// Writes the addressing rows, the end record and, behind it, what CPR refused; and gives the writer back.
    pub(crate) fn finish(mut self, refusals: &[Refusal]) -> io::Result<W> {
        let mut bytes = Vec::new();
        for bucket in &self.buckets {
            bytes.clear();
            for &(offset, length) in &bucket.spilled {
                let scratch = self.scratch.as_mut().expect("a part was put aside, so there is a scratch file");
                scratch.seek(SeekFrom::Start(offset))?;
                Read::by_ref(scratch).take(length as u64).read_to_end(&mut bytes)?;
            }
            bytes.extend_from_slice(&bucket.bytes);
            for entry in sorted_entries(&bytes) {
                self.writer.line(&entry[SORT_KEY_BYTES + 2..])?;
            }
        }
        let mut out = self.writer.finish()?;
        if let Some(layout) = self.family.record(INPUT_ERROR) {
            for refusal in refusals {
                let number = refusal.number.reveal();
                // Input line 06: customer, 00, OP (set) and the number.
                let input = format!("06{}00OP{number}", self.task.get(..4).unwrap_or_default());
                let (error, text) = refusal.error;
                let fields = [
                    ("SORTFELT-10", number),
                    ("INDDATA", &input),
                    ("FEJLNR", &error.to_string()),
                    ("FEJLTXT-UDTRÆK", text),
                ];
                layout.compose(None, &fields, &mut bytes).map_err(io::Error::other)?;
                out.write_all(bytes.trim_ascii_end())?;
                out.write_all(b"\n")?;
            }
        }
        Ok(out)
    }
}

/// The entries of a part, by place.
fn sorted_entries(bytes: &[u8]) -> Vec<&[u8]> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while rest.len() > SORT_KEY_BYTES + 2 {
        let length = usize::from(u16::from_be_bytes([rest[SORT_KEY_BYTES], rest[SORT_KEY_BYTES + 1]]));
        let (entry, after) = rest.split_at(SORT_KEY_BYTES + 2 + length);
        entries.push(entry);
        rest = after;
    }
    entries.sort_unstable();
    entries
}

/// Where an address stands among all: municipality, street, even house numbers before odd ones, house number, letter,
/// floor, door, building, each in EBCDIC order; then the number, so that the order is whole.
fn sort_key(address: Option<&Address>, number: Pnr) -> [u8; SORT_KEY_BYTES] {
    let mut place = [0; SORT_KEY_BYTES];
    if let Some(at) = address {
        place[..2].copy_from_slice(&at.municipality.to_be_bytes());
        place[2..4].copy_from_slice(&at.street.to_be_bytes());
        place[4] = (at.house % 2) as u8;
        place[5..7].copy_from_slice(&at.house.to_be_bytes());
        place[7] = ebcdic(at.letter);
        for (to, from) in place[8..14].iter_mut().zip(at.floor.iter().chain(&at.door)) {
            *to = ebcdic(*from);
        }
        place[14..16].copy_from_slice(&at.building.to_be_bytes());
    }
    place[16..].copy_from_slice(number.reveal().as_bytes());
    place
}

/// A character by its place in EBCDIC: blank, signs, small letters, capitals, digits.
fn ebcdic(letter: u8) -> u8 {
    match letter {
        b'a'..=b'z' => letter - b'a' + 0x80,
        b'A'..=b'Z' => letter - b'A' + 0xC0,
        b'0'..=b'9' => letter - b'0' + 0xF0,
        0 | b' ' => 0x40,
        _ => 0x60,
    }
}

//! Extracts of few persons with very many rows, written by a script of a few bytes: what a fault of size needs to be seen.
//!
//! A script is small, so that a fuzzer changes all of it at once, and its extracts are large: a change of one byte is
//! another count, another record, rows on one day instead of many. Every extract of a script is sound.

use std::collections::BTreeMap;

use cpr_extract::{ExtractWriter, Family, Format, LineEnd, Padding, RecordLayout, Role, Style};
use cpr_model::{Date, Pnr};
use cpr_population::EVENT_CODES;
use cpr_replika::ALL_HISTORY;

/// Rows of a person in one extract, events among them, and of all persons; times the scale.
const MOST_ROWS: usize = 2_000;

/// 003 that a file may have of one person, at any scale.
const MOST_FORMATTED: usize = 500;

/// The persons: numbers that no real person has.
const PERSONS: [&[u8; 10]; 4] = [b"6101801234", b"7512695678", b"8803154321", b"6101801235"];

/// How many deliveries a script writes.
pub const DELIVERIES: usize = 3;

/// Bytes of an instruction, and how many there are in a script.
const INSTRUCTION: usize = 8;
const MOST_INSTRUCTIONS: usize = 24;

/// Rows of one record, alike but for what moves from row to row.
#[derive(Clone, Copy, Debug)]
struct Instruction {
    /// In which deliveries they stand: a bit each.
    deliveries: u8,
    /// In the last of them each row is another one; in every second the order is turned around.
    changes: u8,
    person: u8,
    record: u8,
    /// How many, as a power: small counts are as likely as large ones.
    count: u8,
    /// The first day.
    start: u8,
    /// Days from a row to the next: 0, and all have one day.
    step: u8,
    /// The mark of a correction, and after how many rows the other values come again.
    values: u8,
}

/// Scripts to begin with, of one record or of those that are compared with each other: a family, then instructions.
pub const SCRIPTS: &[(&str, &[u8])] = &[
    ("former-addresses", b"\x00\x07\x02\x00\x15\xb0\x60\x1e\x0f"),
    ("names-of-one-day", b"\x00\x07\x03\x00\x18\xa0\x60\x00\x08\x06\x02\x01\x18\xa8\x60\x00\x01"),
    ("events-and-addresses", b"\x00\x06\x02\x00\x1d\x90\xa0\x01\x0a\x07\x02\x00\x15\x90\xa0\x01\x0f"),
    ("former-numbers-behind-the-window", b"\x06\x07\x02\x00\x14\xa0\x60\x01\x03\x07\x00\x01\x15\xa0\x60\x01\x0e"),
    ("former-numbers", b"\x00\x07\x02\x00\x14\xa0\x60\x01\x0f\x07\x00\x01\x14\xa0\x60\x01\x0e"),
    (
        "relatives",
        b"\x00\x07\x02\x00\x0c\x90\x60\x01\x0f\x07\x02\x00\x0e\x90\x60\x01\x0f\x05\x02\x02\x0d\x80\x60\x01\x0f",
    ),
    ("many-current-addresses", b"\x00\x03\x02\x00\x00\xa0\x60\x02\x0f\x05\x02\x00\x01\xa0\x60\x00\x0f"),
    (
        "corrected",
        b"\x00\x07\x02\x00\x15\x90\x60\x05\x4f\x06\x02\x00\x15\x90\x60\x05\x8f\x02\x02\x00\x1b\x90\x60\x05\x8f",
    ),
    ("full-addresses", b"\x01\x07\x02\x00\x08\xa0\x60\x1e\x0f\x07\x00\x00\x07\x50\x60\x1e\x0f"),
    ("full-numbers-and-events", b"\x01\x07\x02\x00\x17\x90\x60\x01\x0f\x06\x02\x00\x1c\x90\xa0\x01\x0a"),
];

/// A script: a byte for family and window, then instructions.
#[derive(Clone, Debug)]
pub struct Script {
    /// The family of all its extracts.
    pub family: &'static Family,
    /// The history window of the store they go into.
    pub window_years: u8,
    instructions: Vec<Instruction>,
}

impl Script {
    /// What stands behind so many bytes of a script is passed over.
    pub const MOST_BYTES: usize = 1 + MOST_INSTRUCTIONS * INSTRUCTION;

    /// Any bytes but none are a script; what is left behind the last whole instruction is passed over.
    pub fn read(bytes: &[u8]) -> Option<Script> {
        let (head, rest) = bytes.split_first()?;
        let family = Family::named(if head.is_multiple_of(2) { "std" } else { "full" }).expect("a family");
        let window_years = [ALL_HISTORY, 5, ALL_HISTORY, 0][usize::from(head >> 1) % 4];
        let instructions = rest.as_chunks::<INSTRUCTION>().0.iter().take(MOST_INSTRUCTIONS).map(|bytes| {
            let [deliveries, changes, person, record, count, start, step, values] = *bytes;
            Instruction { deliveries, changes, person, record, count, start, step, values }
        });
        Some(Script { family, window_years, instructions: instructions.collect() })
    }

    /// The extracts, in the order in which they are applied, with as many times the rows as the scale says; and how many
    /// rows there are in all of them.
    pub fn extracts(&self, scale: usize) -> (Vec<Vec<u8>>, usize) {
        let mut rows = 0;
        let extracts = (0..DELIVERIES).map(|delivery| {
            let (extract, count) = self.extract(delivery, scale);
            rows += count;
            extract
        });
        (extracts.collect(), rows)
    }

    fn extract(&self, delivery: usize, scale: usize) -> (Vec<u8>, usize) {
        let day = |delivery: usize| Date::from_digits(2026_01_05 + delivery as u32).expect("eight digits");
        let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
        let previous = day(delivery.saturating_sub(1));
        let writer = ExtractWriter::new(Vec::new(), self.family, style, "999901", day(delivery), previous);
        let mut writer = writer.expect("memory can be written");
        let mut of_persons: BTreeMap<usize, Vec<&Instruction>> = BTreeMap::new();
        for instruction in self.instructions.iter().filter(|of| of.deliveries >> delivery & 1 == 1) {
            of_persons.entry(usize::from(instruction.person) % PERSONS.len()).or_default().push(instruction);
        }
        let mut rows_left = MOST_ROWS * scale;
        let (mut rows, mut line, mut behind) = (0, Vec::new(), Vec::new());
        for (person, instructions) in of_persons {
            let pnr = Pnr::parse(PERSONS[person]).expect("ten digits");
            let opens = [("STATUS", "01"), ("STATUSHAENSTART", "198001010000")];
            writer.record(1, pnr, &opens).expect("fields that 001 has");
            let mut formatted_left = MOST_FORMATTED;
            // Events stand behind the facts of their person.
            for is_event in [false, true] {
                for instruction in &instructions {
                    let layout = instruction.layout(self.family);
                    if (layout.role == Role::Event) != is_event {
                        continue;
                    }
                    let mut count = (instruction.count() * scale).min(rows_left);
                    if layout.is_formatted_address() {
                        count = count.min(formatted_left);
                        formatted_left -= count;
                    }
                    rows_left -= count;
                    rows += count;
                    for at in 0..count {
                        instruction.write(layout, pnr, delivery, (at, count), &mut line);
                        match layout.is_formatted_address() {
                            true => behind.push(line.clone()),
                            false => writer.line(&line).expect("memory can be written"),
                        }
                    }
                }
            }
        }
        for line in behind {
            writer.line(&line).expect("memory can be written");
        }
        (writer.finish().expect("memory can be written"), rows)
    }
}

impl Instruction {
    /// Any record of a person but 001, which is there once.
    fn layout<'f>(&self, family: &'f Family) -> &'f RecordLayout {
        let is_row = |of: &&RecordLayout| matches!(of.role, Role::Fact(..) | Role::Event) && !of.opens_person();
        let count = family.records().filter(is_row).count();
        family.records().filter(is_row).nth(usize::from(self.record) % count).expect("below the count")
    }

    fn count(&self) -> usize {
        // 1, 2, 4 … 1024, and something between.
        (1 << (self.count >> 4).min(11)) + usize::from(self.count & 15)
    }

    /// Writes the row of this place among so many.
    fn write(&self, layout: &RecordLayout, pnr: Pnr, delivery: usize, place: (usize, usize), line: &mut Vec<u8>) {
        let (at, count) = place;
        let is_last = self.deliveries >> (delivery + 1) & 3 == 0 && delivery > 0;
        let at = if self.changes & 1 == 1 && delivery % 2 == 1 { count - 1 - at } else { at };
        let number = at + usize::from(self.changes & 2 == 2 && is_last);
        let value = number % (1 << (self.values & 15));
        layout.compose(Some(pnr), &[], line).expect("no fields");
        for column in &layout.columns {
            let cell = &mut line[column.start..column.start + column.length];
            let day = usize::from(self.start) * 128 + number * usize::from(self.step);
            match column.format {
                Format::Key => {}
                Format::Timestamp | Format::TimestampOrBlank => fill(cell, &format!("{}0000", digits(day))),
                Format::Date => fill(cell, &dashed(&digits(day))),
                Format::PlainDate => fill(cell, &digits(day)),
                Format::Flag if column.name == "ANNKOR" => {
                    cell.copy_from_slice(&[b" KA "[usize::from(self.values >> 6)]])
                }
                Format::Flag => {}
                // One of the persons, or one of very many who are not held.
                Format::Pnr => match value % 8 {
                    0..4 => cell.copy_from_slice(PERSONS[value % PERSONS.len()]),
                    _ => {
                        fill(cell, &format!("61{:02}{:02}{:04}", 1 + value % 12, value / 12 % 100, 1000 + value % 8999))
                    }
                },
                Format::Number | Format::NumberOrBlank => {
                    let width = column.length;
                    fill(cell, &format!("{:0width$}", value % 10_usize.pow(width.min(9) as u32)));
                }
                Format::Text if column.name == "HAENDELSE" => fill(cell, EVENT_CODES[value % EVENT_CODES.len()].0),
                Format::Text => fill(cell, &format!("{value:X}")),
            }
        }
    }
}

/// The text from the left, as much as there is room for.
fn fill(cell: &mut [u8], text: &str) {
    let length = text.len().min(cell.len());
    cell[..length].copy_from_slice(&text.as_bytes()[..length]);
}

/// The digits of a day, counted in months of 28 days from 1900.
fn digits(day: usize) -> String {
    let (year, month, day) = (1900 + day / (12 * 28) % 200, 1 + day / 28 % 12, 1 + day % 28);
    format!("{year:04}{month:02}{day:02}")
}

fn dashed(digits: &str) -> String {
    format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..])
}

//! Lines by column: each record of a family laid out once, with the place of every field, so that a row is a copy of a
//! blank line and a few writes.

use cpr_extract::{Family, Format, Role};
use cpr_model::{Aspect, Date, Field, Pnr, Values};

use crate::person::Moment;

const FIELDS: usize = 256;
const ASPECTS: usize = 64;

#[derive(Clone, Copy)]
struct Cell {
    start: u16,
    length: u16,
    format: Format,
}

struct RecordTemplate {
    number: u16,
    line: Vec<u8>,
    cells: Vec<Option<Cell>>,
}

/// The records of a family, ready to be filled.
pub(crate) struct RecordTemplates {
    templates: Vec<Option<RecordTemplate>>,
}

fn slot(aspect: Aspect, historic: bool) -> usize {
    usize::from(aspect.number()) + if historic { ASPECTS } else { 0 }
}

impl RecordTemplates {
    pub(crate) fn new(family: &'static Family) -> RecordTemplates {
        let mut templates: Vec<Option<RecordTemplate>> = (0..2 * ASPECTS).map(|_| None).collect();
        for layout in family.records() {
            let at = match layout.role {
                Role::Fact(aspect, historic) => slot(aspect, historic),
                Role::Event => slot(Aspect::Event, false),
                _ => continue,
            };
            let mut line = Vec::new();
            layout.render(None, Values::new(&[]), &mut line);
            let mut cells = vec![None; FIELDS];
            for column in &layout.columns {
                if let Some(field) = column.field {
                    let (start, length) = (column.start as u16, column.length as u16);
                    cells[usize::from(field.number())] = Some(Cell { start, length, format: column.format });
                }
            }
            // A later record of the same aspect stands for it (2022: 052 for 017).
            templates[at] = Some(RecordTemplate { number: layout.number, line, cells });
        }
        RecordTemplates { templates }
    }
}

/// The lines of one person, each with its record number.
pub(crate) struct PersonLines<'a> {
    templates: &'a RecordTemplates,
    pnr: Option<Pnr>,
    bytes: Vec<u8>,
    /// Record number, start and end in `bytes`; the last one is being filled.
    lines: Vec<(u16, usize, usize)>,
    open: Option<&'a RecordTemplate>,
}

impl<'a> PersonLines<'a> {
    pub(crate) fn new(templates: &'a RecordTemplates) -> PersonLines<'a> {
        PersonLines { templates, pnr: None, bytes: Vec::new(), lines: Vec::new(), open: None }
    }

    /// Begins a person.
    pub(crate) fn begin_person(&mut self, pnr: Pnr) {
        self.pnr = Some(pnr);
        self.bytes.clear();
        self.lines.clear();
        self.open = None;
    }

    /// Begins a row; false when the family has no such record, and what is set then goes nowhere.
    pub(crate) fn begin_row(&mut self, aspect: Aspect, historic: bool) -> bool {
        self.open = self.templates.templates[slot(aspect, historic)].as_ref();
        let Some(template) = self.open else { return false };
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&template.line);
        if let Some(pnr) = self.pnr {
            self.bytes[start + 3..start + 13].copy_from_slice(pnr.reveal().as_bytes());
        }
        self.lines.push((template.number, start, self.bytes.len()));
        true
    }

    /// True when the row that is being filled has a place for a field.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.open.is_some_and(|template| template.cells[usize::from(field.number())].is_some())
    }

    fn cell(&mut self, field: Field) -> Option<(&mut [u8], Format)> {
        let cell = self.open?.cells[usize::from(field.number())]?;
        let start = self.lines.last()?.1 + usize::from(cell.start);
        Some((&mut self.bytes[start..start + usize::from(cell.length)], cell.format))
    }

    pub(crate) fn put_bytes(&mut self, field: Field, text: &[u8]) {
        if let Some((cell, _)) = self.cell(field) {
            let length = text.len().min(cell.len());
            cell[..length].copy_from_slice(&text[..length]);
        }
    }

    /// Text in ISO 8859-1; what is too long for the field is cut.
    pub(crate) fn put_text(&mut self, field: Field, text: &str) {
        if text.is_ascii() {
            return self.put_bytes(field, text.as_bytes());
        }
        if let Some((cell, _)) = self.cell(field) {
            for (byte, letter) in cell.iter_mut().zip(text.chars()) {
                *byte = u8::try_from(u32::from(letter)).unwrap_or(b'?');
            }
        }
    }

    pub(crate) fn put_number(&mut self, field: Field, number: u64) {
        if let Some((cell, _)) = self.cell(field) {
            write_digits(cell, number);
        }
    }

    pub(crate) fn put_mark(&mut self, field: Field, mark: char) {
        if let Some((cell, _)) = self.cell(field) {
            cell[0] = u8::try_from(u32::from(mark)).unwrap_or(b' ');
        }
    }

    fn put_uncertain_mark(&mut self, field: Field, is_so: bool) {
        if is_so {
            self.put_mark(field, '*');
        }
    }

    pub(crate) fn put_date(&mut self, field: Field, date: Option<Date>) {
        if let (Some((cell, _)), Some(date)) = (self.cell(field), date) {
            let digits = u64::from(date.digits());
            write_digits(&mut cell[..4], digits / 10_000);
            write_digits(&mut cell[5..7], digits / 100 % 100);
            write_digits(&mut cell[8..10], digits % 100);
            (cell[4], cell[7]) = (b'-', b'-');
        }
    }

    /// A date and its mark.
    pub(crate) fn put_marked_date(&mut self, field: Field, mark: Field, date: Option<Date>, is_uncertain: bool) {
        self.put_date(field, date);
        self.put_uncertain_mark(mark, is_uncertain);
    }

    /// A timestamp and its mark, as a date where the family has one.
    pub(crate) fn put_moment(&mut self, field: Field, mark: Field, at: Moment) {
        match self.cell(field) {
            Some((_, Format::Date)) => self.put_date(field, at.date()),
            Some((cell, _)) if at.digits > 0 => write_digits(cell, at.digits),
            _ => {}
        }
        self.put_uncertain_mark(mark, at.uncertain);
    }

    /// A timestamp, blank or zeros when there is none.
    pub(crate) fn put_timestamp(&mut self, field: Field, digits: u64) {
        if digits > 0 {
            self.put_number(field, digits);
        }
    }

    pub(crate) fn put_pnr(&mut self, field: Field, pnr: Pnr) {
        self.put_bytes(field, pnr.reveal().as_bytes());
    }

    /// The addressing row, which stands behind all persons, out of the rows.
    pub(crate) fn take_last(&mut self) -> Option<Vec<u8>> {
        let (_, start, end) = self.lines.pop()?;
        let line = trimmed(&self.bytes[start..end]).to_vec();
        self.bytes.truncate(start);
        self.open = None;
        Some(line)
    }

    /// The finished lines by record number, trailing blanks cut.
    pub(crate) fn finished_lines(&mut self) -> impl Iterator<Item = &[u8]> {
        // Stable: rows of one type stay in their order.
        self.lines.sort_by_key(|(number, ..)| *number);
        self.lines.iter().map(|(_, start, end)| trimmed(&self.bytes[*start..*end]))
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    // Most lines end in long runs of blanks: by sixteen as long as it goes.
    const BLANKS: [u8; 16] = [b' '; 16];
    let mut end = line.len();
    while end >= BLANKS.len() && line[end - BLANKS.len()..end] == BLANKS {
        end -= BLANKS.len();
    }
    while end > 0 && line[end - 1] == b' ' {
        end -= 1;
    }
    &line[..end]
}

fn write_digits(cell: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in cell.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

//! The first reading of an extract, record by record: what [`crate::check`] knows so far.

use std::collections::BTreeMap;

use cpr_model::{Aspect, Date, Day, Pnr};
use roaring::RoaringBitmap;

use crate::checked::{CheckOptions, Checked, Header, InputError};
use crate::family::{RecordLayout, Role};
use crate::fault::{Fault, Faults, Reason};
use crate::index::{FormattedIndex, MOST_FORMATTED};
use crate::record::Record;
use crate::repeated::{Comparison, Repeated};
use crate::style::{Style, StyleVotes};
use crate::writer::end_counter;

#[derive(PartialEq)]
enum Stage {
    Start,
    Body,
    Ended,
}

/// The aspects of which a person has one current row, by their numbers.
const ONCE: u64 = {
    use Aspect as A;
    let aspects = [
        A::Address,
        A::Emigration,
        A::ContactAddress,
        A::Disappearance,
        A::Name,
        A::BirthRegistration,
        A::Citizenship,
        A::Church,
        A::CivilStatus,
        A::Separation,
        A::Parents,
    ];
    let (mut set, mut at) = (0, 0);
    while at < aspects.len() {
        set |= 1 << aspects[at] as u8;
        at += 1;
    }
    set
};

/// Rows that stand with one person; with its 003 behind all persons ([`MOST_FORMATTED`]) fewer than 16 bits can number.
const MOST_ROWS: u32 = 65_000;
/// 910 kept in memory, of which those behind are counted; they answer lines that the customer sent.
const MOST_INPUT_ERRORS: usize = 100_000;
/// Repeated persons that are compared; CPR announces them for deleted numbers, a few in a night.
const MOST_REPEATED: usize = 100_000;
/// Faults behind which reading on would tell nothing new.
const MOST_FAULTS: u64 = 100_000;

pub(crate) struct Checker<'a> {
    options: CheckOptions<'a>,
    stage: Stage,
    /// Persons whose 001 was read.
    seen: RoaringBitmap,
    last_seen: u32,
    /// The digits of the person whose rows are read.
    current: Option<[u8; 10]>,
    key: u32,
    /// The line before was a row of that person.
    goes_on: bool,
    /// It stands in the file for the second time or more.
    is_repeated: bool,
    rows: u32,
    /// The 003 among them.
    formatted_rows: usize,
    /// The kinds of current rows that it has, of those that a person has once, by number of the aspect.
    once: u64,
    counted: u64,
    /// The counter, when it could be read, and where it stands.
    stated: Option<(Option<u64>, u64, u64)>,
    /// What ended the reading before its time.
    ended_by: Option<Fault>,
    votes: StyleVotes,
    behind: bool,
    index: FormattedIndex,
    repeated: Vec<Repeated>,
    faults: Faults,
    /// Records by number.
    records: Box<[u64; 1000]>,
    result: Checked,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(options: CheckOptions<'a>) -> Self {
        let result = Checked {
            family: options.family,
            header: None,
            records: BTreeMap::new(),
            persons: 0,
            repeated_persons: 0,
            doubled_rows: 0,
            style: Style::default(),
            receipts: 0,
            input_errors: Vec::new(),
            input_errors_beyond: 0,
            odd_characters: 0,
            faults: Vec::new(),
            fault_count: 0,
            waived: 0,
            lines: 0,
            bytes: 0,
            index: FormattedIndex::default(),
            persons_end: 0,
            checksums: Vec::new(),
            repeated: RoaringBitmap::new(),
        };
        Checker {
            options,
            stage: Stage::Start,
            seen: RoaringBitmap::new(),
            last_seen: 0,
            current: None,
            key: 0,
            goes_on: false,
            is_repeated: false,
            rows: 0,
            formatted_rows: 0,
            once: 0,
            counted: 0,
            stated: None,
            ended_by: None,
            votes: StyleVotes::default(),
            behind: false,
            index: FormattedIndex::default(),
            repeated: Vec::new(),
            faults: Faults::default(),
            records: Box::new([0; 1000]),
            result,
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.options.waive.covers(fault.reason) {
            self.result.waived += 1;
            return;
        }
        self.faults.add(fault);
        if self.faults.count() > MOST_FAULTS {
            self.ended_by = Some(Fault::at(fault.line, fault.offset, fault.record, None, Reason::TooManyFaults));
        }
    }

    /// True when what follows need not be read.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended_by.is_some()
    }

    /// A line that does not fit is still a record that was sent: it counts, and its number still says whose rows
    /// follow, so that one bad field is one fault.
    pub(crate) fn misfit(&mut self, fault: Fault, bytes: &[u8]) {
        self.goes_on = false;
        if fault.reason.is_foreign() {
            self.ended_by = Some(fault);
            return;
        }
        let layout = self.options.family.layout_of(bytes);
        if self.stage == Stage::Start && layout.is_none_or(|layout| layout.role != Role::Start) {
            self.no_start();
        }
        self.stage = if self.stage == Stage::Ended { Stage::Ended } else { Stage::Body };
        if fault.reason.ends_reading() {
            self.ended_by = Some(fault);
            return;
        }
        self.fault(fault);
        match layout.map(|layout| layout.role) {
            Some(Role::Start | Role::InputError) => {}
            Some(Role::End) => {
                self.stage = Stage::Ended;
                // Its own fault says what is wrong with the counter.
                self.stated = Some((None, fault.line, fault.offset));
            }
            _ if fault.reason == Reason::EmptyLine => {}
            _ => self.counted += 1,
        }
        let digits: Option<[u8; 10]> = bytes.get(3..13).and_then(|digits| digits.try_into().ok());
        let key = digits.and_then(|digits| Pnr::parse(&digits)).and_then(|pnr| pnr.key());
        if let (Some(layout), Some(key)) = (layout, key)
            && layout.opens_person()
        {
            self.current = digits;
            self.see(key.as_u32());
        }
    }

    fn no_start(&mut self) {
        self.fault(Fault::at(1, 0, None, None, Reason::NoStart));
    }

    /// The runs of a start record were on days of the calendar: their digits alone are no day. A product without a run
    /// before it has zeros for that.
    fn check_days(&mut self, record: &Record<'_>) {
        let Some(Header { production_date, previous_production_date, .. }) = self.result.header else { return };
        let no_run_before = Date::from_digits(0) == Some(previous_production_date);
        let days = [("PRODDTO", production_date, false), ("PRODDTOFORRIG", previous_production_date, no_run_before)];
        for (field, date, may_be) in days {
            if !may_be && Day::of(date).is_none() {
                let number = Some(record.layout.number);
                self.fault(Fault::at(record.line, record.offset, number, Some(field), Reason::NotADate));
            }
        }
    }

    fn refuse(&mut self, record: &Record<'_>, reason: Reason) {
        let number = Some(record.layout.number);
        self.fault(Fault::at(record.line, record.offset, number, None, reason));
    }

    /// A record of a number that the caller ignores.
    pub(crate) fn ignored(&mut self, number: u16, (line, offset): (u64, u64)) {
        self.goes_on = false;
        self.records[usize::from(number).min(999)] += 1;
        self.counted += 1;
        if self.stage == Stage::Ended {
            self.fault(Fault::at(line, offset, Some(number), None, Reason::AfterEnd));
        }
    }

    /// `has_same_person` is true for a record about the person of the line before, if that was a record about one that
    /// fits; false leaves it open.
    #[inline]
    pub(crate) fn record(&mut self, record: &Record<'_>, has_same_person: bool) {
        let layout = record.layout;
        // Then the line itself need not be looked at, which others have looked at on another processor.
        let goes_on = std::mem::take(&mut self.goes_on) && has_same_person;
        self.records[usize::from(layout.number)] += 1;
        self.votes.line(record.bytes, layout.length, record.end);
        if record.has_odd_character {
            self.odd_character(record);
        }
        if self.stage == Stage::Body && layout.has_key {
            self.counted += 1;
            return self.person_row(record, layout, goes_on);
        }
        self.frame_row(record, layout);
    }

    fn odd_character(&mut self, record: &Record<'_>) {
        self.result.odd_characters += 1;
        // What a customer sent in comes back as it is.
        if record.layout.role != Role::InputError && record.bytes.iter().any(|byte| (0x80..=0x9F).contains(byte)) {
            self.refuse(record, Reason::CodePage);
        }
    }

    fn frame_row(&mut self, record: &Record<'_>, layout: &'static RecordLayout) {
        if self.stage == Stage::Ended && layout.role != Role::InputError {
            return self.refuse(record, Reason::AfterEnd);
        }
        if self.stage == Stage::Start && layout.role != Role::Start {
            // Told once; what follows is still checked.
            self.stage = Stage::Body;
            self.no_start();
        }
        match layout.role {
            Role::Start if self.stage == Stage::Start => {
                self.stage = Stage::Body;
                self.result.header = header(record);
                self.check_days(record);
            }
            Role::Start => self.refuse(record, Reason::SecondStart),
            Role::End => {
                self.stage = Stage::Ended;
                if !self.behind {
                    self.result.persons_end = record.offset;
                }
                let stated = record.text("TAELLER").and_then(|text| text.reveal().parse().ok());
                self.stated = Some((stated, record.line, record.offset));
            }
            Role::InputError if self.result.input_errors.len() < MOST_INPUT_ERRORS => {
                let text = |name| record.text(name).map(|text| text.reveal().into_owned()).unwrap_or_default();
                let number = text("FEJLNR").parse().unwrap_or(0);
                self.result.input_errors.push(InputError { number, text: text("FEJLTXT-UDTRÆK") });
            }
            Role::InputError => self.result.input_errors_beyond += 1,
            Role::Receipt => {
                self.counted += 1;
                self.result.receipts += 1;
            }
            Role::Fact(..) | Role::Event => {
                self.counted += 1;
                self.person_row(record, layout, false);
            }
        }
    }

    #[inline]
    fn person_row(&mut self, record: &Record<'_>, layout: &'static RecordLayout, goes_on: bool) {
        if self.options.chosen.is_some_and(|chosen| !chosen.contains(&layout.number)) {
            return self.refuse(record, Reason::NotChosen);
        }
        // Most rows belong to the person before them.
        let goes_on = goes_on || self.current.is_some() && self.current == record.key_digits();
        if goes_on && !self.behind && !layout.opens_person() {
            self.goes_on = true;
            self.rows += 1;
            if self.rows > MOST_ROWS {
                self.refuse(record, Reason::TooManyRows);
            }
            if layout.is_formatted_address() {
                self.formatted_with_person(record);
            }
            self.note_once(layout);
            return;
        }
        let Some(key) = record.pnr().and_then(|pnr| pnr.key()) else {
            return self.refuse(record, Reason::NotAPerson);
        };
        let key = key.as_u32();
        if layout.opens_person() {
            self.person(record, key);
        } else if layout.is_formatted_address() {
            self.formatted(record, key);
        } else if self.seen.contains(key) {
            self.refuse(record, Reason::ScatteredPerson);
        } else {
            self.refuse(record, Reason::NoPerson);
        }
    }

    /// Counts current rows of a kind that a person has once, when one of that kind came before. They are kept.
    fn note_once(&mut self, layout: &RecordLayout) {
        let Role::Fact(aspect, false) = layout.role else { return };
        let kind = ONCE & 1 << aspect.number();
        self.result.doubled_rows += u64::from(self.once & kind != 0 && !self.is_repeated);
        self.once |= kind;
    }

    /// A 001.
    fn person(&mut self, record: &Record<'_>, key: u32) {
        if self.behind {
            // Whose 003 stand here is asked of the persons so far, not of those that follow.
            self.index.settle(&self.seen);
            self.behind = false;
        }
        (self.current, self.goes_on) = (record.key_digits(), true);
        self.key = key;
        (self.rows, self.formatted_rows) = (1, 0);
        self.once = 0;
        self.is_repeated = !self.see(key);
        if !self.is_repeated {
            self.result.persons += 1;
        } else if self.repeated.len() < MOST_REPEATED {
            let fault = Fault::at(record.line, record.offset, Some(record.layout.number), None, Reason::RepeatedPerson);
            self.repeated.push(Repeated { key, fault });
        } else {
            self.refuse(record, Reason::RepeatedPerson);
        }
    }

    /// True for a person who was not seen before. Persons stand in the order of their keys, as a rule: then nothing is
    /// searched for.
    fn see(&mut self, key: u32) -> bool {
        if key <= self.last_seen {
            return self.seen.insert(key);
        }
        self.last_seen = key;
        self.seen.try_push(key).is_ok()
    }

    /// A 003 that does not stand with its person.
    fn formatted(&mut self, record: &Record<'_>, key: u32) {
        if !self.behind {
            if !self.seen.contains(key) {
                return self.refuse(record, Reason::NoPerson);
            }
            self.behind = true;
            self.result.persons_end = record.offset;
        }
        // With more than so many, somebody has too many: told here, so that the index stays in line with the persons.
        if self.index.len() as u64 > MOST_FORMATTED as u64 * (self.result.persons + 1) {
            return self.refuse(record, Reason::TooManyRows);
        }
        self.index.add(key, record);
    }

    /// A 003 that stands with its person.
    fn formatted_with_person(&mut self, record: &Record<'_>) {
        if self.is_repeated {
            return self.formatted_again(record);
        }
        self.formatted_rows += 1;
        if self.formatted_rows > MOST_FORMATTED {
            return self.refuse(record, Reason::TooManyRows);
        }
        self.index.stand_with(self.key, self.formatted_rows);
    }

    /// A 003 that stands right behind a later group of its person. It may be the one that belongs to all groups, so it
    /// is put beside those behind.
    #[cold]
    fn formatted_again(&mut self, record: &Record<'_>) {
        if let Some(key) = record.pnr().and_then(|pnr| pnr.key()) {
            self.index.add(key.as_u32(), record);
        }
    }

    /// Ends the first reading: the index of the 003 is complete, and tells its faults. What is left to do is to compare
    /// the groups of persons who stand in the file more than once.
    pub(crate) fn end_reading(&mut self) {
        for fault in self.index.finish(&self.seen) {
            self.fault(fault);
        }
    }

    /// The second and later 001 of persons; empty when the reading has ended before its time.
    pub(crate) fn take_repeated(&mut self) -> Vec<Repeated> {
        let repeated = std::mem::take(&mut self.repeated);
        if !self.has_ended() {
            return repeated;
        }
        repeated.into_iter().for_each(|repeated| self.fault(repeated.fault));
        Vec::new()
    }

    /// Later groups of persons, held against the first ones.
    pub(crate) fn compared(&mut self, repeated: &[Repeated], compared: &Comparison) {
        for repeated in repeated {
            if compared.is_unequal(repeated.key) {
                self.fault(repeated.fault);
            } else {
                self.result.repeated_persons += 1;
                self.result.repeated.insert(repeated.key);
            }
        }
        let persons = &self.result.repeated;
        self.index.keep_first_of(|key| persons.contains(key), |key| compared.has_formatted(key));
    }

    pub(crate) fn finish(mut self, lines: u64, bytes: u64, trailer: Vec<u8>, checksums: Vec<u64>) -> Checked {
        if let Some(fault) = self.whole(lines, bytes) {
            if self.options.waive.covers(fault.reason) {
                self.result.waived += 1;
            } else {
                self.result.fault_count += 1;
                self.result.faults.push(fault);
            }
        }
        if self.stated.is_none() && !self.behind {
            self.result.persons_end = bytes;
        }
        self.result.fault_count += self.faults.count();
        // A file that is not whole is the first thing to know: other faults may follow from it. Only an end record in
        // the middle is told first, since it is why the count does not fit.
        let faults = self.faults.into_sorted();
        let first = faults.iter().position(|fault| fault.reason != Reason::AfterEnd).unwrap_or(faults.len());
        self.result.faults.splice(0..0, faults[..first].iter().copied());
        self.result.faults.extend_from_slice(&faults[first..]);
        self.result.faults.truncate(self.options.fault_limit.max(1));
        let counted = self.records.iter().enumerate().filter(|(_, count)| **count > 0);
        self.result.records = counted.map(|(number, count)| (number as u16, *count)).collect();
        self.result.style = self.votes.style(trailer);
        self.result.index = self.index;
        self.result.lines = lines;
        self.result.bytes = bytes;
        self.result.checksums = checksums;
        self.result
    }

    /// What is wrong with the file as a whole.
    fn whole(&self, lines: u64, bytes: u64) -> Option<Fault> {
        let at_end = |reason| Fault::at(lines.max(1), bytes, None, None, reason);
        match self.stated {
            _ if self.ended_by.is_some() => self.ended_by,
            _ if bytes == 0 => Some(at_end(Reason::Empty)),
            None => Some(at_end(Reason::Truncated)),
            Some((Some(stated), line, offset)) if stated != end_counter(self.counted) => Some(Fault::at(
                line,
                offset,
                Some(999),
                Some("TAELLER"),
                Reason::WrongCount { stated, found: self.counted },
            )),
            Some(_) => None,
        }
    }
}

fn header(record: &Record<'_>) -> Option<Header> {
    let date = |name| record.text(name).and_then(|text| Date::parse(&text.reveal()));
    Some(Header {
        task: record.text("OPGAVENR")?.reveal().into_owned(),
        production_date: date("PRODDTO")?,
        previous_production_date: date("PRODDTOFORRIG")?,
    })
}

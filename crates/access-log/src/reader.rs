//! Reading a log is checking it: every line against the line before, every file against the one before.
//!
//! What does not follow is a [`Fault`] with its place, and reading goes on behind it as if it had followed, so that one
//! fault is one fault. Time and memory grow in line with the bytes read; a line is never longer than the longest one
//! written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::key::LogKey;
use crate::line::{self, Head, Line, MAX_LINE, Note, Said};
use crate::tail::{day_path, days, has_holes};

/// So many faults are told; all are counted.
const MOST_FAULTS: usize = 100;

/// Something was changed, cut off, left out or put elsewhere.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The line was changed, or another stood before it: one was cut out, put in or put elsewhere.
    #[error("{day}: line {line} of the file does not follow the line before it")]
    Broken {
        /// The day of the file.
        day: String,
        /// Counted from 1.
        line: u64,
    },
    /// The line does not have the form of one.
    #[error("{day}: line {line} of the file is no line of a log")]
    NotALine {
        /// The day of the file.
        day: String,
        /// Counted from 1.
        line: u64,
    },
    /// The file does not begin with what its name and the file before it say.
    #[error("{day}: the file does not begin as it must")]
    Beginning {
        /// The day of the file.
        day: String,
    },
    /// Files before the first one are gone, and no line says that they were tidied away.
    #[error("{day}: files before this one are gone, and the log does not say why")]
    CutBefore {
        /// The day of the first file.
        day: String,
    },
    /// A head that was told elsewhere does not stand in the log: its end was cut off, or written anew.
    #[error("the log does not hold the head that was told of line {line}")]
    HeadMissing {
        /// The number of that line.
        line: u64,
    },
}

/// What a log holds, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct LogCheck {
    /// The first and the last day that have a file.
    pub days: Option<(String, String)>,
    /// How many files.
    pub files: u64,
    /// How many lines.
    pub lines: u64,
    /// How many of them tell of answered questions.
    pub answers: u64,
    /// So many answers left without a line, as the log itself says.
    pub lost: u64,
    /// So many lines at most were held back, and never written, by writers of mode *beside* that did not close the log:
    /// they were killed, or the last one still runs.
    pub held_back: u64,
    /// So many bytes behind the last line are no whole line: a writer was killed while it wrote or is writing now, or
    /// they were cut.
    pub unfinished_bytes: u64,
    /// How far the log goes.
    pub head: Head,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// How many there are.
    pub fault_count: u64,
}

impl LogCheck {
    /// True when nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.fault_count == 0 && self.unfinished_bytes == 0
    }
}

/// Reads the log in a folder from its first line to its last, and hands each good line on. `told` are heads that were
/// told elsewhere before.
///
/// # Errors
/// When a file cannot be read.
pub fn read_log(folder: &Path, key: &LogKey, told: &[Head], mut each: impl FnMut(&Line<'_>)) -> io::Result<LogCheck> {
    let mut reader = Reader::new(key, told);
    let days = days(folder)?;
    for day in &days {
        let file = BufReader::with_capacity(1 << 18, File::open(day_path(folder, day))?);
        reader.read_day(day, file, days.last() == Some(day), &mut each)?;
    }
    Ok(reader.finish())
}

/// Reads the bytes of one file as the whole of a log.
///
/// # Errors
/// When they cannot be read.
pub fn check_day(day: &str, bytes: impl BufRead, key: &LogKey, told: &[Head]) -> io::Result<LogCheck> {
    let mut reader = Reader::new(key, told);
    reader.read_day(day, bytes, true, &mut |_| {})?;
    Ok(reader.finish())
}

struct Reader<'a> {
    key: &'a LogKey,
    /// Those not met yet.
    told: Vec<Head>,
    check: LogCheck,
    /// What the first file follows, when it is not the first of the log; none once a line told that those were tidied.
    follows: Option<Head>,
    /// What the writer of mode *beside* holds back that has not closed the log.
    open: u64,
}

impl<'a> Reader<'a> {
    fn new(key: &'a LogKey, told: &[Head]) -> Reader<'a> {
        let check = LogCheck {
            days: None,
            files: 0,
            lines: 0,
            answers: 0,
            lost: 0,
            held_back: 0,
            unfinished_bytes: 0,
            head: Head::NONE,
            faults: Vec::new(),
            fault_count: 0,
        };
        let told = told.iter().filter(|head| **head != Head::NONE).copied().collect();
        Reader { key, told, check, follows: None, open: 0 }
    }

    fn read_day(
        &mut self,
        day: &str,
        mut bytes: impl BufRead,
        is_last: bool,
        each: &mut dyn FnMut(&Line<'_>),
    ) -> io::Result<()> {
        let first = self.check.days.as_ref().map_or(day, |(first, _)| first).to_owned();
        self.check.days = Some((first, day.to_owned()));
        self.check.files += 1;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = bytes.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
            if length == 0 && number > 1 {
                break;
            }
            let is_torn = is_last && has_holes(&line);
            if !is_torn && line.pop_if(|last| *last == b'\n').is_some() {
                self.read_line(day, number, &line, each);
            } else if is_torn || (length < MAX_LINE && is_last) {
                self.check.unfinished_bytes = length as u64 + io::copy(&mut bytes, &mut io::sink())?;
                // A file has its first line when it gets its name.
                if number == 1 {
                    self.tell(Fault::Beginning { day: day.to_owned() });
                }
                break;
            } else {
                self.tell(Fault::NotALine { day: day.to_owned(), line: number });
                if length < MAX_LINE || bytes.skip_until(b'\n')? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn read_line(&mut self, day: &str, number: u64, bytes: &[u8], each: &mut dyn FnMut(&Line<'_>)) {
        let Some((body, mac)) = line::split(bytes) else {
            return self.tell(Fault::NotALine { day: day.to_owned(), line: number });
        };
        let parsed = line::parse(body);
        if number == 1 {
            self.begin_file(day, parsed.as_ref());
        }
        let is_sound = self.key.is_line_mac(&self.check.head.mac, body, &mac);
        let expected = self.check.head.line.saturating_add(1);
        self.check.head = Head { line: parsed.as_ref().map_or(expected, |parsed| parsed.n), mac };
        let sound = parsed.filter(|parsed| is_sound && parsed.n == expected);
        let Some(parsed) = sound else {
            return self.tell(Fault::Broken { day: day.to_owned(), line: number });
        };
        self.told.retain(|head| *head != self.check.head);
        self.check.lines += 1;
        match &parsed.said {
            Said::Answered(_) => self.check.answers += 1,
            Said::Note(note) => self.take_note(day, number, note),
        }
        each(&parsed);
    }

    /// The first line of a file says which day it is of, and what it follows.
    fn begin_file(&mut self, day: &str, parsed: Option<&Line<'_>>) {
        let begins = parsed.and_then(|line| match &line.said {
            Said::Note(Note::Begins { day, previous }) => Some((day, *previous)),
            _ => None,
        });
        let is_first = self.check.files == 1;
        let previous = begins.map(|(_, previous)| previous);
        if begins.is_none_or(|(of, previous)| of != day || !(is_first || previous == self.check.head)) {
            self.tell(Fault::Beginning { day: day.to_owned() });
        }
        let Some(previous) = previous else { return };
        self.check.head = previous;
        if is_first {
            self.follows = Some(previous).filter(|previous| *previous != Head::NONE);
            // What was told of lines that were tidied away since is as whole as the lines that followed them.
            self.told.retain(|head| head.line >= previous.line && *head != previous);
        }
    }

    fn take_note(&mut self, day: &str, number: u64, note: &Note) {
        match note {
            Note::Begins { .. } if number > 1 => self.tell(Fault::Beginning { day: day.to_owned() }),
            Note::Begins { .. } | Note::Repaired { .. } => {}
            Note::Opened { capacity } => {
                self.check.held_back += self.open;
                self.open = *capacity;
            }
            Note::Closed => self.open = 0,
            Note::Lost { count } => self.check.lost += count,
            // The files tidied away end where the first one goes on; those of an earlier run that was cut off may be
            // there still.
            Note::Tidied { until, .. } => {
                self.follows = self.follows.filter(|follows| follows.line > until.line);
            }
        }
    }

    fn tell(&mut self, fault: Fault) {
        self.check.fault_count += 1;
        if self.check.faults.len() < MOST_FAULTS {
            self.check.faults.push(fault);
        }
    }

    fn finish(mut self) -> LogCheck {
        if let (Some(_), Some((first, _))) = (self.follows, &self.check.days) {
            let day = first.clone();
            self.tell(Fault::CutBefore { day });
        }
        for head in std::mem::take(&mut self.told) {
            self.tell(Fault::HeadMissing { line: head.line });
        }
        self.check.held_back += self.open;
        self.check
    }
}

//! The access log of a folder: a question that is answered, old days that go, and what the log must tell of them.
//!
//! A line that was told as synced is there whatever becomes of the power; one that was not told may be. Whatever was
//! cut off, the log opens, goes on and is whole: nobody has changed it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access_log::{
    AccessLog, Asker, Durability, Entry, FileLog, LogKey, LogOptions, Mode, OnFailure, OpenError, Question, Said,
    read_log,
};
use cpr_replika::Error;

use crate::model::pnr;
use crate::part::{Answer, Part, number};
use crate::syscalls;

/// A question that was answered.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How many there were before it.
    pub number: usize,
    pub person: &'static str,
    /// Days since the first.
    pub day: u32,
}

fn key() -> LogKey {
    LogKey::new([7; 32])
}

fn open(folder: &Path) -> Result<FileLog, OpenError> {
    let mode = Mode::Before(Durability::Synced);
    FileLog::open(folder, key(), &LogOptions { mode, on_failure: OnFailure::Refuse, most_persons: 10 })
}

fn failed(doing: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Folder { doing, source: io::Error::other(error) }
}

/// Tells the log of an answer.
pub fn ask(folder: &Path, asked: &Asked) -> Result<(), Error> {
    syscalls::begin_day(asked.day);
    let log = open(folder).map_err(|error| failed("opening the access log", error))?;
    let asker = Asker { purpose: format!("question {}", asked.number), ..Asker::default() };
    let question = Question { asked: vec![pnr(asked.person)], ..Question::about("simulation", "ask") };
    let entry = Entry { asker: Arc::new(asker), question, elapsed: Duration::ZERO };
    log.record(entry).map_err(|error| failed("telling the access log", error))
}

/// Has the days go that are older than so many.
pub fn tidy(folder: &Path, today: u32, keep_days: u32) -> Result<(), Error> {
    syscalls::begin_day(today);
    let log = open(folder).map_err(|error| failed("opening the access log", error))?;
    log.tidy(keep_days).map(drop).map_err(|error| failed("tidying the access log", error))
}

/// What the log says, which is opened first: that repairs what was cut off.
pub fn at(folder: &Path) -> Part {
    if !folder.exists() {
        return Part::Nothing;
    }
    match open(folder) {
        Ok(log) => drop(log),
        Err(OpenError::Broken) => return Part::Refused("changed"),
        Err(_) => return Part::Refused("failed"),
    }
    let mut told = Vec::new();
    let read = read_log(folder, &key(), &[], |line| {
        if let Said::Answered(answered) = &line.said {
            told.push(Ok(number((&*answered.purpose, format!("{:?}", answered.asked)))));
        }
    });
    match read {
        Ok(check) if !check.is_whole() => Part::Refused("not whole"),
        Ok(_) if told.is_empty() => Part::Nothing,
        Ok(_) => Part::Is(told),
        Err(_) => Part::Refused("not read"),
    }
}

/// What it must say.
pub fn expected(questions: &[Asked]) -> Part {
    let answer = |asked: &Asked| -> Answer {
        Ok(number((
            format!("question {}", asked.number).as_str(),
            format!("{:?}", [key().pseudonym(pnr(asked.person))]),
        )))
    };
    match questions.is_empty() {
        true => Part::Nothing,
        false => Part::Is(questions.iter().map(answer).collect()),
    }
}

/// Which questions are left of these when days have gone.
pub fn left(questions: &[Asked], today: u32, keep_days: u32) -> Vec<Asked> {
    questions.iter().filter(|asked| asked.day + keep_days >= today).cloned().collect()
}

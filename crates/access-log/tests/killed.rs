//! A process that answers questions in eight threads is killed: every question that it answered stands in the log.
//!
//! The process is this test itself, started anew. It says on standard output which question it has answered, after the
//! log took it. `ACCESS_LOG_QUESTIONS=1000000 cargo test --release -p access-log --test killed -- --nocapture` is the
//! big run.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use access_log::{
    AccessLog, Asker, Durability, Entry, FileLog, LogKey, LogOptions, Mode, OnFailure, Question, Said, read_log,
};
use cpr_model::Pnr;

const FOLDER: &str = "ACCESS_LOG_FOLDER";
const ROUND: &str = "ACCESS_LOG_ROUND";
const QUESTIONS: &str = "ACCESS_LOG_QUESTIONS";
const THREADS: usize = 8;

fn open(folder: &Path) -> FileLog {
    let options =
        LogOptions { mode: Mode::Before(Durability::Written), on_failure: OnFailure::Refuse, most_persons: 10 };
    FileLog::open(folder, LogKey::new([7; 32]), &options).unwrap()
}

/// Answers until it is killed.
fn answer_questions(folder: &Path) {
    let log = open(folder);
    let round = std::env::var(ROUND).unwrap();
    let pnr = Pnr::parse(b"6101801234").unwrap();
    thread::scope(|scope| {
        for of_thread in 0..THREADS {
            let (log, round) = (&log, &round);
            scope.spawn(move || {
                for count in 0.. {
                    let name = format!("{round}-{of_thread}-{count}");
                    let asker = Arc::new(Asker { system: name.clone(), ..Asker::default() });
                    let question = Question { asked: vec![pnr], ..Question::about("SF1520", "PersonLookup") };
                    log.record(Entry { asker, question, elapsed: Default::default() }).unwrap();
                    // One write of a few bytes, which a pipe takes whole or not.
                    std::io::stderr().write_all(format!("{name}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

#[test]
fn no_answered_question_is_lost_when_the_process_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return answer_questions(Path::new(&folder));
    }
    let wanted: usize = std::env::var(QUESTIONS).map_or(4_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (since, mut answered) = (Instant::now(), HashSet::new());
    // Killed twice: the second process goes on behind the end that the first one left.
    for round in ["first", "second"] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "no_answered_question_is_lost_when_the_process_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(ROUND, round)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut take = |line: std::io::Result<String>| answered.insert(line.unwrap());
        lines.by_ref().take(wanted / 2).for_each(|line| assert!(take(line)));
        child.kill().unwrap();
        lines.for_each(|line| assert!(take(line)));
        child.wait().unwrap();
    }
    let took = since.elapsed();
    drop(open(folder.path()));
    let mut logged = HashSet::new();
    let read = read_log(folder.path(), &LogKey::new([7; 32]), &[], |line| {
        if let Said::Answered(answered) = &line.said {
            logged.insert(answered.system.to_string());
        }
    })
    .unwrap();
    assert!(read.is_whole(), "{:?}", read.faults);
    let missing = answered.iter().filter(|name| !logged.contains(*name)).count();
    println!("{} answered in {took:.1?}, {} in the log, {missing} missing", answered.len(), read.answers);
    assert_eq!(missing, 0);
    assert!(answered.len() >= wanted / 2 * 2);
}

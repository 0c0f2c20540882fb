//! Any bytes as the file of a day, and a made-up file changed in any way: never a panic, and a change never passes.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use access_log::{
    AccessLog, Asker, Durability, Entry, FileLog, LogKey, LogOptions, Mode, OnFailure, Question, check_day,
};
use cpr_model::Pnr;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    thread_local!(static SOUND: (String, Vec<u8>) = sound());
    SOUND.with(|(day, sound)| {
        let bytes = if how & 1 == 1 { rest.to_vec() } else { patched(sound, rest) };
        let check = check_day(day, &bytes[..], &key(), &[]).expect("bytes in memory");
        // A file that ends early at a line end is a whole one: only a head told elsewhere says more.
        let is_part = sound.starts_with(&bytes) && bytes.ends_with(b"\n");
        assert_eq!(check.is_whole(), is_part);
    });
});

/// Applies changes of some bytes each: place (2 bytes), how many (1 byte), what they become by XOR; the last one may
/// cut.
fn patched(sound: &[u8], mut patches: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    while let Some(([low, high, count], rest)) = patches.split_first_chunk::<3>() {
        let (pattern, rest) = rest.split_at(usize::from(*count % 16).min(rest.len()));
        let at = usize::from(u16::from_le_bytes([*low, *high])) % bytes.len();
        bytes[at..].iter_mut().zip(pattern).for_each(|(byte, pattern)| *byte ^= pattern);
        if *count >= 0xf0 {
            bytes.truncate(at.max(1));
        }
        patches = rest;
    }
    bytes
}

fn key() -> LogKey {
    LogKey::new([7; 32])
}

/// The day and the file of a log of some questions.
fn sound() -> (String, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder for the log");
    let mode = Mode::Before(Durability::Written);
    let options = LogOptions { mode, on_failure: OnFailure::Refuse, most_persons: 10 };
    let log = FileLog::open(folder.path(), key(), &options).expect("a new log");
    let asker = Arc::new(Asker { system: "school".into(), agreement: String::new(), purpose: "enrolment".into() });
    let asked: Vec<Pnr> = Pnr::parse(b"6101801234").into_iter().collect();
    for count in 0..3 {
        let question =
            Question { asked: asked.clone(), shown_count: count, ..Question::about("SF1520", "PersonLookup") };
        let entry = Entry { asker: asker.clone(), question, elapsed: Duration::ZERO };
        log.record(entry).expect("there is room");
    }
    log.close().expect("there is room");
    let files = std::fs::read_dir(folder.path()).expect("the folder of the log").flatten();
    // Midnight may have made two; the first stands for itself.
    let mut files: Vec<_> = files.map(|file| file.path()).filter(|path| path.extension().is_some()).collect();
    files.sort();
    let day = files[0].file_stem().expect("the name is a day").to_string_lossy().into_owned();
    (day, std::fs::read(&files[0]).expect("the file of the day"))
}

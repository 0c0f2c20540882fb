//! What a log keeps and what it shows, at its boundary; days and disks are made up.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use cpr_model::Pnr;
#[cfg(unix)]
use private_file::watched;

use crate::chain::{Chain, Item, What};
use crate::*;

const BEFORE: LogOptions =
    LogOptions { mode: Mode::Before(Durability::Written), on_failure: OnFailure::Refuse, most_persons: 3 };
const ASKED: &[u8] = b"6101801234";
const SHOWN: &[u8] = b"6101801235";

fn key() -> LogKey {
    LogKey::new([7; 32])
}

fn pnr(digits: &[u8]) -> Pnr {
    Pnr::parse(digits).unwrap()
}

fn entry(system: &str) -> Entry {
    let asker = Asker { system: system.to_owned(), agreement: "4711".to_owned(), purpose: "enrolment".to_owned() };
    let question = Question {
        asked: vec![pnr(ASKED)],
        shown: vec![pnr(SHOWN)],
        found: true,
        ..Question::about("SF1520", "PersonLookup")
    };
    Entry { asker: Arc::new(asker), question, elapsed: Duration::from_micros(1234) }
}

/// Noon of the day so many days after 2026-01-01.
fn noon(day: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + 86_400 * day + 43_200)
}

/// A log of so many days with so many questions each.
fn write_days(folder: &Path, days: u64, questions: u64) -> Head {
    let mut chain = Chain::open(folder, key(), 3).unwrap();
    for day in 0..days {
        let entries = (0..questions).map(|at| Item { at: noon(day), what: What::Entry(entry(&format!("s{at}"))) });
        chain.append(&mut entries.collect::<VecDeque<_>>(), false).unwrap();
    }
    chain.head()
}

fn check(folder: &Path, told: &[Head]) -> LogCheck {
    read_log(folder, &key(), told, |_| {}).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|of| of == "jsonl")).collect();
    paths.sort();
    paths
}

#[test]
fn a_question_can_be_read_back_by_pseudonym_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    write_days(folder.path(), 1, 1);
    let text = fs::read_to_string(&files(folder.path())[0]).unwrap();
    assert!(!text.contains("6101801234") && !text.contains("6101801235"), "{text}");
    let mut told = Vec::new();
    let read = read_log(folder.path(), &key(), &[], |line| {
        if let Said::Answered(answered) = &line.said {
            assert!(answered.names(key().pseudonym(pnr(ASKED))) && answered.names(key().pseudonym(pnr(SHOWN))));
            assert!(!answered.names(key().pseudonym(pnr(b"6101801236"))));
            told.push(format!("{} {} {} {} {}", line.n, line.time, answered.system, answered.purpose, answered.ms));
        }
    });
    assert_eq!(told, ["2 2026-01-01T12:00:00.000000Z s0 enrolment 1.234"]);
    assert!(read.unwrap().is_whole());
}

#[test]
fn every_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    write_days(folder.path(), 2, 1);
    assert!(check(folder.path(), &[]).is_whole());
    for path in files(folder.path()) {
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            for change in [1, 0x20, good[at] ^ b'\n'] {
                let mut bad = good.clone();
                bad[at] ^= change;
                if bad != good {
                    fs::write(&path, &bad).unwrap();
                    assert!(!check(folder.path(), &[]).is_whole(), "byte {at} changed by {change:#x}");
                }
            }
        }
        fs::write(&path, &good).unwrap();
    }
}

#[test]
fn cut_doubled_and_reordered_lines_are_found_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    write_days(folder.path(), 2, 4);
    let path = &files(folder.path())[1];
    let good = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let broken = |line| Fault::Broken { day: "2026-01-02".to_owned(), line };
    for (order, faults) in [
        (vec![0, 1, 3, 4], vec![broken(3)]),
        (vec![0, 1, 2, 2, 3, 4], vec![broken(4)]),
        (vec![0, 2, 1, 3, 4], vec![broken(2), broken(3), broken(4)]),
        (vec![1, 2, 3, 4], vec![Fault::Beginning { day: "2026-01-02".to_owned() }, broken(1)]),
    ] {
        fs::write(path, order.iter().map(|line| lines[*line]).collect::<String>()).unwrap();
        assert_eq!(check(folder.path(), &[]).faults, faults, "{order:?}");
    }
}

#[test]
fn a_file_that_is_gone_is_found_and_the_end_is_proved_by_a_head_that_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let head = write_days(folder.path(), 3, 2);
    assert!(check(folder.path(), &[head]).is_whole());
    assert_eq!(head.to_string().parse::<Head>(), Ok(head));
    let [first, second, third] = files(folder.path()).try_into().unwrap();
    let bytes = |path: &PathBuf| fs::read(path).unwrap();
    let (of_first, of_second, of_third) = (bytes(&first), bytes(&second), bytes(&third));
    fs::remove_file(&second).unwrap();
    assert_eq!(check(folder.path(), &[]).faults, [Fault::Beginning { day: "2026-01-03".to_owned() }]);
    fs::write(&second, &of_second).unwrap();
    fs::remove_file(&first).unwrap();
    assert_eq!(check(folder.path(), &[]).faults, [Fault::CutBefore { day: "2026-01-02".to_owned() }]);
    fs::write(&first, &of_first).unwrap();
    // Cut at a line end nothing shows but what was told before.
    fs::remove_file(&third).unwrap();
    assert!(check(folder.path(), &[]).is_whole());
    assert_eq!(check(folder.path(), &[head]).faults, [Fault::HeadMissing { line: 9 }]);
    let cut = of_third.len() - 1 - of_third[..of_third.len() - 1].iter().rev().position(|b| *b == b'\n').unwrap();
    fs::write(&third, &of_third[..cut]).unwrap();
    assert!(check(folder.path(), &[]).is_whole());
    assert_eq!(check(folder.path(), &[head]).faults, [Fault::HeadMissing { line: 9 }]);
}

#[test]
fn what_was_tidied_away_is_told_and_is_no_cut() {
    let folder = tempfile::tempdir().unwrap();
    let head = write_days(folder.path(), 5, 2);
    let mut chain = Chain::open(folder.path(), key(), 3).unwrap();
    assert_eq!(chain.tidy(2, noon(4)).unwrap(), 2);
    assert_eq!(chain.tidy(2, noon(4)).unwrap(), 0);
    drop(chain);
    let read = check(folder.path(), &[head]);
    assert_eq!((read.faults.as_slice(), read.files, read.answers), ([].as_slice(), 3, 6));
    // One file more than was told is a cut.
    fs::remove_file(&files(folder.path())[0]).unwrap();
    assert_eq!(check(folder.path(), &[]).faults, [Fault::CutBefore { day: "2026-01-04".to_owned() }]);
}

#[test]
fn the_day_of_the_last_entry_goes_too_once_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let head = write_days(folder.path(), 2, 2);
    let mut chain = Chain::open(folder.path(), key(), 3).unwrap();
    assert_eq!(chain.tidy(2, noon(9)).unwrap(), 2);
    // What was said of it is the log now.
    assert_eq!(chain.tidy(2, noon(9)).unwrap(), 0);
    assert_eq!(chain.tidy(0, noon(9)).unwrap(), 0);
    drop(chain);
    let read = check(folder.path(), &[head]);
    assert_eq!((read.faults.as_slice(), read.files, read.answers), ([].as_slice(), 1, 0));
}

#[cfg(unix)]
#[test]
fn what_a_killed_writer_named_or_removed_is_durable_once_the_log_is_opened_or_tidied() {
    let folder = tempfile::tempdir().unwrap();
    write_days(folder.path(), 1, 1);
    let (chain, synced) = watched::synced(|| Chain::open(folder.path(), key(), 3));
    assert_eq!(synced, [folder.path()]);
    // Nothing is left to be removed where another call was killed, or failed, behind removing it.
    let (tidied, synced) = watched::synced(|| chain.unwrap().tidy(30, noon(1)));
    assert_eq!((tidied.unwrap(), synced), (0, vec![folder.path().to_owned()]));
}

#[cfg(unix)]
#[test]
fn the_key_of_a_log_is_durable_before_a_line_is_written_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().canonicalize().unwrap().join("keys");
    let file = keys.join("access.key");
    fs::create_dir(&keys).unwrap();
    fs::write(&file, [7; 32]).unwrap();
    make_private(&file);
    let (read, synced) = watched::synced(|| LogKey::read(&file, &folder.path().join("log")));
    read.unwrap();
    assert_eq!(synced[..2], [file, keys]);
}

#[test]
fn a_line_that_a_kill_cut_off_is_removed_and_noted() {
    let folder = tempfile::tempdir().unwrap();
    write_days(folder.path(), 1, 3);
    let path = &files(folder.path())[0];
    let good = fs::read(path).unwrap();
    for cut in 1..200 {
        fs::write(path, &good[..good.len() - cut]).unwrap();
        assert!(!check(folder.path(), &[]).is_whole());
        FileLog::open(folder.path(), key(), &BEFORE).unwrap().record(entry("after")).unwrap();
        let read = check(folder.path(), &[]);
        assert!(read.is_whole());
        assert_eq!(read.answers, 3, "two whole ones, and the one after");
        files(folder.path())[1..].iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}

#[test]
fn one_process_writes_a_folder_and_its_key_lies_elsewhere() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = FileLog::open(folder.path(), key(), &BEFORE).unwrap();
    assert!(matches!(FileLog::open(folder.path(), key(), &BEFORE), Err(OpenError::Locked)));
    log.record(entry("s")).unwrap();
    drop(log);
    let other = FileLog::open(folder.path(), LogKey::new([8; 32]), &BEFORE);
    assert!(matches!(other, Err(OpenError::Broken)), "lines of two keys in one log");
    for (place, length) in [(&elsewhere, 32), (&elsewhere, 31), (&folder, 32)] {
        let file = place.path().join("key");
        fs::write(&file, vec![7; length]).unwrap();
        make_private(&file);
        let read = LogKey::read(&file, folder.path());
        match (place.path() == folder.path(), length) {
            (true, _) => assert!(matches!(read, Err(OpenError::KeyInside))),
            (_, 32) => assert_eq!(read.unwrap().pseudonym(pnr(ASKED)), key().pseudonym(pnr(ASKED))),
            _ => assert!(matches!(read, Err(OpenError::Key))),
        }
    }
}

/// What a power cut leaves of a line that was being written: the file has grown, and some sectors of it were not written.
#[test]
fn a_line_of_which_a_power_cut_left_holes_is_removed_and_the_log_goes_on() {
    const SECTOR: usize = 512;
    let ask = |folder: &Path, times: usize| {
        let log = FileLog::open(folder, key(), &BEFORE)?;
        (0..times).for_each(|_| log.record(entry("s")).unwrap());
        log.close().unwrap();
        Ok::<_, OpenError>(())
    };
    let folder = tempfile::tempdir().unwrap();
    ask(folder.path(), 3).unwrap();
    let path = files(folder.path()).pop().unwrap();
    let sound = fs::read(&path).unwrap();
    // Lines that were written together, and told of to nobody.
    ask(folder.path(), 4).unwrap();
    let grown = fs::read(&path).unwrap();
    let sectors = (sound.len() / SECTOR..=grown.len() / SECTOR).collect::<Vec<_>>();
    for lost in 1..1_u32 << sectors.len() {
        let mut left = grown.clone();
        for (_, sector) in sectors.iter().enumerate().filter(|(at, _)| lost & 1 << at != 0) {
            let (from, to) = ((sector * SECTOR).max(sound.len()), ((sector + 1) * SECTOR).min(grown.len()));
            left.get_mut(from..to).unwrap_or_default().fill(0);
        }
        if left == grown {
            continue;
        }
        fs::write(&path, &left).unwrap();
        let torn = read_log(folder.path(), &key(), &[], |_| {}).unwrap();
        assert!(torn.faults.is_empty() && torn.unfinished_bytes > 0, "{lost:b}: {:?}", torn.faults);
        assert!((3..7).contains(&torn.answers), "{lost:b}: {}", torn.answers);
        ask(folder.path(), 1).unwrap();
        let whole = read_log(folder.path(), &key(), &[], |_| {}).unwrap();
        assert!(whole.is_whole(), "{lost:b}: {:?}", whole.faults);
        assert_eq!((whole.answers, whole.lines), (torn.answers + 1, torn.lines + 2), "{lost:b}: and what was removed");
    }
    // A byte that somebody changed is no hole, with one or without.
    let mut changed = grown.clone();
    changed[sound.len() - 200] ^= 1;
    fs::write(&path, &changed[..sound.len()]).unwrap();
    assert!(matches!(ask(folder.path(), 0), Err(OpenError::Broken)));
    changed[grown.len() - 100..].fill(0);
    fs::write(&path, &changed).unwrap();
    assert!(matches!(ask(folder.path(), 0), Err(OpenError::Broken)));
}

#[cfg(unix)]
fn make_private(file: &Path) {
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, [7; 32]).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o604)).unwrap();
    let refused = LogKey::read(&file, &folder.path().join("log")).unwrap_err().to_string();
    assert!(refused.contains("its mode is 0604 (chmod 6"), "{refused}");
    make_private(&file);
    LogKey::read(&file, &folder.path().join("log")).unwrap();
}

#[cfg(unix)]
#[test]
fn the_log_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    write_days(&log, 1, 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&log), mode(&files(&log)[0])), (0o700, 0o600));
}

/// A file on a disk that has no room.
#[cfg(target_os = "linux")]
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_answers_and_leaves_the_log_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = FileLog::open(folder.path(), key(), &BEFORE).unwrap();
    log.record(entry("1")).unwrap();
    let disk = log.swap_file(full());
    for _ in 0..3 {
        assert!(matches!(log.record(entry("2")), Err(NotLogged::Write(_))));
    }
    log.swap_file(disk);
    log.record(entry("3")).unwrap();
    assert_eq!(log.lost(), 0);
    log.close().unwrap();
    let read = check(folder.path(), &[]);
    assert_eq!((read.is_whole(), read.answers, read.lost), (true, 2, 0));
}

#[cfg(unix)]
#[test]
fn no_line_is_written_to_a_file_that_was_deleted_or_replaced() {
    let other = tempfile::tempdir().unwrap();
    for replaced in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let log = FileLog::open(folder.path(), key(), &BEFORE).unwrap();
        log.record(entry("1")).unwrap();
        let file = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        let file = file.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "jsonl")).unwrap();
        if replaced {
            fs::copy(&file, other.path().join("copy")).unwrap();
            fs::rename(other.path().join("copy"), &file).unwrap();
        } else {
            fs::remove_file(&file).unwrap();
        }
        assert_eq!(log.record(entry("2")), Err(NotLogged::Write(std::io::ErrorKind::NotFound)));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_answers_go_on_without_a_log_it_says_so_in_its_next_line() {
    let folder = tempfile::tempdir().unwrap();
    let options = LogOptions { on_failure: OnFailure::GoOn, ..BEFORE };
    let log = FileLog::open(folder.path(), key(), &options).unwrap();
    log.record(entry("1")).unwrap();
    let disk = log.swap_file(full());
    for _ in 0..3 {
        log.record(entry("2")).unwrap();
    }
    assert_eq!(log.lost(), 3);
    log.swap_file(disk);
    log.record(entry("3")).unwrap();
    log.close().unwrap();
    let read = check(folder.path(), &[]);
    assert_eq!((read.is_whole(), read.answers, read.lost), (true, 2, 3));
}

#[cfg(target_os = "linux")]
#[test]
fn beside_answers_no_more_is_held_back_than_said_and_the_rest_is_refused_or_counted() {
    for (on_failure, refused, lost) in [(OnFailure::Refuse, 5, 0), (OnFailure::GoOn, 0, 5)] {
        let folder = tempfile::tempdir().unwrap();
        let options = LogOptions { mode: Mode::Beside { capacity: 8 }, on_failure, ..BEFORE };
        let log = FileLog::open(folder.path(), key(), &options).unwrap();
        let disk = log.swap_file(full());
        let failed = (0..13).filter(|_| log.record(entry("1")) == Err(NotLogged::Behind)).count();
        assert_eq!((failed, log.lost()), (refused, lost));
        log.swap_file(disk);
        log.close().unwrap();
        let read = check(folder.path(), &[]);
        assert_eq!((read.is_whole(), read.answers, read.lost, read.held_back), (true, 8, lost, 0));
    }
}

#[test]
fn a_writer_beside_answers_that_did_not_close_the_log_may_have_held_lines_back() {
    let folder = tempfile::tempdir().unwrap();
    let options = LogOptions { mode: Mode::Beside { capacity: 100 }, ..BEFORE };
    let log = FileLog::open(folder.path(), key(), &options).unwrap();
    assert_eq!(check(folder.path(), &[]).held_back, 100);
    log.close().unwrap();
    assert_eq!(check(folder.path(), &[]).held_back, 0);
}

#[test]
fn many_threads_write_one_log() {
    for mode in [BEFORE.mode, Mode::Before(Durability::Synced), Mode::Beside { capacity: 10_000 }] {
        let folder = tempfile::tempdir().unwrap();
        let log = FileLog::open(folder.path(), key(), &LogOptions { mode, ..BEFORE }).unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..100).for_each(|_| log.record(entry("s")).unwrap()));
            }
        });
        let head = log.head();
        log.close().unwrap();
        let read = check(folder.path(), &[head]);
        assert_eq!((read.is_whole(), read.answers), (true, 800), "{mode:?}");
    }
}

#[test]
fn a_line_names_so_many_persons_and_counts_all() {
    let folder = tempfile::tempdir().unwrap();
    let log = FileLog::open(folder.path(), key(), &BEFORE).unwrap();
    let mut of_many = entry("s");
    of_many.question.shown = vec![pnr(SHOWN); 5000];
    of_many.asker = Arc::new(Asker { purpose: "\u{1}".repeat(1 << 20), ..Asker::default() });
    log.record(of_many).unwrap();
    let mut named = Vec::new();
    let read = read_log(folder.path(), &key(), &[], |line| {
        if let Said::Answered(of) = &line.said {
            named.push((of.shown.len(), of.shown_count, of.purpose.chars().count()));
        }
    });
    assert!(read.unwrap().is_whole());
    assert_eq!(named, [(3, 5000, 501)]);
}

/// By hand: `cargo test --release -p access-log -- --ignored --nocapture takes`.
#[test]
#[ignore = "it measures"]
fn what_a_question_takes_in_the_thread_of_the_caller() {
    for mode in [Mode::Beside { capacity: 2_000_000 }, BEFORE.mode] {
        let folder = tempfile::tempdir().unwrap();
        let log = FileLog::open(folder.path(), key(), &LogOptions { mode, ..BEFORE }).unwrap();
        let entries: Vec<Entry> = (0..200_000).map(|_| entry("s")).collect();
        let since = Instant::now();
        entries.into_iter().for_each(|entry| log.record(entry).unwrap());
        println!("{mode:?}: {:.2} us a question", since.elapsed().as_secs_f64() * 1e6 / 200_000.0);
    }
}

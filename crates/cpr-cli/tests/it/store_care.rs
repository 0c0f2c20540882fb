//! What keeps a store small, its key fresh, and two processes apart: `compact`, `rekey`, and who waits for whom.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Desk, two_deliveries};

/// A desk with a store that takes a while to be written anew.
fn made_up_desk() -> Desk {
    let desk = Desk::new();
    desk.says(&["generate", "--persons", "3000", "--nights", "2", "--out", &path(&desk, "made")]);
    desk.says(&["load", &path(&desk, "made/D260105.L999901")]);
    desk.says(&["apply", &path(&desk, "made/D260106.L999901")]);
    desk
}

fn path(desk: &Desk, name: &str) -> String {
    desk.folder.path().join(name).display().to_string()
}

fn new_file(desk: &Desk) -> PathBuf {
    desk.folder.path().join(".replika.db.new")
}

fn exported(desk: &Desk) -> Vec<u8> {
    let output = desk.run(&["export", "-o", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A process that goes on by itself.
fn start(desk: &Desk, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replika"));
    command.arg("--store").arg(desk.store()).args(arguments).current_dir(desk.folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Starts to write the store anew, and has the process stand still in the middle of it.
fn stopped_in_the_middle(desk: &Desk) -> Child {
    let child = start(desk, &["compact"]);
    let end = Instant::now() + Duration::from_secs(60);
    while !new_file(desk).exists() {
        assert!(Instant::now() < end, "it never began");
        thread::sleep(Duration::from_millis(1));
    }
    signal(&child, "-STOP");
    child
}

#[test]
fn a_compacted_store_says_the_same_in_fewer_bytes() {
    let desk = made_up_desk();
    let before = exported(&desk);
    let (report, code) = desk.json(&["compact"]);
    assert_eq!(code, 0, "{report}");
    assert!(report["bytes_after"].as_u64() < report["bytes_before"].as_u64(), "{report}");
    assert_eq!(fs::metadata(desk.store()).unwrap().len(), report["bytes_after"].as_u64().unwrap());
    assert!(exported(&desk) == before);
    assert!(desk.says(&["verify"]).contains("everything holds"));
    desk.says(&["apply", &path(&desk, "made/D260107.L999901")]);
    assert!(desk.says(&["compact"]).contains("rows anew"));
}

#[test]
fn a_killed_compaction_leaves_the_store_and_nothing_else() {
    let desk = made_up_desk();
    let before = exported(&desk);
    for wait in [0, 5, 20, 80, 200, 400, 800] {
        let mut child = start(&desk, &["compact"]);
        thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(desk.says(&["verify"]).contains("everything holds"), "killed after {wait} ms");
        assert!(exported(&desk) == before, "killed after {wait} ms");
    }
    desk.says(&["apply", &path(&desk, "made/D260107.L999901")]);
    assert!(!new_file(&desk).exists(), "whoever writes next cleans up");
}

#[test]
fn of_two_processes_that_write_one_waits_and_a_kill_frees_the_store() {
    let desk = made_up_desk();
    let mut first = stopped_in_the_middle(&desk);
    let night = path(&desk, "made/D260107.L999901");
    for refused in [vec!["apply", &night, "--wait", "0"], vec!["show", "6101801234"], vec!["verify"], vec!["compact"]] {
        let (error, code) = desk.json(&refused);
        assert_eq!((error["error"]["kind"].as_str(), code), (Some("locked"), 3), "{refused:?}");
    }
    assert!(new_file(&desk).exists(), "who was refused has cleaned up nothing");
    let waiting = start(&desk, &["apply", &night, "--wait", "60"]);
    thread::sleep(Duration::from_millis(300));
    first.kill().unwrap();
    first.wait().unwrap();
    let waited = waiting.wait_with_output().unwrap();
    assert!(waited.status.success(), "{}", String::from_utf8_lossy(&waited.stderr));
    assert!(String::from_utf8_lossy(&waited.stderr).contains("waiting"), "it says that it waits");
    assert!(desk.says(&["verify"]).contains("everything holds"));
    assert_eq!(desk.json(&["deliveries"]).0["deliveries"].as_array().map(Vec::len), Some(3));
}

#[test]
fn who_waited_for_the_old_file_writes_to_the_new_one() {
    let desk = made_up_desk();
    let first = stopped_in_the_middle(&desk);
    let waiting = start(&desk, &["apply", &path(&desk, "made/D260107.L999901"), "--wait", "60"]);
    thread::sleep(Duration::from_millis(300));
    signal(&first, "-CONT");
    assert!(first.wait_with_output().unwrap().status.success());
    assert!(waiting.wait_with_output().unwrap().status.success());
    assert_eq!(desk.json(&["deliveries"]).0["deliveries"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_store_is_written_anew_under_another_key() {
    let desk = two_deliveries();
    for name in ["one.key", "two.key"] {
        desk.says(&["key", "new", &path(&desk, name)]);
    }
    let (one, two) = (path(&desk, "one.key"), path(&desk, "two.key"));
    let before = exported(&desk);
    desk.says(&["rekey", "--rewrite", "--new-key-file", &one]);
    assert_eq!(desk.json(&["stats"]).0["error"]["kind"], "key_needed", "it was not encrypted before");
    desk.says(&["rekey", "--rewrite", "--key-file", &one, "--new-key-file", &two]);
    assert_eq!(desk.json(&["stats", "--key-file", &one]).0["error"]["kind"], "wrong_key");
    let output = desk.run(&["export", "-o", "-", "--key-file", &two]);
    assert!(output.stdout == before);
    assert!(desk.says(&["verify", "--key-file", &two]).contains("everything holds"));
}

#[test]
fn what_is_left_of_a_damaged_store_is_saved_and_nobody_is_named_unasked() {
    let desk = made_up_desk();
    let whole = exported(&desk);
    let lines = |bytes: &[u8]| bytes.split(|&byte| byte == b'\n').count();
    let saved = desk.run(&["salvage", "-o", "-"]);
    assert!(saved.status.success() && saved.stdout == whole, "of a sound store everything");
    let mut bytes = fs::read(desk.store()).unwrap();
    let length = bytes.len();
    for at in (40_000..length).step_by(length / 7) {
        bytes[at] ^= 1;
    }
    let damaged = path(&desk, "damaged.db");
    fs::write(&damaged, &bytes).unwrap();
    let (report, code) = desk.json(&["salvage", &damaged, "-o", &path(&desk, "saved")]);
    assert_eq!((report["whole"].as_bool(), code), (Some(false), 3), "{report}");
    assert!(report["persons"].as_u64() > Some(2000) && report.get("gaps").is_none(), "{report}");
    assert!(fs::read(&damaged).unwrap() == bytes);
    let extract = fs::read(path(&desk, "saved")).unwrap();
    assert!(lines(&extract) < lines(&whole) && lines(&extract) > lines(&whole) / 2);
    assert_eq!(desk.run(&["salvage", &damaged, "-o", &damaged, "--force"]).status.code(), Some(1), "never over itself");
    let numbers = desk.json(&["salvage", &damaged, "-o", &path(&desk, "again"), "--numbers"]).0;
    assert_eq!(numbers["gaps"].as_array().map(Vec::len).map(|count| count as u64), report["gap_count"].as_u64());
    let load = ["load", &path(&desk, "saved"), "--store", &path(&desk, "new.db")].map(String::from);
    let loaded = Command::new(env!("CARGO_BIN_EXE_replika")).args(load).output().unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
}

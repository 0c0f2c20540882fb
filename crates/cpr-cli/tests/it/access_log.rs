//! The command's account of who looked: in the log before it is printed, read back by person and purpose, and checked.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use crate::{Desk, SOFIE, two_deliveries};

const NOBODY: &str = "6101809999";

impl Desk {
    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Runs the command with this desk's log.
    fn run_logged(&self, arguments: &[&str]) -> Output {
        let (log, key) = (self.log().display().to_string(), self.folder.path().join("log.key").display().to_string());
        if !PathBuf::from(&key).exists() {
            self.says(&["key", "new", &key]);
        }
        self.run(&[arguments, &["--log", &log, "--log-key", &key]].concat())
    }

    /// The same for a purpose; the exit code.
    fn look(&self, purpose: &str, arguments: &[&str]) -> i32 {
        self.run_logged(&[arguments, &["--purpose", purpose]].concat()).status.code().unwrap()
    }

    fn json_logged(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.run_logged(&[arguments, &["--json"]].concat());
        (serde_json::from_slice(&output.stdout).unwrap(), output.status.code().unwrap())
    }

    /// The lines of the log about questions: operation, how many were asked about and shown, found.
    fn logged(&self) -> Vec<String> {
        let mut files: Vec<_> = fs::read_dir(self.log()).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some());
        files.sort();
        let text: String = files.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let told = lines.filter(|line| line.get("note").is_none()).map(|line| {
            let operation = line["operation"].as_str().unwrap();
            format!("{operation} {} {} {}", line["asked_count"], line["shown_count"], line["found"])
        });
        told.collect()
    }
}

#[test]
fn every_command_that_shows_persons_tells_the_log() {
    let desk = two_deliveries();
    let drawn = desk.folder.path().join("drawn.svg").display().to_string();
    for arguments in [
        &["show", SOFIE][..],
        &["lines", SOFIE],
        &["diff", SOFIE, "1", "2"],
        &["picture", SOFIE],
        &["picture", SOFIE, "--reveal", "-o", &drawn],
        &["changes", "2"],
        &["find"],
        &["find", "--count"],
        &["events", "--since", "1"],
        &["calendar", "--from", "2026-01-01", "--to", "2026-12-31", "--age", "18"],
        &["followers", SOFIE],
        &["answer", "sf1520", SOFIE],
    ] {
        assert_eq!(desk.look("a test", arguments), 0, "{arguments:?}");
    }
    assert_eq!(desk.look("a test", &["show", NOBODY]), 1);
    assert_eq!(desk.look("a test", &["answer", "stam+", NOBODY]), 1);
    let persons = desk.says(&["find"]).lines().count();
    let told = desk.logged();
    let begins = |of: &str| told.iter().filter(|line| line.starts_with(of)).count();
    for name in ["show 1", "lines 1", "diff 1", "changes 0", "events 0", "calendar 0", "followers 1", "PersonLookup 1"]
    {
        assert!(begins(name) >= 1, "{name}: {told:?}");
    }
    assert!(told.contains(&format!("find 0 {persons} true")), "{told:?}");
    assert!(told.contains(&"find 0 0 true".to_owned()), "a count shows nobody: {told:?}");
    assert_eq!((begins("show 1 0 false"), begins("Stam+ 1 0 false")), (1, 1), "{told:?}");
    assert!(told.contains(&"picture 1 0 true".to_owned()) && told.contains(&"picture 1 3 true".to_owned()), "{told:?}");
    assert_eq!(told.len(), 14, "one line a question: {told:?}");
}

#[test]
fn what_the_log_does_not_take_is_not_printed() {
    let desk = two_deliveries();
    assert_eq!(desk.run_logged(&["show", SOFIE]).status.code(), Some(2), "for no purpose");
    assert_eq!(desk.look("a test", &["show", SOFIE]), 0);
    // Somebody changes the end of the log: nothing is written behind it, and nothing is answered.
    let file = fs::read_dir(desk.log()).unwrap().map(|file| file.unwrap().path());
    let file = file.filter(|file| file.extension().is_some()).max().unwrap();
    let changed = fs::read_to_string(&file).unwrap().replace("a test", "no test");
    fs::write(&file, changed).unwrap();
    for arguments in [&["show", SOFIE][..], &["answer", "sf1520", SOFIE]] {
        let output = desk.run_logged(&[arguments, &["--purpose", "a test"]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
        assert!(String::from_utf8_lossy(&output.stderr).contains("access log"));
    }
    let (found, code) = desk.json_logged(&["log", "verify"]);
    assert_eq!((&found["whole"], &found["fault_count"], code), (&false.into(), &1.into(), 3));
    assert_eq!(desk.json_logged(&["log", "about", SOFIE]).1, 3);
}

#[test]
fn who_looked_at_a_person_is_told_with_the_purpose() {
    let desk = two_deliveries();
    desk.look("a complaint", &["show", SOFIE]);
    desk.look("statistics", &["find"]);
    desk.look("a complaint", &["show", NOBODY]);
    let (about, code) = desk.json_logged(&["log", "about", SOFIE]);
    let looks = about["looks"].as_array().unwrap();
    let looks: Vec<_> =
        looks.iter().map(|look| (look["purpose"].as_str().unwrap(), look["asked"].as_bool().unwrap())).collect();
    assert_eq!((looks, code), (vec![("a complaint", true), ("statistics", false)], 0));
    let (report, _) = desk.json_logged(&["log", "report"]);
    let counts = report["counts"].as_array().unwrap().iter();
    let counts: Vec<_> = counts.map(|of| (of["purpose"].as_str().unwrap(), of["answers"].as_u64().unwrap())).collect();
    assert_eq!(counts, [("a complaint", 2), ("statistics", 1)]);
    let text = String::from_utf8(desk.run_logged(&["log", "about", SOFIE]).stdout).unwrap();
    assert!(text.lines().next().unwrap().ends_with("replika show  asked about  a complaint"), "{text}");
}

#[test]
fn the_end_is_proved_by_a_head_that_was_told() {
    let desk = two_deliveries();
    desk.look("a test", &["show", SOFIE]);
    let (verified, code) = desk.json_logged(&["log", "verify"]);
    assert_eq!((&verified["answers"], code), (&1.into(), 0));
    let head = verified["head"].as_str().unwrap();
    desk.look("a test", &["show", SOFIE]);
    assert_eq!(desk.json_logged(&["log", "verify", "--head", head]).1, 0);
    fs::remove_dir_all(desk.log()).unwrap();
    desk.look("a test", &["show", NOBODY]);
    assert_eq!(desk.json_logged(&["log", "verify"]).1, 0);
    assert_eq!(desk.json_logged(&["log", "verify", "--head", head]).1, 3, "another log in its place");
    let (tidied, code) = desk.json_logged(&["log", "tidy", "--keep", "30"]);
    assert_eq!((&tidied["files"], code), (&0.into(), 0));
}

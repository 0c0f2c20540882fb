//! An erase that is killed wherever it is, and asked for again: the same end, and never anything between.
//!
//! `REPLIKA_KILLS=1000 cargo test --release -p cpr-cli --test it killed` kills as often; without it, a few times.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Desk;

/// Kills of a run that asks for no other number.
const SHORT: u32 = 5;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => _ = std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap(),
        }
    }
}

/// Everything that the store and the packs say.
fn state(desk: &Desk) -> String {
    let whole = desk.folder.path().join("whole").display().to_string();
    desk.says(&["export", "-o", &whole, "--force"]);
    let export = std::fs::read(&whole).unwrap();
    let in_packs = desk.run(&["find", "--pack", "packs"]);
    format!("{}\n{}\n{:?}", desk.says(&["find"]), String::from_utf8_lossy(&in_packs.stdout), export)
}

#[test]
fn an_erase_that_is_killed_anywhere_and_asked_for_again_has_the_same_end() {
    let made = Desk::new();
    made.says(&["generate", "--persons", "1200", "--nights", "2", "--out", "made"]);
    let mut files: Vec<_> =
        std::fs::read_dir(made.folder.path().join("made")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    made.says(&["load", files[0].to_str().unwrap()]);
    made.says(&["apply", files[1].to_str().unwrap(), files[2].to_str().unwrap()]);
    made.says(&["pack", "packs"]);
    std::fs::remove_dir_all(made.folder.path().join("made")).unwrap();
    let before = state(&made);
    let erase = ["erase", "--age", "30-40", "--reason", "a campaign", "--packs", "packs"];
    let persons: Vec<u8> = made.says(&["find", "--age", "30-40"]).into_bytes();
    let by_number = ["erase", "-", "--reason", "a campaign", "--packs", "packs"];

    let whole = Desk::new();
    copy(made.folder.path(), whole.folder.path());
    let started = Instant::now();
    whole.says(&erase);
    let (took, after) = (started.elapsed(), state(&whole));
    assert!(before != after && before.lines().count() > after.lines().count());

    let kills = std::env::var("REPLIKA_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(SHORT);
    let (mut was_before, mut was_after) = (0, 0);
    for kill in 0..kills {
        let desk = Desk::new();
        copy(made.folder.path(), desk.folder.path());
        let mut child = Command::new(env!("CARGO_BIN_EXE_replika"))
            .arg("--store")
            .arg(desk.store())
            .args(erase)
            .current_dir(desk.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From the first moment to a little behind the last.
        thread::sleep(Duration::from_micros(took.as_micros() as u64 * u64::from(kill + 1) / u64::from(kills)));
        child.kill().unwrap();
        child.wait().unwrap();
        // The store is as before or as after, and it checks.
        assert!(desk.says(&["verify"]).contains("everything holds"));
        let found = desk.says(&["find"]);
        match (before.starts_with(&found), after.starts_with(&found)) {
            (true, false) => was_before += 1,
            (false, true) => was_after += 1,
            _ => panic!("neither as before nor as after"),
        }
        let output = desk.run_with(&by_number, &persons);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(state(&desk) == after, "not the same end after kill {kill}");
    }
    println!("{was_before} times as before, {was_after} as after");
}

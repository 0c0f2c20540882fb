//! Packs as a user meets them: any command that reads reads them too, beside a service that holds the store.

use std::fs;

use crate::{Desk, SOFIE, extract};

#[test]
fn commands_read_packs_as_they_read_the_store_and_while_it_is_held() {
    let desk = Desk::new();
    let packs = desk.folder.path().join("packs").display().to_string();
    desk.says(&["load", &extract("D260105.L999901"), "--pack", &packs]);
    desk.says(&["subscriber", "add", "all"]);
    desk.says(&["filter", "add", "all", "--everything"]);
    let said = desk.says(&["apply", &extract("D260106.L999901"), "--pack", &packs]);
    assert!(said.contains("as of delivery 2"), "{said}");
    let reads: &[&[&str]] = &[
        &["show", SOFIE, "--history"],
        &["lines", SOFIE, "--known-at", "1"],
        &["diff", SOFIE, "1", "2"],
        &["changes", "2"],
        &["find", "--municipality", "0851"],
        &["search", "efternavn:Bækgaard"],
        &["answer", "sf1525", SOFIE, "--on", "2026-01-07"],
        &["events", "--since", "0"],
        &["calendar", "--from", "2026-01-01", "--to", "2026-12-31", "--age", "46"],
        &["matches", "2", "all"],
        &["followers", SOFIE],
        &["subscriber", "list"],
        &["filter", "list", "all"],
        &["deliveries"],
        &["settings"],
        &["export", "-o", "-"],
    ];
    let from_store: Vec<String> = reads.iter().map(|read| desk.says(read)).collect();
    // A service that holds the store keeps these out, and nobody from the packs.
    let held = cpr_replika::Replika::open(desk.store()).unwrap();
    assert_eq!(desk.run(&["deliveries"]).status.code(), Some(3));
    for (read, from_store) in reads.iter().zip(&from_store) {
        assert_eq!(&desk.says(&[read, &["--pack", &packs][..]].concat()), from_store, "{read:?}");
    }
    assert!(desk.says(&["stats", "--pack", &packs]).contains("persons/v2"));
    assert!(desk.says(&["verify", "--pack", &packs]).contains("everything holds"));
    for write in [&["subscriber", "add", "other"][..], &["events", "--consumer", "queue"]] {
        let refused = desk.run(&[write, &["--pack", &packs]].concat());
        assert_eq!(refused.status.code(), Some(2), "{write:?}");
    }
    drop(held);
}

#[test]
fn a_store_is_packed_and_restored() {
    let desk = Desk::new();
    let path = |name: &str| desk.folder.path().join(name).display().to_string();
    let (packs, restored) = (path("packs"), path("restored.db"));
    desk.says(&["load", &extract("D260105.L999901")]);
    assert!(desk.says(&["pack", &packs]).contains(": base as of delivery 1"));
    desk.says(&["apply", &extract("D260106.L999901")]);
    assert!(desk.says(&["pack", &packs, "--base"]).contains(": base as of delivery 2"));
    assert_eq!(desk.says(&["restore", &packs, "-o", &restored]), format!("{restored}: restored as of delivery 2\n"));
    let (early, first) = (path("early.db"), desk.says(&["export", "-o", "-", "--known-at", "1"]));
    desk.says(&["restore", &packs, "-o", &early, "--known-at", "1"]);
    assert_eq!(desk.says(&["export", "-o", "-", "--store", &early]), first);
    let before = desk.says(&["export", "-o", "-"]);
    let again = desk.run(&["restore", &packs, "-o", &restored]);
    assert_eq!(again.status.code(), Some(3), "nothing is replaced");
    fs::rename(&restored, desk.store()).unwrap();
    assert_eq!(desk.says(&["export", "-o", "-"]), before);
    assert!(desk.says(&["verify"]).contains("everything holds"));
}

#[test]
fn packs_of_an_encrypted_store_are_of_use_with_its_key_alone() {
    let desk = Desk::new();
    let path = |name: &str| desk.folder.path().join(name).display().to_string();
    let [key, other, packs, own, restored] = ["a.key", "b.key", "packs", "own", "restored.db"].map(path);
    for key in [&key, &other] {
        desk.says(&["key", "new", key]);
    }
    let with = |command: &[&str], key: &str| desk.says(&[command, &["--key-file", key]].concat());
    with(&["load", &extract("D260105.L999901"), "--pack", &packs], &key);
    let said = with(&["apply", &extract("D260106.L999901"), "--pack", &packs], &key);
    assert!(said.contains("as of delivery 2"), "{said}");
    let shown = with(&["show", SOFIE], &key);
    assert_eq!(with(&["show", SOFIE, "--pack", &packs], &key), shown);
    assert!(with(&["verify", "--pack", &packs], &key).contains("everything holds"));
    assert_eq!(with(&["digest", "--pack", &packs], &key), with(&["digest"], &key));
    assert!(with(&["follow", &own, "--from", &packs], &key).contains("holds delivery 2"));
    assert!(with(&["follow", &own, "--from", &packs], &key).contains("held already"));
    with(&["restore", &own, "-o", &restored, "--known-at", "1"], &key);
    assert_eq!(with(&["lines", SOFIE, "--store", &restored], &key), with(&["lines", SOFIE, "--known-at", "1"], &key));
    let refused = |command: &[&str]| {
        let output = desk.run(command);
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["show", SOFIE, "--pack", &packs]).contains("give its key"));
    let read: [&[&str]; 3] = [
        &["show", SOFIE, "--pack", &packs],
        &["follow", &path("x"), "--from", &packs],
        &["restore", &packs, "-o", &path("y")],
    ];
    for command in read {
        assert!(refused(&[command, &["--key-file", &other]].concat()).contains("the key is not the one"));
    }
}

#[test]
fn packs_have_the_files_of_subscribers_noted_when_the_night_is_told() {
    let desk = Desk::new();
    let path = |name: &str| desk.folder.path().join(name).display().to_string();
    let (packs, outbox) = (path("packs"), path("outbox"));
    desk.says(&["load", &extract("D260105.L999901")]);
    desk.says(&["subscriber", "add", "all"]);
    desk.says(&["filter", "add", "all", "--everything"]);
    let said = desk.says(&["apply", &extract("D260106.L999901"), "--pack", &packs, "--deliver", &outbox]);
    assert_eq!(said.matches(": base as of delivery 2").count() + said.matches(": overlay as of delivery 2").count(), 1);
    let told = said.lines().find_map(|line| line.split_once(".pack: ")).expect("it is told").0;
    assert!(fs::exists(format!("{told}.pack")).unwrap(), "the file that is told is there");
    let streams = |stats: &str| stats.lines().find(|line| line.contains("streams/v1")).unwrap().to_owned();
    let rows = |line: String| line.split_whitespace().nth(1).unwrap().to_owned();
    assert_eq!(rows(streams(&desk.says(&["stats", "--pack", &packs]))), "1");
    assert_eq!(rows(streams(&desk.says(&["stats"]))), "1");
}

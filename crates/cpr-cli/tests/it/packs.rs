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

/// Every command with what `--pack` is to it.
enum Way {
    /// It says the same of packs as of the store.
    Reads(&'static [&'static str]),
    /// It reads packs, and says something of their own.
    OfPacks(&'static [&'static str]),
    /// It is refused, and says why.
    Refused(&'static [&'static str], &'static str),
    /// It reads no store, or writes the packs that are named.
    Other(&'static str),
}

const CHANGES: &str = "packs are never changed";

const WAYS: &[Way] = &[
    Way::Reads(&["show", SOFIE]),
    Way::Reads(&["about", SOFIE]),
    Way::Reads(&["lines", SOFIE]),
    Way::Reads(&["picture", SOFIE]),
    Way::Reads(&["diff", SOFIE, "1", "2"]),
    Way::Reads(&["changes", "2"]),
    Way::Reads(&["answer", "sf1525", SOFIE, "--on", "2026-01-07"]),
    Way::Reads(&["search", "efternavn:Bækgaard"]),
    Way::Reads(&["events", "--since", "0"]),
    Way::Refused(&["events", "--consumer", "queue"], "give --since N"),
    Way::Reads(&["calendar", "--from", "2026-01-01", "--to", "2026-12-31", "--age", "46"]),
    Way::Reads(&["find", "--municipality", "0851", "--json"]),
    Way::Reads(&["subscriber", "list"]),
    Way::Refused(&["subscriber", "add", "other"], CHANGES),
    Way::Reads(&["filter", "list", "all"]),
    Way::Refused(&["filter", "clear", "all"], CHANGES),
    Way::Refused(&["thin", "D260106.L999901", "outbox"], "which files a subscriber was given"),
    Way::Reads(&["matches", "2", "all"]),
    Way::Refused(&["initial-load", "all", "-o", "-"], "what a subscriber was given"),
    Way::Reads(&["followers", SOFIE]),
    Way::Reads(&["export", "-o", "-"]),
    Way::OfPacks(&["pack", "packs of packs"]),
    Way::Reads(&["deliveries"]),
    Way::Reads(&["digest"]),
    Way::Reads(&["settings"]),
    Way::OfPacks(&["stats"]),
    Way::OfPacks(&["verify"]),
    Way::OfPacks(&["scrub"]),
    Way::Refused(&["compact"], CHANGES),
    Way::Reads(&["keep"]),
    Way::Refused(&["erase", SOFIE, "--reason", "a test"], CHANGES),
    Way::Reads(&["erase", SOFIE, "--dry-run"]),
    Way::Refused(&["readmit", SOFIE], CHANGES),
    Way::Refused(&["tidy"], CHANGES),
    Way::Other("inspect"),
    Way::Other("load"),
    Way::Other("apply"),
    Way::Other("outbox"),
    Way::Other("follow"),
    Way::Other("restore"),
    Way::Other("salvage"),
    Way::Other("generate"),
    Way::Other("demo"),
    Way::Other("key"),
    Way::Other("rekey"),
    Way::Other("admit"),
    Way::Other("log"),
    Way::Other("lake"),
    Way::Other("man"),
    Way::Other("completions"),
    Way::Other("help"),
];

#[test]
fn every_command_reads_packs_or_says_why_it_needs_the_store() {
    let desk = Desk::new();
    desk.says(&["load", &extract("D260105.L999901"), "--pack", "packs"]);
    desk.says(&["subscriber", "add", "all"]);
    desk.says(&["filter", "add", "all", "--everything"]);
    desk.says(&["apply", &extract("D260106.L999901"), "--pack", "packs"]);
    let with_packs = |line: &[&'static str]| desk.run(&[line, &["--pack", "packs"]].concat());
    let mut told = Vec::new();
    for way in WAYS {
        let (line, says) = match way {
            Way::Reads(line) => {
                let of_packs = with_packs(line);
                assert_eq!(String::from_utf8_lossy(&of_packs.stdout), desk.says(line), "{line:?}");
                (line, None)
            }
            Way::OfPacks(line) => (line, None),
            Way::Refused(line, why) => (line, Some(why)),
            Way::Other(name) => {
                told.push(*name);
                continue;
            }
        };
        let output = with_packs(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(if says.is_some() { 2 } else { 0 }), "{line:?}: {errors}");
        assert!(says.is_none_or(|why| errors.contains(why)), "{line:?}: {errors}");
        told.push(line[0]);
    }
    let help = desk.says(&["help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in commands.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()) {
        assert!(told.contains(&command), "{command}: what is --pack to it?");
    }
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
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains(&format!("{restored}: a store exists there already")), "{told}");
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

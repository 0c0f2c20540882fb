//! docs/json.md holds every command, every member and every kind of error that the command prints.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::command_line::helps;
use crate::{Desk, SOFIE, extract, two_deliveries};

const DOCUMENT: &str = include_str!("../../../../docs/json.md");

/// Members whose own members are named by the data: CPR's field names, record numbers, classes, kinds of filter,
/// elements of a service's contract, tables, aspects.
const NAMED_BY_DATA: [&str; 7] = ["fields", "records", "classes", "filters", "answer", "rows", "mentions"];

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                names.insert(name.clone());
                if !(NAMED_BY_DATA.contains(&name.as_str()) && member.is_object()) {
                    collect_names(member, names);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}

/// Every object that a run prints.
fn objects(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let output = desk.run(&[arguments, &["--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{arguments:?}: {line}"))).collect()
}

#[test]
fn every_member_of_every_answer_stands_in_the_document() {
    let desk = Desk::new();
    let (first, second) = (extract("D260105.L999901"), extract("D260106.L999901"));
    let path = |name: &str| desk.folder.path().join(name).display().to_string();
    let (out, whole, one, made) = (path("out"), path("whole"), path("one"), path("made"));
    let (packs, copied, restored) = (path("packs"), path("copied"), path("restored.db"));
    let (saved, drawn) = (path("saved"), path("drawn.svg"));
    #[cfg(feature = "lake")]
    let lake = path("lake");
    let (log, log_key) = (path("log"), path("log.key"));
    let logged = ["--log", log.as_str(), "--log-key", log_key.as_str()];
    desk.says(&["key", "new", &log_key]);
    // In the order in which one follows the other.
    let runs: Vec<Vec<&str>> = vec![
        vec!["inspect", &first],
        vec!["load", &first],
        vec!["subscriber", "add", "all"],
        vec!["subscriber", "add", "gone"],
        vec!["subscriber", "remove", "gone"],
        vec!["filter", "add", "all", "--everything", "--pnr", SOFIE, "--all-of", "0-17+0851"],
        vec!["filter", "remove", "all", "--age", "1-2"],
        vec!["apply", &second, "--deliver", &out],
        vec!["thin", &second, &out],
        [&["show", SOFIE, "--purpose", "a test"][..], &logged].concat(),
        [&["log", "verify"][..], &logged].concat(),
        [&["log", "about", SOFIE][..], &logged].concat(),
        [&["log", "report"][..], &logged].concat(),
        [&["log", "tidy", "--keep", "1"][..], &logged].concat(),
        vec!["outbox", "tidy", &out, "--keep", "30"],
        vec!["show", SOFIE, "--history"],
        vec!["picture", SOFIE, "-o", &drawn],
        vec!["about", SOFIE],
        vec!["diff", SOFIE, "1", "2"],
        vec!["changes", "2"],
        vec!["lines", SOFIE],
        vec!["export", "-o", &whole],
        vec!["deliveries"],
        vec!["settings"],
        vec!["stats"],
        vec!["compact"],
        vec!["salvage", "-o", &saved, "--numbers"],
        vec!["verify"],
        vec!["scrub", "--rate", "1GB"],
        vec!["events", "--since", "0"],
        vec!["events", "--consumer", "queue", "--add"],
        vec!["calendar", "--from", "2026-01-01", "--to", "2026-12-31", "--age", "46"],
        vec!["answer", "stam+", SOFIE],
        vec!["answer", "familie", SOFIE],
        vec!["answer", "sf1525", SOFIE],
        vec!["answer", "sf1520", SOFIE],
        vec!["answer", "sf6008", SOFIE],
        vec!["answer", "adrsog1", "--field", "VEJK=6624", "--field", "KOMK=0101"],
        vec!["search", "efternavn:Bækgaard", "--limit", "1"],
        vec!["search", "efternavn:Bækgaard", "--count"],
        vec!["find"],
        vec!["find", "--count"],
        vec!["subscriber", "list"],
        vec!["subscriber", "list", "all"],
        vec!["filter", "list", "all"],
        vec!["matches", "2"],
        vec!["matches", "2", "all"],
        vec!["pack", &packs],
        vec!["digest"],
        vec!["follow", &copied, "--from", &packs],
        vec!["restore", &packs, "-o", &restored],
        vec!["initial-load", "all", "-o", &one],
        vec!["followers", SOFIE],
        vec!["keep", "everything", "--grace", "0"],
        vec!["admit", &whole],
        vec!["tidy"],
        vec!["tidy", "--dry-run"],
        vec!["erase", SOFIE, "--dry-run"],
        vec!["erase", SOFIE, "--reason", "a test", "--unfollow", "--packs", &packs],
        vec!["readmit", SOFIE],
        vec!["filter", "clear", "all"],
        vec!["generate", "--archetypes", "--out", &made],
    ];
    #[cfg(feature = "lake")]
    let runs = [runs, vec![vec!["lake", &lake]]].concat();
    let mut commands = BTreeSet::new();
    for run in &runs {
        let words = if ["subscriber", "filter", "log", "outbox"].contains(&run[0]) { 2 } else { 1 };
        commands.insert(run[..words].join(" "));
        let printed = objects(&desk, run);
        assert!(!printed.is_empty() && printed[0].get("error").is_none(), "{run:?}: {printed:?}");
        let mut names = BTreeSet::new();
        printed.iter().for_each(|value| collect_names(value, &mut names));
        for name in names {
            assert!(DOCUMENT.contains(&format!("\"{name}\"")), "{run:?}: \"{name}\" is not in docs/json.md");
        }
    }
    // No command is forgotten: here, and in the document.
    for (words, text) in helps() {
        let is_leaf = !words.is_empty() && !text.contains("Commands:\n");
        let command = words.join(" ");
        if is_leaf {
            let is_text_only = ["demo", "completions", "man", "key new", "rekey"].contains(&command.as_str());
            assert!(is_text_only || commands.contains(&command), "{command} is not run here");
            let last = words.last().unwrap();
            let documented = [format!("`{command}"), format!("`{last}`")];
            assert!(documented.iter().any(|name| DOCUMENT.contains(name)), "{command} is not in docs/json.md");
        }
    }
}

#[test]
fn a_protection_has_one_shape_everywhere() {
    let desk = Desk::new();
    let made = desk.folder.path().join("made");
    desk.says(&["generate", "--persons", "600", "--out", made.to_str().unwrap()]);
    desk.says(&["load", made.join("D260105.L999901").to_str().unwrap()]);
    let found = &objects(&desk, &["find", "--protection", "0001", "--limit", "1"])[0];
    let pnr = found["persons"][0].as_str().unwrap().to_owned();
    let rows = &objects(&desk, &["search", &format!("personnummer:{pnr}")])[0];
    let searched = &rows["rows"][0]["protections"];
    assert!(searched[0]["kind"].is_number(), "{searched}");
    for service in ["stam", "sf1520", "sf1525", "sf6008"] {
        assert_eq!(&objects(&desk, &["answer", service, &pnr])[0]["protections"], searched, "{service}");
    }
}

/// The words that stand as kinds in a source: `=> "word"` and `, "word")`.
fn kinds(source: &str) -> BTreeSet<String> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'0'..=b'9'));
    let lines = source.lines().filter(|line| line.contains("=>") || line.contains("map_or(\""));
    let words = lines.flat_map(|line| line.split('"').skip(1).step_by(2).take(1)).filter(|word| is_word(word));
    words.map(str::to_owned).collect()
}

#[test]
fn every_kind_of_error_stands_in_the_document() {
    let engine = kinds(include_str!("../../../cpr-replika/src/error.rs"));
    let faults = kinds(include_str!("../../../cpr-extract/src/fault.rs"));
    let own = kinds(include_str!("../../src/failure.rs"));
    assert!(engine.contains("sequence_gap") && faults.contains("wrong_count") && own.contains("unknown_person"));
    // Usage errors are text, and what was reported already is none.
    for kind in engine.union(&faults).chain(&own).filter(|kind| !["usage", "reported"].contains(&kind.as_str())) {
        assert!(DOCUMENT.contains(&format!("`{kind}`")), "{kind} is not in docs/json.md");
    }
}

#[test]
fn errors_have_the_shape_the_kind_and_the_exit_code_of_the_document() {
    let desk = two_deliveries();
    let folder = desk.folder.path();
    let damaged = folder.join("damaged");
    let bytes = fs::read(extract("D260106.L999901")).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let damaged = damaged.display().to_string();
    let second = extract("D260106.L999901");
    let file = folder.join("file").display().to_string();
    fs::write(&file, "old").unwrap();
    let runs: Vec<(Vec<&str>, &str, i32)> = vec![
        (vec!["apply", &damaged], "truncated", 1),
        (vec!["apply", "/nowhere/at/all"], "file", 1),
        (vec!["load", &second, "--family", "klingon"], "unknown_family", 1),
        (vec!["show", "7212554441"], "unknown_person", 1),
        (vec!["show", SOFIE, "--known-at", "9"], "unknown_delivery", 1),
        (vec!["show", SOFIE, "--known-at", "2020-01-01"], "before_first_delivery", 1),
        (vec!["subscriber", "list", "stranger"], "unknown_subscriber", 1),
        (vec!["events", "--consumer", "stranger"], "unknown_consumer", 1),
        (vec!["events", "--since", "2.9.0"], "not_a_cursor", 1),
        (vec!["calendar", "--from", "2026-02-01", "--to", "2026-01-01"], "days_out_of_order", 1),
        (vec!["thin", &damaged, "out"], "not_applied", 1),
        (vec!["export", "-o", &file], "not_replaced", 1),
        (vec!["apply", &second, "--window", "3"], "config", 1),
        (vec!["export", "-o", "/nowhere/at/all"], "file", 1),
    ];
    for (arguments, kind, code) in runs {
        let output = desk.run(&[&arguments[..], &["--json"]].concat());
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = value["error"].as_object().unwrap_or_else(|| panic!("{arguments:?}: {value}"));
        let members: Vec<&str> = error.keys().map(String::as_str).collect();
        assert_eq!(members, ["kind", "file", "line", "record", "field", "reason"], "{arguments:?}");
        assert_eq!((error["kind"].as_str(), output.status.code()), (Some(kind), Some(code)), "{arguments:?}: {value}");
        let is_listed = |line: &str| line.starts_with(&format!("| {code}")) && line.contains(&format!("`{kind}`"));
        assert!(DOCUMENT.lines().any(is_listed), "{kind} is not listed with exit code {code}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
    let (missing, code) = Desk::new().json(&["show", SOFIE]);
    assert_eq!((missing["error"]["kind"].as_str(), code), (Some("not_found"), 3));
}

//! Finding persons, subscribers with their filters, and the files they are sent.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::{Desk, SOFIE, binary, extract, two_deliveries};

const EMIL: &str = "6303781235";
const CHILD: &str = "6601264322";

/// A desk with the first demo extract, and subscribers: `everybody`, `children` of 0851, `emil`, `nobody`.
fn subscribed() -> Desk {
    let desk = Desk::new();
    desk.says(&["load", &extract("D260105.L999901")]);
    for name in ["everybody", "children", "emil", "nobody"] {
        assert_eq!(desk.says(&["subscriber", "add", name]), "added\n");
    }
    desk.says(&["filter", "add", "everybody", "--everything"]);
    desk.says(&["filter", "add", "children", "--all-of", "0-17+0851"]);
    desk.says(&["filter", "add", "emil", "--pnr", EMIL]);
    desk
}

#[test]
fn find_joins_kinds_by_and_and_values_of_one_kind_by_or() {
    let desk = two_deliveries();
    let find = |criteria: &[&str]| {
        let text = desk.says(&[&["find"], criteria].concat());
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(find(&[]), [EMIL, SOFIE, CHILD]);
    assert_eq!(find(&["--municipality", "851"]), [SOFIE, CHILD]);
    assert_eq!(find(&["--municipality", "0851", "--municipality", "0101"]), [EMIL, SOFIE, CHILD]);
    assert_eq!(find(&["--municipality", "0851", "--age", "0-17"]), [CHILD]);
    assert_eq!(find(&["--age", "0-17", "--age", "47-47"]), [EMIL, CHILD]);
    assert_eq!(find(&["--age", "0-17", "--on", "1996-06-01"]), [SOFIE], "the others are 18, and not born");
    assert_eq!(find(&["--street", "0851:1188:009"]), [SOFIE, CHILD]);
    assert_eq!(find(&["--street", "0851:1188:010-099"]), [""; 0]);
    assert_eq!(find(&["--street", "0101:6624", "--street", "0851:1188:001-009"]), [EMIL, SOFIE, CHILD]);
    assert_eq!(find(&["--status", "01", "--citizenship", "5100"]), [EMIL, SOFIE, CHILD]);
    assert_eq!(find(&["--status", "90"]), [""; 0]);
    assert_eq!(find(&["--protection", "0001"]), [""; 0]);
    assert_eq!(find(&["--changed", "2"]), [SOFIE, CHILD], "the husband came unchanged");
    assert_eq!(find(&["--change-code", "a36"]), [EMIL, SOFIE, CHILD], "of the last delivery");
    assert_eq!(find(&["--change-code", "A01", "--changed", "2"]), [SOFIE]);
    assert_eq!(find(&["--change-code", "A01", "--changed", "1"]), [""; 0]);
    assert_eq!(find(&["--count", "--municipality", "0851"]), ["2"]);
}

#[test]
fn find_goes_on_behind_the_last_person_of_a_page() {
    let desk = two_deliveries();
    let (first, _) = desk.json(&["find", "--limit", "2"]);
    assert_eq!(first, json!({"known": 2, "count": 3, "persons": [EMIL, SOFIE], "more": true}));
    let (second, _) = desk.json(&["find", "--limit", "2", "--after", SOFIE]);
    assert_eq!(second, json!({"known": 2, "count": 3, "persons": [CHILD], "more": false}));
    let from_input = desk.run_with(&["find", "--after", "-"], format!("{SOFIE}\n").as_bytes());
    assert_eq!(String::from_utf8(from_input.stdout).unwrap(), format!("{CHILD}\n"));
    assert_eq!(desk.json(&["find", "--count"]).0, json!({"known": 2, "count": 3}));
}

#[test]
fn several_filters_are_one_transaction_with_an_answer_each() {
    let desk = subscribed();
    let arguments = ["filter", "add", "emil", "--pnr", "-", "--municipality", "101", "--change-code", "a21"];
    let numbers = format!("{EMIL}\n\n610180-1234\n{CHILD}\n");
    let output = desk.run_with(&arguments, numbers.as_bytes());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "PNR already_existed\nPNR added\nPNR added\nMunicipalityCode added\nEventChangeCode added\n"
    );
    let listed = desk.says(&["filter", "list", "emil"]);
    assert_eq!(listed, format!("PNR {EMIL}\nPNR {SOFIE}\nPNR {CHILD}\nMunicipalityCode 0101\nEventChangeCode A21\n"));
    assert_eq!(desk.says(&["filter", "list", "emil", "--not-held"]), format!("PNR {CHILD}\n"));
    let (answers, code) = desk.json(&["filter", "remove", "emil", "--municipality", "0101", "--address", "0101:6624"]);
    let expected =
        json!([{"kind": "MunicipalityCode", "answer": "removed"}, {"kind": "Address", "answer": "not_found"}]);
    assert_eq!((&answers["answers"], code), (&expected, 0));
    assert_eq!(desk.says(&["filter", "clear", "emil", "PNR"]), "removed 3\n");
    assert_eq!(desk.says(&["filter", "list", "emil"]), "EventChangeCode A21\n");
    let (refused, code) = desk.json(&["filter", "add", "emil", "--pnr", CHILD, "--age", "0-17", "--refuse-unknown"]);
    assert_eq!((refused["answers"][0]["answer"].as_str(), code), (Some("unknown_number"), 1));
    assert_eq!(desk.says(&["filter", "list", "emil"]), "AgeRange 0-17\nEventChangeCode A21\n");
}

#[test]
fn a_subscriber_has_the_profile_of_sf6002_but_for_what_is_asked() {
    let desk = subscribed();
    desk.says(&["subscriber", "add", "other", "--leaves", "--number-chain", "--no-derived", "--no-within"]);
    let (listed, _) = desk.json(&["subscriber", "list"]);
    let profile = |at: usize| &listed["subscribers"][at]["profile"];
    let usual = json!({"within": true, "enters": true, "leaves": false, "number_chain": false, "derived_events": true});
    assert_eq!(profile(0), &usual);
    let other = json!({"within": false, "enters": true, "leaves": true, "number_chain": true, "derived_events": false});
    assert_eq!((listed["subscribers"][4]["name"].as_str(), profile(4)), (Some("other"), &other));
    assert_eq!(desk.says(&["subscriber", "add", "other"]), "already_existed\n");
    let (one, _) = desk.json(&["subscriber", "list", "emil"]);
    assert_eq!((&one["filters"], one["numbers_not_held"].as_u64()), (&json!({"PNR": 1}), Some(0)));
    assert_eq!(desk.says(&["subscriber", "remove", "other"]), "removed\n");
    assert_eq!(desk.says(&["subscriber", "remove", "other"]), "not_found\n");
}

#[test]
fn applying_delivers_to_each_subscriber_and_thinning_again_gives_the_same_bytes() {
    let desk = subscribed();
    let file = extract("D260106.L999901");
    let folder = desk.folder.path().join("out/there");
    let out = folder.to_str().unwrap();
    let output = desk.run(&["apply", &file, "--deliver", out, "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["outcome"].as_str(), lines[1]["delivery"].as_u64()), (Some("applied"), Some(2)));
    let given = lines[1]["delivered"].as_array().unwrap().iter().map(|given| given["subscriber"].as_str().unwrap());
    assert_eq!(given.collect::<Vec<_>>(), ["children", "emil", "everybody"]);
    let read = |name: &str| std::fs::read(folder.join(name).join("D260106.L999901")).unwrap();
    assert_eq!(read("everybody"), std::fs::read(&file).unwrap());
    let (found, _) = desk.json(&["inspect", folder.join("children/D260106.L999901").to_str().unwrap()]);
    assert_eq!((found["sound"].as_bool(), found["persons"].as_u64()), (Some(true), Some(1)));
    assert!(!folder.join("nobody").exists());

    let first = ["everybody", "children", "emil"].map(read);
    // What a crash in the middle leaves behind does not stand in the way, nor does it stay.
    let leftover = folder.join("emil/.D260106.L999901.part");
    std::fs::write(&leftover, "half a file").unwrap();
    std::fs::remove_file(folder.join("emil/D260106.L999901")).unwrap();
    desk.says(&["thin", &file, out, "--empty"]);
    assert_eq!(["everybody", "children", "emil"].map(read), first);
    assert!(!leftover.exists());
    assert_eq!(read("nobody"), b"00000000000009999012026010620260105\r\n999999999999900000000\r\n");
    assert!(desk.says(&["verify"]).contains("everything holds"));
}

#[test]
fn a_delivery_that_cannot_be_written_is_not_lost() {
    let desk = subscribed();
    let file = extract("D260106.L999901");
    let folder = desk.folder.path().join("out");
    let out = folder.to_str().unwrap();
    // One subscriber's folder is in the way; the others are sent theirs.
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("emil"), "").unwrap();
    let output = desk.run(&["apply", &file, "--deliver", out]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    let again = format!("replika --store {} thin {file} {out}", desk.store().display());
    assert!(told.contains("Delivery 2 is stored") && told.contains(&again) && !told.contains(EMIL), "{told}");
    assert!(folder.join("everybody/D260106.L999901").exists());
    assert_eq!(desk.json(&["deliveries"]).0["deliveries"].as_array().unwrap().len(), 2);
    std::fs::remove_file(folder.join("emil")).unwrap();
    let hint = told.lines().find(|line| line.starts_with("replika ")).unwrap().replacen("replika", &binary(), 1);
    assert!(Command::new("sh").args(["-c", &hint]).output().unwrap().status.success(), "runs as printed");
    assert!(folder.join("emil/D260106.L999901").exists());

    let whole = desk.folder.path().join("file");
    std::fs::write(&whole, "").unwrap();
    let (failed, code) = desk.json(&["thin", &file, whole.to_str().unwrap()]);
    assert_eq!((failed["error"]["kind"].as_str(), code), (Some("undelivered"), 3));
}

#[test]
fn only_a_file_that_was_applied_is_thinned() {
    let desk = subscribed();
    let folder = desk.folder.path().join("out");
    let (refused, code) = desk.json(&["thin", &extract("D260106.L999901"), folder.to_str().unwrap()]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("not_applied"), 1));
    assert!(!folder.exists());
    assert_eq!(desk.run(&["thin", "/nowhere/at/all", folder.to_str().unwrap()]).status.code(), Some(1));
}

#[test]
fn matches_tell_the_reasons_and_followers_who_follows() {
    let desk = subscribed();
    desk.says(&["subscriber", "add", "moves", "--no-derived", "--leaves"]);
    desk.says(&["filter", "add", "moves", "--municipality", "0101", "--change-code", "A36"]);
    desk.says(&["apply", &extract("D260106.L999901")]);
    assert_eq!(
        desk.says(&["matches", "2"]),
        "children  1 person\nemil  1 person\neverybody  3 persons\nmoves  3 persons\nnobody  0 persons\n"
    );
    let (told, _) = desk.json(&["matches", "2", "moves"]);
    let told: Vec<(&str, bool, Vec<String>)> = told["persons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| {
            let reason = |reason: &Value| {
                let text = |name: &str| reason[name].as_str().unwrap_or("-").to_owned();
                format!("{} {} {}", text("filter"), text("change"), text("derived_mark"))
            };
            let reasons = person["reasons"].as_array().unwrap().iter().map(reason).collect();
            (person["pnr"].as_str().unwrap(), person["delivered"].as_bool().unwrap(), reasons)
        })
        .collect();
    let reasons = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(told[0], (EMIL, true, reasons(&["0101 within -", "A36 - NF"])));
    assert_eq!(told[1], (SOFIE, true, reasons(&["0101 leaves -", "A36 - MO"])));
    assert_eq!(told[2], (CHILD, true, reasons(&["A36 - -"])));
    let (followers, _) = desk.json(&["followers", CHILD]);
    let names: Vec<&str> =
        followers["subscribers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!((followers["on"].as_str(), names), (Some("2026-01-06"), vec!["children", "everybody"]));
    let text = desk.run_with(&["followers", "-", "--on", "2046-01-01"], format!("{CHILD}\n").as_bytes());
    assert_eq!(String::from_utf8(text.stdout).unwrap(), "everybody  NoFilter everything\n");
}

#[test]
fn an_initial_load_is_an_extract_that_the_next_delta_follows_on() {
    let desk = subscribed();
    let target: PathBuf = desk.folder.path().join("first");
    let (loaded, _) = desk.json(&["initial-load", "emil", "-o", target.to_str().unwrap()]);
    assert_eq!(
        (loaded["persons"].as_u64(), loaded["known"].as_u64(), loaded["production_date"].as_str()),
        (Some(1), Some(1), Some("2026-01-05"))
    );
    assert_eq!(desk.run(&["initial-load", "emil", "-o", "-"]).stdout, std::fs::read(&target).unwrap());
    let folder = desk.folder.path().join("out");
    desk.says(&["apply", &extract("D260106.L999901"), "--deliver", folder.to_str().unwrap()]);
    let other = Desk::new();
    other.says(&["load", target.to_str().unwrap()]);
    other.says(&["apply", folder.join("emil/D260106.L999901").to_str().unwrap()]);
    assert_eq!(other.json(&["find"]).0["persons"], json!([EMIL]));
    assert_eq!(other.run(&["lines", EMIL]).stdout, desk.run(&["lines", EMIL]).stdout);
    let missing = desk.json(&["initial-load", "emil", "-o", "/nowhere/at/all"]);
    assert_eq!((missing.0["error"]["kind"].as_str(), missing.1), (Some("file"), 1));
}

#[test]
fn bad_input_is_told_by_exit_code_without_quoting_it_and_changes_nothing() {
    let desk = subscribed();
    let state = || {
        let filters = ["everybody", "children", "emil", "nobody"].map(|name| desk.says(&["filter", "list", name]));
        (filters, desk.says(&["subscriber", "list"]), desk.says(&["deliveries"]))
    };
    let before = state();
    let secret = "6101801234x";
    for (arguments, code) in [
        (vec!["filter", "add", "emil", "--age", "17-0"], 2),
        (vec!["filter", "add", "emil", "--age", "0-1000"], 2),
        (vec!["filter", "add", "emil", "--change-code", "A0101"], 2),
        (vec!["filter", "add", "emil", "--change-code", "X99"], 1),
        (vec!["filter", "add", "emil", "--all-of", "0851+X99"], 1),
        (vec!["filter", "add", "emil", "--municipality", "Aarhus"], 2),
        (vec!["filter", "add", "emil", "--municipality", "0000"], 2),
        (vec!["filter", "add", "emil", "--pnr", secret], 2),
        (vec!["filter", "add", "emil", "--everything", "--all-of", "everything+0851"], 2),
        (vec!["filter", "add", "emil", "--address", "0851:8512:secret"], 2),
        (vec!["filter", "add", "emil"], 2),
        (vec!["filter", "clear", "emil", "age"], 2),
        (vec!["subscriber", "add", "../elsewhere"], 2),
        (vec!["filter", "add", "stranger", "--everything"], 1),
        (vec!["filter", "list", "stranger"], 1),
        (vec!["filter", "list", "emil", "--known-at", "9"], 1),
        (vec!["subscriber", "list", "stranger"], 1),
        (vec!["initial-load", "stranger", "-o", "-"], 1),
        (vec!["matches", "9"], 1),
        (vec!["matches", "1", "stranger"], 1),
        (vec!["find", "--age", "9"], 2),
        (vec!["find", "--on", "2026-01-01"], 2),
        (vec!["find", "--street", "0851:8512:secret"], 2),
        (vec!["find", "--street", "0851:8512:9-1"], 2),
        (vec!["find", "--status", "1x"], 2),
        (vec!["find", "--changed", "9"], 1),
        (vec!["find", "--after", secret], 2),
        (vec!["followers", secret], 2),
        (vec!["filter", "add", "emil", SOFIE], 2),
        (vec!["filter", "add", "emil", "--everything", "0851:8512:secret"], 2),
        (vec!["find", "--age", "0-17", "--on", SOFIE], 2),
        (vec!["find", "--limit", "6101801234x"], 2),
        (vec!["show", SOFIE, SOFIE], 2),
        (vec![SOFIE], 2),
        (vec!["apply", &extract("D260106.L999901"), "--deliver", "x", "--dry-run"], 2),
    ] {
        let output = desk.run(&arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(!told.is_empty() && !told.contains("6101801234") && !told.contains("secret"), "{told}");
    }
    let located = desk.run_with(&["filter", "add", "emil", "--pnr", "-"], format!("{SOFIE}\n{secret}\n").as_bytes());
    let told = String::from_utf8(located.stderr).unwrap();
    assert!(located.status.code() == Some(2) && told.contains("line 2") && !told.contains(secret), "{told}");
    assert_eq!(state(), before);
}

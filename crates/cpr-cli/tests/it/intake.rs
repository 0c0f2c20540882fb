//! Extracts into a store: where they come from, what a new store becomes, what is refused.

use std::fs;
use std::process::Command;

use crate::{Desk, binary, extract, two_deliveries};

#[test]
fn an_extract_may_come_from_standard_input_or_a_pipe() {
    let desk = Desk::new();
    let (first, second) = (extract("D260105.L999901"), extract("D260106.L999901"));
    let found = desk.run_with(&["inspect", "-"], &fs::read(&first).unwrap());
    assert!(String::from_utf8_lossy(&found.stdout).contains("whole and sound"));
    assert_eq!(desk.run_with(&["load", "-"], &fs::read(&first).unwrap()).status.code(), Some(0));
    desk.says(&["subscriber", "add", "everybody"]);
    desk.says(&["filter", "add", "everybody", "--everything"]);
    let folder = desk.folder.path();
    let line =
        format!("mkfifo pipe; cat {second} > pipe & {} --store replika.db apply pipe --deliver out; wait", binary());
    let output = Command::new("sh").args(["-c", &line]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(folder.join("out/everybody/D260106.L999901")).unwrap(), fs::read(&second).unwrap());
    let (ledger, _) = desk.json(&["deliveries"]);
    assert_eq!(
        (&ledger["deliveries"][0]["file"], &ledger["deliveries"][1]["file"]),
        (&"standard input".into(), &"pipe".into())
    );
    let refused = desk.run_with(&["inspect", "-"], b"");
    assert_eq!(refused.status.code(), Some(1), "an empty pipe is an empty file");
    let (folder, code) = desk.json(&["inspect", folder.to_str().unwrap()]);
    assert_eq!((folder["error"]["kind"].as_str(), code), (Some("file"), 1));
    assert!(folder["error"]["reason"].as_str().unwrap().contains("reading failed"), "{folder}");
}

#[test]
fn a_store_that_a_first_load_left_unfinished_is_taken_up_by_the_next() {
    let first = extract("D260105.L999901");
    let leftovers: [(&str, &[u8]); 4] = [
        ("replika.db", b""),
        (".replika.db.part", b""),
        (".replika.db.part", b"redb and then half a page"),
        (".replika.db.part", b"anything"),
    ];
    for (name, bytes) in leftovers {
        let desk = Desk::new();
        fs::write(desk.folder.path().join(name), bytes).unwrap();
        desk.says(&["load", &first, "--window", "3"]);
        assert_eq!(desk.json(&["settings"]).0["window_years"], 3, "{name}");
        assert_eq!(fs::read_dir(desk.folder.path()).unwrap().count(), 1, "nothing is left beside the store");
    }
    // A store without a delivery, of other settings: nobody chose them for this extract.
    let desk = Desk::new();
    drop(cpr_replika::Replika::create(desk.store(), &cpr_replika::Config::default()).unwrap());
    desk.says(&["load", &first, "--window", "3"]);
    assert_eq!(desk.json(&["settings"]).0["window_years"], 3);
    assert_eq!(desk.run(&["apply", &extract("D260106.L999901"), "--window", "4"]).status.code(), Some(1), "now fixed");
    // A killed load.
    let desk = Desk::new();
    let part = desk.folder.path().join(".replika.db.part");
    drop(cpr_replika::Replika::create(&part, &cpr_replika::Config::default()).unwrap());
    desk.says(&["load", &first]);
    assert!(!part.exists() && desk.store().exists());
}

#[test]
fn a_new_store_takes_one_extract_after_another() {
    let desk = Desk::new();
    let out = desk.folder.path().join("out").display().to_string();
    desk.says(&["apply", &extract("D260105.L999901"), &extract("D260106.L999901"), "--deliver", &out]);
    assert_eq!(desk.json(&["deliveries"]).0["deliveries"].as_array().unwrap().len(), 2);
    assert!(desk.says(&["verify"]).contains("everything holds"));
}

#[test]
fn the_folder_of_a_store_that_is_missing_is_named() {
    let desk = Desk::new();
    let store = desk.folder.path().join("no/such/folder/x.db");
    let output =
        Command::new(binary()).args(["load", &extract("D260105.L999901"), "--store"]).arg(&store).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(3) && text.contains("no/such/folder") && !text.contains("x.db"), "{text}");
}

#[test]
fn settings_tell_what_the_store_was_created_for() {
    let desk = Desk::new();
    desk.says(&["load", &extract("D260105.L999901"), "--window", "2", "--ignore", "998,997"]);
    let (settings, code) = desk.json(&["settings"]);
    let wanted = serde_json::json!({"family": "std", "window_years": 2, "records": null, "ignored": ["997", "998"]});
    assert_eq!((settings, code), (wanted, 0));
    assert!(desk.says(&["settings"]).contains("2 years of history"));
    // The same settings in another order are no others.
    desk.says(&["apply", &extract("D260106.L999901"), "--ignore", "997,998"]);
}

#[test]
fn what_always_comes_is_chosen_unasked_and_never_passed_over() {
    let desk = Desk::new();
    let records = fs::read(extract("D260105.L999901")).unwrap();
    let mut types: Vec<String> = records
        .split(|&byte| byte == b'\n')
        .filter(|line| line.len() > 3)
        .map(|line| String::from_utf8_lossy(&line[..3]).into_owned())
        .collect();
    types.sort();
    types.dedup();
    let chosen: Vec<String> =
        types.into_iter().filter(|number| !["000", "001", "099", "999"].contains(&number.as_str())).collect();
    desk.says(&["load", &extract("D260105.L999901"), "--records", &chosen.join(",")]);
    let (settings, _) = desk.json(&["settings"]);
    let numbers = settings["records"].as_array().unwrap();
    assert!(numbers.contains(&"001".into()) && numbers.contains(&"099".into()), "{settings}");
    desk.says(&["apply", &extract("D260106.L999901"), "--records", &chosen.join(",")]);
    for number in ["000", "001", "999"] {
        let other = Desk::new();
        let (refused, code) = other.json(&["load", "/nowhere/at/all", "--ignore", number]);
        assert_eq!((refused["error"]["kind"].as_str(), code), (Some("config"), 1), "{number}: before the file is read");
        let (refused, code) = other.json(&["load", &extract("D260105.L999901"), "--ignore", number]);
        assert_eq!((refused["error"]["kind"].as_str(), code), (Some("config"), 1), "{number}");
    }
}

#[test]
fn a_family_of_which_the_file_shows_no_sign_is_refused() {
    let desk = Desk::new();
    for family in ["uuid", "2022", "u12180"] {
        let (refused, code) = desk.json(&["load", &extract("D260105.L999901"), "--family", family]);
        assert_eq!((refused["error"]["kind"].as_str(), code), (Some("other_family"), 1), "{family}");
        assert!(!desk.store().exists());
    }
    desk.says(&["load", &extract("D260105.L999901"), "--family", "std"]);
    assert_eq!(desk.json(&["settings"]).0["family"], "std");
}

#[test]
fn equal_faults_are_told_once_with_their_count() {
    let desk = Desk::new();
    let bytes = fs::read(extract("D260105.L999901")).unwrap();
    let damaged = desk.folder.path().join("damaged");
    let mut wrong = bytes.clone();
    let starts: Vec<usize> = (0..bytes.len() - 3)
        .filter(|&at| (at == 0 || bytes[at - 1] == b'\n') && bytes[at..].starts_with(b"001"))
        .collect();
    for start in &starts {
        let date = (start + 13..start + 60).find(|&at| wrong[at + 4] == b'-' && wrong[at + 7] == b'-').unwrap();
        wrong[date..date + 10].copy_from_slice(b"1980-0101-");
    }
    fs::write(&damaged, wrong).unwrap();
    let count = starts.len() - 1;
    assert!(count >= 1);
    let text = String::from_utf8(desk.run(&["inspect", damaged.to_str().unwrap()]).stdout).unwrap();
    assert!(text.contains(&format!("and {count} more of this kind")), "{text}");
    assert_eq!(text.matches("FOED_DT").count(), 1, "{text}");
    let text = String::from_utf8(desk.run(&["load", damaged.to_str().unwrap()]).stderr).unwrap();
    assert!(text.contains(&format!("and {count} more of this kind")), "{text}");
}

#[test]
fn an_error_of_reading_is_not_told_as_one_of_writing() {
    let desk = two_deliveries();
    let persons = desk.folder.path().join("latin1");
    fs::write(&persons, b"\xff\xfe\xe6").unwrap();
    let (failed, code) = desk.json(&["events", "--since", "0", "--persons", persons.to_str().unwrap()]);
    let reason = failed["error"]["reason"].as_str().unwrap();
    assert!(code == 1 && reason.contains("reading failed") && !reason.contains("writing"), "{failed}");
    let output = desk.run_with(&["search", "-"], b"\xff\xfe\xe6\n");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("reading failed") && !text.contains("writing"), "{text}");
}

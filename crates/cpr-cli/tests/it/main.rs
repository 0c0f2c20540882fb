//! The command as a user meets it: exit codes, text, and the JSON that programs read.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

mod access_log;
mod command_line;
mod endless;
mod erase;
mod erase_killed;
mod following;
mod intake;
mod json_shapes;
mod packs;
mod picture;

mod outputs;
mod store_care;

const SOFIE: &str = "6101801234";

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("replika.db")
    }

    /// Runs the command on the store of this desk.
    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, b"")
    }

    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_replika"));
        command.arg("--store").arg(self.store()).args(arguments).current_dir(self.folder.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What a successful run prints.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "silent in a pipe");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a run prints as JSON, with the exit code.
    fn json(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        (serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?}: {text}")), output.status.code().unwrap())
    }
}

/// The command, for a shell.
fn binary() -> String {
    env!("CARGO_BIN_EXE_replika").to_owned()
}

fn extract(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo").join(name).display().to_string()
}

/// A desk with both demo extracts applied.
fn two_deliveries() -> Desk {
    let desk = Desk::new();
    desk.says(&["load", &extract("D260105.L999901")]);
    desk.says(&["apply", &extract("D260106.L999901")]);
    desk
}

#[test]
fn the_store_may_be_named_before_or_after_the_subcommand() {
    let desk = two_deliveries();
    let after = Command::new(env!("CARGO_BIN_EXE_replika")).args(["deliveries", "--store"]).arg(desk.store()).output();
    assert_eq!(String::from_utf8(after.unwrap().stdout).unwrap(), desk.says(&["deliveries"]));
}

#[test]
fn applying_reports_one_object_per_file() {
    let desk = Desk::new();
    let (first, code) = desk.json(&["apply", &extract("D260105.L999901")]);
    assert_eq!((first["outcome"].as_str(), first["persons"]["new"].as_u64(), code), (Some("applied"), Some(2), 0));
    let output = desk.run(&["apply", &extract("D260105.L999901"), &extract("D260106.L999901"), "--json"]);
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["outcome"], "already_applied");
    assert_eq!(lines[0]["persons"], first["persons"], "the report of then");
    assert_eq!(
        (
            lines[1]["delivery"].as_u64(),
            lines[1]["production_date"].as_str(),
            lines[1]["previous_production_date"].as_str()
        ),
        (Some(2), Some("2026-01-06"), Some("2026-01-05"))
    );
    assert_eq!(lines[1]["facts"], serde_json::json!({"kept": 15, "new": 14, "superseded": 3}));
    assert_eq!((lines[1]["classes"]["late_report"].as_u64(), lines[1]["events"].as_u64()), (Some(2), Some(5)));
}

#[test]
fn a_dry_run_stores_nothing_not_even_a_store() {
    let desk = Desk::new();
    let (report, code) = desk.json(&["apply", &extract("D260105.L999901"), "--dry-run"]);
    assert_eq!((report["outcome"].as_str(), code), (Some("dry_run"), 0));
    assert!(!desk.store().exists());
    desk.says(&["load", &extract("D260105.L999901")]);
    desk.says(&["apply", "--dry-run", &extract("D260106.L999901")]);
    assert_eq!(desk.json(&["deliveries"]).0["deliveries"].as_array().unwrap().len(), 1);
}

#[test]
fn show_tells_both_clocks_and_fields_by_cprs_names() {
    let desk = two_deliveries();
    let (shown, _) = desk.json(&["show", SOFIE, "--valid-at", "2025-12-31", "--known-at", "1"]);
    assert_eq!(
        (shown["pnr"].as_str(), shown["current_pnr"].as_str(), shown["known"].as_u64()),
        (Some(SOFIE), Some(SOFIE), Some(1))
    );
    assert_eq!(shown["numbers"], serde_json::json!([SOFIE]));
    let address = |shown: &Value| -> Value {
        let facts = shown["facts"].as_array().unwrap().iter().filter(|fact| fact["aspect"] == "address");
        let facts: Vec<&Value> = facts.collect();
        assert_eq!(facts.len(), 1, "one address holds at a time");
        facts[0].clone()
    };
    let then = address(&shown);
    assert_eq!((then["record"].as_str(), then["fields"]["KOMKOD"].as_str()), (Some("002"), Some("0101")));
    assert_eq!((then["valid_from"].as_str(), then["known_from"].as_u64()), (Some("2020-03-01T12:00"), Some(1)));
    assert_eq!((then["known_to"].as_u64(), &then["valid_to"], &then["mark"]), (Some(2), &Value::Null, &Value::Null));
    let (now, _) = desk.json(&["show", SOFIE, "--valid-at", "2025-12-31T23:59"]);
    assert_eq!(address(&now)["fields"]["KOMKOD"], "0851");
    let (by_day, _) = desk.json(&["show", SOFIE, "--valid-at", "2025-12-31", "--known-at", "2026-01-05"]);
    assert_eq!(address(&by_day), then, "the day of production is another way to say the delivery");
    let (all, _) = desk.json(&["show", SOFIE, "--history"]);
    let marks: Vec<&Value> = all["facts"].as_array().unwrap().iter().filter(|fact| fact["mark"] == "K").collect();
    assert_eq!(marks.len(), 1);
    assert_eq!((&marks[0]["historic"], &marks[0]["valid_to"]), (&true.into(), &marks[0]["valid_from"]));
}

#[test]
fn a_historic_row_without_an_end_shows_no_end_that_nobody_sent() {
    let desk = Desk::new();
    let mut file = std::fs::read(extract("D260106.L999901")).unwrap();
    let row = file.windows(24).position(|text| text == b"0236101801234 0751042007").unwrap();
    let end = row + file[row..].windows(12).position(|text| text == b"202003011200").unwrap();
    file[end..end + 12].copy_from_slice(b"000000000000");
    let path = desk.folder.path().join("open");
    std::fs::write(&path, file).unwrap();
    desk.says(&["load", path.to_str().unwrap()]);
    let (shown, _) = desk.json(&["show", SOFIE, "--history"]);
    let facts = shown["facts"].as_array().unwrap();
    let row = facts.iter().find(|fact| fact["valid_from"] == "2009-06-13T14:00" && fact["mark"].is_null());
    let row = row.filter(|fact| fact["record"] == "023").unwrap();
    assert_eq!((&row["historic"], &row["valid_to"]), (&Value::Bool(true), &Value::Null));
    assert!(desk.says(&["show", SOFIE, "--history"]).contains("valid 2009-06-13 14:00..? "));
}

#[test]
fn lines_are_those_of_the_file_byte_for_byte() {
    let desk = two_deliveries();
    for (known, name) in [("1", "D260105.L999901"), ("2", "D260106.L999901")] {
        let file = std::fs::read(extract(name)).unwrap();
        let ours = file
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|line| line[3..13] == *SOFIE.as_bytes() && !line.starts_with(b"099"));
        let output = desk.run(&["lines", SOFIE, "--known-at", known]);
        assert_eq!(output.stdout, ours.flatten().copied().collect::<Vec<u8>>(), "{name}");
    }
}

#[test]
fn a_number_can_come_from_standard_input() {
    let desk = two_deliveries();
    let output = desk.run_with(&["show", "-"], format!("{SOFIE}\n").as_bytes());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), desk.says(&["show", SOFIE]));
}

#[test]
fn an_export_is_an_extract_that_loads_and_says_the_same() {
    let desk = two_deliveries();
    let target = desk.folder.path().join("export");
    desk.says(&["export", "-o", target.to_str().unwrap()]);
    let other = Desk::new();
    other.says(&["load", target.to_str().unwrap()]);
    let lines = |desk: &Desk| desk.run(&["lines", SOFIE]).stdout;
    assert_eq!(lines(&other), lines(&desk));
    let again = desk.run(&["export", "-o", "-"]).stdout;
    assert_eq!(again, std::fs::read(target).unwrap());
}

#[test]
fn diff_and_changes_tell_what_and_whom() {
    let desk = two_deliveries();
    let (diff, _) = desk.json(&["diff", SOFIE, "1", "2"]);
    let changes = diff["changes"].as_array().unwrap();
    let classes: Vec<&str> = changes.iter().map(|change| change["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["late_report", "ended", "corrected", "corrected", "late_report", "new"]);
    assert_eq!(changes[0]["before"], Value::Null);
    assert_eq!(changes[1]["before"]["fields"]["TILFLYDTO"], changes[1]["after"]["fields"]["TILFLYDTO"]);
    let (changed, _) = desk.json(&["changes", "2"]);
    assert_eq!(changed["persons"], serde_json::json!([SOFIE, "6601264322"]), "the husband came unchanged");
}

#[test]
fn a_refusal_is_located_exits_1_and_leaves_no_store() {
    let desk = Desk::new();
    let bytes = std::fs::read(extract("D260105.L999901")).unwrap();
    let damaged = desk.folder.path().join("damaged");
    let at = bytes.windows(10).position(|text| text == b"1980-01-01").unwrap();
    let damage = [&bytes[..at], b"1980-0101-", &bytes[at + 10..]].concat();
    std::fs::write(&damaged, damage).unwrap();
    let (refused, code) = desk.json(&["apply", damaged.to_str().unwrap()]);
    let error = &refused["error"];
    assert_eq!((error["kind"].as_str(), error["record"].as_str(), code), (Some("not_a_date"), Some("001"), 1));
    assert_eq!((error["field"].as_str(), error["line"].as_u64()), (Some("FOED_DT"), Some(9)));
    assert!(!desk.store().exists(), "a store made for a file that was refused is not left behind");
    let text = String::from_utf8(desk.run(&["apply", damaged.to_str().unwrap()]).stderr).unwrap();
    assert!(text.contains("line 9") && text.contains("FOED_DT") && !text.contains(SOFIE), "{text}");
}

#[test]
fn exit_codes_tell_refused_input_usage_and_store_trouble_apart() {
    let desk = two_deliveries();
    let code = |arguments: &[&str]| desk.run(arguments).status.code().unwrap();
    assert_eq!(code(&["show", "7212554441"]), 1, "not held");
    assert_eq!(code(&["show", SOFIE, "--known-at", "9"]), 1, "no such delivery");
    assert_eq!(code(&["apply", "/nowhere/at/all"]), 1);
    assert_eq!(code(&["load", &extract("D260106.L999901")]), 0, "the same file again is no load");
    assert_eq!(code(&["show", "12345"]), 2, "not ten digits");
    assert_eq!(code(&["show"]), 2);
    assert_eq!(code(&["show", SOFIE, "--valid-at", "yesterday"]), 2);
    assert_eq!(code(&["apply", &extract("D260106.L999901"), "--window", "3"]), 1, "settings are fixed");
    std::fs::write(desk.store(), b"something else entirely").unwrap();
    assert_eq!(code(&["show", SOFIE]), 3, "not a store");
    assert_eq!(Desk::new().run(&["verify"]).status.code(), Some(3), "no store");
    let no_store = Command::new(env!("CARGO_BIN_EXE_replika")).args(["show", SOFIE]).output().unwrap();
    assert_eq!(no_store.status.code(), Some(2), "no store named");
}

#[test]
fn inspect_needs_no_store_and_tells_what_a_file_is() {
    let desk = Desk::new();
    let (found, code) = desk.json(&["inspect", &extract("D260106.L999901")]);
    assert_eq!((found["family"].as_str(), found["persons"].as_u64(), code), (Some("std"), Some(3), 0));
    assert_eq!((found["header"]["task"].as_str(), found["records"]["099"].as_u64()), (Some("999901"), Some(5)));
    assert!(!desk.store().exists());
}

#[test]
fn a_store_open_elsewhere_is_told() {
    let desk = two_deliveries();
    let held = cpr_replika::Replika::open(desk.store()).unwrap();
    let (refused, code) = desk.json(&["show", SOFIE]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("locked"), 3));
    drop(held);
    assert_eq!(desk.json(&["show", SOFIE]).1, 0);
}

#[test]
fn stats_verify_and_the_ledger_tell_about_the_store() {
    let desk = two_deliveries();
    let (verified, code) = desk.json(&["verify"]);
    assert_eq!((verified["clean"].as_bool(), verified["persons"].as_u64(), code), (Some(true), Some(3), 0));
    let (scrubbed, code) = desk.json(&["scrub", "--rate", "100MB"]);
    assert_eq!((scrubbed["clean"].as_bool(), scrubbed["fault_count"].as_u64(), code), (Some(true), Some(0), 0));
    assert_eq!(desk.run(&["scrub", "--rate", "fast"]).status.code(), Some(2));
    let (stats, _) = desk.json(&["stats"]);
    let persons = stats["tables"].as_array().unwrap().iter().find(|table| table["name"] == "persons/v2").unwrap();
    assert_eq!(persons["rows"], 3);
    let (ledger, _) = desk.json(&["deliveries"]);
    assert_eq!(ledger["deliveries"][0]["kind"], "load");
    assert_eq!(ledger["deliveries"][1]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn the_demo_runs_and_shows_two_answers_to_one_question() {
    let output = Command::new(env!("CARGO_BIN_EXE_replika")).arg("demo").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("as known after delivery 1: municipality 0101"), "{text}");
    assert!(text.contains("as known after delivery 2: municipality 0851"), "{text}");
    assert!(text.contains("0 faults"));
    let picture = Path::new(text.lines().last().unwrap());
    assert!(std::fs::read_to_string(picture).unwrap().starts_with("<svg"), "it says where the picture is");
    std::fs::remove_file(picture).unwrap();
}

#[test]
fn generate_writes_files_that_load_and_follow_each_other() {
    let desk = Desk::new();
    let folder = desk.folder.path().join("made");
    let out = folder.display().to_string();
    let options = ["--persons", "600", "--nights", "2", "--night-size", "40", "--task", "123456", "--out", &out];
    let (made, code) = desk.json(&[&["generate"], &options[..]].concat());
    let files: Vec<&str> =
        made["files"].as_array().unwrap().iter().map(|file| file["file"].as_str().unwrap()).collect();
    let names: Vec<_> = files.iter().map(|file| file.rsplit('/').next().unwrap()).collect();
    assert_eq!((code, names), (0, vec!["D260105.L123456", "D260106.L123456", "D260107.L123456"]));
    desk.says(&["load", files[0]]);
    desk.says(&["apply", files[1], files[2]]);
    assert!(desk.says(&["verify"]).contains("everything holds"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3, "nothing left beside the files");
}

#[test]
fn generate_makes_the_test_data_sets_and_scenarios() {
    let desk = Desk::new();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/scenario/move-late.toml");
    let scenario = scenario.display().to_string();
    for (what, count) in [(vec!["--basis"], 1), (vec!["--archetypes"], 1), (vec!["--scenario", &scenario], 3)] {
        let out = desk.folder.path().join(what[0]).display().to_string();
        let (made, _) = desk.json(&[&["generate", "--out", &out], &what[..]].concat());
        let files = made["files"].as_array().unwrap();
        assert_eq!(files.len(), count);
        for file in files {
            assert!(desk.says(&["inspect", file["file"].as_str().unwrap()]).contains("whole and sound"));
        }
    }
    assert_eq!(desk.run(&["generate", "--out", "x"]).status.code(), Some(2), "nothing to make");
    assert_eq!(desk.run(&["generate", "--basis", "--persons", "1", "--out", "x"]).status.code(), Some(2), "two things");
}

#[test]
fn a_service_answers_as_xml_and_as_json() {
    let desk = two_deliveries();
    for service in
        ["stam+", "stam", "familie+", "familie", "navne3", "sf1520", "sf1520-4", "sf1525", "sf1525-1.0", "sf6008"]
    {
        let xml = desk.says(&["answer", service, SOFIE, "--on", "2026-01-07"]);
        assert!(xml.starts_with('<') && xml.contains(SOFIE) || service == "navne3", "{service}");
        let (json, code) = desk.json(&["answer", service, SOFIE, "--on", "2026-01-07"]);
        assert!(code == 0 && json["protections"].is_array(), "{service}");
    }
    let stam = |known: &str| desk.says(&["answer", "stam+", SOFIE, "--on", "2026-01-07", "--known-at", known]);
    assert_ne!(stam("1"), stam("2"), "she moved in the second delivery");
    assert_eq!(stam("2"), desk.says(&["answer", "stam+", SOFIE, "--on", "2026-01-07"]));
}

#[test]
fn sf1525_answers_what_is_marked() {
    let desk = two_deliveries();
    let ask = |more: &[&str]| desk.json(&[&["answer", "sf1525", SOFIE, "--on", "2026-01-07"], more].concat()).0;
    let count = |answer: &Value, area: &str| answer["answer"][area].as_array().map_or(0, Vec::len);
    let address = ask(&["--mark", "AdresseMarkering=Aktuel"]);
    assert_eq!((count(&address, "Adresse"), count(&address, "Navn")), (1, 0));
    let deep = ask(&["--mark", "AdresseMarkering=AktuelMedHistorik", "--mark", "NavnMarkering=Aktuel"]);
    assert!(count(&deep, "Adresse") > 1 && count(&deep, "Navn") == 1);
    assert_eq!(count(&ask(&["--history"]), "Adresse"), count(&deep, "Adresse"));
    let list = ["--mark", "PersonnummerListeMarkering=Aktuel"];
    let old = desk.run(&[&["answer", "sf1525-1.0", SOFIE], &list[..]].concat());
    assert_eq!(old.status.code(), Some(2), "1.0 has no list of numbers");
}

#[test]
fn an_unknown_number_has_no_answer() {
    let desk = two_deliveries();
    let (answer, code) = desk.json(&["answer", "sf1520", "6201701111", "--on", "2026-01-07"]);
    assert_eq!((answer["error"]["kind"].as_str(), code), (Some("unknown_person"), 1));
}

#[test]
fn of_a_number_known_only_as_given_up_the_number_now_is_told() {
    let desk = Desk::new();
    let lines = [
        "00000000000009999012026010520260105".to_owned(),
        format!("001{SOFIE}          01000000000000 K1980-01-01 1980-01-01"),
        format!("022{SOFIE}61018012421980-01-01 2026-01-02"),
        "999999999999900000002\n".to_owned(),
    ];
    std::fs::write(desk.folder.path().join("D260105.L999901"), lines.join("\n")).unwrap();
    desk.says(&["load", "D260105.L999901", "--family", "std", "--allow-wider-family"]);
    for arguments in [vec!["lines", "6101801242"], vec!["answer", "stam+", "6101801242"]] {
        let (value, code) = desk.json(&arguments);
        assert_eq!((value["error"]["kind"].as_str(), code), (Some("former_number"), 1));
        assert_eq!(value["current_pnr"], SOFIE);
        let output = desk.run(&arguments);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("the number now: {SOFIE}\n"));
        assert!(!String::from_utf8(output.stderr).unwrap().contains(SOFIE), "errors name nobody");
    }
}

#[test]
fn a_calendar_says_when_it_cannot_know_whose_protection_ends() {
    let desk = Desk::new();
    desk.says(&["load", &extract("D260105.L999901"), "--records", "001,002,003,008,010,011,012,014,015,023,026"]);
    let output = desk.run(&["calendar", "--from", "2026-01-01", "--to", "2026-12-31"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stderr).unwrap().contains("does not hold protection"));
    let all = two_deliveries();
    assert!(all.run(&["calendar", "--from", "2026-01-01", "--to", "2026-12-31"]).stderr.is_empty());
}

#[test]
fn a_search_finds_counts_and_pages() {
    let desk = two_deliveries();
    let (all, code) = desk.json(&["search", "efternavn:Bækgaard"]);
    assert_eq!((all["rows"].as_array().map(Vec::len), code), (Some(2), 0));
    assert_eq!(all["rows"][1]["addressing_name"], "Sofie Bækgaard");
    assert_eq!(desk.says(&["search", "efternavn:bækg* AND fornavn:Sofie", "--count"]), "1\n");
    let (first, _) = desk.json(&["search", "navn:baekgaard OR navn:Bækgård", "--limit", "1"]);
    assert_eq!((first["rows"].as_array().map(Vec::len), first["next"].is_string()), (Some(1), true), "å is aa");
    let next = first["next"].as_str().unwrap();
    let (second, _) = desk.json(&["search", "navn:bækgaard", "--after", next]);
    assert_eq!((second["rows"].as_array().map(Vec::len), second["next"].is_null()), (Some(1), true));
    let output = desk.run_with(&["search", "-", "--count"], b"personnummer:6101801234\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    let moved = "kommunekode:0101 AND vejkode:6624 AND personnummer:6101801234";
    let count = |scope: &str| desk.says(&["search", moved, "--count", "--scope", scope]);
    assert_eq!((count("now").as_str(), count("ever").as_str()), ("0\n", "1\n"), "she moved in the second delivery");
}

#[test]
fn a_search_that_cannot_be_read_is_told_without_what_it_says() {
    let desk = two_deliveries();
    for wrong in [&["search", "efternavn:(Bækgaard"][..], &["search", "navn:x", "--after", "Bækgaard"]] {
        let output = desk.run(wrong);
        assert_eq!(output.status.code(), Some(2));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("Bækgaard"));
    }
    let output = desk.run(&["answer", "adrsog1", "--field", "VEJK=6624"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("POST or KOMK is required"));
}

#[test]
fn adrsog1_answers_who_lives_at_an_address() {
    let desk = two_deliveries();
    let fields = ["answer", "adrsog1", "--field", "VEJK=6624", "--field", "KOMK=0101", "--field", "HNR=012"];
    let (answer, code) = desk.json(&fields);
    assert_eq!((answer["count"].as_u64(), code), (Some(1), 0));
    assert!(desk.says(&fields).contains("<Table r=\"ADRSOEG\"><Row k=\"0\">"));
}

/// The objects of a run that prints one a line.
fn lines(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let text = desk.says(&[arguments, &["--json"]].concat());
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn events_are_listed_one_a_line_from_any_place_on() {
    let desk = two_deliveries();
    let all = lines(&desk, &["events", "--since", "0"]);
    assert!(all.iter().all(|event| event["delivery"] == 2), "a load is silent");
    let kinds: Vec<&str> = all.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let sofies = ["moved_out", "moved_in", "address_corrected", "child_born"];
    assert_eq!(kinds, [&["other"], &sofies[..], &["child_born", "created"]].concat());
    let moved = &all[2];
    assert_eq!((moved["pnr"].as_str(), moved["code"].as_str()), (Some(SOFIE), Some("A01")));
    assert_eq!((&moved["municipality_before"], &moved["municipality_after"]), (&"0101".into(), &"0851".into()));
    assert_eq!(moved["aspects"], serde_json::json!(["address", "formatted_address"]));
    assert!(moved["derived_mark"].is_null() && moved["registered_at"] == "2026-01-06T09:14");
    assert_eq!(all[4]["related"].as_array().unwrap().len(), 1, "the child");

    let cursor = all[2]["cursor"].as_str().unwrap();
    assert_eq!(lines(&desk, &["events", "--since", cursor]), all[3..]);
    assert_eq!(lines(&desk, &["events", "--since", "0", "--kind", "moved_in,created"]).len(), 2);
    assert_eq!(lines(&desk, &["events", "--since", "0", "--code", "a09"]), all[3..4]);
    assert_eq!(lines(&desk, &["events", "--since", "0", "--municipality-before", "101"]), all[..5]);
    let only = desk.run_with(&["events", "--since", "0", "--persons", "-", "--json"], SOFIE.as_bytes());
    assert_eq!(String::from_utf8(only.stdout).unwrap().lines().count(), 4);
    let text = desk.says(&["events", "--since", "1"]);
    assert_eq!(text.lines().count(), all.len());
    assert!(text.contains("moved_in") && text.contains("0101 > 0851"));
}

#[test]
fn a_consumer_goes_on_where_it_acknowledged() {
    let desk = two_deliveries();
    let all = lines(&desk, &["events", "--since", "0"]);
    assert_eq!(desk.json(&["events", "--consumer", "queue"]).0["error"]["kind"], "unknown_consumer");
    assert_eq!(desk.json(&["events", "--consumer", "queue", "--add", "--since", "1"]).0["cursor"], "1");
    assert_eq!(lines(&desk, &["events", "--consumer", "queue"]), all);
    desk.says(&["events", "--consumer", "queue", "--acknowledge", all[3]["cursor"].as_str().unwrap()]);
    assert_eq!(lines(&desk, &["events", "--consumer", "queue"]), all[4..], "ids and all");
    desk.says(&["events", "--consumer", "queue", "--remove"]);
    assert_eq!(desk.json(&["events", "--consumer", "queue"]).1, 1);
}

#[test]
fn events_that_cannot_be_asked_for_are_refused() {
    let desk = two_deliveries();
    let (refused, code) = desk.json(&["events", "--since", "3"]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("unknown_delivery"), 1));
    let (refused, code) = desk.json(&["events", "--since", "2.9.0"]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("not_a_cursor"), 1));
    let (refused, code) = desk.json(&["calendar", "--from", "2026-02-01", "--to", "2026-01-01"]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("days_out_of_order"), 1));
    for usage in [
        &["events"][..],
        &["events", "--since", "0", "--code", "A-1"],
        &["events", "--since", "0", "--code", "A0001"],
        &["events", "--since", "0", "--kind", "born"],
        &["events", "--since", "1.x"],
        &["events", "--since", "0", "--municipality", "Aalborg"],
        &["events", "--since", "0", "--acknowledge", "1"],
        &["calendar", "--from", "2026-02-01"],
        &["calendar", "--from", "2026-13-01", "--to", "2026-02-01"],
    ] {
        assert_eq!(desk.run(usage).status.code(), Some(2), "{usage:?}");
    }
    let persons = desk.run_with(&["events", "--since", "0", "--persons", "-"], b"61018012345");
    assert_eq!(persons.status.code(), Some(2));
    assert!(!String::from_utf8_lossy(&persons.stderr).contains("6101801234"));
}

#[test]
fn the_calendar_lists_ages_by_day() {
    let desk = two_deliveries();
    let due = lines(&desk, &["calendar", "--from", "2026-01-01", "--to", "2026-12-31", "--age", "46,48"]);
    let told: Vec<_> =
        due.iter().map(|event| (event["day"].as_str().unwrap(), event["age"].as_u64().unwrap())).collect();
    assert_eq!(told, [("2026-01-01", 46), ("2026-03-03", 48)]);
    assert_eq!(due[0]["due"], "reaches_age");
    assert!(desk.says(&["calendar", "--from", "2026-01-01", "--to", "2026-12-31", "--age", "46"]).contains(SOFIE));
}

//! `erase` and `readmit`: who goes, who stands against it, and who comes back.

use super::{SOFIE, extract, two_deliveries};

/// The number of each line that stands for one.
fn numbers(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.len() == 10 && line.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

#[test]
fn a_person_is_listed_then_erased_and_the_receipt_names_nobody() {
    let desk = two_deliveries();
    let all = numbers(&desk.says(&["find"])).len();
    let listed = desk.says(&["erase", SOFIE, "--dry-run"]);
    assert_eq!(numbers(&listed), [SOFIE]);
    assert!(listed.contains("1 persons, 1 numbers, 1 of them with records"), "{listed}");
    let output = desk.run_with(&["erase", "-", "--reason", "moved away", "--json"], format!("{SOFIE}\n\n").as_bytes());
    let receipt = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{receipt}");
    assert!(
        !receipt.contains(SOFIE) && receipt.contains("\"traces\":0") && receipt.contains("moved away"),
        "{receipt}"
    );
    assert_eq!(numbers(&desk.says(&["find"])).len(), all - 1);
    let (gone, code) = desk.json(&["show", SOFIE]);
    assert_eq!((gone["error"]["kind"].as_str(), code), (Some("unknown_person"), 1));
    assert!(desk.says(&["verify"]).contains("everything holds"));
    let (again, _) = desk.json(&["apply", &extract("D260106.L999901")]);
    assert_eq!(again["outcome"], "already_applied");
    assert!(desk.says(&["readmit", SOFIE]).starts_with("1 numbers"));
}

#[test]
fn persons_are_erased_by_what_they_are_found_by_and_told_about_before() {
    let desk = two_deliveries();
    let listed = desk.says(&["erase", "--municipality", "0851", "--dry-run"]);
    assert_eq!(numbers(&listed), numbers(&desk.says(&["find", "--municipality", "0851"])));
    assert!(!numbers(&listed).is_empty());
    let about = desk.says(&["about", SOFIE]);
    assert!(about.contains("found by: everybody, municipality 0851") && about.contains("KOMKOD=0851"), "{about}");
    for usage in [&["erase", "--reason", "none"][..], &["erase", SOFIE, "--age", "0-5", "--reason", "both"]] {
        assert_eq!(desk.run(usage).status.code(), Some(2));
    }
    desk.says(&["erase", "--municipality", "0851", "--reason", "moved away"]);
    assert!(numbers(&desk.says(&["find", "--municipality", "0851"])).is_empty());
    assert!(desk.says(&["about", SOFIE]).contains("barred: "));
}

#[test]
fn the_digest_of_a_receipt_stands_in_the_access_log() {
    let desk = two_deliveries();
    let [log, key] = ["log", "log.key"].map(|name| desk.folder.path().join(name).display().to_string());
    desk.says(&["key", "new", &key]);
    let logged = ["--log", log.as_str(), "--log-key", key.as_str(), "--purpose", "a test"];
    let (receipt, code) = desk.json(&[&["erase", SOFIE, "--reason", "moved away"][..], &logged].concat());
    assert_eq!(code, 0);
    let lines: String = std::fs::read_dir(&log)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let digest = receipt["digest"].as_str().unwrap();
    assert!(digest.len() == 64 && lines.contains(&format!("\"receipt\":\"{digest}\"")), "{lines}");
    desk.says(&[&["log", "verify"][..], &logged[..4]].concat());
}

#[test]
fn who_is_not_kept_is_not_said_to_be_unknown() {
    let desk = super::Desk::new();
    desk.says(&["load", &extract("D260105.L999901"), "--keep", "65-120,0461", "--keep-grace", "0"]);
    let (error, code) = desk.json(&["show", SOFIE]);
    assert_eq!((error["error"]["kind"].as_str(), code), (Some("not_kept"), 1));
    let (error, _) = desk.json(&["answer", "sf6008", SOFIE]);
    assert_eq!(error["error"]["kind"], "not_kept");
    let (error, _) = desk.json(&["show", "7212554441"]);
    assert_eq!(error["error"]["kind"], "unknown_person");
    let (refused, _) = desk.json(&["apply", &extract("D260106.L999901"), "--keep", "0851"]);
    assert_eq!(refused["error"]["kind"], "config");
    assert!(desk.says(&["keep", "followed"]).contains("kept are whom subscribers follow; 30 days of grace"));
    desk.says(&["subscriber", "add", "school"]);
    desk.says(&["filter", "add", "school", "--pnr", SOFIE]);
    let (refused, _) = desk.json(&["initial-load", "school", "-o", "first"]);
    assert_eq!(refused["error"]["kind"], "not_admitted");
    desk.says(&["admit", &extract("D260105.L999901")]);
    desk.says(&["show", SOFIE]);
    desk.says(&["initial-load", "school", "-o", "first"]);
    assert!(desk.says(&["settings"]).contains("kept     whom subscribers follow"));
}

#[test]
fn nobody_is_erased_without_a_reason_or_while_followed() {
    let desk = two_deliveries();
    let before = desk.says(&["find"]);
    assert_eq!(desk.run(&["erase", SOFIE]).status.code(), Some(2));
    let (refused, code) = desk.json(&["erase", SOFIE, "--reason", "610180-1234"]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("erase"), 1));
    desk.says(&["subscriber", "add", "school"]);
    desk.says(&["filter", "add", "school", "--pnr", SOFIE]);
    let (refused, code) = desk.json(&["erase", SOFIE, "--reason", "moved away"]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("followed"), 1));
    assert_eq!(desk.says(&["find"]), before);
    assert!(desk.says(&["erase", SOFIE, "--reason", "moved away", "--unfollow"]).contains("proof: "));
    assert!(numbers(&desk.says(&["followers", SOFIE])).is_empty());
}

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

//! `events` and `calendar`: one object a line, from any place on.

use serde_json::Value;

use super::{Desk, SOFIE, two_deliveries};

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

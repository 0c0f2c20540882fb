//! The command line: what is refused and how it is said, days, waiting, help, completions, manual pages.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Desk, SOFIE, binary, extract, two_deliveries};

#[test]
fn nothing_that_was_typed_is_repeated() {
    let desk = two_deliveries();
    for arguments in [
        &["changes", "6101100000"][..],
        &["changes", "6101100000"],
        &["diff", SOFIE, "6101100000", "2"],
        &["diff", SOFIE, "1", "6101100000"],
        &["diff", "6101100000"],
        &["matches", "6101100000"],
        &["matches", "999999"],
        &["load", "x", "--records", "6101100000"],
        &["load", "x", "--ignore", "6101100000"],
        &["load", "x", "--window", "6101100000"],
        &["show", "--6101100000"],
        &["show", "-6101100000"],
        &["show", SOFIE, "6101100000"],
        &["show", SOFIE, "--known-at", "6101100000"],
        &["show", SOFIE, "--known-at", "999999"],
        &["show", SOFIE, "--valid-at", "6101100000"],
        &["search", "Jens", "Hansen"],
        &["search", "Hansen:Jens"],
        &["search", "x", "--limit", "6101100000"],
        &["search", "x", "--scope", "Hansen"],
        &["answer", "Hansen", SOFIE],
        &["answer", "sf1525", SOFIE, "--mark", "Hansen"],
        &["answer", "stam", SOFIE, "--format", "Hansen"],
        &["events", "--since", "6101100000"],
        &["events", "--since", "0", "--kind", "Hansen"],
        &["events", "--since", "0", "--code", "Hansen"],
        &["events", "--since", "0", "--municipality", "Hansen"],
        &["calendar", "--from", "Hansen", "--to", "2026-01-01"],
        &["calendar", "--from", "2026-01-01", "--to", "2026-01-02", "--age", "6101100000"],
        &["find", "--age", "610-110"],
        &["find", "--changed", "6101100000"],
        &["find", "--limit", "6101100000"],
        &["filter", "add", "x", "--age", "610-110"],
        &["generate", "--persons", "6101100000", "--out", "x"],
        &["generate", "--persons", "1", "--task", "6101100000", "--out", "x"],
        &["inspect", "6101100000"],
        &["apply", "610110-0000"],
        &["thin", "6101100000", "x"],
        &["completions", "Hansen"],
        &["Hansen"],
        &["6101100000"],
        &["--wait", "6101100000", "stats"],
        &["--Hansen"],
    ] {
        let output = desk.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {text}");
        assert!(text.starts_with("replika: ") && text.len() > 20, "{arguments:?}: {text}");
        for typed in ["6101100000", "101100000", "610110", "610", "999999", "Hansen", "Jens"] {
            assert!(!text.contains(typed), "{arguments:?} tells {typed}: {text}");
        }
    }
}

#[test]
fn a_usage_error_says_what_is_wanted() {
    let desk = two_deliveries();
    for (arguments, wanted) in [
        (&["show"][..], "missing: <PNR>"),
        (&["show", SOFIE, "--known", "1"], "did you mean --known-at"),
        (&["show", SOFIE, "--valid-at", "x"], "--valid-at <T>: a day YYYY-MM-DD, or a moment"),
        (&["search", "x", "--scope", "x"], "now, ever, at-the-same-time"),
        (&["find", "--count", "--limit", "1"], "--count cannot be used with"),
        (&["shw", SOFIE], "did you mean show"),
        (&["diff", SOFIE, "2", "1"], "the earlier delivery comes first"),
        (&["filter", "add", "x", "--pnr", "0000000000"], "not a personnummer"),
        (&["generate", "--basis", "--nights", "2", "--out", "x"], "cannot be used with"),
        (&["search", "navn:x", "--limit", "200000"], "100000 rows at most"),
        (&["search", "q=navn:x&rows=2000000000"], "100000 rows at most"),
    ] {
        let output = desk.run(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(wanted), "{arguments:?}: {text}");
    }
}

#[test]
fn days_and_times_that_do_not_exist_are_usage_errors_everywhere() {
    let desk = two_deliveries();
    for (before, after) in [
        (&["find", "--age", "0-99", "--on"][..], &[][..]),
        (&["answer", "stam", SOFIE, "--on"], &[]),
        (&["answer", "stam", SOFIE, "--valid-at"], &[]),
        (&["show", SOFIE, "--valid-at"], &[]),
        (&["show", SOFIE, "--known-at"], &[]),
        (&["lines", SOFIE, "--known-at"], &[]),
        (&["export", "-o", "-", "--known-at"], &[]),
        (&["followers", SOFIE, "--on"], &[]),
        (&["calendar", "--from"], &["--to", "2026-03-01"]),
        (&["calendar", "--from", "2026-01-01", "--to"], &[]),
        (&["filter", "list", "x", "--known-at"], &[]),
    ] {
        for day in ["2026-02-30", "2026-13-01", "2026-00-10", "2025-02-29", "2026-1-1"] {
            let arguments = [before, &[day], after].concat();
            assert_eq!(desk.run(&arguments).status.code(), Some(2), "{arguments:?}");
        }
    }
    for moment in ["2026-13-01T25:61", "2026-01-01T24:00", "2026-01-01T12:60", "2026-02-30T12:00", "2026-01-01 12:00"] {
        assert_eq!(desk.run(&["show", SOFIE, "--valid-at", moment]).status.code(), Some(2), "{moment}");
    }
    assert_eq!(desk.run(&["show", SOFIE, "--valid-at", "2024-02-29"]).status.code(), Some(0));
}

#[test]
fn a_day_before_the_first_delivery_is_said_to_be_that() {
    let desk = two_deliveries();
    let (refused, code) = desk.json(&["show", SOFIE, "--known-at", "2026-01-04"]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("before_first_delivery"), 1));
    assert!(refused["error"]["reason"].as_str().unwrap().contains("2026-01-05"), "{refused}");
    assert_eq!(desk.json(&["show", SOFIE, "--known-at", "2026-01-05"]).0["known"], 1);
}

#[test]
fn a_service_may_be_named_in_any_case() {
    let desk = two_deliveries();
    let ask = |service: &str| desk.says(&["answer", service, SOFIE, "--on", "2026-01-07"]);
    assert_eq!(ask("SF1525"), ask("sf1525"));
    assert_eq!(ask("Stam+"), ask("stam+"));
}

#[test]
fn the_store_may_be_named_by_the_environment() {
    let desk = two_deliveries();
    let run = |store: &std::path::Path, arguments: &[&str]| {
        let output = Command::new(binary()).env("REPLIKA_STORE", store).args(arguments).output().unwrap();
        (String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(), output.status.code())
    };
    assert_eq!(run(&desk.store(), &["deliveries"]), (desk.says(&["deliveries"]), Some(0)));
    let named = desk.store().display().to_string();
    assert_eq!(run("/nowhere".as_ref(), &["deliveries", "--store", &named]).1, Some(0), "the option comes first");
    let secret = std::path::Path::new("/tmp/6101801234/Hansen");
    assert!(!run(secret, &["--help"]).0.contains("Hansen"), "help tells no values");
}

#[test]
fn a_command_waits_for_a_store_that_is_open_elsewhere_when_asked() {
    let desk = two_deliveries();
    let held = cpr_replika::Replika::open(desk.store()).unwrap();
    let begin = Instant::now();
    let (refused, code) = desk.json(&["show", SOFIE, "--wait", "1"]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("locked"), 3));
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert!(refused["error"]["reason"].as_str().unwrap().contains("within 1 s"), "{refused}");

    let mut waiting = Command::new(binary());
    waiting.arg("--store").arg(desk.store()).args(["apply", &extract("D260106.L999901")]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    drop(held);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("waiting, 60 s at most"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("was applied already"));
}

/// The help of every command, by the words that name it.
pub(crate) fn helps() -> Vec<(Vec<String>, String)> {
    let (mut open, mut all) = (vec![Vec::new()], Vec::new());
    while let Some(words) = open.pop() {
        let output = Command::new(binary()).args(&words).arg("--help").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{words:?}");
        let commands = text.split("Commands:\n").nth(1).into_iter().flat_map(str::lines);
        for line in commands.take_while(|line| line.starts_with("  ")) {
            let name = line.trim_start().split(' ').next().unwrap();
            if line.starts_with("  ") && !line.starts_with("   ") && name != "help" {
                open.push([&words[..], &[name.to_owned()]].concat());
            }
        }
        all.push((words, text));
    }
    all
}

#[test]
fn the_help_of_every_command_has_an_example_that_the_command_reads() {
    let helps = helps();
    assert!(helps.len() > 30, "{}", helps.len());
    let desk = two_deliveries();
    for (words, text) in helps.iter().filter(|(words, _)| !words.is_empty()) {
        let example = text.split("Example: ").nth(1).unwrap_or_else(|| panic!("{words:?}: no example"));
        let example = example.split_whitespace().collect::<Vec<_>>().join(" ");
        // Whatever comes of it, the command line is understood.
        let line = example.replacen("replika", &format!("REPLIKA_STORE={} {}", desk.store().display(), binary()), 1);
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env("HOME", desk.folder.path()).current_dir(desk.folder.path());
        let output = shell.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("Usage:"), "{line}: {told}");
    }
    let show = &helps.iter().find(|(words, _)| words == &["show"]).unwrap().1;
    assert!(show.contains("the end of that day"), "{show}");
}

#[test]
fn completions_and_manual_pages_are_made_for_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(desk.says(&["completions", shell]).contains("initial-load"), "{shell}");
    }
    let folder = desk.folder.path().join("man");
    desk.says(&["man", folder.to_str().unwrap()]);
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(page("replika.1").contains("replika") && page("replika-show.1").contains("PNR"));
}

#[test]
fn a_code_that_no_municipality_has_is_told_apart_from_nobody() {
    let desk = two_deliveries();
    let unknown = desk.run(&["find", "--municipality", "0999"]);
    assert_eq!((unknown.status.code(), unknown.stdout.as_slice()), (Some(0), &b""[..]));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no municipality has such a code"));
    assert!(desk.run(&["find", "--municipality", "0751"]).stderr.is_empty(), "nobody lives there");
}

#[test]
fn what_more_there_is_stands_apart_from_the_rows() {
    let desk = two_deliveries();
    let page = desk.run(&["search", "efternavn:Bækgaard", "--limit", "1"]);
    assert_eq!(String::from_utf8_lossy(&page.stdout).lines().count(), 1);
    let more = String::from_utf8_lossy(&page.stderr).into_owned();
    let option = more.trim().rsplit(" with ").next().unwrap().split(' ').collect::<Vec<_>>();
    let next = desk.run(&[&["search", "efternavn:Bækgaard"], &option[..]].concat());
    assert_eq!(String::from_utf8_lossy(&next.stdout).lines().count(), 1, "{more}");
}

//! Inputs that do not end, or are larger than anything real: each ends, with an error that names the limit.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Desk, binary, extract};

/// Runs a line of a shell in the folder of a desk; exit code and what is said on standard error. It must be soon.
fn ends(desk: &Desk, line: &str) -> (i32, String) {
    let began = Instant::now();
    let output = Command::new("sh").args(["-c", line]).current_dir(desk.folder.path()).output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(60), "{line}");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_device_without_an_end_is_no_extract() {
    let desk = Desk::new();
    for line in ["inspect /dev/zero", "load /dev/zero", "load - < /dev/zero", "load - < /dev/urandom"] {
        let (code, said) = ends(&desk, &format!("{} --store replika.db {line}", binary()));
        assert_eq!(code, 1, "{line}: {said}");
        assert!(said.contains("after 1 MiB"), "{line}: {said}");
    }
    assert!(!desk.store().exists());
}

#[test]
fn a_list_a_query_and_a_scenario_without_an_end_are_read_up_to_a_limit() {
    let desk = Desk::new();
    desk.says(&["load", &extract("D260105.L999901")]);
    desk.says(&["subscriber", "add", "all"]);
    let commands = [
        ("search - < /dev/zero", "64 KiB"),
        ("show - < /dev/zero", "64 KiB"),
        ("filter add all --pnr - < /dev/zero", "256 MiB"),
        ("events --since 0 --persons - < /dev/zero", "256 MiB"),
        ("erase - --reason none < /dev/zero", "256 MiB"),
        ("generate --scenario /dev/zero --out made", "256 MiB"),
    ];
    for (command, limit) in commands {
        let (code, said) = ends(&desk, &format!("{} --store replika.db {command}", binary()));
        assert!(code == 1 || code == 3, "{command}: {code} {said}");
        assert!(said.contains(limit), "{command}: {said}");
    }
}

#[test]
fn a_pipe_as_a_store_a_key_or_packs_is_told_and_not_waited_for() {
    let desk = Desk::new();
    for command in
        ["--store pipe show 6101801234", "--store pipe verify", "--pack packs deliveries", "--store pipe load x"]
    {
        let line = format!("mkdir -p packs; mkfifo pipe packs/CURRENT 2> /dev/null; touch x; {} {command}", binary());
        let (code, said) = ends(&desk, &line);
        assert_eq!(code, 3, "{command}: {said}");
    }
}

#[test]
fn a_million_faults_are_a_list_with_an_end() {
    let desk = Desk::new();
    let path = desk.folder.path().join("faults");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"00000000000009999012026010520260102\n").unwrap();
    for at in 0..1_000_000 {
        writeln!(file, "001{at:010}").unwrap();
    }
    file.write_all(b"999999999999900000000\n").unwrap();
    drop(file);
    let mut command = Command::new(binary());
    command.args(["--json", "inspect", "--faults", "1000000", path.to_str().unwrap()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (listed, counted) = (found["faults"].as_array().unwrap(), found["fault_count"].as_u64().unwrap());
    assert!((100_000..=100_010).contains(&counted), "{counted}");
    assert!(listed.len() < 10, "equal ones are one, with their count");
    assert!(listed.iter().any(|fault| fault["kind"] == "too_many_faults"), "{found}");
}

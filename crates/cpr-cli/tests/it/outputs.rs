//! What the command writes: for its owner alone, whole, and never in the place of something else.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Desk, SOFIE, binary, extract, two_deliveries};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a line in a shell, where `replika` is the command; the text that it prints, and its exit code.
fn shell(desk: &Desk, line: &str) -> (String, i32) {
    let line = line.replace("replika ", &format!("{} --store {} ", binary(), desk.store().display()));
    let output = Command::new("sh").args(["-c", &line]).current_dir(desk.folder.path()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.code().unwrap())
}

#[test]
fn everything_written_is_for_its_owner_alone_whatever_the_umask() {
    let desk = Desk::new();
    let first = extract("D260105.L999901");
    for (umask, line) in [
        ("000", format!("replika load {first}")),
        ("000", "replika subscriber add everybody && replika filter add everybody --everything".to_owned()),
        ("000", format!("replika apply {} --deliver outbox/deep", extract("D260106.L999901"))),
        ("000", "replika export -o whole && replika initial-load everybody -o first".to_owned()),
        ("777", "replika export -o masked".to_owned()),
        ("000", "replika generate --archetypes --out made".to_owned()),
    ] {
        let (text, code) = shell(&desk, &format!("umask {umask}; {line}"));
        assert_eq!(code, 0, "{text}");
    }
    let folder = desk.folder.path();
    for file in ["whole", "first", "masked", "made/D260105.L999901", "outbox/deep/everybody/D260106.L999901"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&desk.store()), 0o600);
    for made in ["outbox", "outbox/deep", "outbox/deep/everybody", "made"] {
        assert_eq!(mode(&folder.join(made)), 0o700, "{made}");
    }
}

#[test]
fn what_others_could_read_before_is_made_private() {
    let desk = two_deliveries();
    let folder = desk.folder.path();
    desk.says(&["subscriber", "add", "everybody"]);
    desk.says(&["filter", "add", "everybody", "--everything"]);
    set_mode(&desk.store(), 0o644);
    fs::create_dir_all(folder.join("out/everybody")).unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    for open in ["out", "out/everybody", "empty"] {
        set_mode(&folder.join(open), 0o755);
    }
    fs::write(folder.join("whole"), "old").unwrap();
    set_mode(&folder.join("whole"), 0o664);
    let path = |name: &str| folder.join(name).display().to_string();
    desk.says(&["export", "--force", "-o", &path("whole")]);
    desk.says(&["apply", &extract("D260106.L999901")]);
    desk.says(&["thin", &extract("D260106.L999901"), &path("out"), "--empty"]);
    desk.says(&["generate", "--archetypes", "--out", &path("empty")]);
    assert_eq!((mode(&desk.store()), mode(&folder.join("whole"))), (0o600, 0o600));
    assert_eq!((mode(&folder.join("out/everybody")), mode(&folder.join("empty"))), (0o700, 0o700));
    assert_eq!(mode(&folder.join("out")), 0o755, "a folder that held something already is somebody's");
}

#[test]
fn an_output_replaces_neither_the_store_nor_a_link_and_a_file_only_by_force() {
    let desk = two_deliveries();
    desk.says(&["subscriber", "add", "everybody"]);
    let folder = desk.folder.path();
    fs::write(folder.join("file"), "old").unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    symlink("file", folder.join("link")).unwrap();
    symlink("nowhere", folder.join("broken")).unwrap();
    symlink("replika.db", folder.join("store")).unwrap();
    fs::hard_link(desk.store(), folder.join("again")).unwrap();
    for command in ["export", "initial-load everybody"] {
        for target in ["replika.db", "./folder/../replika.db", "store", "again", "link", "broken", "folder"] {
            let (text, code) = shell(&desk, &format!("replika {command} --force -o {target}"));
            assert!(code == 1 && !text.contains("as known after"), "{command} -o {target}: {code} {text}");
        }
        let (text, code) = shell(&desk, &format!("replika {command} -o file"));
        assert!(code == 1 && text.contains("--force"), "{text}");
    }
    assert_eq!(fs::read(folder.join("file")).unwrap(), b"old");
    assert!(desk.says(&["verify"]).contains("everything holds"));
    assert_eq!(shell(&desk, "replika export --force -o file").1, 0);
    assert_ne!(fs::read(folder.join("file")).unwrap(), b"old");
    let (made, code) =
        shell(&desk, "replika generate --archetypes --out made && replika generate --archetypes --out made");
    assert!(code == 1 && made.contains("--force"), "{made}");
    assert_eq!(shell(&desk, "replika generate --archetypes --out made --force").1, 0);
    let (refused, code) = desk.json(&["export", "-o", &folder.join("file").display().to_string()]);
    assert_eq!((refused["error"]["kind"].as_str(), code), (Some("not_replaced"), 1));
}

#[test]
fn a_pipe_and_a_device_are_written_to_and_stay_what_they_are() {
    let desk = two_deliveries();
    shell(&desk, "replika export -o whole");
    let whole = fs::read(desk.folder.path().join("whole")).unwrap();
    let (text, code) =
        shell(&desk, "mkfifo pipe; cat pipe > got & replika export -o pipe; wait; test -p pipe && cmp got whole");
    assert_eq!(code, 0, "{text}");
    assert_eq!(shell(&desk, "replika export -o /dev/null && test -c /dev/null").1, 0);
    let (text, _) = shell(&desk, "replika export -o /dev/stdout | head -c 3");
    assert_eq!(text.get(..3), Some(&String::from_utf8_lossy(&whole)[..3]));
}

#[test]
fn exit_codes_in_pipes_are_those_of_the_help_and_never_a_panic() {
    let desk = two_deliveries();
    for (line, wanted) in [
        ("replika export -o - > /dev/full", 3),
        ("replika lines 6101801234 > /dev/full", 3),
        ("replika deliveries > /dev/full", 3),
        ("replika find > /dev/full", 3),
        ("replika answer stam 6101801234 > /dev/full", 3),
        ("replika completions bash > /dev/full", 3),
        ("replika --help > /dev/full", 3),
        ("replika show --help > /dev/full", 3),
        ("replika --version > /dev/full", 3),
        ("replika show 6201701111 2> /dev/full", 1),
        ("replika show 2> /dev/full", 2),
        ("replika export -o whole > /dev/full", 3),
        ("replika show 6201701111 --json > /dev/full", 1),
    ] {
        let (text, code) = shell(&desk, line);
        assert_eq!(code, wanted, "{line}: {text}");
    }
    // Whoever reads goes away before the first byte.
    for arguments in [&["export", "-o", "-"][..], &["events", "--since", "0", "--json"], &["show", SOFIE], &["--help"]]
    {
        let mut command = Command::new(binary());
        command.arg("--store").arg(desk.store()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let code = child.wait().unwrap().code();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((code, text.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn what_a_killed_run_left_is_replaced_and_a_running_one_is_not_disturbed() {
    let desk = two_deliveries();
    let part = desk.folder.path().join(".whole.part");
    fs::write(&part, "half a file").unwrap();
    shell(&desk, "replika export -o whole");
    assert!(!part.exists());
    // Another process writes it: its file stays, and is not renamed by us.
    let running = fs::File::create(&part).unwrap();
    running.lock().unwrap();
    let (text, code) = shell(&desk, "replika export --force -o whole");
    assert!(code == 1 && text.contains("another process"), "{text}");
    assert!(part.exists());
}

#[test]
fn two_deliveries_of_one_production_date_are_two_files_of_a_subscriber() {
    let desk = two_deliveries();
    desk.says(&["subscriber", "add", "everybody"]);
    desk.says(&["filter", "add", "everybody", "--everything"]);
    let (folder, one, two) =
        (desk.folder.path().join("out"), desk.folder.path().join("one"), desk.folder.path().join("two"));
    let mut later = fs::read(extract("D260106.L999901")).unwrap();
    let at = later.windows(8).position(|text| text == b"20260106").unwrap();
    later[at..at + 8].copy_from_slice(b"20260107");
    let before = later.windows(8).position(|text| text == b"20260105").unwrap();
    later[before..before + 8].copy_from_slice(b"20260106");
    fs::write(&one, &later).unwrap();
    // Of the same day, and not the same.
    let mut second = later.clone();
    let name = second.windows(5).position(|text| text == b"Sofie").unwrap();
    second[name..name + 5].copy_from_slice(b"Sonja");
    fs::write(&two, &second).unwrap();
    let out = folder.display().to_string();
    desk.says(&["apply", one.to_str().unwrap(), "--deliver", &out]);
    desk.says(&["apply", two.to_str().unwrap(), "--allow-older", "--deliver", &out]);
    let read = |name: &str| fs::read(folder.join("everybody").join(name)).unwrap();
    let has = |name: &str, text: &[u8]| read(name).windows(text.len()).any(|window| window == text);
    assert!(has("D260107.L999901", b"Sofie") && has("D260107.L999901.2", b"Sonja"));
    // And again: the same names, the same bytes.
    desk.says(&["thin", two.to_str().unwrap(), &out]);
    desk.says(&["thin", one.to_str().unwrap(), &out]);
    assert!(has("D260107.L999901", b"Sofie") && has("D260107.L999901.2", b"Sonja"));
    // A file that somebody else has put there is not replaced.
    fs::write(folder.join("everybody/D260107.L999901"), "another").unwrap();
    let (failed, code) = desk.json(&["thin", one.to_str().unwrap(), &out]);
    assert_eq!((failed["error"]["kind"].as_str(), code), (Some("undelivered"), 3));
    assert_eq!(read("D260107.L999901"), b"another");
}

#[test]
fn control_characters_of_the_register_reach_no_terminal() {
    let desk = Desk::new();
    let bytes = fs::read(extract("D260105.L999901")).unwrap();
    let evil = desk.folder.path().join("evil");
    // The same width: the name's letters become an escape sequence, a C1 control and a DEL.
    let mut file = bytes.clone();
    let places: Vec<usize> = (0..file.len() - 5).filter(|&at| &file[at..at + 5] == b"Sofie").collect();
    assert!(!places.is_empty());
    for at in places {
        file[at..at + 5].copy_from_slice(b"\x1b[2\x9b\x7f");
    }
    fs::write(&evil, file).unwrap();
    desk.says(&["load", evil.to_str().unwrap(), "--allow-code-page"]);
    for arguments in [
        &["show", SOFIE][..],
        &["diff", SOFIE, "0", "1"],
        &["search", "personnummer:6101801234"],
        &["show", SOFIE, "--json"],
        &["lines", SOFIE, "--json"],
        &["search", "personnummer:6101801234", "--json"],
        &["answer", "stam", SOFIE],
        &["answer", "sf1520", SOFIE],
    ] {
        let text = desk.says(arguments);
        let control = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\r');
        assert_eq!(control, None, "{arguments:?}: {text:?}");
    }
    assert!(desk.says(&["show", SOFIE]).contains("\\u{1b}[2\\u{9b}\\u{7f}"), "shown, not dropped");
    let (shown, _) = desk.json(&["show", SOFIE]);
    assert!(shown.to_string().contains("[2"), "JSON holds what was received");
    assert!(desk.run(&["lines", SOFIE]).stdout.contains(&0x1b), "lines are bytes in a pipe");
    // Nor those of a file's name.
    let named = desk.folder.path().join("x\u{1b}[31m");
    fs::write(&named, "no extract").unwrap();
    let refused = desk.run(&["apply", named.to_str().unwrap()]);
    assert!(!refused.stderr.contains(&0x1b) && !refused.stdout.contains(&0x1b));
}

#[test]
fn an_encrypted_store_opens_with_its_key_and_with_no_other() {
    let desk = Desk::new();
    let first = extract("D260105.L999901");
    let says = |line: &str| shell(&desk, line);
    assert_eq!(says("replika key new one.key").1, 0);
    assert_eq!(says("replika key new two.key").1, 0);
    assert!(says("replika --json key new one.key").0.contains("not_replaced"), "a key is not written over");
    assert_eq!(says("replika key new one.key").1, 1);
    assert_eq!(mode(&desk.folder.path().join("one.key")), 0o600);
    assert_eq!(says(&format!("replika load {first} --key-file one.key")).1, 0);
    let file = fs::read(desk.store()).unwrap();
    for text in [SOFIE.as_bytes(), b"B\xe6kgaard", b"persons/v2"] {
        assert!(!file.windows(text.len()).any(|found| found == text));
    }
    assert!(says("replika verify --key-file one.key").0.contains("everything holds"));
    assert!(says("replika verify").0.contains("encrypted"));
    assert!(says("replika verify --key-file two.key").0.contains("the key is not the one"));
    assert_eq!(says("replika rekey --key-file one.key --new-key-file two.key").1, 0);
    assert!(says("replika verify --key-file two.key").0.contains("everything holds"));
    assert_ne!(says("replika stats --key-file one.key").1, 0);
    set_mode(&desk.folder.path().join("two.key"), 0o644);
    let told = says("replika stats --key-file two.key").0;
    assert!(told.contains("its mode is 0644 (chmod 6") && told.contains("two.key"), "{told}");
    for line in ["replika --json stats --key-file two.key", "replika --json stats --key-file none.key"] {
        let (text, code) = says(line);
        assert!(code == 3 && text.contains("\"kind\":\"key\""), "{text}");
    }
}

#[test]
fn files_for_subscribers_go_from_the_outbox_when_they_are_old_and_nothing_else_does() {
    let desk = two_deliveries();
    let out = desk.folder.path().join("out");
    std::fs::create_dir_all(out.join("school")).unwrap();
    let file = |name: &str| out.join("school").join(name);
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(40 * 24 * 60 * 60);
    for (name, is_old) in [("D260105.L999901", true), ("D260106.L999901", false), ("notes", true)] {
        std::fs::write(file(name), "made up").unwrap();
        if is_old {
            std::fs::File::options().write(true).open(file(name)).unwrap().set_modified(old).unwrap();
        }
    }
    let out = out.display().to_string();
    assert!(desk.says(&["outbox", "tidy", &out, "--keep", "30", "--dry-run"]).starts_with("1 files of 7 bytes would"));
    assert!(file("D260105.L999901").exists());
    assert!(desk.says(&["outbox", "tidy", &out, "--keep", "30"]).starts_with("1 files of 7 bytes removed, 1 are left"));
    assert!(!file("D260105.L999901").exists() && file("D260106.L999901").exists() && file("notes").exists());
}

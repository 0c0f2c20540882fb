//! The documents and what they speak of are held together: the README's example is a file that compiles, and each test that is named
//! is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn the_example_of_the_readme_is_the_file_it_names() {
    let readme = readme();
    let file = include_str!("../../examples/as_of.rs");
    let shown = readme.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
    let (_, code) = file.split_once("\n\n").unwrap();
    assert!(readme.contains("crates/cpr-replika/examples/as_of.rs"));
    assert_eq!(shown, code);
}

/// The files below a folder with one of these endings, but for what was built.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "corpus", "artifacts"].contains(&name) {
            files(&path, endings, found);
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// The functions of the project that are tests: those with the attribute at most four lines before them.
fn tests() -> BTreeSet<String> {
    let mut sources = Vec::new();
    ["crates", "fuzz"].iter().for_each(|folder| files(&root().join(folder), &[".rs"], &mut sources));
    let mut tests = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        let mut since_attribute = usize::MAX;
        for line in text.lines().map(str::trim) {
            since_attribute = if line == "#[test]" { 0 } else { since_attribute.saturating_add(1) };
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next());
            tests.extend(name.filter(|_| since_attribute <= 4).map(str::to_owned));
        }
    }
    tests
}

/// What stands in backquotes and reads as the name of a test: five words or more. Metrics have names as long.
fn named(text: &str) -> Vec<&str> {
    let is_name = |word: &&str| {
        word.split('_').filter(|part| !part.is_empty()).count() >= 5
            && word.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && !word.starts_with("cpr_host_")
    };
    text.split('`').skip(1).step_by(2).filter(is_name).collect()
}

#[test]
fn every_test_that_the_documents_name_is_there() {
    let mut documents = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    ["docs", "testdata", "fuzz"].iter().for_each(|folder| files(&root().join(folder), &[".md"], &mut documents));
    let tests = tests();
    let mut count = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for name in named(&text) {
            assert!(tests.contains(name), "{}: there is no test {name}", document.display());
            count += 1;
        }
    }
    assert!(count > 30, "{count} tests are named");
}

#[test]
fn every_promise_of_the_readme_names_a_test_of_its_own() {
    let readme = readme();
    let promises = readme.split_once("## What is promised").unwrap().1.split_once("\n## ").unwrap().0;
    let rows: Vec<&str> = promises.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    assert_eq!(rows.len(), 9);
    for row in rows {
        assert!(!named(row).is_empty(), "a promise without a test: {row}");
    }
}

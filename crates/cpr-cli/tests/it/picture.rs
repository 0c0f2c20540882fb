//! `picture`: drawn for whoever asks, with names only when they are asked for; and the one that the README shows.

use std::fs;
use std::path::Path;

use crate::{Desk, SOFIE, two_deliveries};

/// The picture in the README: Sofie of the demo. `UPDATE_EXPECT=1` draws it anew.
const SHOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/picture.svg");

fn facts_of(desk: &Desk) -> usize {
    desk.json(&["show", SOFIE, "--history"]).0["facts"].as_array().unwrap().len()
}

fn drawn_facts(drawing: &str) -> usize {
    drawing.lines().filter(|line| line.starts_with("<rect class=\"fact")).count()
}

#[test]
fn the_picture_in_the_readme_is_the_one_that_is_drawn() {
    let desk = two_deliveries();
    let drawing = desk.says(&["picture", SOFIE]);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(SHOWN, &drawing).unwrap();
    }
    assert_eq!(fs::read_to_string(SHOWN).unwrap(), drawing, "UPDATE_EXPECT=1 draws it anew");
    assert_eq!(drawn_facts(&drawing), facts_of(&desk));
    for secret in [SOFIE, "Sofie", "Bækgaard", "Skovvej"] {
        assert!(!drawing.contains(secret));
    }
}

#[test]
fn a_picture_goes_to_a_file_as_svg_or_as_a_page_and_replaces_nothing_by_itself() {
    let desk = two_deliveries();
    let path = |name: &str| desk.folder.path().join(name).display().to_string();
    desk.says(&["picture", SOFIE, "-o", &path("a.svg"), "--reveal", "--aspect", "name,address"]);
    let drawing = fs::read_to_string(path("a.svg")).unwrap();
    assert!(drawing.contains("Sofie") && drawing.contains(SOFIE));
    assert_eq!(drawing.matches("data-aspect=").count(), 2);
    desk.says(&["picture", SOFIE, "-o", &path("a.html"), "--html"]);
    assert!(fs::read_to_string(path("a.html")).unwrap().contains("type=\"range\""));
    assert_eq!(desk.run(&["picture", SOFIE, "-o", &path("a.svg")]).status.code(), Some(1), "a file is there already");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(Path::new(&path("a.svg"))).unwrap()) & 0o777, 0o600);
    assert_eq!(desk.run(&["picture", "6101809999"]).status.code(), Some(1), "nobody has this number");
    assert_eq!(desk.run(&["picture", SOFIE, "--aspect", "adress"]).status.code(), Some(2));
}

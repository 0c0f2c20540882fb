//! Writes the seeds of every corpus, all of them made up: `cargo run --example seeds` in `fuzz/`.

use std::path::Path;

use cpr_extract::{LineEnd, Padding};
use cpr_subscription::Filter;
use replika_fuzz::made_up::{self, Ending, style};
use replika_fuzz::pair::Pair;
use replika_fuzz::{requests, rows};

fn main() -> std::io::Result<()> {
    let [none, lf, crlf] = [LineEnd::None, LineEnd::Lf, LineEnd::CrLf];
    let (cut, full) = (Padding::Cut, Padding::Full);
    let plain = Ending::Plain;
    let extracts = [
        ("std-lf-cut", made_up::std_first(style(lf, cut, b""), plain)),
        ("std-crlf-cut-910-1a", made_up::std_first(style(crlf, cut, b"\x1a"), Ending::ErrorRecord)),
        ("std-crlf-padded", made_up::std_first(style(crlf, full, b""), plain)),
        ("std-no-line-ends-1a", made_up::std_first(style(none, full, b"\x1a"), plain)),
        ("std-delta-lf-wider", made_up::std_second(style(lf, Padding::Fixed(310), b"\n \n"))),
        ("full-lf-cut", made_up::full_first(style(lf, cut, b""))),
        ("full-crlf-padded", made_up::full_first(style(crlf, full, b"\r\n\x1a"))),
        ("full-no-line-ends", made_up::full_second(style(none, full, b""))),
        ("uuid-lf-cut", made_up::other_family("uuid", style(lf, cut, b""))),
        ("2022-lf-cut", made_up::other_family("2022", style(lf, cut, b""))),
        ("u12180-crlf-cut", made_up::other_family("u12180", style(crlf, cut, b""))),
    ];
    for (name, extract) in &extracts {
        write("reader", name, extract)?;
        write("round_trip", name, extract)?;
        write("thin", name, extract)?;
    }
    // Filters on nobody: municipality 0999, and a number of the made-up persons.
    let filters = ["6101801234", "0-17", "0999", "A21", "0999:8512:091:01:tv", "everything", "0-17+0999"];
    for filter in filters.map(|text| text.parse::<Filter>().expect("a filter")) {
        let name = format!("filter-{}", filter.kind().name());
        write("filters", &name, filter.reveal().as_bytes())?;
        write("filters", &format!("{name}-stored"), &filter.to_bytes())?;
    }

    write("filters", "two-subscribers", b"0101\nA01\n0101:0004:001\n\n18-60+0101\neverything\n6101801235\n0-0\n")?;
    for (name, text) in made_up::SCENARIOS {
        write("scenario", name, text.as_bytes())?;
    }

    for (name, request) in requests::envelopes() {
        write("envelope", name, &request)?;
    }
    for (name, message) in requests::messages() {
        write("gctp", name, message.as_bytes())?;
    }
    for (name, document) in requests::metadata() {
        write("metadata", name, document.as_bytes())?;
    }

    for (name, text) in requests::SEARCHES {
        write("search", name, text.as_bytes())?;
    }
    write("configuration", "host", include_bytes!("../../crates/cpr-host/cpr-host.example.toml"))?;
    write("configuration", "lake-default", include_bytes!("../../crates/cpr-lake/profiles/default.toml"))?;
    write("configuration", "lake-whole", include_bytes!("../../crates/cpr-lake/profiles/whole.toml"))?;
    for (name, script) in rows::SCRIPTS {
        write("many_rows", name, script)?;
    }

    // One change of each kind to the thirtieth element, and a copy of the assertion with another character in it.
    let names = ["left-out", "twice", "moved", "in-place-of", "within", "other-tag", "comment", "byte"];
    for (what, name) in (0..).zip(names) {
        write("saml", name, &[what % 3, what, 30, 0, 60, 0])?;
    }
    write("saml", "wrapped-assertion", &[0, 1, 20, 0, 20, 0, 7, 25, 0, 44, 1])?;
    write("saml", "unchanged", &[1])?;
    write("saml", "whole", &[b"\x03", include_str!("../saml/prefixed.xml").as_bytes()].concat())?;

    let pairs = [
        (
            "std-all-history",
            99,
            made_up::std_first(style(lf, cut, b""), plain),
            made_up::std_second(style(lf, cut, b"")),
        ),
        (
            "std-window-0",
            0,
            made_up::std_first(style(crlf, cut, b"\x1a"), plain),
            made_up::std_second(style(crlf, cut, b"")),
        ),
        ("std-910-after-999", 5, made_up::std_first(style(lf, cut, b"\x1a"), Ending::ErrorRecord), Vec::new()),
        (
            "std-other-styles",
            99,
            made_up::std_first(style(crlf, cut, b""), plain),
            made_up::std_second(style(lf, full, b"")),
        ),
        ("full-all-history", 99, made_up::full_first(style(lf, cut, b"")), made_up::full_second(style(lf, cut, b""))),
        (
            "full-no-line-ends",
            2,
            made_up::full_first(style(none, full, b"")),
            made_up::full_second(style(none, full, b"")),
        ),
    ];
    for (name, window, first, second) in &pairs {
        let pair = Pair { window: *window, extracts: [first, second] };
        write("apply", name, &pair.join().expect("short enough"))?;
    }

    // Choice of the row (two bytes), how its bytes change, where (two bytes), and with what; see the target.
    let changes: [(&str, &[u8]); 7] = [
        ("one-bit", &[0, 0, 0, 40, 0, 1]),
        ("header-xor", &[1, 0, 0, 0, 0, 1, 0, 0, 0, 0xFF]),
        ("truncated", &[0, 1, 1, 9, 0]),
        ("extended", &[1, 1, 2, 0, 0, 1, 2, 3, 4, 5]),
        ("overwritten", &[1, 2, 3, 12, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("anothers-value", &[0, 1, 4, 0, 0]),
        ("xor-resealed", &[0, 0, 0x80, 20, 0, 7]),
    ];
    for (name, change) in changes {
        write("stored", name, change)?;
    }

    // How it is read, then places (two bytes), how many bytes, and what they are changed by; see the target.
    let changes: [(&str, &[u8]); 8] = [
        ("sound", &[0]),
        ("sound-checked-at-every-read", &[4]),
        ("kind-resealed", &[2, 32, 0, 1, 3]),
        ("tables-resealed", &[2, 68, 0, 1, 3]),
        ("row-length", &[0, 4, 16, 1, 1]),
        ("row-length-resealed", &[2, 4, 16, 1, 1]),
        ("row-gone-resealed", &[2, 4, 16, 4, 255, 255, 255, 255]),
        ("place-resealed", &[10, 32, 64, 4, 1, 2, 3, 4]),
    ];
    for (name, change) in changes {
        write("pack", name, change)?;
    }
    let header = [&[3][..], b"\x89PACK\r\n\x1a\x01\x00\x00\x00", &[0; 4084]].concat();
    write("pack", "whole-header", &header)?;
    let changes: [(&str, &[u8]); 5] = [
        ("sound", b"\0"),
        ("line-changed", b"\0\x80\x01\x02\x01\x01"),
        ("byte-changed", b"\0\xf4\x01\x01 "),
        ("cut", b"\0\0\0\xf0"),
        ("other-bytes", b"\x01{\"n\":1}\n{}\n"),
    ];
    for (name, change) in changes {
        write("access_log", name, change)?;
    }
    Ok(())
}

fn write(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), bytes)
}

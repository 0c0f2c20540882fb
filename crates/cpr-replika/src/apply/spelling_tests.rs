//! Of who comes again as they are held nothing is stored, unless the file spells their lines otherwise.

use std::io::Cursor;

use cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_model::{Date, Pnr};

use crate::{ApplyOptions, Config, DeliveryNumber, Replika};

const KARLA: &str = "6101801231";

/// Whose lines stand in either order.
type Children = [&'static str; 2];
const CHILDREN: Children = ["6105081237", "6203101232"];

fn spelled(line_end: LineEnd, padding: Padding) -> Style {
    Style { line_end, padding, trailer: Vec::new() }
}

/// The extract of a day in January 2026, of one person, and her lines as it has them.
fn night(day: u32, style: &Style, children: Children) -> (Vec<u8>, Vec<Vec<u8>>) {
    let [today, before] = [2026_01_00 + day, 2026_01_00 + day - 1].map(|digits| Date::from_digits(digits).unwrap());
    let family = Family::named("std").unwrap();
    let mut writer = ExtractWriter::new(Vec::new(), family, style.clone(), "123401", today, before).unwrap();
    let pnr = |number: &str| Pnr::parse(number.as_bytes()).unwrap();
    writer.record(1, pnr(KARLA), &[("STATUS", "01")]).unwrap();
    writer.record(8, pnr(KARLA), &[("FORNVN", "Karla"), ("EFTERNVN", "Mejse")]).unwrap();
    for child in children {
        writer.record(14, pnr(KARLA), &[("PNRBARN", child)]).unwrap();
    }
    let file = writer.finish().unwrap();
    let lines = file.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    let hers = lines.filter(|line| line.get(3..13) == Some(KARLA.as_bytes())).collect();
    (file, hers)
}

/// Applies two nights, and looks whether the second one changed what is stored, and what is read of both.
fn is_stored_anew(nights: [(Vec<u8>, Vec<Vec<u8>>); 2]) -> bool {
    let replika = Replika::in_memory(&Config::default()).unwrap();
    let pnr = Pnr::parse(KARLA.as_bytes()).unwrap();
    let key = pnr.key().unwrap().as_u32();
    let mut rows = Vec::new();
    for (file, _) in &nights {
        let report = replika.apply(Cursor::new(file), &ApplyOptions::named("night")).unwrap();
        assert_eq!(report.delivery.counts.persons_changed, 0);
        let snapshot = replika.snapshot();
        rows.push(snapshot.tables().persons.get(key).unwrap().unwrap().value().to_vec());
    }
    for (known, (_, lines)) in (1..).zip(&nights) {
        let read = replika.snapshot().group(pnr, Some(DeliveryNumber(known))).unwrap().unwrap();
        assert_eq!(&read.reveal().map(<[u8]>::to_vec).collect::<Vec<_>>(), lines, "as of delivery {known}");
    }
    rows[0] != rows[1]
}

#[test]
fn who_comes_again_is_stored_anew_where_lines_are_as_wide_or_end_as_they_did_not() {
    let styles = [
        spelled(LineEnd::Lf, Padding::Cut),
        spelled(LineEnd::CrLf, Padding::Cut),
        spelled(LineEnd::Lf, Padding::Full),
        spelled(LineEnd::CrLf, Padding::Fixed(400)),
    ];
    for before in &styles {
        for after in &styles {
            let is_anew = is_stored_anew([night(5, before, CHILDREN), night(6, after, CHILDREN)]);
            assert_eq!(is_anew, before != after, "{before:?}, then {after:?}");
        }
    }
}

#[test]
fn who_comes_again_is_stored_anew_where_lines_stand_in_another_order() {
    let style = spelled(LineEnd::Lf, Padding::Cut);
    let [first, second] = CHILDREN;
    assert!(is_stored_anew([night(5, &style, [first, second]), night(6, &style, [second, first])]));
}

//! Pictures read back: every fact is one rectangle with its corners at its dates and deliveries, nothing stands
//! outside, and no two labels cover each other.

use bitemporal::Known;
use cpr_model::{Aspect, CorrectionMark, Date, Day, Fact, Field, RowKind, Timestamp, Values, ValuesWriter};

use crate::layout::{LABEL_SIZE, LETTER, MOST_FACTS};
use crate::{Error, Moment, Picture, html, svg};

/// One row as a test wants it; digits of moments, 0 for none.
#[derive(Clone, Copy)]
struct Row {
    aspect: Aspect,
    from: u64,
    to: u64,
    mark: Option<u8>,
    known: (u32, Option<u32>),
}

fn packed(row: &Row) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ValuesWriter(&mut bytes);
    for (field, digits) in [(row.aspect.start(), row.from), (row.aspect.end(), row.to)] {
        if let Some(field) = field.filter(|_| digits > 0) {
            writer.digits(field, digits);
        }
    }
    if let Some(mark) = row.mark {
        writer.flag(Field::CorrectionMark, mark);
    }
    match row.aspect {
        Aspect::Address => writer.number(Field::MunicipalityCode, Some(851)),
        Aspect::CivilStatus => writer.text(Field::CivilStatus, b"G"),
        Aspect::Name => writer.text(Field::GivenNames, b"Sofie Amalie"),
        _ => {}
    }
    bytes
}

fn deliveries(count: u32) -> Vec<Moment> {
    (1..=count).map(|delivery| Moment { delivery, produced: date(2026_01_04 + delivery) }).collect()
}

fn date(digits: u32) -> Date {
    Date::from_digits(digits).expect("eight digits")
}

/// Draws rows and hands facts and drawing to the test.
fn drawn<T>(rows: &[Row], reveal: bool, test: impl FnOnce(&[Fact<'_>], &Picture<'_>) -> T) -> T {
    let bytes: Vec<Vec<u8>> = rows.iter().map(packed).collect();
    let facts: Vec<Fact<'_>> = rows
        .iter()
        .zip(&bytes)
        .map(|(row, bytes)| {
            let kind = RowKind::new(row.aspect, row.to > 0);
            let known = Known { from: row.known.0, to: row.known.1 };
            Fact::new(2, kind, known, Values::new(bytes)).expect("an aspect")
        })
        .collect();
    let deliveries = deliveries(9);
    let title = Some("6101801234");
    let picture = Picture { facts: &facts, deliveries: &deliveries, aspects: &[], title, reveal };
    test(&facts, &picture)
}

/// The value of an attribute.
fn attribute<'t>(tag: &'t str, name: &str) -> &'t str {
    let start = tag.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name} in {tag}")) + name.len() + 3;
    &tag[start..start + tag[start..].find('"').expect("closed")]
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name).parse().expect("a number")
}

/// A rectangle that stands for a fact, with the lane it stands in.
struct Drawn<'t> {
    lane: &'t str,
    tag: &'t str,
}

fn rectangles(drawing: &str) -> Vec<Drawn<'_>> {
    let mut found = Vec::new();
    let mut lane = "";
    for line in drawing.lines() {
        if line.starts_with("<g class=\"aspect\"") {
            lane = line;
        } else if line.starts_with("<rect class=\"fact") {
            found.push(Drawn { lane, tag: line });
        }
    }
    found
}

/// Where each text stands: left, top, right, bottom, by the widest letters of a fixed-width font.
fn texts(drawing: &str) -> Vec<([f64; 4], &str)> {
    let mut found = Vec::new();
    for line in drawing.lines().filter(|line| line.starts_with("<text")) {
        let content = &line[line.find('>').expect("a tag") + 1..line.rfind('<').expect("a tag")];
        let letters = content.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").chars().count() as f64;
        let class = if line.contains(" class=") { attribute(line, "class") } else { "" };
        let size = if class.contains("small") {
            9.0
        } else if class == "head" {
            13.0
        } else {
            LABEL_SIZE
        };
        let width = letters * size * LETTER;
        let left = match line.contains("text-anchor") {
            true if attribute(line, "text-anchor") == "end" => number(line, "x") - width,
            true => number(line, "x") - width / 2.0,
            false => number(line, "x"),
        };
        let baseline = number(line, "y");
        found.push(([left, baseline - size * 0.75, left + width, baseline + size * 0.2], content));
    }
    found
}

/// Holds a drawing against its facts.
fn check(facts: &[Fact<'_>], drawing: &str) {
    let root = drawing.lines().next().expect("a line");
    let days = [number(root, "data-first-day"), number(root, "data-last-day")];
    let edges = [number(root, "data-left"), number(root, "data-right")];
    let place = |at: Timestamp| {
        let day = f64::from(Day::at_or_after(at.date()).expect("a day").number()).clamp(days[0], days[1]);
        edges[0] + (day - days[0]) / (days[1] - days[0]) * (edges[1] - edges[0])
    };
    let mut rectangles = rectangles(drawing);
    assert_eq!(rectangles.len(), facts.len(), "one rectangle a fact");
    for fact in facts {
        let (valid, known) = (fact.valid(), fact.known());
        let left = valid.from.map_or(edges[0], place);
        let right = if valid.is_empty() { left + 6.0 } else { valid.to.map_or(edges[1], place) };
        let to = known.to.map_or(String::new(), |to| to.to_string());
        let is_fact = |drawn: &Drawn<'_>| {
            let (lane, tag) = (drawn.lane, drawn.tag);
            let bands: Vec<(u32, f64)> = attribute(lane, "data-bands")
                .split(' ')
                .filter_map(|band| band.split_once(':'))
                .map(|(delivery, y)| (delivery.parse().expect("a number"), y.parse().expect("a number")))
                .collect();
            let height = number(lane, "data-band-height");
            let band = |delivery: u32| bands.iter().find(|(found, _)| *found == delivery).map(|(_, y)| *y);
            let end = bands.last().map(|(_, y)| y + height);
            let (Some(top), Some(bottom)) = (band(known.from), known.to.map_or(end, band)) else { return false };
            let shift = number(tag, "y") - top;
            let tracks = shift / number(lane, "data-track-step");
            attribute(lane, "data-aspect") == fact.aspect().name()
                && attribute(tag, "data-known-from") == known.from.to_string()
                && attribute(tag, "data-known-to") == to
                && (number(tag, "x") - left).abs() < 6.1
                && (valid.is_empty() || (number(tag, "x") - left).abs() < 0.51)
                && (number(tag, "x") + number(tag, "width") - right).abs() < if valid.is_empty() { 6.1 } else { 0.51 }
                && (number(tag, "height") - (bottom - top)).abs() < 0.11
                && (tracks - tracks.round()).abs() < 0.05
                && attribute(tag, "class").contains("gone") == known.to.is_some()
                && attribute(tag, "class").contains("wrong")
                    == matches!(fact.mark(), Some(CorrectionMark::Corrected | CorrectionMark::Annulled))
        };
        let at = rectangles.iter().position(is_fact).unwrap_or_else(|| panic!("no rectangle for {fact:?}"));
        rectangles.swap_remove(at);
    }
    check_room(drawing, root);
}

/// That nothing stands outside, and no text on another one.
fn check_room(drawing: &str, root: &str) {
    let [_, _, width, height] = attribute(root, "viewBox").split(' ').collect::<Vec<_>>()[..] else { panic!("four") };
    let (width, height): (f64, f64) = (width.parse().expect("a number"), height.parse().expect("a number"));
    for tag in drawing.lines().filter(|line| line.starts_with("<rect") && line.contains(" x=")) {
        let (right, bottom) = (number(tag, "x") + number(tag, "width"), number(tag, "y") + number(tag, "height"));
        assert!(number(tag, "x") >= 0.0 && right <= width + 0.01 && bottom <= height, "{tag}");
    }
    let texts = texts(drawing);
    for (at, (place, content)) in texts.iter().enumerate() {
        assert!(place[0] >= 0.0 && place[1] >= 0.0 && place[2] <= width && place[3] <= height, "{content} is outside");
        for (other, others) in &texts[..at] {
            let apart = place[0] >= other[2] || other[0] >= place[2] || place[1] >= other[3] || other[1] >= place[3];
            assert!(apart, "{content} stands on {others}");
        }
    }
}

const MOVED_LATE: [Row; 6] = [
    Row { aspect: Aspect::Person, from: 0, to: 0, mark: None, known: (1, None) },
    Row { aspect: Aspect::Name, from: 1980_01_01_12_00, to: 0, mark: None, known: (1, None) },
    Row { aspect: Aspect::Address, from: 2009_06_13_14_00, to: 0, mark: None, known: (1, Some(2)) },
    Row { aspect: Aspect::Address, from: 2009_06_13_14_00, to: 2009_06_13_14_00, mark: Some(b'K'), known: (2, None) },
    Row { aspect: Aspect::Address, from: 2009_06_13_14_00, to: 2025_12_20_10_00, mark: None, known: (2, None) },
    Row { aspect: Aspect::Address, from: 2025_12_20_10_00, to: 0, mark: None, known: (2, None) },
];

#[test]
fn every_fact_is_one_rectangle_with_its_corners_at_its_dates_and_deliveries() {
    drawn(&MOVED_LATE, false, |facts, picture| check(facts, &svg(picture).expect("facts")));
}

/// Rows of a person about whom much is wrong: partial dates, ends before beginnings, overlaps, many deliveries.
fn many(count: u64, seed: u64) -> Vec<Row> {
    let mut state = seed;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let aspects =
        [Aspect::Address, Aspect::Name, Aspect::CivilStatus, Aspect::Child, Aspect::Citizenship, Aspect::Emigration];
    let mut rows = Vec::new();
    for _ in 0..count {
        let moment = |year: u64, rest: u64| year * 100_000_000 + rest;
        let from = moment(1940 + below(90), [0, 1_00_00_00, 6_15_12_00, 12_31_23_99][below(4) as usize]);
        let to = if below(2) == 0 { 0 } else { from + below(8) * 100_000_000 };
        let first = 1 + below(8) as u32;
        let known = (first, (below(3) == 0).then(|| first + 1 + below(u64::from(9 - first)) as u32));
        let mark = [None, None, None, Some(b'K'), Some(b'A')][below(5) as usize];
        rows.push(Row { aspect: aspects[below(6) as usize], from, to, mark, known });
    }
    rows
}

#[test]
fn whatever_the_facts_no_label_covers_another_and_nothing_stands_outside() {
    for seed in 1..=40 {
        for count in [1, 7, 40, 150] {
            drawn(&many(count, seed), seed % 2 == 0, |facts, picture| check(facts, &svg(picture).expect("facts")));
        }
    }
}

#[test]
fn a_person_of_a_hundred_rows_has_room_on_a_page() {
    let mut rows = Vec::new();
    let dated = [
        (Aspect::Address, 55),
        (Aspect::Name, 8),
        (Aspect::CivilStatus, 8),
        (Aspect::Emigration, 6),
        (Aspect::Citizenship, 3),
        (Aspect::Church, 3),
        (Aspect::Separation, 3),
        (Aspect::Protection, 2),
    ];
    for (aspect, count) in dated {
        for at in 0..count {
            let year = |at: u64| (1950 + at * 70 / count) * 100_000_000 + 1_01_12_00;
            let to = if at + 1 == count { 0 } else { year(at + 1) };
            rows.push(Row { aspect, from: year(at), to, mark: None, known: (1, None) });
        }
    }
    for known in [(1, Some(3)), (3, Some(6)), (6, None)] {
        for aspect in [Aspect::Person, Aspect::FormattedAddress] {
            rows.push(Row { aspect, from: 0, to: 0, mark: None, known });
        }
    }
    let undated =
        [Aspect::Parents, Aspect::BirthRegistration, Aspect::Child, Aspect::Child, Aspect::Child, Aspect::Child];
    rows.extend(undated.map(|aspect| Row { aspect, from: 0, to: 0, mark: None, known: (1, None) }));
    assert_eq!(rows.len(), 100);
    drawn(&rows, false, |facts, picture| {
        let drawing = svg(picture).expect("facts");
        check(facts, &drawing);
        let height: f64 = attribute(&drawing, "viewBox").rsplit(' ').next().expect("four").parse().expect("a number");
        assert!(height <= 700.0, "{height}");
    });
}

#[test]
fn names_and_numbers_are_there_only_when_they_are_asked_for() {
    let [hidden, shown] =
        [false, true].map(|reveal| drawn(&MOVED_LATE, reveal, |_, picture| html(picture).expect("facts")));
    for secret in ["Sofie", "6101801234"] {
        assert!(!hidden.contains(secret));
        assert!(shown.contains(secret));
    }
    assert!(hidden.contains("0851"), "a municipality is no address");
}

#[test]
fn a_page_fetches_nothing_and_has_every_delivery_on_its_slider() {
    let page = drawn(&MOVED_LATE, false, |_, picture| html(picture).expect("facts"));
    let without_namespaces = page.replace("http://www.w3.org/2000/svg", "");
    for fetching in ["http:", "https:", "src=", "href=", "import", "url(\"", "@font-face"] {
        assert!(!without_namespaces.contains(fetching), "{fetching}");
    }
    assert!(page.contains("default-src 'none'") && page.contains("max=\"8\"") && page.contains("[9,\"2026-01-13\"]"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let nothing = drawn(&[], false, |_, picture| svg(picture));
    assert_eq!(nothing, Err(Error::Nothing));
    let too_many = vec![MOVED_LATE[0]; MOST_FACTS + 1];
    assert_eq!(drawn(&too_many, false, |_, picture| svg(picture)), Err(Error::TooMany { most: MOST_FACTS }));
}

#[test]
fn markup_in_a_name_is_text() {
    assert_eq!(crate::svg::escaped("<b>&\"\u{1b}"), "&lt;b&gt;&amp;&quot; ");
}

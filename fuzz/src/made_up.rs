//! Extracts about people who do not exist: numbers with 60 added to the day, names and addresses made up.
//!
//! The seeds of the corpora and the store of the target `stored` are made of them.

use cpr_extract::{ExtractWriter, Family, Line, LineEnd, Padding, Style};
use cpr_model::{Date, Pnr};

/// The people: numbers that no real person has.
pub const NUMBERS: [&[u8; 10]; 3] = [b"6101801234", b"7512695678", b"8803154321"];

/// How an extract ends, beside its style.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// With 999.
    Plain,
    /// With an error record (910) after 999.
    ErrorRecord,
}

type Fields<'a> = &'a [(&'a str, &'a str)];

struct Made {
    writer: ExtractWriter<Vec<u8>>,
}

impl Made {
    fn new(family: &str, style: Style, [date, previous]: [u32; 2]) -> Made {
        let family = Family::named(family).expect("a family there is");
        let [date, previous] = [date, previous].map(|digits| Date::from_digits(digits).expect("eight digits"));
        let writer = ExtractWriter::new(Vec::new(), family, style, "999901", date, previous);
        Made { writer: writer.expect("memory can be written") }
    }

    fn record(&mut self, number: u16, person: usize, fields: Fields<'_>) {
        self.writer.record(number, pnr(person), fields).expect("fields that the record has");
    }

    fn finish(self) -> Vec<u8> {
        self.writer.finish().expect("memory can be written")
    }
}

fn pnr(person: usize) -> Pnr {
    Pnr::parse(NUMBERS[person]).expect("ten digits")
}

fn digits(person: usize) -> &'static str {
    str::from_utf8(NUMBERS[person]).expect("digits")
}

/// Lines cut or full, with this end, and this after the last.
pub fn style(line_end: LineEnd, padding: Padding, trailer: &[u8]) -> Style {
    Style { line_end, padding, trailer: trailer.to_vec() }
}

/// A first extract of family `std`: two persons, one of them with history, 003 behind them.
pub fn std_first(style: Style, ending: Ending) -> Vec<u8> {
    let (trailer, line_end, padding) = (style.trailer.clone(), style.line_end, style.padding);
    let mut made = Made::new("std", Style { trailer: Vec::new(), ..style }, [20260102, 20260102]);
    made.record(
        1,
        0,
        &[("STATUS", "01"), ("STATUSHAENSTART", "198001010000"), ("KOEN", "K"), ("FOED_DT", "1980-01-01")],
    );
    made.record(
        2,
        0,
        &[("KOMKOD", "0999"), ("VEJKOD", "0042"), ("HUSNR", "007B"), ("TILFLYDTO", "201903010000"), ("CONVN", "Prøve")],
    );
    made.record(8, 0, &[("FORNVN", "Åse Øjvind"), ("EFTERNVN", "Prøvesen"), ("NVNHAENSTART", "200505059999")]);
    made.record(12, 0, &[("CIVST", "G"), ("AEGTEPNR", digits(1)), ("HAENSTART-CIVILSTAND", "200505051200")]);
    made.record(14, 0, &[("PNRBARN", digits(2))]);
    made.record(22, 0, &[("PNR", "6201801111"), ("START_DT-PERSON", "1980-01-01"), ("SLUT_DT-PERSON", "1981-00-00")]);
    made.record(
        23,
        0,
        &[("KOMKOD", "0999"), ("VEJKOD", "0041"), ("TILFLYDTO", "200001010000"), ("FRAFLYDTO", "201903010000")],
    );
    made.record(26, 0, &[("ANNKOR", "Æ"), ("FORNVN", "Åse"), ("EFTERNVN", "Forhen"), ("NVNHAENSTART", "198001010000")]);
    made.record(3, 0, &[("ADRNVN", "Prøvesen,Åse"), ("STANDARDADR", "Opdigtet Vej 7B"), ("POSTNR", "9999")]);
    made.record(99, 0, &[("TIMESTAMPU", "202601011200"), ("HAENDELSE", "A01")]);
    made.record(1, 1, &[("STATUS", "90"), ("STATUSHAENSTART", "202512310000"), ("STATUSDTO_UMRK", "*"), ("KOEN", "M")]);
    made.record(4, 1, &[("BESKYTTYPE", "0001"), ("START_DT-BESKYTTELSE", "2020-02-29")]);
    made.record(8, 1, &[("FORNVN", "Bo"), ("EFTERNVN", "Opdigtet"), ("EFTERNVN_MRK", "+")]);
    made.record(3, 1, &[("ADRNVN", "Opdigtet,Bo"), ("BYNVN", "Ingensteds")]);
    let mut extract = made.finish();
    if ending == Ending::ErrorRecord {
        extract.extend(error_record(line_end, padding));
    }
    extract.extend(trailer);
    extract
}

/// The delta after [`std_first`]: a move, a name that ages out, a new person, a receipt (997).
pub fn std_second(style: Style) -> Vec<u8> {
    let mut made = Made::new("std", style, [20260105, 20260102]);
    made.record(
        1,
        0,
        &[("STATUS", "01"), ("STATUSHAENSTART", "198001010000"), ("KOEN", "K"), ("FOED_DT", "1980-01-01")],
    );
    made.record(2, 0, &[("KOMKOD", "0999"), ("VEJKOD", "0043"), ("HUSNR", "011"), ("TILFLYDTO", "202601030000")]);
    made.record(8, 0, &[("FORNVN", "Åse Øjvind"), ("EFTERNVN", "Prøvesen"), ("NVNHAENSTART", "200505059999")]);
    made.record(12, 0, &[("CIVST", "E"), ("AEGTEPNR", "0000000000"), ("HAENSTART-CIVILSTAND", "202512310000")]);
    made.record(
        23,
        0,
        &[("KOMKOD", "0999"), ("VEJKOD", "0042"), ("TILFLYDTO", "201903010000"), ("FRAFLYDTO", "202601030000")],
    );
    made.record(3, 0, &[("ADRNVN", "Prøvesen,Åse"), ("STANDARDADR", "Opdigtet Vej 11"), ("POSTNR", "9999")]);
    made.record(99, 0, &[("TIMESTAMPU", "202601041200"), ("HAENDELSE", "A05"), ("AFLEDTMRK", "1")]);
    made.record(1, 2, &[("PNRGAELD", digits(0)), ("STATUS", "60"), ("STATUSHAENSTART", "202601040000"), ("KOEN", "M")]);
    made.record(997, 1, &[("PNR", digits(1)), ("TIMESTAMPU", "202601041300")]);
    made.finish()
}

/// A first extract of family `full`.
pub fn full_first(style: Style) -> Vec<u8> {
    let mut made = Made::new("full", style, [20260102, 20260102]);
    made.record(
        1,
        0,
        &[
            ("STATUS_TS", "198001011200"),
            ("STATUS", "01"),
            ("STATUSHAENSTART", "198001010000"),
            ("KOEN", "K"),
            ("FOED_DT", "1980-00-00"),
            ("FOED_DT_UMRK", "*"),
            ("PNRMOR", "0000000000"),
            ("PNRFAR", digits(1)),
        ],
    );
    made.record(20, 0, &[("NVN_TS", "200505051200"), ("FORNVN", "Åse"), ("EFTERNVN", "Prøvesen")]);
    made.record(25, 0, &[("KOMKOD", "0999"), ("VEJKOD", "0042"), ("TILFLYDTO", "201903010099")]);
    made.record(26, 0, &[("ANNKOR", "K"), ("KOMKOD", "0999"), ("VEJKOD", "0041"), ("FRAFLYDTO", "201903010000")]);
    made.record(900, 0, &[("TIMESTAMPU", "202601011200"), ("HAENDELSE", "A01")]);
    made.finish()
}

/// The delta after [`full_first`].
pub fn full_second(style: Style) -> Vec<u8> {
    let mut made = Made::new("full", style, [20260103, 20260102]);
    made.record(1, 0, &[("STATUS_TS", "202601021200"), ("STATUS", "90"), ("STATUSHAENSTART", "202601020000")]);
    made.record(65, 0, &[("PNR-GAMMELT", digits(2)), ("SLUT_DT-PERSON", "1980-01-02")]);
    made.finish()
}

/// A first extract of another family, one person with the address record that is its own.
pub fn other_family(family: &str, style: Style) -> Vec<u8> {
    let mut made = Made::new(family, style, [20260102, 20260101]);
    made.record(1, 0, &[("STATUS", "01"), ("STATUSHAENSTART", "198001010000")]);
    match family {
        "u12180" => made.record(31, 0, &[]),
        "2022" => made.record(52, 0, &[]),
        _ => made.record(2, 0, &[("KOMKOD", "0999"), ("VEJKOD", "0042")]),
    }
    made.finish()
}

/// CPR's answer to a line that the customer sent.
fn error_record(end: LineEnd, padding: Padding) -> Vec<u8> {
    let layout = Family::named("std").and_then(|family| family.record(910)).expect("a record of the frame");
    let (mut content, mut written) = (Vec::new(), Vec::new());
    let fields =
        [("SORTFELT-10", "9999999999"), ("INDDATA", "OPDIGTET"), ("FEJLNR", "8451"), ("FEJLTXT-UDTRÆK", "Prøve")];
    layout.compose(None, &fields, &mut content).expect("fields that the record has");
    let used = content.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    let line = Line { content: &content, width: padding.width(used, layout.length), end };
    line.write(&mut written).expect("memory can be written");
    written
}

/// Scenarios in which most can happen, and one with its persons alone.
pub const SCENARIOS: [(&str, &str); 3] = [
    ("persons", "[[person]]\nid='a'\ngiven='A'\nsurname='B'\nborn='1980-01-01'\nsex='M'\n"),
    (
        "family",
        "start='2026-01-05'
person=[
{id='m',given='M',surname='S',born='1990-02-28',sex='K',citizenship=5180,protected='2025-08-01'},
{id='f',pnr='6101891235',given='F',surname='S',born='1989-01-01',sex='M',spouse='m',married='2015-01-01'},
{id='c',given='C',surname='S',born='2016-02-29',sex='K',mother='m',father='f',home={municipality=956,street=1,house=2}}]
[[night]]
happenings=[{does='moves',who='c',to={municipality=751,street=120,house=7,floor='01',door='tv'}}]
[[night]]
happenings=[{does='annuls-move',who='c'},{does='changes-protection',who='m'},{does='is-repeated',who='f'}]
[[night]]
happenings=[{does='gives-birth',who='m',child='d',sex='M',on='2026-01-07'}]
[[night]]
happenings=[{does='is-named',who='d',given='D',surname='S'},{does='dies',who='f'}]
",
    ),
    (
        "numbers-and-borders",
        "person=[{id='a',given='A',surname='B',born='1980-01-01',sex='M'},{id='b',given='B',surname='B',born='1981-01-01',sex='K',citizenship=5180}]
[[night]]
happenings=[{does='marries',who='a',with='b'},{does='changes-church',who='a'},{does='becomes-danish',who='b'}]
[[night]]
happenings=[{does='changes-number',who='a',born='1980-01-02'},{does='corrects-name',who='b',given='C',surname='D'}]
[[night]]
happenings=[{does='emigrates',who='b',country=5120},{does='disappears',who='a'}]
[[night]]
happenings=[{does='comes',who='b',to={municipality=101,street=4,house=12}}]
",
    ),
];

//! What an export looks like beside what was received: CPR's order of 003, and lines as wide as the file's spelling asks.

use std::io::Cursor;

use cpr_replika::cpr_extract::{CheckOptions, LineEnd, Padding, Style, Waive, check};
use cpr_replika::cpr_model::Aspect;
use cpr_replika::{PersonSet, Replika};

use crate::kit::{DAYS, Person, TASK, apply, config, exported, extract_as, extract_of_day, pnr, std_family, told};

/// The last four digits of the numbers of the 003 lines, in their order.
fn formatted(extract: &[u8]) -> Vec<u32> {
    let lines = extract.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"003"));
    lines.map(|line| str::from_utf8(&line[9..13]).unwrap().parse().unwrap()).collect()
}

/// Persons in one extract, whose numbers descend: in any order but this one a number would come first.
fn delivered(rows: &[String]) -> Replika {
    let persons: Vec<(String, String)> = rows.iter().enumerate().map(|(at, rows)| (number(at), rows.clone())).collect();
    let persons: Vec<Person<'_>> =
        persons.iter().rev().map(|(number, rows)| (number.as_str(), rows.as_str())).collect();
    let replika = Replika::in_memory(&config()).unwrap();
    apply(&replika, &extract_of_day(1, &persons)).unwrap();
    replika
}

fn number(at: usize) -> String {
    format!("610180{:04}", 9000 - at)
}

/// A person at an address, who has a 003.
fn at(address: &str) -> String {
    format!("001 STATUS=01\n002 TILFLYDTO=200001011200, {address}\n003 ADRNVN=Sofie")
}

#[test]
fn addressing_rows_stand_in_cprs_order_of_addresses_whoever_is_exported() {
    let street = "KOMKOD=0101, VEJKOD=0010";
    let sides = [
        "", ".", "-", "/", "a", "b", "i", "j", "k", "r", "s", "t", "z", "A", "B", "I", "J", "K", "R", "S", "T", "Z",
        "0", "1", "9",
    ];
    let mut rows = vec![at("KOMKOD=0100, VEJKOD=0011, HUSNR=009"), at("KOMKOD=0101, VEJKOD=0009, HUSNR=008")];
    // Even before odd, then the house, the floor, the side or door: blank, signs, small letters, capitals, digits.
    rows.extend(["", "kl", "ST", "01"].map(|floor| at(&format!("{street}, HUSNR=002, ETAGE={floor}"))));
    rows.extend(sides.map(|side| at(&format!("{street}, HUSNR=002, ETAGE=02, SIDEDOER={side}"))));
    rows.extend(["002A", "004", "001", "003"].map(|house| at(&format!("{street}, HUSNR={house}"))));
    rows.push(at("KOMKOD=0101, VEJKOD=0011, HUSNR=002"));
    let replika = delivered(&rows);
    let expected: Vec<u32> = (0..rows.len() as u32).map(|at| 9000 - at).collect();
    assert_eq!(formatted(&exported(&replika)), expected);

    let snapshot = replika.snapshot();
    assert_eq!(snapshot.export(None, &mut Vec::new()).unwrap(), rows.len() as u64);
    let some = |every: usize| -> Vec<u8> {
        let numbers = (0..rows.len()).step_by(every).map(|at| pnr(&number(at)).key().unwrap());
        let (numbers, mut out): (PersonSet, _) = (numbers.collect(), Vec::new());
        assert_eq!(snapshot.export_persons(&numbers, &mut out).unwrap(), numbers.len());
        out
    };
    assert_eq!(some(1), exported(&replika));
    assert_eq!(formatted(&some(3)), expected.iter().copied().step_by(3).collect::<Vec<_>>());
}

#[test]
fn who_moved_or_left_stands_where_the_last_address_is_that_was_not_taken_back() {
    let abroad = |rows: &str| format!("001 STATUS=80\n{rows}\n003 ADRNVN=Sofie");
    let was = |street: u32, to: u32, mark: &str| {
        format!("023 KOMKOD=0101, VEJKOD={street:04}, TILFLYDTO=200001011200, FRAFLYDTO={to}01011200{mark}")
    };
    let last = format!("{}\n{}", was(5, 2005, ""), was(20, 2010, ""));
    let rows = [
        format!("{}\n{}", at("KOMKOD=0101, VEJKOD=0010, HUSNR=001"), was(30, 2000, "")),
        abroad(&last),
        abroad(&format!("{last}\n{}", was(6, 2015, ", ANNKOR=A"))),
        abroad(&format!("{last}\n{}", was(7, 2015, ", ANNKOR=K"))),
    ];
    let replika = delivered(&rows);
    // The last three at one address, by their numbers.
    assert_eq!(formatted(&exported(&replika)), [9000, 8997, 8998, 8999]);
}

#[test]
fn in_a_file_without_line_ends_each_line_is_as_wide_as_its_record_however_it_came() {
    let replika = Replika::in_memory(&config()).unwrap();
    let (one, other) = ("6101801234", "6101801235");
    let mut night = extract_of_day(1, &[(one, "001 STATUS=01"), (other, "001 STATUS=01")]);
    // One line has two blanks behind it, and no other has.
    let row = night.windows(13).position(|bytes| bytes == format!("001{one}").as_bytes()).unwrap();
    let end = row + night[row..].iter().position(|byte| *byte == b'\n').unwrap();
    night.splice(end..end, *b"  ");
    apply(&replika, &night).unwrap();
    assert!(exported(&replika).ends_with(&night[row..]), "in a file like it, as it came");
    let style = Style { line_end: LineEnd::None, padding: Padding::Full, trailer: Vec::new() };
    let next = extract_as(std_family(), style, TASK, [DAYS[2], DAYS[1]], &[(other, "001 STATUS=03")]);
    apply(&replika, &next).unwrap();
    let options =
        CheckOptions { family: std_family(), chosen: None, ignored: &[], fault_limit: 9, waive: Waive::default() };
    let found = check(Cursor::new(exported(&replika)), options).unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!((found.persons, found.style.line_end), (2, LineEnd::None));
}

#[test]
fn neighbours_of_which_one_says_more_are_two_of_a_timeline() {
    let (short, long) = ("FORNVN=Sofie", "FORNVN=Sofie, MELNVN=Bang");
    for (first, second, count) in [(short, long, 2), (long, short, 2), (long, long, 1)] {
        let rows = format!(
            "001 STATUS=01\n008 {second}, NVNHAENSTART=202001011200\n\
             026 {first}, NVNHAENSTART=201001011200, NVNHAENSLUT=202001011200"
        );
        let told = told(&[&[("6101801234", &rows)]]);
        assert_eq!(told.timeline("6101801234", Aspect::Name, 1).len(), count, "{first}, then {second}");
    }
}

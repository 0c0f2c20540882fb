//! What is read hot takes no memory. A program of its own, since the allocator that counts is that of a whole program.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use cpr_replika::cpr_extract::{ExtractWriter, Family, LineEnd, Padding, Style};
use cpr_replika::cpr_model::{Date, Pnr, Timestamp};
use cpr_replika::{ApplyOptions, Config, DeliveryNumber, Replika, Snapshot};

/// To whom nothing happens; who moves a few times; who moves until more than one past is put away.
const STAYS: &str = "6101801231";
const MOVES: &str = "6201801235";
const KEEPS_MOVING: &str = "6301801239";
const NIGHTS: u32 = 28;
const FEW: u32 = 4;

fn pnr(digits: &str) -> Pnr {
    Pnr::parse(digits.as_bytes()).unwrap()
}

fn night(day: u32) -> Vec<u8> {
    let style = Style { line_end: LineEnd::Lf, padding: Padding::Cut, trailer: Vec::new() };
    let [today, before] = [2026_01_01 + day, 2026_01_00 + day].map(|digits| Date::from_digits(digits).unwrap());
    let family = Family::named("std").unwrap();
    let mut writer = ExtractWriter::new(Vec::new(), family, style, "123401", today, before).unwrap();
    let told = [(STAYS, 1), (MOVES, FEW), (KEEPS_MOVING, NIGHTS)];
    for (number, _) in told.into_iter().filter(|(_, last)| day <= *last) {
        let mut write = |record, fields: &[(&str, &str)]| writer.record(record, pnr(number), fields).unwrap();
        let (house, since) = (format!("{day:03}"), format!("2026{:02}{:02}1200", 1, day));
        write(1, &[("STATUS", "01")]);
        write(2, &[("KOMKOD", "0751"), ("VEJKOD", "0042"), ("HUSNR", &house), ("TILFLYDTO", &since)]);
        write(3, &[("ADRNVN", "Opdigtet,Bo"), ("STANDARDADR", &format!("En lang opdigtet vej {day}, 2. tv"))]);
        write(8, &[("FORNVN", "Bo"), ("EFTERNVN", &format!("Opdigtet nummer {day}"))]);
        for child in 0..5 {
            write(14, &[("PNRBARN", &format!("61{day:02}01{:04}", 1000 + child))]);
        }
    }
    writer.finish().unwrap()
}

/// How often memory is asked for by a read of a person that was read before.
fn allocations(read: impl Fn()) -> u64 {
    read();
    allocation_counter::measure(read).count_total
}

#[test]
fn hot_reads_of_a_person_now_and_as_of_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let replika = Replika::create(folder.path().join("store"), &Config::default()).unwrap();
    for day in 1..=NIGHTS {
        replika.apply(Cursor::new(night(day)), &ApplyOptions::named("made up")).unwrap();
    }
    let snapshot = replika.snapshot();
    let now = |number| {
        allocations(|| assert!(snapshot.person(pnr(number)).unwrap().unwrap().facts().count() > 3, "a whole person"))
    };
    assert_eq!([STAYS, MOVES, KEEPS_MOVING].map(now), [0; 3]);

    let at = Timestamp::end_of(Date::from_digits(2026_01_31).unwrap());
    let as_of = |number, known| allocations(|| assert!(is_whole(&snapshot, number, at, DeliveryNumber(known))));
    assert_eq!([1, 2, FEW, NIGHTS].map(|known| as_of(STAYS, known)), [0; 4]);
    assert_eq!([1, 2, FEW, NIGHTS].map(|known| as_of(MOVES, known)), [0; 4], "the past stands in the person's value");
    assert_eq!([NIGHTS - 1, NIGHTS].map(|known| as_of(KEEPS_MOVING, known)), [0; 2], "so does the last of a long one");
    let of_put_away = as_of(KEEPS_MOVING, 1);
    assert!((1..=OF_PUT_AWAY).contains(&of_put_away), "{of_put_away} for a past that was put away");
}

/// A list of the pasts that were put away, which grows, and what a range of rows takes.
const OF_PUT_AWAY: u64 = 12;

fn is_whole(snapshot: &Snapshot, number: &str, at: Timestamp, known: DeliveryNumber) -> bool {
    let image = snapshot.as_of(pnr(number), Some(at), Some(known)).unwrap().unwrap();
    image.all_facts().count() > 3
}

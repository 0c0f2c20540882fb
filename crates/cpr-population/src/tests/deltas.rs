//! Nights of change: codes and marks, receipts, what is undone, and what the engine makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use cpr_replika::{ApplyOptions, Config, Replika};

use super::{SEED, cell, full, lines, person, product, sound};
use crate::days::TODAY;
use crate::person::{Address, Name, PersonRows, Row, number_of};
use crate::population::families::Families;
use crate::register::Register;
use crate::*;

#[test]
fn codes_are_those_of_the_lists_and_only_the_living_here_have_an_address() {
    let population = Population::new(SEED, 8_000);
    let mut extracts = full(&population, "std");
    let mut deltas = population.deltas(&product("std"), 1_500);
    for _ in 0..4 {
        extracts = deltas.next_delta(extracts).expect("written to memory");
    }
    let mut codes = BTreeSet::new();
    let mut status = 0;
    for line in lines(&extracts) {
        match &line[..3] {
            b"001" => {
                status = cell(line, 24, 2).parse().expect("a status");
                assert!([1, 3, 5, 7, 20, 30, 50, 60, 70, 80, 90].contains(&status));
            }
            b"002" => assert!(status < 30, "an address with STATUS {status}"),
            b"005" => assert_eq!(status, 80),
            b"007" => assert_eq!(status, 70),
            b"004" => assert!(["0001", "0002", "0003"].contains(&cell(line, 14, 4).as_str())),
            b"011" => assert!(["A", "F", "M", "S", "U"].contains(&cell(line, 14, 1).as_str())),
            b"012" => {
                assert!(["U", "G", "F", "E", "D"].contains(&cell(line, 14, 1).as_str()));
                assert_eq!(cell(line, 14, 1) == "D", status == 90, "STATUS {status}");
            }
            b"099" => {
                let (code, mark) = (cell(line, 26, 3), cell(line, 29, 2));
                assert!(EVENT_CODES.iter().any(|(listed, _)| *listed == code), "{code}");
                assert!(mark.is_empty() || DERIVED_MARKS.iter().any(|(listed, _)| *listed == mark), "{mark}");
                codes.insert(code);
            }
            _ => {}
        }
    }
    assert!(codes.len() > 25, "{codes:?}");
}

#[test]
fn nights_produce_every_code_and_mark_that_is_listed_and_no_other() {
    let population = Population::new(SEED, 20_000);
    let mut deltas = population.deltas(&product("std"), 1_500);
    let (mut codes, mut marks) = (BTreeMap::<String, u32>::new(), BTreeSet::new());
    for _ in 0..30 {
        let extract = deltas.next_delta(Vec::new()).expect("written to memory");
        for line in lines(&extract).filter(|line| line.starts_with(b"099")) {
            *codes.entry(cell(line, 26, 3)).or_default() += 1;
            marks.insert(cell(line, 29, 2));
            let is_unstamped = ["A74", "K74"].contains(&cell(line, 26, 3).as_str());
            assert_eq!(cell(line, 14, 12).is_empty(), is_unstamped);
        }
    }
    let listed = |list: &[(&str, &str)]| list.iter().map(|(code, _)| (*code).to_owned()).collect::<BTreeSet<_>>();
    let produced: BTreeSet<String> = codes.keys().cloned().collect();
    let missing: Vec<_> = listed(EVENT_CODES).difference(&produced).cloned().collect();
    assert!(missing.is_empty() && produced.is_subset(&listed(EVENT_CODES)), "not produced: {missing:?}; {codes:?}");
    marks.remove("");
    assert_eq!(marks, listed(DERIVED_MARKS));
}

#[test]
fn receipts_and_refusals_stand_where_cpr_puts_them_and_end_what_they_say() {
    let population = Population::new(SEED, 5_000);
    let (mut receipts, mut errors) = (0, 0);
    for family in ["std", "full"] {
        let mut deltas = population.deltas(&product(family), 60);
        let mut ended = BTreeSet::new();
        for _ in 0..80 {
            let extract = deltas.next_delta(Vec::new()).expect("written to memory");
            let checked = sound(&extract, family);
            let of = |record: &'static [u8]| {
                lines(&extract).filter(move |line| line.starts_with(record)).map(|line| cell(line, 4, 10))
            };
            assert!(of(b"001").all(|pnr| !ended.contains(&pnr)), "delivered after its receipt");
            assert!(of(b"997").all(|pnr| of(b"001").all(|other| other != pnr)), "a receipt comes alone");
            assert_eq!(
                (of(b"997").count(), of(b"910").count()),
                (checked.receipts as usize, checked.input_errors.len())
            );
            ended.extend(of(b"997"));
            receipts += checked.receipts;
            errors += checked.input_errors.len();
            assert!(checked.input_errors.iter().all(|error| matches!(error.number, 8483 | 8494..=8496)));
        }
    }
    assert!(receipts > 2 && errors > 2, "{receipts} {errors}");
}

/// What holds or did hold of a person, without the rows that are marked or have no length.
fn holding(person: &PersonRows) -> impl PartialEq + std::fmt::Debug + use<> {
    fn rows<T>(rows: &[Row<T>], what: impl Fn(&T) -> String) -> Vec<(u64, Option<u64>, String)> {
        let to = |row: &Row<T>| row.to.map(|to| to.digits);
        let is_long = |row: &&Row<T>| row.mark == ' ' && to(row) != Some(row.from.digits);
        rows.iter().filter(is_long).map(|row| (row.from.digits, to(row), what(&row.value))).collect()
    }
    let civil = |civil: &crate::person::Civil| {
        format!("{} {:?}", civil.status, number_of(&civil.spouse).map(|pnr| pnr.reveal().to_owned()))
    };
    (
        (person.status, person.born, person.number_from, person.children.len(), person.custody.len()),
        rows(&person.addresses, |at| format!("{} {} {}", at.municipality, at.street, at.house)),
        rows(&person.names, |name| format!("{} {}", name.given, name.surname)),
        rows(&person.citizenships, u16::to_string),
        rows(&person.church, char::to_string),
        rows(&person.civil, civil),
        rows(&person.separations, |_| String::new()),
    )
}

#[test]
fn what_is_undone_leaves_everybody_as_before_but_for_marked_rows() {
    let families = Families::new(SEED, 6_000);
    let home = Address { municipality: 101, street: 20, house: 3, letter: b' ', ..Address::default() };
    let name = Name { given: "Ny".into(), surname: "Navn".into(), ..Name::default() };
    type Happens<'a> = &'a dyn Fn(&mut Register<'_>, u32) -> bool;
    let pnr = |rank: u32| families.pnr(rank);
    let spare = |rank: u32| families.cohorts.unused_number(rank, rank & 1).expect("room in a day");
    let born = crate::days::date(TODAY - 10_000);
    let (on, later) = (TODAY + 1, TODAY + 2);
    let double = |rank: u32| pnr(rank.saturating_sub(2));
    let cases: [(&str, Happens<'_>, Happens<'_>); 9] = [
        ("move", &|r, at| r.moves(pnr(at), home, on), &|r, at| r.annuls_move(pnr(at))),
        ("name", &|r, at| r.renames(pnr(at), name.clone(), on), &|r, at| r.annuls_name(pnr(at))),
        ("Dane", &|r, at| r.becomes_danish(pnr(at), on), &|r, at| r.annuls_citizenship(pnr(at))),
        ("church", &|r, at| r.changes_church(pnr(at), on), &|r, at| r.annuls_church(pnr(at))),
        ("death", &|r, at| r.dies(pnr(at), on), &|r, at| r.annuls_death(pnr(at))),
        ("wedding", &|r, at| r.marries(pnr(at), pnr(at + 4), on, false), &|r, at| r.annuls_wedding(pnr(at), later)),
        ("separation", &|r, at| r.separates(pnr(at), on), &|r, at| r.settles_separation(pnr(at), "P49", later)),
        ("number", &|r, at| r.changes_number(pnr(at), spare(at), born, on), &|r, at| {
            r.takes_number_back(spare(at), later)
        }),
        ("double", &|r, at| r.deletes_double(double(at), pnr(at), on), &|r, at| r.revives_double(double(at))),
    ];
    for (what, happens, is_undone) in cases {
        let mut done = 0;
        for rank in (100..5_990).step_by(3) {
            let mut register = Register::new(Some(&families));
            register.entered_at = 2026_01_06_0900;
            if !happens(&mut register, rank) {
                continue;
            }
            assert!(is_undone(&mut register, rank), "{what} of rank {rank} cannot be undone");
            done += 1;
            let concerned: Vec<PersonRows> = register.delivered().cloned().collect();
            for after in concerned.iter().filter(|after| after.number != Some(spare(rank))) {
                let number = after.number.and_then(|pnr| families.rank_of(pnr)).expect("one of the population");
                let before = person(&families, number);
                let lost = what == "death" && after.children.is_empty() && !before.custody.is_empty();
                assert!(lost || holding(after) == holding(&before), "{what}, rank {rank}: {number} is not as before");
            }
        }
        assert!(done > 3, "{what}: {done}");
    }
}

#[test]
fn a_night_of_chosen_persons_moves_each_of_them_once_and_nobody_else() {
    let population = Population::new(SEED, 3_000);
    let (here, gone): (Vec<u32>, Vec<u32>) = (0..3_000).step_by(30).partition(|rank| population.lives_here(*rank));
    assert!(here.len() > 40 && gone.len() > 10);
    let expected: Vec<String> = here.iter().map(|rank| population.pnr_at(*rank).reveal().to_owned()).collect();
    let mut deltas = population.deltas(&product("std"), 100);
    let of = |deltas: &mut Deltas<'_>| {
        let asked: Vec<u32> = here.iter().chain(&gone).copied().collect();
        deltas.next_delta_of_moves(Vec::new(), &asked).expect("written to memory")
    };
    let rows = |extract: &[u8]| lines(extract).filter(|line| line.starts_with(b"023")).count();
    let mut past = None;
    for _ in 0..5 {
        let extract = of(&mut deltas);
        sound(&extract, "std");
        let numbers = |record: &[u8]| -> Vec<String> {
            lines(&extract).filter(|line| line.starts_with(record)).map(|line| cell(line, 4, 10)).collect()
        };
        assert_eq!(numbers(b"001"), expected);
        assert_eq!(numbers(b"099"), numbers(b"001"));
        assert!(lines(&extract).filter(|line| line.starts_with(b"099")).all(|line| cell(line, 26, 5) == "A01"));
        let rows = rows(&extract);
        assert!(past.is_none_or(|past| rows == past + here.len()), "one more past address each");
        past = Some(rows);
    }
    // It goes on as usual from there.
    sound(&deltas.next_delta(Vec::new()).expect("written to memory"), "std");
}

#[test]
fn the_engine_takes_the_nights_and_finds_changes_of_many_kinds() {
    let population = Population::new(SEED, 6_000);
    for family in ["std", "full"] {
        let replika = Replika::in_memory(&Config::default()).expect("a store");
        replika.load(Cursor::new(full(&population, family)), &ApplyOptions::named("full")).expect("a sound extract");
        let mut deltas = population.deltas(&product(family), 400);
        let mut classes = BTreeSet::new();
        for night in 0..8 {
            let delta = deltas.next_delta(Vec::new()).expect("written to memory");
            let report =
                replika.apply(Cursor::new(delta), &ApplyOptions::named("night")).expect("follows the one before");
            let counts = &report.delivery.counts;
            assert!((300..=420).contains(&(counts.persons_new + counts.persons_changed)), "night {night}");
            classes.extend(counts.classes.iter().enumerate().filter(|(_, count)| **count > 0).map(|(class, _)| class));
        }
        assert!(replika.snapshot().verify().expect("a read").is_clean());
        assert!(classes.len() >= 6, "{classes:?}");
    }
}

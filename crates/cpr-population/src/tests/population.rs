//! Persons of a population and their full extracts: relatives, residences, shares, order.

use std::collections::{BTreeMap, BTreeSet};

use super::{SEED, cell, full, lines, person, product, sound};
use crate::days::{TODAY, day_of, parts};
use crate::person::number_of;
use crate::population::families::Families;
use crate::*;

#[test]
fn days_are_those_of_the_calendar() {
    for (day, date) in [
        (0, (1900, 1, 1)),
        (-1, (1899, 12, 31)),
        (36_583, (2000, 2, 29)),
        (36_584, (2000, 3, 1)),
        (TODAY, (2026, 1, 5)),
    ] {
        assert_eq!((parts(day), day_of(date.0, date.1, date.2)), (date, day));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let of = |seed| {
        let population = Population::new(seed, 3_000);
        let mut bytes = full(&population, "std");
        let mut deltas = population.deltas(&product("std"), 100);
        for _ in 0..3 {
            bytes = deltas.next_delta(bytes).expect("written to memory");
        }
        bytes
    };
    assert!(of(1) == of(1));
    assert!(of(1) != of(2));
}

#[test]
fn numbers_are_test_numbers_in_birth_order_and_say_the_sex() {
    for persons in [1, 2, 40, 30_001] {
        let population = Population::new(SEED, persons);
        let mut last = None;
        for rank in 0..population.persons() {
            let pnr = population.pnr_at(rank);
            let digits = pnr.reveal().as_bytes();
            assert!(matches!(digits[0], b'6'..=b'9'), "a day above 60");
            assert_eq!(digits[9] % 2, (rank % 2) as u8, "odd for men");
            assert!(pnr.key() > last, "rank {rank} of {persons}");
            assert_eq!(population.rank_of(pnr), Some(rank));
            last = pnr.key();
        }
    }
}

#[test]
fn relatives_agree_from_either_side() {
    let families = Families::new(SEED, 20_000);
    let (mut mothers, mut fathers, mut spouses, mut shared) = (0, 0, 0, 0);
    for rank in 0..20_000 {
        let one = person(&families, rank);
        let own = one.number.expect("a number");
        for (parent, count) in [(&one.mother, &mut mothers), (&one.father, &mut fathers)] {
            if let Some(pnr) = number_of(&parent.who) {
                let other = person(&families, families.rank_of(pnr).expect("a person"));
                assert!(other.children.contains(&own), "015 of {rank} has its 014");
                *count += 1;
            }
        }
        for child in &one.children {
            let child = person(&families, families.rank_of(*child).expect("a person"));
            let parent = if one.is_man { &child.father } else { &child.mother };
            assert!(number_of(&parent.who) == Some(own), "014 of {rank} has its 015");
        }
        let Some(row) = one.civil.iter().find(|row| row.value.status == 'G') else { continue };
        let other = number_of(&row.value.spouse).and_then(|pnr| families.rank_of(pnr)).expect("a spouse");
        let other = person(&families, other);
        let his = other.civil.iter().find(|row| row.value.status == 'G').expect("married too");
        assert!(number_of(&his.value.spouse) == Some(own));
        assert!((his.from, his.to.is_some()) == (row.from, row.to.is_some()), "the same wedding, lasting or not");
        assert!(his.to == row.to || his.to.map(|to| to.date()) == row.to.map(|to| to.date()), "ended on the same day");
        spouses += 1;
        let together = row.to.is_none() && one.status < 20 && other.status < 20;
        shared += usize::from(together);
        if together && let (Some(home), Some(other)) = (one.address(), other.address()) {
            assert!(home.value == other.value, "spouses share their home, rank {rank}");
        }
    }
    assert!(
        mothers > 8_000 && fathers > 5_000 && spouses > 4_000 && shared > 1_000,
        "{mothers} {fathers} {spouses} {shared}"
    );
}

#[test]
fn the_residence_line_has_no_overlap_and_ends_with_the_status() {
    let families = Families::new(SEED, 20_000);
    for rank in 0..20_000 {
        let one = person(&families, rank);
        let mut line: Vec<(u64, u64)> = Vec::new();
        let end = |to: Option<crate::person::Moment>| to.map_or(u64::MAX, |to| to.digits);
        line.extend(one.addresses.iter().filter(|row| row.mark == ' ').map(|row| (row.from.digits, end(row.to))));
        line.extend(one.abroad.iter().filter(|row| row.from.digits > 0).map(|row| (row.from.digits, end(row.to))));
        line.extend(one.disappeared.iter().map(|row| (row.from.digits, end(row.to))));
        line.sort_unstable();
        assert!(line.iter().all(|(from, to)| from < to), "rank {rank}: {line:?}");
        assert!(line.windows(2).all(|pair| pair[0].1 <= pair[1].0), "rank {rank}: {line:?}");
        assert_eq!(one.address().is_some(), one.status < 30, "rank {rank}, status {}", one.status);
        assert!(one.addresses.iter().filter(|row| row.to.is_none()).count() <= 1, "rank {rank}");
    }
}

#[test]
fn shares_are_those_of_the_register() {
    let population = Population::new(SEED, 30_000);
    let extract = full(&population, "std");
    let checked = sound(&extract, "std");
    let mut of_person: BTreeMap<String, u32> = BTreeMap::new();
    let mut statuses: BTreeMap<String, u32> = BTreeMap::new();
    let mut municipalities = BTreeSet::new();
    let mut protected = BTreeSet::new();
    for line in lines(&extract).skip(1).filter(|line| !line.starts_with(b"999")) {
        *of_person.entry(cell(line, 4, 10)).or_default() += 1;
        match &line[..3] {
            b"001" => *statuses.entry(cell(line, 24, 2)).or_default() += 1,
            b"002" => drop(municipalities.insert(cell(line, 14, 4))),
            b"004" => drop(protected.insert(cell(line, 4, 10))),
            _ => {}
        }
    }
    let mean = of_person.values().sum::<u32>() as f64 / of_person.len() as f64;
    assert!((9.0..13.2).contains(&mean), "{mean} records per person");
    let most = of_person.values().max().copied().unwrap_or(0);
    assert!((25..=60).contains(&most), "{most} records at most");
    assert!(of_person.values().all(|count| *count >= 8));
    let share = |status: &str| f64::from(statuses.get(status).copied().unwrap_or(0)) / 30_000.0;
    for (status, low, high) in [
        ("01", 0.5, 0.75),
        ("05", 0.003, 0.02),
        ("20", 0.01, 0.05),
        ("80", 0.02, 0.12),
        ("90", 0.15, 0.4),
        ("70", 0.001, 0.01),
    ] {
        assert!((low..high).contains(&share(status)), "status {status}: {}", share(status));
    }
    for status in ["03", "30", "50", "60"] {
        assert!(share(status) > 0.0, "status {status}");
    }
    let residents = f64::from(statuses["01"] + statuses["03"] + statuses["05"]);
    assert!((0.035..0.06).contains(&(protected.len() as f64 / residents)), "{} protected", protected.len());
    // All municipalities but the smallest, Greenland, and the offices of STATUS 20.
    assert!(municipalities.len() > 98, "{}", municipalities.len());
    for record in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 26, 27, 28, 29, 30] {
        assert!(checked.records.contains_key(&record), "{record:03}");
    }
}

#[test]
fn every_family_takes_every_file() {
    let population = Population::new(SEED, 4_000);
    for family in ["std", "uuid", "2022", "full"] {
        sound(&full(&population, family), family);
        let mut deltas = population.deltas(&product(family), 200);
        for _ in 0..3 {
            sound(&deltas.next_delta(Vec::new()).expect("written to memory"), family);
        }
        for fixture in [basis(), archetypes().0] {
            sound(&fixture.full_extract(Vec::new(), &product(family)).expect("written to memory"), family);
        }
    }
}

#[test]
fn a_file_shows_the_family_that_it_was_made_in() {
    let population = Population::new(SEED, 1_500);
    for family in ["std", "uuid", "2022", "full"] {
        let found = cpr_extract::find_family(&mut std::io::Cursor::new(full(&population, family)), &[], u64::MAX);
        assert_eq!(found.expect("read from memory").expect("one family").name, family);
    }
    let extract = full(&population, "uuid");
    let mut addresses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines(&extract).filter(|line| line.starts_with(b"002")) {
        addresses.entry(cell(line, 347, 36)).or_default().insert(cell(line, 14, 22));
    }
    assert!(addresses.len() > 100 && addresses.values().all(|places| places.len() == 1), "one for each address");
}

#[test]
fn addressing_rows_stand_behind_all_persons_in_the_order_of_their_addresses() {
    let extract = full(&Population::new(SEED, 20_000), "std");
    let numbers: Vec<&[u8]> = lines(&extract).map(|line| &line[..3]).collect();
    let first = numbers.iter().position(|number| *number == b"003").expect("a 003");
    assert!(numbers[first..numbers.len() - 1].iter().all(|number| *number == b"003"));
    let with_address = lines(&extract).skip(first).filter(|line| line.len() > 217 && cell(line, 208, 4) != "0000");
    let places: Vec<_> = with_address
        .map(|line| {
            let house = cell(line, 216, 3);
            (cell(line, 208, 4), cell(line, 212, 4), house.parse::<u32>().unwrap_or(0) % 2, house)
        })
        .collect();
    assert!(places.len() > 10_000 && places.is_sorted());
}

#[test]
fn some_dates_are_known_by_their_year_only_and_marked() {
    let extract = full(&Population::new(SEED, 30_000), "std");
    let (mut births, mut citizenships, mut names) = (0, 0, 0);
    for line in lines(&extract) {
        match &line[..3] {
            b"001" if cell(line, 40, 10).ends_with("-00-00") => {
                assert_eq!(cell(line, 50, 1), "*");
                births += 1;
            }
            b"010" if cell(line, 22, 8) == "00001299" => {
                assert_eq!(cell(line, 30, 1), "*");
                citizenships += 1;
            }
            b"008" if String::from_utf8_lossy(line).contains("00001299*") => names += 1,
            _ => {}
        }
    }
    assert!(births > 20 && citizenships > 200 && names > 50, "{births} {citizenships} {names}");
}

//! What made-up data must be: readable by the strict reader, agreed between relatives, plausible in its shares.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use cpr_extract::{CheckOptions, Checked, FIRST_LINES, Family, Waive, check, find_family};
use cpr_replika::{ApplyOptions, Config, Replika};

use crate::days::{TODAY, day_of, parts};
use crate::families::Families;
use crate::happenings::Register;
use crate::life::{Workroom, number_of};
use crate::person::{Address, Dossier, Name, Row};
use crate::*;

const SEED: u64 = 7;

fn product(family: &str) -> Product {
    Product { family: Family::named(family).expect("a family"), task: "999901".to_owned() }
}

fn full(population: &Population, family: &str) -> Vec<u8> {
    population.full_extract(Vec::new(), &product(family)).expect("written to memory")
}

/// Checks the file as the engine does; panics with the first fault.
fn sound(extract: &[u8], family: &str) -> Checked {
    let mut source = Cursor::new(extract);
    let found = find_family(&mut source, &[], FIRST_LINES).expect("a read").expect("one family");
    let named = Family::named(family).expect("a family");
    assert!(named.is_variant_of(found), "found {} in a file of {family}", found.name);
    let options = CheckOptions { family: named, chosen: None, ignored: &[], fault_limit: 1, waive: Waive::default() };
    let checked = check(extract, options).expect("a read");
    assert!(checked.is_sound(), "{family}: {}", checked.faults[0]);
    assert_eq!(checked.odd_characters, 0, "{family}");
    checked
}

fn person(families: &Families, rank: u32) -> Dossier {
    families.person(rank, &mut Workroom::default())
}

fn lines(extract: &[u8]) -> impl Iterator<Item = &[u8]> {
    extract.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn cell(line: &[u8], start: usize, length: usize) -> String {
    let cell = line.get(start - 1..).unwrap_or_default();
    cell[..length.min(cell.len())].iter().map(|byte| char::from(*byte)).collect::<String>().trim_end().to_owned()
}

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
        let mut nights = population.nights(&product("std"), 100);
        for _ in 0..3 {
            bytes = nights.next_night(bytes).expect("written to memory");
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
        let Some(row) = one.civil.iter().find(|row| row.what.status == 'G') else { continue };
        let other = number_of(&row.what.spouse).and_then(|pnr| families.rank_of(pnr)).expect("a spouse");
        let other = person(&families, other);
        let his = other.civil.iter().find(|row| row.what.status == 'G').expect("married too");
        assert!(number_of(&his.what.spouse) == Some(own));
        assert!((his.from, his.to.is_some()) == (row.from, row.to.is_some()), "the same wedding, lasting or not");
        assert!(his.to == row.to || his.to.map(|to| to.date()) == row.to.map(|to| to.date()), "ended on the same day");
        spouses += 1;
        let together = row.to.is_none() && one.status < 20 && other.status < 20;
        shared += usize::from(together);
        if together && let (Some(home), Some(other)) = (one.address(), other.address()) {
            assert!(home.what == other.what, "spouses share their home, rank {rank}");
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
        let mut nights = population.nights(&product(family), 200);
        for _ in 0..3 {
            sound(&nights.next_night(Vec::new()).expect("written to memory"), family);
        }
        for cast in [basis(), archetypes().0] {
            sound(&cast.full_extract(Vec::new(), &product(family)).expect("written to memory"), family);
        }
    }
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
fn codes_are_those_of_the_lists_and_only_the_living_here_have_an_address() {
    let population = Population::new(SEED, 8_000);
    let mut extracts = full(&population, "std");
    let mut nights = population.nights(&product("std"), 1_500);
    for _ in 0..4 {
        extracts = nights.next_night(extracts).expect("written to memory");
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
    let mut nights = population.nights(&product("std"), 1_500);
    let (mut codes, mut marks) = (BTreeMap::<String, u32>::new(), BTreeSet::new());
    for _ in 0..30 {
        let extract = nights.next_night(Vec::new()).expect("written to memory");
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
        let mut nights = population.nights(&product(family), 60);
        let mut ended = BTreeSet::new();
        for _ in 0..80 {
            let extract = nights.next_night(Vec::new()).expect("written to memory");
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

/// What holds or did hold of a person, without the rows that are marked or have no length.
fn holding(person: &Dossier) -> impl PartialEq + std::fmt::Debug + use<> {
    fn rows<T>(rows: &[Row<T>], what: impl Fn(&T) -> String) -> Vec<(u64, Option<u64>, String)> {
        let to = |row: &Row<T>| row.to.map(|to| to.digits);
        let is_long = |row: &&Row<T>| row.mark == ' ' && to(row) != Some(row.from.digits);
        rows.iter().filter(is_long).map(|row| (row.from.digits, to(row), what(&row.what))).collect()
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
    let spare = |rank: u32| families.cohorts.spare(rank, rank & 1).expect("room in a day");
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
            let concerned: Vec<Dossier> = register.concerned_tonight().cloned().collect();
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
fn a_death_ends_the_custody_of_minor_children_and_changes_nothing_else_of_them() {
    let text = "
        person = [
            { id = 'm', given = 'M', surname = 'S', born = '1990-01-01', sex = 'K' },
            { id = 'f', given = 'F', surname = 'S', born = '1989-01-01', sex = 'M', spouse = 'm', married = '2015-01-01' },
            { id = 'c', given = 'C', surname = 'S', born = '2016-01-01', sex = 'K', mother = 'm', father = 'f' },
            { id = 'd', given = 'D', surname = 'S', born = '2006-01-01', sex = 'K', mother = 'm', father = 'f' },
        ]
        night = [{ happenings = [{ does = 'dies', who = 'f' }] }]";
    let mut scenario = Scenario::parse(text).expect("a scenario");
    let mut night = Vec::new();
    assert!(scenario.next_night(&mut night, &product("std")).expect("it can happen"));
    let told: BTreeSet<(String, String)> = lines(&night)
        .filter(|line| line.starts_with(b"099"))
        .map(|line| (cell(line, 4, 10), cell(line, 26, 5)))
        .collect();
    let of = |id: &str, event: &str| (scenario.pnr(id).expect("somebody").reveal().to_owned(), event.to_owned());
    assert_eq!(told, [of("f", "A21"), of("m", "A21ÆG"), of("c", "A21BØ")].into());
    let custody: Vec<String> =
        lines(&night).filter(|line| line.starts_with(b"016")).map(|line| cell(line, 14, 4)).collect();
    assert_eq!(custody, ["0003"]);
    let fathers = lines(&night).filter(|line| line.starts_with(b"015") && cell(line, 4, 10) == of("c", "").0);
    assert!(fathers.into_iter().all(|line| String::from_utf8_lossy(line).contains(&of("f", "").0)));
}

#[test]
fn a_night_of_chosen_persons_moves_each_of_them_once_and_nobody_else() {
    let population = Population::new(SEED, 3_000);
    let (here, gone): (Vec<u32>, Vec<u32>) = (0..3_000).step_by(30).partition(|rank| population.lives_here(*rank));
    assert!(here.len() > 40 && gone.len() > 10);
    let expected: Vec<String> = here.iter().map(|rank| population.pnr_at(*rank).reveal().to_owned()).collect();
    let mut nights = population.nights(&product("std"), 100);
    let of = |nights: &mut Nights<'_>| {
        let asked: Vec<u32> = here.iter().chain(&gone).copied().collect();
        nights.next_night_of(Vec::new(), &asked).expect("written to memory")
    };
    let rows = |extract: &[u8]| lines(extract).filter(|line| line.starts_with(b"023")).count();
    let mut past = None;
    for _ in 0..5 {
        let extract = of(&mut nights);
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
    sound(&nights.next_night(Vec::new()).expect("written to memory"), "std");
}

#[test]
fn the_engine_takes_the_nights_and_finds_changes_of_many_kinds() {
    let population = Population::new(SEED, 6_000);
    for family in ["std", "full"] {
        let replika = Replika::in_memory(&Config::default()).expect("a store");
        replika.load(Cursor::new(full(&population, family)), &ApplyOptions::named("full")).expect("a sound extract");
        let mut nights = population.nights(&product(family), 400);
        let mut classes = BTreeSet::new();
        for night in 0..8 {
            let delta = nights.next_night(Vec::new()).expect("written to memory");
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

#[test]
fn every_municipality_has_its_family_in_the_basis_set() {
    let cast = basis();
    let extract = cast.full_extract(Vec::new(), &product("std")).expect("written to memory");
    let mut homes: BTreeMap<String, u32> = BTreeMap::new();
    let mut dead = 0;
    for line in lines(&extract) {
        match &line[..3] {
            b"002" => *homes.entry(cell(line, 14, 8)).or_default() += 1,
            b"001" => dead += u32::from(cell(line, 24, 2) == "90"),
            _ => {}
        }
    }
    assert_eq!((homes.len(), dead), (104, 4), "98 municipalities, Christiansø and five in Greenland");
    assert!(homes.values().all(|count| *count == 4));
    assert!(homes.keys().all(|place| place[4..] == format!("{TOWN_HALL_STREET:04}")));
}

#[test]
fn there_are_sixty_archetypes_in_eleven_groups() {
    let (cast, groups) = archetypes();
    let members: BTreeSet<String> =
        groups.iter().flat_map(|group| &group.members).map(|pnr| pnr.reveal().to_owned()).collect();
    assert_eq!((groups.len(), members.len(), cast.persons()), (11, 60, 60));
    let extract = cast.full_extract(Vec::new(), &product("2022")).expect("written to memory");
    let kinds: Vec<String> =
        lines(&extract).filter(|line| line.starts_with(b"052")).map(|line| cell(line, 273, 15)).collect();
    assert_eq!(kinds, ["FULD", "DELVIS", "FULD"]);
}

#[test]
fn a_scenario_of_a_dozen_lines_is_an_extract_and_its_nights() {
    let text = include_str!("../../../testdata/scenario/move-late.toml");
    assert!(text.lines().count() <= 12);
    let mut scenario = Scenario::parse(text).expect("a scenario");
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    let product = product("std");
    let extract = scenario.cast().full_extract(Vec::new(), &product).expect("written to memory");
    replika.load(Cursor::new(extract), &ApplyOptions::named("start")).expect("a sound extract");
    let mut nights = 0;
    loop {
        let mut delta = Vec::new();
        if !scenario.next_night(&mut delta, &product).expect("what can happen") {
            break;
        }
        nights += 1;
        replika.apply(Cursor::new(delta), &ApplyOptions::named("night")).expect("follows the one before");
    }
    let anna = scenario.pnr("anna").expect("somebody");
    let group = replika.snapshot().group(anna, None).expect("a read").expect("a person");
    let rows: Vec<String> = group
        .reveal()
        .filter(|line| line.starts_with(b"002") || line.starts_with(b"023"))
        .map(|line| line[..33].iter().map(|byte| char::from(*byte)).collect::<String>()[13..].trim_end().to_owned())
        .collect();
    assert_eq!((nights, rows), (2, vec!["07510120009".into(), "K07510120007 st  tv".into(), " 01010001001".into()]));
}

#[test]
fn what_is_no_scenario_is_refused_with_its_place_and_without_its_words() {
    let person = "[[person]]\nid='a'\ngiven='A'\nsurname='B'\nborn='1980-01-01'\nsex='M'\n";
    for (text, told) in [
        ("[[person]]\nid='x'\nnane='secret'".to_owned(), "line"),
        (person.replace("1980-01-01", "1980-00-01"), "person 1: no such day of birth"),
        (format!("{person}{person}"), "person 2: the id or the number is somebody else's"),
        (format!("{person}pnr='01{}'", "01801234"), "person 1: not a test number (ten digits, day + 60)"),
        (
            format!("{person}home={{municipality=1,street=1,house=1}}"),
            "person 1: no such municipality, street code or house number",
        ),
        (format!("{person}citizenship=45"), "person 1: a country is a code from 5000 to 5999"),
        (format!("{person}mother='secret'"), "person 1: no such relative"),
        (person.replace("'A'", "'Ł'"), "person 1: a name is too long, or has a character that CPR cannot hold"),
    ] {
        let error = Scenario::parse(&text).map(|_| ()).expect_err("no scenario").to_string();
        assert!(error.starts_with(told) && !error.contains("secret"), "{error}");
    }
    for (happening, told) in [
        ("{ does = 'divorces', who = 'a' }", "night 1, happening 1: this cannot happen to this person then"),
        ("{ does = 'dies', who = 'secret' }", "night 1, happening 1: no such person"),
    ] {
        let mut scenario =
            Scenario::parse(&format!("{person}[[night]]\nhappenings = [{happening}]")).expect("a scenario");
        let error = scenario.next_night(Vec::new(), &product("std")).expect_err("cannot be").to_string();
        assert_eq!(error, told);
    }
}

//! Persons set up one by one: the basis set, the archetypes, scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use cpr_replika::{ApplyOptions, Config, Replika};

use super::{cell, lines, product};
use crate::*;

#[test]
fn every_municipality_of_denmark_and_one_of_greenland_has_its_family_in_the_basis_set() {
    let fixture = basis();
    let extract = fixture.full_extract(Vec::new(), &product("std")).expect("written to memory");
    let mut homes: BTreeMap<String, u32> = BTreeMap::new();
    let mut dead = 0;
    for line in lines(&extract) {
        match &line[..3] {
            b"002" => *homes.entry(cell(line, 14, 8)).or_default() += 1,
            b"001" => dead += u32::from(cell(line, 24, 2) == "90"),
            _ => {}
        }
    }
    assert_eq!((homes.len(), dead), (100, 4), "98 municipalities, Christiansø and one in Greenland");
    assert_eq!(homes.keys().filter(|place| place.starts_with("09")).collect::<Vec<_>>(), ["09560001"]);
    assert!(homes.values().all(|count| *count == 4));
    assert!(homes.keys().all(|place| place[4..] == format!("{TOWN_HALL_STREET:04}")));
}

#[test]
fn there_are_sixty_archetypes_in_eleven_groups() {
    let (fixture, groups) = archetypes();
    let members: BTreeSet<String> =
        groups.iter().flat_map(|group| &group.members).map(|pnr| pnr.reveal().to_owned()).collect();
    assert_eq!((groups.len(), members.len(), fixture.persons()), (11, 60, 60));
    let extract = fixture.full_extract(Vec::new(), &product("2022")).expect("written to memory");
    let kinds: Vec<String> =
        lines(&extract).filter(|line| line.starts_with(b"052")).map(|line| cell(line, 273, 15)).collect();
    assert_eq!(kinds, ["FULD", "DELVIS", "FULD"]);
}

#[test]
fn a_scenario_of_a_dozen_lines_is_an_extract_and_its_nights() {
    let text = include_str!("../../../../testdata/scenario/move-late.toml");
    assert!(text.lines().count() <= 12);
    let mut scenario = Scenario::parse(text).expect("a scenario");
    let replika = Replika::in_memory(&Config::default()).expect("a store");
    let product = product("std");
    let extract = scenario.fixture().full_extract(Vec::new(), &product).expect("written to memory");
    replika.load(Cursor::new(extract), &ApplyOptions::named("start")).expect("a sound extract");
    let mut nights = 0;
    loop {
        let mut delta = Vec::new();
        if !scenario.next_delta(&mut delta, &product).expect("what can happen") {
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
        let error = scenario.next_delta(Vec::new(), &product("std")).expect_err("cannot be").to_string();
        assert_eq!(error, told);
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
    assert!(scenario.next_delta(&mut night, &product("std")).expect("it can happen"));
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

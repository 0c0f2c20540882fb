//! What made-up data must be: readable by the strict reader, agreed between relatives, plausible in its shares.

mod deltas;
mod fixtures;
mod population;

use std::io::Cursor;

use cpr_extract::{CheckOptions, Checked, FIRST_LINES, Family, Waive, check, find_family};

use crate::person::PersonRows;
use crate::population::families::Families;
use crate::population::life::Scratch;
use crate::{Population, Product};

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
    let checked = check(source, options).expect("a read");
    assert!(checked.is_sound(), "{family}: {}", checked.faults[0]);
    assert_eq!(checked.odd_characters, 0, "{family}");
    checked
}

fn person(families: &Families, rank: u32) -> PersonRows {
    families.person_at(rank, &mut Scratch::default())
}

fn lines(extract: &[u8]) -> impl Iterator<Item = &[u8]> {
    extract.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn cell(line: &[u8], start: usize, length: usize) -> String {
    let cell = line.get(start - 1..).unwrap_or_default();
    cell[..length.min(cell.len())].iter().map(|byte| char::from(*byte)).collect::<String>().trim_end().to_owned()
}

//! Which lines of an extract are whose, told by the reader alone: what the engine must give back.

use std::collections::{BTreeMap, BTreeSet};

use cpr_extract::{Family, Item, LineEnd, Role, records};
use cpr_model::Pnr;

/// The fact lines of every person of an extract, in the order of the file, and what ends its lines.
pub struct Told {
    /// Lines from a person's 001 on, without their ends; events and lines before the 001 are not among them.
    pub persons: BTreeMap<Pnr, Vec<Vec<u8>>>,
    /// The end of every line, when all have the same.
    pub end: Option<LineEnd>,
}

impl Told {
    /// Reads an extract that has been found sound.
    pub fn by(extract: &[u8], family: &'static Family) -> Told {
        let mut persons: BTreeMap<Pnr, Vec<Vec<u8>>> = BTreeMap::new();
        let (mut first, mut uniform) = (None, true);
        // A person may stand there several times, with equal rows: the first time counts.
        let (mut repeated, mut is_again) = (BTreeSet::new(), false);
        let mut lines = records(extract, family, &[]);
        while let Some(item) = lines.next_item().expect("a slice can be read") {
            let Item::Record(record) = item else { continue };
            uniform &= *first.get_or_insert(record.end) == record.end;
            let (Role::Fact(..), Some(pnr)) = (record.layout.role, record.pnr()) else { continue };
            if record.layout.opens_person() {
                is_again = persons.contains_key(&pnr);
                persons.entry(pnr).or_default();
                repeated.extend(is_again.then_some(pnr));
            }
            let is_formatted = record.bytes().starts_with(b"003");
            let counts = if is_formatted { !has_formatted(&persons, &repeated, pnr) } else { !is_again };
            if let Some(lines) = persons.get_mut(&pnr).filter(|_| counts) {
                lines.push(record.bytes().to_vec());
            }
        }
        Told { persons, end: first.filter(|_| uniform) }
    }
}

/// True when a person who stands there several times has a 003 already.
fn has_formatted(persons: &BTreeMap<Pnr, Vec<Vec<u8>>>, repeated: &BTreeSet<Pnr>, pnr: Pnr) -> bool {
    repeated.contains(&pnr) && persons.get(&pnr).is_some_and(|lines| lines.iter().any(|line| line.starts_with(b"003")))
}

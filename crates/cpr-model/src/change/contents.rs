//! What many rows say, as hashes, and which sets of fields they fill.
//!
//! A row that may repeat others asks for its own values in its own set of fields; a row that may be repeated answers
//! with its values in each set that is asked for, among those of its aspect and start. Real rows have a handful of such
//! sets. Past [`MOST_FIELD_SETS`] of them a row repeats only what fills the same fields as itself, so that no file can
//! make this quadratic.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use crate::change::Fact;
use crate::{Aspect, Field, Timestamp};

/// So many sets of filled fields are told apart among the rows of one aspect and start.
const MOST_FIELD_SETS: usize = 64;

/// What one row says: where it stands in [`Contents`], its set of fields, and the sum of its hashes.
#[derive(Clone, Copy, Default)]
pub(super) struct Content {
    from: u32,
    to: u32,
    set: u32,
    pub(super) says: u64,
}

impl Content {
    /// How many fields it fills.
    pub(super) fn len(&self) -> usize {
        (self.to - self.from) as usize
    }
}

/// Hashes of what rows say, by field, end to end, and each set of filled fields once.
#[derive(Default)]
pub(super) struct Contents {
    hashes: RandomState,
    values: Vec<(Field, u64)>,
    sets: Vec<Box<[Field]>>,
    known: HashMap<Box<[Field]>, u32>,
    fields: Vec<Field>,
}

impl Contents {
    /// The hash functions, under a secret of their own.
    pub(super) fn hashes(&self) -> &RandomState {
        &self.hashes
    }

    /// Takes what a row says.
    pub(super) fn take(&mut self, fact: &Fact<'_>) -> Content {
        let from = self.values.len();
        let hashes = &self.hashes;
        self.values.extend(fact.content().map(|(field, value)| (field, hashes.hash_one((field, value)))));
        let values = &mut self.values[from..];
        values.sort_unstable();
        self.fields.clear();
        self.fields.extend(values.iter().map(|(field, _)| *field));
        let says = values.iter().fold(0, |sum: u64, (_, hash)| sum.wrapping_add(*hash));
        let set = match self.known.get(self.fields.as_slice()) {
            Some(set) => *set,
            None => {
                let set = self.sets.len() as u32;
                self.sets.push(self.fields.as_slice().into());
                self.known.insert(self.fields.as_slice().into(), set);
                set
            }
        };
        Content { from: from as u32, to: self.values.len() as u32, set, says }
    }

    /// What a row says in a set of fields; none when it leaves one of them empty.
    fn projected(&self, row: Content, set: u32) -> Option<u64> {
        if row.set == set {
            return Some(row.says);
        }
        // Both ascend.
        let (mut rest, mut sum) = (self.values[row.from as usize..row.to as usize].iter(), 0_u64);
        for field in &self.sets[set as usize] {
            let (_, hash) = rest.find(|(found, _)| found >= field).filter(|(found, _)| found == field)?;
            sum = sum.wrapping_add(*hash);
        }
        Some(sum)
    }
}

/// Rows that may repeat one another have these in common.
pub(super) type Group = (Aspect, Option<Timestamp>);

/// What a row says, and of which group it is.
pub(super) type Said = (Group, Content);

/// Which sets of fields the rows fill that may repeat others, by aspect and start.
#[derive(Default)]
pub(super) struct FieldSets {
    /// The sets, those of one group end to end, ascending.
    sets: Vec<u32>,
    groups: HashMap<Group, Range<u32>>,
}

impl FieldSets {
    pub(super) fn of(rows: impl Iterator<Item = Said>) -> FieldSets {
        let mut filled: Vec<(Group, u32)> = rows.map(|(group, content)| (group, content.set)).collect();
        filled.sort_unstable();
        filled.dedup();
        let mut groups = HashMap::with_capacity(filled.len());
        for (at, (group, _)) in filled.iter().enumerate() {
            groups.entry(*group).or_insert(at as u32..0).end = at as u32 + 1;
        }
        FieldSets { sets: filled.into_iter().map(|(_, set)| set).collect(), groups }
    }

    /// The sets of a group that are told apart, and whether there are more.
    fn told(&self, group: &Group) -> Option<(&[u32], bool)> {
        let range = self.groups.get(group)?;
        let sets = &self.sets[range.start as usize..range.end as usize];
        Some((&sets[..sets.len().min(MOST_FIELD_SETS)], sets.len() > MOST_FIELD_SETS))
    }

    /// The key of a row that may repeat others: its aspect and start, its fields, and what it says in them.
    pub(super) fn asks(&self, (group, content): Said, contents: &Contents, keys: &mut Vec<u64>) {
        let Some((told, _)) = self.told(&group) else { return };
        let set = told.binary_search(&content.set).is_ok().then_some(content.set);
        keys.push(key(group, set.ok_or(content.len()), content.says, contents));
    }

    /// The keys of a row that may be repeated: what it says in each set of fields that it fills.
    pub(super) fn answers(&self, (group, content): Said, contents: &Contents, keys: &mut Vec<u64>) {
        let Some((told, are_more)) = self.told(&group) else { return };
        for set in told {
            if let Some(says) = contents.projected(content, *set) {
                keys.push(key(group, Ok(*set), says, contents));
            }
        }
        if are_more {
            keys.push(key(group, Err(content.len()), content.says, contents));
        }
    }
}

/// The key of what a row says in a set of fields, or where its set is not told apart, in so many.
fn key(group: Group, set: Result<u32, usize>, says: u64, contents: &Contents) -> u64 {
    contents.hashes.hash_one((group, set, says))
}

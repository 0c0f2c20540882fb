//! Finds which row that is gone goes with which row that came, in time that grows with the rows.
//!
//! A rule pairs each row that came, in order, with the first of those gone for which it gives a class. Of a few rows
//! each is held against each. Of many, a row looks only where a partner can be: every rule asks that something is equal
//! (aspect and start, the place, the content), so rows that are gone stand under a hash of it, in their order, and what
//! has its partner is stepped over once. The rule itself has the last word, so hashes make it fast and never decide.
//!
//! One rule asks for less than equality: a historic row *repeats* a current one when it says nothing else, though it
//! may leave fields out. A row that is gone therefore stands under its values in each set of fields that is filled
//! among the rows that ask, of the same aspect and start. Real rows have a handful of such sets. Past
//! [`MOST_FIELD_SETS`] of them a row repeats only what fills the same fields as itself, so that no file can make this
//! quadratic.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use rustc_hash::FxBuildHasher;

use crate::change::contents::{Content, Contents, FieldSets, Said};
use crate::change::{ChangeClass, Classified, Fact};
use crate::{Aspect, CorrectionMark, Timestamp};

/// Up to so many pairs are looked at one by one: a hash costs more.
pub(super) const FEW_PAIRS: usize = 256;

/// What a rule asks to be equal.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum By {
    /// Slot and start, of rows of which a marked row disproves the one that is gone.
    HeirOfStart,
    /// As it, and current for current, or start or end.
    HeirInPlace,
    /// A marked row that came repeats the one that is gone.
    Disproof,
    /// A historic row repeats a current one, whichever came.
    Turn,
    /// Slot, and of history the start; marked for marked.
    Place,
    /// All that historic rows say.
    Content,
    /// The aspect.
    Aspect,
}

/// A row without a partner.
struct Open<'a> {
    /// Its position in the list that it stands in.
    at: usize,
    fact: Fact<'a>,
    mark: Option<CorrectionMark>,
    start: Option<Timestamp>,
    /// What it says; taken only where there are many rows.
    content: Content,
    /// Of a row that is gone: the mark of the first row that came and disproves it.
    disproved: Option<CorrectionMark>,
}

impl Open<'_> {
    fn said(&self) -> Said {
        ((self.fact.aspect, self.start), self.content)
    }
}

/// The rows that are not yet part of a change, and the changes.
pub(super) struct Pairing<'a> {
    gone: Vec<Open<'a>>,
    came: Vec<Open<'a>>,
    pub(super) changes: Vec<Classified>,
    /// How often one row was held against another, or looked up by a key.
    pub(super) looks: usize,
    /// Up to so many pairs are looked at one by one.
    few: usize,
    contents: Contents,
}

impl<'a> Pairing<'a> {
    pub(super) fn new(
        before: &[Fact<'a>],
        after: &[Fact<'a>],
        gone: &[usize],
        came: &[usize],
        few: usize,
    ) -> Pairing<'a> {
        let mut contents = Contents::default();
        let many = gone.len() * came.len() > few;
        let mut open = |facts: &[Fact<'a>], at: usize| {
            let fact = facts[at];
            let content = if many { contents.take(&fact) } else { Content::default() };
            Open { at, fact, mark: fact.disproof(), start: fact.start(), content, disproved: None }
        };
        Pairing {
            gone: gone.iter().map(|&at| open(before, at)).collect(),
            came: came.iter().map(|&at| open(after, at)).collect(),
            changes: Vec::new(),
            looks: 0,
            few,
            contents,
        }
    }

    /// True when a row that came is marked.
    pub(super) fn has_marks(&self) -> bool {
        self.came.iter().any(|new| new.mark.is_some())
    }

    fn is_few(&self) -> bool {
        self.gone.len() * self.came.len() <= self.few
    }

    /// Finds the first marked row that repeats each row that is gone.
    pub(super) fn find_disproved(&mut self) {
        let is_few = self.is_few();
        let looks = &mut self.looks;
        if is_few {
            for old in &mut self.gone {
                let mut marked = self.came.iter().filter(|new| new.mark.is_some());
                *looks += self.came.len();
                old.disproved = marked.find(|new| new.fact.repeats(&old.fact)).and_then(|new| new.mark);
            }
            return;
        }
        let marked: Vec<usize> = (0..self.came.len()).filter(|&at| self.came[at].mark.is_some()).collect();
        let sets = FieldSets::of(marked.iter().map(|&at| self.came[at].said()));
        let mut keys = Vec::new();
        let mut entries = Vec::with_capacity(marked.len());
        for at in marked {
            keys.clear();
            sets.asks(self.came[at].said(), &self.contents, &mut keys);
            entries.extend(keys.iter().map(|&key| (key, at)));
        }
        let mut index = Index::new(entries);
        for old in &mut self.gone {
            keys.clear();
            sets.answers(old.said(), &self.contents, &mut keys);
            let first = index.first(&keys, |_| true, |at| self.came[at].fact.repeats(&old.fact).then_some(()), looks);
            old.disproved = first.and_then(|(at, ())| self.came[at].mark);
        }
    }

    /// Pairs each row that came with the first that is gone for which the rule gives a class. The rule also learns
    /// which mark disproves the row that is gone.
    pub(super) fn pair(
        &mut self,
        by: By,
        eligible: impl Fn(&Fact<'_>) -> bool,
        rule: impl Fn(&Fact<'_>, &Fact<'_>, Option<CorrectionMark>) -> Option<ChangeClass>,
    ) {
        if self.gone.is_empty() || self.came.is_empty() {
            return;
        }
        let mut keyed = (!self.is_few()).then(|| Keyed::new(by, &self.gone, &self.came, eligible, &self.contents));
        let Pairing { gone, came, changes, looks, contents, .. } = self;
        let mut free = vec![true; gone.len()];
        let mut keys = Vec::new();
        came.retain(|new| {
            let class = |old: usize| rule(&gone[old].fact, &new.fact, gone[old].disproved);
            let found = match &mut keyed {
                None => (0..gone.len()).filter(|&old| free[old]).find_map(|old| {
                    *looks += 1;
                    Some((old, class(old)?))
                }),
                Some(keyed) => {
                    keys.clear();
                    keyed.ask(by, new, contents, &mut keys);
                    keyed.index.first(&keys, |old| free[old], class, looks)
                }
            };
            let Some((old, class)) = found else { return true };
            free[old] = false;
            changes.push(Classified { class, before: Some(gone[old].at), after: Some(new.at) });
            false
        });
        let mut free = free.into_iter();
        gone.retain(|_| free.next().expect("a flag a row"));
    }

    /// Makes a change of its own of each row that came for which there is a class.
    pub(super) fn settle_new(&mut self, class: impl Fn(&Fact<'_>) -> Option<ChangeClass>) {
        let changes = &mut self.changes;
        self.came.retain(|new| {
            let Some(class) = class(&new.fact) else { return true };
            changes.push(Classified { class, before: None, after: Some(new.at) });
            false
        });
    }

    /// Makes a change of its own of each row that is gone.
    pub(super) fn settle_gone(&mut self, class: impl Fn(&Fact<'_>) -> ChangeClass) {
        let gone = self.gone.drain(..);
        self.changes.extend(gone.map(|old| Classified { class: class(&old.fact), before: Some(old.at), after: None }));
    }
}

/// The rows that are gone, by what one rule asks for.
struct Keyed {
    index: Index,
    /// The filled fields of the historic or marked rows that came, which ask for what they repeat.
    asking: FieldSets,
    /// Those of the historic rows that are gone, which a current row that came is asked by.
    asked: FieldSets,
}

impl Keyed {
    fn new(
        by: By,
        gone: &[Open<'_>],
        came: &[Open<'_>],
        eligible: impl Fn(&Fact<'_>) -> bool,
        contents: &Contents,
    ) -> Keyed {
        let (mut asking, mut asked) = (FieldSets::default(), FieldSets::default());
        match by {
            By::Disproof => asking = FieldSets::of(came.iter().filter(|new| new.mark.is_some()).map(Open::said)),
            By::Turn => {
                let turning = |row: &&Open<'_>| row.mark.is_none() && row.fact.historic;
                let sets = |rows: &[Open<'_>]| FieldSets::of(rows.iter().filter(turning).map(Open::said));
                (asking, asked) = (sets(came), sets(gone));
            }
            _ => {}
        }
        let mut keyed = Keyed { index: Index::default(), asking, asked };
        let (mut entries, mut keys) = (Vec::with_capacity(gone.len()), Vec::new());
        for (place, old) in gone.iter().enumerate().filter(|(_, old)| eligible(&old.fact)) {
            keys.clear();
            keyed.answer(by, old, contents, &mut keys);
            entries.extend(keys.iter().map(|&key| (key, place)));
        }
        keyed.index = Index::new(entries);
        keyed
    }

    /// The keys that a row that is gone stands under.
    fn answer(&self, by: By, old: &Open<'_>, contents: &Contents, keys: &mut Vec<u64>) {
        let heirs = old.disproved.is_some_and(|mark| mark != CorrectionMark::Annulled);
        match by {
            By::HeirOfStart | By::HeirInPlace if !heirs => {}
            By::Disproof if old.mark.is_none() => self.asking.answers(old.said(), contents, keys),
            By::Disproof => {}
            By::Turn if old.mark.is_some() => {}
            By::Turn if old.fact.historic => self.asked.asks(old.said(), contents, keys),
            By::Turn => self.asking.answers(old.said(), contents, keys),
            _ => equal_parts(by, old, contents.hashes(), keys),
        }
    }

    /// The keys under which a row that came finds its partner.
    fn ask(&self, by: By, new: &Open<'_>, contents: &Contents, keys: &mut Vec<u64>) {
        match by {
            By::Disproof if new.mark.is_some() => self.asking.asks(new.said(), contents, keys),
            By::Disproof => {}
            By::Turn if new.mark.is_some() => {}
            By::Turn if new.fact.historic => self.asking.asks(new.said(), contents, keys),
            By::Turn => self.asked.answers(new.said(), contents, keys),
            _ => equal_parts(by, new, contents.hashes(), keys),
        }
    }
}

/// The keys of rules that ask for equality; a row on either side has the same.
fn equal_parts(by: By, row: &Open<'_>, hashes: &RandomState, keys: &mut Vec<u64>) {
    let fact = &row.fact;
    let place = (fact.aspect, fact.aspect.slot().and_then(|slot| fact.values.get(slot)));
    let unmarked = row.mark.is_none();
    match by {
        By::HeirOfStart if unmarked => keys.push(hashes.hash_one((place, row.start))),
        By::HeirInPlace if unmarked && !fact.historic => keys.push(hashes.hash_one((place, "current"))),
        By::HeirInPlace if unmarked => {
            keys.push(hashes.hash_one((place, "start", row.start)));
            keys.extend(fact.valid().to.map(|end| hashes.hash_one((place, "end", end))));
        }
        By::Place if fact.aspect != Aspect::FormattedAddress => {
            let start = fact.historic.then_some(row.start);
            keys.push(hashes.hash_one((place, unmarked, start)));
        }
        By::Content if unmarked && fact.historic => {
            keys.push(hashes.hash_one((fact.aspect, row.content.len(), row.content.says)));
        }
        By::Aspect => keys.push(hashes.hash_one(fact.aspect)),
        _ => {}
    }
}

/// Places by key, those of one key in order.
#[derive(Default)]
struct Index {
    entries: Vec<(u64, usize)>,
    /// Of each key: its next entry that may be free, and the one behind its last. Keys are hashes under a secret of
    /// their own, so nobody can choose them.
    queues: HashMap<u64, (usize, usize), FxBuildHasher>,
}

impl Index {
    fn new(mut entries: Vec<(u64, usize)>) -> Index {
        entries.sort_unstable();
        let mut queues = HashMap::with_capacity_and_hasher(entries.len(), FxBuildHasher);
        for (at, (key, _)) in entries.iter().enumerate() {
            queues.entry(*key).or_insert((at, at)).1 = at + 1;
        }
        Index { entries, queues }
    }

    /// The first free place under one of the keys that passes the test.
    fn first<T>(
        &mut self,
        keys: &[u64],
        free: impl Fn(usize) -> bool,
        test: impl Fn(usize) -> Option<T>,
        looks: &mut usize,
    ) -> Option<(usize, T)> {
        let mut first: Option<usize> = None;
        for key in keys {
            *looks += 1;
            let Some((next, end)) = self.queues.get_mut(key) else { continue };
            while *next < *end && !free(self.entries[*next].1) {
                *next += 1;
                *looks += 1;
            }
            if *next < *end {
                let place = self.entries[*next].1;
                first = Some(first.map_or(place, |first| first.min(place)));
            }
        }
        *looks += 1;
        let first = first?;
        if let Some(passed) = test(first) {
            return Some((first, passed));
        }
        // Two keys fell on one hash.
        let queues = keys.iter().filter_map(|key| self.queues.get(key));
        let mut places: Vec<usize> =
            queues.flat_map(|&(next, end)| &self.entries[next..end]).map(|(_, place)| *place).collect();
        places.sort_unstable();
        *looks += places.len();
        places.into_iter().filter(|place| free(*place)).find_map(|place| Some((place, test(place)?)))
    }
}

//! Candidates from the indexes: never fewer than are meant, and where it can be told, exactly those.
//!
//! Of criteria that must all be true, those that leave fewest are asked first, and each is looked up only among what
//! the ones before left; once a handful is left, documents are read instead of long rows. What no index knows (sex,
//! floor, door, former addresses and citizenships, things at the same time) leaves the candidates as they are and the
//! answer to the documents.

use std::ops::{Bound, RangeInclusive};

use cpr_model::{CountryCode, Date};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::index::keys::{SetKind, house, street};
use crate::index::name_part::NamePart;
use crate::index::person_set::PersonSet;
use crate::index::street_names::{name_row, postal_row};
use crate::index::words::{FORMER, bits, chunks, key_of, read_row};
use crate::index::years::Years;
use crate::search::criterion::{AddressPattern, Criterion, Sex, WordPattern};
use crate::search::query::Query;
use crate::search::{Refusal, Scope};
use crate::snapshot::Snapshot;

/// So few candidates are read sooner than the row of a municipality.
const FEW: u64 = 32;

/// A criterion with what the store says about it.
pub(crate) enum Node<'a> {
    All(Vec<Node<'a>>),
    Any(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    Leaf(Leaf<'a>),
}

pub(crate) enum Leaf<'a> {
    Persons(&'a PersonSet),
    Born(&'a RangeInclusive<Date>),
    Sex(Sex),
    Status(&'a RangeInclusive<u8>),
    Citizenship(CountryCode),
    Name(NamePart, &'a WordPattern),
    /// With the streets that ever bore the name, ascending, when a name is asked for.
    Address(&'a AddressPattern, Option<Vec<u32>>),
}

/// Rows of words and names that may still be read.
pub(crate) struct Budget {
    pub(crate) rows: u64,
    pub(crate) limit: u64,
}

impl Budget {
    fn take(&mut self) -> Result<(), Refusal> {
        self.rows = self.rows.checked_sub(1).ok_or(Refusal::TooManyRows { limit: self.limit })?;
        Ok(())
    }
}

/// Everybody who is meant, and when not exact, others too.
pub(crate) struct Candidates {
    pub(crate) keys: RoaringBitmap,
    pub(crate) exact: bool,
}

impl<'a> Node<'a> {
    /// Looks up what criteria name: streets by their names.
    pub(crate) fn resolve(
        snapshot: &Snapshot,
        criterion: &'a Criterion,
        budget: &mut Budget,
    ) -> Result<Node<'a>, Error> {
        let mut list = |criteria: &'a [Criterion]| {
            criteria.iter().map(|criterion| Node::resolve(snapshot, criterion, budget)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match criterion {
            Criterion::All(all) => Node::All(list(all)?),
            Criterion::Any(any) => Node::Any(list(any)?),
            Criterion::Not(not) => Node::Not(Box::new(Node::resolve(snapshot, not, budget)?)),
            Criterion::Persons(persons) => Node::Leaf(Leaf::Persons(persons)),
            Criterion::Born(dates) => Node::Leaf(Leaf::Born(dates)),
            Criterion::Sex(sex) => Node::Leaf(Leaf::Sex(*sex)),
            Criterion::Status(range) => Node::Leaf(Leaf::Status(range)),
            Criterion::Citizenship(country) => Node::Leaf(Leaf::Citizenship(*country)),
            Criterion::Name(part, word) => Node::Leaf(Leaf::Name(*part, word)),
            Criterion::Address(address) => {
                let named = !address.street_name.is_empty();
                let streets = named.then(|| snapshot.streets_named(&address.street_name, budget)).transpose()?;
                Node::Leaf(Leaf::Address(address, streets))
            }
        })
    }

    /// How late it is asked among criteria that must all be true.
    fn rank(&self) -> u8 {
        match self {
            Node::All(all) => all.iter().map(Node::rank).min().unwrap_or(LAST),
            Node::Any(any) => any.iter().map(Node::rank).max().unwrap_or(0),
            Node::Not(_) => LAST,
            Node::Leaf(leaf) => leaf.rank(),
        }
    }
}

/// From here on, a few documents are cheaper than the index.
const LONG_ROWS: u8 = 5;
const LAST: u8 = 9;

impl Leaf<'_> {
    fn rank(&self) -> u8 {
        match self {
            Leaf::Persons(_) => 0,
            Leaf::Born(_) => 1,
            Leaf::Address(_, Some(_)) => 2,
            Leaf::Address(address, None) if address.street.is_some() => 2,
            Leaf::Address(address, None) if address.postal_code.is_some() => 5,
            Leaf::Address(..) => 6,
            Leaf::Name(_, WordPattern { rest: None, .. }) => 3,
            Leaf::Name(_, WordPattern { start, .. }) if !start.is_empty() => 4,
            Leaf::Citizenship(_) => 7,
            Leaf::Name(..) | Leaf::Status(_) => 8,
            Leaf::Sex(_) => LAST,
        }
    }
}

impl Snapshot {
    /// Candidates of a search; everybody when no index knows.
    pub(crate) fn candidates(&self, node: &Node<'_>, scope: Scope, budget: &mut Budget) -> Result<Candidates, Error> {
        match self.plan(node, scope, None, budget)? {
            Some(candidates) => Ok(candidates),
            None => Ok(Candidates { keys: self.index_set(SetKind::Held, 0)?, exact: false }),
        }
    }

    /// Candidates among `within` (none: among all); none when no index knows.
    fn plan(
        &self,
        node: &Node<'_>,
        scope: Scope,
        within: Option<&RoaringBitmap>,
        budget: &mut Budget,
    ) -> Result<Option<Candidates>, Error> {
        match node {
            Node::Leaf(leaf) => self.plan_leaf(leaf, scope, within, budget),
            Node::All(all) => self.plan_all(all, scope, within, budget),
            Node::Any(any) => {
                let mut union = Candidates { keys: RoaringBitmap::new(), exact: true };
                for node in any {
                    let Some(found) = self.plan(node, scope, within, budget)? else { return Ok(None) };
                    union.keys |= found.keys;
                    union.exact &= found.exact;
                }
                Ok(Some(union))
            }
            // Who does not have something at one moment may have it at another.
            Node::Not(_) if scope == Scope::AtTheSameTime => Ok(None),
            Node::Not(node) => {
                let Some(found) = self.plan(node, scope, within, budget)?.filter(|found| found.exact) else {
                    return Ok(None);
                };
                let all = within.map_or_else(|| self.index_set(SetKind::Held, 0), |within| Ok(within.clone()))?;
                Ok(Some(Candidates { keys: all - found.keys, exact: true }))
            }
        }
    }

    fn plan_all(
        &self,
        all: &[Node<'_>],
        scope: Scope,
        within: Option<&RoaringBitmap>,
        budget: &mut Budget,
    ) -> Result<Option<Candidates>, Error> {
        let mut ordered: Vec<&Node<'_>> = all.iter().collect();
        ordered.sort_by_key(|node| node.rank());
        let mut exact = all.len() < 2 || scope != Scope::AtTheSameTime;
        let mut found: Option<RoaringBitmap> = None;
        for node in ordered {
            let left = found.as_ref().or(within);
            if node.rank() >= LONG_ROWS && left.is_some_and(|left| left.len() <= FEW) {
                exact = false;
                continue;
            }
            match self.plan(node, scope, left, budget)? {
                None => exact = false,
                Some(of_one) => {
                    exact &= of_one.exact;
                    found = Some(match found {
                        None => of_one.keys,
                        Some(found) => found & of_one.keys,
                    });
                }
            }
        }
        if all.is_empty() {
            found = Some(self.index_set(SetKind::Held, 0)?);
        }
        // Where `within` stands for what was found before, it is not for this to say that nothing narrows it.
        Ok(found.or_else(|| within.cloned()).map(|keys| Candidates { keys, exact }))
    }

    fn plan_leaf(
        &self,
        leaf: &Leaf<'_>,
        scope: Scope,
        within: Option<&RoaringBitmap>,
        budget: &mut Budget,
    ) -> Result<Option<Candidates>, Error> {
        let keys = spanned(within);
        let years = Years::of_keys(keys);
        let exactly = |keys| Ok(Some(Candidates { keys, exact: true }));
        match leaf {
            Leaf::Persons(persons) => Ok(Some(Candidates { keys: persons.0.clone(), exact: false })),
            Leaf::Born(dates) => exactly(self.find(&Query::Born(RangeInclusive::clone(dates)))?.0),
            Leaf::Sex(_) => Ok(None),
            Leaf::Status(range) => {
                let mut found = RoaringBitmap::new();
                for status in *range.start()..=(*range.end()).min(99) {
                    found |= self.index_within(SetKind::Status, status.into(), &years)?;
                }
                exactly(found)
            }
            Leaf::Citizenship(country) if scope == Scope::Now => {
                exactly(self.index_within(SetKind::Citizenship, country.0.into(), &years)?)
            }
            Leaf::Name(part, word) => {
                let current = bits(*part);
                let places = if scope == Scope::Now { current } else { current | current << FORMER };
                let keys = self.bearers(word, places, within, budget)?;
                Ok(Some(Candidates { keys, exact: scope != Scope::AtTheSameTime }))
            }
            Leaf::Address(address, streets) if scope == Scope::Now => {
                self.plan_address(address, streets.as_deref(), &years, budget)
            }
            Leaf::Citizenship(_) | Leaf::Address(..) => Ok(None),
        }
    }

    fn plan_address(
        &self,
        asked: &AddressPattern,
        named: Option<&[u32]>,
        years: &Years,
        budget: &mut Budget,
    ) -> Result<Option<Candidates>, Error> {
        let on_document = asked.floor.is_some() || asked.door.is_some() || asked.building.is_some() || asked.asks_003();
        let Some(streets) = self.streets_asked(asked, named, budget)? else {
            let Some(municipality) = asked.municipality else { return Ok(None) };
            let keys = self.index_within(SetKind::Municipality, municipality.0.into(), years)?;
            return Ok(Some(Candidates { keys, exact: !on_document && asked.houses.is_empty() }));
        };
        let houses: Vec<RangeInclusive<u32>> =
            asked.houses.iter().map(|range| house(Some(*range.start()))..=house(Some(*range.end()))).collect();
        let mut found = Vec::new();
        for code in streets {
            budget.take()?;
            let residents = self.residents_of(code)?;
            let inside = |at: u32| houses.is_empty() || houses.iter().any(|range| range.contains(&at));
            found.extend(residents.into_iter().filter(|(at, _)| inside(*at)).map(|(_, key)| key));
        }
        found.sort_unstable();
        Ok(Some(Candidates { keys: found.into_iter().collect(), exact: !on_document }))
    }

    /// The streets that an address can be in; none when it does not say.
    fn streets_asked(
        &self,
        asked: &AddressPattern,
        named: Option<&[u32]>,
        budget: &mut Budget,
    ) -> Result<Option<Vec<u32>>, Error> {
        let mut streets: Option<Vec<u32>> = named.map(<[u32]>::to_vec);
        if let Some(postal_codes) = &asked.postal_code {
            let mut under = Vec::new();
            for row in self.tables().postal_streets.range(postal_codes.clone())? {
                budget.take()?;
                let (code, sealed) = row?;
                under.extend(postal_row(code.value(), sealed.value())?);
            }
            under.sort_unstable();
            under.dedup();
            match &mut streets {
                Some(streets) => streets.retain(|street| under.binary_search(street).is_ok()),
                None => streets = Some(under),
            }
        }
        let fits = |code: &u32| {
            asked.municipality.is_none_or(|municipality| *code >> 16 == u32::from(municipality.0))
                && asked.street.is_none_or(|asked| *code & 0xFFFF == u32::from(asked.0))
        };
        if let Some(streets) = &mut streets {
            streets.retain(fits);
        } else if let Some(code) = asked.street {
            // A street code alone may be of any municipality.
            let municipalities = asked.municipality.map_or(1..=999, |municipality| municipality.0..=municipality.0);
            streets = Some(municipalities.map(|municipality| street(municipality, code.0)).collect());
        }
        Ok(streets)
    }

    /// Who has a word of this shape in one of these places (see [`bits`]); among `within` when that is given.
    fn bearers(
        &self,
        pattern: &WordPattern,
        places: u8,
        within: Option<&RoaringBitmap>,
        budget: &mut Budget,
    ) -> Result<RoaringBitmap, Error> {
        let chunks = chunks(spanned(within));
        let start = pattern.start.as_slice();
        let first = Bound::Included((start, *chunks.start()));
        let last = match pattern.rest {
            None => Bound::Included((start, *chunks.end())),
            Some(_) => Bound::Unbounded,
        };
        let mut found: Vec<u32> = Vec::new();
        for row in self.tables().words.range::<(&[u8], u8)>((first, last))? {
            let (key, sealed) = row?;
            let (word, chunk) = key.value();
            if !word.starts_with(start) {
                break;
            }
            budget.take()?;
            if !chunks.contains(&chunk) || !pattern.matches(word) {
                continue;
            }
            read_row((word, chunk), sealed.value(), |entry| {
                let key = key_of(entry);
                if entry as u8 & places != 0 && within.is_none_or(|within| within.contains(key)) {
                    found.push(key);
                }
            })?;
        }
        // Ascending runs, one for each row.
        found.sort();
        found.dedup();
        Ok(found.into_iter().collect())
    }

    /// The streets that ever bore a name with all these words, ascending.
    fn streets_named(&self, words: &[WordPattern], budget: &mut Budget) -> Result<Vec<u32>, Error> {
        let Some(longest) = words.iter().max_by_key(|word| word.start.len()) else { return Ok(Vec::new()) };
        let start = longest.start.as_slice();
        let mut streets = Vec::new();
        for row in self.tables().street_names.range::<(&[u8], &[u8])>((start, &[][..])..)? {
            let (key, sealed) = row?;
            let (word, line) = key.value();
            if !word.starts_with(start) || longest.rest.is_none() && word != start {
                break;
            }
            budget.take()?;
            let has = |pattern: &WordPattern| line.split(|&byte| byte == b' ').any(|word| pattern.matches(word));
            if longest.matches(word) && words.iter().all(has) {
                streets.extend(name_row((word, line), sealed.value())?);
            }
        }
        streets.sort_unstable();
        streets.dedup();
        Ok(streets)
    }
}

/// From the first to the last key of a set; all keys without one.
fn spanned(within: Option<&RoaringBitmap>) -> RangeInclusive<u32> {
    match within.map(|within| (within.min(), within.max())) {
        Some((Some(first), Some(last))) => first..=last,
        Some(_) => 0..=0,
        None => 0..=u32::MAX / 2,
    }
}

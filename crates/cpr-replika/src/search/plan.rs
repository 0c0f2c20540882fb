//! Candidates from the indexes: never fewer than are meant, and where it can be told, exactly those.
//!
//! Of parts that must all be true, those that leave fewest are asked first, words and sets of which nothing else tells
//! that by the bytes of their rows (`crate::search::order`). Each is looked up only among what the ones before left, by
//! walking along them while its rows are read; once a handful is left, documents are read instead of long rows. What no
//! index knows (sex, floor, door, former addresses and citizenships, things at the same time) leaves the candidates as
//! they are and the answer to the documents.

use std::borrow::Cow;
use std::ops::{Bound, ControlFlow, RangeInclusive};

use cpr_model::{CountryCode, Date, ProtectionKind, Status};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::index::ascending::Ascending;
use crate::index::keys::{SetKind, house, street};
use crate::index::name_part::NamePart;
use crate::index::street_names::{name_row, postal_row};
use crate::index::words::{FORMER, bits, chunks, key_of, read_row_while};
use crate::index::years::Years;
use crate::search::born::Born;
use crate::search::patterns::{AddressPattern, WordPattern};
use crate::search::query::{Query, Sex};
use crate::search::{Refusal, Scope};
use crate::snapshot::Snapshot;
use crate::store::guard::Row;
use crate::store::tables::WordKey;

/// A row of the words.
type WordRow<'s> = Row<'s, WordKey<'static>, &'static [u8]>;

/// So few candidates are read sooner than the row of a municipality.
const FEW: u64 = 32;

/// A query with what the store says about it.
pub(crate) enum Node<'a> {
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    Leaf(Leaf<'a>),
}

pub(crate) enum Leaf<'a> {
    /// Keys of persons, who may not be held.
    Persons(Cow<'a, RoaringBitmap>),
    Born(&'a RangeInclusive<Date>, Born),
    Sex(Sex),
    Status(&'a RangeInclusive<Status>),
    Protection(ProtectionKind),
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
    /// Nobody else is among them. Where a question is about moments, only a leaf that holds at every moment or at none
    /// may say so: `And` and `Not` take what is made of exact sets for exact.
    pub(crate) exact: bool,
    /// True when all of them are held.
    held: bool,
}

impl Candidates {
    fn held(keys: RoaringBitmap, exact: bool) -> Candidates {
        Candidates { keys, exact, held: true }
    }
}

/// So many persons from this key on are enough.
#[derive(Clone, Copy)]
pub(crate) struct First {
    pub(crate) from: u32,
    pub(crate) wanted: usize,
}

/// Among whom candidates are looked up.
#[derive(Clone, Copy)]
struct Among<'w> {
    /// Those whom what was asked before left; none: all.
    within: Option<&'w RoaringBitmap>,
    /// The years of whose numbers are of interest; of others there may be anybody.
    years: &'w Years,
    /// Who is of interest where the candidates are the answer themselves; others may be missing.
    first: Option<First>,
}

impl<'a> Node<'a> {
    /// Looks up what a query names: streets by their names, dates of birth, deliveries.
    pub(crate) fn resolve(snapshot: &Snapshot, query: &'a Query, budget: &mut Budget) -> Result<Node<'a>, Error> {
        let mut list = |queries: &'a [Query]| {
            queries.iter().map(|query| Node::resolve(snapshot, query, budget)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Node::Leaf(match query {
            Query::All => return Ok(Node::And(Vec::new())),
            Query::And(all) => {
                // A name of several words is an `And` of its own; in one list, each part is asked where it leaves fewest.
                let parts = list(all)?.into_iter();
                return Ok(Node::And(
                    parts.flat_map(|part| if let Node::And(inner) = part { inner } else { vec![part] }).collect(),
                ));
            }
            Query::Or(any) => return Ok(Node::Or(list(any)?)),
            Query::Not(not) => return Ok(Node::Not(Box::new(Node::resolve(snapshot, not, budget)?))),
            Query::Persons(persons) => Leaf::Persons(Cow::Borrowed(&persons.0)),
            Query::Changed(delivery) => Leaf::Persons(Cow::Owned(snapshot.changed_keys(*delivery)?)),
            Query::ChangedBy(delivery, code) => {
                Leaf::Persons(Cow::Owned(snapshot.changed_by_keys(*delivery, code.as_bytes())?))
            }
            Query::Born(dates) => Leaf::Born(dates, Born::read(snapshot, dates)?),
            Query::Sex(sex) => Leaf::Sex(*sex),
            Query::Status(range) => Leaf::Status(range),
            Query::Protection(kind) => Leaf::Protection(*kind),
            Query::Citizenship(country) => Leaf::Citizenship(*country),
            Query::Name(part, word) => Leaf::Name(*part, word),
            Query::Address(address) => {
                let named = !address.street_name.is_empty();
                let streets = named.then(|| snapshot.streets_named(&address.street_name, budget)).transpose()?;
                Leaf::Address(address, streets)
            }
        }))
    }

    /// Whether asking of some years only leaves rows unread: those of all that it asks are cut by years, and it does
    /// not say of which years it is.
    pub(crate) fn is_cut_by_years(&self) -> bool {
        match self {
            Node::And(all) | Node::Or(all) => all.iter().all(Node::is_cut_by_years),
            Node::Not(node) => node.is_cut_by_years(),
            Node::Leaf(Leaf::Persons(_) | Leaf::Born(..)) => false,
            Node::Leaf(Leaf::Address(asked, _)) => !asked.asks_streets(),
            Node::Leaf(_) => true,
        }
    }

    /// How late it is asked among those that must all be true, where nothing else tells.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Node::And(all) => all.iter().map(Node::rank).min().unwrap_or(LAST),
            Node::Or(any) => any.iter().map(Node::rank).max().unwrap_or(0),
            Node::Not(_) => LAST,
            Node::Leaf(leaf) => leaf.rank(),
        }
    }
}

/// Words, by whose rows nothing is narrower.
pub(super) const WORDS: u8 = 3;

/// From here on, a few documents are cheaper than the index.
const LONG_ROWS: u8 = 5;
const LAST: u8 = 9;

impl Leaf<'_> {
    fn rank(&self) -> u8 {
        match self {
            Leaf::Persons(_) => 0,
            Leaf::Born(..) => 1,
            Leaf::Address(_, Some(_)) => 2,
            Leaf::Address(address, None) if address.street.is_some() => 2,
            Leaf::Address(address, None) if address.postal_code.is_some() => 5,
            Leaf::Address(..) => 6,
            Leaf::Name(_, WordPattern { rest: None, .. }) => WORDS,
            Leaf::Name(_, WordPattern { start, .. }) if !start.is_empty() => 4,
            Leaf::Protection(_) => 5,
            Leaf::Citizenship(_) => 7,
            Leaf::Name(..) | Leaf::Status(_) => 8,
            Leaf::Sex(_) => LAST,
        }
    }
}

impl Snapshot {
    /// Candidates of a query; everybody when no index knows.
    pub(crate) fn candidates(&self, node: &Node<'_>, scope: Scope, budget: &mut Budget) -> Result<Candidates, Error> {
        self.candidates_of(node, scope, &Years::all(), None, budget)
    }

    /// Candidates whose numbers are of these years; of other years there may be anybody. With `first`, who stands behind
    /// those whom a page has room for may be missing.
    pub(crate) fn candidates_of(
        &self,
        node: &Node<'_>,
        scope: Scope,
        years: &Years,
        first: Option<First>,
        budget: &mut Budget,
    ) -> Result<Candidates, Error> {
        // Where documents decide, or others are taken away, nobody knows how many candidates a page takes.
        let is_answer = scope != Scope::AtTheSameTime && matches!(node, Node::Leaf(Leaf::Name(..)));
        let among = Among { within: None, years, first: first.filter(|_| is_answer) };
        let Some(mut candidates) = self.plan(node, scope, among, budget)? else {
            return Ok(Candidates::held(self.index_within(SetKind::Held, 0, years)?, false));
        };
        if !candidates.held {
            // A few documents say sooner who is held.
            match candidates.keys.len() <= FEW {
                true => candidates.exact = false,
                false => candidates.keys &= self.held_about(&candidates.keys)?,
            }
        }
        Ok(candidates)
    }

    /// Everybody who is held, of the years of these keys.
    fn held_about(&self, keys: &RoaringBitmap) -> Result<RoaringBitmap, Error> {
        self.index_within(SetKind::Held, 0, &Years::of_keys(spanned(Some(keys))))
    }

    /// Candidates; none when no index knows.
    fn plan(
        &self,
        node: &Node<'_>,
        scope: Scope,
        among: Among<'_>,
        budget: &mut Budget,
    ) -> Result<Option<Candidates>, Error> {
        match node {
            Node::Leaf(Leaf::Born(..)) => self.plan_and(std::slice::from_ref(node), scope, among, budget),
            Node::Leaf(leaf) => self.plan_leaf(leaf, scope, among, budget),
            Node::And(all) => self.plan_and(all, scope, among, budget),
            Node::Or(any) => {
                let mut union = Candidates::held(RoaringBitmap::new(), true);
                for node in any {
                    let Some(mut found) = self.plan(node, scope, among, budget)? else { return Ok(None) };
                    if !found.held && !found.keys.is_empty() {
                        found.keys &= self.held_about(&found.keys)?;
                    }
                    union.keys |= found.keys;
                    union.exact &= found.exact;
                }
                Ok(Some(union))
            }
            Node::Not(node) => {
                let Some(found) = self.plan(node, scope, among, budget)?.filter(|found| found.exact) else {
                    return Ok(None);
                };
                let all = match among.within {
                    Some(within) => within.clone(),
                    None => self.index_within(SetKind::Held, 0, among.years)?,
                };
                Ok(Some(Candidates { keys: all - found.keys, exact: true, held: among.within.is_none() }))
            }
        }
    }

    /// Whom all of it means. Dates of birth say of which years, and are asked of whom the rest leaves; what is to be
    /// left out is taken away instead of turned around.
    fn plan_and(
        &self,
        all: &[Node<'_>],
        scope: Scope,
        among: Among<'_>,
        budget: &mut Budget,
    ) -> Result<Option<Candidates>, Error> {
        let of_born = |node: &&Node<'_>| matches!(node, Node::Leaf(Leaf::Born(..)));
        let born =
            all.iter().filter_map(|node| if let Node::Leaf(Leaf::Born(_, born)) = node { Some(born) } else { None });
        let years = born.clone().fold(among.years.clone(), |years, born| years.shared_with(&born.years()));
        let ordered = self.in_order(all.iter().filter(|node| !of_born(node)).collect(), scope, &years)?;
        let (mut found, mut exact, mut held): (Option<RoaringBitmap>, bool, bool) = (None, true, false);
        for node in ordered {
            let left = found.as_ref().or(among.within);
            if node.rank() >= LONG_ROWS && left.is_some_and(|left| left.len() <= FEW) {
                exact = false;
                continue;
            }
            let Some(of_one) = self.plan(node, scope, Among { within: left, years: &years, first: None }, budget)?
            else {
                exact = false;
                continue;
            };
            exact &= of_one.exact;
            held |= of_one.held;
            let mut keys = match found {
                None => of_one.keys,
                Some(found) => found & of_one.keys,
            };
            born.clone().for_each(|born| born.keep(&mut keys));
            found = Some(keys);
        }
        let is_narrowed = all.is_empty() || born.clone().next().is_some();
        if found.is_none() && is_narrowed {
            let mut keys = match among.within {
                Some(within) => within.clone(),
                None => self.index_within(SetKind::Held, 0, &years)?,
            };
            held = among.within.is_none();
            born.for_each(|born| born.keep(&mut keys));
            found = Some(keys);
        }
        // Where `within` stands for what was found before, it is not for this to say that nothing narrows it.
        Ok(found.or_else(|| among.within.cloned()).map(|keys| Candidates { keys, exact, held }))
    }

    fn plan_leaf(
        &self,
        leaf: &Leaf<'_>,
        scope: Scope,
        among: Among<'_>,
        budget: &mut Budget,
    ) -> Result<Option<Candidates>, Error> {
        let years = among.years.shared_with(&Years::of_keys(spanned(among.within)));
        let exactly = |keys| Ok(Some(Candidates::held(keys, true)));
        match leaf {
            Leaf::Persons(keys) => Ok(Some(Candidates { keys: keys.clone().into_owned(), exact: true, held: false })),
            // Dates of birth are asked of whom the rest leaves ([`Snapshot::plan_and`]).
            Leaf::Born(..) | Leaf::Sex(_) => Ok(None),
            Leaf::Status(range) => {
                let mut found = RoaringBitmap::new();
                for status in range.start().0..=range.end().0.min(99) {
                    found |= self.index_within(SetKind::Status, status.into(), &years)?;
                }
                exactly(found)
            }
            Leaf::Protection(kind) => exactly(self.index_within(SetKind::Protection, kind.0.into(), &years)?),
            Leaf::Citizenship(country) if scope == Scope::Now => {
                exactly(self.index_within(SetKind::Citizenship, country.0.into(), &years)?)
            }
            Leaf::Name(part, word) => {
                let current = bits(*part);
                let places = if scope == Scope::Now { current } else { current | current << FORMER };
                let keys = self.bearers(word, places, Among { years: &years, ..among }, budget)?;
                Ok(Some(Candidates::held(keys, scope != Scope::AtTheSameTime)))
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
        let on_document = asked.asks_document() || asked.asks_003();
        let Some(streets) = self.streets_asked(asked, named, budget)? else {
            let Some(municipality) = asked.municipality else { return Ok(None) };
            let keys = self.index_within(SetKind::Municipality, municipality.0.into(), years)?;
            return Ok(Some(Candidates::held(keys, !on_document && asked.houses.is_empty())));
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
        Ok(Some(Candidates::held(found.into_iter().collect(), !on_document)))
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

    /// Who has a word of this shape in one of these places (see [`bits`]).
    fn bearers(
        &self,
        pattern: &WordPattern,
        places: u8,
        among: Among<'_>,
        budget: &mut Budget,
    ) -> Result<RoaringBitmap, Error> {
        let Among { within, years, first: page } = among;
        let (from, wanted) = page.map_or((0, usize::MAX), |first| (first.from, first.wanted));
        let within: Option<Vec<u32>> = within.map(|within| within.iter().collect());
        let mut found: Vec<u32> = Vec::new();
        for row in self.rows_of_words(pattern, years)? {
            let (key, sealed) = row?;
            budget.take()?;
            let (word, chunk) = key.value();
            if !pattern.matches(word) {
                continue;
            }
            let enough = found.len().saturating_add(wanted);
            let mut among = within.as_deref().map(Ascending::new);
            read_row_while((word, chunk), sealed.value(), |entry| {
                let key = key_of(entry);
                if key >= from && entry as u8 & places != 0 && among.as_mut().is_none_or(|among| among.has(key)) {
                    found.push(key);
                }
                if found.len() < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        // Ascending runs, one for each row.
        found.sort();
        found.dedup();
        Ok(found.into_iter().collect())
    }

    /// The rows of words that begin as these do, of the years that are of interest.
    pub(super) fn rows_of_words<'s>(
        &'s self,
        pattern: &'s WordPattern,
        years: &Years,
    ) -> Result<impl Iterator<Item = Result<WordRow<'s>, Error>> + use<'s>, Error> {
        let start = pattern.start.as_slice();
        let Some(chunks) = years.bounds().map(chunks) else { return Ok(None.into_iter().flatten()) };
        let first = Bound::Included((start, *chunks.start()));
        let last = match pattern.rest {
            None => Bound::Included((start, *chunks.end())),
            Some(_) => Bound::Unbounded,
        };
        let rows = self.tables().words.range::<(&[u8], u8)>((first, last))?;
        let begins_so = move |row: &Result<WordRow<'_>, Error>| {
            row.as_ref().map_or(true, |(key, _)| key.value().0.starts_with(start))
        };
        let is_of_years = move |row: &Result<WordRow<'_>, Error>| {
            row.as_ref().map_or(true, |(key, _)| chunks.contains(&key.value().1))
        };
        Ok(Some(rows.take_while(begins_so).filter(is_of_years)).into_iter().flatten())
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

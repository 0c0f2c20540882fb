//! Finding persons by what is known of them now: the whole set, or a page of those who have it in one of three scopes.
//!
//! A [`Query`] is answered in two steps. The indexes give candidates, never fewer than there are: words of names, birth
//! dates, streets and houses, municipalities, citizenship, status, protections (`plan`). Where they are not the answer
//! themselves, the documents of the candidates are read and each is held against the query (`check`).
//!
//! Two questions can be asked with one language. [`Snapshot::find`](crate::Snapshot::find) gives the whole
//! [`PersonSet`], of any size, for programs. [`Snapshot::search`](crate::Snapshot::search) takes a [`Search`]: a query
//! in a [`Scope`] under a [`Policy`], and gives rows by page, for people who look somebody up. What that may cost is
//! the caller's policy: a search that would cost more is refused with the reason, never cut short in silence.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cpr_replika::cpr_model::MunicipalityCode;
//! use cpr_replika::search::{NamePart, Query, Search};
//! let snapshot = demo()?.snapshot();
//! let here = snapshot.find(&Query::municipality(MunicipalityCode(851)))?;
//! let named = Query::name(NamePart::Given, "Sofie");
//! let hits = snapshot.search(&Search::now(Query::And(vec![Query::Persons(here), named])))?;
//! assert_eq!(hits.count, Some(1));
//! # Ok(()) }
//! ```

mod born;
mod check;
pub(crate) mod find;
mod order;
mod patterns;
pub(crate) mod plan;
mod policy;
pub(crate) mod query;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;

use cpr_model::{CurrentRows, PersonKey, Pnr, ProtectionKind, RowsBuffer};

pub use patterns::{AddressPattern, WordPattern};
pub use policy::Policy;
pub use query::{Query, Sex};

pub use crate::index::name_part::NamePart;
pub use crate::index::person_set::PersonSet;
pub use crate::refusal::{Needed, Refusal};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::years::Years;
use crate::search::plan::{Budget, Candidates, First, Node};
use crate::snapshot::Snapshot;

/// When a query must be true.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Of the current rows.
    Now,
    /// Each of a row that is or was true, whichever; marked rows (corrected, annulled, technical) never were.
    Ever,
    /// All of them of one moment in the world. What CPR does not date (status, sex, birth date) is true of every
    /// moment.
    AtTheSameTime,
}

/// One search.
#[derive(Clone, Debug)]
pub struct Search {
    /// Whom it is for.
    pub query: Query,
    /// When the query must be true.
    pub scope: Scope,
    /// Only persons behind this number, in the order of birth date and serial of the number: the last of the page
    /// before.
    pub after: Option<Pnr>,
    /// Rows wanted; 0 for the count alone.
    pub limit: usize,
    /// Whether the number of all that are found is wanted, whatever the page. It may cost more documents than the page.
    pub count: bool,
    /// What it may cost, and what it must say.
    pub policy: Policy,
}

impl Search {
    /// The first 20 of those who have it now, and how many there are; nothing required.
    pub fn now(query: Query) -> Search {
        Search { query, scope: Scope::Now, after: None, limit: 20, count: true, policy: Policy::open() }
    }
}

/// What was found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Hits {
    /// How many there are in all, when that was asked for.
    pub count: Option<u64>,
    /// A page of them, in the order of their numbers' birth dates and serials.
    pub rows: Vec<Hit>,
    /// Where the next page begins: [`Search::after`] of the next search; none on the last page. It stays right while
    /// deliveries arrive: whoever is found by both states is on one page.
    pub next: Option<Pnr>,
}

/// One person found.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The number.
    pub pnr: Pnr,
    /// The addressing name now, of 003 or else of the name record; none for who has none.
    pub addressing_name: Option<String>,
    /// Every protection on record, in force or not; nothing is left out of the row for it.
    pub protections: Vec<ProtectionKind>,
}

/// Says nothing of the person.
impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hit(..)")
    }
}

impl Snapshot {
    /// Searches among the persons as known now.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{NamePart, Query, Search};
    /// let hits = demo()?.snapshot().search(&Search::now(Query::name(NamePart::Surname, "Bækg*")))?;
    /// assert_eq!((hits.count, hits.rows.len()), (Some(2), 2));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Search`] when the policy refuses it; [`Error::Corrupt`] or a storage failure.
    pub fn search(&self, search: &Search) -> Result<Hits, Error> {
        let required = &search.policy.require_any;
        if !required.is_empty() && !asks_any(&search.query, required) {
            return Err(Refusal::TooLittleAsked { any_of: required.clone() }.into());
        }
        search.query.require_held(self.settings())?;
        if search.limit > search.policy.page {
            return Err(Refusal::PageTooLarge { limit: search.policy.page }.into());
        }
        let mut budget = Budget { rows: search.policy.rows, limit: search.policy.rows };
        let node = Node::resolve(self, &search.query, &mut budget)?;
        let mut page = Page { hits: Hits { count: None, rows: Vec::new(), next: None }, read: 0 };
        let first = search.after.and_then(|after| after.key()).map_or(0, |after| after.as_u32() + 1);
        if search.count || !node.is_cut_by_years() {
            let candidates = self.candidates(&node, search.scope, &mut budget)?;
            self.fill(&mut page, search, &node, &candidates, first..=u32::MAX)?;
        } else if let Some(held) = self.tables().persons.range(first..)?.next().transpose()? {
            // A page of many is cut from the first of them.
            for years in Years::pieces(held.0.value()) {
                let Some(keys) = years.keys_from(first) else { continue };
                // One more than the page has room for says that there is a next one.
                let page_and_one = First { from: first, wanted: search.limit.saturating_add(1) };
                let candidates = self.candidates_of(&node, search.scope, &years, Some(page_and_one), &mut budget)?;
                self.fill(&mut page, search, &node, &candidates, keys)?;
                if page.hits.rows.len() > search.limit {
                    break;
                }
            }
        }
        let mut hits = page.hits;
        if hits.rows.len() > search.limit {
            hits.rows.truncate(search.limit);
            hits.next = hits.rows.last().map(|last| last.pnr);
        }
        Ok(hits)
    }

    /// Adds whom the candidates with these keys bring to a page, and counts all of them where that is asked for. Reads
    /// the documents that must be read for it, up to what the page and the count need.
    fn fill(
        &self,
        page: &mut Page,
        search: &Search,
        node: &Node<'_>,
        candidates: &Candidates,
        keys: RangeInclusive<u32>,
    ) -> Result<(), Error> {
        let limit = search.policy.documents;
        // A count of documents is a count of all of them; told before the first is read.
        if search.count && !candidates.exact && candidates.keys.len() > limit {
            return Err(Refusal::TooManyDocuments { limit }.into());
        }
        if candidates.exact {
            page.hits.count = search.count.then(|| candidates.keys.len());
            return self.fill_exactly(page, search, candidates.keys.range(keys));
        }
        let Page { hits, read } = page;
        let (mut count, mut buffer) = (0, RowsBuffer::default());
        let reads_all = search.count;
        let from = if reads_all { 0 } else { *keys.start() };
        for raw in candidates.keys.range(from..=*keys.end()) {
            let wanted = raw >= *keys.start() && hits.rows.len() <= search.limit && search.limit > 0;
            if !wanted && !reads_all {
                break;
            }
            if *read >= limit {
                return Err(Refusal::TooManyDocuments { limit }.into());
            }
            *read += 1;
            let Some(key) = PersonKey::from_u32(raw) else { continue };
            let Some(person) = self.person(key.pnr())? else { continue };
            let rows = CurrentRows::read_into(std::mem::take(&mut buffer), person.all_facts(), None);
            let is_meant = node.holds(key, &rows, search.scope);
            count += u64::from(is_meant);
            if is_meant && wanted {
                hits.rows.push(self.hit(key, &rows)?);
            }
            buffer = rows.recycle();
        }
        hits.count = search.count.then_some(count);
        Ok(())
    }

    /// The same of candidates all of whom are meant: as many are read as the page has room for, and one for whether
    /// more follow.
    fn fill_exactly(&self, page: &mut Page, search: &Search, keys: impl Iterator<Item = u32>) -> Result<(), Error> {
        let (mut keys, mut buffer) = (keys.filter_map(PersonKey::from_u32).peekable(), RowsBuffer::default());
        while search.limit > 0 && page.hits.rows.len() <= search.limit && keys.peek().is_some() {
            let room = search.limit + 1 - page.hits.rows.len();
            self.for_each_held(keys.by_ref().take(room), |key, person| {
                let rows = CurrentRows::read_into(std::mem::take(&mut buffer), person.all_facts(), None);
                page.hits.rows.push(self.hit(key, &rows)?);
                buffer = rows.recycle();
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// What a search has found so far.
struct Page {
    hits: Hits,
    /// Persons read for it.
    read: u64,
}

/// True when everybody whom the query means has one of these.
fn asks_any(query: &Query, needed: &[Needed]) -> bool {
    let has = |kind| needed.contains(&kind);
    match query {
        Query::Name(..) => has(Needed::Name),
        Query::Born(_) => has(Needed::BirthDate),
        Query::Persons(_) => has(Needed::Persons),
        Query::Address(address) => {
            has(Needed::StreetName) && !address.street_name.is_empty()
                || has(Needed::StreetCode) && address.street.is_some()
        }
        Query::And(all) => all.iter().any(|query| asks_any(query, needed)),
        Query::Or(any) => any.iter().all(|query| asks_any(query, needed)),
        Query::All | Query::Sex(_) | Query::Status(_) | Query::Protection(_) | Query::Citizenship(_) => false,
        Query::Changed(_) | Query::ChangedBy(..) | Query::Not(_) => false,
    }
}

impl Snapshot {
    /// A row of the answer. The protections are those of the human being: what is told under a number that was given up
    /// carries those of the number now.
    fn hit(&self, key: PersonKey, rows: &CurrentRows<'_>) -> Result<Hit, Error> {
        let of_003 = rows.formatted_address().map(|row| row.addressing_name());
        let own = rows.name().map(|row| row.addressing_name());
        let name = of_003.into_iter().chain(own).find(|name| !name.is_empty());
        Ok(Hit {
            pnr: key.pnr(),
            addressing_name: name.map(|name| name.reveal().into_owned()),
            protections: self.protections_of_human(key.pnr(), rows, self.known())?,
        })
    }

    /// BESKYTTYPE of each protection of a human being as of a delivery, ascending: of the number asked for, and of the
    /// number in force when that one was given up.
    fn protections_of_human(
        &self,
        pnr: Pnr,
        rows: &CurrentRows<'_>,
        known: DeliveryNumber,
    ) -> Result<Vec<ProtectionKind>, Error> {
        let mut kinds = rows.protection_kinds();
        if rows.status().is_some_and(|status| status.is_replaced())
            && let Some(chain) = self.numbers(pnr, Some(known))?
            && let Some(current) = chain.current.filter(|current| *current != pnr)
            && let Some(image) = self.as_of(current, None, Some(known))?
        {
            kinds.extend(image.protections());
            kinds.sort_unstable();
            kinds.dedup();
        }
        Ok(kinds)
    }
}

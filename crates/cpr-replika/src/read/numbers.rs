//! The chain of numbers of one human being.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use cpr_model::{Aspect, Date, Field, PersonKey, Pnr, RelatedPnr, Status};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::planted::{self, Fault};
use crate::snapshot::Snapshot;
use crate::store::config::window_end;

/// All numbers of one human being, as far as the replica knows.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NumberChain {
    /// The number in force. It is there for every held person: a number that CPR holds to be in force and that names no
    /// other is its own; where numbers lead in a circle, it is the one asked for, if it is held.
    pub current: Option<Pnr>,
    /// Every number of the chain, the one asked for among them, in key order.
    pub numbers: Vec<ChainNumber>,
}

/// One number of a chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ChainNumber {
    /// The number.
    pub pnr: Pnr,
    /// True when the replica holds records of its own under the number.
    pub held: bool,
    /// When it was given, where a record says so.
    pub from: Option<Date>,
    /// When it ended, where a record says so.
    pub to: Option<Date>,
}

/// What is found under one number: the numbers it leads to, whether it holds records, its dates.
#[derive(Default)]
struct Node {
    /// PNRGAELD, where it names another number.
    stated: Option<PersonKey>,
    /// The numbers that list this one as given up (022).
    holders: Vec<PersonKey>,
    held: bool,
    /// CPR says that the number is no longer in force.
    replaced: bool,
    from: Option<Date>,
    to: Option<Date>,
}

impl Node {
    /// The number that takes the place of this one; none when it is in force, or nothing says which.
    fn next(&self) -> Option<PersonKey> {
        let in_force = self.held && !self.replaced;
        self.stated.or_else(|| self.holders.first().copied().filter(|_| !in_force))
    }
}

impl Snapshot {
    /// The chain of numbers that a number belongs to, both ways (001 PNRGAELD and 022), also for a number without
    /// records of its own; none when no record knows the number.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::cpr_model::Pnr;
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let chain = replika.snapshot().numbers(sofie, None)?.ok_or("known")?;
    /// assert_eq!((chain.current, chain.numbers.len()), (Some(sofie), 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn numbers(&self, pnr: Pnr, known: Option<DeliveryNumber>) -> Result<Option<NumberChain>, Error> {
        let known = self.check_known(known.filter(|_| !planted::is(Fault::NumbersOfNow)))?;
        let Some(asked) = pnr.key() else { return Ok(None) };
        // A chain is short, and yet followed to its end, however many numbers a file ties into one: each is read once
        // for what it leads to, and once more where another asks whether it leads there.
        let mut nodes: BTreeMap<PersonKey, Node> = BTreeMap::new();
        let mut said: BTreeMap<PersonKey, Vec<PersonKey>> = BTreeMap::new();
        let (mut open, mut opened) = (vec![asked], BTreeSet::from([asked]));
        while let Some(key) = open.pop() {
            let mut found = self.links(key, known, &mut nodes)?;
            for holder in self.mentioned_by(key)? {
                if opened.contains(&holder) {
                    continue;
                }
                // A mention may be one of an earlier delivery, so the holder is asked what it says as of this one.
                let says = match said.entry(holder) {
                    Entry::Occupied(said) => said.into_mut(),
                    Entry::Vacant(unasked) => {
                        let mut says = self.links(holder, known, &mut BTreeMap::new())?;
                        says.sort_unstable();
                        unasked.insert(says)
                    }
                };
                if says.binary_search(&key).is_ok() {
                    found.push(holder);
                }
            }
            found.sort_unstable();
            open.extend(found.into_iter().filter(|next| opened.insert(*next)));
        }
        if nodes.len() == 1 && !nodes[&asked].held {
            return Ok(None);
        }
        Ok(Some(NumberChain { current: Some(current(asked, &nodes).pnr()), numbers: listed(&nodes) }))
    }

    /// Reads what the records under a number say about other numbers into `nodes`, and returns those numbers.
    fn links(
        &self,
        key: PersonKey,
        known: DeliveryNumber,
        nodes: &mut BTreeMap<PersonKey, Node>,
    ) -> Result<Vec<PersonKey>, Error> {
        let image = self.image(key, None, known)?;
        let mut found = Vec::new();
        nodes.entry(key).or_default().held |= image.all_facts().next().is_some();
        for fact in image.all_facts() {
            let values = fact.values();
            let related = |field| match values.pnr(field) {
                Some(RelatedPnr::Known(pnr)) => pnr.key(),
                _ => None,
            };
            let node = match fact.aspect() {
                Aspect::Person => {
                    let status = values.number(Field::Status);
                    let node = nodes.entry(key).or_default();
                    node.replaced = status.is_some_and(|code| Status(code as u8).is_replaced());
                    node.stated = related(Field::CurrentPnr).filter(|later| *later != key);
                    found.extend(node.stated);
                    node
                }
                Aspect::FormerNumber => {
                    let Some(former) = related(Field::FormerPnr) else { continue };
                    // What ended before the window does not come, whether it is still so or was undone.
                    let window = window_end(self.settings(), self.delivery(known)?.production_date);
                    let still_comes = window.is_none_or(|window| fact.valid().to.is_none_or(|end| end > window));
                    if !still_comes && self.is_in_force(former, known)? {
                        continue;
                    }
                    found.push(former);
                    let node = nodes.entry(former).or_default();
                    node.holders.push(key);
                    node
                }
                _ => continue,
            };
            node.from = node.from.or_else(|| values.date(Field::PnrStartDate));
            node.to = node.to.or_else(|| values.date(Field::PnrEndDate));
        }
        for other in &found {
            nodes.entry(*other).or_default();
        }
        Ok(found)
    }

    /// True for a number with a record of its own that does not say that another took its place.
    fn is_in_force(&self, key: PersonKey, known: DeliveryNumber) -> Result<bool, Error> {
        let image = self.image(key, None, known)?;
        let status = image.all_facts().find_map(|fact| fact.person()?.status());
        Ok(status.is_some_and(|status| !status.is_replaced()))
    }
}

fn listed(nodes: &BTreeMap<PersonKey, Node>) -> Vec<ChainNumber> {
    let number = |(key, node): (&PersonKey, &Node)| ChainNumber {
        pnr: key.pnr(),
        held: node.held,
        from: node.from,
        to: node.to,
    };
    nodes.iter().map(number).collect()
}

/// Follows the numbers from the one asked for to the one whose place no other took.
fn current(asked: PersonKey, nodes: &BTreeMap<PersonKey, Node>) -> PersonKey {
    let (mut at, mut seen) = (asked, BTreeSet::from([asked]));
    while let Some(next) = nodes.get(&at).and_then(Node::next) {
        if !seen.insert(next) {
            return if nodes[&asked].held { asked } else { next };
        }
        at = next;
    }
    at
}

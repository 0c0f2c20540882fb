//! The chain of numbers of one human being.

use std::collections::BTreeMap;

use cpr_model::{Aspect, Date, Field, PersonKey, Pnr, RelatedPnr};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::snapshot::Snapshot;

/// All numbers of one human being, as far as the replica knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NumberChain {
    /// The number in force; none when the chain leads to no one number.
    pub current: Option<Pnr>,
    /// Every number of the chain, the one asked for among them, in key order.
    pub numbers: Vec<ChainNumber>,
}

/// One number of a chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    later: Vec<PersonKey>,
    held: bool,
    from: Option<Date>,
    to: Option<Date>,
}

/// A chain is short; a file that ties thousands of numbers into one is not followed to its end.
const LONGEST: usize = 1000;

impl Snapshot {
    /// The chain of numbers that a number belongs to, both ways (001 PNRGAELD and 022), also for a number without records
    /// of its own; none when no record knows the number.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn numbers(&self, pnr: Pnr, known: Option<DeliveryNumber>) -> Result<Option<NumberChain>, Error> {
        let known = self.check_known(known)?;
        let Some(asked) = pnr.key() else { return Ok(None) };
        let mut nodes: BTreeMap<PersonKey, Node> = BTreeMap::new();
        let mut open = vec![asked];
        while let Some(key) = open.pop() {
            if nodes.contains_key(&key) && nodes[&key].held || nodes.len() > LONGEST {
                continue;
            }
            let mut found = self.links(key, known, &mut nodes)?;
            for holder in self.mentioned_by(key)? {
                // A mention may be one of an earlier delivery, so the holder is asked what it says as of this one.
                if !nodes.get(&holder).is_some_and(|node| node.held)
                    && self.links(holder, known, &mut BTreeMap::new())?.contains(&key)
                {
                    found.push(holder);
                }
            }
            found.retain(|next| !nodes.get(next).is_some_and(|node| node.held));
            found.sort_unstable();
            found.dedup();
            open.extend(found.into_iter().filter(|next| *next != key && !open.contains(next)).collect::<Vec<_>>());
        }
        if nodes.len() == 1 && !nodes[&asked].held {
            return Ok(None);
        }
        Ok(Some(NumberChain { current: current(asked, &nodes).map(PersonKey::pnr), numbers: listed(&nodes) }))
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
        nodes.entry(key).or_default();
        for fact in image.believed() {
            let values = fact.values();
            let related = |field| match values.pnr(field) {
                Some(RelatedPnr::Known(pnr)) => pnr.key(),
                _ => None,
            };
            let dates = (values.date(Field::PnrStartDate), values.date(Field::PnrEndDate));
            let node = match fact.aspect() {
                Aspect::Person => {
                    let node = nodes.entry(key).or_default();
                    node.held = true;
                    if let Some(later) = related(Field::CurrentPnr) {
                        node.later.push(later);
                        found.push(later);
                    }
                    node
                }
                Aspect::FormerNumber => {
                    let Some(former) = related(Field::FormerPnr) else { continue };
                    found.push(former);
                    let node = nodes.entry(former).or_default();
                    node.later.push(key);
                    node
                }
                _ => continue,
            };
            node.from = node.from.or(dates.0);
            node.to = node.to.or(dates.1);
        }
        nodes.entry(key).or_default().held |= image.believed().next().is_some();
        for later in found.clone() {
            nodes.entry(later).or_default();
        }
        Ok(found)
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

/// Follows "the number now" from the number asked for to the one that leads nowhere.
fn current(asked: PersonKey, nodes: &BTreeMap<PersonKey, Node>) -> Option<PersonKey> {
    let (mut at, mut steps) = (asked, 0);
    while let Some(&later) = nodes.get(&at).and_then(|node| node.later.iter().find(|later| **later != at)) {
        at = later;
        steps += 1;
        if steps > nodes.len() {
            return None;
        }
    }
    Some(at)
}

//! What was believed over time: every version of a fact, the timeline of an aspect, the difference between deliveries.

use std::collections::HashSet;

use bitemporal::{Diff, Period, coalesce};
use cpr_model::{Aspect, ChangeClass, Fact, Field, OwnedFact, PersonKey, Pnr, Situation, Timestamp, classify};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::person::image::Person;
use crate::person::stored::v2::ArchivedPast;
use crate::snapshot::Snapshot;
use crate::store::config::window_end;

/// One change between two deliveries.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Of which kind.
    pub class: ChangeClass,
    /// What it is about.
    pub aspect: Aspect,
    /// The fact before, when one ceased; for a row that aged out, the row.
    pub before: Option<OwnedFact>,
    /// The fact after, when one came; for a row that aged out, the same row, which stays known.
    pub after: Option<OwnedFact>,
}

impl Snapshot {
    /// Every version of the facts of one aspect that was ever believed, ordered by when it was learnt, then by when it
    /// held. Marked rows are among them.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::cpr_model::{Aspect, Pnr};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let history = replika.snapshot().history(sofie, Aspect::Address)?;
    /// let superseded = history.iter().filter(|fact| fact.as_fact().known().to.is_some()).count();
    /// assert_eq!((history.len(), superseded), (6, 2), "four believed now, two until the second delivery");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn history(&self, pnr: Pnr, aspect: Aspect) -> Result<Vec<OwnedFact>, Error> {
        let Some(key) = pnr.key() else { return Ok(Vec::new()) };
        let image = self.whole(key)?;
        let now = image.person.iter().flat_map(Person::all_facts);
        let past = image.pasts().flat_map(ArchivedPast::facts);
        let of_aspect = now.chain(past).filter(|fact| fact.aspect() == aspect);
        let mut facts: Vec<OwnedFact> = of_aspect.map(|fact| fact.to_owned()).collect();
        facts.sort_by(|one, other| {
            let (one, other) = (one.as_fact(), other.as_fact());
            let by_known = one.known().from.cmp(&other.known().from);
            by_known.then_with(|| one.told_order(&other)).then_with(|| one.known().to.cmp(&other.known().to))
        });
        Ok(facts)
    }

    /// The timeline of one aspect as believed at a delivery: unmarked rows by when they held, neighbours that say the
    /// same joined. Periods without length are left out.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::cpr_model::{Aspect, Pnr};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// assert_eq!(replika.snapshot().timeline(sofie, Aspect::Address, None)?.len(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::as_of`].
    pub fn timeline(
        &self,
        pnr: Pnr,
        aspect: Aspect,
        known: Option<DeliveryNumber>,
    ) -> Result<Vec<(Period<Timestamp>, OwnedFact)>, Error> {
        let Some(image) = self.as_of(pnr, None, known)? else { return Ok(Vec::new()) };
        let rows = image.all_facts().filter(|fact| fact.aspect() == aspect && fact.mark().is_none());
        let mut rows: Vec<Fact<'_>> = rows.collect();
        Fact::sort_told(&mut rows);
        let rows = rows.iter().map(|fact| (fact.valid(), fact.to_owned())).collect();
        Ok(coalesce(rows, |a, b| self.says_the_same(a, b)))
    }

    /// True when two rows of an aspect say the same but for when: in the fields that both records have.
    fn says_the_same(&self, a: &OwnedFact, b: &OwnedFact) -> bool {
        let (a, b) = (a.as_fact(), b.as_fact());
        let bounds = [a.aspect().start(), a.aspect().end()];
        let has = |fact: &Fact<'_>, field: Field| {
            let layout = self.settings().family.and_then(|family| family.record(fact.record()));
            layout.is_some_and(|layout| layout.columns.iter().any(|column| column.field == Some(field)))
        };
        let told = |of: Fact<'_>, other: Fact<'_>| {
            let shared = of.values().iter().filter(|(field, _)| {
                let when = bounds.contains(&Some(*field)) || field.is_registration() || field.term().contains("UMRK");
                !when && has(&other, *field)
            });
            shared.into_iter().all(|(field, value)| other.values().get(field) == Some(value))
        };
        told(a, b) && told(b, a)
    }

    /// What changed for a person between two deliveries, each change with its class.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{DeliveryNumber, cpr_model::{Aspect, ChangeClass, Pnr}};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let changes = replika.snapshot().diff(sofie, DeliveryNumber(1), DeliveryNumber(2))?;
    /// assert!(changes.iter().any(|change| change.aspect == Aspect::Child && change.class == ChangeClass::New));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery. Delivery 0 stands for "before any".
    pub fn diff(&self, pnr: Pnr, from: DeliveryNumber, to: DeliveryNumber) -> Result<Vec<Change>, Error> {
        let from_date = match from {
            DeliveryNumber(0) => None,
            number => Some(self.delivery(number)?.production_date),
        };
        let to_delivery = self.delivery(to)?;
        let Some(key) = pnr.key() else { return Ok(Vec::new()) };
        let (before, after) = (self.image(key, None, from)?, self.image(key, None, to)?);
        let left = self.aged_out(key, from, to)?;
        let (before, after): (Vec<Fact<'_>>, Vec<Fact<'_>>) =
            (before.all_facts().collect(), after.all_facts().collect());
        let mut diff = Diff::default();
        let (held, new) = (|at: usize| before[at].line(), |at: usize| after[at].line());
        diff.run(before.len(), after.len(), held, new, |old| before[old].known().from);
        let added: Vec<usize> = diff.new_entries().collect();
        let situation = Situation {
            held_before: !before.is_empty(),
            previous_production: from_date,
            window: window_end(self.settings(), to_delivery.production_date),
        };
        let changes = classify(&before, &after, diff.gone(), &added, situation);
        let mut changes: Vec<Change> = changes
            .into_iter()
            .map(|change| {
                let (old, new) = (change.before.map(|at| &before[at]), change.after.map(|at| &after[at]));
                let aspect = new.or(old).expect("a change has a side").aspect();
                let (before, after) = (old.map(Fact::to_owned), new.map(Fact::to_owned));
                Change { class: change.class, aspect, before, after }
            })
            .collect();
        changes.extend(left);
        changes.sort_by_key(|change| change.aspect);
        Ok(changes)
    }

    /// Rows that stood in the lines as of `from`, no longer do as of `to`, and are still believed.
    fn aged_out(&self, key: PersonKey, from: DeliveryNumber, to: DeliveryNumber) -> Result<Vec<Change>, Error> {
        let (before, after) = (self.image(key, None, from)?, self.image(key, None, to)?);
        let (Some(before), Some(after)) = (before.line_layout()?, after.line_layout()?) else {
            return Ok(Vec::new());
        };
        let in_lines: HashSet<(u16, u32)> = after.facts.iter().map(|(id, fact)| (*id, fact.known().from)).collect();
        let rows = before.facts.iter().filter(|(id, fact)| {
            let known = fact.known();
            known.contains(to.0) && !in_lines.contains(&(*id, known.from))
        });
        let change = |fact: &Fact<'_>| Change {
            class: ChangeClass::AgedOut,
            aspect: fact.aspect(),
            before: Some(fact.to_owned()),
            after: Some(fact.to_owned()),
        };
        Ok(rows.map(|(_, fact)| change(fact)).collect())
    }
}

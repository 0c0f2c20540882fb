//! A consistent view of the replica.

use std::collections::HashMap;
use std::sync::Arc;

use bitemporal::{Known, Period, coalesce};
use cpr_model::{Aspect, Date, FactRef, Field, PersonKey, Pnr, Situation, Timestamp, Values, classify, facts};
use redb::{ReadOnlyMultimapTable, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable};
use roaring::RoaringBitmap;

use crate::config::Config;
use crate::delivery::{Delivery, DeliveryNumber};
use crate::envelope;
use crate::error::Error;
use crate::fact::{Change, Fact, FactView};
use crate::image::{Holding, Image, PERSONS_TABLE, Past, Person, SUPERSEDED_TABLE};
use crate::lines::Shape;
use crate::store::Opened;
use crate::tables::{CHANGED, DELIVERIES, DIGESTS, EVENTS, FORMAT, META, NUMBERS, OPEN, PERSONS, SUPERSEDED};

/// The state after one delivery, for as long as it is held. `Send + Sync`, cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    inner: Arc<Inner>,
}

/// Tables are dropped before the transaction, and the transaction before the database.
struct Inner {
    pub(crate) persons: ReadOnlyTable<u32, &'static [u8]>,
    superseded: ReadOnlyTable<(u32, u32), &'static [u8]>,
    events: ReadOnlyTable<(u32, u32, u16), &'static [u8]>,
    numbers: ReadOnlyMultimapTable<u32, u32>,
    changed: ReadOnlyTable<u32, &'static [u8]>,
    deliveries: ReadOnlyTable<u32, &'static [u8]>,
    digests: ReadOnlyTable<&'static [u8; 32], u32>,
    config: Config,
    last: Option<Delivery>,
    transaction: ReadTransaction,
    _database: Arc<Opened>,
}

/// Says which delivery it stands at.
impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot at delivery {}", self.known())
    }
}

/// One event (099, 900) as received.
#[derive(Clone)]
pub struct StoredEvent {
    /// The delivery that brought it.
    pub delivery: DeliveryNumber,
    /// The record number.
    pub record: u16,
    values: Box<[u8]>,
}

/// Says which delivery brought it.
impl std::fmt::Debug for StoredEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event ({:03}) of delivery {}", self.record, self.delivery)
    }
}

impl StoredEvent {
    /// Code, derived mark, and when CPR entered it.
    pub fn event(&self) -> facts::Event<'_> {
        facts::Event::new(Values::new(&self.values))
    }
}

/// The events of one person.
#[derive(Clone, Debug)]
pub struct Events {
    /// In the order in which they came.
    pub events: Vec<StoredEvent>,
    /// From this date on nothing is missing: the unbroken chain of deliveries reaches back to it, and the person was
    /// held. None when the person is not held.
    pub complete_since: Option<Date>,
}

impl Snapshot {
    pub(crate) fn take(database: &Arc<Opened>) -> Result<Snapshot, Error> {
        let transaction = match &**database {
            Opened::ReadWrite(database) => database.begin_read()?,
            Opened::ReadOnly(database) => database.begin_read()?,
        };
        let meta = match transaction.open_table(META) {
            Err(redb::TableError::TableDoesNotExist(_) | redb::TableError::TableTypeMismatch { .. }) => {
                return Err(Error::NotAStore);
            }
            opened => opened?,
        };
        let setting = |key: &str| -> Result<Option<String>, Error> {
            Ok(ReadableTable::get(&meta, key)?.map(|guard| guard.value().to_owned()))
        };
        let found: u32 = setting("format")?.and_then(|text| text.parse().ok()).ok_or(Error::NotAStore)?;
        if found > FORMAT {
            return Err(Error::NewerFormat { found, supported: FORMAT });
        }
        let config = Config::from_entries(setting)?;
        let deliveries = transaction.open_table(DELIVERIES)?;
        let last = match deliveries.last()? {
            None => None,
            Some((number, sealed)) => Some(Delivery::open(DeliveryNumber(number.value()), sealed.value())?),
        };
        let inner = Inner {
            persons: transaction.open_table(PERSONS)?,
            superseded: transaction.open_table(SUPERSEDED)?,
            events: transaction.open_table(EVENTS)?,
            numbers: transaction.open_multimap_table(NUMBERS)?,
            changed: transaction.open_table(CHANGED)?,
            deliveries,
            digests: transaction.open_table(DIGESTS)?,
            config,
            last,
            transaction,
            _database: Arc::clone(database),
        };
        Ok(Snapshot { inner: Arc::new(inner) })
    }

    /// The configuration of the store.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The last delivery; 0 when there is none.
    pub fn known(&self) -> DeliveryNumber {
        self.inner.last.as_ref().map_or(DeliveryNumber(0), |last| last.number)
    }

    /// The last delivery with all that the ledger says about it.
    pub fn last_delivery(&self) -> Option<&Delivery> {
        self.inner.last.as_ref()
    }

    /// The ledger, oldest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure, here as in every read below.
    pub fn deliveries(&self) -> Result<Vec<Delivery>, Error> {
        let mut all = Vec::new();
        for row in self.inner.deliveries.iter()? {
            let (number, sealed) = row?;
            all.push(Delivery::open(DeliveryNumber(number.value()), sealed.value())?);
        }
        Ok(all)
    }

    /// One delivery of the ledger.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is none with this number.
    pub fn delivery(&self, number: DeliveryNumber) -> Result<Delivery, Error> {
        match &self.inner.last {
            Some(last) if last.number == number => Ok(last.clone()),
            _ => match self.inner.deliveries.get(number.0)? {
                Some(sealed) => Delivery::open(number, sealed.value()),
                None => Err(self.unknown(number)),
            },
        }
    }

    /// The last delivery with a production date on or before this one: what we knew at the end of that day.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when the first delivery is later.
    pub fn delivery_on(&self, date: Date) -> Result<DeliveryNumber, Error> {
        for row in self.inner.deliveries.iter()?.rev() {
            let (number, sealed) = row?;
            let delivery = Delivery::open(DeliveryNumber(number.value()), sealed.value())?;
            if delivery.production_date <= date {
                return Ok(delivery.number);
            }
        }
        Err(self.unknown(DeliveryNumber(0)))
    }

    /// The person as known now, read in place; none when the replica does not hold the number.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the stored value does not decode.
    pub fn person(&self, pnr: Pnr) -> Result<Option<Person<'_>>, Error> {
        let Some(key) = pnr.key() else { return Ok(None) };
        self.inner.persons.get(key.as_u32())?.map(|guard| Person::open(key.as_u32(), guard)).transpose()
    }

    /// The person as of a moment in the world (none: all of valid time) and a delivery (none: now).
    ///
    /// A question about a day is asked at [`Timestamp::end_of`] it: what began in its course holds on it. Rows that CPR
    /// does not date (001, 003, 009, 014, 015) hold whatever the moment.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn as_of(
        &self,
        pnr: Pnr,
        valid: Option<Timestamp>,
        known: Option<DeliveryNumber>,
    ) -> Result<Option<Image<'_>>, Error> {
        let known = self.check_known(known)?;
        let Some(key) = pnr.key() else { return Ok(None) };
        let image = self.image(key, valid, known)?;
        let held = image.believed().next().is_some();
        Ok(held.then_some(image))
    }

    pub(crate) fn image(
        &self,
        key: PersonKey,
        valid: Option<Timestamp>,
        known: DeliveryNumber,
    ) -> Result<Image<'_>, Error> {
        let key = key.as_u32();
        let person = self.inner.persons.get(key)?.map(|guard| Person::open(key, guard)).transpose()?;
        let past = if known < self.known() { self.past(key, known)? } else { Vec::new() };
        Ok(Image { person, past, known, valid })
    }

    /// What was still believed of a person as of a delivery and has ceased to be since, and what ceased with it.
    fn past(&self, key: u32, known: DeliveryNumber) -> Result<Vec<Past<'_>>, Error> {
        let Some(sealed) = self.inner.superseded.get((key, OPEN))? else { return Ok(Vec::new()) };
        let open = Past::open((key, OPEN), sealed)?;
        if open.archived().since.to_native() <= known.0 {
            return Ok(vec![open]);
        }
        let mut past = Vec::new();
        for row in self.inner.superseded.range((key, known.0 + 1)..(key, OPEN))? {
            let (row, sealed) = row?;
            past.push(Past::open(row.value(), sealed)?);
        }
        past.push(open);
        Ok(past)
    }

    /// Whether the replica can answer for this aspect of a person at all, and whether it has rows.
    ///
    /// # Errors
    /// Those of [`Snapshot::as_of`].
    pub fn holding(&self, pnr: Pnr, aspect: Aspect, known: Option<DeliveryNumber>) -> Result<Holding, Error> {
        let family = self.config().family;
        let carries = |record: &cpr_extract::RecordLayout| {
            matches!(record.role, cpr_extract::Role::Fact(of, _) if of == aspect)
                || aspect == Aspect::Parents && record.columns.iter().any(|c| c.field == Some(Field::MotherPnr))
        };
        let chosen = family.is_some_and(|family| {
            family.records().any(|record| carries(record) && self.config().is_chosen(record.number))
        });
        let Some(image) = self.as_of(pnr, None, known)?.filter(|_| chosen) else { return Ok(Holding::Unknown) };
        let carries =
            |fact: &FactView<'_>| fact.aspect() == aspect || aspect == Aspect::Parents && fact.parents().is_some();
        Ok(if image.facts().any(|fact| carries(&fact)) { Holding::Held } else { Holding::None })
    }

    /// Every version of the facts of one aspect that was ever believed, ordered by when it was learnt, then by when it
    /// held. Marked rows are among them.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn history(&self, pnr: Pnr, aspect: Aspect) -> Result<Vec<Fact>, Error> {
        let Some(key) = pnr.key() else { return Ok(Vec::new()) };
        let mut facts: Vec<Fact> = Vec::new();
        if let Some(person) = self.person(pnr)? {
            facts.extend(person.facts().filter(|fact| fact.aspect() == aspect).map(|fact| fact.to_fact()));
        }
        for past in self.past(key.as_u32(), DeliveryNumber(0))? {
            facts.extend(past.facts().map(|(_, fact)| fact.to_fact()));
        }
        facts.retain(|fact| fact.view().aspect() == aspect);
        facts.sort_by_key(|fact| {
            let view = fact.view();
            (view.known().from, view.valid().from, view.valid().to.is_none(), view.valid().to, view.known().to)
        });
        Ok(facts)
    }

    /// The timeline of one aspect as believed at a delivery: unmarked rows by when they held, neighbours that say the
    /// same joined. Periods without length are left out.
    ///
    /// # Errors
    /// Those of [`Snapshot::as_of`].
    pub fn timeline(
        &self,
        pnr: Pnr,
        aspect: Aspect,
        known: Option<DeliveryNumber>,
    ) -> Result<Vec<(Period<Timestamp>, Fact)>, Error> {
        let Some(image) = self.as_of(pnr, None, known)? else { return Ok(Vec::new()) };
        let rows = image.believed().filter(|fact| fact.aspect() == aspect && fact.mark().is_none());
        let rows = rows.map(|fact| (fact.valid(), fact.to_fact())).collect();
        Ok(coalesce(rows, |a, b| self.says_the_same(a, b)))
    }

    /// True when two rows of an aspect say the same but for when: in the fields that both records have.
    fn says_the_same(&self, a: &Fact, b: &Fact) -> bool {
        let (a, b) = (a.view(), b.view());
        let bounds = [a.aspect().start(), a.aspect().end()];
        let has = |fact: &FactView<'_>, field: Field| {
            let layout = self.config().family.and_then(|family| family.record(fact.record()));
            layout.is_some_and(|layout| layout.columns.iter().any(|column| column.field == Some(field)))
        };
        let told = |of: FactView<'_>, other: FactView<'_>| {
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
        let (before, after): (Vec<FactView<'_>>, Vec<FactView<'_>>) =
            (before.believed().collect(), after.believed().collect());
        let same = |b: usize, a: usize| {
            (before[b].record(), before[b].is_historic(), before[b].values())
                == (after[a].record(), after[a].is_historic(), after[a].values())
        };
        let mut diff = bitemporal::Diff::default();
        diff.run(before.len(), after.len(), same, |old| before[old].known().from);
        let came: Vec<usize> = diff.new_entries().collect();
        let before_refs: Vec<FactRef<'_>> = before.iter().map(FactView::as_ref).collect();
        let after_refs: Vec<FactRef<'_>> = after.iter().map(FactView::as_ref).collect();
        let situation = Situation {
            held_before: !before.is_empty(),
            previous_production: from_date,
            window: window_end(self.config(), to_delivery.production_date),
        };
        let changes = classify(&before_refs, &after_refs, diff.gone(), &came, situation);
        let mut changes: Vec<Change> = changes
            .into_iter()
            .map(|change| {
                let (old, new) = (change.before.map(|at| &before[at]), change.after.map(|at| &after[at]));
                let aspect = new.or(old).expect("a change has a side").aspect();
                let (before, after) = (old.map(FactView::to_fact), new.map(FactView::to_fact));
                Change { class: change.class, aspect, before, after }
            })
            .collect();
        changes.extend(left);
        changes.sort_by_key(|change| change.aspect);
        Ok(changes)
    }

    /// Rows that stood in the lines as of `from`, no longer do as of `to`, and are still believed.
    fn aged_out(&self, key: PersonKey, from: DeliveryNumber, to: DeliveryNumber) -> Result<Vec<Change>, Error> {
        let (Some(before), Some(after)) = (self.shape(key, from)?, self.shape(key, to)?) else {
            return Ok(Vec::new());
        };
        let rows = before.facts.iter().filter(|(id, fact)| {
            let view = fact.view();
            let stays = view.known().contains(to.0);
            stays && !after.facts.iter().any(|(other, held)| other == id && held.view().known() == view.known())
        });
        let change = |fact: &Fact| Change {
            class: cpr_model::ChangeClass::AgedOut,
            aspect: fact.view().aspect(),
            before: Some(fact.clone()),
            after: Some(fact.clone()),
        };
        Ok(rows.map(|(_, fact)| change(fact)).collect())
    }

    /// The person's rows in the order of its lines as of a delivery.
    pub(crate) fn shape(&self, key: PersonKey, known: DeliveryNumber) -> Result<Option<Shape>, Error> {
        let image = self.image(key, None, known)?;
        let Some(person) = &image.person else { return Ok(None) };
        let now = person.archived();
        if now.delivered.to_native() <= known.0 {
            let rows = now.facts().take(now.in_group.to_native() as usize);
            let facts = rows.filter_map(|(fact, values)| {
                let known = Known { from: fact.known_from, to: None };
                Some((fact.id, FactView::new(fact.record, fact.shape, known, values)?.to_fact()))
            });
            let widths = now.widths.iter().map(|width| width.native()).collect();
            let delivered = DeliveryNumber(now.delivered.to_native());
            return Ok(Some(Shape { delivered, facts: facts.collect(), widths }));
        }
        let Some((group, order, widths)) = image.past.iter().find_map(|past| past.archived().group_at(known.0)) else {
            return Ok(None);
        };
        let delivered = DeliveryNumber(group.delivered);
        if delivered > known {
            return Ok(None);
        }
        let mut believed: HashMap<u16, Fact> = HashMap::new();
        for past in &image.past {
            believed.extend(past.facts_known(known.0).map(|(id, fact)| (id, fact.to_fact())));
        }
        for (fact, values) in now.facts() {
            let span = Known { from: fact.known_from, to: None };
            let view = FactView::new(fact.record, fact.shape, span, values).filter(|_| span.contains(known.0));
            believed.extend(view.map(|view| (fact.id, view.to_fact())));
        }
        let facts = order.into_iter().map(|id| {
            let fact = believed.remove(&id).map(|fact| (id, fact));
            fact.ok_or(Error::Corrupt { table: SUPERSEDED_TABLE, what: "a row of the lines is missing" })
        });
        Ok(Some(Shape { delivered, facts: facts.collect::<Result<_, _>>()?, widths }))
    }

    /// The events of a person (099, 900), and since when they are complete.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn events(&self, pnr: Pnr) -> Result<Events, Error> {
        let mut found = Events { events: Vec::new(), complete_since: None };
        let Some(key) = pnr.key().map(PersonKey::as_u32) else { return Ok(found) };
        for row in self.inner.events.range((key, 0, 0)..=(key, u32::MAX, u16::MAX))? {
            let (at, sealed) = row?;
            let (_, delivery, _) = at.value();
            let (record, values) = open_event((key, delivery), sealed.value())?;
            found.events.push(StoredEvent { delivery: DeliveryNumber(delivery), record, values: values.into() });
        }
        let mut first = self.person(pnr)?.and_then(|person| person.facts().map(|fact| fact.known().from).min());
        for past in self.past(key, DeliveryNumber(0))? {
            first = past.facts().map(|(_, fact)| fact.known().from).chain(first).min();
        }
        if let (Some(first), Some(last)) = (first, &self.inner.last) {
            let delivery = self.delivery(DeliveryNumber(first))?;
            let held_since = delivery.events_since();
            found.complete_since = Some(held_since.max(last.events_complete_since));
        }
        Ok(found)
    }

    /// Whom a delivery changed, in key order: persons new or with at least one fact that came or went.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn changes(&self, delivery: DeliveryNumber) -> Result<impl Iterator<Item = Pnr> + use<>, Error> {
        let keys = self.changed_keys(delivery)?;
        Ok(keys.into_iter().filter_map(|key| PersonKey::from_u32(key).map(PersonKey::pnr)))
    }

    pub(crate) fn changed_keys(&self, delivery: DeliveryNumber) -> Result<RoaringBitmap, Error> {
        let sealed = self.inner.changed.get(delivery.0)?.ok_or_else(|| self.unknown(delivery))?;
        open_changed(delivery.0, sealed.value())
    }

    /// Every number the replica holds, in key order.
    ///
    /// # Errors
    /// A storage failure.
    pub fn pnrs(&self) -> Result<impl Iterator<Item = Result<Pnr, Error>> + use<>, Error> {
        Ok(self.inner.persons.range::<u32>(..)?.map(|row| {
            let (key, _) = row?;
            let key = PersonKey::from_u32(key.value());
            key.map(PersonKey::pnr).ok_or(Error::Corrupt { table: PERSONS_TABLE, what: "a key of no number" })
        }))
    }

    pub(crate) fn check_known(&self, known: Option<DeliveryNumber>) -> Result<DeliveryNumber, Error> {
        match known {
            None => Ok(self.known()),
            Some(number) if number.0 >= 1 && number <= self.known() => Ok(number),
            Some(number) => Err(self.unknown(number)),
        }
    }

    fn unknown(&self, asked: DeliveryNumber) -> Error {
        Error::UnknownDelivery { asked, last: self.known() }
    }

    pub(crate) fn mentioned_by(&self, key: PersonKey) -> Result<Vec<PersonKey>, Error> {
        let mut holders = Vec::new();
        for holder in self.inner.numbers.get(key.as_u32())? {
            holders.extend(PersonKey::from_u32(holder?.value()));
        }
        Ok(holders)
    }

    pub(crate) fn transaction(&self) -> &ReadTransaction {
        &self.inner.transaction
    }

    pub(crate) fn persons(&self) -> &ReadOnlyTable<u32, &'static [u8]> {
        &self.inner.persons
    }

    pub(crate) fn superseded(&self) -> &ReadOnlyTable<(u32, u32), &'static [u8]> {
        &self.inner.superseded
    }

    pub(crate) fn event_rows(&self) -> &ReadOnlyTable<(u32, u32, u16), &'static [u8]> {
        &self.inner.events
    }

    pub(crate) fn number_rows(&self) -> &ReadOnlyMultimapTable<u32, u32> {
        &self.inner.numbers
    }

    pub(crate) fn changed_rows(&self) -> &ReadOnlyTable<u32, &'static [u8]> {
        &self.inner.changed
    }

    pub(crate) fn digests(&self) -> &ReadOnlyTable<&'static [u8; 32], u32> {
        &self.inner.digests
    }
}

/// The last moment that a history window of this many years leaves out; none when the window holds all.
pub(crate) fn window_end(config: &Config, production: Date) -> Option<Timestamp> {
    let years = u32::from(config.window_years);
    (config.window_years != crate::config::ALL_HISTORY).then(|| Timestamp::start_of(production.years_before(years)))
}

/// Record number and packed values of a stored event.
pub(crate) fn open_event(row: (u32, u32), sealed: &[u8]) -> Result<(u16, &[u8]), Error> {
    let payload = envelope::open("events/v1", row, sealed)?;
    let (record, values) =
        payload.split_first_chunk::<2>().ok_or(Error::Corrupt { table: "events/v1", what: "no record number" })?;
    Ok((u16::from_le_bytes(*record), values))
}

pub(crate) fn open_changed(delivery: u32, sealed: &[u8]) -> Result<RoaringBitmap, Error> {
    let payload = envelope::open("changed/v1", (delivery, 0), sealed)?;
    RoaringBitmap::deserialize_from(payload).map_err(|_| Error::Corrupt { table: "changed/v1", what: "not a bitmap" })
}

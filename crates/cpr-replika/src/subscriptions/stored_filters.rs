//! Subscribers and filters as they stand in their tables: read, added and removed within a transaction.

use cpr_model::Aspect;
use cpr_subscription::{Filter, FilterAnswer, FilterKind, Profile, SubscriberName, SubscriberNumber};
use redb::{ReadableTable, WriteTransaction};

use crate::error::Error;
use crate::refusal::Refusal;
use crate::store::config::Config;
use crate::store::read_table::ReadRows;
use crate::store::tables::{FILTERS, FOLLOWERS, name};
use crate::subscriptions::keep_settings::KEEPER;
use crate::subscriptions::spans::Spans;

/// A subscriber of the store.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Subscriber {
    /// Its name.
    pub name: SubscriberName,
    /// What stands for it in stored rows.
    pub number: SubscriberNumber,
    /// Which reasons have a person delivered to it.
    pub profile: Profile,
}

/// The subscribers in a table of them, by name.
pub(crate) fn read_subscribers(table: &impl ReadRows<&'static str, (u32, u8)>) -> Result<Vec<Subscriber>, Error> {
    let mut all = Vec::new();
    for row in table.rows_in::<&str>(..)? {
        let (name, held) = row?;
        all.push(subscriber(name.value(), held.value())?);
    }
    Ok(all)
}

pub(crate) fn subscriber(name: &str, (number, profile): (u32, u8)) -> Result<Subscriber, Error> {
    let corrupt = |what| Error::Corrupt { table: name::SUBSCRIBERS, what };
    let name = name.parse().map_err(|_| corrupt("a name that cannot be"))?;
    let profile = Profile::from_byte(profile).map_err(|_| corrupt("a profile that cannot be"))?;
    Ok(Subscriber { name, number: SubscriberNumber(number), profile })
}

/// Which filters of a subscriber to read.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// Those that count from the next delivery on.
    Now,
    /// Those that counted for this delivery.
    For(u32),
}

/// The filters of a subscriber in their order. Without those on numbers, a subscriber of many costs as little as one of
/// few.
pub(crate) fn read_filters(
    table: &impl ReadRows<(u32, &'static [u8]), &'static [u8]>,
    subscriber: SubscriberNumber,
    when: When,
    with_numbers: bool,
) -> Result<Vec<Filter>, Error> {
    let first = if with_numbers { FilterKind::Pnr } else { FilterKind::AgeRange } as u8;
    let mut filters = Vec::new();
    for row in table.rows_in(of_subscriber(subscriber.0, &[first]))? {
        let (key, spans) = row?;
        let spans = Spans::from_bytes(spans.value())?;
        let counts = match when {
            When::Now => spans.counts_now(),
            When::For(delivery) => spans.contains(delivery),
        };
        if counts {
            let filter = Filter::from_bytes(key.value().1);
            let corrupt = Error::Corrupt { table: name::FILTERS, what: "a filter that does not unpack" };
            filters.push(filter.map_err(|_| corrupt)?);
        }
    }
    Ok(filters)
}

/// The keys of a subscriber's filters, from these bytes on.
pub(crate) fn of_subscriber(number: u32, from: &[u8]) -> std::ops::Range<(u32, &[u8])> {
    (number, from)..(number + 1, &[])
}

/// Changes the filters of one subscriber within a transaction.
pub(crate) struct Editor<'t> {
    filters: redb::Table<'t, (u32, &'static [u8]), &'static [u8]>,
    followers: redb::MultimapTable<'t, u32, u32>,
    number: u32,
    /// The last delivery, which the change is too late for.
    known: u32,
}

impl<'t> Editor<'t> {
    pub(crate) fn new(write: &'t WriteTransaction, number: u32, known: u32) -> Result<Editor<'t>, Error> {
        let (filters, followers) = (write.open_table(FILTERS)?, write.open_multimap_table(FOLLOWERS)?);
        Ok(Editor { filters, followers, number, known })
    }

    pub(crate) fn add(&mut self, filter: &Filter) -> Result<FilterAnswer, Error> {
        let mut spans = self.spans(filter)?;
        if !spans.open(self.known) {
            return Ok(FilterAnswer::AlreadyExisted);
        }
        self.store(filter, &spans)?;
        if let Filter::Pnr(key) = filter
            && self.number != KEEPER.0
        {
            self.followers.insert(key.as_u32(), self.number)?;
        }
        Ok(FilterAnswer::Added)
    }

    pub(crate) fn remove(&mut self, filter: &Filter) -> Result<FilterAnswer, Error> {
        let mut spans = self.spans(filter)?;
        if !spans.close(self.known) {
            return Ok(FilterAnswer::NotFound);
        }
        self.store(filter, &spans)?;
        if let Filter::Pnr(key) = filter {
            self.followers.remove(key.as_u32(), self.number)?;
        }
        Ok(FilterAnswer::Removed)
    }

    /// Has a filter have counted for the deliveries that another one counted for.
    pub(crate) fn take_over(&mut self, filter: &Filter, mut of_other: Spans) -> Result<(), Error> {
        of_other.close(self.known);
        let mut spans = self.spans(filter)?;
        spans.unite(&of_other);
        self.store(filter, &spans)
    }

    fn spans(&self, filter: &Filter) -> Result<Spans, Error> {
        match self.filters.get((self.number, filter.to_bytes().as_slice()))? {
            Some(stored) => Spans::from_bytes(stored.value()),
            None => Ok(Spans::default()),
        }
    }

    fn store(&mut self, filter: &Filter, spans: &Spans) -> Result<(), Error> {
        let key = filter.to_bytes();
        if spans.is_empty() {
            self.filters.remove((self.number, key.as_slice()))?;
        } else {
            self.filters.insert((self.number, key.as_slice()), spans.to_bytes().as_slice())?;
        }
        Ok(())
    }
}

/// Refuses a filter on what the store does not hold.
pub(crate) fn require_held(filter: &Filter, config: &Config) -> Result<(), Refusal> {
    match filter {
        Filter::Municipality(_) | Filter::Address(_) => config.require(Aspect::Address),
        Filter::AllOf(all) => all.members().iter().try_for_each(|filter| require_held(filter, config)),
        Filter::Pnr(_) | Filter::AgeRange(_) | Filter::EventChangeCode(_) | Filter::Everything => Ok(()),
    }
}

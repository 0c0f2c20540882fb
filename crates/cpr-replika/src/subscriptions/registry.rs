//! Subscribers and their filters: who is told of whom.
//!
//! A filter counts from the delivery after the one the store stood at when it was added, up to the one it stood at when
//! it was removed. Those spans are kept, so the filters can be read as they were for any delivery. Every change is
//! durable before it is answered.

use std::collections::BTreeSet;

use cpr_model::{PersonKey, Pnr};
use cpr_subscription::{ChangeCodes, Filter, FilterAnswer, FilterKind, Profile, SubscriberName, SubscriberNumber};
use redb::{ReadableTable, WriteTransaction};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::tables::{FILTERS, FOLLOWERS, MATCHES, META, PERSONS, STREAMS, SUBSCRIBERS, name};
use crate::subscriptions::admission::{mark_for_admission, unmark, unmark_all};
use crate::subscriptions::keep_settings::{KEEPER, KeepSettings, lasting};
use crate::subscriptions::spans::Spans;
use crate::subscriptions::stored_filters::{
    Editor, Subscriber, When, of_subscriber, read_filters, read_subscribers, require_held, subscriber,
};

/// The setting that holds the last number given to a subscriber; numbers are not given twice.
const LAST_NUMBER: &str = "last_subscriber";

/// One change of a subscriber's filters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FilterChange {
    /// Follow this too.
    Add(Filter),
    /// Follow this no longer.
    Remove(Filter),
}

/// What becomes of a filter on a number that the replica does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnknownNumbers {
    /// It is kept, and matches when the person appears. (0000000000 never does, and is refused.)
    Keep,
    /// It is not added: [`FilterAnswer::UnknownNumber`].
    Refuse,
}

/// What a host lets subscribers follow.
#[derive(Clone, Debug)]
pub struct FilterPolicy {
    /// What becomes of a filter on a number that the replica does not hold.
    pub unknown_numbers: UnknownNumbers,
    /// The change codes that a filter may name. CPR adds codes without notice: a host keeps its list where it can be
    /// changed.
    pub change_codes: ChangeCodes,
}

impl Replika {
    /// Adds a subscriber, which follows nobody yet. One that is there already keeps its filters and gets the profile.
    ///
    /// # Errors
    /// A storage failure, or [`Error::ReadOnly`], here as in every change below.
    pub fn add_subscriber(&self, name: &SubscriberName, profile: Profile) -> Result<FilterAnswer, Error> {
        self.change(|write, _| {
            let mut table = write.open_table(SUBSCRIBERS)?;
            let held = table.get(name.as_str())?.map(|held| held.value().0);
            let number = match held {
                Some(number) => number,
                None => next_number(write)?,
            };
            table.insert(name.as_str(), (number, profile.to_byte()))?;
            Ok(if held.is_some() { FilterAnswer::AlreadyExisted } else { FilterAnswer::Added })
        })
    }

    /// Removes a subscriber with its filters, its matches and the state of its stream.
    ///
    /// Where the rule of who is kept ([`Keep`](crate::Keep)) has days of grace, whom it followed has them too: what its
    /// filters kept them by stands with the rule from then on, as what counted once.
    ///
    /// # Errors
    /// As [`Replika::add_subscriber`].
    pub fn remove_subscriber(&self, name: &SubscriberName) -> Result<FilterAnswer, Error> {
        self.change(|write, last| {
            let removed = write.open_table(SUBSCRIBERS)?.remove(name.as_str())?.map(|held| held.value().0);
            let Some(number) = removed else { return Ok(FilterAnswer::NotFound) };
            let followed = take_filters(write, number)?;
            if KeepSettings::read(&self.snapshot().tables().meta)?.is_some_and(|rule| rule.grace_days > 0) {
                let mut rule = Editor::new(write, KEEPER.0, last)?;
                for (filter, spans) in followed {
                    lasting(&filter).map_or(Ok(()), |filter| rule.take_over(&filter, spans))?;
                }
            }
            unmark_all(write, Some(SubscriberNumber(number)))?;
            write.open_table(STREAMS)?.retain_in((number, 0)..=(number, u32::MAX), |_, _| false)?;
            let mut matches = write.open_table(MATCHES)?;
            for delivery in 1..=last {
                matches.remove((delivery, number))?;
            }
            Ok(FilterAnswer::Removed)
        })
    }

    /// Adds and removes filters in one transaction; the answers are in the order of the changes.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{DeliveryNumber, FilterChange, UnknownNumbers, cpr_subscription::Profile};
    /// let replika = demo()?;
    /// let school = "school".parse()?;
    /// replika.add_subscriber(&school, Profile::SF6002)?;
    /// replika.change_filters(&school, &[FilterChange::Add("0851".parse()?)], UnknownNumbers::Keep)?;
    /// assert_eq!(replika.snapshot().filters(&school, None)?.len(), 1);
    /// assert_eq!(replika.snapshot().filters(&school, Some(DeliveryNumber(2)))?.len(), 0, "it counts from the next delivery on");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Nothing is changed, and the error is [`Error::UnknownSubscriber`]; for a new filter that would never match
    /// [`Error::CodeNotInUse`] (a change code that CPR does not use, as [`ChangeCodes::in_use`] has them) or
    /// [`Error::Search`] (on what the store does not hold); or as of [`Replika::add_subscriber`].
    pub fn change_filters(
        &self,
        name: &SubscriberName,
        changes: &[FilterChange],
        unknown: UnknownNumbers,
    ) -> Result<Vec<FilterAnswer>, Error> {
        let policy = FilterPolicy { unknown_numbers: unknown, change_codes: ChangeCodes::in_use() };
        self.change_filters_under(name, changes, &policy)
    }

    /// As [`Replika::change_filters`], with a list of change codes that is the host's own.
    ///
    /// # Errors
    /// As [`Replika::change_filters`]; [`Error::CodeNotInUse`] by the policy's list.
    pub fn change_filters_under(
        &self,
        name: &SubscriberName,
        changes: &[FilterChange],
        policy: &FilterPolicy,
    ) -> Result<Vec<FilterAnswer>, Error> {
        let snapshot = self.snapshot();
        for change in changes {
            if let FilterChange::Add(filter) = change {
                policy.change_codes.check(filter).map_err(|_| Error::CodeNotInUse)?;
                require_held(filter, snapshot.settings())?;
            }
        }
        self.change(|write, known| {
            let number = number_of(write, name)?;
            let added = changes.iter().filter_map(|change| match change {
                FilterChange::Add(filter) => Some(filter),
                FilterChange::Remove(_) => None,
            });
            self.mark_new(write, SubscriberNumber(number), added)?;
            let mut editor = Editor::new(write, number, known)?;
            let persons = write.open_table(PERSONS)?;
            let mut answers = Vec::with_capacity(changes.len());
            for change in changes {
                answers.push(match change {
                    FilterChange::Add(filter) => {
                        let refused = match filter {
                            filter if filter.names_nobody() => true,
                            Filter::Pnr(key) if policy.unknown_numbers == UnknownNumbers::Refuse => {
                                persons.get(key.as_u32())?.is_none()
                            }
                            _ => false,
                        };
                        if refused { FilterAnswer::UnknownNumber } else { editor.add(filter)? }
                    }
                    FilterChange::Remove(filter) => {
                        unmark(write, SubscriberNumber(number), filter)?;
                        editor.remove(filter)?
                    }
                });
            }
            Ok(answers)
        })
    }

    /// Marks those of these filters that the subscriber does not have yet, where they may ask for who was left out.
    fn mark_new<'f>(
        &self,
        write: &WriteTransaction,
        number: SubscriberNumber,
        added: impl Iterator<Item = &'f Filter>,
    ) -> Result<(), Error> {
        let snapshot = self.snapshot();
        let held = read_filters(&snapshot.tables().filters, number, When::Now, false)?;
        mark_for_admission(write, &snapshot, number, added.filter(|filter| !held.contains(filter)))
    }

    /// Removes every filter of one kind, or of all; how many there were is the answer.
    ///
    /// # Errors
    /// As [`Replika::change_filters`].
    pub fn clear_filters(&self, name: &SubscriberName, kind: Option<FilterKind>) -> Result<u64, Error> {
        self.change(|write, known| {
            let number = number_of(write, name)?;
            let filters = read_filters(&write.open_table(FILTERS)?, SubscriberNumber(number), When::Now, true)?;
            let mut editor = Editor::new(write, number, known)?;
            let mut removed = 0;
            for filter in filters.iter().filter(|filter| kind.is_none_or(|kind| filter.kind() == kind)) {
                removed += u64::from(editor.remove(filter)? == FilterAnswer::Removed);
                unmark(write, SubscriberNumber(number), filter)?;
            }
            Ok(removed)
        })
    }
}

/// Takes the filters of a subscriber away, with the spans of each.
fn take_filters(write: &WriteTransaction, number: u32) -> Result<Vec<(Filter, Spans)>, Error> {
    let (mut filters, mut followers) = (write.open_table(FILTERS)?, write.open_multimap_table(FOLLOWERS)?);
    let mut taken = Vec::new();
    for row in filters.extract_from_if(of_subscriber(number, &[]), |_, _| true)? {
        let (key, spans) = row?;
        let corrupt = Error::Corrupt { table: name::FILTERS, what: "a filter that does not unpack" };
        let filter = Filter::from_bytes(key.value().1).map_err(|_| corrupt)?;
        if let Filter::Pnr(key) = filter {
            followers.remove(key.as_u32(), number)?;
        }
        taken.push((filter, Spans::from_bytes(spans.value())?));
    }
    Ok(taken)
}

fn next_number(write: &WriteTransaction) -> Result<u32, Error> {
    let mut meta = write.open_table(META)?;
    // A number that was given away twice would give one subscriber the filters and matches of another.
    let corrupt = || Error::Corrupt { table: name::META, what: "the last number of a subscriber" };
    let last = match meta.get(LAST_NUMBER)? {
        Some(text) => text.value().parse::<u32>().map_err(|_| corrupt())?,
        None => 0,
    };
    let number = last.checked_add(1).ok_or_else(corrupt)?;
    meta.insert(LAST_NUMBER, number.to_string().as_str())?;
    Ok(number)
}

pub(crate) fn number_of(write: &WriteTransaction, name: &SubscriberName) -> Result<u32, Error> {
    let held = write.open_table(SUBSCRIBERS)?.get(name.as_str())?.map(|held| held.value().0);
    held.ok_or(Error::UnknownSubscriber)
}

impl Snapshot {
    /// Every subscriber, by name.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure, here as in every read below.
    pub fn subscribers(&self) -> Result<Vec<Subscriber>, Error> {
        read_subscribers(&self.tables().subscribers)
    }

    /// One subscriber.
    ///
    /// # Errors
    /// [`Error::UnknownSubscriber`] when there is none of this name.
    pub fn subscriber(&self, name: &SubscriberName) -> Result<Subscriber, Error> {
        let held = self.tables().subscribers.get(name.as_str())?.ok_or(Error::UnknownSubscriber)?;
        subscriber(name.as_str(), held.value())
    }

    /// What a subscriber follows now, or followed when a delivery was applied, in the order of filters: by kind, then
    /// by value.
    ///
    /// # Errors
    /// [`Error::UnknownSubscriber`]; [`Error::UnknownDelivery`].
    pub fn filters(&self, name: &SubscriberName, delivery: Option<DeliveryNumber>) -> Result<Vec<Filter>, Error> {
        let subscriber = self.subscriber(name)?;
        let when = match delivery {
            None => When::Now,
            Some(delivery) => When::For(self.check_known(Some(delivery))?.0),
        };
        read_filters(&self.tables().filters, subscriber.number, when, true)
    }

    pub(crate) fn filter_counted(
        &self,
        subscriber: SubscriberNumber,
        filter: &Filter,
        delivery: DeliveryNumber,
    ) -> Result<bool, Error> {
        match self.tables().filters.get((subscriber.0, filter.to_bytes().as_slice()))? {
            Some(spans) => Ok(Spans::from_bytes(spans.value())?.contains(delivery.0)),
            None => Ok(false),
        }
    }

    /// Filters on numbers that the replica does not hold (yet).
    ///
    /// # Errors
    /// [`Error::UnknownSubscriber`].
    pub fn filters_on_nobody(&self, name: &SubscriberName) -> Result<Vec<Pnr>, Error> {
        let mut missing = Vec::new();
        for filter in self.filters(name, None)? {
            if let Filter::Pnr(key) = filter
                && self.tables().persons.get(key.as_u32())?.is_none()
            {
                missing.push(key.pnr());
            }
        }
        Ok(missing)
    }

    /// The numbers of the subscribers that filter on a number now.
    pub(crate) fn followers_by_number(&self, key: PersonKey) -> Result<BTreeSet<u32>, Error> {
        Ok(self.tables().followers.get(key.as_u32())?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn a_last_number_that_cannot_be_read_gives_nobody_the_number_of_another() {
        for damaged in ["", "x", "-1", "4294967295", "4294967296"] {
            let replika = Replika::in_memory(&Config::default()).unwrap();
            replika.add_subscriber(&"school".parse().unwrap(), Profile::SF6002).unwrap();
            replika.change(|write, _| Ok(write.open_table(META)?.insert(LAST_NUMBER, damaged).map(drop)?)).unwrap();
            let refused = replika.add_subscriber(&"clinic".parse().unwrap(), Profile::SF6002);
            assert!(matches!(refused, Err(Error::Corrupt { .. })), "{damaged}: {refused:?}");
        }
    }
}

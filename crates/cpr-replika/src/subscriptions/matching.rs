//! Who is told of whom: the filters of all subscribers against the persons of a delivery.
//!
//! A person is seen twice, as held before the delivery and as the delivery has it. While a delivery is applied, both
//! are noted as the merge passes by, and matched in its transaction; later they are read as of the delivery before and
//! of the delivery itself, with the filters as they were. Both ways give the same answer. Loads tell nobody anything.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use cpr_extract::Group;
use cpr_model::{CurrentRows, Date, Day, Field, PersonKey, Pnr, Values};
use cpr_subscription::{
    AddressFilter, DerivedMark, EventCode, EventLabel, Filter, Matcher, PersonChange, Reason, SubscriberName,
    SubscriberNumber, Subscription,
};
use redb::{ReadableMultimapTable, ReadableTable, ReadableTableMetadata, WriteTransaction};
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::person_set::PersonSet;
use crate::ledger::delivery::DeliveryKind;
use crate::person::mentions::mentioned;
use crate::person::stored::v2::ArchivedDocument;
use crate::person::value::with_document;
use crate::planted::{self, Fault};
use crate::snapshot::Snapshot;
use crate::store::bitmap::{open_set, seal_set};
use crate::store::rows_read;
use crate::store::tables::{FILTERS, FOLLOWERS, MATCHES, NUMBERS, PERSONS, SUBSCRIBERS, name};
use crate::subscriptions::explanation::Explanation;
use crate::subscriptions::stored_filters::{Subscriber, When, read_filters, read_subscribers};
use crate::subscriptions::subject_view::SubjectView;

/// Codes that no filter can name are left out: they match nobody.
fn label(event: Values<'_>) -> Option<EventLabel> {
    let code = EventCode::parse(event.text(Field::EventCode).latin1()).ok()?;
    Some(EventLabel { code, derived_mark: DerivedMark::parse(event.text(Field::DerivedMark).latin1()) })
}

/// The persons of a delivery as the merge passes them, to be held against the filters.
#[derive(Default)]
pub(crate) struct MatchInput {
    persons: Vec<PersonInput>,
    labels: Vec<EventLabel>,
}

struct PersonInput {
    key: PersonKey,
    before: Option<SubjectView>,
    after: Option<SubjectView>,
    labels: Range<usize>,
}

impl MatchInput {
    /// Something to collect persons in, when there are subscribers.
    pub(crate) fn when_wanted(write: &WriteTransaction) -> Result<Option<MatchInput>, Error> {
        let wanted = !write.open_table(SUBSCRIBERS)?.is_empty()?;
        Ok(wanted.then(MatchInput::default))
    }

    pub(crate) fn add(&mut self, before: &CurrentRows<'_>, after: &CurrentRows<'_>, group: &Group) {
        let first = self.labels.len();
        self.labels.extend(group.events().filter_map(|(_, values)| label(values)));
        self.persons.push(PersonInput {
            key: group.key(),
            before: SubjectView::read(before),
            after: SubjectView::read(if planted::is(Fault::MatchOfOldRows) { before } else { after }),
            labels: first..self.labels.len(),
        });
    }
}

/// Matches the persons of a delivery that is being applied, and stores whom each subscriber is told of.
pub(crate) fn write(write: &WriteTransaction, delivery: u32, day: Date, mut input: MatchInput) -> Result<(), Error> {
    let subscribers = read_subscribers(&write.open_table(SUBSCRIBERS)?)?;
    let filters = write.open_table(FILTERS)?;
    let mut subscriptions = Vec::with_capacity(subscribers.len());
    for Subscriber { number, profile, .. } in &subscribers {
        let filters = read_filters(&filters, *number, When::Now, false)?;
        subscriptions.push(Subscription { subscriber: *number, profile: *profile, filters });
    }
    let with_chain = subscribers.iter().any(|subscriber| subscriber.profile.number_chain);
    let (matcher, _) = Matcher::new(subscriptions);
    let (followers, numbers) = (write.open_multimap_table(FOLLOWERS)?, write.open_multimap_table(NUMBERS)?);
    let persons = write.open_table(PERSONS)?;
    let anybody_followed = !followers.is_empty()?;
    input.persons.sort_unstable_by_key(|person| person.key);

    // What those who hold a number name: each is read once, whoever asks.
    let mut holders: HashMap<PersonKey, BTreeSet<PersonKey>> = HashMap::new();
    let mut matching = matcher.deliver(day);
    for person in &input.persons {
        let (mut direct, mut by_chain) = (Vec::new(), Vec::new());
        if anybody_followed {
            direct = followers_of(&followers, person.key)?;
            if with_chain {
                let mut chain = named(person.before.as_ref(), person.after.as_ref());
                for holder in numbers.get(person.key.as_u32())? {
                    let Some(holder) = PersonKey::from_u32(holder?.value()) else { continue };
                    let named = match holders.entry(holder) {
                        Entry::Occupied(named) => named.into_mut(),
                        Entry::Vacant(place) => place.insert(named_now(&persons, holder)?),
                    };
                    if named.contains(&person.key) {
                        chain.insert(holder);
                    }
                }
                by_chain = chain_followers(&chain, person.key, |number| followers_of(&followers, number))?;
            }
        }
        matching.add(&PersonChange {
            number: person.key,
            before: person.before.as_ref().map(|seen| &seen.subject),
            after: person.after.as_ref().map(|seen| &seen.subject),
            events: &input.labels[person.labels.clone()],
            followers: &direct,
            chain_followers: &by_chain,
        });
    }
    let deliveries = matching.finish();
    let mut sets: Vec<(SubscriberNumber, RoaringBitmap)> = Vec::new();
    deliveries.for_each(|subscriber, set| {
        let keys = RoaringBitmap::from_sorted_iter(deliveries.keys(set).map(PersonKey::as_u32));
        sets.push((subscriber, keys.expect("persons were sorted, and each is in a delivery once")));
    });
    let mut table = write.open_table(MATCHES)?;
    let mut sealed = Vec::new();
    for (subscriber, set) in sets {
        seal_set((delivery, subscriber.0), &set, &mut sealed)?;
        table.insert((delivery, subscriber.0), sealed.as_slice())?;
    }
    Ok(())
}

/// The numbers that either image names.
fn named(before: Option<&SubjectView>, after: Option<&SubjectView>) -> BTreeSet<PersonKey> {
    before.into_iter().chain(after).flat_map(|seen| seen.mentions.iter().copied()).collect()
}

fn chain_followers(
    chain: &BTreeSet<PersonKey>,
    own: PersonKey,
    followers: impl Fn(PersonKey) -> Result<Vec<SubscriberNumber>, Error>,
) -> Result<Vec<(PersonKey, SubscriberNumber)>, Error> {
    let mut all = Vec::new();
    for &number in chain.iter().filter(|number| **number != own) {
        all.extend(followers(number)?.into_iter().map(|follower| (number, follower)));
    }
    Ok(all)
}

fn followers_of(
    table: &impl ReadableMultimapTable<u32, u32>,
    number: PersonKey,
) -> Result<Vec<SubscriberNumber>, Error> {
    let mut all = Vec::new();
    for follower in table.get(number.as_u32())? {
        all.push(SubscriberNumber(follower?.value()));
    }
    Ok(all)
}

/// The other numbers of the same person that the records of `holder` name now.
fn named_now(
    persons: &impl ReadableTable<u32, &'static [u8]>,
    holder: PersonKey,
) -> Result<BTreeSet<PersonKey>, Error> {
    rows_read::note(1);
    let Some(stored) = persons.get(holder.as_u32())? else { return Ok(BTreeSet::new()) };
    let named = |document: &ArchivedDocument| document.facts().filter_map(|fact| mentioned(&fact)).collect();
    with_document(holder.as_u32(), stored.value(), named)
}

/// A subscriber that follows a person, and by what.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Follower {
    /// The subscriber.
    pub name: SubscriberName,
    /// Its filters that hold of the person, in the order of filters.
    pub filters: Vec<Filter>,
}

/// A person that a subscriber is told of, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// The person.
    pub pnr: Pnr,
    /// The reasons, those among them that the subscriber's profile does not deliver for included.
    pub reasons: Vec<Reason>,
    /// True when the profile delivered for one of the reasons: the person is in the subscriber's file.
    pub delivered: bool,
}

/// The matches of one subscriber for one delivery.
#[derive(Debug)]
#[non_exhaustive]
pub struct Matches {
    /// The delivery.
    pub delivery: DeliveryNumber,
    /// The subscriber.
    pub subscriber: SubscriberName,
    /// In key order. One that has reasons and is not delivered is among them.
    pub persons: Vec<Match>,
    matcher: Matcher,
}

impl Matches {
    /// The filter that [`Reason::AllOf`] of one of these matches names; none for a reason of others.
    pub fn all_of(&self, number: cpr_subscription::AllOfNumber) -> Option<&Filter> {
        self.matcher.all_of(number)
    }

    /// A reason of one of the matches, told by the filter that holds; none for a reason of others that names a filter
    /// which is not among those of these.
    pub fn explain(&self, pnr: Pnr, reason: &Reason) -> Option<Explanation> {
        Explanation::read(reason, pnr, &self.matcher)
    }
}

impl Snapshot {
    /// Whom a delivery has for a subscriber, by its filters and profile when the delivery was applied. A load has
    /// nobody.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`], [`Error::UnknownSubscriber`].
    pub fn matched(&self, delivery: DeliveryNumber, name: &SubscriberName) -> Result<PersonSet, Error> {
        self.check_known(Some(delivery))?;
        let number = self.subscriber(name)?.number;
        let set = match self.tables().matches.get((delivery.0, number.0))? {
            Some(sealed) => open_set(name::MATCHES, (delivery.0, number.0), sealed.value())?,
            None => RoaringBitmap::new(),
        };
        Ok(PersonSet(set))
    }

    /// As [`Snapshot::matched`], with the reasons: the images before and after the delivery are held against the
    /// filters as they were then. Whom the profile of now would leave out, or would not have, is told as it was.
    ///
    /// # Errors
    /// As [`Snapshot::matched`].
    pub fn matches(&self, delivery: DeliveryNumber, name: &SubscriberName) -> Result<Matches, Error> {
        let ledger = self.delivery(delivery)?;
        let Subscriber { number, profile, .. } = self.subscriber(name)?;
        let matched = self.matched(delivery, name)?;
        let filters = read_filters(&self.tables().filters, number, When::For(delivery.0), true)?;
        let (matcher, followers) = Matcher::new([Subscription { subscriber: number, profile, filters }]);
        let mut persons = Vec::new();
        if ledger.kind != DeliveryKind::Delta {
            return Ok(Matches { delivery, subscriber: name.clone(), persons, matcher });
        }
        let mut holders: HashMap<PersonKey, BTreeSet<PersonKey>> = HashMap::new();
        for key in self.changed_keys(delivery)? | self.redelivered_keys(delivery)? {
            let Some(key) = PersonKey::from_u32(key) else { continue };
            let image = self.around(key, delivery)?;
            let seen_at = |known| SubjectView::read(&CurrentRows::read(image.believed_at(known), None));
            let (before, after) = (seen_at(delivery.0 - 1), seen_at(delivery.0));
            let labels: Vec<EventLabel> = image.events_of(delivery).filter_map(label).collect();
            let mut chain = named(before.as_ref(), after.as_ref());
            for holder in self.mentioned_by(key)? {
                let named = match holders.entry(holder) {
                    Entry::Occupied(named) => named.into_mut(),
                    Entry::Vacant(place) => {
                        let seen = SubjectView::of_image(&self.image(holder, None, delivery)?);
                        place.insert(seen.unwrap_or_default().mentions)
                    }
                };
                if named.contains(&key) {
                    chain.insert(holder);
                }
            }
            let change = PersonChange {
                number: key,
                before: before.as_ref().map(|seen| &seen.subject),
                after: after.as_ref().map(|seen| &seen.subject),
                events: &labels,
                followers: followers.of(key),
                chain_followers: &chain_followers(&chain, key, |number| Ok(followers.of(number).to_vec()))?,
            };
            let mut reasons = Vec::new();
            matcher.reasons_of(number, &change, ledger.production_date, |reason| reasons.push(reason));
            if !reasons.is_empty() {
                reasons.sort_unstable();
                persons.push(Match { pnr: key.pnr(), reasons, delivered: matched.contains(key) });
            }
        }
        Ok(Matches { delivery, subscriber: name.clone(), persons, matcher })
    }

    /// True when a person lives at this address now.
    pub(crate) fn lives_at(&self, key: PersonKey, address: &AddressFilter) -> Result<bool, Error> {
        let seen = SubjectView::of_image(&self.image(key, None, self.known())?).unwrap_or_default();
        let place = seen.subject.municipality.zip(seen.subject.address);
        Ok(place.is_some_and(|(municipality, place)| address.holds(municipality, &place)))
    }

    /// Which subscribers follow a person now, on a day, and by what: for insight, and for the duty to log.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn followers(&self, pnr: Pnr, day: Day) -> Result<Vec<Follower>, Error> {
        let Some(key) = pnr.key() else { return Ok(Vec::new()) };
        let seen = SubjectView::of_image(&self.image(key, None, self.known())?).unwrap_or_default();
        let change = PersonChange {
            number: key,
            before: None,
            after: Some(&seen.subject),
            events: &[],
            followers: &[],
            chain_followers: &[],
        };
        let by_number = self.followers_by_number(key)?;
        let mut all = Vec::new();
        for Subscriber { name, number, .. } in self.subscribers()? {
            let mut following = Vec::new();
            if by_number.contains(&number.0) {
                following.push(Filter::Pnr(key));
            }
            let filters = read_filters(&self.tables().filters, number, When::Now, false)?;
            following.extend(filters.into_iter().filter(|filter| filter.holds_of(&change, day.date())));
            if !following.is_empty() {
                all.push(Follower { name, filters: following });
            }
        }
        Ok(all)
    }
}

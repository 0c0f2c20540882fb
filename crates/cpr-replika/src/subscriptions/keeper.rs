//! Who is needed on a day: persons held against every filter that keeps.

use cpr_model::{Date, PersonKey};
use cpr_subscription::{Filter, Matcher, PersonChange, Profile, Subject, SubscriberNumber, Subscription};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::snapshot::Snapshot;
use crate::subscriptions::keep_settings::{KEEPER, lasting, numbers_in};
use crate::subscriptions::stored_filters::{When, read_filters};

/// The filters that keep persons, as they are at one time.
pub(crate) struct Keeper {
    is_everybody: bool,
    /// Numbers that are named among other things at once, or by the rule itself.
    numbers: RoaringBitmap,
    matcher: Matcher,
}

impl Keeper {
    /// The filters that count from the next delivery on; those of subscribers on numbers are looked up one by one.
    pub(crate) fn now(snapshot: &Snapshot) -> Result<Keeper, Error> {
        let mut filters = read_filters(&snapshot.tables().filters, KEEPER, When::Now, true)?;
        for subscriber in snapshot.subscribers()? {
            filters.extend(read_filters(&snapshot.tables().filters, subscriber.number, When::Now, false)?);
        }
        Ok(Keeper::of(filters.iter().filter_map(lasting)))
    }

    /// These filters, without change codes.
    pub(crate) fn of(filters: impl Iterator<Item = Filter>) -> Keeper {
        let (mut numbers, mut others) = (RoaringBitmap::new(), Vec::new());
        let mut is_everybody = false;
        for filter in filters {
            is_everybody |= filter == Filter::Everything;
            let named = numbers_in(&filter);
            if named.is_empty() {
                others.push(filter);
            }
            numbers.extend(named.into_iter().map(PersonKey::as_u32));
        }
        let subscription = Subscription { subscriber: KEEPER, profile: Profile::SF6002, filters: others };
        Keeper { is_everybody, numbers, matcher: Matcher::new([subscription]).0 }
    }

    /// True when everybody is needed.
    pub(crate) fn is_everybody(&self) -> bool {
        self.is_everybody
    }

    /// Whether one of the filters holds for a person on a day, by its number or as it is.
    pub(crate) fn keeps(&self, key: PersonKey, subject: Option<&Subject>, day: Date) -> bool {
        if self.is_everybody || self.numbers.contains(key.as_u32()) {
            return true;
        }
        let Some(subject) = subject else { return false };
        let change = PersonChange {
            number: key,
            before: None,
            after: Some(subject),
            events: &[],
            followers: &[],
            chain_followers: &[],
        };
        let mut keeps = false;
        self.matcher.reasons(&change, day, |_: SubscriberNumber, _| keeps = true);
        keeps
    }
}

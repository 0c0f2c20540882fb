//! Filters that wait: what they ask for may have been left out before, and only a full extract has the rows.
//!
//! Of a number it is known whether it was left out. Of any other filter nothing is known of those left out but their
//! numbers, so it is marked when it is added, unless everybody whom it can find was kept already.

use cpr_subscription::{Filter, SubscriberName, SubscriberNumber};
use redb::WriteTransaction;

use crate::error::Error;
use crate::index::left_out;
use crate::snapshot::Snapshot;
use crate::store::tables::{META, name};
use crate::subscriptions::keep_settings::{KEEPER, KeepSettings, lasting, numbers_in};
use crate::subscriptions::stored_filters::{When, read_filters};

/// What the settings of filters that wait begin with; number of the subscriber and the filter's bytes follow.
const WAITING: &str = "waiting/";
/// Behind every such setting.
const WAITING_END: &str = "waiting0";

fn setting(subscriber: SubscriberNumber, filter: &Filter) -> String {
    format!("{WAITING}{:010}/{}", subscriber.0, hex::encode(filter.to_bytes()))
}

/// Marks those of these new filters that may ask for who was left out.
pub(crate) fn mark_for_admission<'f>(
    write: &WriteTransaction,
    snapshot: &Snapshot,
    subscriber: SubscriberNumber,
    added: impl Iterator<Item = &'f Filter>,
) -> Result<(), Error> {
    if KeepSettings::read(&snapshot.tables().meta)?.is_none() || !has_left_out(snapshot)? {
        return Ok(());
    }
    let kept = kept_filters(snapshot)?;
    let mut settings = write.open_table(META)?;
    for filter in added {
        if lasting(filter).is_some_and(|lasting| numbers_in(&lasting).is_empty() && !covers(&kept, &lasting)) {
            settings.insert(setting(subscriber, filter).as_str(), "")?;
        }
    }
    Ok(())
}

/// A filter that is there no more does not wait.
pub(crate) fn unmark(write: &WriteTransaction, subscriber: SubscriberNumber, filter: &Filter) -> Result<(), Error> {
    write.open_table(META)?.remove(setting(subscriber, filter).as_str())?;
    Ok(())
}

/// None of these settings is left of a subscriber, or of all.
pub(crate) fn unmark_all(write: &WriteTransaction, subscriber: Option<SubscriberNumber>) -> Result<(), Error> {
    let of = subscriber.map_or(WAITING.to_owned(), |number| format!("{WAITING}{:010}/", number.0));
    let mut settings = write.open_table(META)?;
    settings.retain_in::<&str, _>(WAITING..WAITING_END, |key, _| !key.starts_with(&of))?;
    Ok(())
}

fn has_left_out(snapshot: &Snapshot) -> Result<bool, Error> {
    let kind = left_out::KIND;
    Ok(snapshot.tables().sets.range((kind, 0, 0)..=(kind, u32::MAX, u16::MAX))?.next().transpose()?.is_some())
}

/// The filters by which persons are kept now, on numbers left out, but for those that wait.
fn kept_filters(snapshot: &Snapshot) -> Result<Vec<Filter>, Error> {
    let mut kept = Vec::new();
    let subscribers = snapshot.subscribers()?;
    for number in subscribers.iter().map(|subscriber| subscriber.number).chain([KEEPER]) {
        for filter in read_filters(&snapshot.tables().filters, number, When::Now, false)? {
            if snapshot.tables().meta.get(setting(number, &filter).as_str())?.is_none() {
                kept.extend(lasting(&filter));
            }
        }
    }
    Ok(kept)
}

/// Whether everybody for whom `filter` holds is kept by one of these.
fn covers(kept: &[Filter], filter: &Filter) -> bool {
    kept.iter().any(|kept| holds_wherever(kept, filter))
}

/// Whether `wide` holds for everybody for whom `narrow` does.
fn holds_wherever(wide: &Filter, narrow: &Filter) -> bool {
    match (wide, narrow) {
        (Filter::Everything, _) => true,
        (wide, narrow) if wide == narrow => true,
        (Filter::AllOf(all), narrow) => all.members().iter().all(|wide| holds_wherever(wide, narrow)),
        (wide, Filter::AllOf(all)) => all.members().iter().any(|narrow| holds_wherever(wide, narrow)),
        (Filter::AgeRange(wide), Filter::AgeRange(narrow)) => wide.from() <= narrow.from() && narrow.to() <= wide.to(),
        (Filter::Municipality(wide), Filter::Address(narrow)) => *wide == narrow.municipality,
        _ => false,
    }
}

impl Snapshot {
    /// The filters of a subscriber for which persons may have been left out before the filter was there: they wait for
    /// [`Replika::admit`](crate::Replika::admit), and so does the subscriber's initial load.
    ///
    /// # Errors
    /// [`Error::UnknownSubscriber`]; [`Error::Corrupt`] or a storage failure.
    pub fn waiting_for_admission(&self, name: &SubscriberName) -> Result<Vec<Filter>, Error> {
        self.waiting_of(self.subscriber(name)?.number)
    }

    /// The same of the rule by which persons are kept.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn keep_waiting_for_admission(&self) -> Result<Vec<Filter>, Error> {
        self.waiting_of(KEEPER)
    }

    fn waiting_of(&self, number: SubscriberNumber) -> Result<Vec<Filter>, Error> {
        let mut waiting = Vec::new();
        if KeepSettings::read(&self.tables().meta)?.is_none() {
            return Ok(waiting);
        }
        for filter in read_filters(&self.tables().filters, number, When::Now, true)? {
            let waits = match lasting(&filter).map_or(Vec::new(), |lasting| numbers_in(&lasting)).as_slice() {
                [key, ..] => self.is_left_out(key.pnr())?,
                [] => self.tables().meta.get(setting(number, &filter).as_str())?.is_some(),
            };
            waiting.extend(waits.then_some(filter));
        }
        Ok(waiting)
    }

    /// Settings that cannot be read as filters that wait.
    pub(crate) fn has_sound_marks(&self) -> Result<(), Error> {
        let corrupt = || Error::Corrupt { table: name::META, what: "a filter that waits" };
        for row in self.tables().meta.range::<&str>(WAITING..WAITING_END)? {
            let (key, _) = row?;
            let bytes = key.value().rsplit('/').next().and_then(|text| hex::decode(text).ok());
            Filter::from_bytes(&bytes.ok_or_else(corrupt)?).map_err(|_| corrupt())?;
        }
        Ok(())
    }
}

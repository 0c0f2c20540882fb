//! Whom nobody needs any more: who is held, and was not needed on any day of the grace.
//!
//! Nothing is noted of it from night to night: who was needed when is read off the deliveries and the spans of the
//! filters, as of each production date in the days of grace.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use cpr_model::{CurrentRows, Date, Day, PersonKey};
use cpr_subscription::Filter;
use roaring::RoaringBitmap;

use super::Erasure;
use super::old_events::OldEvents;
use super::receipt::{Going, Receipt};
use super::scope::{EraseScope, Gone};
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::keys::SetKind;
use crate::person::mentions::relatives;
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::rewrite::RewriteProgress;
use crate::store::tables::name;
use crate::subscriptions::keep_settings::{KeepSettings, lasting, numbers_in};
use crate::subscriptions::keeper::Keeper;
use crate::subscriptions::spans::Spans;
use crate::subscriptions::subject_view::SubjectView;

/// What the receipts of those say who went since nobody needs them.
const REASON: &str = "needed by nobody";

/// How those go whom nobody needs.
#[derive(Default)]
pub struct TidyOptions<'a> {
    /// When it is, in seconds since 1970 UTC: for the receipt.
    pub at: Option<i64>,
    /// Event records of deliveries that were produced more than so many days before the last one go too, and their
    /// business events: every reader of the feed must have read them.
    pub keep_events_days: Option<u16>,
    /// Folders of packs of the store that are to hold nothing of them either, as for an erase.
    pub packs: &'a [&'a Path],
    /// Told how far the writing is; `Break` ends it, and the store is as before.
    pub progress: Option<&'a dyn Fn(RewriteProgress) -> ControlFlow<()>>,
}

impl Replika {
    /// Has those go who are held and whom nobody has needed for the days of grace ([`Keep`](crate::Keep)): written as
    /// an erase is, with proof and receipt, but without a bar. They count as left out from then on, and come back whole
    /// with the next delivery that brings them once they are needed again. None when there is nobody to go: packs that
    /// still have somebody who went before are written anew all the same.
    ///
    /// # Errors
    /// As [`Replika::erase`]; [`Error::Unread`] when a reader of events has not come so far.
    pub fn tidy(&self, options: &TidyOptions<'_>) -> Result<Option<Erasure>, Error> {
        let _lock = self.write_lock()?;
        let snapshot = self.snapshot();
        let gone = needless(&snapshot)?;
        let old_events = options.keep_events_days.map(|days| OldEvents::older_than(&snapshot, days)).transpose()?;
        let old_events = old_events.flatten();
        if gone.all.is_empty() && old_events.is_none() {
            options.packs.iter().try_for_each(|folder| snapshot.renew_packs(folder))?;
            return Ok(None);
        }
        let events = old_events
            .as_ref()
            .map_or(String::new(), |old| format!("; event records up to delivery {} kept no longer", old.until));
        let draft =
            Receipt { kind: Going::Tidy, at: options.at, reason: format!("{REASON}{events}"), ..Receipt::default() };
        self.write_without(&snapshot, &gone, old_events, draft, options.packs, options.progress).map(Some)
    }
}

impl Snapshot {
    /// Who would go by [`Replika::tidy`].
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn tidy_scope(&self) -> Result<EraseScope, Error> {
        Ok(needless(self)?.scope)
    }
}

/// A day of the grace: the state then, and the filters that counted.
struct Moment {
    known: DeliveryNumber,
    day: Date,
    /// Its place among the keepers.
    keeper: usize,
}

/// The days of grace.
#[derive(Default)]
struct Grace {
    /// Those of the last day first.
    moments: Vec<Moment>,
    /// Filters that counted at once, but for those on numbers.
    keepers: Vec<Keeper>,
    /// Numbers that a filter named on one of the days.
    numbers: RoaringBitmap,
}

fn needless(snapshot: &Snapshot) -> Result<Gone, Error> {
    let mut gone = Gone::default();
    let Some(settings) = KeepSettings::read(&snapshot.tables().meta)? else { return Ok(gone) };
    let Some(grace) = Grace::read(snapshot, settings)? else { return Ok(gone) };
    let needed = grace.needed(snapshot, settings)?;
    let anybody = needed.iter().fold(RoaringBitmap::new(), |all, set| all | set);
    // A human being is judged once, under whichever number comes first.
    let mut judged = RoaringBitmap::new();
    for key in (snapshot.index_set(SetKind::Held, 0)? - &anybody).iter().filter_map(PersonKey::from_u32) {
        if judged.contains(key.as_u32()) {
            continue;
        }
        let chain = snapshot.numbers(key.pnr(), None)?.map_or(Vec::new(), |chain| chain.numbers);
        let numbers: Vec<PersonKey> = chain.iter().filter_map(|number| number.pnr.key()).collect();
        judged.extend(numbers.iter().map(|key| key.as_u32()));
        let is_needed = numbers.iter().any(|key| anybody.contains(key.as_u32()) || grace.is_named(*key));
        let is_needed = is_needed || settings.families && grace.is_of_family(snapshot, &numbers, &needed)?;
        if !is_needed {
            gone.add(snapshot, key)?;
        }
    }
    gone.count(snapshot)?;
    Ok(gone)
}

impl Grace {
    /// None when everybody was taken in on one of the days, or nothing was.
    fn read(snapshot: &Snapshot, settings: KeepSettings) -> Result<Option<Grace>, Error> {
        let Some(last) = snapshot.last_delivery() else { return Ok(None) };
        let today = Day::at_or_after(last.production_date).map(Day::number);
        let first = today.and_then(|today| Day::from_number(today - i32::from(settings.grace_days)));
        let first = first.map_or(last.production_date, Day::date);
        let mut days = vec![(last.number, last.production_date)];
        // The last delivery twice: with the filters that counted for it, and with those that do now.
        for delivery in snapshot.deliveries()?.iter().rev().take_while(|_| settings.grace_days > 0) {
            days.push((delivery.number, delivery.production_date.max(first)));
            if delivery.production_date <= first {
                break;
            }
        }
        if days.iter().skip(1).any(|(number, _)| number.0 <= settings.since) {
            return Ok(None);
        }
        Grace { moments: Vec::new(), ..Grace::default() }.with_filters(snapshot, &days).map(Some)
    }

    /// Sorts the filters by when they counted.
    fn with_filters(mut self, snapshot: &Snapshot, days: &[(DeliveryNumber, Date)]) -> Result<Grace, Error> {
        let mut counting: Vec<Vec<Filter>> = vec![Vec::new(); days.len()];
        for row in snapshot.tables().filters.iter()? {
            let (key, spans) = row?;
            let corrupt = Error::Corrupt { table: name::FILTERS, what: "a filter that does not unpack" };
            let Some(filter) = lasting(&Filter::from_bytes(key.value().1).map_err(|_| corrupt)?) else { continue };
            let (spans, numbers) = (Spans::from_bytes(spans.value())?, numbers_in(&filter));
            for (at, (number, _)) in days.iter().enumerate() {
                if !(if at == 0 { spans.counts_now() } else { spans.contains(number.0) }) {
                    continue;
                }
                match numbers.is_empty() {
                    true => counting[at].push(filter.clone()),
                    false => self.numbers.extend(numbers.iter().map(|key| key.as_u32())),
                }
            }
        }
        let mut known: BTreeMap<Vec<Filter>, usize> = BTreeMap::new();
        for (&(number, day), mut filters) in days.iter().zip(counting) {
            filters.sort_unstable();
            filters.dedup();
            let keeper = *known.entry(filters.clone()).or_insert_with(|| {
                self.keepers.push(Keeper::of(filters.into_iter()));
                self.keepers.len() - 1
            });
            self.moments.push(Moment { known: number, day, keeper });
        }
        Ok(self)
    }

    fn is_named(&self, key: PersonKey) -> bool {
        self.numbers.contains(key.as_u32())
    }

    /// Who was needed by a filter, one set for each day; without families one who was on any day stands on one.
    fn needed(&self, snapshot: &Snapshot, settings: KeepSettings) -> Result<Vec<RoaringBitmap>, Error> {
        let mut needed = vec![RoaringBitmap::new(); self.moments.len()];
        for key in snapshot.index_set(SetKind::Held, 0)?.iter().filter_map(PersonKey::from_u32) {
            if self.is_named(key) {
                needed.iter_mut().for_each(|set| _ = set.insert(key.as_u32()));
                continue;
            }
            let mut view: Option<(DeliveryNumber, Option<SubjectView>)> = None;
            for (moment, set) in self.moments.iter().zip(&mut needed) {
                // As long as it is the state that the last delivery brought, it is read once.
                let is_same = matches!(&view, Some((since, _)) if *since <= moment.known);
                if !is_same {
                    let image = snapshot.image(key, None, moment.known)?;
                    let since = image.person.as_ref().map(|person| person.delivered()).unwrap_or_default();
                    view = Some((since, SubjectView::of_image(&image)));
                }
                let subject = view.as_ref().and_then(|(_, view)| view.as_ref()).map(|view| &view.subject);
                if subject.is_some() && self.keepers[moment.keeper].keeps(key, subject, moment.day) {
                    set.insert(key.as_u32());
                    if !settings.families {
                        break;
                    }
                }
            }
        }
        Ok(needed)
    }

    /// Whether one of these numbers named somebody of the family who was needed on the same day.
    fn is_of_family(
        &self,
        snapshot: &Snapshot,
        numbers: &[PersonKey],
        needed: &[RoaringBitmap],
    ) -> Result<bool, Error> {
        for (moment, needed) in self.moments.iter().zip(needed) {
            for &number in numbers {
                let image = snapshot.image(number, None, moment.known)?;
                let rows = CurrentRows::read(image.all_facts(), None);
                for named in rows.counting().flat_map(|fact| relatives(&fact)) {
                    if needed.contains(named.as_u32()) || self.is_named(named) {
                        return Ok(true);
                    }
                    let chain = snapshot.numbers(named.pnr(), None)?.map_or(Vec::new(), |chain| chain.numbers);
                    let mut others = chain.iter().filter_map(|number| number.pnr.key());
                    if others.any(|other| needed.contains(other.as_u32()) || self.is_named(other)) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

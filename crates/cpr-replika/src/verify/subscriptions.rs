//! What the tables of subscribers owe each other and the ledger.

use std::collections::BTreeSet;

use cpr_model::{Date, PersonKey};
use cpr_subscription::Filter;
use roaring::RoaringBitmap;

use super::VerifyReport;
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::delivery::DeliveryKind;
use crate::snapshot::Snapshot;
use crate::store::bitmap::open_set;
use crate::store::tables::name;
use crate::subscriptions::keep_settings::{KEEPER, KeepSettings};
use crate::subscriptions::spans::Spans;

impl Snapshot {
    /// `last` is the last delivery that there can be.
    pub(super) fn verify_subscriptions(&self, report: &mut VerifyReport, last: u32) -> Result<(), Error> {
        let Some(subscribers) = report.sound(self.subscribers())? else { return Ok(()) };
        let numbers: BTreeSet<u32> = subscribers.iter().map(|subscriber| subscriber.number.0).collect();
        report.expect(numbers.len() == subscribers.len(), name::SUBSCRIBERS, "two subscribers with one number");
        for verify in [Self::verify_filters, Self::verify_matches, Self::verify_streams] {
            let verified = verify(self, report, &numbers, last);
            report.sound(verified)?;
        }
        Ok(())
    }

    /// Every file was given to a subscriber, of a delivery.
    fn verify_streams(&self, report: &mut VerifyReport, numbers: &BTreeSet<u32>, last: u32) -> Result<(), Error> {
        for row in self.tables().streams.range::<(u32, u32)>(..)? {
            let (key, date) = row?;
            let (subscriber, delivery) = key.value();
            report.expect(numbers.contains(&subscriber), name::STREAMS, "a file of no subscriber");
            report.expect((1..=last).contains(&delivery), name::STREAMS, "a file of no delivery");
            report.expect(Date::from_digits(date.value()).is_some(), name::STREAMS, "not a date");
        }
        Ok(())
    }

    /// Every filter unpacks and belongs to a subscriber; who follows a number now stands with the number, and nobody
    /// else.
    fn verify_filters(&self, report: &mut VerifyReport, numbers: &BTreeSet<u32>, last: u32) -> Result<(), Error> {
        let mut following = 0;
        let has_rule = report.sound(KeepSettings::read(&self.tables().meta))?.flatten().is_some();
        for row in self.tables().filters.range::<(u32, &[u8])>(..)? {
            let (key, spans) = row?;
            let (subscriber, bytes) = key.value();
            let is_rule = subscriber == KEEPER.0;
            let is_of_somebody = numbers.contains(&subscriber) || is_rule && has_rule;
            report.expect(is_of_somebody, name::FILTERS, "a filter of no subscriber");
            let Some(spans) = report.sound(Spans::from_bytes(spans.value()))? else { continue };
            report.expect(spans.is_sound(last), name::FILTERS, "spans that cannot be");
            match Filter::from_bytes(bytes) {
                Err(_) => report.fault(name::FILTERS, "a filter that does not unpack"),
                Ok(Filter::Pnr(person)) if spans.counts_now() && !is_rule => {
                    following += 1;
                    let stands = self.followers_by_number(person)?.contains(&subscriber);
                    report.expect(stands, name::FOLLOWERS, "a filter on a number that does not stand with the number");
                }
                Ok(_) => {}
            }
        }
        report.expect(
            self.tables().followers.len()? == following,
            name::FOLLOWERS,
            "a follower of a number without a filter on it",
        );
        Ok(())
    }

    /// Whom a delta had for a subscriber was in the delta.
    fn verify_matches(&self, report: &mut VerifyReport, numbers: &BTreeSet<u32>, last: u32) -> Result<(), Error> {
        let mut brought = (0, None);
        for row in self.tables().matches.range::<(u32, u32)>(..)? {
            let (key, sealed) = row?;
            let (delivery, subscriber) = key.value();
            report.expect(numbers.contains(&subscriber), name::MATCHES, "matches of no subscriber");
            if brought.0 != delivery {
                brought = (delivery, self.brought(report, delivery, last)?);
            }
            let read = open_set(name::MATCHES, (delivery, subscriber), sealed.value());
            let Some(matched) = report.sound(read)? else { continue };
            let was_brought = brought.1.as_ref().is_none_or(|brought| matched.is_subset(brought));
            report.expect(was_brought, name::MATCHES, "a match that was not in the delivery");
            let is_known = matched.iter().all(|key| PersonKey::from_u32(key).is_some());
            report.expect(is_known, name::MATCHES, "a key of no number");
        }
        Ok(())
    }

    /// Whom a delta brought; nobody when it is a load, and none when what says so is lost.
    fn brought(&self, report: &mut VerifyReport, delivery: u32, last: u32) -> Result<Option<RoaringBitmap>, Error> {
        if !(1..=last).contains(&delivery) {
            report.fault(name::MATCHES, "matches of no delivery");
            return Ok(None);
        }
        let delivery = DeliveryNumber(delivery);
        let Some(ledger) = report.sound_of(self.delivery(delivery), name::MATCHES)? else { return Ok(None) };
        report.expect(ledger.kind == DeliveryKind::Delta, name::MATCHES, "matches of a load");
        let changed = report.sound_of(self.changed_keys(delivery), name::CHANGED)?;
        let redelivered = report.sound_of(self.redelivered_keys(delivery), name::REDELIVERED)?;
        Ok(changed.zip(redelivered).map(|(changed, redelivered)| changed | redelivered))
    }
}

#[cfg(test)]
#[path = "subscriptions_tests.rs"]
mod tests;

//! Who is born between two dates: numbers are in the order of the dates they say, so that a range of dates is a range
//! of keys; those whose recorded date is another one are kept apart.

use std::ops::RangeInclusive;

use cpr_model::{Date, PersonKey};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::sets::add_set;
use crate::index::years::Years;
use crate::snapshot::Snapshot;

/// The persons whose recorded birth date lies between two dates, as a rule for larger sets.
pub(crate) struct Born {
    /// Whose number says such a date; none when no number can.
    keys: Option<RangeInclusive<u32>>,
    /// Whose number says such a date while another one is recorded.
    elsewhere: RoaringBitmap,
    /// Whose recorded date is such a one while the number says another.
    within: RoaringBitmap,
}

impl Born {
    /// Reads the exceptions. Dates compare by their digits; who has no recorded date is never among them.
    pub(crate) fn read(snapshot: &Snapshot, dates: &RangeInclusive<Date>) -> Result<Born, Error> {
        let keys = PersonKey::values_of_dates(dates);
        let (mut within, odd) = (RoaringBitmap::new(), SetKind::DifferingBirthDate as u8);
        let (first, last) = (dates.start().digits().max(1), dates.end().digits());
        if first <= last {
            for row in snapshot.tables().sets.range((odd, first, 0)..=(odd, last, u16::MAX))? {
                let (key, sealed) = row?;
                add_set(key.value(), sealed.value(), &mut within)?;
            }
        }
        let mut elsewhere = RoaringBitmap::new();
        if let Some(keys) = &keys {
            elsewhere = snapshot.index_within(SetKind::OtherThanNumber, 0, &Years::of_keys(keys.clone()))? - &within;
        }
        Ok(Born { keys, elsewhere, within })
    }

    /// The years of numbers in which there can be anybody.
    pub(crate) fn years(&self) -> Years {
        let numbers = self.keys.clone().map(Years::of_keys);
        self.within.iter().map(|key| Years::of_keys(key..=key)).chain(numbers).fold(Years::none(), Years::joined)
    }

    /// Leaves those in a set of persons who are held and born so.
    pub(crate) fn keep(&self, found: &mut RoaringBitmap) {
        let odd = &*found & &self.within;
        match &self.keys {
            Some(keys) => {
                found.remove_range(..*keys.start());
                found.remove_range((*keys.end()).saturating_add(1)..);
                *found -= &self.elsewhere;
            }
            None => found.clear(),
        }
        *found |= odd;
    }
}

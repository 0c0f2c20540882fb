//! Sets of persons, and queries that make them from the secondary indexes.
//!
//! A query is a set expression over what is known now: it is answered from the indexes alone, without reading a person,
//! so counting ten thousands costs as little as counting ten.

use std::ops::RangeInclusive;

use cpr_model::{Aspect, CountryCode, Date, MunicipalityCode, ProtectionKind, Status, StreetCode};
use cpr_subscription::HouseNumber;
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::keys::{SetKind, house, street};
use crate::index::person_set::PersonSet;
use crate::index::sets::{Row, add_set, open_set};
use crate::index::years::Years;
use crate::refusal::Refusal;
use crate::search::born::Born;
use crate::snapshot::Snapshot;
use crate::store::config::Config;

/// A set expression: whom to find among those held now.
#[derive(Clone, Debug)]
pub enum Query {
    /// Everybody.
    All,
    /// Who lives in a municipality (KOMKOD of the current address).
    Municipality(MunicipalityCode),
    /// Who lives in a street, and when asked for, in one of these houses. Houses order by number, then by letter; a
    /// number without a letter stands before the same one with a letter.
    Street {
        /// KOMKOD; street codes are unique within it.
        municipality: MunicipalityCode,
        /// VEJKOD.
        street: StreetCode,
        /// HUSNR, from and to; none: all of the street.
        houses: Option<RangeInclusive<HouseNumber>>,
    },
    /// Who has this STATUS.
    Status(Status),
    /// Who has a protection of this kind on record, in force or not.
    Protection(ProtectionKind),
    /// Who has this citizenship.
    Citizenship(CountryCode),
    /// Whose *recorded* birth date (FOED_DT) lies between these, both included. Dates compare by their digits, so an
    /// unknown month or day (00) comes before any other; who has no recorded date is never among them.
    Born(RangeInclusive<Date>),
    /// Whom a delivery changed.
    Changed(DeliveryNumber),
    /// Whom a delivery brought an event of this change code (HAENDELSE).
    ChangedBy(DeliveryNumber, String),
    /// These persons, as far as they are held.
    Persons(PersonSet),
    /// Who is in every one.
    And(Vec<Query>),
    /// Who is in any one.
    Or(Vec<Query>),
    /// Everybody else.
    Not(Box<Query>),
}

impl Query {
    /// The one index that answers it, and its value.
    fn index(&self) -> Option<(SetKind, u32)> {
        match self {
            Query::All => Some((SetKind::Held, 0)),
            Query::Municipality(code) => Some((SetKind::Municipality, code.0.into())),
            Query::Status(status) => Some((SetKind::Status, status.0.into())),
            Query::Protection(kind) => Some((SetKind::Protection, kind.0.into())),
            Query::Citizenship(country) => Some((SetKind::Citizenship, country.0.into())),
            _ => None,
        }
    }

    /// An aspect that it asks for and that the store does not hold.
    fn aspect_not_held(&self, config: &Config) -> Option<Aspect> {
        let aspect = match self {
            Query::Municipality(_) | Query::Street { .. } => Aspect::Address,
            Query::Protection(_) => Aspect::Protection,
            Query::Citizenship(_) => Aspect::Citizenship,
            Query::And(list) | Query::Or(list) => return list.iter().find_map(|query| query.aspect_not_held(config)),
            Query::Not(query) => return query.aspect_not_held(config),
            Query::All | Query::Status(_) | Query::Born(_) | Query::Persons(_) => return None,
            Query::Changed(_) | Query::ChangedBy(..) => return None,
        };
        (!config.carries(aspect)).then_some(aspect)
    }
}

impl Snapshot {
    /// Finds persons by what is known of them now. The number of a set is its [`PersonSet::len`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Query, cpr_model::{MunicipalityCode, Status}};
    /// let here = Query::And(vec![Query::Municipality(MunicipalityCode(851)), Query::Status(Status(1))]);
    /// assert_eq!(demo()?.snapshot().find(&here)?.len(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when a delivery is named that there is not; [`Error::Search`] when the store does not
    /// hold what is asked for; [`Error::Corrupt`] or a storage failure.
    pub fn find(&self, query: &Query) -> Result<PersonSet, Error> {
        self.check_held(query)?;
        self.evaluate(query, &Years::all()).map(PersonSet)
    }

    /// How many persons [`Snapshot::find`] finds. What one index answers (a municipality, a status, everybody) is
    /// counted without reading who they are.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Query, cpr_model::MunicipalityCode};
    /// assert_eq!(demo()?.snapshot().count(&Query::Municipality(MunicipalityCode(851)))?, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::find`].
    pub fn count(&self, query: &Query) -> Result<u64, Error> {
        self.check_held(query)?;
        let Some((kind, value)) = query.index() else {
            return self.evaluate(query, &Years::all()).map(|found| found.len());
        };
        let mut count = 0;
        for row in self.tables().sets.range((kind as u8, value, 0)..=(kind as u8, value, u16::MAX))? {
            let (key, sealed) = row?;
            count += open_set(key.value(), sealed.value())?.len;
        }
        Ok(count)
    }

    fn check_held(&self, query: &Query) -> Result<(), Error> {
        match query.aspect_not_held(self.settings()) {
            Some(aspect) => Err(Refusal::NotHeld { aspect }.into()),
            None => Ok(()),
        }
    }

    /// Who is found, among those whose numbers are of these years; of other years there may be anybody.
    fn evaluate(&self, query: &Query, years: &Years) -> Result<RoaringBitmap, Error> {
        if let Some((kind, value)) = query.index() {
            return self.index_within(kind, value, years);
        }
        match query {
            Query::Street { municipality, street, houses } => {
                let inside = |at: u32| {
                    houses
                        .as_ref()
                        .is_none_or(|houses| (house(Some(*houses.start()))..=house(Some(*houses.end()))).contains(&at))
                };
                let residents = self.residents(*municipality, *street)?;
                Ok(residents.into_iter().filter(|(at, _)| inside(*at)).map(|(_, key)| key).collect())
            }
            Query::Changed(delivery) => self.changed_keys(*delivery),
            Query::ChangedBy(delivery, code) => self.changed_by_keys(*delivery, code.as_bytes()),
            Query::Persons(persons) => {
                let Some(keys) = persons.0.min().zip(persons.0.max()) else { return Ok(RoaringBitmap::new()) };
                let years = years.shared_with(&Years::of_keys(keys.0..=keys.1));
                Ok(&persons.0 & self.index_within(SetKind::Held, 0, &years)?)
            }
            Query::Born(_) => self.intersection(std::slice::from_ref(query), years),
            Query::And(all) => self.intersection(all, years),
            Query::Or(any) => {
                let sets = any.iter().map(|query| self.evaluate(query, years));
                sets.collect::<Result<Vec<_>, _>>()
                    .map(|sets| sets.into_iter().fold(RoaringBitmap::new(), |a, b| a | b))
            }
            Query::Not(query) => Ok(self.index_within(SetKind::Held, 0, years)? - self.evaluate(query, years)?),
            Query::All | Query::Municipality(_) | Query::Status(_) | Query::Protection(_) | Query::Citizenship(_) => {
                unreachable!("one index answers it")
            }
        }
    }

    /// Who is in every set: dates of birth say of which years, and what is to be left out is taken away instead of
    /// turned around.
    fn intersection(&self, all: &[Query], years: &Years) -> Result<RoaringBitmap, Error> {
        let dates = all.iter().filter_map(|query| if let Query::Born(dates) = query { Some(dates) } else { None });
        let born = dates.map(|dates| Born::read(self, dates)).collect::<Result<Vec<_>, _>>()?;
        let years = born.iter().fold(years.clone(), |years, born| years.shared_with(&born.years()));
        let mut found: Option<RoaringBitmap> = None;
        for query in all.iter().filter(|query| !matches!(query, Query::Not(_) | Query::Born(_))) {
            let set = self.evaluate(query, &years)?;
            found = Some(match found {
                Some(found) => found & set,
                None => set,
            });
        }
        let mut found = found.map_or_else(|| self.index_within(SetKind::Held, 0, &years), Ok)?;
        for born in &born {
            born.keep(&mut found);
        }
        for query in all {
            if let Query::Not(query) = query {
                found -= self.evaluate(query, &years)?;
            }
        }
        Ok(found)
    }

    /// Everybody of one value.
    pub(crate) fn index_set(&self, kind: SetKind, value: u32) -> Result<RoaringBitmap, Error> {
        self.index_within(kind, value, &Years::all())
    }

    /// Those of one value whose numbers are of these years.
    pub(crate) fn index_within(&self, kind: SetKind, value: u32, years: &Years) -> Result<RoaringBitmap, Error> {
        let mut all = RoaringBitmap::new();
        for span in years.spans() {
            let (first, last) = ((kind as u8, value, *span.start()), (kind as u8, value, *span.end()));
            for row in self.tables().sets.range(first..=last)? {
                let (key, sealed) = row?;
                add_set(key.value(), sealed.value(), &mut all)?;
            }
        }
        Ok(all)
    }

    /// House number and person of everybody in a street.
    fn residents(&self, municipality: MunicipalityCode, code: StreetCode) -> Result<Vec<(u32, u32)>, Error> {
        self.residents_of(street(municipality.0, code.0))
    }

    /// The same of a street by the value of its row.
    pub(crate) fn residents_of(&self, street: u32) -> Result<Vec<(u32, u32)>, Error> {
        let key = (SetKind::Street as u8, street, 0);
        match self.tables().sets.get(key)?.map(|sealed| Row::open(key, sealed.value())).transpose()? {
            Some(Row::Street(entries)) => Ok(entries),
            _ => Ok(Vec::new()),
        }
    }
}

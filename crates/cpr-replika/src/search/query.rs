//! Sets of persons, and queries that make them from the secondary indexes.
//!
//! A query is a set expression over what is known now: it is answered from the indexes alone, without reading a person,
//! so counting ten thousands costs as little as counting ten.

use std::ops::RangeInclusive;

use cpr_model::{Aspect, CountryCode, Date, MunicipalityCode, PersonKey, ProtectionKind, Status, StreetCode};
use cpr_subscription::HouseNumber;
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::keys::{SetKind, house, street, year_of};
use crate::index::person_set::PersonSet;
use crate::index::sets::Row;
use crate::refusal::Refusal;
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
        if let Some(aspect) = query.aspect_not_held(self.settings()) {
            return Err(Refusal::NotHeld { aspect }.into());
        }
        self.evaluate(query).map(PersonSet)
    }

    fn evaluate(&self, query: &Query) -> Result<RoaringBitmap, Error> {
        match query {
            Query::All => self.index_set(SetKind::Held, 0),
            Query::Municipality(code) => self.index_set(SetKind::Municipality, code.0.into()),
            Query::Status(status) => self.index_set(SetKind::Status, status.0.into()),
            Query::Protection(kind) => self.index_set(SetKind::Protection, kind.0.into()),
            Query::Citizenship(country) => self.index_set(SetKind::Citizenship, country.0.into()),
            Query::Street { municipality, street, houses } => {
                let inside = |at: u32| {
                    houses
                        .as_ref()
                        .is_none_or(|houses| (house(Some(*houses.start()))..=house(Some(*houses.end()))).contains(&at))
                };
                let residents = self.residents(*municipality, *street)?;
                Ok(residents.into_iter().filter(|(at, _)| inside(*at)).map(|(_, key)| key).collect())
            }
            Query::Born(dates) => self.born(dates),
            Query::Changed(delivery) => self.changed_keys(*delivery),
            Query::ChangedBy(delivery, code) => self.changed_by_keys(*delivery, code.as_bytes()),
            Query::Persons(persons) => Ok(&persons.0 & self.index_set(SetKind::Held, 0)?),
            Query::And(all) => self.intersection(all),
            Query::Or(any) => {
                let sets = any.iter().map(|query| self.evaluate(query));
                sets.collect::<Result<Vec<_>, _>>()
                    .map(|sets| sets.into_iter().fold(RoaringBitmap::new(), |a, b| a | b))
            }
            Query::Not(query) => Ok(self.index_set(SetKind::Held, 0)? - self.evaluate(query)?),
        }
    }

    /// Who is in every set; what is to be left out is taken away instead of turned around.
    fn intersection(&self, all: &[Query]) -> Result<RoaringBitmap, Error> {
        let mut found: Option<RoaringBitmap> = None;
        for query in all.iter().filter(|query| !matches!(query, Query::Not(_))) {
            let set = self.evaluate(query)?;
            found = Some(found.map_or(set.clone(), |found| found & set));
        }
        let mut found = found.map_or_else(|| self.index_set(SetKind::Held, 0), Ok)?;
        for query in all {
            if let Query::Not(query) = query {
                found -= self.evaluate(query)?;
            }
        }
        Ok(found)
    }

    /// The years of one value, joined: they hold different keys, so they are put end to end.
    pub(crate) fn index_set(&self, kind: SetKind, value: u32) -> Result<RoaringBitmap, Error> {
        self.index_years(kind, value, 0..=u16::MAX)
    }

    pub(crate) fn index_years(
        &self,
        kind: SetKind,
        value: u32,
        years: RangeInclusive<u16>,
    ) -> Result<RoaringBitmap, Error> {
        let mut all = RoaringBitmap::new();
        let (first, last) = years.into_inner();
        for row in self.tables().sets.range((kind as u8, value, first)..=(kind as u8, value, last))? {
            let (key, sealed) = row?;
            if let Row::Set(set) = Row::open(key.value(), sealed.value())? {
                all |= set;
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

    /// Numbers are in the order of the dates they say, so a range of dates is a range of keys; those whose recorded
    /// date is another one are kept apart.
    pub(crate) fn born(&self, dates: &RangeInclusive<Date>) -> Result<RoaringBitmap, Error> {
        let mut found = RoaringBitmap::new();
        if let Some(keys) = PersonKey::values_of_dates(dates) {
            found = self.index_years(SetKind::Held, 0, year_of(*keys.start())..=year_of(*keys.end()))?;
            found.remove_range(..*keys.start());
            found.remove_range((*keys.end()).saturating_add(1)..);
        }
        let odd = SetKind::DifferingBirthDate as u8;
        let (mut elsewhere, mut within) = (RoaringBitmap::new(), RoaringBitmap::new());
        for row in self.tables().sets.range((odd, 0, 0)..=(odd, u32::MAX, u16::MAX))? {
            let (key, sealed) = row?;
            let (_, digits, _) = key.value();
            let recorded = Date::from_digits(digits).filter(|date| date.digits() != 0 && dates.contains(date));
            if let Row::Set(set) = Row::open(key.value(), sealed.value())? {
                if recorded.is_some() { within |= set } else { elsewhere |= set }
            }
        }
        Ok((found - elsewhere) | within)
    }
}

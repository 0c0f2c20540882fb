//! A consistent view of the replica.

use std::sync::Arc;

use cpr_model::{Aspect, Day, Fact, PersonKey, Pnr, Timestamp};
use roaring::RoaringBitmap;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::delivery::Delivery;
use crate::ledger::erases::erase_count;
use crate::person::image::{Holding, Image, Person};
use crate::person::value::PastSegment;
use crate::store::bitmap::open_set;
use crate::store::config::Config;
use crate::store::file::Opened;
use crate::store::source::Source;
use crate::store::tables::{OPEN_SEGMENT, Tables, name};

/// Persons that are read at once where many are walked through.
const BATCH: usize = 64;

/// The state after one delivery, for as long as it is held. `Send + Sync`, cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    inner: Arc<Inner>,
}

struct Inner {
    source: Source,
    config: Config,
    last: Option<Delivery>,
}

/// Says which delivery it stands at.
impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot at delivery {}", self.known())
    }
}

impl Snapshot {
    pub(crate) fn take(database: &Arc<Opened>) -> Result<Snapshot, Error> {
        Snapshot::over(Source::of_store(database)?)
    }

    pub(crate) fn over(source: Source) -> Result<Snapshot, Error> {
        let config = source.config()?;
        let last = match source.tables().deliveries.last()? {
            None => None,
            Some((number, sealed)) => Some(Delivery::open(DeliveryNumber(number.value()), sealed.value())?),
        };
        Ok(Snapshot { inner: Arc::new(Inner { source, config, last }) })
    }

    /// What the store is for.
    pub fn settings(&self) -> &Config {
        &self.inner.config
    }

    /// The last delivery; 0 when there is none.
    pub fn known(&self) -> DeliveryNumber {
        self.inner.last.as_ref().map_or(DeliveryNumber(0), |last| last.number)
    }

    /// The last delivery with all that the ledger says about it.
    pub fn last_delivery(&self) -> Option<&Delivery> {
        self.inner.last.as_ref()
    }

    /// The ledger, oldest first.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let replika = demo()?;
    /// let dates: Vec<u32> = replika.snapshot().deliveries()?.iter().map(|row| row.production_date.digits()).collect();
    /// assert_eq!(dates, [20260105, 20260106]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure, here as in every read below.
    pub fn deliveries(&self) -> Result<Vec<Delivery>, Error> {
        let mut all = Vec::new();
        for row in self.tables().deliveries.iter()? {
            let (number, sealed) = row?;
            all.push(Delivery::open(DeliveryNumber(number.value()), sealed.value())?);
        }
        Ok(all)
    }

    /// One delivery of the ledger.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::DeliveryNumber;
    /// let counts = demo()?.snapshot().delivery(DeliveryNumber(2))?.counts;
    /// assert_eq!((counts.persons_new, counts.persons_changed), (1, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is none with this number.
    pub fn delivery(&self, number: DeliveryNumber) -> Result<Delivery, Error> {
        match &self.inner.last {
            Some(last) if last.number == number => Ok(last.clone()),
            _ => match self.tables().deliveries.get(number.0)? {
                Some(sealed) => Delivery::open(number, sealed.value()),
                None => Err(self.unknown(number)),
            },
        }
    }

    /// The last delivery with a production date on or before this one: what we knew at the end of that day.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::DeliveryNumber;
    /// let sunday = "2026-01-11".parse()?;
    /// assert_eq!(demo()?.snapshot().delivery_on(sunday)?, DeliveryNumber(2));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when the first delivery is later.
    pub fn delivery_on(&self, day: Day) -> Result<DeliveryNumber, Error> {
        for row in self.tables().deliveries.iter()?.rev() {
            let (number, sealed) = row?;
            let delivery = Delivery::open(DeliveryNumber(number.value()), sealed.value())?;
            if delivery.production_date <= day.date() {
                return Ok(delivery.number);
            }
        }
        Err(self.unknown(DeliveryNumber(0)))
    }

    /// The person as known now, read in place; none when the replica does not hold the number.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::cpr_model::{MunicipalityCode, Pnr};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let snapshot = replika.snapshot();
    /// let person = snapshot.person(sofie)?.ok_or("held")?;
    /// assert_eq!(person.address().and_then(|row| row.municipality_code()), Some(MunicipalityCode(851)));
    /// assert_eq!((person.children().len(), person.protections().len()), (2, 0));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the stored value does not decode.
    #[inline]
    pub fn person(&self, pnr: Pnr) -> Result<Option<Person<'_>>, Error> {
        match pnr.key() {
            Some(key) => self.held(key),
            None => Ok(None),
        }
    }

    /// Many persons as known now, in the order of the numbers: each as [`Snapshot::person`] reads it. Of packs that are
    /// mapped or in memory it takes a fraction of the time of as many calls, since the processor fetches the persons
    /// side by side; some dozens at once are enough for that. Of a store it takes the same.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::cpr_model::Pnr;
    /// let replika = demo()?;
    /// let snapshot = replika.snapshot();
    /// let numbers = [b"6101801234", b"7012999999"].map(|digits| Pnr::parse(digits));
    /// let numbers: Vec<Pnr> = numbers.into_iter().flatten().collect();
    /// let held: Vec<bool> = snapshot.persons(&numbers)?.iter().map(Option::is_some).collect();
    /// assert_eq!(held, [true, false]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::person`], when one of the persons has one.
    pub fn persons(&self, pnrs: &[Pnr]) -> Result<Vec<Option<Person<'_>>>, Error> {
        let mut keys = Vec::with_capacity(pnrs.len());
        keys.extend(pnrs.iter().filter_map(|pnr| pnr.key()).map(PersonKey::as_u32));
        let persons = self.held_many(&keys)?;
        if persons.len() == pnrs.len() {
            return Ok(persons);
        }
        let mut persons = persons.into_iter();
        Ok(pnrs.iter().map(|pnr| pnr.key().and_then(|_| persons.next().flatten())).collect())
    }

    /// The person as of a moment in the world (none: all of valid time) and a delivery (none: now).
    ///
    /// A question about a day is asked at [`Timestamp::end_of`] it: what began in its course holds on it. Rows that CPR
    /// does not date (001, 003, 009, 014, 015) hold whatever the moment.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{DeliveryNumber, cpr_model::{Date, MunicipalityCode, Pnr, Timestamp}};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let snapshot = replika.snapshot();
    /// let new_year = Timestamp::end_of(Date::parse("2025-12-31").ok_or("a date")?);
    /// let lived = |known| -> Result<_, cpr_replika::Error> {
    ///     let image = snapshot.as_of(sofie, Some(new_year), Some(DeliveryNumber(known)))?;
    ///     Ok(image.and_then(|image| image.address()?.municipality_code()))
    /// };
    /// assert_eq!(lived(1)?, Some(MunicipalityCode(101)), "what we knew on 5 January");
    /// assert_eq!(lived(2)?, Some(MunicipalityCode(851)), "what we learnt on 6 January");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn as_of(
        &self,
        pnr: Pnr,
        valid: Option<Timestamp>,
        known: Option<DeliveryNumber>,
    ) -> Result<Option<Image<'_>>, Error> {
        let known = self.check_known(known)?;
        let Some(key) = pnr.key() else { return Ok(None) };
        let image = self.image(key, valid, known)?;
        if image.is_held() { Ok(Some(image)) } else { Ok(None) }
    }

    /// Many persons as of a moment and a delivery, in the order of the numbers: each as [`Snapshot::as_of`] reads it,
    /// and read side by side as [`Snapshot::persons`] reads them.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{DeliveryNumber, cpr_model::Pnr};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// let snapshot = replika.snapshot();
    /// let children = snapshot.person(sofie)?.ok_or("held")?.children();
    /// let held = |known| -> Result<usize, cpr_replika::Error> {
    ///     Ok(snapshot.persons_as_of(&children, None, Some(DeliveryNumber(known)))?.iter().flatten().count())
    /// };
    /// assert_eq!((held(1)?, held(2)?), (0, 1), "one was born on 6 January, of the other there are no records");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::as_of`], when one of the persons has one.
    pub fn persons_as_of(
        &self,
        pnrs: &[Pnr],
        valid: Option<Timestamp>,
        known: Option<DeliveryNumber>,
    ) -> Result<Vec<Option<Image<'_>>>, Error> {
        let known = self.check_known(known)?;
        let mut images = Vec::with_capacity(pnrs.len());
        for (pnr, person) in pnrs.iter().zip(self.persons(pnrs)?) {
            let image = pnr.key().map(|key| self.image_of(key, person, valid, known)).transpose()?;
            images.push(image.filter(Image::is_held));
        }
        Ok(images)
    }

    #[inline]
    pub(crate) fn image(
        &self,
        key: PersonKey,
        valid: Option<Timestamp>,
        known: DeliveryNumber,
    ) -> Result<Image<'_>, Error> {
        self.image_of(key, self.held(key)?, valid, known)
    }

    /// As [`Snapshot::image`], of a person who has been read.
    #[inline]
    pub(crate) fn image_of<'s>(
        &'s self,
        key: PersonKey,
        person: Option<Person<'s>>,
        valid: Option<Timestamp>,
        known: DeliveryNumber,
    ) -> Result<Image<'s>, Error> {
        // Nothing ceased to be believed of a person after the last delivery that changed it.
        let includes_past = person.as_ref().is_some_and(|person| person.delivered() > known);
        let segments = match &person {
            Some(person) if includes_past => self.segments(key, person, known)?,
            _ => Vec::new(),
        };
        Ok(Image { person, includes_past, segments, known, valid })
    }

    /// The person as of a delivery, with what it changed: [`Image::believed_at`] also tells what was believed before
    /// it.
    pub(crate) fn around(&self, key: PersonKey, delivery: DeliveryNumber) -> Result<Image<'_>, Error> {
        let person = self.held(key)?;
        let before = DeliveryNumber(delivery.0.saturating_sub(1));
        let segments = person.as_ref().map_or(Ok(Vec::new()), |person| self.segments(key, person, before))?;
        Ok(Image { person, includes_past: true, segments, known: delivery, valid: None })
    }

    /// The person as known now, with everything that ever happened to it.
    pub(crate) fn whole(&self, key: PersonKey) -> Result<Image<'_>, Error> {
        let person = self.held(key)?;
        let segments =
            person.as_ref().map_or(Ok(Vec::new()), |person| self.segments(key, person, DeliveryNumber(0)))?;
        Ok(Image { person, includes_past: true, segments, known: self.known(), valid: None })
    }

    #[inline]
    fn held(&self, key: PersonKey) -> Result<Option<Person<'_>>, Error> {
        let key = key.as_u32();
        self.tables().persons.get_with(key, |guard| Person::open(key, guard))
    }

    fn held_many(&self, keys: &[u32]) -> Result<Vec<Option<Person<'_>>>, Error> {
        let mut persons = Vec::with_capacity(keys.len());
        self.tables().persons.get_many(keys, |key, guard| {
            persons.push(match guard {
                Some(guard) => Some(Person::open(key, guard)?),
                None => None,
            });
            Ok(())
        })?;
        Ok(persons)
    }

    /// Goes through those of these persons whom the replica holds, in their order, as known now.
    pub(crate) fn for_each_held(
        &self,
        keys: impl Iterator<Item = PersonKey>,
        mut act: impl FnMut(PersonKey, &Person<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut keys, mut batch, mut numbers) = (keys, Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        loop {
            batch.clear();
            batch.extend(keys.by_ref().take(BATCH));
            if batch.is_empty() {
                return Ok(());
            }
            numbers.clear();
            numbers.extend(batch.iter().map(|key| key.as_u32()));
            for (key, person) in batch.iter().zip(self.held_many(&numbers)?) {
                person.map_or(Ok(()), |person| act(*key, &person))?;
            }
        }
    }

    /// Validates the past in a person's value, and reads what was put away before it when that counts as of a delivery.
    fn segments(
        &self,
        key: PersonKey,
        person: &Person<'_>,
        known: DeliveryNumber,
    ) -> Result<Vec<PastSegment<'_>>, Error> {
        let (mut rows, key) = (Vec::new(), key.as_u32());
        let since = person.past()?.map_or(0, |past| past.since.to_native());
        if since > known.0 {
            for row in self.tables().superseded.range((key, known.0 + 1)..=(key, OPEN_SEGMENT))? {
                let (row, sealed) = row?;
                rows.push(PastSegment::open(row.value(), sealed)?);
            }
        }
        Ok(rows)
    }

    /// Whether the replica can answer for this aspect of a person at all, and whether it has rows.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Holding, cpr_model::{Aspect, Pnr}};
    /// let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
    /// assert_eq!(replika.snapshot().holding(sofie, Aspect::Protection, None)?, Holding::None);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::as_of`].
    pub fn holding(&self, pnr: Pnr, aspect: Aspect, known: Option<DeliveryNumber>) -> Result<Holding, Error> {
        let comes = self.settings().carries(aspect);
        let Some(image) = self.as_of(pnr, None, known)?.filter(|_| comes) else { return Ok(Holding::Unknown) };
        let carries =
            |fact: &Fact<'_>| fact.aspect() == aspect || aspect == Aspect::Parents && fact.parents().is_some();
        Ok(if image.all_facts().any(|fact| carries(&fact)) { Holding::Held } else { Holding::None })
    }

    /// Whom a delivery changed, in key order: persons new or with at least one fact that came or went.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::DeliveryNumber;
    /// assert_eq!(demo()?.snapshot().changes(DeliveryNumber(2))?.count(), 2, "who moved, and who was born");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`] when there is no such delivery.
    pub fn changes(&self, delivery: DeliveryNumber) -> Result<impl Iterator<Item = Pnr> + use<>, Error> {
        let keys = self.changed_keys(delivery)?;
        Ok(keys.into_iter().filter_map(|key| PersonKey::from_u32(key).map(PersonKey::pnr)))
    }

    pub(crate) fn changed_keys(&self, delivery: DeliveryNumber) -> Result<RoaringBitmap, Error> {
        let sealed = self.tables().changed.get(delivery.0)?.ok_or_else(|| self.unknown(delivery))?;
        open_set(name::CHANGED, (delivery.0, 0), sealed.value())
    }

    /// Whom a delivery brought without a change.
    pub(crate) fn redelivered_keys(&self, delivery: DeliveryNumber) -> Result<RoaringBitmap, Error> {
        let sealed = self.tables().redelivered.get(delivery.0)?.ok_or_else(|| self.unknown(delivery))?;
        open_set(name::REDELIVERED, (delivery.0, 0), sealed.value())
    }

    /// Whom a delivery brought an event of this code.
    pub(crate) fn changed_by_keys(&self, delivery: DeliveryNumber, code: &[u8]) -> Result<RoaringBitmap, Error> {
        match self.tables().changed_by.get((delivery.0, code))? {
            Some(sealed) => open_set(name::CHANGED_BY, (delivery.0, 0), sealed.value()),
            None => self.check_known(Some(delivery)).map(|_| RoaringBitmap::new()),
        }
    }

    /// Every number the replica holds, in key order.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert_eq!(demo()?.snapshot().pnrs()?.count(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A storage failure.
    pub fn pnrs(&self) -> Result<impl Iterator<Item = Result<Pnr, Error>> + use<'_>, Error> {
        Ok(self.tables().persons.range::<u32>(..)?.map(|row| {
            let (key, _) = row?;
            let key = PersonKey::from_u32(key.value());
            key.map(PersonKey::pnr).ok_or_else(|| Error::Corrupt { table: name::PERSONS, what: "a key of no number" })
        }))
    }

    pub(crate) fn check_known(&self, known: Option<DeliveryNumber>) -> Result<DeliveryNumber, Error> {
        match known {
            None => Ok(self.known()),
            Some(number) if number.0 >= 1 && number <= self.known() => Ok(number),
            Some(number) => Err(self.unknown(number)),
        }
    }

    fn unknown(&self, asked: DeliveryNumber) -> Error {
        Error::UnknownDelivery { asked, last: self.known() }
    }

    pub(crate) fn mentioned_by(&self, key: PersonKey) -> Result<Vec<PersonKey>, Error> {
        let holders = self.tables().numbers.get(key.as_u32())?;
        Ok(holders.into_iter().filter_map(PersonKey::from_u32).collect())
    }

    /// How often persons were erased.
    pub(crate) fn erases(&self) -> Result<u32, Error> {
        erase_count(&self.tables().meta)
    }

    pub(crate) fn source(&self) -> &Source {
        &self.inner.source
    }

    #[inline]
    pub(crate) fn tables(&self) -> &Tables {
        self.inner.source.tables()
    }
}

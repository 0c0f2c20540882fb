//! What each subscriber is given: a delivery's file thinned to its persons, and a full extract to begin with.
//!
//! A subscriber's files are a stream of their own: the start record of each says the production date of the one before.
//! The engine keeps which files were given, so making one again gives the same bytes; writing them is for the caller.

use std::io::{self, Read, Write};

use cpr_model::{Date, PersonKey};
use cpr_subscription::{Filter, SubscriberName, SubscriberNumber, birth_dates};
use redb::{ReadableTable, WriteTransaction};
use sha2::{Digest, Sha256};

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::index::person_set::PersonSet;
use crate::ledger::delivery::Delivery;
use crate::replika::Replika;
use crate::search::AddressPattern;
use crate::search::query::Query;
use crate::snapshot::Snapshot;
use crate::store::tables::STREAMS;
use crate::subscriptions::registry::number_of;
use crate::subscriptions::stored_filters::Subscriber;

/// What one subscriber is given of a delivery.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recipient {
    /// The subscriber.
    pub subscriber: Subscriber,
    /// Its persons; perhaps nobody.
    pub persons: PersonSet,
    /// The production date of the file that it was given before: PRODDTOFORRIG of its start record.
    pub previous_production_date: Date,
}

/// What an initial load has given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InitialLoad {
    /// Persons written.
    pub persons: u64,
    /// The delivery as of which they are.
    pub known: DeliveryNumber,
    /// Its production date: the next delta of the stream follows on it.
    pub production_date: Date,
}

impl Snapshot {
    /// Every subscriber with what it is given of a delivery, by name.
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`]; [`Error::Corrupt`] or a storage failure, here as in every read below.
    pub fn recipients(&self, delivery: DeliveryNumber) -> Result<Vec<Recipient>, Error> {
        let ledger = self.delivery(delivery)?;
        let mut all = Vec::new();
        for subscriber in self.subscribers()? {
            let persons = self.matched(delivery, &subscriber.name)?;
            let previous_production_date = self.previous_given(subscriber.number, &ledger)?;
            all.push(Recipient { subscriber, persons, previous_production_date });
        }
        Ok(all)
    }

    /// The date that the subscriber's file of this delivery follows on: as it was given, or as it would be.
    fn previous_given(&self, subscriber: SubscriberNumber, delivery: &Delivery) -> Result<Date, Error> {
        let rows = &self.tables().streams;
        let corrupt = Error::Corrupt { table: "streams/v1", what: "not a date" };
        if let Some(given) = rows.get((subscriber.0, delivery.number.0))? {
            return Date::from_digits(given.value()).ok_or(corrupt);
        }
        let last = rows.range((subscriber.0, 0)..(subscriber.0, delivery.number.0))?.next_back().transpose()?;
        match last {
            Some((key, _)) => Ok(self.delivery(DeliveryNumber(key.value().1))?.production_date),
            None => Ok(delivery.previous_production_date),
        }
    }

    /// True when a subscriber filtered on the number when a delivery was applied: it gets the receipt (997) for it.
    ///
    /// # Errors
    /// As [`Snapshot::recipients`].
    pub fn followed_number(
        &self,
        subscriber: &Subscriber,
        key: PersonKey,
        delivery: DeliveryNumber,
    ) -> Result<bool, Error> {
        self.filter_counted(subscriber.number, &Filter::Pnr(key), delivery)
    }

    /// The delivery that a file was, by its bytes; none when it was never applied.
    ///
    /// # Errors
    /// [`Error::Input`] from the reader.
    pub fn delivery_of_file(&self, mut file: impl Read) -> Result<Option<Delivery>, Error> {
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => digest.update(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Input(error)),
            }
        }
        let digest: [u8; 32] = digest.finalize().into();
        let number = self.tables().digests.get(&digest)?.map(|number| DeliveryNumber(number.value()));
        number.map(|number| self.delivery(number)).transpose()
    }

    /// Who matches a subscriber's filters now, whether or not a delta brings them. A change code alone matches nobody:
    /// it has a meaning for one day's delta only. Ages are those on the last production date.
    ///
    /// # Errors
    /// [`Error::UnknownSubscriber`]; [`Error::UnknownDelivery`] when there is no delivery yet.
    pub fn followed(&self, name: &SubscriberName) -> Result<PersonSet, Error> {
        let day = self.delivery(self.known())?.production_date;
        let (mut numbers, mut queries) = (Vec::new(), Vec::new());
        let mut addresses = PersonSet::default();
        for filter in self.filters(name, None)? {
            match filter {
                Filter::Pnr(key) => numbers.push(key),
                filter => addresses.0 |= self.followed_by(&filter, day, &mut queries)?.0,
            }
        }
        queries.push(Query::Persons(numbers.into_iter().collect()));
        let found = self.find(&Query::Or(queries))?;
        Ok(PersonSet(found.0 | addresses.0))
    }

    /// Adds the query of a filter, or answers it when it takes a look at persons.
    fn followed_by(&self, filter: &Filter, day: Date, queries: &mut Vec<Query>) -> Result<PersonSet, Error> {
        match filter {
            Filter::Pnr(key) => queries.push(Query::Persons(PersonSet::from_iter([*key]))),
            Filter::AgeRange(range) => queries.extend(birth_dates(*range, day).map(Query::Born)),
            Filter::Municipality(code) => queries.push(Query::municipality(*code)),
            Filter::Everything => queries.push(Query::All),
            Filter::EventChangeCode(_) => {}
            Filter::Address(address) => {
                let set = self.find(&Query::Address(AddressPattern {
                    municipality: Some(address.municipality),
                    street: Some(address.street),
                    houses: address.house.map(|house| house..=house).into_iter().collect(),
                    ..AddressPattern::default()
                }))?;
                if address.floor.is_none() && address.door.is_none() {
                    return Ok(set);
                }
                let mut dwelling = PersonSet::default();
                for key in set.iter() {
                    if self.lives_at(key, address)? {
                        dwelling.0.insert(key.as_u32());
                    }
                }
                return Ok(dwelling);
            }
            Filter::AllOf(all) => {
                let mut members = Vec::new();
                for member in all.members() {
                    let mut own = Vec::new();
                    let answered = self.followed_by(member, day, &mut own)?;
                    // An event has no meaning without a delta, and so has all of what asks for one.
                    members.push(own.pop().unwrap_or(Query::Persons(answered)));
                }
                queries.push(Query::And(members));
            }
        }
        Ok(PersonSet::default())
    }
}

impl Replika {
    /// Writes every person that a subscriber follows now as a full extract with full history, and begins its stream
    /// there: the next delta it is given follows on this one, without a gap and without an overlap. Deliveries may be
    /// applied meanwhile. The writer is flushed before the stream begins: one that makes its bytes durable then loses
    /// none of them.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{FilterChange, UnknownNumbers, cpr_subscription::Profile};
    /// let replika = demo()?;
    /// let school = "school".parse()?;
    /// replika.add_subscriber(&school, Profile::SF6002)?;
    /// replika.change_filters(&school, &[FilterChange::Add("0851".parse()?)], UnknownNumbers::Keep)?;
    /// let mut file = Vec::new();
    /// assert_eq!(replika.initial_load(&school, &mut file)?.persons, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownSubscriber`]; [`Error::UnknownDelivery`] when there is no delivery yet; [`Error::NotAdmitted`]
    /// when whom it follows may have been left out before; [`Error::Output`] from the writer, after which the stream is
    /// as before.
    pub fn initial_load(&self, name: &SubscriberName, out: &mut impl Write) -> Result<InitialLoad, Error> {
        let snapshot = self.snapshot();
        let delivery = snapshot.delivery(snapshot.known())?;
        let waiting = snapshot.waiting_for_admission(name)?.len() as u64;
        if waiting > 0 {
            return Err(Error::NotAdmitted { filters: waiting });
        }
        let followed = snapshot.followed(name)?;
        let persons = snapshot.export_persons(&followed, out)?;
        out.flush().map_err(Error::Output)?;
        let date = delivery.production_date;
        self.change(|write, _| {
            let number = number_of(write, name)?;
            note_given(write, number, delivery.number.0, date)
        })?;
        Ok(InitialLoad { persons, known: delivery.number, production_date: date })
    }

    /// Notes that these subscribers have been given their files of a delivery, durable on the caller's side: what
    /// follows in their streams follows on it. Noting it again changes nothing.
    ///
    /// # Errors
    /// A storage failure, or [`Error::ReadOnly`].
    pub fn note_given(&self, delivery: DeliveryNumber, recipients: &[Recipient]) -> Result<(), Error> {
        self.change(|write, _| {
            for Recipient { subscriber, previous_production_date, .. } in recipients {
                note_given(write, subscriber.number.0, delivery.0, *previous_production_date)?;
            }
            Ok(())
        })
    }
}

fn note_given(write: &WriteTransaction, subscriber: u32, delivery: u32, previous: Date) -> Result<(), Error> {
    let mut streams = write.open_table(STREAMS)?;
    let noted = streams.get((subscriber, delivery))?.is_some();
    if !noted {
        streams.insert((subscriber, delivery), previous.digits())?;
    }
    Ok(())
}

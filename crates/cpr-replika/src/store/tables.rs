//! Every table of a store, declared once: name, key, value, and what stands in it. docs/format.md draws the bytes.
//!
//! A name carries the version of its layout: a changed layout is a new name. All tables are created with the store, and
//! a snapshot opens all of them at once, in one transaction.

use std::io::{Seek, Write};
use std::sync::Arc;

use cpr_pack::{Packs, Writer};
use redb::{MultimapTableDefinition, ReadTransaction, TableDefinition, Value, WriteTransaction};
use roaring::RoaringBitmap;

use super::copier::{Copier, Digester, Fate};
use super::read_table::{Many, One};
use super::staged_write::StagedWrite;
use crate::damage::Latch;
use crate::error::Error;

/// The store format that this version writes: with the sets of whose protections end when.
pub(crate) const FORMAT: u32 = 5;

/// The earliest that it reads. What is opened to write is brought to [`FORMAT`] first (`crate::upgrade`); those before
/// were replaced before anything was released with them.
pub(crate) const OLDEST_FORMAT: u32 = 4;

/// Part of the key of a set: kind, value, and the year of the persons' numbers counted from the first (0 for a street,
/// which is not cut).
pub(crate) type RowKey = (u8, u32, u16);

/// A word, and which sixteen years of numbers.
pub(crate) type WordKey<'a> = (&'a [u8], u8);

/// The second half of the row under which the past that is still added to is sealed.
pub(crate) const OPEN_SEGMENT: u32 = u32::MAX;

/// Declares tables with one value a key, and tables of numbers with several numbers a key.
macro_rules! tables {
    (
        one { $($(#[$one_doc:meta])* $one:ident $ONE:ident $one_name:literal: $one_key:ty => $one_value:ty;)* }
        many { $($(#[$many_doc:meta])* $many:ident $MANY:ident $many_name:literal;)* }
    ) => {
        $($(#[$one_doc])* pub(crate) const $ONE: TableDefinition<'static, $one_key, $one_value> =
            TableDefinition::new($one_name);)*
        $($(#[$many_doc])* pub(crate) const $MANY: MultimapTableDefinition<'static, u32, u32> =
            MultimapTableDefinition::new($many_name);)*

        /// The names of the tables, as errors and reports tell them.
        pub(crate) mod name {
            $(pub(crate) const $ONE: &str = $one_name;)*
            $(pub(crate) const $MANY: &str = $many_name;)*
        }

        /// Every table of one state.
        pub(crate) struct Tables {
            $($(#[$one_doc])* pub(crate) $one: One<$one_key, $one_value>,)*
            $($(#[$many_doc])* pub(crate) $many: Many,)*
        }

        impl Tables {
            pub(crate) fn open(read: &ReadTransaction, latch: &Latch) -> Result<Tables, Error> {
                Ok(Tables {
                    $($one: One::open(read, $ONE, latch)?,)*
                    $($many: Many::open(read, $MANY, latch)?,)*
                })
            }

            /// Every table of packs.
            pub(crate) fn open_packed(packs: &Arc<Packs>) -> Result<Tables, Error> {
                Ok(Tables {
                    $($one: One::open_packed(packs, $one_name)?,)*
                    $($many: Many::open_packed(packs, $many_name)?,)*
                })
            }

            /// Writes the rows of every table to a base.
            pub(crate) fn write_all<S: Write + Seek>(&self, pack: &mut Writer<S>) -> Result<(), Error> {
                let mut steps: Vec<Step<'_, S>> = vec![
                    $(($one_name, Box::new(|pack| self.$one.write_all($one_name, pack))),)*
                    $(($many_name, Box::new(|pack| self.$many.write_all($many_name, pack))),)*
                ];
                write_in_order(&mut steps, pack)
            }

            /// Writes the rows that differ from those of a base to an overlay. Of the tables of persons, only rows of
            /// those who were touched can.
            pub(crate) fn write_changes<S: Write + Seek>(
                &self,
                below: &Tables,
                touched: &RoaringBitmap,
                pack: &mut Writer<S>,
            ) -> Result<(), Error> {
                let of = |name: &str| [name::PERSONS, name::SUPERSEDED].contains(&name).then_some(touched);
                let mut steps: Vec<Step<'_, S>> = vec![
                    $(($one_name, Box::new(|pack| self.$one.write_changes($one_name, &below.$one, of($one_name), pack))),)*
                    $(($many_name, Box::new(|pack| self.$many.write_changes($many_name, &below.$many, pack))),)*
                ];
                write_in_order(&mut steps, pack)
            }

            /// Makes every table of a new store.
            pub(crate) fn create(write: &WriteTransaction) -> Result<(), Error> {
                $(write.open_table($ONE)?;)*
                $(write.open_multimap_table($MANY)?;)*
                Ok(())
            }

            /// How many rows there are in all.
            pub(crate) fn rows(&self) -> Result<u64, Error> {
                let mut rows = 0;
                $(rows += self.$one.len()?;)*
                $(rows += self.$many.len()?;)*
                Ok(rows)
            }

            /// The tables of which rows are lost: those in which fewer are found than they count.
            pub(crate) fn with_lost_rows(&self) -> Result<Vec<&'static str>, Error> {
                let counts = [
                    $(($one_name, self.$one.len()?, count(self.$one.iter()?)?),)*
                    $(($many_name, self.$many.len()?, count(self.$many.iter()?)?),)*
                ];
                Ok(counts.into_iter().filter(|(_, rows, found)| rows != found).map(|(name, ..)| name).collect())
            }

            /// Copies the rows of every table, in the order of their keys, as `judge` has each.
            pub(super) fn copy(
                &self,
                write: &mut StagedWrite<'_>,
                copier: &mut Copier<'_>,
                judge: &mut dyn FnMut(TableRow<'_>) -> Result<Fate, Error>,
            ) -> Result<(), Error> {
                $(copier.one($one_name, &self.$one, (write, $ONE), |key, value| {
                    judge(TableRow::$ONE(key.value(), value.value()))
                })?;)*
                $(copier.many($many_name, &self.$many, (write, $MANY), |key, value| {
                    judge(TableRow::$MANY(key, value))
                })?;)*
                Ok(())
            }

            /// Reads every row of every table, in the order in which they are copied.
            pub(super) fn digest(&self, digester: &mut Digester<'_>) -> Result<(), Error> {
                $(digester.one($one_name, &self.$one)?;)*
                $(digester.many($many_name, &self.$many)?;)*
                Ok(())
            }
        }

        /// A row of any table: its key and its value, under the name of the table's constant.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, dead_code, reason = "named as the tables are; who only copies looks into none")]
        pub(crate) enum TableRow<'r> {
            $($ONE(<$one_key as Value>::SelfType<'r>, <$one_value as Value>::SelfType<'r>),)*
            $($MANY(u32, u32),)*
        }
    };
}

fn count<T>(mut rows: impl Iterator<Item = Result<T, Error>>) -> Result<u64, Error> {
    rows.try_fold(0, |count, row| row.map(|_| count + 1))
}

/// The writing of one table to a pack, under its name.
type Step<'t, S> = (&'static str, Box<dyn Fn(&mut Writer<S>) -> Result<(), Error> + 't>);

/// Tables come in the order of their names.
fn write_in_order<S>(steps: &mut [Step<'_, S>], pack: &mut Writer<S>) -> Result<(), Error> {
    steps.sort_unstable_by_key(|(name, _)| *name);
    steps.iter().try_for_each(|(_, step)| step(pack))
}

tables! {
    one {
        /// Persons as known now. Key: [`cpr_model::PersonKey`]. Value: two sealed sections end to end, the document
        /// and, once something has happened to the person, the past: an as-of read finds both with one get
        /// (`crate::person`).
        persons PERSONS "persons/v2": u32 => &'static [u8];

        /// The past of persons to whom much has happened: what the second section of [`PERSONS`] held when it was full.
        ///
        /// Key: person, and the delivery of its last entry. A scan from (person, k + 1), and then the section, reads
        /// all that was still believed as of delivery k. Value: sealed past.
        superseded SUPERSEDED "superseded/v2": (u32, u32) => &'static [u8];

        /// Whom a delivery changed. Key: delivery. Value: sealed roaring bitmap of person keys.
        changed CHANGED "changed/v1": u32 => &'static [u8];

        /// Whom a delivery brought an event of a change code. Key: delivery, code. Value: sealed roaring bitmap of
        /// person keys.
        changed_by CHANGED_BY "changed_by/v1": (u32, &'static [u8]) => &'static [u8];

        /// Whom a delivery brought without a change. Key: delivery. Value: sealed roaring bitmap of person keys.
        redelivered REDELIVERED "redelivered/v1": u32 => &'static [u8];

        /// Sets of persons by what they are found by now (`crate::index::sets`). Value: sealed roaring bitmap of person
        /// keys, or for a street house numbers and person keys.
        sets SETS "sets/v1": RowKey => &'static [u8];

        /// Words of names as known now. Value: sealed list of person keys, each with where in the names the word stands
        /// (`crate::index::words`).
        words WORDS "words/v1": WordKey<'static> => &'static [u8];

        /// Streets that ever bore a name. Key: a folded word of the name, the folded name. Value: sealed list of
        /// municipality and street codes, ascending.
        street_names STREET_NAMES "street_names/v1": (&'static [u8], &'static [u8]) => &'static [u8];

        /// Streets that ever had residents under a postal code. Key: postal code. Value: as in [`STREET_NAMES`].
        postal_streets POSTAL_STREETS "postal_streets/v1": u16 => &'static [u8];

        /// Subscribers. Key: name. Value: number, and the flags of the profile.
        subscribers SUBSCRIBERS "subscribers/v1": &'static str => (u32, u8);

        /// What subscribers follow, ever. Key: number of the subscriber, `cpr_subscription::Filter::to_bytes`. Value:
        /// pairs of u32, little-endian: the filter counts for the deliveries behind the first, up to the second (all
        /// ones: still).
        filters FILTERS "filters/v1": (u32, &'static [u8]) => &'static [u8];

        /// Whom a delivery has for a subscriber, by its profile and filters then. Key: delivery, number of the
        /// subscriber. Value: sealed roaring bitmap of person keys; no row is nobody.
        matches MATCHES "matches/v1": (u32, u32) => &'static [u8];

        /// The files a subscriber was given. Key: number of the subscriber, delivery. Value: the previous production
        /// date that the start record of the file says, digits YYYYMMDD.
        streams STREAMS "streams/v1": (u32, u32) => u32;

        /// The ledger. Key: delivery. Value: sealed `crate::ledger::stored::v1::Delivery`.
        deliveries DELIVERIES "deliveries/v1": u32 => &'static [u8];

        /// Which delivery a file was. Key: SHA-256 of the file. Value: delivery.
        digests DIGESTS "digests/v1": &'static [u8; 32] => u32;

        /// How far each reader of the feed of events has come. Key: its name. Value: sealed delivery, person's place,
        /// event's place.
        consumers CONSUMERS "consumers/v1": &'static str => &'static [u8];

        /// Format and configuration, as text, and the secret of event ids.
        meta META "meta": &'static str => &'static str;
    }
    many {
        /// Who has ever mentioned a number in 001 PNRGAELD or in 022. Key: the number mentioned. Value: the person
        /// whose record does. The chain itself is read from the records, as of any delivery; this is the way back.
        numbers NUMBERS "numbers/v1";

        /// Who filters on a number now. Key: person. Value: number of a subscriber.
        followers FOLLOWERS "followers/v1";
    }
}

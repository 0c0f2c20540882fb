//! What a store is for: layout family, chosen record types, history window. Kept as text in the table `meta`.

use std::collections::BTreeSet;

use cpr_extract::{Family, RecordLayout};
use cpr_model::{Aspect, Date, Field, Timestamp};
use redb::WriteTransaction;

use crate::error::Error;
use crate::refusal::Refusal;
use crate::store::tables::{META, name};

/// The history window that leaves nothing out.
pub const ALL_HISTORY: u8 = 99;

/// What is settled once for a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// The layout family; none until the first extract has told it.
    pub family: Option<&'static Family>,
    /// The task's history window in years, 0-5 or [`ALL_HISTORY`]. A historic row that is missing because its end lies
    /// further back is neither a correction nor a change.
    pub window_years: u8,
    /// The record types that the customer has chosen; none means all of the family. A type not chosen is *unknown*, a
    /// chosen one without a row is *none*.
    pub chosen: Option<Vec<u16>>,
    /// Record numbers that come and are passed over.
    pub ignored: Vec<u16>,
}

impl Default for Config {
    /// Family found out from the first file, all history, all record types.
    fn default() -> Self {
        Config { family: None, window_years: ALL_HISTORY, chosen: None, ignored: Vec::new() }
    }
}

/// Records that come whatever the customer has chosen, and are of the file itself: start record and end record.
const FRAME: [u16; 2] = [0, 999];

/// Records that CPR sends whatever the customer has chosen: the person (001) and the events (099).
const ALWAYS_CHOSEN: [u16; 2] = [1, 99];

impl Config {
    /// The settings as a store keeps them: record numbers ascending and once each, and among the chosen ones those that
    /// come in any case (001, 099).
    ///
    /// # Errors
    /// [`Error::Config`] when they cannot be: no such window, a chosen type that the family does not have, or records
    /// passed over (000, 001, 999) without which a file says nothing.
    pub fn settled(&self) -> Result<Config, Error> {
        let ascending = |numbers: &[u16]| numbers.iter().copied().collect::<BTreeSet<u16>>().into_iter().collect();
        let with_those_that_come = |chosen: &Vec<u16>| {
            // 000 and 999 are of the file, and chosen by nobody.
            let chosen: Vec<u16> = chosen.iter().copied().filter(|number| !FRAME.contains(number)).collect();
            ascending(&[&chosen[..], &ALWAYS_CHOSEN[..]].concat())
        };
        let config = Config {
            family: self.family,
            window_years: self.window_years,
            chosen: self.chosen.as_ref().map(with_those_that_come),
            ignored: ascending(&self.ignored),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Error> {
        if self.window_years > 5 && self.window_years != ALL_HISTORY {
            return Err(Error::Config("a history window is 0 to 5 years, or 99 for all"));
        }
        let is_chosen_by_family = |family: &Family, number| family.record(number).is_some();
        if let (Some(family), Some(chosen)) = (self.family, &self.chosen)
            && chosen.iter().any(|&number| !ALWAYS_CHOSEN.contains(&number) && !is_chosen_by_family(family, number))
        {
            return Err(Error::Config("a chosen record type is not one of the family"));
        }
        if self.ignored.iter().any(|number| FRAME.contains(number) || *number == 1) {
            return Err(Error::Config("records 000, 001 and 999 cannot be passed over"));
        }
        Ok(())
    }

    /// Key and text of every setting, for the table `meta`.
    pub(crate) fn entries(&self) -> Vec<(&'static str, String)> {
        let list = |numbers: &[u16]| numbers.iter().map(|number| format!("{number:03}")).collect::<Vec<_>>().join(",");
        vec![
            ("family", self.family.map_or(String::new(), |family| family.name.to_owned())),
            ("window_years", self.window_years.to_string()),
            ("chosen", self.chosen.as_deref().map_or("all".to_owned(), list)),
            ("ignored", list(&self.ignored)),
        ]
    }

    /// Reads the settings back from the table `meta`.
    pub(crate) fn from_entries(get: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Config, Error> {
        let corrupt = |what| Error::Corrupt { table: name::META, what };
        let text = |key| get(key)?.ok_or(corrupt("a setting is missing"));
        let list = |text: String| {
            let numbers: Result<Vec<u16>, _> =
                text.split(',').filter(|part| !part.is_empty()).map(str::parse).collect();
            numbers.map_err(|_| corrupt("a list of record numbers"))
        };
        let family = text("family")?;
        Ok(Config {
            family: match family.as_str() {
                "" => None,
                name => Some(Family::named(name).ok_or(corrupt("a family this version does not know"))?),
            },
            window_years: text("window_years")?.parse().map_err(|_| corrupt("the history window"))?,
            chosen: match text("chosen")? {
                all if all == "all" => None,
                numbers => Some(list(numbers)?),
            },
            ignored: list(text("ignored")?)?,
        })
    }

    /// Whether rows of this aspect come at all: the product has a record of it, and the customer has chosen it. Where
    /// they do not come, nothing can be said of it, which is not the same as that there is nothing. True before the
    /// first delivery, when the product is not known yet.
    pub fn carries(&self, aspect: Aspect) -> bool {
        self.family.is_none_or(|family| family.records_of(aspect).iter().any(|record| self.is_chosen(*record)))
    }

    /// Whether any row that comes tells the name of a street: 003 does, and the addresses of some products do.
    pub(crate) fn names_streets(&self) -> bool {
        let tells = |record: &RecordLayout| record.columns.iter().any(|c| c.field == Some(Field::StreetName));
        self.carries(Aspect::FormattedAddress)
            || self
                .family
                .is_some_and(|family| family.records().any(|record| tells(record) && self.is_chosen(record.number)))
    }

    /// Nothing, or the reason why a question about this aspect cannot be answered.
    pub(crate) fn require(&self, aspect: Aspect) -> Result<(), Refusal> {
        if self.carries(aspect) { Ok(()) } else { Err(Refusal::NotHeld { aspect }) }
    }

    /// Whether the customer gets this record type at all.
    pub(crate) fn is_chosen(&self, record: u16) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&record))
    }
}

pub(crate) fn write_config(write: &WriteTransaction, config: &Config) -> Result<(), Error> {
    let mut meta = write.open_table(META)?;
    for (key, text) in config.entries() {
        meta.insert(key, text.as_str())?;
    }
    Ok(())
}

/// The last moment that a history window of this many years leaves out; none when the window holds all.
pub(crate) fn window_end(config: &Config, production: Date) -> Option<Timestamp> {
    let years = u32::from(config.window_years);
    (config.window_years != ALL_HISTORY).then(|| Timestamp::start_of(production.years_before(years)))
}

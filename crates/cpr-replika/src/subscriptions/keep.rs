//! Who is kept: the rule by which others of a load or delivery are left out.
//!
//! The rule stands among the filters of subscribers, under a number that no subscriber has: so it says, as theirs do,
//! for which deliveries it counted, and an erase finds the numbers in it. A store without a rule keeps everybody.

use cpr_subscription::Filter;

use crate::error::Error;
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::tables::FILTERS;
use crate::subscriptions::admission::{mark_for_admission, unmark};
use crate::subscriptions::keep_settings::{KEEPER, KeepSettings, lasting};
use crate::subscriptions::stored_filters::{Editor, When, read_filters, require_held};

/// Who is kept. Whom subscribers follow is, beside those who are named here; a change code alone keeps nobody.
///
/// A human being is kept with all numbers. Others of a load or delivery are left out and counted
/// ([`Counts::persons_left_out`](crate::Counts)), unless they are held already: they go by [`Replika::tidy`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Keep {
    /// Who: numbers, ages, municipalities, addresses, several of these at once, or everybody. Of none: only whom
    /// subscribers follow.
    pub filters: Vec<Filter>,
    /// Those too whose own records name one who is kept as parent, child or spouse, or in a row on custody.
    pub families: bool,
    /// So many days after it was last needed a person goes by [`Replika::tidy`].
    pub grace_days: u16,
}

impl Snapshot {
    /// Who is kept; none for a store that keeps everybody.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or a storage failure.
    pub fn keep(&self) -> Result<Option<Keep>, Error> {
        let Some(settings) = KeepSettings::read(&self.tables().meta)? else { return Ok(None) };
        let filters = read_filters(&self.tables().filters, KEEPER, When::Now, true)?;
        Ok(Some(Keep { filters, families: settings.families, grace_days: settings.grace_days }))
    }
}

impl Replika {
    /// Says who is kept from now on, in the place of what was said before.
    ///
    /// Who is not needed any more by that stays until [`Replika::tidy`] after the days of grace. Who is needed by that
    /// and was left out comes with the next delivery that brings them, or by [`Replika::admit`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{ApplyOptions, Config, Keep, Replika, cpr_model::Pnr};
    /// let replika = Replika::in_memory(&Config::default())?;
    /// replika.keep(&Keep { filters: vec!["65-120".parse()?], ..Keep::default() })?;
    /// let options = ApplyOptions::named("D260105.L999901");
    /// let report = replika.load(std::io::Cursor::new(extract("D260105.L999901")?), &options)?;
    /// assert_eq!((report.delivery.counts.persons_new, report.delivery.counts.persons_left_out), (0, 2));
    /// assert!(replika.snapshot().is_left_out(Pnr::parse(b"6101801234").ok_or("ten digits")?)?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a filter on a change code alone, [`Error::Search`] for one on what the store does not
    /// hold; a storage failure, or [`Error::ReadOnly`].
    pub fn keep(&self, keep: &Keep) -> Result<(), Error> {
        for filter in &keep.filters {
            if filter.names_nobody() || lasting(filter).as_ref() != Some(filter) {
                return Err(Error::Config(
                    "who is kept is said by numbers, ages, municipalities, addresses, or several \
                                          of these at once: not by change codes, which mean one day",
                ));
            }
            require_held(filter, self.snapshot().settings())?;
        }
        self.change(|write, known| {
            let snapshot = self.snapshot();
            let before = KeepSettings::read(&snapshot.tables().meta)?;
            let since = before.map_or(known, |before| before.since);
            KeepSettings { families: keep.families, grace_days: keep.grace_days, since }.write(write)?;
            let old = read_filters(&write.open_table(FILTERS)?, KEEPER, When::Now, true)?;
            let new = |filter: &&Filter| !old.contains(filter);
            mark_for_admission(write, &snapshot, KEEPER, keep.filters.iter().filter(new))?;
            let mut editor = Editor::new(write, KEEPER.0, known)?;
            for filter in old.iter().filter(|filter| !keep.filters.contains(filter)) {
                editor.remove(filter)?;
                unmark(write, KEEPER, filter)?;
            }
            for filter in &keep.filters {
                editor.add(filter)?;
            }
            Ok(())
        })
    }
}

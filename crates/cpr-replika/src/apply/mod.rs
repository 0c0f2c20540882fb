//! One extract, one transaction: checked whole, merged person by person, committed, published.
//!
//! [`Replika::apply`] takes the change extract of a night, [`Replika::load`] an extract of any kind as the starting
//! point. Both read the file twice: whole for its faults, while others may write, and then person by person with the
//! write lock. A [`Report`] tells what became of it and what it did; the same [`Delivery`] stands in the ledger from
//! then on ([`Snapshot::deliveries`](crate::Snapshot::deliveries)). What is refused otherwise is accepted by name
//! ([`Allow`]), and a callback can watch the [`Progress`] and stop the work.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::io::Cursor;
//! use std::ops::ControlFlow;
//! use cpr_replika::apply::{Allow, ApplyOptions, Outcome, Progress};
//! use cpr_replika::{Config, Error, Replika};
//! let replika = Replika::in_memory(&Config::default())?;
//! let first = ApplyOptions { dry_run: true, ..ApplyOptions::named("D260105.L999901") };
//! let report = replika.load(Cursor::new(extract("D260105.L999901")?), &first)?;
//! assert_eq!((report.outcome, replika.snapshot().known().0), (Outcome::DryRun, 0));
//! let stop = |_: Progress| ControlFlow::Break(());
//! let stopped = ApplyOptions { progress: Some(&stop), ..ApplyOptions::named("D260105.L999901") };
//! assert!(matches!(replika.load(Cursor::new(extract("D260105.L999901")?), &stopped), Err(Error::Stopped)));
//! # Ok(()) }
//! ```

mod intake;
mod merge;
mod merge_all;
mod merger;
mod options;
mod read_ahead;
mod report;
mod selection;
#[cfg(test)]
mod spelling_tests;
#[cfg(test)]
mod staged_load_tests;

use std::io::{Read, Seek};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cpr_extract::Groups;
use cpr_model::Situation;
use redb::{ReadableTableMetadata, WriteTransaction};
use roaring::RoaringBitmap;

use crate::apply::intake::{Intake, check_order, refusal, refuse_wider_family};
use crate::apply::merge::Delivering;
use crate::apply::merge_all::merge_all;
use crate::apply::merger::{Extract, HeldPersons, PassedOver};
use crate::apply::selection::{Selection, select};
use crate::delivery_number::DeliveryNumber;
use crate::erase::bars::{Bars, read_stated};
use crate::error::Error;
use crate::index::left_out;
use crate::ledger::state_digest::{StateDigest, StateSum};
use crate::planted::{self, Fault};
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::config::{ALL_HISTORY, Config, window_end, write_config};
use crate::store::file::Opened;
use crate::store::read_table::OutsideSource;
use crate::store::staged_write::StagedWrite;
use crate::store::tables::{DELIVERIES, DIGESTS, PERSONS};
use crate::subscriptions::admission::unmark_all;
use crate::subscriptions::keep_settings::KeepSettings;
use crate::subscriptions::matching::{self, MatchInput};
use crate::trace::span;

pub use options::{Allow, ApplyOptions, Progress};
pub use report::{Outcome, Report};

pub use crate::ledger::delivery::{Counts, Delivery, DeliveryKind};

/// A delivery that changes so many persons has copied so many pages that the next one gives free first what they were
/// copied from.
const MANY_CHANGED: u64 = if cfg!(test) { 1 } else { 1_000 };

impl Replika {
    /// Applies a change extract as the next delivery, in one durable transaction.
    ///
    /// The first extract of an empty store is a starting point whatever it is. After it, a file must follow the last
    /// one (its previous production date is the last one's production date) and come from the same customer. The very
    /// same file again changes nothing and returns the report of then.
    ///
    /// The file is read twice: checked whole, while others may write, and then merged under the write lock, for which
    /// it waits. Readers never wait.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::io::Cursor;
    /// use cpr_replika::{ApplyOptions, Config, Outcome, Replika};
    /// let replika = Replika::in_memory(&Config::default())?;
    /// let options = ApplyOptions::named("D260105.L999901");
    /// let report = replika.apply(Cursor::new(extract("D260105.L999901")?), &options)?;
    /// assert_eq!((report.outcome, report.delivery.counts.persons_new), (Outcome::Applied, 2));
    /// let again = replika.apply(Cursor::new(extract("D260105.L999901")?), &options)?;
    /// assert_eq!((again.outcome, again.delivery), (Outcome::AlreadyApplied, report.delivery));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A damaged, foreign or out-of-order extract is refused whole with the reason ([`Error::is_refusal`]); after any
    /// error the store is as before, but for [`Error::NotPacked`], which says that the delivery is stored, and
    /// [`Error::MaybeStored`], after which nobody knows until the file is applied again.
    pub fn apply(&self, extract: impl Read + Seek + Send, options: &ApplyOptions<'_>) -> Result<Report, Error> {
        self.take_extract(extract, options, DeliveryKind::Delta)
    }

    /// Loads an extract of any kind (full, establishment, delta) as the starting point of the store.
    ///
    /// # Errors
    /// As [`Replika::apply`], and [`Error::NotEmpty`] when there are deliveries already.
    pub fn load(&self, extract: impl Read + Seek + Send, options: &ApplyOptions<'_>) -> Result<Report, Error> {
        self.take_extract(extract, options, DeliveryKind::Load)
    }

    /// Takes from a full extract the persons who are needed and not held: those who were left out before somebody
    /// followed them, or before the rule of who is kept ([`Replika::keep`]) was as it is. Whom the store holds stays as
    /// it is. It is a delivery of its own kind, which tells no subscriber; filters that waited do so no longer.
    ///
    /// The extract must be of the production date of the last delivery: one that is older lacks what has come since,
    /// and one that is newer holds what is still to come.
    ///
    /// # Errors
    /// As [`Replika::apply`]; [`Error::Config`] when the store keeps everybody.
    pub fn admit(&self, extract: impl Read + Seek + Send, options: &ApplyOptions<'_>) -> Result<Report, Error> {
        self.take_extract(extract, options, DeliveryKind::Admission)
    }

    fn take_extract(
        &self,
        mut extract: impl Read + Seek + Send,
        options: &ApplyOptions<'_>,
        kind: DeliveryKind,
    ) -> Result<Report, Error> {
        let span = span!("apply", delivery, bytes, persons, facts_new, facts_superseded);
        let started = Instant::now();
        self.database().check_writable()?;
        // Nothing waits while the file is checked; what the check went by may have changed when the lock is had.
        let mut config = self.settings();
        let mut intake = Intake::check(&mut extract, &config, options)?;
        let (lock, snapshot) = loop {
            let lock = self.write_lock()?;
            let snapshot = self.snapshot();
            if *snapshot.settings() == config {
                break (lock, snapshot);
            }
            drop(lock);
            config = snapshot.settings().clone();
            intake = Intake::check(&mut extract, &config, options)?;
        };
        let database = self.database();
        let report = database.latch().sound_outside(|outside| {
            let progress =
                |so_far| outside.run(|| options.progress.map_or(ControlFlow::Continue(()), |report| report(so_far)));
            let options = ApplyOptions { progress: Some(&progress), ..*options };
            let source = OutsideSource { source: extract, outside };
            self.deliver_next(source, &options, Turn { database: &database, snapshot, intake, kind, started })
        });
        let mut report = report.map_err(|error| self.settle(&database, error))?;
        let counts = &report.delivery.counts;
        span.record("delivery", report.delivery.number.0.into());
        span.record("bytes", counts.bytes);
        span.record("persons", counts.persons_new + counts.persons_changed + counts.persons_unchanged);
        span.record("facts_new", counts.facts_new);
        span.record("facts_superseded", counts.facts_superseded);
        self.announce();
        if report.outcome == Outcome::Applied && counts.persons_changed >= MANY_CHANGED {
            self.has_copied_many.store(true, Ordering::Relaxed);
        }
        drop(lock);
        if let Some(folder) = options.pack.filter(|_| report.outcome != Outcome::DryRun) {
            report.pack = Some(self.pack_delivery(folder, report.delivery.number)?);
        }
        Ok(report)
    }

    /// What a delivery that was being committed came to: where the storage, opened anew, does not show it, it is not
    /// stored, and all there is to tell is what failed.
    fn settle(&self, database: &Opened, error: Error) -> Error {
        let Error::MaybeStored { delivery, error } = error else { return error };
        let error = database.check_sound().err().map_or(error, Box::new);
        if self.opens_anew_locked() && self.snapshot().known() < delivery {
            return *error;
        }
        Error::MaybeStored { delivery, error }
    }

    fn deliver_next(
        &self,
        mut extract: impl Read + Seek + Send,
        options: &ApplyOptions<'_>,
        turn: Turn<'_>,
    ) -> Result<Report, Error> {
        let Turn { database, snapshot, intake: Intake { family, checked, digest }, kind, started } = turn;
        let config = snapshot.settings().clone();
        if kind == DeliveryKind::Admission && KeepSettings::read(&snapshot.tables().meta)?.is_none() {
            return Err(Error::Config("the store keeps everybody: there is nobody to admit"));
        }
        if let Some(known) = snapshot.tables().digests.get(&digest)?.filter(|_| kind != DeliveryKind::Admission) {
            let delivery = snapshot.delivery(DeliveryNumber(known.value()))?;
            return Ok(Report { outcome: Outcome::AlreadyApplied, delivery, pack: None });
        }
        let header = match &checked.header {
            Some(header) if checked.is_sound() => header.clone(),
            _ => return Err(refusal(&mut extract, &config, checked)),
        };
        let last = snapshot.last_delivery();
        if last.is_none() && config.family.or(options.family).is_some() && !options.allow.wider_family {
            refuse_wider_family(&mut extract, &config, family)?;
        }
        check_order(&header, last, options.allow, kind)?;

        let keep = KeepSettings::read(&snapshot.tables().meta)?;
        let selection = match keep {
            None => Selection::default(),
            Some(keep) => {
                let groups = Groups::new(&mut extract, &checked, &config.ignored).map_err(Error::Input)?;
                select(&snapshot, keep, groups, header.production_date)?
            }
        };
        let mut bars = Bars::read(&snapshot.tables().meta)?;
        let barred = match bars.is_empty() {
            true => RoaringBitmap::new(),
            false => {
                let groups = Groups::new(&mut extract, &checked, &config.ignored).map_err(Error::Input)?;
                bars.take(&read_stated(groups)?, config.window_years == ALL_HISTORY)
            }
        };
        // Others read what was published before.
        let write = match last {
            None => StagedWrite::in_stages(database)?,
            Some(_) => {
                if !options.dry_run && self.has_copied_many.load(Ordering::Relaxed) {
                    database.free_pages_of_before()?;
                    self.has_copied_many.store(false, Ordering::Relaxed);
                }
                StagedWrite::whole(database)?
            }
        };
        let number = DeliveryNumber(snapshot.known().0 + 1);
        let unbroken = last.filter(|last| last.production_date == header.previous_production_date);
        let mut delivery = Delivery {
            number,
            kind,
            task: header.task.clone(),
            production_date: header.production_date,
            previous_production_date: header.previous_production_date,
            events_complete_since: match (kind, unbroken) {
                (DeliveryKind::Load, _) => header.production_date,
                (DeliveryKind::Delta, Some(last)) => last.events_complete_since,
                (DeliveryKind::Delta, None) => header.previous_production_date,
                (DeliveryKind::Admission, last) => {
                    last.map_or(header.production_date, |last| last.events_complete_since)
                }
            },
            digest,
            file_name: options.file_name.to_owned(),
            applied_at: options.applied_at,
            style: checked.style.clone(),
            state: None,
            counts: Counts {
                receipts: checked.receipts,
                input_errors: checked.input_errors.clone(),
                input_errors_beyond: checked.input_errors_beyond,
                repeated_persons: checked.repeated_persons,
                doubled_rows: checked.doubled_rows,
                odd_characters: checked.odd_characters,
                waived: checked.waived,
                bytes: checked.bytes,
                ..Counts::default()
            },
        };
        let mut write = match planted::is(Fault::LedgerBeforeRows) {
            true => {
                write_delivery(write.transaction(), &delivery)?;
                write.commit()?;
                StagedWrite::whole(database)?
            }
            false => write,
        };
        let delivering = Delivering {
            number,
            padding: checked.style.padding,
            situation: Situation {
                held_before: true,
                previous_production: last.map(|last| last.production_date),
                window: window_end(&config, header.production_date),
            },
        };
        let same_style = |delivered: DeliveryNumber| {
            let then = snapshot.delivery(delivered);
            then.is_ok_and(|then| {
                then.style.padding == delivering.padding && then.style.line_end == checked.style.line_end
            })
        };
        let groups = Groups::new(&mut extract, &checked, &config.ignored).map_err(Error::Input)?;
        // Loads and admissions are silent.
        let match_input = match kind {
            DeliveryKind::Delta => MatchInput::when_wanted(write.transaction())?,
            DeliveryKind::Load | DeliveryKind::Admission => None,
        };
        let of = checked.persons;
        let is_admission = kind == DeliveryKind::Admission;
        let passed_over = PassedOver {
            left_out: &selection.left_out - &barred,
            held: if is_admission { selection.held } else { RoaringBitmap::new() },
            barred,
        };
        let (match_input, brought) = merge_all(
            &mut write,
            groups,
            &Extract {
                held: HeldPersons::of(&snapshot)?,
                passed_over: &passed_over,
                delivering,
                same_style: &same_style,
            },
            match_input,
            (options, of),
            &mut delivery.counts,
        )?;
        // As precise as it is stored, so that a repeat gives the very same report.
        delivery.counts.duration = Duration::from_micros(started.elapsed().as_micros() as u64);
        if options.dry_run {
            write.abort()?;
            return Ok(Report { outcome: Outcome::DryRun, delivery, pack: None });
        }
        options.report(Progress::Committing)?;
        let transaction = write.transaction();
        delivery.state = state_after(transaction, &snapshot, brought, &digest)?;
        if let Some(match_input) = match_input {
            matching::write(transaction, number.0, header.production_date, match_input)?;
        }
        bars.write(transaction)?;
        left_out::change(transaction, &passed_over.left_out, &selection.kept)?;
        if is_admission {
            unmark_all(transaction, None)?;
        }
        write_delivery(transaction, &delivery)?;
        if config.family.is_none() {
            write_config(transaction, &Config { family: Some(family), ..config })?;
        }
        let commit = span!("commit", delivery);
        commit.record("delivery", number.0.into());
        let maybe_stored = |error| Error::MaybeStored { delivery: number, error: Box::new(error) };
        write.commit().map_err(maybe_stored)?;
        drop(commit);
        self.publish().map_err(maybe_stored)?;
        Ok(Report { outcome: Outcome::Applied, delivery, pack: None })
    }
}

/// What an extract has when it is its turn to be written.
struct Turn<'a> {
    database: &'a Opened,
    /// The state that it follows on.
    snapshot: Snapshot,
    intake: Intake,
    kind: DeliveryKind,
    started: Instant,
}

/// The digest of the state after a delivery, carried on from the one before; none when the ledger does not have that.
fn state_after(
    write: &WriteTransaction,
    before: &Snapshot,
    brought: StateSum,
    file: &[u8; 32],
) -> Result<Option<StateDigest>, Error> {
    let mut sum = match before.last_delivery() {
        None => StateSum::default(),
        Some(Delivery { state: Some(state), .. }) => state.sum(),
        Some(Delivery { state: None, .. }) => return Ok(None),
    };
    sum.add(brought);
    let ledger = before.deliveries()?;
    let files = ledger.iter().map(|delivery| &delivery.digest).chain([file]);
    Ok(Some(StateDigest::new(sum, write.open_table(PERSONS)?.len()?, files)))
}

fn write_delivery(write: &WriteTransaction, delivery: &Delivery) -> Result<(), Error> {
    let mut sealed = Vec::new();
    delivery.seal(&mut sealed);
    write.open_table(DELIVERIES)?.insert(delivery.number.0, sealed.as_slice())?;
    // A file from which persons were admitted may be one that was loaded.
    if delivery.kind != DeliveryKind::Admission {
        write.open_table(DIGESTS)?.insert(&delivery.digest, delivery.number.0)?;
    }
    Ok(())
}

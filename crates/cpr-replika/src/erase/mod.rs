//! Persons who go: out of every table and out of the file, with a proof and a receipt, and who do not come back by
//! themselves.
//!
//! [`Replika::erase`] takes human beings: every number of their chains. The store is written anew without their rows,
//! past and events, and without them in any index, set, match or filter; the new file is searched for what went, and
//! only then takes the place of the old one. So a process that is killed at any stage leaves the store as before or as
//! after, and the same call does what is left to do. Snapshots that are held read the old file until they are dropped
//! ([`Erasure::is_final`]).
//!
//! What *other* persons' records say stays: a child's parent, a spouse. It is the other's record, and comes again with
//! the next delivery; the receipt counts it. Reports and digests of files stay as given: their counts name nobody, and
//! the same file again still returns its report. Names of streets stay too: they are a street's, not a person's.
//!
//! The numbers are *barred*: later deliveries leave out their rows, and those of numbers whose chain reaches one that
//! the caller named, and count them ([`Counts::persons_barred`](crate::Counts)). [`Replika::readmit`] lifts it. What is
//! held already of a number that comes to be one with a barred one stays as it was, until it is erased too.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cpr_replika::{cpr_model::Pnr, erase::EraseOptions};
//! let (replika, sofie) = (demo()?, Pnr::parse(b"6101801234").ok_or("ten digits")?);
//! let erasure = replika.erase(&[sofie], "moved away, no ground", &EraseOptions::default())?;
//! assert!(erasure.is_final());
//! let snapshot = replika.snapshot();
//! assert!(snapshot.person(sofie)?.is_none());
//! assert!(snapshot.is_receipt(&erasure.receipt)?);
//! # Ok(()) }
//! ```

pub(crate) mod bars;
pub(crate) mod fate;
pub(crate) mod needles;
pub(crate) mod old_events;
pub(crate) mod proof;
mod receipt;
pub(crate) mod scope;
pub(crate) mod tidy;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use cpr_model::{PersonKey, Pnr};
use redb::{ReadableTableMetadata, WriteTransaction};
use roaring::RoaringBitmap;

use self::bars::Bars;
use self::fate::Judge;
use self::needles::Needles;
use self::old_events::OldEvents;
use self::proof::{look_for, look_for_in};
use self::scope::Gone;
use crate::error::Error;
use crate::index::keys::SetKind;
use crate::index::left_out;
use crate::ledger::erases::{erased_of, erased_of_entry, receipt_key};
use crate::ledger::state_digest::{StateDigest, StateSum};
use crate::packs::write::PackReport;
use crate::planted::{self, Fault};
use crate::replika::Replika;
use crate::snapshot::Snapshot;
use crate::store::file::Opened;
use crate::store::rewrite::{Inspector, RewriteProgress};
use crate::store::secret::read_secret;
use crate::store::tables::{DELIVERIES, META, PERSONS};

pub use self::receipt::{Going, Receipt};
pub use self::scope::EraseScope;
pub use self::tidy::TidyOptions;

/// The longest reason, in bytes.
const REASON_BYTES: usize = 1000;
/// This many digits in a row may be a number.
const DIGITS_OF_A_NUMBER: usize = 10;

/// How persons are erased.
#[derive(Default)]
pub struct EraseOptions<'a> {
    /// Filters of subscribers on the numbers go too, with what they were earlier. Without it they stand against the
    /// erase.
    pub unfollow: bool,
    /// When it is, in seconds since 1970 UTC: for the receipt.
    pub at: Option<i64>,
    /// Folders of packs of the store that are to hold nothing of the persons either: a new base is written to each.
    pub packs: &'a [&'a Path],
    /// Told how far the writing is; `Break` ends it, and the store is as before.
    pub progress: Option<&'a dyn Fn(RewriteProgress) -> ControlFlow<()>>,
}

/// An erase that was done.
#[derive(Debug)]
#[non_exhaustive]
pub struct Erasure {
    /// What it did.
    pub receipt: Receipt,
    /// The packs that were written anew.
    pub packs: Vec<ClearedPacks>,
    old: Weak<Opened>,
}

/// Packs that were written anew without some persons, and what the proof read of them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ClearedPacks {
    /// The folder.
    pub folder: PathBuf,
    /// The base that stands there now, alone.
    pub pack: PackReport,
    /// Rows that were decoded, none of which speaks of the persons.
    pub rows_read: u64,
    /// Blocks that were looked through for the documents that went; 0 for packs that are encrypted, whose rows alone
    /// are read.
    pub blocks_read: u64,
}

impl Erasure {
    /// True when no snapshot of this process reads the old file any more: then it is gone, as far as the file system
    /// goes.
    pub fn is_final(&self) -> bool {
        self.old.strong_count() == 0
    }
}

impl Replika {
    /// Erases human beings, and bars their numbers. See [the module](crate::erase) for what goes and what stays.
    ///
    /// There must be room for a second file. Other writers wait meanwhile, reads do not. A number that nobody has is
    /// barred, and counts as a person without records.
    ///
    /// # Errors
    /// [`Error::Erase`] for a reason that is empty, too long, or may hold a number; [`Error::Followed`];
    /// [`Error::NotErased`] when the proof finds a trace; and those of [`Replika::compact`], and of
    /// [`Snapshot::write_base`] for folders that cannot take packs of this store. The store is then as before, but for
    /// [`Error::MaybeReplaced`], after which the persons are erased and packs are not yet. A folder
    /// that fails only when it is written leaves the store erased and the folder as it was: the same call again does
    /// the rest.
    pub fn erase(&self, persons: &[Pnr], reason: &str, options: &EraseOptions<'_>) -> Result<Erasure, Error> {
        check_reason(reason)?;
        let _lock = self.write_lock()?;
        let snapshot = self.snapshot();
        let gone = Gone::read(&snapshot, persons)?;
        if gone.scope.filters > 0 && !options.unfollow {
            return Err(Error::Followed { filters: gone.scope.filters });
        }
        let draft = Receipt { kind: Going::Erase, at: options.at, reason: reason.to_owned(), ..Receipt::default() };
        self.write_without(&snapshot, &gone, None, draft, options.packs, options.progress)
    }

    /// Writes the store anew without some persons, with the proof and the receipt. The caller holds the lock of
    /// writers.
    pub(crate) fn write_without(
        &self,
        snapshot: &Snapshot,
        gone: &Gone,
        old_events: Option<OldEvents<'_>>,
        draft: Receipt,
        packs: &[&Path],
        progress: Option<&dyn Fn(RewriteProgress) -> ControlFlow<()>>,
    ) -> Result<Erasure, Error> {
        packs.iter().try_for_each(|folder| snapshot.check_packs(folder))?;
        let erases = snapshot.erases()?;
        let judge = RefCell::new(Judge {
            gone: &gone.all,
            old_events,
            erases,
            dropped: 0,
            replaced: 0,
            needles: Needles::default(),
            erased_of: BTreeMap::new(),
        });
        let draft = Receipt {
            number: erases + 1,
            known: snapshot.known(),
            persons: gone.scope.persons,
            numbers: gone.all.len(),
            held: gone.scope.held,
            filters: gone.scope.filters,
            ..draft
        };
        let mut prover = Prover { snapshot, gone, judge: &judge, receipt: draft };
        let progress = &mut |so_far| progress.map_or(ControlFlow::Continue(()), |progress| progress(so_far));
        let old = Arc::downgrade(&self.database());
        self.write_anew_locked(|options| options, &mut |row| judge.borrow_mut().judge(row), &mut prover, progress)?;
        let receipt = prover.receipt;
        let needles = &mut judge.borrow_mut().needles;
        let cleared = packs.iter().map(|folder| self.clear_packs(folder, gone, receipt.kind, needles));
        let packs = cleared.collect::<Result<_, _>>()?;
        Ok(Erasure { receipt, packs, old })
    }

    /// Writes a base without the persons to a folder of packs, in the place of what stands there.
    fn clear_packs(
        &self,
        folder: &Path,
        gone: &Gone,
        going: Going,
        needles: &mut Needles,
    ) -> Result<ClearedPacks, Error> {
        let (mut rows_read, blocks_before) = (0, needles.blocks);
        let pack = self.snapshot().write_proved_base(folder, &mut |state, file| {
            let found = look_for_in(&gone.all, state.tables(), going)?;
            if let Some(file) = file {
                let read = needles.look_through(file);
                read.map_err(|source| Error::Folder { doing: "reading a pack", source })?;
            }
            rows_read = found.rows;
            match found.trace_count() + needles.found {
                0 => Ok(()),
                traces => Err(Error::NotErased { traces }),
            }
        })?;
        let blocks_read = needles.blocks - blocks_before;
        Ok(ClearedPacks { folder: folder.to_owned(), pack, rows_read, blocks_read })
    }
}

/// A reason is one line of text that names nobody.
pub(crate) fn check_reason(reason: &str) -> Result<(), Error> {
    if reason.trim().is_empty() {
        return Err(Error::Erase("a reason must be given"));
    }
    if reason.len() > REASON_BYTES || reason.chars().any(char::is_control) {
        return Err(Error::Erase("a reason is one line of at most 1000 bytes"));
    }
    let mut digits = 0;
    for character in reason.chars() {
        match character {
            digit if digit.is_ascii_digit() => digits += 1,
            '-' | ' ' => {}
            _ => digits = 0,
        }
        if digits >= DIGITS_OF_A_NUMBER {
            return Err(Error::Erase("a reason is kept, so it must not hold a number"));
        }
    }
    Ok(())
}

/// Searches the new file for what went, and then writes receipt and bars into it.
struct Prover<'a> {
    snapshot: &'a Snapshot,
    gone: &'a Gone,
    judge: &'a RefCell<Judge<'a>>,
    receipt: Receipt,
}

impl Inspector for Prover<'_> {
    fn block(&mut self, block: &[u8]) {
        self.judge.borrow_mut().needles.look(block);
    }

    fn finish(&mut self, new: &Opened) -> Result<(), Error> {
        let judge = self.judge.borrow();
        let found = look_for(&self.gone.all, new)?;
        let traces = found.trace_count() + judge.needles.found;
        if traces > 0 {
            return Err(Error::NotErased { traces });
        }
        let receipt = Receipt {
            rows_dropped: judge.dropped,
            rows_changed: judge.replaced,
            mentions: found.mentions,
            rows_read: found.rows,
            documents_sought: judge.needles.sought,
            blocks_read: judge.needles.blocks,
            ..self.receipt.clone()
        };
        let settings = &self.snapshot.tables().meta;
        self.receipt = receipt.sign(&read_secret(settings)?);
        let write = new.begin_write()?;
        match self.receipt.kind {
            Going::Erase => self.bar(&write)?,
            Going::Tidy if planted::is(Fault::WentForgotten) => {}
            Going::Tidy => {
                // Who is not kept is in CPR.
                let held = self.snapshot.index_set(SetKind::Held, 0)?;
                left_out::change(&write, &(&self.gone.all & held), &RoaringBitmap::new())?;
            }
        }
        if let Some(old) = &judge.old_events {
            old.write(&write)?;
        }
        let mut table = write.open_table(META)?;
        table.insert(receipt_key(self.receipt.number).as_str(), self.receipt.to_text().as_str())?;
        for (&delivery, lost) in &judge.erased_of {
            let mut erased = erased_of(settings, delivery)?;
            erased.changed += lost.changed;
            erased.redelivered += lost.redelivered;
            let (key, text) = erased_of_entry(delivery, erased);
            table.insert(key.as_str(), text.as_str())?;
        }
        drop(table);
        self.renew_digests(&write, judge.old_events.as_ref().map(|old| old.state))?;
        write.commit()?;
        Ok(())
    }
}

impl Prover<'_> {
    /// Bars the numbers, with what their records say of each other.
    fn bar(&self, write: &WriteTransaction) -> Result<(), Error> {
        let mut bars = Bars::read(&self.snapshot.tables().meta)?;
        for key in self.gone.all.iter().filter_map(PersonKey::from_u32) {
            let links = self.gone.links(self.snapshot, key)?;
            if !planted::is(Fault::BarsForgotten) {
                bars.add(key.as_u32(), self.gone.named.contains(key.as_u32()), &links);
            }
        }
        bars.write(write)
    }

    /// The digest of the last delivery becomes that of what is left; those of the ones before are void, since the
    /// states of then cannot be had any more.
    fn renew_digests(&self, write: &WriteTransaction, events: Option<StateSum>) -> Result<(), Error> {
        let mut gone = self.snapshot.sum_of_all(&self.gone.all)?;
        gone.add(events.unwrap_or_default());
        if gone == StateSum::default() {
            return Ok(());
        }
        let (mut deliveries, known) = (self.snapshot.deliveries()?, self.snapshot.known());
        let (persons, files) = (write.open_table(PERSONS)?.len()?, deliveries.iter().map(|delivery| delivery.digest));
        let files: Vec<[u8; 32]> = files.collect();
        let (mut table, mut sealed) = (write.open_table(DELIVERIES)?, Vec::new());
        for delivery in &mut deliveries {
            let last = delivery.state.take().filter(|_| delivery.number == known);
            delivery.state = last.map(|state| {
                let mut left = state.sum();
                left.take(gone);
                StateDigest::new(left, persons, &files)
            });
            delivery.seal(&mut sealed);
            table.insert(delivery.number.0, sealed.as_slice())?;
        }
        Ok(())
    }
}

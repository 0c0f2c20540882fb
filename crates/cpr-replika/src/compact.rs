//! Writing a store anew: compacted, or under a fresh key. The handle goes over to the new file.
//!
//! Other writers wait from the first row to the last. Reads wait for nobody: a snapshot that is held goes on reading
//! the old file, which is gone from the disk once the last of them is dropped.

use std::ops::ControlFlow;
#[cfg(feature = "encryption")]
use std::sync::Arc;

use crate::error::Error;
use crate::replika::Replika;
use crate::store::copier::Fate;
use crate::store::file::Options;
#[cfg(feature = "encryption")]
use crate::store::key::KeySource;
use crate::store::rewrite::{Inspector, NoInspector, Plan, RewriteProgress, RewriteReport, rewrite};
use crate::store::tables::TableRow;

impl Replika {
    /// Writes the store anew, as small as it can be: every row in key order into a fresh file beside the old one, which
    /// is checked, made durable and then renamed into its place. What deliveries have left free in the old file is
    /// given back to the disk. The store answers as before, and whatever ends the process, it is the one file or the
    /// other.
    ///
    /// There must be room for both files. Other writers wait meanwhile, reads do not; snapshots that are held keep the
    /// old file on the disk for as long as they are. A store in memory is written anew in memory.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::ops::ControlFlow;
    /// let replika = demo()?;
    /// let held = replika.snapshot();
    /// let report = replika.compact(|_so_far| ControlFlow::Continue(()))?;
    /// assert!(report.rows > 0);
    /// assert_eq!(replika.snapshot().pnrs()?.count(), held.pnrs()?.count());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Stopped`] when `progress` says so, [`Error::NoRoom`], [`Error::ReadOnly`], [`Error::Replaced`], damage
    /// that is found on the way, and failures of the storage: the store is then as before. [`Error::MaybeReplaced`]:
    /// it is written anew.
    pub fn compact(
        &self,
        mut progress: impl FnMut(RewriteProgress) -> ControlFlow<()>,
    ) -> Result<RewriteReport, Error> {
        self.write_anew(|options| options, &mut |_| Ok(Fate::Keep), &mut NoInspector, &mut progress)
    }

    /// As [`Replika::compact`], under a fresh data key, which the key of another source opens from now on. Whoever has
    /// an old key, or an old copy of the file, can read nothing of the new one. A store that was not encrypted is from
    /// then on.
    ///
    /// What lay in the old file is not overwritten on the disk, which is the file system's to do.
    ///
    /// # Errors
    /// As [`Replika::compact`], and [`Error::Key`] when the source does not give its key.
    #[cfg(feature = "encryption")]
    pub fn rewrite_under_key(
        &self,
        key: Arc<dyn KeySource>,
        mut progress: impl FnMut(RewriteProgress) -> ControlFlow<()>,
    ) -> Result<RewriteReport, Error> {
        let under_key = |options| Options { key: Some(key), ..options };
        self.write_anew(under_key, &mut |_| Ok(Fate::Keep), &mut NoInspector, &mut progress)
    }

    /// Writes the store anew by a plan, and goes over to what was written.
    pub(crate) fn write_anew(
        &self,
        options: impl FnOnce(Options) -> Options,
        fate: &mut dyn FnMut(TableRow<'_>) -> Result<Fate, Error>,
        inspector: &mut dyn Inspector,
        progress: &mut dyn FnMut(RewriteProgress) -> ControlFlow<()>,
    ) -> Result<RewriteReport, Error> {
        let _lock = self.write_lock()?;
        self.write_anew_locked(options, fate, inspector, progress)
    }

    /// As [`Replika::write_anew`], for who holds the lock of writers.
    pub(crate) fn write_anew_locked(
        &self,
        options: impl FnOnce(Options) -> Options,
        fate: &mut dyn FnMut(TableRow<'_>) -> Result<Fate, Error>,
        inspector: &mut dyn Inspector,
        progress: &mut dyn FnMut(RewriteProgress) -> ControlFlow<()>,
    ) -> Result<RewriteReport, Error> {
        let old = self.database();
        old.check_sound()?;
        let options = options(old.options().clone());
        let (new, report) = rewrite(&old, &mut Plan { options, fate, progress, inspector })?;
        let is_durable = new.check_sound();
        // The new file has its name, whatever fails from here on.
        let gone_over = self.go_over_to(new);
        is_durable.and(gone_over).map(|()| report).map_err(|error| Error::MaybeReplaced(Box::new(error)))
    }
}

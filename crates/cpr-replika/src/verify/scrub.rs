//! A store or a folder of packs that is in use, tried block by block at a limited rate: what a disk loses in silence is
//! told before somebody asks for it.
//!
//! [`Snapshot::verify`](crate::Snapshot::verify) and [`Replika::verify_file`] hold rows against each other and take what
//! the disk gives; a scrub holds bytes against their checks and takes no more than it is let. It holds up no writer and
//! no reader, keeps nothing in memory, and finds damage in what nobody has asked for yet.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cpr_pack::Pack;

use crate::damage::{Damage, Place};
use crate::error::Error;
use crate::packs::packed::Packed;
use crate::replika::Replika;
use crate::store::file::{Opened, Options};
use crate::verify::VerifyReport;
use crate::verify::report::TOLD;

/// How far a scrub is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ScrubProgress {
    /// Bytes tried.
    pub bytes: u64,
    /// Bytes there are.
    pub of: u64,
}

const BLOCK_BYTES: u64 = 4096;
/// The longest sleep: how soon who wants it stopped is heard.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);
/// Blocks read at once, at most.
const MOST_BLOCKS: u64 = 256;
/// How often a file that has failed is waited for to be opened anew, a sleep each.
const MOST_WAITS: u32 = 100;
/// How often it is asked which blocks are in use, when a commit comes in between.
const TRIES: u32 = 5;

impl Replika {
    /// Tries every block of the store against its check while it is read and written, at most so many bytes a second
    /// (none: as fast as the disk gives them). What it finds is told as by [`Replika::verify_file`]; rows are not
    /// read. Damage it finds is no failure of this handle, which meets it once somebody asks for what is lost.
    ///
    /// `progress` is called at least ten times a second and can stop it. Where the store is written anew meanwhile
    /// ([`Replika::compact`]), it begins again with the new file. Blocks that the system keeps in memory need not come
    /// from the disk.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::num::NonZeroU64;
    /// use std::ops::ControlFlow;
    /// let report = demo()?.scrub(NonZeroU64::new(50_000_000), |_so_far| ControlFlow::Continue(()))?;
    /// assert!(report.is_clean() && report.blocks > 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Stopped`] when `progress` says so, and failures of the storage.
    pub fn scrub(
        &self,
        bytes_a_second: Option<NonZeroU64>,
        mut progress: impl FnMut(ScrubProgress) -> ControlFlow<()>,
    ) -> Result<VerifyReport, Error> {
        let mut pace = Pace::new(bytes_a_second, &mut progress);
        let mut database = self.database();
        loop {
            if let Some(report) = self.scrub_file(&mut database, &mut pace)? {
                return Ok(report);
            }
        }
    }

    /// Tries the blocks of one file, with whatever handle has it open; none when another took its place.
    fn scrub_file(&self, database: &mut Arc<Opened>, pace: &mut Pace<'_>) -> Result<Option<VerifyReport>, Error> {
        let mut report = VerifyReport::default();
        let (mut doubtful, mut buffer, mut next, mut waits) = (Vec::new(), Vec::new(), 1, 0);
        loop {
            let Some(scrubbed) = database.scrub(next, pace.blocks_at_once(), &mut buffer)? else {
                // It has failed, and whoever asks next opens it anew: here, unless somebody writes.
                let current = self.database();
                if Arc::ptr_eq(&current, database) {
                    waits += 1;
                    if waits > MOST_WAITS {
                        current.check_sound()?;
                        return Ok(Some(report));
                    }
                    pace.sleep(LONGEST_SLEEP)?;
                } else if !replace(database, current) {
                    return Ok(None);
                }
                continue;
            };
            report.blocks += scrubbed.written;
            doubtful.extend(scrubbed.faults);
            if scrubbed.next >= scrubbed.of {
                break;
            }
            let bytes = (scrubbed.next - next) * BLOCK_BYTES;
            next = scrubbed.next;
            pace.read(bytes, ScrubProgress { bytes: next * BLOCK_BYTES, of: scrubbed.of * BLOCK_BYTES })?;
            if !replace(database, self.database()) {
                return Ok(None);
            }
        }
        self.judge(database, doubtful, &mut report)?;
        Ok(Some(report))
    }

    /// Tells what is damage. In a file that was once left without being closed, a block that does not fit and that
    /// nothing leads to is what was being written then.
    fn judge(&self, database: &Opened, doubtful: Vec<Damage>, report: &mut VerifyReport) -> Result<(), Error> {
        let Some((roots, was_cut_off)) = database.scrub_roots()? else { return Ok(()) };
        roots.into_iter().for_each(|damage| report.fault_at(damage.place, damage.what));
        let in_use = if was_cut_off && !doubtful.is_empty() { self.lost_in_use(database)? } else { None };
        for damage in doubtful {
            let is_unused = match (damage.place, &in_use) {
                (Place::Block(block), Some(in_use)) => !in_use.contains(&block),
                _ => false,
            };
            match is_unused {
                true => report.unsettled += 1,
                false => report.fault_at(damage.place, damage.what),
            }
        }
        Ok(())
    }

    /// Blocks that are lost of those in use; none where nobody can say.
    fn lost_in_use(&self, database: &Opened) -> Result<Option<BTreeSet<u64>>, Error> {
        for _ in 0..TRIES {
            // Pages of a state that somebody reads are not written over.
            let _held = self.snapshot();
            match database.lost_in_use() {
                Ok((lost, true)) => return Ok(Some(lost)),
                Ok((_, false)) => {}
                // Where the way to the rows is damaged, all of it may be in use.
                Err(Error::Damaged { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Goes over to the handle that has the store open now; false when that has another file.
fn replace(database: &mut Arc<Opened>, current: Arc<Opened>) -> bool {
    let is_same = current.is_over_the_storage_of(database);
    *database = current;
    is_same
}

impl Packed {
    /// Reads every row of the packs of a folder, each block against its check, at most so many bytes a second (none: as
    /// fast as the disk gives them), while others read them or replace them. A pack in which something does not check
    /// is then read once more without a limit, so that all of it is told, as by [`Packed::verify`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::ops::ControlFlow;
    /// use cpr_replika::{Options, Packed};
    /// let folder = tempfile::tempdir()?;
    /// demo()?.snapshot().write_pack(folder.path())?;
    /// let report = Packed::scrub(folder.path(), &Options::default(), None, |_so_far| ControlFlow::Continue(()))?;
    /// assert!(report.is_clean() && report.blocks > 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Stopped`] when `progress` says so; those of [`Packed::open`], but for damage, which stands in the report.
    pub fn scrub(
        folder: impl AsRef<Path>,
        options: &Options,
        bytes_a_second: Option<NonZeroU64>,
        mut progress: impl FnMut(ScrubProgress) -> ControlFlow<()>,
    ) -> Result<VerifyReport, Error> {
        let mut pace = Pace::new(bytes_a_second, &mut progress);
        let mut report = VerifyReport::default();
        // Opened anew: what is open elsewhere may have been checked once, and is not checked again. Blocks are read
        // once, and need not be kept decrypted.
        let options = Options { cache_bytes: options.cache_bytes.min(PACK_CACHE_BYTES), ..options.clone() };
        let Some(packed) = report.sound(Packed::open_either(folder.as_ref(), &options))? else { return Ok(report) };
        let packs = packed.packs();
        let packs: Vec<&Pack> = [packs.base()].into_iter().chain(packs.overlay()).map(|pack| &**pack).collect();
        let mut so_far = ScrubProgress { bytes: 0, of: 0 };
        for pack in &packs {
            for (name, keys) in pack.tables() {
                so_far.of += pack.table(name, keys)?.size().row_bytes;
            }
        }
        for pack in packs {
            match read_rows(pack, &mut pace, &mut so_far) {
                Ok(bytes) => report.blocks += bytes.div_ceil(BLOCK_BYTES),
                Err(Error::Damaged { .. }) => {
                    let (verified, faults) = pack.verify_all(TOLD)?;
                    report.blocks += verified.blocks;
                    faults.iter().for_each(|fault| report.fault_at(Place::Pack(fault.at), fault.what));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(report)
    }
}

/// Bytes of blocks of an encrypted pack kept decrypted.
const PACK_CACHE_BYTES: usize = 1024 * 1024;
/// Bytes of rows between two looks at the clock.
const STRIDE_BYTES: u64 = 64 * 1024;

/// Reads the rows of a pack; how many bytes they have.
fn read_rows(pack: &Pack, pace: &mut Pace<'_>, so_far: &mut ScrubProgress) -> Result<u64, Error> {
    let mut all = 0;
    for (name, keys) in pack.tables() {
        let table = pack.table(name, keys)?;
        let (bytes, mut read, mut paced) = (table.size().row_bytes, 0, 0);
        for row in table.iter()? {
            read = bytes.min(read + ROW_HEAD + row?.value().len() as u64);
            if read - paced >= STRIDE_BYTES {
                so_far.bytes += read - paced;
                pace.read(read - paced, *so_far)?;
                paced = read;
            }
        }
        so_far.bytes += bytes - paced;
        pace.read(bytes - paced, *so_far)?;
        all += bytes;
    }
    Ok(all)
}

/// Bytes of a row in front of its value, about.
const ROW_HEAD: u64 = 8;

/// Reads no faster than is allowed.
struct Pace<'p> {
    bytes_a_second: Option<NonZeroU64>,
    since: Instant,
    /// Bytes read since then.
    bytes: u64,
    so_far: ScrubProgress,
    progress: &'p mut dyn FnMut(ScrubProgress) -> ControlFlow<()>,
}

impl<'p> Pace<'p> {
    fn new(
        bytes_a_second: Option<NonZeroU64>,
        progress: &'p mut dyn FnMut(ScrubProgress) -> ControlFlow<()>,
    ) -> Pace<'p> {
        Pace { bytes_a_second, since: Instant::now(), bytes: 0, so_far: ScrubProgress { bytes: 0, of: 0 }, progress }
    }

    /// So many that there is something to read ten times a second.
    fn blocks_at_once(&self) -> u64 {
        self.bytes_a_second.map_or(MOST_BLOCKS, |bytes| (bytes.get() / 10 / BLOCK_BYTES).clamp(1, MOST_BLOCKS))
    }

    /// So much was read: waits until it may have been.
    fn read(&mut self, bytes: u64, so_far: ScrubProgress) -> Result<(), Error> {
        (self.bytes, self.so_far) = (self.bytes + bytes, so_far);
        let Some(rate) = self.bytes_a_second else { return self.report() };
        loop {
            self.report()?;
            let due = Duration::from_secs_f64(self.bytes as f64 / rate.get() as f64);
            let elapsed = self.since.elapsed();
            // A disk that was slow is not made up for by reading faster later.
            if elapsed > due + Duration::from_secs(1) {
                (self.since, self.bytes) = (Instant::now(), 0);
                return Ok(());
            }
            match due.saturating_sub(elapsed) {
                Duration::ZERO => return Ok(()),
                left => thread::sleep(left.min(LONGEST_SLEEP)),
            }
        }
    }

    fn sleep(&mut self, time: Duration) -> Result<(), Error> {
        thread::sleep(time);
        self.report()
    }

    fn report(&mut self) -> Result<(), Error> {
        match (self.progress)(self.so_far) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    }
}

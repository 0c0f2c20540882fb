//! A write of a whole country: one change for everybody, in stages for redb.
//!
//! redb takes the checksums of what a transaction wrote when it commits. Pages that have left its buffer by then are
//! read back, and written once more. So a write that is larger than the buffer is committed in stages that fit into it,
//! none of which is durable: a crash leaves what was before the first, and whoever gives up goes back to that. Nobody
//! sees a stage, since snapshots are taken of what was published, and while the write lock is held nothing is. Stages
//! are for a store in which nothing is held: elsewhere each would copy the pages of the others anew.

use redb::{Durability, Savepoint, WriteTransaction};

use crate::damage::{NOT_UNDONE, Place};
use crate::error::Error;
use crate::planted::{self, Fault};
use crate::store::file::Opened;

/// The part of the cache that one stage may write; redb's buffer is half of it, and pages are larger than what is in
/// them.
const PART_OF_CACHE: usize = 6;

/// Whether there may be several stages, and what becomes of them when the write is given up.
enum Stages {
    One,
    /// They are undone, up to here.
    Undone(Savepoint),
    /// They stay: the file is thrown away.
    Left,
}

/// A write that goes on until it is committed, and is undone when it is dropped before.
pub(crate) struct StagedWrite<'d> {
    opened: &'d Opened,
    /// None once it has ended.
    write: Option<WriteTransaction>,
    stages: Stages,
    /// Bytes written in this stage.
    written: usize,
    /// A stage has been committed.
    is_staged: bool,
}

impl<'d> StagedWrite<'d> {
    /// A write in one stage.
    pub(crate) fn whole(opened: &'d Opened) -> Result<StagedWrite<'d>, Error> {
        StagedWrite::begin(opened, |_| Ok(Stages::One))
    }

    /// A write in as many stages as it takes.
    pub(crate) fn in_stages(opened: &'d Opened) -> Result<StagedWrite<'d>, Error> {
        StagedWrite::begin(opened, |write| Ok(Stages::Undone(write.ephemeral_savepoint()?)))
    }

    /// A write in as many stages as it takes, to a file that whoever gives up throws away.
    pub(crate) fn into_new_file(opened: &'d Opened) -> Result<StagedWrite<'d>, Error> {
        StagedWrite::begin(opened, |_| Ok(Stages::Left))
    }

    fn begin(
        opened: &'d Opened,
        stages: impl FnOnce(&WriteTransaction) -> Result<Stages, Error>,
    ) -> Result<StagedWrite<'d>, Error> {
        let write = opened.begin_write()?;
        let stages = stages(&write)?;
        Ok(StagedWrite { opened, write: Some(write), stages, written: 0, is_staged: false })
    }

    /// The transaction of this stage. No table of it may be open when a stage ends.
    pub(crate) fn transaction(&self) -> &WriteTransaction {
        self.write.as_ref().expect("a write that has ended is gone")
    }

    /// Notes that so many bytes were written, and ends the stage when it is full.
    pub(crate) fn wrote(&mut self, bytes: usize) -> Result<(), Error> {
        self.written += bytes;
        if matches!(self.stages, Stages::One) || self.written < self.opened.options().cache_bytes / PART_OF_CACHE {
            return Ok(());
        }
        self.written = 0;
        let mut write = self.write.take().expect("a write that has ended is gone");
        write.set_quick_repair(false);
        if !planted::is(Fault::StagesDurable) {
            write.set_durability(Durability::None)?;
        }
        self.is_staged = true;
        write.commit()?;
        self.write = Some(self.opened.begin_write()?);
        Ok(())
    }

    /// Makes all of it durable.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        let write = self.write.take().expect("a write that has ended is gone");
        // With a savepoint left, redb would write down what there is to undo.
        self.stages = Stages::One;
        let committed = write.commit();
        if committed.is_ok() {
            self.is_staged = false;
        }
        Ok(committed?)
    }

    /// Undoes all of it.
    pub(crate) fn abort(mut self) -> Result<(), Error> {
        self.undo()
    }

    fn undo(&mut self) -> Result<(), Error> {
        if let Some(write) = self.write.take() {
            write.abort()?;
        }
        if !self.is_staged || matches!(self.stages, Stages::Left) {
            return Ok(());
        }
        let Stages::Undone(before) = std::mem::replace(&mut self.stages, Stages::One) else {
            return Err(Error::Damaged { place: Place::File, what: NOT_UNDONE });
        };
        let mut write = self.opened.begin_write()?;
        write.restore_savepoint(&before)?;
        write.commit()?;
        self.is_staged = false;
        Ok(())
    }
}

/// What cannot be undone is not to be read, and never to be made durable: the storage is opened anew, as it was before.
impl Drop for StagedWrite<'_> {
    fn drop(&mut self) {
        let latch = self.opened.latch();
        if latch.sound(|| self.undo()).is_err() {
            latch.freeze();
            latch.note::<()>(Err(std::io::Error::other(NOT_UNDONE))).ok();
        }
    }
}

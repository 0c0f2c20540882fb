//! A store made of packs: what they hold, all of it or as of an earlier delivery, in a new file.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::packs::as_of::{Earlier, RestoreReport};
use crate::packs::packed::Packed;
use crate::planted::{self, Fault};
use crate::replika::Replika;
use crate::store::copier::Fate;
use crate::store::file::{Opened, Options, is_vacant, with_blocks};
use crate::store::rewrite::write_new;

impl Replika {
    /// Makes a store where none is of what a folder of packs holds: equal to the one that wrote them in every answer,
    /// and with its events' ids, streams, subscribers and readers of events as they were then. It stands under its name
    /// once it is whole. The key of `options` opens the packs, when they are encrypted, and encrypts the store.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Options, Replika};
    /// let (replika, folder) = (demo()?, tempfile::tempdir()?);
    /// let packs = folder.path().join("packs");
    /// replika.snapshot().write_pack(&packs)?;
    /// let restored = Replika::restore(&packs, folder.path().join("replika.db"), &Options::default())?;
    /// assert_eq!(restored.snapshot().deliveries()?, replika.snapshot().deliveries()?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Exists`] when a file is there, or comes to be there meanwhile; [`Error::Locked`] when another process is
    /// making a store of that name; those of [`Packed::open`], and those of the storage.
    pub fn restore(packs: impl AsRef<Path>, path: impl AsRef<Path>, options: &Options) -> Result<Replika, Error> {
        check_vacant(path.as_ref())?;
        let snapshot = Packed::open_either(packs.as_ref(), options)?.snapshot();
        make_store(path.as_ref(), options, |new| write_new(snapshot.tables(), new, &mut |_| Ok(Fate::Keep)))
    }

    /// As [`Replika::restore`], but as of an earlier delivery: persons, what they are found by, the ledger, events and
    /// matches are as they were after it, and the later deliveries are to be applied again. Subscribers and their
    /// filters are those of the packs. What of readers of events and of subscribers' files is beyond the delivery is
    /// cut off, and reported.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{DeliveryNumber, Options, Replika};
    /// let (replika, folder) = (demo()?, tempfile::tempdir()?);
    /// let [packs, path] = ["packs", "replika.db"].map(|name| folder.path().join(name));
    /// replika.snapshot().write_pack(&packs)?;
    /// let (restored, report) = Replika::restore_known_at(&packs, &path, DeliveryNumber(1), &Options::default())?;
    /// assert_eq!((restored.snapshot().known(), report.files), (DeliveryNumber(1), 0));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownDelivery`]; those of [`Replika::restore`].
    pub fn restore_known_at(
        packs: impl AsRef<Path>,
        path: impl AsRef<Path>,
        delivery: DeliveryNumber,
        options: &Options,
    ) -> Result<(Replika, RestoreReport), Error> {
        check_vacant(path.as_ref())?;
        let snapshot = Packed::open_either(packs.as_ref(), options)?.snapshot();
        snapshot.delivery(delivery)?;
        let mut earlier = Earlier::new(&snapshot, delivery);
        let restored = make_store(path.as_ref(), options, |new| {
            let new = write_new(snapshot.tables(), new, &mut |row| earlier.fate(row))?;
            let index = std::mem::take(&mut earlier.index);
            new.latch().sound(|| {
                let write = new.begin_write()?;
                index.write(&write, None)?;
                write.commit().map_err(Error::from)
            })?;
            Ok(new)
        })?;
        Ok((restored, earlier.report))
    }
}

fn check_vacant(path: &Path) -> Result<(), Error> {
    if is_vacant(path) { Ok(()) } else { Err(Error::Exists) }
}

/// Makes a store under another name, and gives it its own once it is whole.
fn make_store(
    path: &Path,
    options: &Options,
    write: impl FnOnce(Opened) -> Result<Opened, Error>,
) -> Result<Replika, Error> {
    let part = if planted::is(Fault::RestoredInPlace) { path.to_owned() } else { private_file::part_path(path) };
    let io = |source| Error::Folder { doing: "making the restored store", source };
    // What a killed run has left is removed; not what another process is loading or restoring.
    if let Err(Error::Locked) = with_blocks(&part, options, |_| Ok(())) {
        return Err(Error::Locked);
    }
    match fs::remove_file(&part) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let written = match Opened::create(&part, options) {
        Err(Error::Locked) => return Err(Error::Locked),
        created => created.and_then(write),
    };
    if let Err(error) = written.and_then(Opened::close) {
        fs::remove_file(&part).ok();
        return Err(error);
    }
    if let Err(error) = name_new_store(&part, path) {
        fs::remove_file(&part).ok();
        return Err(if error.kind() == ErrorKind::AlreadyExists { Error::Exists } else { io(error) });
    }
    Replika::open_with(path, options)
}

/// Gives a store its name. It took minutes to write it, and others have made files.
fn name_new_store(part: &Path, path: &Path) -> io::Result<()> {
    match private_file::rename_vacant(part, path) {
        _ if planted::is(Fault::RestoredInPlace) => {}
        named => named?,
    }
    private_file::sync_folder_of(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn what_comes_to_stand_where_a_store_is_made_stays_as_it_is_unless_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let source = Replika::in_memory(&Config::default()).unwrap().snapshot();
        for (found, is_made) in [("of another", false), ("", true)] {
            let made = make_store(&path, &Options::default(), |new| {
                fs::write(&path, found).unwrap();
                write_new(source.tables(), new, &mut |_| Ok(Fate::Keep))
            });
            assert_eq!(made.err().map(|error| error.kind()), (!is_made).then_some("exists"));
            assert_eq!(fs::read(&path).unwrap() == found.as_bytes(), !is_made);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn what_another_is_writing_is_not_touched_and_what_was_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let part = private_file::part_path(&path);
        let source = Replika::in_memory(&Config::default()).unwrap().snapshot();
        let make = || {
            let how = Options::default();
            make_store(&path, &how, |new| write_new(source.tables(), new, &mut |_| Ok(Fate::Keep))).map(drop)
        };
        let other = Replika::create(&part, &Config::default()).unwrap();
        assert_eq!(make().unwrap_err().kind(), "locked");
        assert!(part.exists() && !path.exists());
        drop(other);
        for left in [None, Some("half a store"), Some("")] {
            if let Some(left) = left {
                fs::write(&part, left).unwrap();
            }
            make().unwrap();
            assert_eq!((path.exists(), part.exists()), (true, false), "{left:?}");
            fs::remove_file(&path).unwrap();
        }
    }
}

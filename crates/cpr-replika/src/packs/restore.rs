//! A store made of packs: what they hold, all of it, in a new file.

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::packs::packed::Packed;
use crate::replika::Replika;
use crate::store::file::{Opened, Options, is_vacant};
use crate::store::rewrite::write_new;

impl Replika {
    /// Makes a store where none is of what a folder of packs holds: equal to the one that wrote them in every answer, and with
    /// its events' ids, streams, subscribers and readers of events as they were then. It stands under its name once it is whole.
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
    /// [`Error::Exists`] when a file is there; those of [`Packed::open`], and those of the storage.
    pub fn restore(packs: impl AsRef<Path>, path: impl AsRef<Path>, options: &Options) -> Result<Replika, Error> {
        let path = path.as_ref();
        if !is_vacant(path) {
            return Err(Error::Exists);
        }
        let snapshot = Packed::open(packs)?.snapshot();
        let part = private_file::part_path(path);
        let io = |source| Error::Folder { doing: "making the restored store", source };
        match fs::remove_file(&part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let written = Opened::create(&part, options).and_then(|new| write_new(snapshot.tables(), new));
        if let Err(error) = written.map(drop) {
            fs::remove_file(&part).ok();
            return Err(error);
        }
        fs::rename(&part, path).and_then(|()| private_file::sync_folder_of(path)).map_err(io)?;
        Replika::open_with(path, options)
    }
}

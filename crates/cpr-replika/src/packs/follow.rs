//! Follows a folder of packs: what another machine or process brings there is copied, checked and made current here.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use cpr_pack::{Pack, Packs};
use private_file::PartFile;

use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::packs::current::Current;
use crate::packs::opening::PackOpening;
use crate::packs::packed::Packed;
use crate::packs::write::{lock, remove_others};
use crate::planted::{self, Fault};
use crate::snapshot::Snapshot;
use crate::store::file::Options;
use crate::store::source::Source;

impl Packed {
    /// Has a folder hold the state that another one holds, which something brings there file by file: a mount, `rsync`,
    /// an object store. Packs that are not here yet are copied and read whole, each block against its check; only then
    /// are they made current. Readers of the folder see the one state or the other. None when it holds that state
    /// already, or a later one. Encrypted packs are checked with the key of `options`, and stay encrypted.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Options, Packed};
    /// let [source, own] = [tempfile::tempdir()?, tempfile::tempdir()?];
    /// demo()?.snapshot().write_base(source.path())?;
    /// assert_eq!(Packed::follow(own.path(), source.path(), &Options::default())?.map(|delivery| delivery.0), Some(2));
    /// assert_eq!(Packed::follow(own.path(), source.path(), &Options::default())?, None);
    /// assert_eq!(Packed::open(own.path())?.snapshot().pnrs()?.count(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoPacks`] when nothing is there yet; [`Error::OtherPacks`] when the folders are of different stores;
    /// [`Error::Pack`] and [`Error::Damaged`] for a pack that is not there yet, not whole, or damaged: what the folder
    /// holds stays. [`Error::Busy`], [`Error::Folder`].
    pub fn follow(
        folder: impl AsRef<Path>,
        source: impl AsRef<Path>,
        options: &Options,
    ) -> Result<Option<DeliveryNumber>, Error> {
        let (folder, source, opening) = (folder.as_ref(), source.as_ref(), PackOpening::of(options));
        let next = Current::read(source)?.ok_or(Error::NoPacks)?;
        private_file::make_folder(folder).map_err(doing("making the folder of packs"))?;
        let _lock = lock(folder)?;
        if let Some(own) = Current::read(folder)? {
            if own.store != next.store {
                return Err(Error::OtherPacks);
            }
            if own == next || own.delivery > next.delivery {
                return Ok(None);
            }
        }
        if planted::is(Fault::CurrentBeforePacks) {
            next.write(folder)?;
        }
        for file in next.files().filter(|file| !folder.join(file).exists()) {
            copy(&source.join(file), &folder.join(file), &opening)?;
        }
        check(folder, &next, &opening)?;
        next.write(folder)?;
        remove_others(folder, &next);
        Ok(Some(next.delivery))
    }
}

fn doing(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Folder { doing, source }
}

/// Copies a pack and reads it whole; it stands under its name once it is sound and durable.
fn copy(from: &Path, to: &Path, opening: &PackOpening) -> Result<(), Error> {
    let mut source = File::open(from).map_err(|source| cpr_pack::Error::Io { doing: "opening a pack", source })?;
    let part = PartFile::create(to).map_err(doing("copying a pack"))?;
    copy_pieces(&mut source, &mut part.file()).map_err(doing("copying a pack"))?;
    opening.open(part.part())?.verify()?;
    part.file().set_permissions(Permissions::from_mode(0o400)).map_err(doing("making a pack read-only"))?;
    part.publish().map_err(doing("naming a copied pack"))
}

/// Bytes that are copied at once: as packs are written.
const PIECE_BYTES: u64 = 2 << 20;

/// Copies a piece at a time: what the system keeps of a copy in memory is then as fast to map.
fn copy_pieces(source: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut piece = Vec::with_capacity(PIECE_BYTES as usize);
    loop {
        piece.clear();
        source.by_ref().take(PIECE_BYTES).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(());
        }
        to.write_all(&piece)?;
    }
}

/// That the packs belong together, and are what `CURRENT` says.
fn check(folder: &Path, next: &Current, opening: &PackOpening) -> Result<(), Error> {
    let open = |name: &str| -> Result<Arc<Pack>, Error> { Ok(Arc::new(opening.open(&folder.join(name))?)) };
    let packs = Packs::new(open(&next.base)?, next.overlay.as_deref().map(open).transpose()?)?;
    let packs = Arc::new(packs);
    let known = Snapshot::over(Source::of_packs(&packs, opening.key())?)?.known();
    let is_so = packs.description().store == next.store && known == next.delivery;
    if is_so { Ok(()) } else { Err(Error::OtherPacks) }
}

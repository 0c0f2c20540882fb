//! A folder of packs as it is read: by any number of processes, while another writes the next state to it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cpr_pack::{Pack, Packs};

use crate::arrivals::DeliveryListener;
use crate::delivery_number::DeliveryNumber;
use crate::error::Error;
use crate::ledger::state_digest::StateDigest;
use crate::packs::current::Current;
use crate::packs::opening::PackOpening;
use crate::packs::switch::{Shelf, Switch};
use crate::publication::State;
use crate::snapshot::Snapshot;
use crate::store::file::Options;
use crate::store::pack_key::PackKey;
use crate::store::source::Source;

/// How often [`Packed::wait_for`] looks whether there is a new state.
const LOOK: Duration = Duration::from_millis(200);

type Opener = Box<dyn Fn(&Path) -> Result<Pack, cpr_pack::Error> + Send + Sync>;

/// The packs of a folder. `Send + Sync`; it needs no right to write, and holds up nobody.
///
/// It stands at one state until [`Packed::poll`] or [`Packed::wait_for`] finds a newer one; snapshots stay what they
/// are.
pub struct Packed {
    switch: Switch<Folder>,
}

/// A folder of packs, and how they are opened.
struct Folder {
    path: PathBuf,
    opener: Opener,
    /// Of encrypted packs, where it is known.
    key: Option<PackKey>,
}

/// What is open.
#[derive(Clone)]
struct OpenPacks {
    current: Current,
    packs: Arc<Packs>,
    snapshot: Snapshot,
}

impl State for OpenPacks {
    fn known(&self) -> DeliveryNumber {
        self.snapshot.known()
    }
}

/// Says which delivery it stands at.
impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed at delivery {}", self.snapshot().known())
    }
}

impl Packed {
    /// Opens the packs of a folder. Rows are read from the files when they are asked for, and so is their index, which
    /// is kept in memory, up to 2 % of them; each block is checked when it is first read.
    ///
    /// # Errors
    /// [`Error::NoPacks`] when the folder holds none; [`Error::NewerFormat`], [`Error::OlderFormat`];
    /// [`Error::KeyNeeded`] when they are encrypted; [`Error::Damaged`], [`Error::Pack`], [`Error::Folder`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Packed, Error> {
        Packed::open_as(folder.as_ref(), PackOpening::of(&Options { key: None, ..Options::default() }))
    }

    /// As [`Packed::open`], of packs that were written of a store with a key, by the key source of `options`. Each
    /// block is decrypted when it is read, and kept decrypted as far as `cache_bytes` reach, of each of the two packs.
    /// With options without a key it is [`Packed::open`].
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use cpr_replika::{Options, Packed};
    /// # fn run(key: impl cpr_replika::KeySource + 'static) -> Result<(), cpr_replika::Error> {
    /// let options = Options { key: Some(Arc::new(key)), ..Options::default() };
    /// println!("{}", Packed::open_encrypted("packs", &options)?.snapshot().known());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Packed::open`]; [`Error::WrongKey`], [`Error::Key`]; [`Error::NotEncrypted`] for plain packs.
    pub fn open_encrypted(folder: impl AsRef<Path>, options: &Options) -> Result<Packed, Error> {
        Packed::open_as(folder.as_ref(), PackOpening::of(options))
    }

    fn open_as(folder: &Path, opening: PackOpening) -> Result<Packed, Error> {
        let key = opening.key().cloned();
        Packed::open_by(folder, Box::new(move |path| opening.open(path)), key)
    }

    /// With the key of the options where the packs are encrypted, and without where they are not.
    pub(crate) fn open_either(folder: &Path, options: &Options) -> Result<Packed, Error> {
        match Packed::open(folder) {
            Err(Error::KeyNeeded) if options.key.is_some() => Packed::open_encrypted(folder, options),
            opened => opened,
        }
    }

    /// As [`Packed::open`], with packs opened as the caller wants them: in memory by [`Pack::read`], or mapped by
    /// [`Pack::map`], whose contract is then the caller's to keep; encrypted ones in memory by [`Pack::read_sealed`]
    /// and a [`PackKey`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cpr_replika::{Packed, cpr_pack::{Checks, Pack}};
    /// let folder = tempfile::tempdir()?;
    /// demo()?.snapshot().write_base(folder.path())?;
    /// let packed = Packed::open_with(folder.path(), |path| Pack::read(path, Checks::AtEveryRead))?;
    /// assert_eq!(packed.snapshot().pnrs()?.count(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Packed::open`].
    pub fn open_with(
        folder: impl AsRef<Path>,
        opener: impl Fn(&Path) -> Result<Pack, cpr_pack::Error> + Send + Sync + 'static,
    ) -> Result<Packed, Error> {
        Packed::open_by(folder.as_ref(), Box::new(opener), None)
    }

    fn open_by(folder: &Path, opener: Opener, key: Option<PackKey>) -> Result<Packed, Error> {
        Ok(Packed { switch: Switch::open(Folder { path: folder.to_owned(), opener, key })? })
    }

    /// The digest of the state that was found last, as its packs give it. [`Snapshot::state_digest`] computes it anew.
    pub fn digest(&self) -> StateDigest {
        StateDigest::from_bytes(self.packs().description().digest)
    }

    /// What is open.
    pub(crate) fn packs(&self) -> Arc<Packs> {
        self.switch.publication.read(|open| Arc::clone(&open.packs))
    }

    /// The state that was found last. Cheap to take and to clone; consistent for as long as it is held, also when its
    /// files are removed.
    pub fn snapshot(&self) -> Snapshot {
        self.switch.publication.read(|open| open.snapshot.clone())
    }

    /// Looks whether the folder holds another state, and takes it: true when it does. It costs the reading of a small
    /// file.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/demo.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::io::Cursor;
    /// use cpr_replika::{ApplyOptions, Packed};
    /// let (replika, folder) = (demo()?, tempfile::tempdir()?);
    /// replika.snapshot().write_base(folder.path())?;
    /// let packed = Packed::open(folder.path())?;
    /// assert!(!packed.poll()?);
    /// let night = "00000000000009999012026010720260106\n999999999999900000000\n";
    /// replika.apply(Cursor::new(night), &ApplyOptions::named("D260107.L999901"))?;
    /// replika.snapshot().write_base(folder.path())?;
    /// assert!(packed.poll()?);
    /// assert_eq!(packed.snapshot().known().0, 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Packed::open`]; what was open stays open.
    pub fn poll(&self) -> Result<bool, Error> {
        self.switch.poll()
    }

    /// Waits until the folder holds this delivery; false when the time is up first. It reads `CURRENT` five times a
    /// second, which works wherever the folder lies; no file system is asked to tell of changes.
    ///
    /// # Errors
    /// As [`Packed::poll`].
    pub fn wait_for(&self, delivery: DeliveryNumber, timeout: Duration) -> Result<bool, Error> {
        let end = Instant::now() + timeout;
        loop {
            self.poll()?;
            let left = end.saturating_duration_since(Instant::now());
            if self.snapshot().known() >= delivery {
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
            thread::sleep(left.min(LOOK));
        }
    }

    /// Has `listener` called with the number of each new delivery, until what is returned is dropped. It is called on
    /// the thread whose [`Packed::poll`] or [`Packed::wait_for`] found it, once a snapshot shows it.
    pub fn on_delivery(&self, listener: impl Fn(DeliveryNumber) + Send + Sync + 'static) -> DeliveryListener {
        self.switch.publication.listen(Box::new(listener))
    }
}

impl Shelf for Folder {
    type Label = Current;
    type State = OpenPacks;
    type Error = Error;

    fn label(&self) -> Result<Current, Error> {
        Current::read(&self.path)?.ok_or(Error::NoPacks)
    }

    /// A base that is open already is not opened again.
    fn open(&self, current: Current, held: Option<&OpenPacks>) -> Result<OpenPacks, Error> {
        let open = |name: &str| -> Result<Arc<Pack>, Error> { Ok(Arc::new((self.opener)(&self.path.join(name))?)) };
        let base = match held {
            Some(held) if held.current.base == current.base => Arc::clone(held.packs.base()),
            _ => open(&current.base)?,
        };
        let overlay = current.overlay.as_deref().map(open).transpose()?;
        let packs = Arc::new(Packs::new(base, overlay)?);
        let snapshot = Snapshot::over(Source::of_packs(&packs, self.key.as_ref())?)?;
        if packs.description().store != current.store || snapshot.known() != current.delivery {
            return Err(Error::OtherPacks);
        }
        Ok(OpenPacks { current, packs, snapshot })
    }

    fn label_of(open: &OpenPacks) -> &Current {
        &open.current
    }

    fn is_gone(error: &Error) -> bool {
        matches!(error, Error::Pack(cpr_pack::Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound)
    }
}

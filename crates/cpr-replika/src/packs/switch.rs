//! From one state of a folder of packs to the next, while a writer puts the next one there and removes what it replaced.
//!
//! A label (`CURRENT`) names the packs that belong together; it is replaced in one step, the new packs stand there before
//! it, and those of before are removed after it. So whoever finds a pack gone reads the label again, and a pack that is
//! open stays whole. Tried in every order of threads by `tests/model`.

use crate::publication::{Publication, State};
use crate::sync::{Mutex, PoisonError};

/// How often packs that are gone are looked for anew: each time, a writer has published another state meanwhile.
const TRIES: u32 = 16;

/// Where packs stand.
pub(crate) trait Shelf {
    /// What says which packs are current.
    type Label: PartialEq;
    /// The packs, opened.
    type State: State;
    type Error;

    /// The label as it is now.
    fn label(&self) -> Result<Self::Label, Self::Error>;

    /// Opens what a label names; what is open already need not be opened again.
    fn open(&self, label: Self::Label, held: Option<&Self::State>) -> Result<Self::State, Self::Error>;

    /// The label that a state was opened by.
    fn label_of(state: &Self::State) -> &Self::Label;

    /// Whether an error says that a pack is not there any more.
    fn is_gone(error: &Self::Error) -> bool;
}

/// The packs of a shelf that are open, and the way to those that come.
pub(crate) struct Switch<F: Shelf> {
    pub(crate) shelf: F,
    /// One thread at a time looks for a new state.
    look: Mutex<()>,
    pub(crate) publication: Publication<F::State>,
}

impl<F: Shelf<State: Clone>> Switch<F> {
    pub(crate) fn open(shelf: F) -> Result<Switch<F>, F::Error> {
        let state = open_current(&shelf, None)?;
        Ok(Switch { shelf, look: Mutex::new(()), publication: Publication::new(state) })
    }

    /// Looks whether the label is another one, and takes what it names: true when it is.
    pub(crate) fn poll(&self) -> Result<bool, F::Error> {
        let _look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.publication.read(Clone::clone);
        if self.shelf.label()? == *F::label_of(&held) {
            return Ok(false);
        }
        self.publication.replace(open_current(&self.shelf, Some(&held))?);
        self.publication.announce();
        Ok(true)
    }
}

/// Opens what the label names. Packs that are gone were replaced meanwhile: the label is read again.
fn open_current<F: Shelf>(shelf: &F, held: Option<&F::State>) -> Result<F::State, F::Error> {
    let open = || shelf.open(shelf.label()?, held);
    for _ in 1..TRIES {
        match open() {
            Err(error) if F::is_gone(&error) => {}
            opened => return opened,
        }
    }
    open()
}

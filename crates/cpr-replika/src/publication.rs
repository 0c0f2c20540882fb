//! The state that everybody reads, replaced whole, and who is told of the next.
//!
//! Readers have the state of before or the one after, never parts of both; whoever was told of a delivery finds it in
//! the state that is read then. Both are tried in every order of threads by `tests/model`.

use std::time::Duration;

use crate::arrivals::{Arrivals, Callback, DeliveryListener};
use crate::delivery_number::DeliveryNumber;
use crate::sync::{Arc, PoisonError, RwLock};

/// A state of a store or of packs.
pub(crate) trait State {
    /// Its last delivery.
    fn known(&self) -> DeliveryNumber;
}

/// The state that is read now.
pub(crate) struct Publication<S> {
    state: RwLock<S>,
    arrivals: Arc<Arrivals>,
}

impl<S: State> Publication<S> {
    pub(crate) fn new(state: S) -> Publication<S> {
        let publication = Publication { state: RwLock::new(state), arrivals: Arc::default() };
        publication.announce();
        publication
    }

    /// Looks at the state, for as short as it takes to clone what is needed of it.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everybody reads this state from now on. Nobody is told yet.
    pub(crate) fn replace(&self, state: S) {
        let mut held = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, state);
        drop(held);
        // Closing what it had open may take its time.
        drop(before);
    }

    /// Tells whoever waits which is the last delivery, as it is read now.
    pub(crate) fn announce(&self) {
        self.arrivals.announce(self.read(State::known));
    }

    /// Waits until the state has a delivery; false when the time is up first.
    pub(crate) fn wait(&self, delivery: DeliveryNumber, timeout: Duration) -> bool {
        self.read(State::known) >= delivery || self.arrivals.wait(delivery, timeout)
    }

    /// Has a listener called with each new delivery until what is returned is dropped.
    pub(crate) fn listen(&self, listener: Callback) -> DeliveryListener {
        self.arrivals.listen(listener)
    }
}

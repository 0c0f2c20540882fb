//! Who waits for the next delivery: threads that sleep until it is there, and callbacks that wake others.

use std::time::Duration;

use crate::delivery_number::DeliveryNumber;
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

/// What a listener is called by.
pub(crate) type Callback = Box<dyn Fn(DeliveryNumber) + Send + Sync>;

/// The last delivery that was published, and who is told of the next.
#[derive(Default)]
pub(crate) struct Arrivals {
    state: Mutex<State>,
    published: Condvar,
}

#[derive(Default)]
struct State {
    known: DeliveryNumber,
    next_id: u64,
    listeners: Vec<(u64, Arc<Callback>)>,
}

/// Ends the calls of a listener when it is dropped. See [`crate::Replika::on_delivery`].
#[must_use = "dropping it ends the calls"]
pub struct DeliveryListener {
    id: u64,
    arrivals: Weak<Arrivals>,
}

impl std::fmt::Debug for DeliveryListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeliveryListener")
    }
}

impl Drop for DeliveryListener {
    fn drop(&mut self) {
        if let Some(arrivals) = self.arrivals.upgrade() {
            arrivals.state().listeners.retain(|(id, _)| *id != self.id);
        }
    }
}

impl Arrivals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everybody when the delivery is a new one. Listeners are called without the lock.
    pub(crate) fn announce(&self, known: DeliveryNumber) {
        let listeners: Vec<Arc<Callback>> = {
            let mut state = self.state();
            if known <= state.known {
                return;
            }
            state.known = known;
            state.listeners.iter().map(|(_, listener)| Arc::clone(listener)).collect()
        };
        self.published.notify_all();
        listeners.iter().for_each(|listener| listener(known));
    }

    pub(crate) fn wait(&self, delivery: DeliveryNumber, timeout: Duration) -> bool {
        let waits = |state: &mut State| state.known < delivery;
        let woken = self.published.wait_timeout_while(self.state(), timeout, waits);
        woken.unwrap_or_else(PoisonError::into_inner).0.known >= delivery
    }

    pub(crate) fn listen(self: &Arc<Self>, listener: Callback) -> DeliveryListener {
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        state.listeners.push((id, Arc::new(listener)));
        DeliveryListener { id, arrivals: Arc::downgrade(self) }
    }
}

//! Places for connections: so many at once, and when all are taken, who asks nothing gives way to who comes.
//!
//! Whoever has not shown a certificate is a stranger. A connection with one is quiet but for the time between the end of
//! a request and its answer. When there is no place, the stranger who came first gives way; when there is no stranger,
//! the connection that has been quiet longest. So strangers take places from each other, and one at most from whoever
//! has a certificate; who is being answered keeps its place.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::config::Fingerprint;

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    standing: Mutex<Standing>,
}

/// Those who can give way, by when they came to stand there: the longest first.
#[derive(Debug, Default)]
struct Standing {
    last: u64,
    strangers: BTreeMap<u64, Arc<Notify>>,
    quiet: BTreeMap<u64, Arc<Notify>>,
    /// How many places those have who have shown a certificate, by certificate.
    clients: BTreeMap<Fingerprint, usize>,
}

/// The place of a connection, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    leave: Arc<Notify>,
    /// Its key among those who can give way.
    at: AtomicU64,
    /// Whose it is, once that is known.
    client: OnceLock<Fingerprint>,
    /// Whose place it took.
    pub(crate) displaced: Option<Displaced>,
    _permit: OwnedSemaphorePermit,
}

/// Who gave way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Displaced {
    Stranger,
    Quiet,
}

impl Places {
    /// So many.
    pub(crate) fn new(most: usize) -> Arc<Places> {
        Arc::new(Places { free: Arc::new(Semaphore::new(most)), standing: Mutex::default() })
    }

    /// A place for a stranger; it is waited for until whoever gives way has gone. None when everybody is being answered.
    pub(crate) async fn take(self: &Arc<Places>) -> Option<Place> {
        let (permit, displaced) = match self.free.clone().try_acquire_owned() {
            Ok(permit) => (permit, None),
            Err(_) => {
                let displaced = self.displace()?;
                (self.free.clone().acquire_owned().await.ok()?, Some(displaced))
            }
        };
        let leave = Arc::new(Notify::new());
        let mut standing = self.standing();
        let at = standing.next();
        standing.strangers.insert(at, leave.clone());
        drop(standing);
        let (at, client) = (AtomicU64::new(at), OnceLock::new());
        Some(Place { places: self.clone(), leave, at, client, displaced, _permit: permit })
    }

    fn displace(&self) -> Option<Displaced> {
        let mut standing = self.standing();
        let stranger = standing.strangers.pop_first().map(|(_, leave)| (leave, Displaced::Stranger));
        let gone = stranger.or_else(|| standing.quiet.pop_first().map(|(_, leave)| (leave, Displaced::Quiet)));
        gone.map(|(leave, displaced)| {
            leave.notify_one();
            displaced
        })
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Place {
    /// Ends when the connection is to give way.
    pub(crate) async fn is_to_leave(&self) {
        self.leave.notified().await;
    }

    /// It has shown a certificate, with which so many at most have a place at once. False when that many have: then it is
    /// not served, so that one client leaves places to others.
    pub(crate) fn certify(&self, client: Fingerprint, most: usize) -> bool {
        let mut standing = self.places.standing();
        let held = standing.clients.entry(client).or_default();
        if *held >= most {
            return false;
        }
        *held += 1;
        self.client.get_or_init(|| client);
        if standing.strangers.remove(&self.at.load(Ordering::Relaxed)).is_some() {
            self.stand_quiet(&mut standing);
        }
        true
    }

    /// A request is there, whole. False when the connection is to give way: then it is not answered.
    pub(crate) fn begin(&self) -> bool {
        self.places.standing().quiet.remove(&self.at.load(Ordering::Relaxed)).is_some()
    }

    /// It was answered.
    pub(crate) fn rest(&self) {
        self.stand_quiet(&mut self.places.standing());
    }

    fn stand_quiet(&self, standing: &mut Standing) {
        let at = standing.next();
        self.at.store(at, Ordering::Relaxed);
        standing.quiet.insert(at, self.leave.clone());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let at = self.at.load(Ordering::Relaxed);
        let mut standing = self.places.standing();
        standing.strangers.remove(&at);
        standing.quiet.remove(&at);
        if let Some(client) = self.client.get()
            && let Entry::Occupied(mut held) = standing.clients.entry(*client)
        {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    /// Three places: a quiet one, one that is being answered, and a stranger, in this order.
    async fn three(places: &Arc<Places>) -> [Place; 3] {
        let [quiet, busy, stranger] = [places.take().await, places.take().await, places.take().await];
        let [quiet, busy, stranger] = [quiet, busy, stranger].map(|place| place.expect("a place"));
        assert!(quiet.certify([7; 32], 3));
        assert!(busy.certify([7; 32], 3));
        assert!(busy.begin());
        [quiet, busy, stranger]
    }

    #[test]
    fn one_client_has_its_share_and_no_more() {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let places = Places::new(4);
            let [first, second, third] = [places.take().await, places.take().await, places.take().await];
            let [first, second, third] = [first, second, third].map(|place| place.expect("a place"));
            assert!(first.certify([1; 32], 2) && second.certify([1; 32], 2));
            assert!(!third.certify([1; 32], 2), "one too many");
            drop(third);
            let other = places.take().await.expect("a place");
            assert!(other.certify([2; 32], 2), "another client has a share of its own");
            drop(first);
            let again = places.take().await.expect("a place");
            assert!(again.certify([1; 32], 2), "a place that is free again counts no more");
            drop((second, other, again));
            assert!(places.standing().clients.is_empty());
        });
    }

    /// Takes a place while `leaving` goes when it is told to.
    async fn displace(places: &Arc<Places>, leaving: Place) -> Place {
        let (taken, ()) = tokio::join!(places.take(), async move {
            leaving.is_to_leave().await;
            assert!(!leaving.begin(), "it is answered no more");
            drop(leaving);
        });
        taken.expect("a place")
    }

    #[test]
    fn strangers_give_way_first_then_who_is_quiet_and_never_who_is_being_answered() {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let places = Places::new(3);
            let [quiet, busy, stranger] = three(&places).await;
            let second = displace(&places, stranger).await;
            assert_eq!(second.displaced, Some(Displaced::Stranger));
            assert!(second.certify([7; 32], 3));
            assert!(second.begin());
            let third = displace(&places, quiet).await;
            assert_eq!(third.displaced, Some(Displaced::Quiet));
            assert!(third.certify([7; 32], 3));
            assert!(third.begin());
            assert!(places.take().await.is_none(), "all are being answered");
            busy.rest();
            second.rest();
            let fourth = displace(&places, busy).await;
            assert_eq!(fourth.displaced, Some(Displaced::Quiet), "it was quiet before the second");
            drop((second, third, fourth));
            assert_eq!(places.free.available_permits(), 3);
            assert!(places.displace().is_none(), "nobody stands there any more");
        });
    }
}

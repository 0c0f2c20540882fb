//! What threads share, by the names of the standard library. The model tests (`tests/model`) read the files that speak of
//! these with others in their place, whose order a checker decides.

pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak};

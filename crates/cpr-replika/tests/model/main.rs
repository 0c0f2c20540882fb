//! The publication of states and the switch of packs, in every order of threads that a checker comes up with.
//!
//! The files are the engine's own; in the place of what `sync.rs` names stand locks of shuttle, which decides at each of
//! them who goes on. Thousands of orders are tried at random, and as many by priorities that change at a few points,
//! which finds what needs a few unlucky moments. That this sees what it is to see is shown by the same parts put
//! together wrongly. Sleeps that nobody ends are found as deadlocks: here, time never runs out.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, unreachable_pub, missing_docs, reason = "files of the engine, of which not all is asked here")]

mod sync {
    pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard, RwLock, Weak};
    pub(crate) use std::sync::PoisonError;
}

#[path = "../../src/arrivals.rs"]
mod arrivals;
#[path = "../../src/delivery_number.rs"]
mod delivery_number;
#[path = "../../src/publication.rs"]
mod publication;
#[path = "../../src/packs/switch.rs"]
mod switch;

mod publishing;
mod switching;

use std::panic::catch_unwind;

/// Orders that are tried, each way, unless `REPLIKA_ORDERS` says how many.
const ORDERS: usize = 2000;
/// Points at which priorities change.
const POINTS: usize = 3;

/// Tries orders in which the threads of a scene may run.
fn try_orders(scene: fn()) {
    let orders = std::env::var("REPLIKA_ORDERS").map_or(ORDERS, |orders| orders.parse().expect("a number of orders"));
    shuttle::check_random(scene, orders);
    shuttle::check_pct(scene, orders, POINTS);
}

/// That an order is found in which a scene with a planted fault goes wrong.
fn assert_found(scene: fn()) {
    let why = catch_unwind(|| try_orders(scene)).expect_err("the fault was not found");
    let text = why.downcast_ref::<String>().map(String::as_str).or(why.downcast_ref::<&str>().copied());
    // The checker's own: in such a scene there is nothing to find.
    assert!(text.is_none_or(|text| !text.contains("did not exercise any concurrency")), "{text:?}");
}

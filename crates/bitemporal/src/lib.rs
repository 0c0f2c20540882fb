//! Facts with two clocks: when they hold in the world, and when they were known.
//!
//! *Valid time* is a [`Period`] of any ordered type, half-open as in SQL:2011: `from` is in, `to` is out. *Known time*
//! is a [`Known`] span of delivery numbers, closed at write time: a read never has to resolve overwrites. The crate
//! knows neither what a fact says nor where it is stored; it is the arithmetic that both sides of the engine share:
//!
//! * [`Diff`]: what two states of one list have in common, what went and what came;
//! * [`Period::contains`] and [`Known::contains`]: an as-of read is their conjunction;
//! * [`coalesce`]: the same history with neighbours that say the same joined into one.

mod diff;
mod known;
mod period;

pub use diff::Diff;
pub use known::Known;
pub use period::{Period, coalesce};

#[cfg(test)]
mod tests;

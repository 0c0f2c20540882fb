//! The engine's own clock: deliveries are numbered 1, 2, 3 … as they are committed.

use std::fmt;

/// The number of a delivery: 1, 2, 3 … in the order of commits. 0 stands for "before any".
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeliveryNumber(pub u32);

impl fmt::Display for DeliveryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

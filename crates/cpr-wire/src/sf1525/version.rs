//! The versions of the contract.

/// The version of the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// 1.0: one previous number, no former spouses, and no related persons by name.
    V1,
    /// 2.0: the list of all numbers, and former spouses.
    V2,
}

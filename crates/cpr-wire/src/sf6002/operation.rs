//! The table of operations.

use cpr_subscription::FilterKind;

/// An operation of the contract.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Operation {
    /// The name, which is the root of the request.
    pub(super) name: &'static str,
    /// The root of the answer, with its prefix.
    pub(super) answer: &'static str,
    pub(super) action: Action,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    Add(FilterKind),
    Remove(FilterKind),
    RemoveAll,
    GetAll,
}

macro_rules! operations {
    ($($name:literal $action:expr,)*) => {
        [$(Operation { name: $name, answer: concat!("ns3:", $name, "Response"), action: $action }),*]
    };
}

/// The twelve of version 1.1. `RemoveFilteredSubscription`, which a schema declares and no contract offers, is not
/// among them.
pub(super) const OPERATIONS: &[Operation] = &operations! {
    "AddPNRSubscription" Action::Add(FilterKind::Pnr),
    "RemovePNRSubscription" Action::Remove(FilterKind::Pnr),
    "AddAgeRangeSubscription" Action::Add(FilterKind::AgeRange),
    "RemoveAgeRangeSubscription" Action::Remove(FilterKind::AgeRange),
    "AddMunicipalityCodeSubscription" Action::Add(FilterKind::Municipality),
    "RemoveMunicipalityCodeSubscription" Action::Remove(FilterKind::Municipality),
    "AddChangeCodeSubscription" Action::Add(FilterKind::EventChangeCode),
    "RemoveChangeCodeSubscription" Action::Remove(FilterKind::EventChangeCode),
    "AddNoFilterSubscription" Action::Add(FilterKind::Everything),
    "RemoveNoFilterSubscription" Action::Remove(FilterKind::Everything),
    "RemoveAll" Action::RemoveAll,
    "GetAllFilters" Action::GetAll,
};

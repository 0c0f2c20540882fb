//! The kinds of filter, in one order and under stable words.

/// The kinds of filter, in the order of listings.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FilterKind {
    /// One number.
    Pnr = 1,
    /// Ages.
    AgeRange,
    /// One municipality.
    Municipality,
    /// One event code.
    EventChangeCode,
    /// A street, house or dwelling.
    Address,
    /// Everybody: *Ingen filtre*, which SF6002 calls `NoFilter`. It is a filter that is there; no filters at all is
    /// nobody.
    Everything,
    /// Several of the others at once.
    AllOf,
}

impl FilterKind {
    /// Every kind, in order.
    pub const ALL: [FilterKind; 7] = [
        FilterKind::Pnr,
        FilterKind::AgeRange,
        FilterKind::Municipality,
        FilterKind::EventChangeCode,
        FilterKind::Address,
        FilterKind::Everything,
        FilterKind::AllOf,
    ];

    /// A stable word. Those of SF6002 are its own (`FilterGroup` of version 1.1): `PNR`, `AgeRange`,
    /// `MunicipalityCode`, `EventChangeCode`, `NoFilter`; the others are `Address`, `AllOf`.
    pub fn name(self) -> &'static str {
        match self {
            FilterKind::Pnr => "PNR",
            FilterKind::AgeRange => "AgeRange",
            FilterKind::Municipality => "MunicipalityCode",
            FilterKind::EventChangeCode => "EventChangeCode",
            FilterKind::Address => "Address",
            FilterKind::Everything => "NoFilter",
            FilterKind::AllOf => "AllOf",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<FilterKind> {
        FilterKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

//! The services by the names that agreements, logs and metrics have for them.

use cpr_wire::{Call, Endpoint, sf1520, sf1525};

/// The name of the search among the GCTP services.
pub(crate) const ADRSOG1: &str = "ADRSOG1";

/// A service, by its name.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Service(&'static str);

impl Service {
    /// Every name. SF1520 and SF1525 have their version behind a stroke; the GCTP services are named as clients name
    /// them.
    pub const NAMES: [&str; 13] = [
        "SF1520/4", "SF1520/5", "SF1525/1", "SF1525/2", "SF6002", "SF6008", "Stam+", "Stam", "Familie+", "Familie",
        "Navne3", "Adresse4", ADRSOG1,
    ];

    /// The service with this name.
    pub fn from_name(name: &str) -> Option<Service> {
        Service::NAMES.into_iter().find(|known| *known == name).map(Service)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The service that is called; none for a GCTP service that there is not.
    pub fn of(call: &Call) -> Option<Service> {
        let name = match call {
            Call::Sf1520 { version: sf1520::Version::V4, .. } => "SF1520/4",
            Call::Sf1520 { version: sf1520::Version::V5, .. } => "SF1520/5",
            Call::Sf1525(call) => match call.version {
                sf1525::Version::V1 => "SF1525/1",
                sf1525::Version::V2 => "SF1525/2",
            },
            Call::Sf6002(_) => "SF6002",
            Call::Sf6008 { .. } => "SF6008",
            Call::Gctp(call) => {
                let mut names = Service::NAMES.into_iter().filter(|name| !name.starts_with("SF"));
                return names.find(|name| call.is_for(name)).map(Service);
            }
        };
        Some(Service(name))
    }

    /// What is served under a path, for the log of a call that could not be read, and for the file of its contract.
    pub fn name_of(endpoint: Endpoint) -> &'static str {
        match endpoint {
            Endpoint::Sf1520(sf1520::Version::V4) => "SF1520/4",
            Endpoint::Sf1520(sf1520::Version::V5) => "SF1520/5",
            Endpoint::Sf1525(sf1525::Version::V1) => "SF1525/1",
            Endpoint::Sf1525(sf1525::Version::V2) => "SF1525/2",
            Endpoint::Sf6002 => "SF6002",
            Endpoint::Sf6008 => "SF6008",
            Endpoint::Gctp => "GCTP",
        }
    }
}
